//! Samples of a path: probe results, and what router data adds.

use super::unix_seconds;
use crate::{
    catalogue as c,
    model::{
        observation::PathObservation,
        picture::PathPicture,
        types::{BlackholeReason, Direction, ReflectorUse, SendError, Verdict},
    },
    web::exposition::Exposition,
};

pub(crate) fn put(out: &mut Exposition, path: &PathObservation, picture: Option<&PathPicture>) {
    let source = path.source.to_string();
    let labels = [path.path.as_str(), path.target_site.as_str(), &source];
    let address = path.address.map(|address| address.to_string()).unwrap_or_default();
    let port = path.tcp_port.map(|port| port.to_string()).unwrap_or_default();
    let reflector = path.reflector.map_or("", ReflectorUse::as_str);
    out.put(&c::PATH_INFO, &[labels[0], labels[1], labels[2], &address, &port, reflector], 1.0);

    let echo = path.echo();
    out.put_histogram(&c::PATH_RTT, &labels, &echo.rtt);
    out.put_count(&c::PATH_ECHO_REQUESTS, &labels, echo.requests);
    out.put_count(&c::PATH_ECHO_REPLIES, &labels, echo.replies);
    out.put_count(&c::PATH_ECHO_LOST, &labels, echo.lost);
    out.put_count(&c::PATH_ECHO_LATE, &labels, echo.late);
    out.put_count(&c::PATH_ECHO_VOID, &labels, echo.void);
    for reason in SendError::ALL {
        let count = path.counters.send_errors(*reason);
        out.put_count(&c::PATH_SEND_ERRORS, &[labels[0], labels[1], labels[2], reason.as_str()], count);
    }
    if let Some(time) = path.counters.last_probe() {
        out.put(&c::PATH_LAST_PROBE, &labels, unix_seconds(time));
    }
    put_judgement(out, labels, path);
    if let Some(picture) = picture {
        put_picture(out, labels, path, picture);
    }
}

fn put_judgement(out: &mut Exposition, [path, site, source]: [&str; 3], observation: &PathObservation) {
    let judgement = &observation.judgement;
    let expected = observation.expected_mtu.as_ref().map(|expected| expected.bytes);
    if let Some(bytes) = expected {
        out.put(&c::PATH_EXPECTED_MTU, &[path, site, source], f64::from(bytes));
    }
    if let Some(bytes) = observation.testable_mtu {
        out.put(&c::PATH_TESTABLE_MTU, &[path, site, source], f64::from(bytes));
    }
    for (direction, mtu) in
        [(Direction::Forward, judgement.mtu_forward), (Direction::Reverse, judgement.mtu_reverse)]
    {
        if let Some(mtu) = mtu {
            let mtu = expected.map_or(mtu, |expected| mtu.min(expected));
            out.put(&c::PATH_MTU, &[path, site, source, direction.as_str()], f64::from(mtu));
        }
    }
    for direction in Direction::ALL {
        let hole = judgement.holes.contains(direction);
        out.put_bool(&c::PATH_BLACKHOLE, &[path, site, source, direction.as_str()], hole);
    }
    let reasons = judgement.blackhole_reasons();
    for reason in BlackholeReason::ALL {
        let labels = [path, site, source, reason.as_str()];
        out.put_bool(&c::PATH_BLACKHOLE_REASON, &labels, reasons.contains(reason));
    }
    for verdict in Verdict::ALL {
        out.put_bool(
            &c::PATH_VERDICT,
            &[path, site, source, verdict.as_str()],
            judgement.verdict == *verdict,
        );
    }
    if let Some(reason) = judgement.unknown_reason.filter(|_| judgement.verdict == Verdict::Unknown) {
        out.put(&c::PATH_UNKNOWN_REASON, &[path, site, source, reason.as_str()], 1.0);
    }
}

fn put_picture(
    out: &mut Exposition,
    [path, site, source]: [&str; 3],
    observation: &PathObservation,
    picture: &PathPicture,
) {
    for hop in &picture.hops {
        let labels = [path, site, source, &hop.tunnel, hop.end.router.as_str(), hop.end.interface.as_str()];
        out.put(&c::PATH_HOP_INFO, &labels, 1.0);
    }
    if observation.judgement.verdict == Verdict::Ok {
        return;
    }
    for (index, step) in picture.fix.iter().enumerate() {
        let number = (index + 1).to_string();
        out.put(
            &c::PATH_FIX_INFO,
            &[path, site, source, &number, step.router.as_str(), &step.command.to_string()],
            1.0,
        );
    }
}
