//! What clients ask for, what they get, and that all forms say the same.

use std::time::{Duration, UNIX_EPOCH};

use hyper::header::{HeaderName, HeaderValue};
use prometheus::{
    Encoder as _, TextEncoder,
    proto::{Gauge, LabelPair, Metric, MetricFamily, MetricType},
};
use prost::Message as _;

use super::{
    messages::{BucketMessage, CounterMessage, FamilyMessage, LabelMessage, TimestampMessage},
    *,
};
use crate::{catalogue as c, model::observation::native::NativeBuckets};

fn asks(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
    values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
}

#[test]
fn each_client_gets_the_form_it_wants() {
    use ScrapeForm::{OpenMetrics, Protobuf, Text};
    // What Prometheus 2.42, the same with native histograms, and Prometheus 3 ask for.
    const OF_2_42: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;\
                           version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const NATIVE: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
                          encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,\
                          application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;\
                          q=0.5,*/*;q=0.1";
    const OF_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                        application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;\
                        escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (accept, form) in [
        (&[][..], Text),
        (&["*/*"], Text),
        (&[BROWSER], Text),
        (&[OF_2_42], OpenMetrics),
        (&[NATIVE], Protobuf),
        (&[OF_3], OpenMetrics),
        (&["application/openmetrics-text"], OpenMetrics),
        (&["Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8"], OpenMetrics),
        (&["application/openmetrics-text;version=2.0.0"], Text),
        (&["application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5"], Text),
        (&["application/openmetrics-text;q=0.4,text/plain;q=0.5"], Text),
        (&["application/openmetrics-text;q=0"], Text),
        (&["text/plain;version=0.0.4;q=0.3", "application/openmetrics-text;q=0.4"], OpenMetrics),
        (&["application/vnd.google.protobuf"], Text),
        (
            &["application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text,\
               application/openmetrics-text;q=0.1"],
            OpenMetrics,
        ),
        (&["application/json"], Text),
        (&[";;,q=,\"", "\u{7f}"][..1], Text),
    ] {
        assert_eq!(ScrapeForm::wanted_by(&asks(&ACCEPT, accept)), form, "{accept:?}");
    }
}

#[test]
fn each_client_gets_the_coding_it_wants() {
    use ContentCoding::{Gzip, Identity, Zstd};
    for (accept, coding) in [
        ("", Identity),
        ("gzip", Gzip),
        ("gzip, deflate, br, zstd", Gzip),
        ("zstd", Zstd),
        ("gzip;q=1, zstd;q=0.5", Gzip),
        ("ZSTD;q=0.5, gzip;q=0", Zstd),
        ("gzip;q=0.5, identity", Identity),
        ("gzip, identity", Gzip),
        ("gzip;q=0, zstd;q=0.0", Identity),
        ("br, *", Identity),
        ("gzip;q=2", Identity),
    ] {
        assert_eq!(ContentCoding::wanted_by(&asks(&ACCEPT_ENCODING, &[accept])), coding, "{accept}");
    }
}

/// Values that hold what the formats themselves use.
const ODD: [&str; 7] = ["plain", "a\"b", "back\\slash", "line\nbreak", "ünï\u{202e}", "\\n", ""];

fn written(form: ScrapeForm, write: impl FnOnce(&mut dyn SampleWriter)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut out = form.writer(&mut bytes);
    write(&mut *out);
    out.end().expect("written");
    drop(out);
    bytes
}

fn put_odd(out: &mut dyn SampleWriter) {
    out.begin(&c::PATH_MTU);
    for value in ODD {
        let first = out.shared(&c::PATH_MTU, &[value, "site", value]);
        out.put(&first, &[value], 1454_u32.into());
    }
    out.begin(&c::PATH_EXPECTED_MTU);
    out.begin(&c::PATH_TESTABLE_MTU);
    let first = out.shared(&c::PATH_TESTABLE_MTU, &["a", "b", "c"]);
    out.put(&first, &[], 0.25.into());
}

