//! `/probe`: reads the request, has the target probed, and prints what was found for Prometheus.

use std::{
    fmt::Write as _,
    io::{self, Write},
    time::Duration,
};

use axum::extract::Query;
use hyper::{HeaderMap, StatusCode, Uri, header::HeaderValue, header::RETRY_AFTER};

use super::{
    answer::{PLAIN_TEXT, PageResponse, answer, scrape},
    exposition::Exposition,
    format::{ContentCoding, ScrapeForm},
};
use crate::{
    catalogue::on_demand as c,
    model::{
        observation::PathObservation,
        on_demand::Prober,
        types::{Direction, Verdict},
    },
    on_demand::{Ask, NotProbed, OnDemand, ProbeResult},
    report::{Paint, one_path},
};

/// Prometheus says here how long it waits.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// What the answer itself may take of that time, as in `blackbox_exporter`.
const OFFSET: Duration = Duration::from_millis(500);
/// Columns of the report in the answer to `debug=true`.
const WIDTH: usize = 110;

#[derive(Debug, PartialEq)]
struct ProbeQuery {
    ask: Ask,
    /// Whether to say what was sent and seen.
    debug: bool,
}

/// The answer to a request for `/probe`.
pub(super) async fn respond(on_demand: &OnDemand, uri: &Uri, headers: &HeaderMap) -> PageResponse {
    // A browser says so if another site's page makes it ask.
    let is_elsewhere = |site: &HeaderValue| !matches!(site.as_bytes(), b"same-origin" | b"none");
    if headers.get("sec-fetch-site").is_some_and(is_elsewhere) {
        return answer(
            StatusCode::FORBIDDEN,
            PLAIN_TEXT,
            "a page of another site may not have targets probed\n",
        );
    }
    let asked = match read(uri, headers) {
        Ok(asked) => asked,
        Err(why) => return answer(StatusCode::BAD_REQUEST, PLAIN_TEXT, format!("{why}\n")),
    };
    match &*on_demand.probe(&asked.ask).await {
        Ok(outcome) if asked.debug => answer(StatusCode::OK, PLAIN_TEXT, debug(&asked.ask, outcome)),
        Ok(outcome) => {
            let (form, coding) = (ScrapeForm::wanted_by(headers), ContentCoding::wanted_by(headers));
            match coding.pack(|to| metrics(outcome, form, to), 0) {
                Ok(packed) => scrape(form, coding, packed),
                Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, format!("{error}\n")),
            }
        }
        Err(NotProbed::Wrong(why)) => answer(StatusCode::BAD_REQUEST, PLAIN_TEXT, format!("{why}\n")),
        Err(NotProbed::NotAllowed(why)) => answer(StatusCode::FORBIDDEN, PLAIN_TEXT, format!("{why}\n")),
        Err(NotProbed::Busy(most)) => {
            let text = format!("{most} probes are running, which is probe.at_once: come again later\n");
            let mut refusal = answer(StatusCode::TOO_MANY_REQUESTS, PLAIN_TEXT, text);
            refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
            refusal
        }
    }
}

fn read(uri: &Uri, headers: &HeaderMap) -> Result<ProbeQuery, String> {
    const EXAMPLE: &str = "e.g. /probe?target=192.168.100.102:443&module=path_mtu";
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| format!("{error}: write {EXAMPLE}"))?;
    let (mut target, mut module, mut debug) = (None, None, None);
    for (name, value) in pairs {
        let place = match name.as_str() {
            "target" => &mut target,
            "module" => &mut module,
            "debug" => &mut debug,
            _ => return Err(format!("the parameters are target, module and debug: write {EXAMPLE}")),
        };
        if place.replace(value).is_some() {
            return Err(format!("{name} is given twice: keep one"));
        }
    }
    let target = target.ok_or_else(|| format!("target is missing: write {EXAMPLE}"))?;
    let module = module.ok_or_else(|| format!("module is missing: write {EXAMPLE}"))?;
    let debug = match debug.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err("debug is neither true nor false".to_owned()),
    };
    let target = target.parse().map_err(|why| format!("target is no host: {why}"))?;
    Ok(ProbeQuery { ask: Ask { target, module, within: within(headers)? }, debug })
}

/// How long the probe may take for Prometheus to get the answer in time.
fn within(headers: &HeaderMap) -> Result<Option<Duration>, String> {
    let Some(value) = headers.get(SCRAPE_TIMEOUT) else { return Ok(None) };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<f64>().ok());
    let given = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let wrong = || "X-Prometheus-Scrape-Timeout-Seconds is no number of seconds: write e.g. 10".to_owned();
    let left = given.ok_or_else(wrong)?.saturating_sub(OFFSET);
    if left.is_zero() {
        return Err("X-Prometheus-Scrape-Timeout-Seconds leaves no time to probe, as 0.5 s of it are for \
                    the answer: raise scrape_timeout, e.g. to 10s"
            .to_owned());
    }
    Ok(Some(left))
}

fn metrics(outcome: &ProbeResult, form: ScrapeForm, to: &mut dyn Write) -> io::Result<()> {
    let mut out = Exposition::default();
    out.put_bool(&c::SUCCESS, &[], outcome.is_success);
    out.put(&c::DURATION, &[], outcome.duration.as_secs_f64());
    out.put(&c::LOOKUP, &[], outcome.lookup.as_secs_f64());
    if let Some(address) = outcome.address {
        out.put(&c::IP_PROTOCOL, &[], if address.is_ipv4() { 4.0 } else { 6.0 });
    }
    if let Some(path) = outcome.present.as_ref().and_then(|present| present.paths.first()) {
        put_echoes(&mut out, path);
        if outcome.module.prober == Prober::PathMtu {
            put_path(&mut out, path);
        }
    }
    let mut writer = form.writer(to);
    out.write(&mut *writer);
    writer.end()
}

