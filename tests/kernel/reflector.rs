//! The reflector on a real kernel: what it measures, and that nobody can misuse it.

mod lab;

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use self::lab::{FAR, FAR_V6, Lab, MID};
use vxlan_exporter::{
    path::reflection::{Large, SegmentPair},
    reflector::{
        client::Connection,
        connection_limits::{BYTES, PACKETS},
        protocol::{Frame, VERSION},
    },
};

const PATH: &str = "  address: 10.77.2.2\n  reflector: true\n";
/// Seconds; measuring and proving take about 25 s, and this machine may be busy.
const PATIENCE: u64 = 150;

fn has(lab: &Lab, sample: &str) -> bool {
    lab.metrics().lines().any(|line| line == sample)
}

fn mtu(direction: &str, bytes: u32) -> String {
    format!(
        "vxlan_path_mtu_bytes{{path=\"p\",target_site=\"b\",source=\"a\",direction=\"{direction}\"}} {bytes}"
    )
}

fn is_used(lab: &Lab, how: &str) -> bool {
    lab.metrics()
        .lines()
        .any(|line| line.starts_with("vxlan_path_info") && line.contains(&format!("reflector=\"{how}\"")))
}

/// The two numbers of "12 of 300 small segments lost".
fn loss(sentence: &str) -> (u64, u64) {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let at = words.iter().rposition(|word| *word == "small").unwrap_or(0);
    let number = |back: usize| at.checked_sub(back).and_then(|index| words[index].parse().ok()).unwrap_or(0);
    (number(3), number(1))
}

#[test]
fn a_reverse_only_hole_is_measured_to_the_byte_and_withdrawn() {
    let mut lab = Lab::new();
    lab.reflect(&[]);
    lab.export(PATH);
    lab.wait("reverse is exact on a healthy path", 60, |lab| has(lab, &mtu("reverse", 1500)));
    lab.drop_where("iifname far meta length > 1454");
    lab.wait("the hole and its edge", PATIENCE, |lab| {
        lab.direction("reverse").contains("1454 arrive, 1455 do not") && has(lab, &mtu("reverse", 1454))
    });
    let (forward, reverse) = (lab.direction("forward"), lab.direction("reverse"));
    assert!(forward.starts_with("1500 bytes arrive"), "{forward}");
    assert!(reverse.starts_with("1500 bytes vanish without a signal (40 pairs"), "{reverse}");
    lab.mend();
    lab.wait("the hole is withdrawn", PATIENCE, |lab| {
        lab.direction("reverse").starts_with("1500 bytes arrive") && has(lab, &mtu("reverse", 1500))
    });
}

/// A single look does not end before the reflector has measured, and reports what it used.
#[test]
fn check_waits_for_what_the_reflector_measures() {
    let mut lab = Lab::new();
    lab.reflect(&[]);
    lab.drop_where("iifname far meta length > 1454");
    let evidence = |report: &serde_json::Value| report["paths"][0]["evidence"].to_string();
    let mut report = lab.check(PATH);
    if evidence(&report).contains("sizes are being measured") {
        // On a busy machine the look ended at its own time limit; the reflector's limit of 200 kB a
        // minute makes the next one wait.
        thread::sleep(Duration::from_mins(1));
        report = lab.check(PATH);
    }
    let evidence = evidence(&report);
    let path = &report["paths"][0];
    assert_eq!(path["verdict"], "blackhole", "{report:#}");
    assert_eq!(path["reflector"], "used", "{report:#}");
    assert_eq!(path["mtu_reverse_bytes"], 1454, "{report:#}");
    assert!(evidence.contains("forward, reflector: 1500 bytes arrive"), "{report:#}");
    assert!(evidence.contains("1454 arrive, 1455 do not"), "{report:#}");
    lab.end_last();
    let report = lab.check(PATH);
    let path = &report["paths"][0];
    assert_eq!(path["reflector"], "gone", "{report:#}");
    assert_eq!(path["holes"], serde_json::json!(["reverse"]), "{report:#}");
    assert!(path["evidence"].to_string().contains("directions are inferred"), "{report:#}");
}

