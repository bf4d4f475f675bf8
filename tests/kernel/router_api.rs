//! Reading a router by its HTTPS API, against a real HTTPS server that answers in VyOS's formats.
//!
//! On loopback, with certificates made by openssl for each test. Needs no root.

use std::{
    fs,
    net::{IpAddr, TcpListener},
    time::{Duration, Instant},
};

use crate::support::api_router::{Certificate, KEY, Server, closed_port, router_plan, scrape};
use vxlan_exporter::{
    model::{
        plan::{ApiPlan, Trust},
        snapshot::{Counters, RouterReading, RouterSnapshot},
        types::{FailureReason, Method, Vni},
    },
    router::Worker,
};

/// Scrapes once, expects that reason, and returns the message.
#[track_caller]
fn failure(plan: &ApiPlan, reason: FailureReason) -> String {
    let reading = scrape(&mut Worker::new(&router_plan(plan)));
    let failure = reading.failure.expect("the scrape must fail");
    assert_eq!(failure.reason, reason, "{failure}");
    assert!(!failure.message.contains(KEY), "the key is never printed: {failure}");
    failure.message.to_string()
}

#[track_caller]
fn success(reading: &RouterReading) -> &RouterSnapshot {
    reading.current.as_deref().unwrap_or_else(|| panic!("{:?}", reading.failure))
}

