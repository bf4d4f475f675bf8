//! Many routers, several exporters, and a configuration that changes while they run: the real
//! process, a real OpenSSH server. Needs root, iproute2 and openssh-server, like `router_ssh.rs`.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use lab::fleet::{Exporter, Metrics, PATIENCE, by_label, with_fleet};
use nix::sys::signal::Signal;

const RELOADED: &str = "vxlan_exporter_config_last_reload_successful";

fn path(name: &str, host: u8) -> String {
    format!("- name: {name}\n  site: s1\n  address: 10.9.0.{host}\n  probe_interval: 100ms\n")
}

fn sent(metrics: &Metrics, path: &str) -> Option<f64> {
    by_label(metrics, "vxlan_path_echo_requests_total", "path").get(path).copied()
}

fn names(metrics: &Metrics, family: &str, label: &str) -> BTreeSet<String> {
    by_label(metrics, family, label).into_keys().collect()
}

#[test]
fn forty_routers_by_four_threads_and_those_that_hang_hold_up_nobody() {
    const THREADS: usize = 4;
    let _turn = crate::support::turn();
    let routers = 40;
    with_fleet(routers, |fleet| {
        // The kernel accepts connections into the backlog and nothing is ever sent, so each read
        // lasts to its deadline.
        let mute = TcpListener::bind("127.0.9.1:2224").expect("a port");
        fleet.know_everyone("127.0.9.1", 2224);
        let soon = "  scrape_timeout: 1s\n";
        let mute_routers: String =
            (100..116).map(|number| fleet.router_at(number, "127.0.9.1", 2224, soon)).collect();
        let text = format!(
            "router_workers: {THREADS}\nscrape_interval: 6s\nrouters:\n{mute_routers}{}",
            fleet.routers()
        );
        let exporter = fleet.serve(crate::binary(), &fleet.write("config.yml", &text), 14789, &[]);
        let mut most = (0, 0);
        let mut reads = |metrics: &Metrics| {
            let threads = exporter.threads();
            let reading = threads.iter().filter(|name| name.starts_with("read ")).count();
            most = (most.0.max(reading), most.1.max(threads.len()));
            by_label(metrics, "vxlan_router_last_success_timestamp_seconds", "router")
        };
        let is_up = |metrics: &Metrics| by_label(metrics, "vxlan_router_up", "router");
        exporter.wait_for("every router read", |metrics| reads(metrics).len() == routers);
        for _ in 0..2 {
            let before = reads(&exporter.metrics());
            let metrics = exporter.wait_for("every router read again", |metrics| {
                let now = reads(metrics);
                before.iter().all(|(router, time)| now.get(router).is_some_and(|now| now > time))
            });
            let up = is_up(&metrics).into_values().filter(|up| *up > 0.5).count();
            assert_eq!(up, routers, "and nothing but the mute ones is down");
        }
        let (reading, threads) = most;
        // A thread that has returned its result may still be ending, and a new one briefly has its
        // parent's name.
        assert!(reading <= 2 * THREADS, "{reading} threads read");
        // Each reading thread has a watchdog thread; the rest belong to the runtime, one per CPU,
        // and to name resolution.
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        assert!(threads <= 2 * THREADS + cpus + 10, "{threads} threads in all");
        let failures = "vxlan_router_scrape_failures_total{router=\"r100\",site=\"s100\",reason=\"timeout\"}";
        assert!(exporter.metrics()[failures] >= 1.0, "{}", exporter.log());
        assert_eq!(fleet.logins(), routers, "every session is kept");
        drop(mute);
    });
}

#[test]
fn every_name_is_exported_by_exactly_one_of_three_shards() {
    let routers = 12;
    with_fleet(routers, |fleet| {
        let paths: String = (1..=9).map(|number| path(&format!("p{number}"), number + 1)).collect();
        let text = format!("site: s0\nscrape_interval: 10s\npaths:\n{paths}routers:\n{}", fleet.routers());
        let config = fleet.write("config.yml", &text);
        let shards: Vec<Exporter> = (0..3)
            .map(|index| {
                let shard = format!("--shard=vxlan-exporter-{index}/3");
                fleet.serve(crate::binary(), &config, 14790 + index, &[&shard])
            })
            .collect();
        let end = Instant::now() + PATIENCE;
        let all = |family: &str, label: &str| -> Vec<(String, f64)> {
            shards.iter().flat_map(|shard| by_label(&shard.metrics(), family, label)).collect()
        };
        // The shard that owns a tunnel's name has read both its ends twice: the tunnel is up.
        while all("vxlan_tunnel_up", "tunnel").len() < routers - 1
            || all("vxlan_router_up", "router").len() < routers
        {
            assert!(Instant::now() < end, "{:?}: {}", all("vxlan_tunnel_up", "tunnel"), shards[0].log());
            thread::sleep(Duration::from_millis(100));
        }
        for (family, label, count) in [
            ("vxlan_router_up", "router", routers),
            ("vxlan_tunnel_up", "tunnel", routers - 1),
            ("vxlan_path_info", "path", 9),
        ] {
            let said = all(family, label);
            let names: BTreeSet<_> = said.iter().map(|(name, _)| name).collect();
            assert_eq!((said.len(), names.len()), (count, count), "{family}: {said:?}");
            assert!(said.iter().all(|(_, value)| *value > 0.5), "{family}: {said:?}");
            let busy = shards.iter().filter(|shard| !by_label(&shard.metrics(), family, label).is_empty());
            assert!(busy.count() > 1, "{family}: one shard does all the work");
        }
    });
}