#[test]
fn a_forward_only_hole_is_measured_to_the_byte_without_any_privilege() {
    let mut lab = Lab::new();
    lab.drop_where("iifname near meta length > 1411");
    lab.reflect(&[]);
    lab.export_unprivileged(PATH);
    lab.wait("the hole and its edge", PATIENCE, |lab| {
        lab.direction("forward").contains("1411 arrive, 1412 do not")
    });
    let reverse = lab.direction("reverse");
    assert!(reverse.starts_with("1500 bytes arrive"), "{reverse}");
    assert!(has(&lab, "vxlan_exporter_capability{name=\"net_raw\"} 0"));
}

/// 1500 bytes take 190 ms on this link, about as long as the timeout of an answer.
#[test]
fn a_slow_link_is_no_hole() {
    let mut lab = Lab::new();
    lab.slow_down("64kbit");
    lab.reflect(&[]);
    lab.export(PATH);
    lab.wait("eight pairs each way", PATIENCE, |lab| {
        let evidence = lab.evidence().join(" ");
        assert!(!evidence.contains("vanish"), "{evidence}");
        let log = lab.log("exporter");
        let passed = |direction: &str| {
            log.lines().filter(|line| line.contains(direction) && line.contains("Passed")).count() >= 8
        };
        passed("direction=forward") && passed("direction=reverse")
    });
}

/// A policer that counts bytes lets most small segments through and no large one: forty pairs come
/// together, and still no hole is reported, by echoes or by the reflector.
#[test]
fn a_byte_policer_on_the_way_there_is_no_hole() {
    policed("near", "forward");
}

#[test]
fn a_byte_policer_on_the_way_back_is_no_hole() {
    policed("far", "reverse");
}

fn policed(leg: &str, direction: &str) {
    let mut lab = Lab::new();
    // Other traffic is sixty times the limit, in packets of 1300 bytes: there are never 1500 bytes
    // left.
    lab.echo_on(1300, "0.001");
    lab.drop_where(&format!("iifname {leg} limit rate over 20000 bytes/second burst 1 bytes"));
    lab.reflect(&[]);
    lab.export(PATH);
    let pairs = |lab: &Lab| {
        let log = lab.log("exporter");
        let at_top = format!("direction={direction} size=1500 ");
        log.lines()
            .filter(|line| line.contains(&at_top) && line.contains("large: Lost, control: true"))
            .count()
    };
    lab.wait("forty pairs and more", 2 * PATIENCE, |lab| {
        let (evidence, metrics) = (lab.evidence().join(" "), lab.metrics());
        assert!(!evidence.contains("vanish"), "{evidence}");
        let hole = |line: &str| line.starts_with("vxlan_path_blackhole{") && line.ends_with(" 1");
        assert!(!metrics.lines().any(hole), "{evidence}\n{metrics}");
        pairs(lab) >= 60
    });
    println!("policed {direction}: {} pairs lost only the large one; {:?}", pairs(&lab), lab.evidence());
}

#[test]
fn reverse_only_loss_is_reverse_and_no_hole() {
    let mut lab = Lab::new();
    lab.drop_where("iifname far numgen random mod 10 == 0");
    lab.reflect(&[]);
    lab.export(PATH);
    lab.wait("150 segments", PATIENCE, |lab| loss(&lab.direction("reverse")).1 >= 150);
    let (forward, reverse) = (lab.direction("forward"), lab.direction("reverse"));
    println!("10 % reverse loss: forward {forward}; reverse {reverse}");
    assert_eq!(loss(&forward).0, 0, "{forward}");
    // 15 are expected; outside 4..=30 is less likely than 1e-3.
    let (lost, sent) = loss(&reverse);
    assert!((4..=sent / 5).contains(&lost), "{reverse}");
    for sentence in [&forward, &reverse] {
        assert!(sentence.starts_with("1500 bytes arrive"), "{sentence}");
    }
    assert!(!lab.log("exporter").contains("stream"), "a connection of the stream has ended");
}

#[test]
fn loss_both_ways_hides_no_hole_and_invents_none() {
    let mut lab = Lab::new();
    lab.drop_where("numgen random mod 10 == 0");
    lab.drop_where("iifname far meta length > 1454");
    lab.reflect(&[]);
    lab.export(PATH);
    lab.wait("the hole and its edge", 4 * PATIENCE, |lab| {
        let forward = lab.direction("forward");
        assert!(!forward.contains("vanish"), "{forward}");
        lab.direction("reverse").contains("1454 arrive, 1455 do not")
    });
    println!("10 % loss both ways and a hole: {:?}", lab.evidence());
}

