//! Each test runs in a thread of its own, so that only that thread loses what is given up.

use std::{
    fs,
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
    thread,
};

use nix::{
    errno::Errno,
    sched::{CloneFlags, unshare},
    unistd::chroot,
};
use rustix::thread::{CapabilitySet, capabilities as capabilities_of};

use super::*;

fn apart(test: impl FnOnce() + Send + 'static) {
    thread::spawn(test).join().expect("it holds");
}

#[test]
fn no_file_is_written_and_every_one_is_read() {
    apart(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        fs::write(path("there"), "as it was").expect("written");
        fs::write(path("program"), "#!/bin/sh\n").expect("written");
        fs::set_permissions(path("program"), fs::Permissions::from_mode(0o755)).expect("set");
        set_no_new_privs(true).expect("set");
        landlock::forbid_writing().expect("this kernel has it");
        for refused in [
            fs::write(path("new"), ""),
            fs::write(path("there"), ""),
            fs::remove_file(path("there")),
            fs::rename(path("there"), path("elsewhere")),
            fs::create_dir(path("directory")),
            symlink("/etc", path("link")),
            Command::new(path("program")).status().map(drop),
        ] {
            assert_eq!(refused.expect_err("refused").kind(), ErrorKind::PermissionDenied);
        }
        assert_eq!(fs::read_to_string(path("there")).expect("read"), "as it was");
        assert!(fs::write("/dev/null", "away").is_ok());
        let said = Command::new("/bin/sh")
            .args(["-c", "ip -o link 2>/dev/null; echo $?"])
            .output()
            .expect("it runs");
        assert!(String::from_utf8_lossy(&said.stdout).ends_with("0\n"), "{said:?}");
    });
}

#[test]
fn a_call_that_is_not_named_is_not_known() {
    apart(|| {
        set_no_new_privs(true).expect("set");
        seccomp::forbid_calls().expect("this kernel has it");
        for refused in [unshare(CloneFlags::CLONE_NEWNET), chroot("/")] {
            assert_eq!(refused, Err(Errno::ENOSYS));
        }
        // Threads, programs, sockets and files still work.
        let said = Command::new("/bin/sh").args(["-c", "echo $((1 + 1))"]).output().expect("it runs");
        assert_eq!(said.stdout, b"2\n");
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("an address");
        let asked = thread::spawn(move || TcpStream::connect(address).map(drop));
        listener.accept().expect("accepted");
        asked.join().expect("a thread").expect("connected");
        assert!(fs::read_dir("/").expect("read").count() > 0);
    });
}

#[test]
fn one_capability_is_left_and_none_comes_back() {
    apart(|| {
        let had = capabilities_of(None).expect("told");
        capabilities::drop_all_but_net_raw(&[14_789]).expect("dropped");
        set_no_new_privs(true).expect("set");
        let has = capabilities_of(None).expect("told");
        assert_eq!(has.permitted, had.permitted & CapabilitySet::NET_RAW);
        assert!(has.inheritable.is_empty() && has.effective == has.permitted);
        // Programs of root get everything in the bounding set.
        let said =
            Command::new("/bin/sh").args(["-c", "grep CapEff /proc/self/status"]).output().expect("it runs");
        let left =
            String::from_utf8_lossy(&said.stdout).trim().trim_start_matches("CapEff:").trim().to_owned();
        assert!(["0000000000002000", "0000000000000000"].contains(&left.as_str()), "{left}");
    });
    apart(|| {
        let had = capabilities_of(None).expect("told");
        capabilities::drop_all_but_net_raw(&[443]).expect("dropped");
        let kept = CapabilitySet::NET_RAW | CapabilitySet::NET_BIND_SERVICE;
        assert_eq!(capabilities_of(None).expect("told").permitted, had.permitted & kept);
    });
}
