//! A router behind another one.

use std::{fs, process::Command, thread, time::Instant};

use nix::sys::signal::Signal;
use vxlan_exporter::{
    model::{
        plan::{HostTrust, JumpPlan, SshPlan},
        types::FailureReason,
    },
    router::Worker,
};

use super::reading::{FOR_EVER, Login as _, failure, router_plan, scrape, success, times_out};
use super::server::Server;
use lab::ssh_router::{Router, inside, run, wait_until};

/// outside -- gate -- far; only the gate has routes to both.
struct Way {
    outside: String,
    gate: Router,
    far: Router,
}

impl Way {
    fn new() -> Self {
        let (gate, far) = (Router::start(":", ""), Router::start(":", ""));
        let outside = format!("{}-outside", gate.namespace);
        run("ip", &["netns", "add", &outside]);
        let link = |name: &str, namespace: &str, address: &str, peer: &str| {
            gate.ip(&format!("link add {name} type veth peer name {peer} netns {namespace}"));
            gate.ip(&format!("addr add {address}.1/24 dev {name}"));
            gate.ip(&format!("link set {name} up"));
            run("ip", &["-n", namespace, "addr", "add", &format!("{address}.2/24"), "dev", peer]);
            run("ip", &["-n", namespace, "link", "set", peer, "up"]);
        };
        link("to-outside", &outside, "10.8.0", "to-gate");
        link("to-far", &far.namespace, "10.9.0", "to-gate");
        gate.know(&format!("[10.8.0.1]:2222 {}\n", gate.host_key("ed25519")));
        far.know(&format!("10.9.0.2 {}\n", far.host_key("ed25519")));
        Self { outside, gate, far }
    }

    fn plan(&self) -> SshPlan {
        let gate = SshPlan { address: "10.8.0.1".to_owned(), ..self.gate.plan() };
        SshPlan {
            address: "10.9.0.2".to_owned(),
            jump: Some(Box::new(JumpPlan { router: "gate".into(), ssh: gate })),
            ..self.far.plan()
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.outside]).status();
    }
}

/// The threads of this process that carry bytes through a gate, in that namespace.
fn carriers(namespace: &str) -> usize {
    let inode = |file: &str| fs::metadata(file).map(|meta| std::os::unix::fs::MetadataExt::ino(&meta)).ok();
    let ours = inode(&format!("/run/netns/{namespace}"));
    let tasks = fs::read_dir("/proc/self/task").expect("threads").flatten();
    let carries = |task: &fs::DirEntry| {
        let directory = task.path();
        let name = fs::read_to_string(directory.join("comm")).unwrap_or_default();
        name.trim() == "jump" && inode(directory.join("ns/net").to_str().unwrap_or_default()) == ours
    };
    tasks.filter(carries).count()
}

#[test]
fn a_router_behind_another_is_read_over_one_session_each() {
    let way = Way::new();
    inside(&way.outside, || {
        let plan = way.plan();
        let direct = SshPlan { jump: None, ..plan.clone() };
        failure(&direct, FailureReason::Connect);
        way.far.ip("link add vxlan01 type vxlan id 1 remote 10.10.10.254 dstport 8472");
        let mut worker = Worker::new(&router_plan(&plan));
        for _ in 0..2 {
            assert!(success(&scrape(&mut worker)).link("vxlan01").is_some());
        }
        for router in [&way.gate, &way.far] {
            assert_eq!(router.log().matches("Accepted publickey").count(), 1, "{}", router.log());
        }
        assert!(way.far.log().contains("Connection from 10.9.0.1"), "{}", way.far.log());
        // 12 MB of stderr, then the answer: nothing is lost and nothing blocks.
        let flood = r#"head -c 12000000 /dev/zero >&2; eval "$SSH_ORIGINAL_COMMAND""#;
        let command = way.far.script("flood", flood);
        way.far.authorize(&format!("command=\"{command}\""));
        // Either router may end its sessions between two scrapes.
        for router in [&way.far, &way.gate] {
            router.end_sessions(Signal::SIGKILL);
            wait_until("the carrier ends", || carriers(&way.outside) == 0);
            assert!(success(&scrape(&mut worker)).link("vxlan01").is_some());
            assert_eq!(carriers(&way.outside), 1);
        }
        // More than fits into any window.
        let command = way
            .far
            .script("large", r#"head -c 6000000 /dev/zero | tr "\0" a; echo; eval "$SSH_ORIGINAL_COMMAND""#);
        way.far.authorize(&format!("command=\"{command}\""));
        way.far.end_sessions(Signal::SIGTERM);
        assert!(success(&scrape(&mut worker)).link("vxlan01").is_some());
        drop(worker);
        wait_until("the carrier ends", || carriers(&way.outside) == 0);
    });
}

#[test]
fn what_is_wrong_on_the_way_is_told_apart_from_what_is_wrong_at_the_end() {
    let way = Way::new();
    inside(&way.outside, || {
        let plan = way.plan();
        let through = |change: &dyn Fn(&mut SshPlan)| {
            let mut plan = plan.clone();
            change(&mut plan.jump.as_mut().expect("a jump").ssh);
            plan
        };
        let message = failure(
            &through(&|gate| gate.host_trust = HostTrust::KnownHosts(way.far.path("known_hosts"))),
            FailureReason::Connect,
        );
        assert!(message.contains("cannot go through router gate: hostkey_unknown:"), "{message}");
        let message = failure(&through(&|gate| gate.username = "nobody".to_owned()), FailureReason::Connect);
        assert!(message.contains("cannot go through router gate: auth:"), "{message}");
        // The far router's own faults keep their reasons.
        way.far.know(&format!("10.9.0.2 {}\n", way.gate.host_key("ed25519")));
        let message = failure(&plan, FailureReason::HostkeyMismatch);
        assert!(message.contains("the host key of 10.9.0.2 has changed"), "{message}");
        way.far.know(&format!("10.9.0.2 {}\n", way.far.host_key("ed25519")));
        let message = failure(&SshPlan { port: 2223, ..plan.clone() }, FailureReason::Connect);
        assert!(message.contains("gate made no connection to 10.9.0.2:2223"), "{message}");
        way.gate.authorize("restrict");
        let message = failure(&plan, FailureReason::Permission);
        assert!(message.contains("AllowTcpForwarding") && message.contains("permitopen"), "{message}");
        way.gate.authorize("restrict,port-forwarding,permitopen=\"10.9.0.2:*\"");
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        // A router that accepts and sends nothing is cut off, and so is everything on the way to
        // it.
        let silent = inside(&way.far.namespace, || {
            Server::start_at("10.9.0.2:0", |stream| {
                thread::sleep(FOR_EVER);
                drop(stream);
            })
        });
        let start = Instant::now();
        times_out(&SshPlan { port: silent.port, ..plan.clone() });
        assert!(start.elapsed() < FOR_EVER / 2, "{:?}", start.elapsed());
        wait_until("the carriers end", || carriers(&way.outside) == 0);
    });
}
