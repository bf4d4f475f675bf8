//! The third method: VyOS's op-mode as text, on every version and for users who may run little else.
//!
//! It tells no more than [`raw`](super::raw), of the vxlan interfaces alone.

use std::{collections::BTreeMap, time::Instant};

use super::{
    parse,
    raw::named,
    script::{Failed, SYSTEM, System, UPTIME_AFTER, UPTIME_BEFORE, misread, run},
    shell::Shell,
    snapshot::RouterSnapshot,
};
use crate::types::Method;

/// Each run of the wrapper costs the router half a second: its version is asked for only where no file tells.
const SHOW: &str = "w=/opt/vyatta/bin/vyatta-op-cmd-wrapper
s interfaces $w show interfaces vxlan detail
";
const VERSION: &str =
    "[ -r /opt/vyatta/etc/version ] || [ -r /usr/share/vyos/version.json ] || s vyos $w show version\n";

/// One scrape, over before `deadline`. Blocks; never retries.
pub fn scrape(shell: &mut dyn Shell, deadline: Instant) -> Result<RouterSnapshot, Failed> {
    let body = [UPTIME_BEFORE, SHOW, UPTIME_AFTER, SYSTEM, VERSION].concat();
    run(shell, &body, deadline, |output| {
        let text = output.must("interfaces", "show interfaces vxlan detail", "VyOS has it")?;
        todo!()
    })
}
