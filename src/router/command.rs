//! The one script of a scrape, and the snapshot made of what it prints.
//!
//! One exec for everything: over a WAN each costs two round trips or more. `ip -j` costs a VyOS router about
//! 2 ms, VyOS's own op-mode about 550 ms. `/proc/uptime` is read right before and right after the counters,
//! so that two routers' counters can be compared over the same seconds. PATH is set because a non-root exec
//! on VyOS lacks /usr/sbin, where `bridge` lives.
//!
//! Routes to the remotes of the last scrape are asked again in the same exec; only where a remote appears
//! that was not known, a second exec asks for its route, so that the very first scrape has underlay MTUs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    net::IpAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};

use super::{
    parse::{
        self, ParseError,
        sections::{self, FrameError, Section},
    },
    shell::Shell,
    snapshot::{Route, RouterSnapshot, ScrapeError, Uptime},
};
use crate::types::{FailureReason, Method};

/// The origin of the times that say when a router was asked.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// More remotes than this get no route: the script must fit one SSH packet (about 32 kB).
const MAX_ROUTES: usize = 700;

/// `s NAME COMMAND…` prints one section. A command that failed is run once more to show why: mixing its
/// stderr into its stdout would spoil the JSON, and a full stderr pipe that nobody reads would block it.
const PRELUDE: &str = r#"export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
s() {
n=$1; shift; echo "$M begin $n"
"$@" 2>/dev/null; r=$?
if [ $r -ne 0 ]; then echo; echo "$M err"; "$@" 2>&1 >/dev/null | head -c 400; fi
echo; echo "$M rc=$r"
}
"#;

const STATE: &str = "s uptime-before cat /proc/uptime
s link ip -j -s -s -d addr show
s uptime-after cat /proc/uptime
s fdb bridge -j fdb show
s vni bridge -j -s vni show
s boot cat /proc/sys/kernel/random/boot_id
s vyos cat /opt/vyatta/etc/version
s vyos-json cat /usr/share/vyos/version.json
s os cat /etc/os-release
";

/// Reads one router again and again.
pub struct Reader {
    shell: Box<dyn Shell>,
    /// Remotes whose route is asked for in the first exec.
    known: BTreeSet<IpAddr>,
}

impl Reader {
    /// A reader that has read nothing yet.
    #[must_use]
    pub fn new(shell: Box<dyn Shell>) -> Self {
        Self { shell, known: BTreeSet::new() }
    }

    /// One scrape, over before `deadline`. Blocks; never retries.
    pub fn scrape(&mut self, deadline: Instant) -> Result<RouterSnapshot, ScrapeError> {
        let mut snapshot = self.exec(STATE, &self.known.clone(), deadline, |output, routes| {
            let mut snapshot = output.snapshot()?;
            snapshot.routes = routes;
            Ok(snapshot)
        })?;
        let remotes = unicast_remotes(&snapshot);
        let new: BTreeSet<_> = remotes.difference(&self.known).copied().collect();
        if !new.is_empty() {
            let routes = self.exec("", &new, deadline, |_, routes| Ok(routes))?;
            snapshot.routes.extend(routes);
        }
        snapshot.routes.retain(|remote, _| remotes.contains(remote));
        snapshot.routes.extend(multicast_routes(&snapshot));
        self.known = remotes;
        Ok(snapshot)
    }

    fn exec<T>(
        &mut self,
        body: &str,
        remotes: &BTreeSet<IpAddr>,
        deadline: Instant,
        read: impl FnOnce(&Output<'_>, BTreeMap<IpAddr, Route>) -> Result<T, ScrapeError>,
    ) -> Result<T, ScrapeError> {
        let marker = format!("vxlan-exporter-{:032x}", fastrand::u128(..));
        let asked = START.elapsed();
        let text = self.shell.exec(&script(&marker, body, remotes), deadline)?;
        let answered = START.elapsed();
        let text = sections::clean(&text);
        let sections = sections::split(&text, &marker).map_err(|error| unframed(&error, &text))?;
        let output = Output { sections, asked, answered };
        let routes = output.routes(remotes)?;
        read(&output, routes)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("known", &self.known).finish_non_exhaustive()
    }
}

/// Only typed addresses reach the script: a router's text cannot put a command into it.
fn script(marker: &str, body: &str, remotes: &BTreeSet<IpAddr>) -> String {
    let mut script = format!("M={marker}\n{PRELUDE}{body}");
    if !remotes.is_empty() {
        script.push_str("for r in");
        for remote in remotes {
            let _ = write!(script, " {remote}");
        }
        script.push_str("; do s \"route $r\" ip -j route get \"$r\"; done\n");
    }
    script.push_str("echo \"$M end\"\n");
    script
}

/// The VTEPs that vxlan devices send to: their `remote` and those of their forwarding entries.
fn unicast_remotes(snapshot: &RouterSnapshot) -> BTreeSet<IpAddr> {
    let devices = snapshot.vxlans().filter_map(|(_, vxlan)| vxlan.remote);
    let entries = snapshot.fdb.iter().filter_map(|entry| entry.dst);
    let unicast = |remote: &IpAddr| !remote.is_multicast() && !remote.is_unspecified();
    devices.chain(entries).filter(unicast).take(MAX_ROUTES).collect()
}

/// A multicast group is sent out of the device that the vxlan is tied to; `route get` may know no route.
fn multicast_routes(snapshot: &RouterSnapshot) -> Vec<(IpAddr, Route)> {
    let tied = snapshot.vxlans().filter_map(|(_, vxlan)| {
        let group = vxlan.remote.filter(IpAddr::is_multicast)?;
        Some((group, Route { dev: vxlan.link.clone()?, gateway: None, mtu: None, source: vxlan.local }))
    });
    tied.collect()
}

fn unframed(error: &FrameError, output: &str) -> ScrapeError {
    match error {
        FrameError::CutOff { section } => ScrapeError::new(
            FailureReason::Truncated,
            format!("the output ended in section `{section}`, before its end marker"),
        ),
        FrameError::NotStarted if output.trim().is_empty() => ScrapeError::new(
            FailureReason::Truncated,
            "the router printed nothing: does the user have a login shell that runs commands?",
        ),
        FrameError::NotStarted => {
            let reason = denied_or(FailureReason::Command, output);
            let seen = parse::excerpt(output.trim());
            ScrapeError::new(
                reason,
                format!("the router's shell did not run the script; it printed `{seen}`"),
            )
        }
    }
}

fn denied_or(otherwise: FailureReason, message: &str) -> FailureReason {
    let message = message.to_ascii_lowercase();
    let denied = ["permission denied", "not permitted", "a permission to", "restricted"];
    if denied.iter().any(|words| message.contains(words)) { FailureReason::Permission } else { otherwise }
}

fn misread(error: &ParseError) -> ScrapeError {
    ScrapeError::new(FailureReason::Parse, error.to_string())
}

/// One script's output, cut into sections.
struct Output<'a> {
    sections: BTreeMap<&'a str, Section<'a>>,
    /// When it was asked for and when it was here, since [`START`].
    asked: Duration,
    answered: Duration,
}