/// The edge of one pair in each direction, in both orders, over IPv6: its header has 20 bytes more.
#[test]
fn a_segment_of_ipv6_has_the_size_it_says() {
    let mut lab = Lab::new();
    lab.nft("add table ip6 lab");
    lab.nft("add chain ip6 lab forward { type filter hook forward priority 0; }");
    // In this hook `meta length` is the length of the whole packet.
    lab.nft("add rule ip6 lab forward iifname near meta length > 1432 drop");
    lab.nft("add rule ip6 lab forward iifname far meta length > 1400 drop");
    lab.reflect(&[]);
    let address = format!("[{FAR_V6}]:14790").parse().expect("an address");
    let found = lab.inside(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio");
        runtime.block_on(async {
            let mut found = Vec::new();
            for large_first in [false, true] {
                for (forward, size) in [(true, 1432), (true, 1433), (false, 1400), (false, 1401)] {
                    let mut connection = Connection::open(address, None).await.expect("a reflector");
                    assert_eq!(connection.welcome.interface_mtu, 1500);
                    let pair = if forward {
                        connection.pair_forward(size, large_first).await
                    } else {
                        connection.pair_reverse(size, large_first).await
                    };
                    found.push((size, pair.expect("a pair").0));
                }
            }
            found
        })
    });
    for (size, pair) in found {
        let large = if [1432, 1400].contains(&size) { Large::Passed } else { Large::Lost };
        assert_eq!(pair, SegmentPair { large, control: true }, "{size}");
    }
}

#[test]
fn it_works_through_a_dnat() {
    let mut lab = Lab::new();
    lab.nft(&format!("add rule ip lab nat ip daddr {MID} tcp dport 30790 dnat to {FAR}:14790"));
    lab.drop_where("iifname far meta length > 1454");
    lab.reflect(&[]);
    lab.export(&format!("  address: {MID}\n  reflector: 30790\n"));
    lab.wait("the hole behind the DNAT, reverse only", PATIENCE, |lab| {
        let forward = lab.direction("forward");
        assert!(!forward.contains("vanish"), "{forward}");
        forward.starts_with("1500 bytes arrive")
            && lab.direction("reverse").contains("1454 arrive, 1455 do not")
    });
    assert!(is_used(&lab, "used"));
}

/// As behind a `NodePort`: the node is the target, and forwards into a pod's smaller interface.
/// Neither the pod's MTU (from its reflector) nor the node's signal (from the target's own address)
/// describes the path to the node.
#[test]
fn a_small_interface_behind_the_target_is_its_own_limit_and_no_reduced_path() {
    let mut lab = Lab::new();
    lab.nft(&format!("add rule ip lab nat ip daddr {MID} tcp dport 30443 dnat to {FAR}:443"));
    // Its TTL does not reveal it either.
    lab.nft("add rule ip lab forward iifname far ip ttl set 64");
    lab.set_far_leg(1400);
    lab.set_far_host(1400);
    lab.reflect(&[]);
    let of_node =
        format!("- name: node\n  site: b\n  address: {MID}\n  tcp_port: 30443\n  expected_mtu: 1500\n");
    lab.export(&format!("{PATH}  expected_mtu: 1500\n{of_node}"));
    let is_limit = |metrics: &str, path: &str| {
        let start = format!("vxlan_path_unknown_reason{{path=\"{path}\"");
        let ours = |line: &&str| line.starts_with(&start) && line.contains("reason=\"peer_limit\"");
        metrics.lines().find(ours).is_some_and(|line| line.ends_with(" 1"))
    };
    lab.wait("both are the target's limit", PATIENCE, |lab| {
        let metrics = lab.metrics();
        is_limit(&metrics, "p") && is_limit(&metrics, "node")
    });
    // Small and full-size packets continue to be answered and signalled; this must not become
    // `reduced`.
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(400));
        let metrics = lab.metrics();
        assert!(is_limit(&metrics, "p") && is_limit(&metrics, "node"), "{metrics}");
    }
    assert!(lab.evidence().iter().any(|said| said.contains("interface takes at most 1400 bytes")));
}

