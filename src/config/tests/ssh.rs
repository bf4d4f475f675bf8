//! The keys under `ssh`.

use super::{SSH, plan, refused};
use crate::model::plan::{Credential, HostTrust, SshPlan, Transport};

/// Routers, each with its jump router.
fn jumps(pairs: &[(&str, &str)]) -> String {
    let routers = pairs.iter().map(|(name, jump)| {
        format!(
            "- name: {name}\n  site: dc\n  ssh: {{address: 10.0.0.1, username: u, agent: true, known_hosts_file: kh, jump: {jump}}}\n"
        )
    });
    format!("routers:\n{}", routers.collect::<String>())
}

#[test]
fn an_ssh_login_as_written() {
    let ssh = |text: &str| -> SshPlan {
        match plan(text).routers.pop().expect("a router").transport {
            Transport::Ssh(ssh) => ssh,
            Transport::Local | Transport::Api(_) => panic!("{text}"),
        }
    };
    let fingerprint = "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";
    let own = ssh(&format!(
        "{}    agent: true\n    agent_socket: agent\n    host_key_fingerprint: {fingerprint}=\n    max_output: 128KiB",
        SSH.replace("    known_hosts_file: kh\n", "")
    ));
    assert_eq!(own.credential, Credential::Agent { socket: Some("/etc/vxlan_exporter/agent".into()) });
    assert_eq!(own.host_trust, HostTrust::Fingerprint(fingerprint.parse().expect("a fingerprint")));
    assert_eq!(own.max_output, 128 << 10);
    let chain = jumps(&[("a", "b"), ("b", "c")])
        + "- name: c\n  site: dc\n  ssh: {address: 10.0.0.9, username: u, password_file: p, known_hosts_file: kh}\n";
    let Transport::Ssh(a) = &plan(&chain).routers[0].transport else { panic!("a is read over ssh") };
    let b = a.jump.as_deref().expect("through b");
    let c = b.ssh.jump.as_deref().expect("through c");
    assert_eq!((b.router.as_str(), c.router.as_str(), c.ssh.address.as_str()), ("b", "c", "10.0.0.9"));
    assert_eq!(c.ssh.jump, None);
}

#[test]
fn rules_of_an_ssh_login() {
    for (text, message) in [
        (
            SSH.replace("address", "^address"),
            "routers[0].ssh: has nothing to log in with: add `private_key_file`, `password_file` or `agent: true`",
        ),
        (
            format!("{SSH}    ^agent: true\n    private_key_file: k"),
            "routers[0].ssh: has both `private_key_file` and `agent`: keep one",
        ),
        (
            format!("{SSH}    password_file: p\n    ^passphrase_file: p"),
            "routers[0].ssh: has no `private_key_file` to unlock: remove it",
        ),
        (
            format!("{SSH}    private_key_file: k\n    ^agent_socket: s"),
            "routers[0].ssh: has no effect without an agent: add `agent: true`",
        ),
        (
            format!("{SSH}    private_key_file: k\n")
                .replace("    known_hosts_file: kh\n", "")
                .replace("address", "^address"),
            "routers[0].ssh: does not say which host key the router has: add `known_hosts_file` \
             (`vxlan_exporter config trust ROUTER` fills it) or `host_key_fingerprint: SHA256:…`",
        ),
        (
            format!("{SSH}    private_key_file: k\n    ^host_key_fingerprint: SHA256:{}", "A".repeat(43)),
            "routers[0].ssh: has both `known_hosts_file` and `host_key_fingerprint`: keep one",
        ),
        (
            format!("{SSH}    host_key_fingerprint: ^MD5:00:11"),
            "routers[0].ssh.host_key_fingerprint: \"MD5:00:11\" is not a SHA256 fingerprint: write SHA256: and 43 characters, as `ssh-keygen -l` prints it",
        ),
        (
            format!("{SSH}    max_output: ^16MB"),
            "routers[0].ssh.max_output: \"16MB\" is not a size: write a whole number and KiB or MiB, e.g. 16MiB",
        ),
        (
            format!("{SSH}    max_output: ^63KiB"),
            "routers[0].ssh.max_output: 63KiB is out of range: give 64KiB to 1024MiB",
        ),
        (
            format!("{SSH}    private_key_file: k\n    jump: ^dcc"),
            "routers[0].ssh.jump: there is no router \"dcc\": did you mean \"dc\"?",
        ),
        (
            format!("{SSH}    private_key_file: k\n    jump: ^here\n- name: here\n  site: dc\n  local: {{}}"),
            "routers[0].ssh.jump: \"here\" is not read over SSH: name a router that has `ssh`",
        ),
        (
            format!("{SSH}    private_key_file: k\n    jump: ^dc"),
            "routers[0].ssh.jump: `jump` forms a loop, dc -> dc: let one of these routers be reached \
             directly",
        ),
        (
            jumps(&[("a", "^c"), ("b", "a"), ("c", "b")]),
            "routers[0].ssh.jump: `jump` forms a loop, a -> c -> b -> a: let one of these routers be \
             reached directly",
        ),
        (
            jumps(&[("outside", "a"), ("a", "^b"), ("b", "a")]),
            "routers[1].ssh.jump: `jump` forms a loop, a -> b -> a: let one of these routers be reached \
             directly",
        ),
        (
            format!("{SSH}    private_key_file: k\n    ^password_file: p"),
            "routers[0].ssh: has both `private_key_file` and `password_file`: keep one",
        ),
    ] {
        refused(&text, message);
    }
}
