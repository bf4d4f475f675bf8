use std::{
    fs, os::unix::fs::symlink, os::unix::net::UnixListener, path::Path, sync::mpsc, thread, time::Duration,
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use super::*;

/// The error text, within a time in which nothing that waits for a writer would return.
fn said(file: &Path) -> String {
    let (tell, told) = mpsc::channel();
    let named = file.to_owned();
    thread::spawn(move || tell.send(read(&named, MOST_BYTES).map_err(|error| error.to_string())));
    told.recv_timeout(Duration::from_secs(20)).expect("does not hang").expect_err("not a regular file")
}

#[test]
fn what_is_no_regular_file_is_named_and_not_waited_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    mkfifo(&path("pipe"), Mode::S_IRUSR).expect("made");
    symlink("pipe", path("link")).expect("linked");
    let _socket = UnixListener::bind(path("socket")).expect("bound");
    for (file, what) in [
        (path("pipe"), "it is a named pipe, and only a regular file is read; name a regular file"),
        (path("link"), "it is a named pipe"),
        (path("socket"), "it is a socket or a device"),
        (path("."), "it is a directory"),
        ("/dev/zero".into(), "it is a device"),
        (path("none"), "No such file or directory (os error 2); put it there, or correct its name"),
    ] {
        let said = said(&file);
        let named = file.display().to_string();
        assert!(said.starts_with(&format!("cannot read {named}: ")) && said.contains(what), "{said}");
    }
}

#[test]
fn as_many_bytes_as_allowed_and_no_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, [b'x'; 100]).expect("written");
    let link = directory.path().join("link");
    symlink("file", &link).expect("linked");
    assert_eq!(read(&link, 100).expect("as long as allowed"), [b'x'; 100]);
    let error = read(&file, 99).expect_err("too long");
    assert!(error.to_string().contains("it has more than 99 bytes"), "{error}");
    // Files in /proc report length 0.
    assert!(!read(Path::new("/proc/self/status"), MOST_BYTES).expect("read").is_empty());
    assert!(read(Path::new("/proc/self/status"), 10).is_err());
    // A sparse file of 4 GiB.
    let huge = directory.path().join("huge");
    fs::File::create(&huge).and_then(|huge| huge.set_len(4 << 30)).expect("made");
    assert!(read(&huge, MOST_BYTES).is_err());
}

#[test]
fn a_secret_is_text_or_nothing_and_never_printed() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("secret");
    fs::write(&file, "hunter2\n").expect("written");
    assert_eq!(*read_secret_text(&file).expect("text"), "hunter2\n");
    fs::write(&file, b"hunter2\xff").expect("written");
    let error = read_secret_text(&file).expect_err("no text");
    assert!(error.to_string().contains("it is not UTF-8 text") && !error.to_string().contains("hunter2"));
    assert_eq!(read_secret(&file).expect("bytes").len(), 8);
}
