//! Tests with certificates made by OpenSSH's own `ssh-keygen`.

use std::{fs, path::Path, process::Command};

use openssl::base64;
use tempfile::TempDir;

use super::*;

fn keygen(directory: &Path, arguments: &[&str]) {
    let output = Command::new("ssh-keygen").current_dir(directory).arg("-q").args(arguments).output();
    let output = output.expect("ssh-keygen, of Debian's openssh-client");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn blob(directory: &Path, file: &str) -> Vec<u8> {
    let text = fs::read_to_string(directory.join(file)).expect(file);
    base64::decode_block(text.split(' ').nth(1).expect("a key")).expect("base64")
}

/// A directory with an authority key of that type and a host key.
fn keys(authority: &[&str], host: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (file, kind) in [("ca", authority), ("host", host)] {
        keygen(directory.path(), &[kind, &["-N", "", "-f", file]].concat());
    }
    directory
}

fn certified(directory: &TempDir, options: &[&str]) -> Vec<u8> {
    keygen(directory.path(), &[&["-s", "ca", "-I", "id"], options, &["host.pub"]].concat());
    blob(directory.path(), "host-cert.pub")
}

fn now() -> SystemTime {
    SystemTime::now()
}

#[test]
fn every_kind_of_authority_and_key() {
    const KINDS: [&[&str]; 5] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
    ];
    for (index, authority) in KINDS.iter().enumerate() {
        let keys = keys(authority, KINDS[(index + 1) % KINDS.len()]);
        let certificate = certified(&keys, &["-h", "-n", "dc,10.10.0.254", "-V", "+1d"]);
        assert!(is_certificate(&certificate));
        let certificate = Certificate::parse(&certificate).expect("a certificate");
        assert_eq!(certificate.authority, blob(keys.path(), "ca.pub"));
        assert_eq!(certificate.key, blob(keys.path(), "host.pub"));
        assert_eq!(certificate.check("10.10.0.254", now()), Ok(()), "{authority:?}");
    }
}

#[test]
fn what_it_is_not_good_for() {
    let keys = keys(&["-t", "ed25519"], &["-t", "ed25519"]);
    let day = Duration::from_hours(24);
    let why = |options: &[&str], when: SystemTime| {
        let certificate = certified(&keys, options);
        let checked = Certificate::parse(&certificate).expect("a certificate").check("10.10.0.254", when);
        checked.expect_err("not good")
    };
    let here = ["-h", "-n", "10.10.0.254", "-V", "+1d"];
    assert!(why(&here, now() + 2 * day).starts_with("has expired"));
    assert!(why(&here, now() - 2 * day).starts_with("is not valid yet"));
    assert!(why(&here, SystemTime::UNIX_EPOCH - day).starts_with("is not valid yet"));
    assert_eq!(why(&["-h", "-n", "dc,10.10.0.25"], now()), "is for dc, 10.10.0.25, not for 10.10.0.254");
    assert_eq!(why(&["-n", "10.10.0.254"], now()), "is a user's, not a host's");
    assert_eq!(
        why(&["-h", "-n", "10.10.0.254", "-O", "critical:new@example=1"], now()),
        "has critical options that this exporter does not know"
    );
    for principals in ["10.10.0.*", "dc,*", ""] {
        let options = if principals.is_empty() { vec!["-h"] } else { vec!["-h", "-n", principals] };
        let certificate = certified(&keys, &options);
        let certificate = Certificate::parse(&certificate).expect("a certificate");
        assert_eq!(certificate.check("10.10.0.254", now()), Ok(()), "{principals:?}");
    }
}

/// A certificate with any byte changed or removed is refused.
#[test]
fn every_byte_counts() {
    for kind in [&["-t", "ed25519"][..], &["-t", "ecdsa"], &["-t", "rsa", "-b", "2048"]] {
        let keys = keys(kind, &["-t", "ed25519"]);
        let good = certified(&keys, &["-h", "-n", "dc"]);
        let authority = blob(keys.path(), "ca.pub");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let accepted = Certificate::parse(&bad).is_some_and(|certificate| {
                certificate.authority == authority && certificate.check("dc", now()).is_ok()
            });
            assert!(!accepted, "{kind:?}, byte {at} of {}", good.len());
            assert!(Certificate::parse(&good[..at]).is_none(), "{kind:?}, cut at {at}");
        }
    }
}
