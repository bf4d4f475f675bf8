//! Executes on a lab router what a VyOS router does for the commands of a fix.
//!
//! As on VyOS, a change of vni, port or remote re-creates the device; mtu, df and disable do not.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Lab, namespace::Namespace, numbers::End};

const FLOOD: &str = "00:00:00:00:00:00";

/// The present settings of a vxlan device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Network identifier.
    pub vni: u32,
    /// The VTEP it sends to.
    pub remote: IpAddr,
    /// UDP port.
    pub port: u16,
    /// MTU in bytes.
    pub mtu: u32,
    /// `set` or `unset`.
    pub df: String,
    /// Whether it is enabled.
    pub up: bool,
}

impl Lab {
    /// Changes a vxlan device, like a person on its router.
    pub fn change(&self, end: End, change: impl FnOnce(&mut Device)) -> Result<()> {
        let (router, interface) = (self.router(end.place()), self.numbers.interface(end));
        let before = Device::read(router, interface)?;
        let mut after = before.clone();
        change(&mut after);
        after.put(router, interface, self.numbers.bridge, &before)
    }

    /// Executes a command of the exporter's fix on a lab router as VyOS would, and returns what was
    /// done. `None` for a command without an effect here (`commit`, `save`).
    pub fn apply_fix(&self, router: &str, command: &str) -> Result<Option<String>> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (verb, interface, setting) = match words.as_slice() {
            ["configure" | "commit" | "save" | "exit", ..] | [] => return Ok(None),
            [verb @ ("set" | "delete"), "interfaces", "vxlan", interface, setting @ ..] => {
                (*verb, *interface, setting)
            }
            _ => bail!("the lab does not know what {command:?} on {router} does"),
        };
        let end = self
            .numbers
            .end(router, interface)
            .with_context(|| format!("the fix names {router}/{interface}, which the lab does not have"))?;
        let at = self.router(end.place());
        let number = |text: &str| text.parse().with_context(|| format!("the number of {command:?}"));
        let how = match (verb, setting) {
            ("set", ["mtu", mtu]) => {
                self.set_vxlan_mtu(end, number(mtu)?)?;
                format!("ip link set {interface} mtu {mtu}")
            }
            ("set", ["parameters", "ip", "df", df]) => {
                at.ip(&format!("link set {interface} type vxlan df {df}"))?;
                format!("ip link set {interface} type vxlan df {df}")
            }
            ("delete", ["disable"]) => {
                at.ip(&format!("link set {interface} up"))?;
                format!("ip link set {interface} up")
            }
            ("set", ["vni", vni]) => {
                let vni = number(vni)?;
                self.change(end, |device| device.vni = vni)?;
                format!("made anew with id {vni}")
            }
            ("set", ["port", port]) => {
                let port = port.parse().with_context(|| format!("the port of {command:?}"))?;
                self.change(end, |device| device.port = port)?;
                format!("made anew with dstport {port}")
            }
            ("delete", ["remote", remote]) => {
                at.run("bridge", &["fdb", "del", FLOOD, "dev", interface, "dst", remote])?;
                format!("bridge fdb del {FLOOD} dev {interface} dst {remote}")
            }
            ("set", ["remote", remote]) => {
                let remote = remote.parse().with_context(|| format!("the address of {command:?}"))?;
                self.set_remote(end, at, interface, remote)?
            }
            _ => bail!("the lab does not know what {command:?} on {router} does"),
        };
        Ok(Some(how))
    }

    /// A further remote goes on the flood list; an only remote becomes that of a re-created device.
    fn set_remote(&self, end: End, at: &Namespace, interface: &str, remote: IpAddr) -> Result<String> {
        let known = at.output("bridge", &["fdb", "show", "dev", interface])?;
        if String::from_utf8_lossy(&known.stdout).contains(FLOOD) {
            let remote = remote.to_string();
            at.run("bridge", &["fdb", "append", FLOOD, "dev", interface, "dst", &remote])?;
            return Ok(format!("bridge fdb append {FLOOD} dev {interface} dst {remote}"));
        }
        self.change(end, |device| device.remote = remote)?;
        Ok(format!("made anew with remote {remote}"))
    }
}

impl Device {
    fn read(router: &Namespace, interface: &str) -> Result<Self> {
        let said = router.output("ip", &["-j", "-d", "link", "show", "dev", interface])?;
        let said: Value =
            serde_json::from_slice(&said.stdout).with_context(|| format!("reading {interface}"))?;
        let data = &said[0]["linkinfo"]["info_data"];
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let read = || {
            let remote = data["remote"].as_str().or(data["remote6"].as_str())?;
            Some(Self {
                vni: number(&data["id"])?,
                remote: remote.parse().ok()?,
                port: u16::try_from(number(&data["port"])?).ok()?,
                mtu: number(&said[0]["mtu"])?,
                df: data["df"].as_str().unwrap_or("unset").to_owned(),
                up: said[0]["flags"].as_array()?.iter().any(|flag| flag == "UP"),
            })
        };
        read().with_context(|| format!("not a vxlan device as the lab makes them: {said}"))
    }

    /// Gives the device these settings, re-creating it if VyOS would.
    fn put(&self, router: &Namespace, interface: &str, bridge: &str, before: &Self) -> Result<()> {
        let Self { vni, remote, port, mtu, df, up } = self;
        if (vni, remote, port) == (&before.vni, &before.remote, &before.port) {
            router.ip(&format!("link set {interface} type vxlan df {df}"))?;
        } else {
            router.ip(&format!("link del {interface}"))?;
            router.ip(&format!(
                "link add {interface} type vxlan id {vni} remote {remote} dstport {port} ttl 16 df {df}"
            ))?;
            router.ip(&format!("link set {interface} master {bridge}"))?;
        }
        router.ip(&format!("link set {interface} mtu {mtu} {}", if *up { "up" } else { "down" }))
    }
}
