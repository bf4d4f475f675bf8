//! The report of `probe` on its one path: first the sentence, then numbers and evidence, and what
//! could not be measured and why. The exit code comes from the same ranks as that of `check`.

#[cfg(test)]
mod tests;

use std::{fmt::Write as _, path::PathBuf};

use serde_json::{Value, json};

use super::{
    Paint, count,
    json::{PathReport, in_json},
    problem::bad_path,
    section,
    tables::{PathMtu, milliseconds},
    wrap,
};
use crate::model::{
    observation::{EchoStats, PathObservation},
    state::Present,
    types::{Capability, Verdict},
};

/// Width of the column of names.
const NAMES: usize = 12;

/// The exit code of `probe`, and why: 0 for ok and reduced, 1 for unreachable, blackhole and lossy,
/// else 2.
#[must_use]
pub fn exit_code(present: &Present) -> (u8, String) {
    let Some((path, picture)) = present.paths_with_pictures().next() else {
        return (2, "nothing was probed".to_owned());
    };
    match bad_path(path, picture) {
        Some(problem) => (problem.rank.exit_code(), problem.what),
        None => (0, path.judgement.verdict.to_string()),
    }
}

/// The report for a terminal `width` columns wide. Commands are never wrapped.
#[must_use]
pub fn text(present: &Present, width: usize, paint: Paint) -> String {
    let Some(path) = present.paths.first() else { return String::new() };
    let (code, verdict) = exit_code(present);
    let mut out = String::new();
    paint.headline(&mut out, code, &path.meaning(), width);
    out.push('\n');
    let mut line = |name: &str, value: &str| {
        wrap(&mut out, &format!("  {name:<width$}", width = NAMES - 2), value, width);
    };
    line("target", &target(path));
    line("verdict", &verdict);
    line("path MTU", &path_mtu(path));
    let echo = path.echo();
    line("loss", &loss(&echo));
    line("RTT", &rtt(&echo));
    out.push('\n');
    section(&mut out, "seen", &path.judgement.evidence, width);
    let unseen = unseen(present, path);
    if !unseen.is_empty() {
        out.push_str("  not seen:\n");
    }
    for Unseen { why, command } in unseen {
        wrap(&mut out, "    - ", &why, width);
        if let Some(command) = command {
            let _ = writeln!(out, "        {command}");
        }
    }
    out
}

/// The report as JSON: the fields of `check`'s `paths[]` that need no configuration, and
/// `exit_code reason meaning not_seen[]{why,command}`.
#[must_use]
pub fn json(present: &Present) -> Value {
    let (exit_code, reason) = exit_code(present);
    let Some((path, picture)) = present.paths_with_pictures().next() else {
        return json!({ "exit_code": exit_code, "reason": reason });
    };
    let mut report = in_json(&PathReport::of(path, picture));
    if let Some(fields) = report.as_object_mut() {
        for configured in ["path", "source", "target_site", "reflector", "hops", "cause", "fix"] {
            fields.remove(configured);
        }
        let unseen = unseen(present, path).into_iter();
        let unseen = unseen.map(|unseen| json!({ "why": unseen.why, "command": unseen.command }));
        fields.insert("not_seen".to_owned(), unseen.collect());
        fields.insert("meaning".to_owned(), path.meaning().into());
        fields.insert("exit_code".to_owned(), exit_code.into());
        fields.insert("reason".to_owned(), reason.into());
    }
    report
}

/// The command that gives this binary all capabilities it can use.
#[must_use]
pub(crate) fn setcap() -> String {
    let binary = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("vxlan_exporter"));
    format!("setcap cap_net_raw+p {}", binary.display())
}

fn target(path: &PathObservation) -> String {
    let mut said = path.target.clone();
    if let Some(address) = path.address.map(|address| address.to_string()).filter(|address| *address != said)
    {
        let _ = write!(said, " ({address})");
    }
    match path.tcp_port {
        Some(port) => format!("{said}, TCP port {port}"),
        None => said,
    }
}

fn path_mtu(path: &PathObservation) -> String {
    let [forward, reverse] = PathMtu::of(path).map(|mtu| match mtu {
        PathMtu::Exact(mtu) => format!("{mtu} bytes"),
        PathMtu::AtLeast(mtu) => format!(">= {mtu} bytes"),
        PathMtu::NotKnown => "not known".to_owned(),
    });
    let expected = path.expected_mtu.as_ref();
    let expected = expected.map_or(String::new(), |expected| match path.judgement.forward_expected {
        Some(forward) => format!("; {forward} and {} expected ({})", expected.bytes, expected.rule),
        None => format!("; {} expected ({})", expected.bytes, expected.rule),
    });
    format!("to the target {forward}, from the target {reverse}{expected}")
}

#[expect(clippy::cast_precision_loss, reason = "counts of echoes are small")]
fn loss(echo: &EchoStats) -> String {
    let decided = echo.replies + echo.lost;
    let waiting = echo.requests.saturating_sub(decided);
    if echo.requests == 0 {
        return "not measured, no echoes are sent".to_owned();
    }
    if decided == 0 {
        return format!("{} sent, none answered yet", count(echo.requests, "small echo"));
    }
    let share = 100.0 * echo.lost as f64 / decided as f64;
    let mut said = format!("{} of {} ({share:.1} %)", echo.lost, count(decided, "small echo"));
    if waiting > 0 {
        let _ = write!(said, "; {waiting} more not answered yet");
    }
    said
}

fn rtt(echo: &EchoStats) -> String {
    let (Some(mean), Some((shortest, longest))) = (echo.rtt.mean_seconds(), echo.rtt.extremes) else {
        return "not known".to_owned();
    };
    let [shortest, longest] = [shortest, longest].map(|rtt| milliseconds(rtt.as_secs_f64()));
    format!("{shortest} / {} / {longest} (shortest, mean, longest)", milliseconds(mean))
}

/// Something that could not be measured.
struct Unseen {
    why: String,
    /// The command that changes that.
    command: Option<String>,
}

fn unseen(present: &Present, path: &PathObservation) -> Vec<Unseen> {
    let judgement = &path.judgement;
    let mut unseen = Vec::new();
    let mut add = |why: &str, command: Option<String>| unseen.push(Unseen { why: why.to_owned(), command });
    let lacks = |wanted| present.missing(wanted).is_some();
    let unprivileged = lacks(Capability::NetRaw);
    if unprivileged && lacks(Capability::IcmpSocket) {
        add(
            "without an ICMP socket no echoes are sent: TCP connections show only whether the target is \
             reachable; sizes and loss are not measured; as root, run once:",
            Some(setcap()),
        );
    } else if unprivileged {
        add(
            "without CAP_NET_RAW no padded SYNs and no echo requests in fragments are sent, so the \
             direction of a black hole is not known; as root, run once:",
            Some(setcap()),
        );
    }
    if path.tcp_port.is_none() && !unprivileged {
        add(
            "without a port no SYN probes are sent; they tell the directions apart and show whether TCP \
             passes as ping does; any TCP port will do, open or closed: HOST:PORT",
            None,
        );
    }
    if !judgement.settled {
        add("the test ended before every result was certain; a larger --count gives it more time", None);
    }
    if !matches!(judgement.verdict, Verdict::Ok | Verdict::Unknown) {
        add(
            "the routers: with a configuration, `vxlan_exporter check` reads them and names the wrong \
             setting and the commands that fix it",
            None,
        );
    }
    unseen
}
