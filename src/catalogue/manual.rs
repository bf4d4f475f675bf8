//! docs/metrics.md, generated.

use std::fmt::Write as _;

use super::{
    MetricKind, MetricSpec, PATH_BLACKHOLE, PATH_BLACKHOLE_REASON, PATH_ECHO_LATE, PATH_ECHO_LOST,
    PATH_ECHO_REPLIES, PATH_ECHO_REQUESTS, PATH_ECHO_VOID, PATH_EXPECTED_MTU, PATH_FIX_INFO, PATH_HOP_INFO,
    PATH_INFO, PATH_LAST_PROBE, PATH_MTU, PATH_RTT, PATH_SEND_ERRORS, PATH_TESTABLE_MTU, PATH_UNKNOWN_REASON,
    PATH_VERDICT, every,
};
use crate::model::{
    observation::RttHistogram,
    types::{BlackholeReason, Direction, SendError, Verdict},
};

/// The series of a healthy path whose target answers and whose way leads through one tunnel, by
/// family.
pub(crate) static OF_A_HEALTHY_PATH: &[(&MetricSpec, usize)] = &[
    (&PATH_INFO, 1),
    // Its buckets, `+Inf`, the sum and the count.
    (&PATH_RTT, RttHistogram::BOUNDS.len() + 3),
    (&PATH_ECHO_REQUESTS, 1),
    (&PATH_ECHO_REPLIES, 1),
    (&PATH_ECHO_LOST, 1),
    (&PATH_ECHO_LATE, 1),
    (&PATH_ECHO_VOID, 1),
    (&PATH_SEND_ERRORS, SendError::ALL.len()),
    (&PATH_MTU, 2),
    (&PATH_EXPECTED_MTU, 1),
    (&PATH_TESTABLE_MTU, 1),
    (&PATH_BLACKHOLE, Direction::ALL.len()),
    (&PATH_BLACKHOLE_REASON, BlackholeReason::ALL.len()),
    (&PATH_VERDICT, Verdict::ALL.len()),
    (&PATH_UNKNOWN_REASON, 0),
    (&PATH_LAST_PROBE, 1),
    (&PATH_HOP_INFO, 2),
    (&PATH_FIX_INFO, 0),
];

/// How many series of a path say in OpenMetrics when counting began.
pub(crate) fn created_of_a_path() -> usize {
    let count = |(family, series): &(&MetricSpec, usize)| match family.kind {
        MetricKind::Counter => *series,
        MetricKind::Gauge => 0,
        MetricKind::Histogram => 1,
    };
    OF_A_HEALTHY_PATH.iter().map(count).sum()
}

/// The text of docs/metrics.md.
#[must_use]
pub fn manual() -> String {
    let mut page = String::from(MANUAL_HEAD);
    let mut section = "";
    for family in every() {
        let subject = family.name.trim_start_matches("vxlan_").split('_').next().unwrap_or_default();
        if subject != section {
            section = subject;
            let title = section[..1].to_uppercase() + &section[1..];
            let _ = write!(
                page,
                "\n## {title}\n\n| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n"
            );
        }
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            family.name,
            family.kind.as_str(),
            family.unit,
            labels.join(" "),
            family.help
        );
    }
    page.push_str("\n## Label values\n\n| family | label | values |\n|---|---|---|\n");
    for family in every() {
        for set in family.value_sets {
            let values: Vec<String> = set.values().iter().map(|value| format!("`{value}`")).collect();
            let _ = writeln!(page, "| `{}` | `{}` | {} |", family.name, set.label, values.join(" "));
        }
    }
    page.push_str(MANUAL_SERIES);
    for (family, series) in OF_A_HEALTHY_PATH {
        let _ = writeln!(page, "| `{}` | {series} |", family.name);
    }
    let total: usize = OF_A_HEALTHY_PATH.iter().map(|(_, series)| series).sum();
    let _ = writeln!(page, "| total | {total} |");
    let _ = write!(
        page,
        "\nIn OpenMetrics {} more, `_created`, which need not be stored.\n",
        created_of_a_path()
    );
    page
}

const MANUAL_HEAD: &str = "\
# Metrics

Generated from src/catalogue.rs; `UPDATE_DOCS=1 cargo test manual` updates it.

All metrics of `/metrics`, and under Probe those of `/probe` ([on-demand.md](on-demand.md)). Data of a router has the labels `router`, `site` and `interface`; data of two routers together
`tunnel`; results of probes `path`, `target_site` and `source` (the site this exporter runs at). MTUs are in bytes of IP packet.
Counters of paths and of the exporter start with the process; counters of interfaces are the router's own and are reset when
the device is recreated. A router's data is exported only while the router can be read.

## Forms

`/metrics` and `/probe` have three forms. The client chooses by `Accept`; the one with the highest `q` wins, and whatever else a client wants, it
gets the first. `Accept-Encoding` may ask for `zstd` or `gzip`.

| `Accept` | form |
|---|---|
| `text/plain`, `*/*`, anything else, nothing | text format 0.0.4 |
| `application/openmetrics-text`, version 1.0.0 | OpenMetrics 1.0, which Prometheus asks for: with units, the type info, and `_created` |
| `application/vnd.google.protobuf` with `proto=io.prometheus.client.MetricFamily` and `encoding=delimited` | the protobuf form of Prometheus, with native histograms |

`_created` says when a path's or the exporter's own counter began. Prometheus stores it as a series of its own, unless it is dropped, as the
chart's ServiceMonitors do (`serviceMonitor.keepCreated`):

```yaml
metric_relabel_configs:
  - { source_labels: [__name__], regex: .+_created, action: drop }
```

A Prometheus with native histograms asks for the protobuf form. `vxlan_path_rtt_seconds` has such buckets in it, each 9 % wide (schema 3), beside the
coarse ones, and the rules in [alerts](../alerts) use what is there. Prometheus then stores only the native ones, unless `scrape_classic_histograms`
(from 3.0 on `always_scrape_classic_histograms`) is set, which the dashboards' picture of round-trip times needs.

    histogram_quantile(0.99, sum by (path) (rate(vxlan_path_rtt_seconds[5m])))
";

const MANUAL_SERIES: &str = "
## Series of a path

A healthy path whose way leads through one tunnel has this many. One that is unknown has the reason in addition, and one that is not ok
the commands of its fix, one series each.

| family | series |
|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, manual()).expect(path);
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == manual(),
            "docs/metrics.md differs from src/catalogue.rs: run `UPDATE_DOCS=1 cargo test manual`"
        );
    }
}