#[test]
fn a_poisoned_route_cache_is_said_and_is_no_verdict() {
    let mut lab = Lab::new();
    lab.set_far_leg(1400);
    lab.reflect(&[]);
    lab.export(PATH);
    let cached = "1400 bytes arrive; no more can be tested: the sender was told of a path MTU of 1400";
    lab.wait("the signal is believed", 60, |lab| lab.direction("forward").starts_with(cached));
    // The path has its full MTU again, but our kernel remembers the signal for ten minutes.
    lab.set_far_leg(1500);
    thread::sleep(Duration::from_secs(3));
    let forward = lab.direction("forward");
    assert!(forward.starts_with(cached), "{forward}");
    assert!(
        !lab.metrics().lines().any(|line| line.starts_with("vxlan_path_blackhole") && line.ends_with(" 1"))
    );
}

/// The reflector's own connection obeys the cache. SYNs do not, and go to its port if the path has
/// none.
#[test]
fn a_cached_path_mtu_hides_no_hole_from_syns_to_the_reflectors_port() {
    let mut lab = Lab::new();
    lab.set_far_leg(1400);
    lab.reflect(&[]);
    lab.export(PATH);
    let cached = "no more can be tested: the sender was told of a path MTU of 1400";
    lab.wait("the signal is believed", 60, |lab| lab.direction("forward").contains(cached));
    // An exporter that has received no signal itself, on a host that remembers one.
    lab.end_last();
    lab.set_far_leg(1500);
    lab.drop_where("meta length > 1454");
    lab.export(PATH);
    let hole = |direction: &str| {
        format!(
            "vxlan_path_blackhole{{path=\"p\",target_site=\"b\",source=\"a\",direction=\"{direction}\"}} 1"
        )
    };
    lab.wait("the hole is told both ways", PATIENCE, |lab| {
        has(lab, &hole("forward")) && has(lab, &hole("reverse")) && has(lab, &mtu("forward", 1454))
    });
    let forward = lab.direction("forward");
    assert!(forward.contains(cached), "{forward}");
}

#[test]
fn who_may_not_use_it_is_told_why_and_falls_back() {
    let mut lab = Lab::new();
    lab.reflect(&["--allowed-sources", "10.9.0.0/16,fd00::/64"]);
    lab.export(PATH);
    lab.wait("the reflector is gone", 60, |lab| is_used(lab, "gone"));
    let evidence = lab.evidence().join(" ");
    assert!(
        evidence.contains("directions are inferred") && evidence.contains("allowed_sources"),
        "{evidence}"
    );
}

#[test]
fn a_secret_is_wanted_compared_and_never_shown() {
    let secrets = ["correct-horse-battery", "another-horse-battery"];
    let mut lab = Lab::new();
    let right = lab.file("right", secrets[0]);
    let wrong = lab.file("wrong", secrets[1]);
    lab.reflect(&["--secret-file", &right.display().to_string()]);
    for (file, how, said) in [
        (None, "gone", "reflector_secret_file"),
        (Some(&wrong), "gone", "another secret"),
        (Some(&right), "used", "1500 bytes arrive"),
    ] {
        let key = file.map(|file| format!("  reflector_secret_file: {}\n", file.display()));
        lab.export(&format!("{PATH}{}", key.unwrap_or_default()));
        lab.wait(said, 60, |lab| is_used(lab, how) && lab.evidence().join(" ").contains(said));
        lab.end_last();
    }
    for log in ["reflector", "exporter"] {
        assert!(secrets.iter().all(|secret| !lab.log(log).contains(secret)));
    }
}

/// Any host that answers there could claim anything: this once caused a false `blackhole`.
#[test]
fn a_reflector_that_does_not_prove_the_secret_is_not_used() {
    let mut lab = Lab::new();
    let secret = lab.file("secret", "correct-horse-battery");
    lab.reflect(&[]);
    lab.export(&format!("{PATH}  reflector_secret_file: {}\n", secret.display()));
    lab.wait("it is not used, and that is said", 60, |lab| {
        is_used(lab, "gone") && lab.evidence().join(" ").contains("has no secret and so proves nothing")
    });
    let log = lab.log("exporter");
    let said = |line: &&str| line.contains("the reflector is not used") && line.contains("level=warn");
    assert_eq!(log.lines().filter(said).count(), 1, "{log}");
}

