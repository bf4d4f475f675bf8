//! Offers of a server: login methods other than `password`, and no common algorithm.

use std::fs;

use vxlan_exporter::{
    model::{plan::Credential, types::FailureReason},
    router::Worker,
};

use super::reading::{Login as _, failure, key, router_plan, scrape, success};
use lab::ssh_router::{NAME, PASSWORD, wait_until, with_router, with_router_after};

/// PAM as on VyOS, without what a test machine may lack.
const PAM: &str = r#"
cat > "$D/pam" <<END
auth required pam_unix.so
account required pam_permit.so
session required pam_permit.so
END
mount --bind "$D/pam" /etc/pam.d/sshd
"#;
const INTERACTIVE: &str =
    "UsePAM yes\nPasswordAuthentication no\nPubkeyAuthentication no\nKbdInteractiveAuthentication yes";

#[test]
fn a_password_answers_the_one_hidden_question() {
    with_router_after(PAM, INTERACTIVE, |router| {
        let mut plan = router.plan();
        plan.credential = Credential::Password(router.path("password"));
        fs::write(router.path("password"), format!("{PASSWORD}\n")).unwrap();
        success(&scrape(&mut Worker::new(&router_plan(&plan))));
        assert!(router.log().contains("Accepted keyboard-interactive/pam"), "{}", router.log());
        fs::write(router.path("password"), "not-the-password\n").unwrap();
        let message = failure(&plan, FailureReason::Auth);
        assert!(message.contains("the router offers keyboard-interactive; check the password"), "{message}");
        assert!(!message.contains("not-the-password"), "{message}");
        plan.credential = key(router.path("user"));
        let message = failure(&plan, FailureReason::Auth);
        assert!(message.contains("the router offers keyboard-interactive; add its public key"), "{message}");
    });
}

#[test]
fn where_no_password_is_taken_that_is_said() {
    with_router("PasswordAuthentication no\nKbdInteractiveAuthentication no", |router| {
        let mut plan = router.plan();
        plan.credential = Credential::Password(router.path("password"));
        fs::write(router.path("password"), format!("{PASSWORD}\n")).unwrap();
        let message = failure(&plan, FailureReason::Auth);
        for words in ["the router offers publickey; it accepts no password", "private_key_file"] {
            assert!(message.contains(words), "{message}");
        }
    });
}

#[test]
fn a_server_with_nothing_in_common_is_told_with_both_offers_and_asked_once() {
    let old = "KexAlgorithms diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-rsa\nCiphers aes128-cbc,3des-cbc\nMACs hmac-sha1";
    with_router(old, |router| {
        router.know(&format!("{NAME} {}\n", router.host_key("rsa")));
        let mut worker = Worker::new(&router_plan(&router.plan()));
        let first = scrape(&mut worker).failure.expect("a failure");
        assert_eq!(first.reason, FailureReason::KeyExchange, "{first}");
        for words in [
            "no key exchange (it offers diffie-hellman-group14-sha1",
            "we offer mlkem768x25519-sha256",
            "no host key type (it offers ssh-rsa; we offer rsa-sha2-512",
            "service ssh",
        ] {
            assert!(first.message.contains(words), "{words}: {first}");
        }
        let connections = || router.log().matches("Connection from").count();
        wait_until("both connections are logged", || connections() >= 2);
        assert_eq!(scrape(&mut worker).failure.expect("a failure"), first);
        wait_until("the third is logged", || connections() >= 3);
        assert_eq!(connections(), 3, "{}", router.log());
    });
}
