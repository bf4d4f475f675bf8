//! Keys, passphrases, agents; host certificates and fingerprints.

use std::{
    fs,
    os::unix::net::{UnixListener, UnixStream},
    process::{Child, Command, Stdio},
};

use vxlan_exporter::{
    model::{
        plan::{Credential, HostTrust},
        types::FailureReason,
    },
    router::{Worker, check_host_key},
};

use super::reading::{Login as _, failure, router_plan, scrape, success, times_out};
use lab::ssh_router::{NAME, Router, run, wait_until, with_router};

#[test]
fn every_type_of_key_logs_in_with_and_without_a_passphrase() {
    with_router("", |router| {
        fs::write(router.path("passphrase"), "correct-horse\n").unwrap();
        for (kind, form) in [
            ("ed25519", "RFC4716"),
            ("ecdsa", "RFC4716"),
            ("rsa", "RFC4716"),
            ("rsa", "PEM"),
            ("rsa", "PKCS8"),
        ] {
            for passphrase in ["", "correct-horse"] {
                let file = format!("key-{kind}-{form}-{passphrase}");
                let path = router.path(&file);
                let arguments =
                    ["-q", "-t", kind, "-m", form, "-a", "1", "-N", passphrase, "-f", path.to_str().unwrap()];
                run("ssh-keygen", &arguments);
                fs::write(router.path("authorized_keys"), router.public_key(&file)).unwrap();
                let mut plan = router.plan();
                plan.credential = Credential::PrivateKey {
                    file: path,
                    passphrase_file: (!passphrase.is_empty()).then(|| router.path("passphrase")),
                };
                let reading = scrape(&mut Worker::new(&router_plan(&plan)));
                assert!(reading.failure.is_none(), "{file}: {:?}", reading.failure);
            }
        }
    });
}

#[test]
fn a_wrong_passphrase_is_told_before_the_router_hears_of_it_and_mended_without_restart() {
    with_router("", |router| {
        let path = router.path("locked");
        run("ssh-keygen", &["-q", "-t", "ed25519", "-a", "1", "-N", "right", "-f", path.to_str().unwrap()]);
        fs::write(router.path("authorized_keys"), router.public_key("locked")).unwrap();
        fs::write(router.path("passphrase"), "wrong\n").unwrap();
        let mut plan = router.plan();
        plan.credential =
            Credential::PrivateKey { file: path, passphrase_file: Some(router.path("passphrase")) };
        let mut worker = Worker::new(&router_plan(&plan));
        let error = scrape(&mut worker).failure.expect("a failure");
        assert_eq!(error.reason, FailureReason::Config);
        assert!(error.message.contains("the passphrase in passphrase_file"), "{error}");
        assert!(!router.log().contains("Connection from"), "{}", router.log());
        fs::write(router.path("passphrase"), "right\n").unwrap();
        success(&scrape(&mut worker));
    });
}

/// A real ssh-agent, ended when dropped.
struct Agent(Child);