/// Word for word what the encoder of the `prometheus` crate writes.
#[test]
fn the_same_text_as_the_library_writes() {
    let made = |family: &MetricSpec, samples: &[(Vec<&str>, f64)]| {
        let mut made = MetricFamily::default();
        made.set_name(family.name().to_owned());
        made.set_help(family.help().to_owned());
        made.set_field_type(MetricType::GAUGE);
        let metrics = samples.iter().map(|(values, number)| {
            let pairs = family.labels().iter().zip(values).map(|(name, value)| {
                let mut pair = LabelPair::default();
                pair.set_name((*name).to_owned());
                pair.set_value(crate::text::visible(value).into_owned());
                pair
            });
            let mut metric = Metric::from_label(pairs.collect());
            let mut gauge = Gauge::default();
            gauge.set_value(*number);
            metric.set_gauge(gauge);
            metric
        });
        made.set_metric(metrics.collect());
        made
    };
    let odd: Vec<_> = ODD.iter().map(|value| (vec![*value, "site", value, value], 1454.0)).collect();
    let families = [made(&c::PATH_MTU, &odd), made(&c::PATH_TESTABLE_MTU, &[(vec!["a", "b", "c"], 0.25)])];
    let mut library = Vec::new();
    TextEncoder::new().encode(&families, &mut library).expect("written");
    let ours = written(ScrapeForm::Text, put_odd);
    assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&library));
}

/// Gauges, then a counter and a histogram that began to count at a known time.
fn put_counted(out: &mut dyn SampleWriter, buckets: &BucketCounts<'_>) {
    out.since(Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250)));
    put_odd(out);
    out.begin(&c::PATH_ECHO_LOST);
    let first = out.shared(&c::PATH_ECHO_LOST, &["a", "b", "c"]);
    out.put(&first, &[], 7_u64.into());
    out.begin(&c::LATE);
    out.put_buckets(&out.shared(&c::LATE, &[]), &[], buckets);
}

#[test]
fn what_open_metrics_has_in_addition() {
    let text = written(ScrapeForm::OpenMetrics, |out| {
        let buckets = BucketCounts { bounds: &[(1.0, "1.0")], counts: &[2, 1], sum: 3.5, native: None };
        put_counted(out, &buckets);
        out.begin(&c::LOG_MESSAGES_DROPPED);
        out.since(None);
        out.put(&out.shared(&c::LOG_MESSAGES_DROPPED, &[]), &[], 0_u64.into());
    });
    let text = String::from_utf8(text).expect("text");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("# HELP")).collect();
    let odd = lines.iter().position(|line| line.starts_with("# TYPE vxlan_path_testable")).expect("it");
    assert_eq!(lines[0], "# TYPE vxlan_path_mtu_bytes gauge");
    assert_eq!(lines[1], "# UNIT vxlan_path_mtu_bytes bytes");
    assert_eq!(
        lines[odd + 2..],
        [
            r#"vxlan_path_testable_mtu_bytes{path="a",target_site="b",source="c"} 0.25"#,
            "# TYPE vxlan_path_echo_lost counter",
            r#"vxlan_path_echo_lost_total{path="a",target_site="b",source="c"} 7"#,
            r#"vxlan_path_echo_lost_created{path="a",target_site="b",source="c"} 1700000000.25"#,
            "# TYPE vxlan_exporter_late_seconds histogram",
            "# UNIT vxlan_exporter_late_seconds seconds",
            r#"vxlan_exporter_late_seconds_bucket{le="1.0"} 2"#,
            r#"vxlan_exporter_late_seconds_bucket{le="+Inf"} 3"#,
            "vxlan_exporter_late_seconds_sum 3.5",
            "vxlan_exporter_late_seconds_count 3",
            "vxlan_exporter_late_seconds_created 1700000000.25",
            "# TYPE vxlan_exporter_log_messages_dropped counter",
            "vxlan_exporter_log_messages_dropped_total 0",
            "# EOF",
        ]
    );
}

