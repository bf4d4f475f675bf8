//! `config trust` as a person and as a script use it.

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

use lab::ssh_router::{NAME, Router, with_router};

/// A configuration with this router and this `trust`.
fn configure(router: &Router, trust: &str) {
    let text = format!(
        "routers:\n- name: dc\n  site: dc\n  ssh: {{address: 127.0.0.1, port: 2222, username: root, private_key_file: user, {trust}}}\n"
    );
    fs::write(router.path("config.yml"), text).unwrap();
}

fn command(router: &Router, arguments: &str) -> String {
    let file = router.path("config.yml");
    format!("{} config {arguments} --config.file={}", crate::BINARY, file.display())
}

/// Runs it without a terminal.
fn plain(router: &Router, arguments: &str) -> Output {
    Command::new("sh")
        .args(["-c", &command(router, arguments)])
        .stdin(Stdio::null())
        .output()
        .expect("run it")
}

/// Runs it on a terminal (a pty of Debian's `script`), with these words typed.
fn typed(router: &Router, arguments: &str, words: &str) -> (Option<i32>, String) {
    let mut script = Command::new("script")
        .args(["-q", "-e", "-c", &command(router, arguments), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of Debian's bsdutils");
    script.stdin.take().expect("a pipe").write_all(words.as_bytes()).expect("type");
    let output = script.wait_with_output().expect("wait for script");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn known(router: &Router) -> String {
    fs::read_to_string(router.path("known_hosts")).unwrap_or_default()
}

#[test]
fn a_person_compares_and_types_yes() {
    with_router("", |router| {
        configure(router, "known_hosts_file: known_hosts");
        fs::remove_file(router.path("known_hosts")).unwrap();
        let missing = plain(router, "check");
        assert_eq!(missing.status.code(), Some(2));
        assert!(
            stderr(&missing).contains("`vxlan_exporter config trust ROUTER` makes it"),
            "{}",
            stderr(&missing)
        );
        // Anything but the whole word means no.
        for no in ["no\n", "y\n", "\n"] {
            let (code, said) = typed(router, "trust dc", no);
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains("Type yes") && said.contains("nothing is written"), "{said}");
            assert_eq!(known(router), "");
        }
        let (code, said) = typed(router, "trust dc", "yes\n");
        assert_eq!(code, Some(0), "{said}");
        let print = router.fingerprint("host_ed25519");
        assert!(said.contains(&format!("presented  ssh-ed25519 {print}")), "{said}");
        assert!(said.contains("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"), "{said}");
        assert_eq!(known(router), format!("{NAME} {}\n", router.host_key("ed25519")));
        let good = plain(router, "check");
        assert_eq!((good.status.code(), stderr(&good).as_str()), (Some(0), ""));
        let again = plain(router, &format!("trust dc --yes --fingerprint {print}"));
        assert!(String::from_utf8_lossy(&again.stdout).contains("trusted already"), "{again:?}");
        assert!(!router.log().contains("Accepted"), "it never logs in");
        assert_eq!(router.log().matches("Connection from").count(), 5, "one connection each");
    });
}

#[test]
fn a_changed_key_takes_the_old_ones_place() {
    with_router("", |router| {
        configure(router, "known_hosts_file: known_hosts");
        let (old, new) = (router.new_key("old", "ed25519"), router.host_key("ed25519"));
        let rsa = router.host_key("rsa");
        router.know(&format!("# mine\n{NAME} {old}\n{NAME} {rsa}\nother {old}\n"));
        let (code, said) = typed(router, "trust dc", "yes\n");
        // The router also has the rsa key that is on file, but the preferred type is requested
        // first.
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("CHANGED    ssh-ed25519 {}", router.fingerprint("old"))), "{said}");
        assert!(said.contains("is what line 2 of"), "{said}");
        assert_eq!(known(router), format!("# mine\n{NAME} {rsa}\nother {old}\n{NAME} {new}\n"));
        // A line that names other hosts too must not be changed for them.
        let shared = format!("{NAME},other {old}\n");
        router.know(&shared);
        let (code, said) = typed(router, "trust dc", "yes\n");
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("line 1") && said.contains("correct it by hand"), "{said}");
        assert_eq!(known(router), shared);
        let revoked = format!("@revoked * {new}\n");
        router.know(&revoked);
        let (code, said) = typed(router, "trust dc", "yes\n");
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("line 1") && said.contains("revokes"), "{said}");
        assert_eq!(known(router), revoked);
    });
}

#[test]
fn a_script_must_know_the_fingerprint() {
    with_router("", |router| {
        configure(router, "known_hosts_file: known_hosts");
        router.know("");
        let print = router.fingerprint("host_ed25519");
        let other = router.fingerprint("user");
        for (arguments, words) in [
            ("trust dc", "give --fingerprint SHA256:…"),
            ("trust dc --yes", "--fingerprint"),
            (&*format!("trust dc --fingerprint {print}"), "add --yes"),
            (&*format!("trust dc --yes --fingerprint {other}"), "nothing is written"),
            (
                &*format!("trust cd --yes --fingerprint {print}"),
                "there is no router \"cd\" in the configuration: it has dc",
            ),
        ] {
            let output = plain(router, arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
            assert!(stderr(&output).contains(words), "{arguments}: {}", stderr(&output));
            assert_eq!(known(router), "");
        }
        let unknown = plain(router, "check");
        assert_eq!(unknown.status.code(), Some(0));
        assert!(
            stderr(&unknown).contains("router dc will not be read: hostkey_unknown"),
            "{}",
            stderr(&unknown)
        );
        let output = plain(router, &format!("trust dc --yes --fingerprint {print}"));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(known(router), format!("{NAME} {}\n", router.host_key("ed25519")));
    });
}

#[test]
fn a_fingerprint_in_the_configuration_is_compared() {
    with_router("", |router| {
        let print = router.fingerprint("host_ed25519");
        configure(router, &format!("host_key_fingerprint: \"{print}\""));
        let (code, said) = typed(router, "trust dc", "");
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("trusted already, by `host_key_fingerprint`"), "{said}");
        configure(router, &format!("host_key_fingerprint: \"{}\"", router.fingerprint("user")));
        let (code, said) = typed(router, "trust dc", "");
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&format!("write `host_key_fingerprint: {print}`")), "{said}");
    });
}

#[test]
fn config_check_tells_a_missing_passphrase() {
    with_router("", |router| {
        lab::ssh_router::run(
            "ssh-keygen",
            &["-q", "-p", "-N", "correct-horse", "-f", router.path("user").to_str().unwrap()],
        );
        configure(router, "known_hosts_file: known_hosts");
        let output = plain(router, "check");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("router dc: config: private_key_file"), "{}", stderr(&output));
        assert!(stderr(&output).contains("is encrypted"), "{}", stderr(&output));
        fs::write(router.path("passphrase"), "wrong-horse\n").unwrap();
        configure(router, "passphrase_file: passphrase, known_hosts_file: known_hosts");
        let output = plain(router, "check");
        assert!(stderr(&output).contains("does not open private_key_file"), "{}", stderr(&output));
        assert!(!stderr(&output).contains("wrong-horse"));
        fs::write(router.path("passphrase"), "correct-horse\n").unwrap();
        assert_eq!(plain(router, "check").status.code(), Some(0));
        assert!(!router.log().contains("Connection from"), "it connects nowhere");
    });
}