#[test]
fn the_built_in_reflector_is_a_capability() {
    let mut lab = Lab::new();
    let config =
        format!("  address: {FAR}\nreflector: {{listen: \":14790\", allowed_sources: [127.0.0.0/8]}}\n");
    lab.export(&config);
    lab.wait("it listens", 60, |lab| {
        has(lab, "vxlan_exporter_capability{name=\"reflector\"} 1") && lab.dial("127.0.0.1:14790").is_ok()
    });
}

/// A peer that uses the protocol's frames without keeping its rules.
struct Peer(TcpStream);

impl Peer {
    fn connect(lab: &Lab) -> Self {
        Self::try_connect(lab).expect("connected")
    }

    fn try_connect(lab: &Lab) -> std::io::Result<Self> {
        let stream = lab.dial(&format!("{FAR}:14790"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_millis(300)))?;
        Ok(Self(stream))
    }

    /// Sends as much as possible.
    fn say(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(400) {
            if self.0.write_all(part).is_err() {
                return;
            }
        }
    }

    fn frame(&mut self, frame: &Frame) {
        self.say(&frame.encode());
    }

    fn greet(&mut self) {
        self.frame(&Frame::Hello { version: VERSION, nonce: [7; 16] });
        self.listen();
    }

    /// Reads what arrives; `false` once the other end has closed.
    fn listen(&mut self) -> bool {
        let mut bytes = [0; 16000];
        match self.0.read(&mut bytes) {
            Ok(count) => count > 0,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    fn listen_until_closed(&mut self, what: &str) {
        let start = Instant::now();
        while self.listen() {
            assert!(start.elapsed() < Duration::from_secs(30), "{what}: still open");
        }
    }
}

/// The actions of a hostile peer, with a request it may use.
type Attack = fn(&mut Peer, &Frame);

/// The bytes of IP packet, including handshakes and resets, as counted by the router in between.
fn assert_no_gain(lab: &Lab, what: &str, before: (u64, u64)) {
    let (paid, spent) = (lab.counter("paid").1 - before.0, lab.counter("spent").1 - before.1);
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let ratio = spent as f64 / paid as f64;
    println!("{what}: {paid} bytes in, {spent} bytes out: {ratio:.2}");
    assert!(spent <= paid, "{what}: {paid} bytes in, {spent} bytes out");
}

#[test]
fn nobody_gets_more_bytes_than_he_sends() {
    let mut lab = Lab::new();
    let secret = lab.file("secret", "correct-horse-battery");
    lab.reflect(&["--secret-file", &secret.display().to_string()]);
    let large = Frame::Send { id: 1, size: 1500, large_first: true };
    let attacks: [(&str, Attack); 7] = [
        ("connects and leaves", |_, _| ()),
        ("no hello", |peer, large| peer.frame(large)),
        ("no proof", |peer, large| {
            peer.greet();
            peer.frame(large);
        }),
        ("a wrong secret", |peer, large| {
            peer.greet();
            peer.frame(&Frame::Proof([0; 32]));
            peer.frame(large);
        }),
        ("garbage", |peer, _| peer.say(&[0xa5; 5000])),
        ("claims a long frame", |peer, _| peer.say(&[8, 0xff, 0xff, 0, 0, 0, 1])),
        ("one byte a second", |peer, _| {
            for byte in [1, 3, 88] {
                peer.say(&[byte]);
                thread::sleep(Duration::from_secs(1));
            }
        }),
    ];
    for (what, attack) in attacks {
        let before = (lab.counter("paid").1, lab.counter("spent").1);
        let mut peer = Peer::connect(&lab);
        attack(&mut peer, &large);
        if what != "connects and leaves" {
            peer.listen_until_closed(what);
        }
        drop(peer);
        thread::sleep(Duration::from_millis(300));
        assert_no_gain(&lab, what, before);
    }
}

#[test]
fn a_peer_that_asks_and_never_acknowledges_gains_nothing_either() {
    let mut lab = Lab::new();
    lab.reflect(&[]);
    for (what, frame) in [
        ("a large segment", Frame::Send { id: 1, size: 1500, large_first: true }),
        ("a ping", Frame::Ping { id: 1, len: 0 }),
    ] {
        let before = (lab.counter("paid").1, lab.counter("spent").1);
        let mut peer = Peer::connect(&lab);
        peer.greet();
        peer.frame(&frame);
        // From now on nothing with payload reaches the peer, so nothing is acknowledged; the
        // reflector's packets are counted before they are dropped.
        lab.drop_where("iifname far meta length > 60");
        peer.frame(&frame);
        peer.frame(&frame);
        peer.listen_until_closed(what);
        lab.mend();
        thread::sleep(Duration::from_secs(2));
        assert_no_gain(&lab, &format!("never acknowledges {what}"), before);
    }
}

/// The most packets in this time, which a busy machine makes longer: a span slightly above one
/// second can touch two windows of one second.
fn allowed_in(time: Duration) -> u64 {
    PACKETS as u64 * (time.as_secs() + 1)
}

/// Packets with data that the reflector has sent. Its kernel repeats some by itself if a busy
/// machine acknowledges late. In thirteen runs of the test below, eight of them at once on one
/// core, these were thirteen packets, each a tail loss probe (RFC 8985 section 7: two round trips,
/// at least 2 ms, after the last packet of a flight), and each had arrived.
fn sent_by_the_reflector(lab: &Lab) -> u64 {
    let all = lab.counter("data").0;
    all.saturating_sub(lab.far_tcp("RetransSegs"))
}

#[test]
fn a_greedy_peer_is_held_to_the_limits() {
    let mut lab = Lab::new();
    lab.reflect(&[]);
    let start = Instant::now();
    let mut most = 0;
    // 200 kB at 20 packets a second take 13 s; then nothing more comes for the rest of the minute.
    while start.elapsed() < Duration::from_secs(25) {
        let mut peer = Peer::connect(&lab);
        peer.greet();
        let (second, before) = (Instant::now(), sent_by_the_reflector(&lab));
        while second.elapsed() < Duration::from_secs(1) {
            peer.frame(&Frame::Send { id: 1, size: 1500, large_first: true });
            if !peer.listen() {
                break;
            }
        }
        let sent = sent_by_the_reflector(&lab) - before;
        assert!(sent <= allowed_in(second.elapsed()), "{sent} packets in {:?}", second.elapsed());
        most = most.max(sent);
    }
    // The bytes are read before the count of repeated packets, which can thus only be too large for
    // them.
    let bytes = lab.counter("data").1;
    let [again, probes, needless] =
        ["RetransSegs", "TCPLossProbes", "TCPDSACKRecv"].map(|name| lab.far_tcp(name));
    let packets = sent_by_the_reflector(&lab);
    println!(
        "a greedy peer: at most {most} packets in about a second, {packets} packets and {bytes} bytes in 25 s, of them {again} sent again, \
         {probes} as tail loss probes, {needless} of which had arrived"
    );
    assert!(packets <= allowed_in(start.elapsed()), "{packets} packets in {:?}", start.elapsed());
    assert!(bytes <= u64::from(BYTES) + again * 1500, "{bytes} bytes in 25 s, {again} packets sent again");
    assert!(bytes > u64::from(BYTES) / 2, "{bytes} bytes: the limit was not reached, the test shows nothing");
}

#[test]
fn connections_per_peer_are_bounded() {
    let mut lab = Lab::new();
    lab.reflect(&[]);
    // The reset may arrive before `connect` has returned.
    let mut peers: Vec<Peer> = (0..24).filter_map(|_| Peer::try_connect(&lab).ok()).collect();
    // All within the deadline of their greetings.
    for peer in &peers {
        peer.0.set_read_timeout(Some(Duration::from_millis(50))).expect("set");
    }
    let open = peers.iter_mut().map(Peer::listen).filter(|open| *open).count();
    assert_eq!(open, 16);
    drop(peers);
    lab.wait("a place is free again", 20, |lab| Peer::try_connect(lab).is_ok_and(|mut peer| peer.listen()));
}
