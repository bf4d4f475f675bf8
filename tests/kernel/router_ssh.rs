//! Reading a router over SSH, against a real OpenSSH server.
//!
//! Each test has its own network namespace with nothing but loopback and the router's devices in
//! it, so that tests meet neither each other nor the machine's network. Needs root, iproute2 and
//! openssh-server; without them the tests fail, since a skipped test proves nothing.

mod faults;
mod jump;
mod login;
mod methods;
mod offers;
mod reading;
mod server;
mod trust;

use std::{fs, net::IpAddr, time::Instant};

use lab::ssh_router::{NAME, PASSWORD, run, with_router};
use nix::sys::signal::Signal;
use reading::{FOR_EVER, Login as _, TIMEOUT, failure, key, router_plan, scrape, success, times_out};
use vxlan_exporter::{
    model::{
        plan::{Credential, HostTrust, SshPlan},
        types::{FailureReason, Mac, Method, Vni},
    },
    router::{Worker, check_credential, check_host_key},
};

#[test]
fn two_scrapes_over_one_session() {
    with_router("", |router| {
        router.ip("link add d0 type veth peer name d0p");
        router.ip("addr add 10.10.0.254/24 dev d0");
        router.ip("link set d0p up");
        router.ip("link set d0 mtu 1600 up");
        router.ip("route add 10.10.10.0/24 via 10.10.0.1 mtu 1500");
        router.ip("link add br01 type bridge");
        router.ip("link add vxlan01 type vxlan id 1 remote 10.10.10.254 dstport 8472 ttl 16");
        router.ip("link set vxlan01 master br01 mtu 1450 up");
        let mut worker = Worker::new(&router_plan(&router.plan()));
        let first = scrape(&mut worker);
        let snapshot = success(&first);
        assert_eq!(snapshot.method, Method::Ip);
        let (link, vxlan) = snapshot.vxlans().next().expect("vxlan01");
        assert_eq!((link.mtu, link.master.as_deref()), (Some(1450), Some("br01")));
        assert_eq!((vxlan.vni, vxlan.port, vxlan.ttl), (Some(Vni(1)), Some(8472), Some(16)));
        let remote: IpAddr = "10.10.10.254".parse().unwrap();
        assert_eq!(vxlan.remote, Some(remote));
        assert_eq!(snapshot.underlay_mtu(link, remote), Some(1500), "of the route, in the very first scrape");
        assert!(snapshot.fdb.iter().any(|entry| entry.dst == Some(remote) && entry.mac == Mac::FLOOD));
        assert!(snapshot.boot_id.is_some() && snapshot.uptime.is_some());
        let second = scrape(&mut worker);
        assert_eq!(success(&second).routes, snapshot.routes);
        assert_eq!((second.scrapes, second.previous.as_deref()), (2, Some(snapshot)));
        assert_eq!(router.log().matches("Accepted publickey").count(), 1, "{}", router.log());
        // VyOS re-creates the device when its VNI changes.
        router.ip("link del vxlan01");
        router.ip("link add vxlan01 type vxlan id 2 remote 10.10.10.254 dstport 8472 ttl 16");
        let third = scrape(&mut worker);
        assert_eq!(success(&third).vxlans().next().unwrap().1.vni, Some(Vni(2)));
        assert_eq!(third.recreations.values().sum::<u64>(), 1);
    });
}

#[test]
fn a_session_that_the_router_ended_is_replaced_without_a_failed_scrape() {
    with_router("", |router| {
        let mut worker = Worker::new(&router_plan(&router.plan()));
        success(&scrape(&mut worker));
        // One closes the connection (FIN), the other breaks it (RST).
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            router.end_sessions(signal);
            success(&scrape(&mut worker));
        }
        assert_eq!(router.log().matches("Accepted publickey").count(), 3);
    });
}