#[track_caller]
fn read(plan: &ApiPlan) -> RouterSnapshot {
    success(&scrape(&mut Worker::new(&router_plan(plan)))).clone()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn two_scrapes_over_one_connection() {
    let server = Server::start(Certificate::Good, "good 1.5");
    let mut worker = Worker::new(&router_plan(&server.plan()));
    let first = scrape(&mut worker);
    let snapshot = success(&first);
    assert_eq!(snapshot.method, Method::Api);
    assert_eq!(snapshot.version.as_deref(), Some("VyOS 1.5-rolling-202410210007"));
    let link = snapshot.link("vxlan02").unwrap();
    assert_eq!((link.mtu, link.admin_up, link.master.as_deref()), (Some(9000), Some(true), Some("br01")));
    assert_eq!(link.counters.tx_carrier_errors, Some(64));
    let vxlan = link.vxlan.as_ref().unwrap();
    assert_eq!((vxlan.vni, vxlan.remote), (Some(Vni(2)), Some(address("10.10.20.254"))));
    assert_eq!(vxlan.more_remotes, [address("10.10.30.254")]);
    assert_eq!(vxlan.learning, Some(false));
    assert_eq!(vxlan.port, Some(4789), "1.5's default, which the configuration leaves out");
    // What completes the picture: the router's own addresses, and the members of the bridge.
    assert_eq!(snapshot.link("eth0").unwrap().addresses, [address("10.10.0.254")]);
    let members: Vec<_> = snapshot.members("br01").map(|link| link.name.as_str()).collect();
    assert_eq!(members, ["vxlan01", "vxlan02", "eth1"]);
    // What the API does not provide is absent.
    assert_eq!((link.ifindex, &snapshot.boot_id, snapshot.uptime), (None, &None, None));
    assert!(snapshot.fdb.is_empty() && snapshot.routes.is_empty());
    success(&scrape(&mut worker));
    assert_eq!(server.log().matches("connection").count(), 1, "{}", server.log());
    assert!(!server.log().contains("show version"), "/info has told: {}", server.log());
}

#[test]
fn before_1_5_the_version_is_shown_once_and_decides_the_defaults() {
    let server = Server::start(Certificate::SelfSigned, "good 1.3");
    let mut worker = Worker::new(&router_plan(&server.pinned()));
    let first = scrape(&mut worker);
    let snapshot = success(&first);
    assert_eq!(snapshot.version.as_deref(), Some("VyOS 1.3.8"));
    assert_eq!(snapshot.link("vxlan01").unwrap().vxlan.as_ref().unwrap().port, Some(8472));
    success(&scrape(&mut worker));
    assert_eq!(server.log().matches("show version").count(), 1, "{}", server.log());
}

#[test]
fn counters_since_a_clear_are_not_the_kernels() {
    let server = Server::start(Certificate::Good, "good 1.5 cleared");
    let snapshot = read(&server.plan());
    assert_eq!(snapshot.link("vxlan01").unwrap().counters, Counters::default());
    assert_eq!(snapshot.link("vxlan02").unwrap().counters.tx_carrier_errors, Some(64), "never cleared");
}

#[test]
fn a_router_without_vxlan_interfaces_is_read() {
    let server = Server::start(Certificate::Good, "good 1.5 empty");
    assert_eq!(read(&server.plan()).vxlan_links().count(), 0);
}

#[test]
fn what_only_completes_the_picture_may_be_refused() {
    let server = Server::start(Certificate::Good, "good 1.5 no-summary");
    let snapshot = read(&server.plan());
    assert_eq!(snapshot.vxlans().count(), 2);
    assert!(snapshot.link("eth0").is_none());
}

#[test]
fn every_error_of_the_api_has_its_reason_and_its_words() {
    let server = Server::start(Certificate::Good, "good");
    let plan = server.plan();
    for (mode, reason, words) in [
        (
            "error-400",
            FailureReason::Api,
            "400 Bad Request, `'showConfig' is <not> a valid & \"known\" operation`",
        ),
        ("error-422", FailureReason::Api, "422 Unprocessable Entity, `Field required`"),
        ("echo", FailureReason::Api, "`expected JSON, saw `bad request: key=***`"),
        ("error-500", FailureReason::Api, "An internal error occured."),
        (
            "html-503",
            FailureReason::Api,
            "answered 503 Service Unavailable, `503 Service Temporarily Unavailable`; is the API on?",
        ),
        ("html-403", FailureReason::Permission, "`set service https allow-client address …`"),
        (
            "redirect",
            FailureReason::Api,
            "leads to `https://192.0.2.1/elsewhere`; redirects are not followed",
        ),
        ("no-json", FailureReason::Parse, "did not answer with VyOS's JSON: `Welcome`"),
        ("cut", FailureReason::Truncated, "broke off"),
        ("huge", FailureReason::Truncated, "larger than 16 MiB"),
        ("closes", FailureReason::Connect, "was lost before it answered /show"),
    ] {
        server.mode(&format!("{mode} 1.5"));
        let message = failure(&plan, reason);
        assert!(message.contains(words), "{mode}: {message}");
        assert!(message.contains(&plan.url.to_string()), "{mode}: {message}");
    }
    assert!(!server.log().contains("elsewhere"));
}

#[test]
fn a_refused_key_is_named_by_its_file() {
    let server = Server::start(Certificate::Good, "good 1.5");
    let plan = server.plan();
    fs::write(&plan.key_file, "wrong-horse\n").unwrap();
    let message = failure(&plan, FailureReason::Auth);
    assert!(message.contains("Valid API key is required"), "{message}");
    assert!(
        message.contains(plan.key_file.to_str().unwrap()) && !message.contains("wrong-horse"),
        "{message}"
    );
    // A new key needs no restart.
    let mut worker = Worker::new(&router_plan(&plan));
    assert_eq!(scrape(&mut worker).failure.unwrap().reason, FailureReason::Auth);
    fs::write(&plan.key_file, KEY).unwrap();
    success(&scrape(&mut worker));
}

#[test]
fn files_that_are_not_there_are_ours_to_mend() {
    let server = Server::start(Certificate::Good, "good 1.5");
    let good = server.plan();
    fs::write(server.path("empty"), "\n").unwrap();
    for key_file in [server.path("none"), server.path("empty")] {
        let message = failure(&ApiPlan { key_file, ..good.clone() }, FailureReason::Config);
        assert!(message.contains("put the API key there"), "{message}");
    }
    for ca_file in [server.path("none"), server.path("empty"), server.path("api-key")] {
        let message =
            failure(&ApiPlan { trust: Trust::CaFile(ca_file), ..good.clone() }, FailureReason::Config);
        assert!(message.contains("put PEM certificates there"), "{message}");
    }
    assert_eq!(server.log(), "", "the router did not hear of it");
}

#[test]
fn a_certificate_must_be_the_routers() {
    let pinned = Server::start(Certificate::SelfSigned, "good 1.5");
    let other = Server::start(Certificate::SelfSigned, "good 1.5");
    read(&pinned.pinned());
    // A man in the middle with a certificate that looks the same.
    let message =
        failure(&ApiPlan { url: other.plan().url, ..pinned.pinned() }, FailureReason::HostkeyMismatch);
    let Trust::Fingerprint(seen) = other.pinned().trust else { unreachable!("it is pinned") };
    assert!(message.contains(&seen.to_string()), "{message}");
    // VyOS's own certificate names nobody, so it does not work as an authority.
    let message = failure(&pinned.plan(), FailureReason::HostkeyUnknown);
    assert!(message.contains("`certificate_fingerprint`"), "{message}");
    assert_eq!(other.log(), "", "no request, and no key, was sent");
}

#[test]
fn a_certificate_of_an_authority_must_be_valid_now_and_for_this_host() {
    let good = Server::start(Certificate::Good, "good 1.5");
    let mut by_name = good.plan();
    by_name.url.host = "localhost".to_owned();
    read(&by_name);
    let expired = Server::start(Certificate::Expired, "good 1.5");
    let other_name = Server::start(Certificate::OtherName, "good 1.5");
    let stranger = ApiPlan { url: other_name.plan().url, ..good.plan() };
    for (plan, words) in [
        (expired.plan(), "expired"),
        (other_name.plan(), "not valid for name"),
        (stranger, "no authority in `ca_file` issued it"),
    ] {
        let message = failure(&plan, FailureReason::HostkeyUnknown);
        assert!(message.contains(words) && message.contains(&plan.url.to_string()), "{message}");
    }
    // The pin is that of the certificate itself.
    read(&expired.pinned());
    assert_eq!(other_name.log(), "");
}

#[test]
fn silence_ends_at_the_deadline() {
    let server = Server::start(Certificate::Good, "silent 1.5");
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut accepts_and_says_nothing = server.plan();
    accepts_and_says_nothing.url.port = mute.local_addr().unwrap().port();
    for plan in [server.plan(), accepts_and_says_nothing] {
        let mut plan = router_plan(&plan);
        plan.scrape_timeout = Duration::from_secs(1);
        let start = Instant::now();
        let reading = scrape(&mut Worker::new(&plan));
        let took = start.elapsed();
        let failure = reading.failure.unwrap();
        assert_eq!(failure.reason, FailureReason::Timeout, "{failure}");
        assert!(
            !failure.message.contains("thread"),
            "the connection must be cut, not left behind: {failure}"
        );
        assert!(took >= plan.scrape_timeout && took < Duration::from_secs(3), "{took:?}");
    }
}

#[test]
fn a_router_that_is_not_there_or_no_https_server() {
    let server = Server::start(Certificate::Good, "good 1.5");
    let mut plan = server.plan();
    plan.url.port = closed_port();
    let message = failure(&plan, FailureReason::Refused);
    assert!(message.contains("`service https`"), "{message}");
    let greeter = TcpListener::bind("127.0.0.1:0").unwrap();
    plan.url.port = greeter.local_addr().unwrap().port();
    let greeting = std::thread::spawn(move || {
        let (mut peer, _) = greeter.accept().unwrap();
        std::io::Write::write_all(&mut peer, b"SSH-2.0-OpenSSH_10.0\r\n").unwrap();
        std::thread::sleep(Duration::from_millis(200));
    });
    let message = failure(&plan, FailureReason::Connect);
    assert!(message.contains("does an HTTPS server listen there?"), "{message}");
    greeting.join().unwrap();
    plan.url.host = "no-such-router.invalid".to_owned();
    failure(&plan, FailureReason::Dns);
}

#[test]
fn a_router_recovers_without_a_restart_and_another_is_not_affected() {
    let (sick, well) =
        (Server::start(Certificate::Good, "good 1.5"), Server::start(Certificate::Good, "good 1.5"));
    let mut worker = Worker::new(&router_plan(&sick.plan()));
    let mut other = Worker::new(&router_plan(&well.plan()));
    for (mode, reason) in [
        ("good 1.5", None),
        ("html-503 1.5", Some(FailureReason::Api)),
        ("good 1.5", None),
        ("closes 1.5", Some(FailureReason::Connect)),
        ("good 1.5", None),
    ] {
        sick.mode(mode);
        assert_eq!(scrape(&mut worker).failure.map(|error| error.reason), reason, "{mode}");
        success(&scrape(&mut other));
    }
    assert_eq!(well.log().matches("connection").count(), 1);
}