#[test]
fn a_reload_keeps_what_is_the_same_and_a_bad_one_keeps_everything() {
    with_fleet(3, |fleet| {
        let good = format!(
            "site: s0\nscrape_interval: 5s\nrouters:\n{}{}paths:\n{}{}",
            fleet.router(0, ""),
            fleet.router(1, ""),
            path("stays", 2),
            path("goes", 3)
        );
        let config = fleet.write("config.yml", &good);
        let mut exporter = fleet.serve(crate::binary(), &config, 14789, &["--web.enable-lifecycle"]);
        let first = exporter.wait_for("all of it", |metrics| {
            by_label(metrics, "vxlan_router_up", "router").into_values().sum::<f64>() > 1.5
                && sent(metrics, "stays") > Some(4.0)
                && sent(metrics, "goes") > Some(4.0)
        });
        assert!(first[RELOADED] > 0.5);
        assert_eq!(fleet.logins(), 2);

        // A bad file, by signal and over HTTP.
        fleet.write("config.yml", &good.replace("site: s0", "sites: s0"));
        exporter.signal(Signal::SIGHUP);
        let bad = exporter.wait_for("the failed reload", |metrics| metrics[RELOADED] < 0.5);
        let loaded = "vxlan_exporter_config_last_reload_success_timestamp_seconds";
        assert!((bad[loaded] - first[loaded]).abs() < 1e-3, "that of the configuration in use");
        let check = Command::new(crate::binary())
            .args(["config", "check"])
            .arg(format!("--config.file={}", config.display()))
            .output()
            .expect("run config check");
        let said = String::from_utf8_lossy(&check.stderr).trim().replacen("vxlan_exporter: ", "", 1);
        assert!(said.contains("line 1 column 1: unknown key `sites`"), "{said}");
        let logged = exporter.log().replace("\\\"", "\"");
        assert!(logged.contains(&said), "the log must say {said}: {logged}");
        let (status, answer) = exporter.ask("POST", "/-/reload");
        assert!(status == 500 && answer.contains(&said), "{status} {answer}");
        assert!(exporter.ask("GET", "/").1.contains("unknown key"), "the page for people says it too");
        let stays = sent(&bad, "stays");
        exporter.wait_for("it goes on", |metrics| {
            sent(metrics, "stays") > stays.map(|sent| sent + 5.0)
                && names(metrics, "vxlan_router_up", "router").len() == 2
        });

        // A good file: of routers and paths, one each stays, changes, is removed and is added.
        let next = format!(
            "site: s0\nscrape_interval: 5s\nrouters:\n{}{}paths:\n{}{}",
            fleet.router(0, ""),
            fleet.router(2, ""),
            path("stays", 2),
            path("new", 4)
        );
        fleet.write("config.yml", &next);
        let before = exporter.metrics();
        let (status, answer) = exporter.ask("POST", "/-/reload");
        assert!(status == 200 && answer.contains("2 routers, 2 paths"), "{status} {answer}");
        let after = exporter.metrics();
        assert!(after[RELOADED] > 0.5 && after[loaded] > first[loaded]);
        assert_eq!(names(&after, "vxlan_path_info", "path"), ["new", "stays"].map(String::from).into());
        assert!(!after.keys().any(|series| series.contains("\"r1\"") || series.contains("\"goes\"")));
        assert!(sent(&after, "stays") >= sent(&before, "stays"));
        exporter.wait_for("the new ones", |metrics| {
            names(metrics, "vxlan_router_up", "router") == ["r0", "r2"].map(String::from).into()
                && sent(metrics, "new") > Some(0.0)
        });
        assert_eq!(fleet.logins(), 3, "the session of r0 is kept");

        // Counts continue for what returns or was changed.
        fleet.write("config.yml", &good.replacen("100ms", "200ms", 1));
        exporter.signal(Signal::SIGHUP);
        let back = exporter.wait_for("it is back", |metrics| sent(metrics, "goes").is_some());
        assert!(sent(&back, "goes") >= sent(&bad, "goes") && sent(&back, "stays") >= sent(&after, "stays"));
        exporter.wait_for("both are probed", |metrics| {
            sent(metrics, "goes") > sent(&back, "goes") && sent(metrics, "stays") > sent(&back, "stays")
        });
        exporter.wait_for("r1 is read", |metrics| {
            names(metrics, "vxlan_router_up", "router") == ["r0", "r1"].map(String::from).into()
        });

        // Several reloads at the same time run one after the other.
        let reload = || exporter.ask("POST", "/-/reload").0;
        let statuses = thread::scope(|scope| {
            let asking: Vec<_> = (0..8).map(|_| scope.spawn(reload)).collect();
            (0..8).for_each(|_| exporter.signal(Signal::SIGHUP));
            asking.into_iter().map(|asking| asking.join().expect("an answer")).collect::<Vec<_>>()
        });
        assert_eq!(statuses, [200; 8]);
        assert_eq!(fleet.logins(), 4, "and nobody logs in again: {}", exporter.log());

        let (status, _) = exporter.ask("POST", "/-/quit");
        assert_eq!((status, exporter.wait_for_end().code()), (200, Some(0)));
    });
}