#[test]
fn an_unknown_host_key_is_refused_without_connecting() {
    with_router("", |router| {
        let plan = router.plan();
        let other = router.host_key("ed25519");
        router.know(&format!(
            "# empty\n[192.0.2.1]:2222 {other}\n*.example {other}\n{NAME} ssh-ed25519 AAAA\n"
        ));
        let message = failure(&plan, FailureReason::HostkeyUnknown);
        assert!(message.contains("no host key is known for [127.0.0.1]:2222"), "{message}");
        assert!(message.contains("`vxlan_exporter config trust ROUTER`"), "{message}");
        assert!(!router.log().contains("Connection from"), "{}", router.log());
        assert_eq!(check_host_key(&plan).unwrap_err().reason, FailureReason::HostkeyUnknown);
    });
}

#[test]
fn a_changed_host_key_is_named_with_its_line() {
    with_router("", |router| {
        let plan = router.plan();
        let other = router.new_key("other", "ed25519");
        router.know(&format!("# a comment\n{NAME} {other}\n"));
        let message = failure(&plan, FailureReason::HostkeyMismatch);
        assert!(message.contains("line 2") && message.contains("ssh-ed25519 SHA256:"), "{message}");
        assert!(message.contains(&router.fingerprint("host_ed25519")), "{message}");
        assert!(!router.log().contains("Accepted"), "{}", router.log());
    });
}

#[test]
fn another_type_of_key_than_the_known_one_is_unknown_not_changed() {
    with_router("", |router| {
        let ecdsa = router.new_key("other", "ecdsa");
        router.know(&format!("{NAME} {ecdsa}\n"));
        failure(&router.plan(), FailureReason::HostkeyUnknown);
    });
}

#[test]
fn a_revoked_host_key_is_refused() {
    with_router("", |router| {
        let key = router.host_key("ed25519");
        router.know(&format!("{NAME} {key}\n@revoked * {key}\n"));
        let message = failure(&router.plan(), FailureReason::HostkeyMismatch);
        assert!(message.contains("line 2"), "{message}");
    });
}

#[test]
fn an_rsa_only_file_works_with_a_router_that_prefers_ed25519() {
    with_router("", |router| {
        router.know(&format!("{NAME} {}\n", router.host_key("rsa")));
        success(&scrape(&mut Worker::new(&router_plan(&router.plan()))));
    });
}

#[test]
fn hashed_names_and_names_without_port_are_found() {
    with_router("", |router| {
        let plan = router.plan();
        router.know(&format!("{NAME} {}\n", router.host_key("rsa")));
        let file = router.path("known_hosts");
        run("ssh-keygen", &["-q", "-H", "-f", file.to_str().unwrap()]);
        assert!(!fs::read_to_string(file).unwrap().contains("127.0.0.1"));
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        router.know(&format!("127.0.0.1,other {}\n", router.host_key("ed25519")));
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        router.know(&format!("[127.0.0.?]:2222,!{NAME}0 {}\n", router.host_key("ed25519")));
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        assert_eq!(check_host_key(&plan), Ok(()));
    });
}

#[test]
fn a_name_with_a_dead_first_address_is_reached_by_its_second() {
    with_router("", |router| {
        let mut plan = router.plan();
        plan.address = "localhost".to_owned();
        router.know(&format!("[localhost]:2222 {}\n", router.host_key("ed25519")));
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        plan.address = "no-such-router.invalid".to_owned();
        router.know(&format!("[no-such-router.invalid]:2222 {}\n", router.host_key("ed25519")));
        let message = failure(&plan, FailureReason::Dns);
        assert!(message.contains("no-such-router.invalid"), "{message}");
    });
}

#[test]
fn a_login_is_refused_with_another_key_or_password() {
    with_router("", |router| {
        router.new_key("stranger", "ed25519");
        let mut plan = router.plan();
        plan.credential = key(router.path("stranger"));
        let message = failure(&plan, FailureReason::Auth);
        assert!(message.contains("127.0.0.1:2222 refused the login of root"), "{message}");
        fs::write(router.path("password"), "not-the-password\n").unwrap();
        plan.credential = Credential::Password(router.path("password"));
        let message = failure(&plan, FailureReason::Auth);
        assert!(!message.contains("not-the-password"), "{message}");
        fs::write(router.path("password"), format!("{PASSWORD}\r\nnot read\n")).unwrap();
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
    });
}