fn put_echoes(out: &mut Exposition, path: &PathObservation) {
    let echo = path.echo();
    out.put_count(&c::ECHO_REQUESTS, &[], echo.requests);
    out.put_count(&c::ECHO_LOST, &[], echo.lost);
    if let Some(mean) = echo.rtt.mean_seconds() {
        out.put(&c::RTT, &[], mean);
    }
}

fn put_path(out: &mut Exposition, path: &PathObservation) {
    let judgement = &path.judgement;
    for verdict in Verdict::ALL {
        out.put_bool(&c::VERDICT, &[verdict.as_str()], judgement.verdict == *verdict);
    }
    if let Some(reason) = judgement.unknown_reason.filter(|_| judgement.verdict == Verdict::Unknown) {
        out.put(&c::UNKNOWN_REASON, &[reason.as_str()], 1.0);
    }
    for direction in Direction::ALL {
        out.put_bool(&c::BLACKHOLE, &[direction.as_str()], judgement.holes.contains(direction));
    }
    let expected = path.expected_mtu.as_ref().map(|expected| expected.bytes);
    let found = [(Direction::Forward, judgement.mtu_forward), (Direction::Reverse, judgement.mtu_reverse)];
    for (direction, mtu) in found {
        if let Some(mtu) = mtu {
            let mtu = expected.map_or(mtu, |expected| mtu.min(expected));
            out.put(&c::MTU, &[direction.as_str()], f64::from(mtu));
        }
    }
    for (family, bytes) in [(&c::EXPECTED_MTU, expected), (&c::TESTABLE_MTU, path.testable_mtu)] {
        if let Some(bytes) = bytes {
            out.put(family, &[], f64::from(bytes));
        }
    }
}

/// What was sent and seen, the metrics, and the module, under the headings of `blackbox_exporter`.
fn debug(ask: &Ask, outcome: &ProbeResult) -> String {
    let mut out = String::from("Logs for the probe:\n");
    // Writing to a String cannot fail.
    for (at, words) in &outcome.log {
        let _ = writeln!(out, "{:8.3} s  {words}", at.as_secs_f64());
    }
    if let Some(present) = outcome.present.as_ref().filter(|_| outcome.module.prober == Prober::PathMtu) {
        let _ = write!(out, "\n{}", one_path::text(present, WIDTH, Paint::Plain));
    }
    let mut bytes = Vec::new();
    let _ = metrics(outcome, ScrapeForm::Text, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let _ = write!(out, "\n\n\nMetrics that would have been returned:\n{text}");
    let module = &outcome.module;
    let _ = write!(
        out,
        "\n\n\nModule configuration:\nname: {}\nprober: {}\ntimeout: {:?}\n",
        ask.module,
        module.prober.as_str(),
        module.timeout
    );
    if let Some(mtu) = module.expected_mtu {
        let _ = writeln!(out, "expected_mtu: {mtu}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str, timeout: Option<&'static str>) -> Result<ProbeQuery, String> {
        let uri = format!("/probe?{query}").parse().expect(query);
        let header =
            timeout.map(|value| (SCRAPE_TIMEOUT.parse().expect("a name"), HeaderValue::from_static(value)));
        read(&uri, &header.into_iter().collect())
    }

    #[test]
    fn the_scrape_timeout_less_half_a_second() {
        let ProbeQuery { ask, debug } =
            asked("target=[fd00::1]:443&module=tcp&debug=true", Some("10")).expect("ok");
        assert_eq!(
            (ask.target.to_string().as_str(), ask.module.as_str(), debug),
            ("[fd00::1]:443", "tcp", true)
        );
        assert_eq!(ask.within, Some(Duration::from_millis(9500)));
        let percent = asked("module=path%5Fmtu&target=%5Bfd00%3A%3A1%5D%3A443", None).expect("decoded");
        assert_eq!(
            (percent.ask.module.as_str(), percent.ask.target.port, percent.ask.within),
            ("path_mtu", Some(443), None)
        );
        assert!(!percent.debug);
    }

    #[test]
    fn what_is_wrong_is_named_with_an_example() {
        for (query, timeout, words) in [
            ("module=icmp", None, "target is missing: write e.g. /probe?target="),
            ("target=a", None, "module is missing: write e.g. /probe?target="),
            ("target=a&target=b&module=icmp", None, "target is given twice"),
            ("target=http://a/&module=icmp", None, "target is no host: write e.g. rancher.example"),
            ("target=&module=icmp", None, "target is no host"),
            ("target=a&module=icmp&debug=yes", None, "debug is neither true nor false"),
            ("target=a&module=icmp&hostname=b", None, "the parameters are target, module and debug"),
            ("target=a&module=icmp", Some("soon"), "Timeout-Seconds is no number of seconds"),
            ("target=a&module=icmp", Some("-1"), "Timeout-Seconds is no number of seconds"),
            ("target=a&module=icmp", Some("NaN"), "Timeout-Seconds is no number of seconds"),
            ("target=a&module=icmp", Some("0.5"), "leaves no time to probe"),
        ] {
            let why = asked(query, timeout).expect_err(query);
            assert!(why.contains(words), "{query}: {why}");
        }
    }
}