impl<'a> Output<'a> {
    fn snapshot(&self) -> Result<RouterSnapshot, ScrapeError> {
        let links = self.must("link", "ip -j -s -s -d addr show")?;
        let mut links = parse::link::links(links).map_err(|error| misread(&error))?;
        let fdb = self.must("fdb", "bridge -j fdb show")?;
        let mut fdb = parse::fdb::entries(fdb).map_err(|error| misread(&error))?;
        // Before VyOS 1.4 `bridge vni` does not exist: no VNI filter then.
        let mut vnis = match self.may("vni") {
            Some(text) => parse::vni::vnis(text).map_err(|error| misread(&error))?,
            None => BTreeMap::new(),
        };
        for link in &mut links {
            if let (Some(vxlan), Some(vnis)) = (&mut link.vxlan, vnis.remove(&link.name)) {
                vxlan.vnis = vnis;
            }
        }
        let vxlans: BTreeSet<_> =
            links.iter().filter(|link| link.vxlan.is_some()).map(|link| &link.name).collect();
        fdb.retain(|entry| vxlans.contains(&entry.interface));
        let uptime = |section| parse::system::uptime_seconds(self.may(section)?);
        let text = |section| self.may(section).unwrap_or_default();
        Ok(RouterSnapshot {
            method: Method::Ip,
            fdb,
            links,
            routes: BTreeMap::new(),
            version: parse::system::version(text("vyos"), text("vyos-json"), text("os")),
            boot_id: parse::system::boot_id(text("boot")),
            uptime: uptime("uptime-before").zip(uptime("uptime-after")).map(|(before, after)| Uptime {
                before,
                after,
                asked: self.asked,
                answered: self.answered,
            }),
        })
    }

    /// A remote without a route is left out: `ip route get` fails then.
    fn routes(&self, remotes: &BTreeSet<IpAddr>) -> Result<BTreeMap<IpAddr, Route>, ScrapeError> {
        let mut routes = BTreeMap::new();
        for remote in remotes {
            let Some(text) = self.may(&format!("route {remote}")) else { continue };
            if let Some(route) = parse::route::route(text).map_err(|error| misread(&error))? {
                routes.insert(*remote, route);
            }
        }
        Ok(routes)
    }

    /// The text of a section whose command succeeded.
    fn may(&self, name: &str) -> Option<&'a str> {
        self.sections.get(name).filter(|section| section.exit_code == 0).map(|section| section.text)
    }

    /// The same of a command without which there is no snapshot.
    fn must(&self, name: &str, command: &str) -> Result<&'a str, ScrapeError> {
        let Some(section) = self.sections.get(name) else {
            let message = format!("the output has no section `{name}`");
            return Err(ScrapeError::new(FailureReason::Truncated, message));
        };
        if section.exit_code == 0 {
            return Ok(section.text);
        }
        let (code, said) = (section.exit_code, parse::excerpt(section.stderr));
        let reason = if code == 126 { FailureReason::Permission } else { FailureReason::Command };
        let reason = denied_or(reason, section.stderr);
        let remedy = match reason {
            FailureReason::Permission => "let the user run it",
            _ => "it needs iproute2 4.18 or later",
        };
        Err(ScrapeError::new(reason, format!("`{command}` failed with exit code {code}: `{said}`; {remedy}")))
    }
}

#[cfg(test)]
mod tests;