#[test]
fn messages_say_what_the_text_says() {
    let bytes = written(ScrapeForm::Protobuf, |out| {
        let buckets = BucketCounts {
            bounds: &[(0.5, "0.5"), (1.0, "1.0")],
            counts: &[2, 0, 1],
            sum: 3.5,
            native: None,
        };
        put_counted(out, &buckets);
    });
    let (mut rest, mut families) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        families.push(FamilyMessage::decode_length_delimited(&mut rest).expect("a message"));
    }
    let heads: Vec<_> = families.iter().map(|it| (it.name(), it.kind(), it.unit())).collect();
    assert_eq!(
        heads,
        [
            ("vxlan_path_mtu_bytes", 1, "bytes"),
            ("vxlan_path_testable_mtu_bytes", 1, "bytes"),
            ("vxlan_path_echo_lost_total", 0, ""),
            ("vxlan_exporter_late_seconds", 4, "seconds"),
        ]
    );
    assert_eq!(families[0].help(), c::PATH_MTU.help());
    let metric = &families[0].metrics[1];
    let labels: Vec<_> = metric.labels.iter().map(|label| (label.name(), label.value())).collect();
    assert_eq!(
        labels,
        [("path", "a\"b"), ("target_site", "site"), ("source", "a\"b"), ("direction", "a\"b")]
    );
    assert_eq!(metric.gauge.map(|gauge| gauge.value()), Some(1454.0));
    let created = Some(TimestampMessage { seconds: 1_700_000_000, nanos: 250_000_000 });
    assert_eq!(families[2].metrics[0].counter, Some(CounterMessage { value: Some(7.0), created }));
    let histogram = families[3].metrics[0].histogram.as_ref().expect("a histogram");
    assert_eq!((histogram.sample_count(), histogram.sample_sum(), histogram.created), (3, 3.5, created));
    let buckets: Vec<_> =
        histogram.buckets.iter().map(|it| (it.upper_bound(), it.cumulative_count())).collect();
    assert_eq!(buckets, [(0.5, 2), (1.0, 2)]);
    let none: Vec<LabelMessage> = Vec::new();
    assert_eq!(families[3].metrics[0].labels, none);
}

#[test]
fn a_native_histogram_counts_what_the_coarse_one_counts() {
    // One was counted between reading the two, and the message must agree with itself.
    let native = NativeBuckets { zero: 1, above: vec![(-80, 1), (-79, 1)] };
    let bytes = written(ScrapeForm::Protobuf, |out| {
        assert!(out.takes_native());
        out.begin(&c::PATH_RTT);
        let first = out.shared(&c::PATH_RTT, &["a", "b", "c"]);
        let bounds = &[(0.001, "0.001"), (1.0, "1.0")];
        let native = Some(native.clone());
        out.put_buckets(&first, &[], &BucketCounts { bounds, counts: &[3, 1, 0], sum: 0.01, native });
    });
    let family = FamilyMessage::decode_length_delimited(&bytes[..]).expect("a message");
    let histogram = family.metrics[0].histogram.as_ref().expect("a histogram");
    assert_eq!((histogram.sample_count(), histogram.schema(), histogram.zero_count()), (3, 3, 1));
    assert!(histogram.zero_threshold() > 0.0 && histogram.zero_threshold() < 1e-6);
    let spans: Vec<_> = histogram.positive_spans.iter().map(|span| (span.offset(), span.length())).collect();
    assert_eq!((spans, &*histogram.positive_deltas), (vec![(-80, 2)], &[1, 0][..]));
    let coarse: Vec<_> = histogram.buckets.iter().map(BucketMessage::cumulative_count).collect();
    assert_eq!(coarse, [3, 3]);
    let bytes = written(ScrapeForm::Text, |out| assert!(!out.takes_native()));
    assert!(bytes.is_empty());
}
