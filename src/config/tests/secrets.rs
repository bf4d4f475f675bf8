//! A secret written in place of its file's name appears in no error, whatever else is wrong in the
//! configuration.

use std::{fs, path::Path};

use proptest::prelude::*;

use crate::{
    command::load as whole,
    config::{load, secret_names, web_file},
};

const MOST: u64 = 1 << 20;
const ROUTER: &str = "routers:\n- name: dc\n  site: dc\n  ssh: {address: 127.0.0.1, username: me, host_key_fingerprint: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU', ";
const API: &str = "routers:\n- name: dc\n  site: dc\n  api: {url: 'https://127.0.0.1', certificate_fingerprint: 'SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', ";
const PATH: &str = "site: a\npaths:\n- {name: p, site: dc, address: 10.0.0.1, reflector: true, ";
const REFLECTOR: &str = "reflector: {listen: ':14790', ";

/// Each key with the text around it.
const KEYS: [(&str, &str, &str); 6] = [
    (ROUTER, "private_key_file", "}"),
    (ROUTER, "password_file", "}"),
    (ROUTER, "private_key_file: /dev/null, passphrase_file", "}"),
    (API, "key_file", "}"),
    (PATH, "reflector_secret_file", "}"),
    (REFLECTOR, "secret_file", "}"),
];

/// A secret as YAML may hold it, complete or broken.
fn written() -> impl Strategy<Value = (String, String)> {
    let secret = "[A-Za-z0-9+_.=-]{8,40}(/[A-Za-z0-9+_=-]{6,20}){0,2}";
    let form = prop::sample::select(vec![
        "%",
        "'%'",
        "\"%\"",
        "/%",
        "\"%",
        "'%",
        "*%",
        "&%",
        "!%",
        "!!int %",
        "!!binary %",
        "[%]",
        "[%",
        "{%: x}",
        "{%",
        "|%",
        "@%",
        "%: y",
        "\"\\%\"",
        "~/%",
        "%\n  bad",
        "-----BEGIN %",
    ]);
    (secret, form).prop_map(|(secret, form)| (form.replace('%', &secret), secret))
}

#[test]
fn a_key_that_restricts_must_have_a_value() {
    let keys = [
        "reflector: {listen: \":14790\", secret_file: }",
        "reflector: {listen: \":14790\", secret_file: &anchor}",
        "reflector: {listen: \":14790\", allowed_sources: }",
        "web: {allowed_sources: }",
        "probe: {allowed_targets: }",
        "web: {allowed_sources: []}",
        "site: a\npaths:\n- {name: p, site: dc, address: 10.0.0.1, reflector: true, reflector_secret_file: ~}",
    ];
    for text in keys {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config.yml");
        fs::write(&file, format!("{text}\n")).expect("written");
        let error = load(&file, MOST).expect_err(text).to_string();
        assert!(error.contains("config.yml, line "), "{text}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_error_repeats_a_secret((value, secret) in written(), key in prop::sample::select(KEYS.to_vec())) {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config.yml");
        let (before, name, after) = key;
        fs::write(&file, format!("{before}{name}: {value}{after}\n")).expect("written");
        let error = format!("{:#}", whole::load(&file, MOST).expect_err("no such file"));
        prop_assert!(!error.contains(&secret), "{name}: {value}: {error}");
        let config = load(&file, MOST).map_err(|error| format!("{error:?} {error:#?}"));
        prop_assert!(!config.is_err_and(|error| error.contains(&secret)));
    }

    #[test]
    fn nor_does_the_web_configuration((value, secret) in written(), key in 0..3) {
        let text = match key {
            0 => format!("tls_server_config: {{cert_file: ./a, key_file: {value}}}\n"),
            1 => format!("basic_auth_users: {{me: {value}}}\n"),
            _ => format!("basic_auth_users: {{me: {{a: {value}}}}}\n"),
        };
        let error = web_file::parse(text.as_bytes(), Path::new("/none/web.yml")).expect_err("no such file");
        prop_assert!(!format!("{error} {error:?}").contains(&secret), "{text}: {error}");
    }
}

#[test]
fn a_hash_for_a_name_is_not_repeated() {
    let hash = "$2y$04$UuTkLRZZ6QofpDOlMz32Mu.Q0RxchGgVsgfueU0KqnX6uL.WE/FNe";
    let text = format!("basic_auth_users:\n  {hash}: me\n");
    let error = web_file::parse(text.as_bytes(), Path::new("web.yml")).expect_err("swapped").to_string();
    assert!(error.contains("a hash is in the place") && !error.contains("UuTk"), "{error}");
}

#[test]
fn a_place_is_what_there_is_or_could_be() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("keys")).expect("made");
    fs::write(directory.path().join("id"), "").expect("written");
    let is_place = |name: &str| secret_names::is_place(directory.path(), Path::new(name));
    for name in ["id", "keys", "keys/none", "./none", "../none", "/run/none", "/etc/none/deep"] {
        assert!(is_place(name), "{name}");
    }
    for name in ["hunter2", "/hunter2", "hun/ter2", "/hun/ter2", "//hunter2", "none"] {
        assert!(!is_place(name), "{name}");
    }
}

#[test]
fn what_is_said_instead_says_where_and_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("config.yml");
    let text = "routers:\n- name: dc\n  site: dc\n  ssh:\n    address: 127.0.0.1\n    username: me\n    agent: false\n    password_file: hunter2\n    known_hosts_file: kh\n";
    fs::write(&file, text).expect("written");
    let error = load(&file, MOST).expect_err("no file").to_string();
    let told = format!(
        "{}, line 8 column 20: routers[0].ssh.password_file: {}",
        file.display(),
        secret_names::UNSEEN
    );
    assert_eq!(error, told);
}
