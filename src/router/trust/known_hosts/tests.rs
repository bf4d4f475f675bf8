use super::*;

const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

#[test]
fn lines_marks_and_noise() {
    let text = format!(
        "# ssh-ed25519 {KEY}\n\n  dc,10.10.0.254 ssh-ed25519 {KEY} comment here\r\n@revoked\t* ssh-ed25519 {KEY}\n\
         @cert-authority *.example ssh-ed25519 {KEY}\n@other * ssh-ed25519 {KEY}\ndc ssh-rsa {KEY}\n\
         dc ssh-ed25519 AAAA\ndc ssh-ed25519\ndc 2048 35 1234567890\n@revoked\n"
    );
    let read: Vec<_> = parse(&text).into_iter().map(|entry| (entry.line, entry.mark, entry.names)).collect();
    assert_eq!(
        read,
        [
            (3, Marker::Plain, "dc,10.10.0.254".to_owned()),
            (4, Marker::Revoked, "*".to_owned()),
            (5, Marker::Authority, "*.example".to_owned()),
        ]
    );
}

#[test]
fn names_patterns_and_ports() {
    let names = |names: &str, name: &str| {
        parse(&format!("{names} ssh-ed25519 {KEY}")).pop().expect(names).names(name)
    };
    for (pattern, name) in [
        ("DC.Example", "dc.example"),
        ("a,dc.example,b", "dc.example"),
        ("*.example", "dc.example"),
        ("10.10.?.254", "10.10.0.254"),
        ("*", "anything"),
        ("[10.10.0.254]:2222", "[10.10.0.254]:2222"),
        ("[*]:2222", "[10.10.0.254]:2222"),
        ("*.example,!bad.example", "dc.example"),
        ("d*c*example", "dcc.c.example"),
    ] {
        assert!(names(pattern, name), "{pattern} is {name}");
    }
    for (pattern, name) in [
        ("dc", "dc2"),
        ("*.example", "example"),
        ("10.10.?.254", "10.10.10.254"),
        ("10.10.0.254", "[10.10.0.254]:2222"),
        ("*.example,!bad.example", "bad.example"),
        ("!bad.example,*.example", "bad.example"),
        ("!bad.example", "dc.example"),
        ("d*e", "dcf"),
    ] {
        assert!(!names(pattern, name), "{pattern} is not {name}");
    }
}

#[test]
fn hashed_names() {
    let hash = hmac_sha1(b"salt of 20 bytes....", b"[10.10.0.254]:2222").unwrap();
    let field =
        format!("|1|{}|{}", base64::encode_block(b"salt of 20 bytes...."), base64::encode_block(&hash));
    let entry = parse(&format!("{field} ssh-ed25519 {KEY}")).pop().unwrap();
    assert!(entry.names("[10.10.0.254]:2222") && entry.names_only("[10.10.0.254]:2222"));
    assert!(!entry.names("10.10.0.254") && !entry.names_only("10.10.0.254"));
    for bad in ["|1|", "|1||", "|1|x|y", "|2|AAAA|AAAA", "|"] {
        let entry = parse(&format!("{bad} ssh-ed25519 {KEY}")).pop().unwrap();
        assert!(!entry.names("10.10.0.254") && !entry.names(""), "{bad}");
    }
}

#[test]
fn a_key_is_added_on_a_line_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("known_hosts");
    let blob = base64::decode_block(KEY).unwrap();
    add(&file, "dc", &blob).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("dc ssh-ed25519 {KEY}\n"));
    fs::write(&file, "# no end of line").unwrap();
    add(&file, "[dc]:2222", &blob).unwrap();
    let expected = format!("# no end of line\n[dc]:2222 ssh-ed25519 {KEY}\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
}

#[test]
fn a_key_replaces_lines_and_keeps_mode_links_and_neighbours() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("real"), directory.path().join("known_hosts"));
    std::os::unix::fs::symlink("real", &link).unwrap();
    fs::write(&file, "one\ntwo\nthree").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    replace(&link, &[2], "dc", &base64::decode_block(KEY).unwrap()).unwrap();
    assert_eq!(fs::read_to_string(&link).unwrap(), format!("one\nthree\ndc ssh-ed25519 {KEY}\n"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left beside it");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[|@*!?,a-z0-9 =\n]{0,120}|.{0,120}", name in ".{0,20}") {
        for entry in parse(&text) {
            let _ = entry.names(&name);
        }
        let _ = matches(&text, &name);
    }
}