#[test]
fn what_is_wrong_on_our_side_is_config() {
    with_router("", |router| {
        let good = router.plan();
        assert_eq!(check_credential(&good.credential), Ok(()));
        for credential in [key(router.path("none")), Credential::Password(router.path("none"))] {
            let mut plan = good.clone();
            plan.credential = credential;
            let message = failure(&plan, FailureReason::Config);
            assert!(message.contains("/none: No such file") && message.contains("_file"), "{message}");
            assert_eq!(check_credential(&plan.credential).unwrap_err().message, *message);
        }
        let mut plan = good.clone();
        plan.host_trust = HostTrust::KnownHosts(router.path("none"));
        let message = failure(&plan, FailureReason::Config);
        assert!(message.contains("known_hosts_file") && message.contains("/none: No such file"), "{message}");
        assert!(!router.log().contains("Connection from"), "{}", router.log());
    });
}

#[test]
fn a_closed_port_is_refused_and_a_port_that_is_no_ssh_server_too() {
    with_router("", |router| {
        let mut plan = router.plan();
        plan.port = 2223;
        router.know(&format!("127.0.0.1 {}\n", router.host_key("ed25519")));
        let message = failure(&plan, FailureReason::Refused);
        assert!(message.contains("127.0.0.1:2223"), "{message}");
        // OpenSSH's penalty looks like this: the connection is accepted and closed at once.
        let listener = std::net::TcpListener::bind("127.0.0.1:2223").unwrap();
        let closing = std::thread::spawn(move || drop(listener.accept()));
        failure(&plan, FailureReason::Refused);
        closing.join().unwrap();
    });
}

#[test]
fn whatever_hangs_ends_at_the_deadline() {
    let timed = |plan: &SshPlan| {
        let start = Instant::now();
        let message = times_out(plan);
        let took = start.elapsed();
        assert!(took >= TIMEOUT && took < FOR_EVER / 2, "{took:?}");
        assert!(!message.contains("thread"), "the connection must be cut, not left behind: {message}");
    };
    with_router("ForceCommand exec sleep 60", |router| timed(&router.plan()));
    // A byte now and then: no single read ever times out.
    with_router("ForceCommand while sleep 1; do echo 1; done", |router| {
        timed(&router.plan());
        // A server that accepts and never sends anything.
        let mut plan = router.plan();
        plan.port = 2223;
        router.know(&format!("127.0.0.1 {}\n", router.host_key("ed25519")));
        let _silent = std::net::TcpListener::bind("127.0.0.1:2223").unwrap();
        timed(&plan);
    });
}

#[test]
fn a_flood_of_stderr_blocks_nothing() {
    let flood = r#"ForceCommand head -c 12000000 /dev/zero >&2; eval "$SSH_ORIGINAL_COMMAND""#;
    with_router(flood, |router| {
        success(&scrape(&mut Worker::new(&router_plan(&router.plan()))));
    });
}

#[test]
fn output_that_is_cut_off_is_truncated() {
    with_router(r#"ForceCommand eval "$SSH_ORIGINAL_COMMAND" | head -c 900"#, |router| {
        let message = failure(&router.plan(), FailureReason::Truncated);
        assert!(message.contains("section `link`"), "{message}");
    });
}

#[test]
fn a_user_without_a_shell_is_told_apart() {
    with_router("ForceCommand echo This account is currently not available.", |router| {
        let message = failure(&router.plan(), FailureReason::Command);
        assert!(message.contains("currently not available"), "{message}");
    });
    with_router("MaxSessions 0", |router| {
        failure(&router.plan(), FailureReason::Permission);
    });
}
