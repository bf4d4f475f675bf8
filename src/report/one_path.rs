//! The report of `probe` on its one path: first the sentence, then numbers and evidence, and what
//! could not be measured and why. The exit code comes from the same ranks as that of `check`.

#[cfg(test)]
mod tests;

use std::{fmt::Write as _, path::PathBuf};

use serde_json::{Value, json};

use unicode_width::UnicodeWidthStr as _;

use super::{
    Paint,
    json::{PathReport, in_json},
    problem::bad_path,
    section,
    tables::{PathMtu, milliseconds},
    wrapping::wrap,
};
use crate::{
    language::{Said, say},
    model::{
        observation::{EchoStats, PathObservation},
        state::Present,
        types::{Capability, Verdict},
        words::number::small_echoes,
    },
};

/// Width of the column of names.
const NAMES: usize = 12;

/// The exit code of `probe`, and why: 0 for ok and reduced, 1 for unreachable, blackhole and lossy,
/// else 2.
#[must_use]
pub fn exit_code(present: &Present) -> (u8, Said) {
    let Some((path, picture)) = present.paths_with_pictures().next() else {
        return (2, say!("nothing was probed"));
    };
    match bad_path(path, picture) {
        Some(problem) => (problem.rank.exit_code(), problem.what),
        None => (0, path.judgement.verdict.said()),
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
    let mut line = |name: Said, value: Said| {
        let name = name.localized();
        let room = (NAMES - 2).saturating_sub(name.width());
        wrap(&mut out, &format!("  {name}{:room$}", ""), &value.localized(), width);
    };
    line(say!("target"), target(path));
    line(say!("verdict"), verdict);
    line(say!("path MTU"), path_mtu(path));
    let echo = path.echo();
    line(say!("loss"), loss(&echo));
    line(say!("RTT"), rtt(&echo));
    out.push('\n');
    section(&mut out, &say!("seen:"), &path.judgement.evidence, width);
    let unseen = unseen(present, path);
    if !unseen.is_empty() {
        let _ = writeln!(out, "  {}", say!("not seen:").localized());
    }
    for Unseen { why, command } in unseen {
        wrap(&mut out, "    - ", &why.localized(), width);
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
        fields.insert("meaning".to_owned(), in_json(&path.meaning()));
        fields.insert("exit_code".to_owned(), exit_code.into());
        fields.insert("reason".to_owned(), in_json(&reason));
    }
    report
}

/// The command that gives this binary all capabilities it can use.
#[must_use]
pub(crate) fn setcap() -> String {
    let binary = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("vxlan_exporter"));
    format!("setcap cap_net_raw+p {}", binary.display())
}

fn target(path: &PathObservation) -> Said {
    let target = &path.target;
    let address = path.address.map(|address| address.to_string()).filter(|address| address != target);
    let said = match address {
        Some(address) => say!("{target} ({address})", target, address),
        None => Said::verbatim(target.clone()),
    };
    match path.tcp_port {
        Some(port) => say!("{target}, TCP port {port}", target => said, port),
        None => said,
    }
}

fn path_mtu(path: &PathObservation) -> Said {
    let [forward, reverse] = PathMtu::of(path).map(|mtu| match mtu {
        PathMtu::Exact(mtu) => say!("{mtu} bytes", mtu),
        PathMtu::AtLeast(mtu) => say!("{least} bytes", least = format_args!(">= {mtu}")),
        PathMtu::NotKnown => say!("not known"),
    });
    let sizes = say!(
        "to the target {forward}, from the target {reverse}",
        forward => forward,
        reverse => reverse
    );
    let Some(expected) = &path.expected_mtu else { return sizes };
    let rule = &expected.rule;
    match path.judgement.forward_expected {
        Some(forward) => say!(
            "{sizes}; {forward} and {reverse} expected ({rule})",
            sizes => sizes,
            forward,
            reverse = expected.bytes,
            rule => rule.clone()
        ),
        None => {
            say!("{sizes}; {expected} expected ({rule})", sizes => sizes, expected = expected.bytes, rule => rule.clone())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of echoes are small")]
fn loss(echo: &EchoStats) -> Said {
    let decided = echo.replies + echo.lost;
    let waiting = echo.requests.saturating_sub(decided);
    if echo.requests == 0 {
        return say!("not measured, no echoes are sent");
    }
    if decided == 0 {
        return say!("{echoes} sent, none answered yet", echoes => small_echoes(echo.requests));
    }
    let share = 100.0 * echo.lost as f64 / decided as f64;
    let lost = say!(
        "{lost} of {echoes} ({share} %)",
        lost = echo.lost,
        echoes => small_echoes(decided),
        share = format_args!("{share:.1}")
    );
    if waiting > 0 { say!("{lost}; {waiting} more not answered yet", lost => lost, waiting) } else { lost }
}

fn rtt(echo: &EchoStats) -> Said {
    let (Some(mean), Some((shortest, longest))) = (echo.rtt.mean_seconds(), echo.rtt.extremes) else {
        return say!("not known");
    };
    let [shortest, longest] = [shortest, longest].map(|rtt| milliseconds(rtt.as_secs_f64()));
    say!(
        "{shortest} / {mean} / {longest} (shortest, mean, longest)",
        shortest,
        mean = milliseconds(mean),
        longest
    )
}

/// Something that could not be measured.
struct Unseen {
    why: Said,
    /// The command that changes that.
    command: Option<String>,
}

fn unseen(present: &Present, path: &PathObservation) -> Vec<Unseen> {
    let judgement = &path.judgement;
    let mut unseen = Vec::new();
    let mut add = |why: Said, command: Option<String>| unseen.push(Unseen { why, command });
    let lacks = |wanted| present.missing(wanted).is_some();
    let unprivileged = lacks(Capability::NetRaw);
    if unprivileged && lacks(Capability::IcmpSocket) {
        add(
            say!(
                "without an ICMP socket no echoes are sent: TCP connections show only whether the target is \
                 reachable; sizes and loss are not measured; as root, run once:"
            ),
            Some(setcap()),
        );
    } else if unprivileged {
        add(
            say!(
                "without CAP_NET_RAW no padded SYNs and no echo requests in fragments are sent, so the \
                 direction of a black hole is not known; as root, run once:"
            ),
            Some(setcap()),
        );
    }
    if path.tcp_port.is_none() && !unprivileged {
        let why = say!(
            "without a port no SYN probes are sent; they tell the directions apart and show whether TCP \
             passes as ping does; any TCP port will do, open or closed: HOST:PORT"
        );
        add(why, None);
    }
    if !judgement.settled {
        add(
            say!("the test ended before every result was certain; a larger --count gives it more time"),
            None,
        );
    }
    if !matches!(judgement.verdict, Verdict::Ok | Verdict::Unknown) {
        let why = say!(
            "the routers: with a configuration, `vxlan_exporter check` reads them and names the wrong \
             setting and the commands that fix it"
        );
        add(why, None);
    }
    unseen
}
