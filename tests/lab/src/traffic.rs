//! Packets between the lab's hosts, for as long as a test needs them.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{Lab, numbers::Place};

/// Traffic in both directions through both tunnels; ends with its owner.
#[derive(Debug)]
pub struct Traffic(Child);

impl Traffic {
    /// Starts this many packets per second in each direction.
    pub fn start(lab: &Lab, per_second: u32) -> Result<Self> {
        Self::of(lab, per_second, 300)
    }

    /// Starts this many packets of 1500 bytes per second in each direction, without DF.
    pub fn full_size(lab: &Lab, per_second: u32) -> Result<Self> {
        Self::of(lab, per_second, 1500)
    }

    fn of(lab: &Lab, per_second: u32, size: u32) -> Result<Self> {
        let script = lab.directory().join("traffic.py");
        fs::write(&script, include_str!("traffic.py"))?;
        let mut command = Command::new("python3");
        command.arg(script).args([per_second, size].map(|number| number.to_string())).stdin(Stdio::null());
        for (from, to) in [
            (Place::SiteA, Place::Dc),
            (Place::Dc, Place::SiteA),
            (Place::Dc, Place::SiteB),
            (Place::SiteB, Place::Dc),
        ] {
            command.arg(format!("/run/netns/{}", lab.host(from).name));
            command.arg(lab.numbers.site(to).host_address.to_string());
        }
        Ok(Self(command.spawn().context("starting the traffic")?))
    }

    /// Returns an error if it has ended.
    pub fn must_run(&mut self) -> Result<()> {
        ensure!(self.0.try_wait()?.is_none(), "the traffic has ended");
        Ok(())
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
