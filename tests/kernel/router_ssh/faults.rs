//! Faults of routers: each gives its reason and message, and the same worker reads again once it is
//! over. One server plays many faults by a forced command.

use std::{
    fs,
    io::Write,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use vxlan_exporter::{
    config,
    model::{
        plan::{RouterPlan, SshPlan},
        state::State,
        types::FailureReason::{self, Command, Connect, Permission, Refused, Timeout, Truncated},
    },
    router::{Worker, fleet::Fleet},
};

use super::reading::{FOR_EVER, Login as _, TIMEOUT, failure, router_plan, scrape, success};
use super::server::Server;
use lab::ssh_router::{Router, run, with_router};

/// What a forced command does instead of the exporter's script, and what must be reported.
const FAULTS: [(&str, &str, FailureReason, &[&str]); 8] = [
    (
        "no-ip",
        "DIRECTORY/run-without ip",
        Command,
        &["`ip -j -s -s -d addr show` failed with exit code 127", "not found"],
    ),
    (
        "ip-denied",
        "DIRECTORY/run-without ip denied",
        Permission,
        &["ip: Permission denied", "let the user run it"],
    ),
    ("another-command", "uptime", Command, &["did not run the script; it printed `", "load average"]),
    (
        "operator",
        "echo 'You do not have a permission to execute VyOS command [ip]'; exit 1",
        Permission,
        &["You do not have a permission"],
    ),
    ("silent", "exit 1", Truncated, &["the router printed nothing"]),
    ("dies", r#"eval "$SSH_ORIGINAL_COMMAND" | head -c 900; kill -9 $PPID"#, Truncated, &["broke off"]),
    ("endless", "yes vxlan", Truncated, &["larger than 16 MiB and was cut off"]),
    ("garbage", "head -c 100000 /dev/urandom", Command, &["did not run the script"]),
];

/// Runs the script on a router whose PATH lacks one command, or has one that may not be run.
const RUN_WITHOUT: &str = r#"#!/bin/sh
bin=DIRECTORY/bin-$1-$2
if [ ! -d "$bin" ]; then
    mkdir "$bin"
    for command in sh cat head ip bridge; do
        [ "$command" = "$1" ] || ln -s "$(command -v $command)" "$bin/$command"
    done
    [ -z "$2" ] || : > "$bin/$1"
fi
eval "$(echo "$SSH_ORIGINAL_COMMAND" | sed "s|PATH=[^ ]*|PATH=$bin|")"
"#;

#[test]
fn each_fault_has_its_reason_and_ends_without_restart() {
    with_router("", |router| {
        let without = router.path("run-without");
        router.script("run-without", RUN_WITHOUT);
        fs::set_permissions(&without, fs::Permissions::from_mode(0o755)).unwrap();
        let mut worker = Worker::new(&router_plan(&router.plan()));
        for (name, command, reason, words) in FAULTS {
            let command = router.script(name, command);
            router.authorize(&format!("command=\"{command}\""));
            router.end_sessions(nix::sys::signal::Signal::SIGKILL);
            let before = worker.reading().failures[&reason];
            let reading = scrape(&mut worker);
            let error = reading.failure.as_ref().unwrap_or_else(|| panic!("{name} was read"));
            assert_eq!(error.reason, reason, "{name}: {error}");
            for words in words {
                assert!(error.message.contains(words), "{name}: {words:?} is not in: {error}");
            }
            assert_eq!(reading.failures[&reason], before + 1, "{name}");
            router.authorize("");
            let reading = scrape(&mut worker);
            assert!(reading.failure.is_none(), "after {name}: {:?}", reading.failure);
        }
    });
}

/// The exporter stops reading and the router stops printing: of 1 GiB little crosses the network.
#[test]
fn a_gibibyte_is_not_taken() {
    with_router("ForceCommand head -c 1073741824 /dev/zero", |router| {
        for (limit, words) in [(16 << 20, "larger than 16 MiB"), (64 << 10, "larger than 64 KiB")] {
            let plan = SshPlan { max_output: limit, ..router.plan() };
            let before = received(router);
            let message = failure(&plan, Truncated);
            assert!(message.contains(words), "{message}");
            let taken = received(router) - before;
            assert!(taken < limit + (16 << 20), "{taken} bytes crossed the wire");
        }
    });
}

/// Bytes on the loopback of the router.
fn received(router: &Router) -> u64 {
    let links = run("ip", &["-n", &router.namespace, "-j", "-s", "link", "show", "lo"]);
    let links: serde_json::Value = serde_json::from_str(&links).unwrap();
    links[0]["stats64"]["rx"]["bytes"].as_u64().expect("a counter")
}

#[test]
fn what_is_no_ssh_server_says_so_itself() {
    with_router("", |router| {
        // A name without a port applies to every port.
        router.know(&format!("127.0.0.1 {}\n", router.host_key("ed25519")));
        let at = |server: &Server| SshPlan { port: server.port, ..router.plan() };
        for (said, reason, words) in [
            (
                &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
                Connect,
                "is not an SSH server, it said `HTTP/1.1 400 Bad Request`",
            ),
            (b"\x16\x03\x01\x02\x00\xff\xfe garbage\n", Connect, "is not an SSH server"),
            (b"Not allowed at this time\r\n", Refused, "PerSourcePenalties"),
            (b"Exceeded MaxStartups\r\n", Refused, "MaxStartups"),
            (b"SSH-2.0-", Refused, "closed the connection before the SSH handshake was done"),
            (
                b"SSH-2.0-x\r\ngarbage garbage garbage garbage garbage garbage garbage",
                Connect,
                "key exchange",
            ),
            (b"", Refused, "closed the connection before the SSH handshake was done"),
        ] {
            let server = Server::saying(said);
            let message = failure(&at(&server), reason);
            assert!(message.contains(words), "{message}");
            // If no keys can be exchanged, one more connection reads the server's offer.
            let connections = if words == "key exchange" { 2 } else { 1 };
            assert_eq!(server.connections(), connections, "{message}");
        }
        // 100 kB before its version string: RFC 4253 permits lines there.
        let banner = "Authorised use only. Authorised use only. Authorised use only.\r\n".repeat(1600);
        let server = Server::saying(banner);
        let message = failure(&at(&server), Connect);
        assert!(message.contains("it said `Authorised use only."), "{message}");
    });
}

/// Before each login the server sends its banner file; libssh2 accepts packets up to 40 kB.
#[test]
fn a_login_banner_of_100_kilobytes() {
    with_router("Banner DIRECTORY/banner", |router| {
        let mut worker = Worker::new(&router_plan(&router.plan()));
        fs::write(router.path("banner"), "Welcome to VyOS\n".repeat(1000)).unwrap();
        success(&scrape(&mut worker));
        fs::write(router.path("banner"), "Welcome to VyOS\n".repeat(6400)).unwrap();
        router.end_sessions(nix::sys::signal::Signal::SIGKILL);
        let error = scrape(&mut worker).failure.expect("a packet that libssh2 does not take");
        assert_eq!(error.reason, Connect, "{error}");
        assert!(error.message.contains("shorten its login banner"), "{error}");
        fs::write(router.path("banner"), "Welcome to VyOS\n").unwrap();
        success(&scrape(&mut worker));
    });
}

#[test]
fn sessions_that_are_used_up() {
    with_router("MaxSessions 1", |router| {
        // One session suffices, also for the second exec of a scrape.
        router.ip("link add vxlan01 type vxlan id 1 remote 10.10.10.254 dstport 8472");
        let mut worker = Worker::new(&router_plan(&router.plan()));
        for _ in 0..10 {
            success(&scrape(&mut worker));
        }
        assert_eq!(router.log().matches("Accepted publickey").count(), 1);
    });
    with_router("MaxSessions 0", |router| {
        let message = failure(&router.plan(), Permission);
        assert!(message.contains("`MaxSessions` is reached"), "{message}");
    });
}

/// A server that drops every connection, as OpenSSH 9.8 and later does with an address it
/// penalises.
#[test]
fn a_router_that_locks_us_out_is_asked_less_and_less_and_read_again() {
    with_router("", |router| {
        router.know(&format!("127.0.0.1 {}\n", router.host_key("ed25519")));
        let penalty = Server::saying("Not allowed at this time\r\n");
        let mut plan = router_plan(&SshPlan { port: penalty.port, ..router.plan() });
        plan.scrape_interval = Duration::from_secs(1);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let state = State::default();
        let start = Instant::now();
        let mut fleet = Fleet::new(state.clone());
        let mut whole = config::parse("{}", Path::new("config.yml")).unwrap().plan();
        whole.routers.push(plan);
        runtime.block_on(fleet.follow(&whole));
        thread::sleep(Duration::from_secs(5));
        // Waits of at least 1, 1.5 and 3 s lie between four scrapes.
        let (connections, scrapes) = (penalty.connections(), state.present().routers[0].scrapes);
        assert!(
            (2..=3).contains(&connections) || start.elapsed() > Duration::from_millis(5500),
            "{connections}"
        );
        assert!(scrapes.abs_diff(connections as u64) <= 1, "{connections} connections, {scrapes} scrapes");
    });
}

#[test]
fn a_router_that_hangs_holds_up_no_other() {
    with_router("", |router| {
        router.know(&format!("127.0.0.1 {}\n", router.host_key("ed25519")));
        let silent = Server::start(|stream: TcpStream| {
            thread::sleep(FOR_EVER);
            drop(stream);
        });
        // A byte now and then.
        let dripping = Server::start(|mut stream: TcpStream| {
            while stream.write_all(b"SSH").is_ok() {
                thread::sleep(Duration::from_millis(300));
            }
        });
        let plan = |port| RouterPlan {
            scrape_timeout: 3 * TIMEOUT,
            ..router_plan(&SshPlan { port, ..router.plan() })
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let scrape = |port| {
            let mut worker = Worker::new(&plan(port));
            async move { worker.scrape().await }
        };
        let (good, mute, slow) = runtime
            .block_on(async { tokio::join!(scrape(2222), scrape(silent.port), scrape(dripping.port)) });
        success(&good);
        for hung in [mute, slow] {
            assert_eq!(hung.failure.as_ref().map(|error| error.reason), Some(Timeout), "{:?}", hung.failure);
            assert!(good.duration < hung.duration, "{:?}", good.duration);
            assert!(hung.duration < FOR_EVER / 2, "{:?}", hung.duration);
        }
    });
}

/// The router's clock, restarts and devices: what the exporter reads of them changes, and nothing
/// else.
#[test]
fn clocks_that_jump_restarts_and_odd_names() {
    with_router("", |router| {
        let rewrite = r#"eval "$(echo "$SSH_ORIGINAL_COMMAND" |
            sed "s|/proc/uptime|DIRECTORY/uptime|; s|/proc/sys/kernel/random/boot_id|DIRECTORY/boot_id|")""#;
        let command = router.script("rewrite", rewrite);
        router.authorize(&format!("command=\"{command}\""));
        let say = |uptime: &str, boot: &str| {
            fs::write(router.path("uptime"), format!("{uptime} 1.00\n")).unwrap();
            fs::write(router.path("boot_id"), format!("{boot}\n")).unwrap();
        };
        let (first, second) =
            ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
        // Characters that the kernel accepts, of which only `/`, `:` and space are excluded; up to
        // 15 bytes.
        let names = ["vx\"'\\$(id)`{}", "vx;|&<>#*?[]~!", "vxläñ→", "-j"];
        for (vni, name) in (10..).zip(names) {
            let arguments = ["-n", &router.namespace, "link", "add", "name", name, "type", "vxlan"];
            run(
                "ip",
                &[&arguments[..], &["id", &vni.to_string(), "dstport", "4789", "remote", "10.10.10.254"]]
                    .concat(),
            );
        }
        let mut worker = Worker::new(&router_plan(&router.plan()));
        say("5000.00", first);
        let reading = scrape(&mut worker);
        let snapshot = success(&reading);
        let uptime = snapshot.uptime.map(|uptime| (uptime.before, uptime.after));
        assert_eq!((uptime, snapshot.boot_id.as_deref()), (Some((5000.0, 5000.0)), Some(first)));
        for name in names {
            assert!(snapshot.link(name).is_some_and(|link| link.vxlan.is_some()), "{name}");
        }
        assert!(
            snapshot.fdb.iter().filter(|entry| names.contains(&entry.interface.as_str())).count()
                >= names.len()
        );
        // Backwards, and far ahead: reported unchanged, and no device counts as re-created.
        for uptime in ["3.00", "900000.00"] {
            say(uptime, first);
            let reading = scrape(&mut worker);
            assert_eq!(
                success(&reading).uptime.map(|uptime| format!("{:.2}", uptime.before)).as_deref(),
                Some(uptime)
            );
            assert_eq!(reading.recreations.values().sum::<u64>(), 0);
        }
        // A restart gives devices new indexes; they do not count as re-created.
        let again = |vni: &str| {
            router.ip("link del vxläñ→");
            router.ip(&format!("link add vxläñ→ type vxlan id {vni} dstport 4789 remote 10.10.10.254"));
        };
        again("20");
        say("10.00", second);
        let reading = scrape(&mut worker);
        assert_eq!(success(&reading).boot_id.as_deref(), Some(second));
        assert_eq!(reading.recreations.values().sum::<u64>(), 0);
        // Without a restart they do.
        again("21");
        assert_eq!(scrape(&mut worker).recreations.values().sum::<u64>(), 1);
        assert_eq!(
            router.log().matches("Accepted publickey").count(),
            1,
            "none of this is a reason to log in again"
        );
    });
}

/// The router checks whether we are alive, gets no answer while nothing is read, and ends the
/// session.
#[test]
fn a_session_that_ended_unasked_is_replaced_within_the_scrape() {
    with_router("ClientAliveInterval 1\nClientAliveCountMax 1", |router| {
        let mut worker = Worker::new(&router_plan(&router.plan()));
        success(&scrape(&mut worker));
        lab::ssh_router::wait_until("the router ends the session", || {
            router.log().contains("not responding")
        });
        success(&scrape(&mut worker));
        assert_eq!(router.log().matches("Accepted publickey").count(), 2);
    });
}