impl Agent {
    fn start(router: &Router, keys: &[&str]) -> Self {
        let socket = router.path("agent");
        let agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let agent = Self(agent.expect("ssh-agent, of Debian's openssh-client"));
        wait_until("the agent listens", || UnixStream::connect(&socket).is_ok());
        for key in keys {
            let added = Command::new("ssh-add")
                .arg("-q")
                .arg(router.path(key))
                .env("SSH_AUTH_SOCK", &socket)
                .stdin(Stdio::null())
                .status();
            assert!(added.is_ok_and(|status| status.success()), "ssh-add {key}");
        }
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_agent_logs_in_by_the_key_that_fits() {
    with_router("", |router| {
        for kind in ["rsa", "ecdsa"] {
            router.new_key(&format!("other-{kind}"), kind);
        }
        let mut plan = router.plan();
        plan.credential = Credential::Agent { socket: Some(router.path("agent")) };
        let message = failure(&plan, FailureReason::Config);
        assert!(message.contains("does it run"), "{message}");
        let mut worker = Worker::new(&router_plan(&plan));
        {
            let _agent = Agent::start(router, &["other-rsa", "user", "other-ecdsa"]);
            success(&scrape(&mut worker));
        }
        fs::remove_file(router.path("agent")).unwrap_or_default();
        {
            let _agent = Agent::start(router, &["other-rsa", "other-ecdsa"]);
            success(&scrape(&mut worker));
            let message = failure(&plan, FailureReason::Auth);
            assert!(message.contains("with the keys of the agent"), "{message}");
        }
        fs::remove_file(router.path("agent")).unwrap_or_default();
        {
            let _agent = Agent::start(router, &[]);
            let message = failure(&plan, FailureReason::Config);
            assert!(message.contains("holds no key"), "{message}");
        }
        fs::remove_file(router.path("agent")).unwrap_or_default();
        // It accepts the connection into its backlog, and nothing more.
        let _silent = UnixListener::bind(router.path("agent")).unwrap();
        let message = times_out(&plan);
        assert!(message.contains("asking the agent"), "{message}");
    });
}

#[test]
fn a_host_certificate_is_checked_against_its_authority() {
    with_router("HostCertificate DIRECTORY/host_ed25519-cert.pub", |router| {
        let plan = router.plan();
        let authority = router.public_key("authority");
        router.know(&format!("@cert-authority *:2222,127.0.0.* {authority}\n"));
        let mut worker = Worker::new(&router_plan(&plan));
        success(&scrape(&mut worker));
        // An authority's key is never a host key.
        router.know(&format!("{NAME} {authority}\n"));
        let message = failure(&plan, FailureReason::HostkeyMismatch);
        assert!(message.contains("has changed"), "{message}");
        // Another authority.
        let other = router.new_key("other", "ed25519");
        router.know(&format!("@cert-authority * {other}\n"));
        let message = failure(&plan, FailureReason::HostkeyUnknown);
        assert!(
            message.contains("certified by SHA256:") && message.contains("no such authority"),
            "{message}"
        );
        // A certificate for another name.
        let directory = router.path("");
        let resign = |principal: &str| {
            let sign = ["-q", "-s", "authority", "-I", "host", "-h", "-n", principal, "host_ed25519.pub"];
            let signed = Command::new("ssh-keygen").current_dir(&directory).args(sign).status();
            assert!(signed.is_ok_and(|status| status.success()));
            router.reload();
        };
        resign("10.10.0.254");
        router.know(&format!("@cert-authority * {authority}\n"));
        let message = failure(&plan, FailureReason::HostkeyUnknown);
        assert!(message.contains("its certificate is for 10.10.0.254, not for 127.0.0.1"), "{message}");
        // The same key, on file as a plain one, needs no certificate.
        router.know(&format!("@cert-authority * {other}\n{NAME} {}\n", router.host_key("ed25519")));
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        // A revoked authority certifies nothing.
        resign("127.0.0.1");
        router.know(&format!("@cert-authority * {authority}\n@revoked * {authority}\n"));
        let message = failure(&plan, FailureReason::HostkeyMismatch);
        assert!(message.contains("line 2"), "{message}");
    });
}

#[test]
fn an_authority_alone_does_not_vouch_for_a_plain_key() {
    with_router("", |router| {
        router.know(&format!("@cert-authority * {}\n", router.public_key("authority")));
        let plan = router.plan();
        let message = failure(&plan, FailureReason::HostkeyUnknown);
        assert!(message.contains("without a certificate"), "{message}");
        assert_eq!(check_host_key(&plan), Ok(()));
    });
}

#[test]
fn a_fingerprint_stands_for_a_file() {
    // A router with a certificate is asked for its plain key.
    with_router("HostCertificate DIRECTORY/host_ed25519-cert.pub", |router| {
        let mut plan = router.plan();
        plan.host_trust =
            HostTrust::Fingerprint(router.fingerprint("host_ed25519").parse().expect("a fingerprint"));
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        plan.host_trust = HostTrust::Fingerprint(router.fingerprint("user").parse().expect("a fingerprint"));
        let message = failure(&plan, FailureReason::HostkeyMismatch);
        assert!(message.contains(&router.fingerprint("host_ed25519")), "{message}");
        assert!(message.contains("`host_key_fingerprint` is SHA256:"), "{message}");
        assert_eq!(router.log().matches("Accepted publickey").count(), 1);
    });
}
