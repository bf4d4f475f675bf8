use super::*;

const HASH: &str = "$2y$04$UuTkLRZZ6QofpDOlMz32Mu.Q0RxchGgVsgfueU0KqnX6uL.WE/FNe";

fn refused(text: &str) -> String {
    parse(text.as_bytes(), Path::new("/etc/x/web.yml")).expect_err(text).to_string()
}

#[test]
fn as_written() {
    assert_eq!(parse(b"", Path::new("web.yml")), Ok(WebFile::default()));
    let marked = format!("\u{feff}basic_auth_users:\r\n  a: {HASH}\r\n");
    assert_eq!(parse(marked.as_bytes(), Path::new("web.yml")).expect("good").users.len(), 1);
    let text = format!(
        "tls_server_config:\n  cert_file: tls.crt\n  key_file: /run/tls.key\n  client_ca_file: ca.crt\n  \
         client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\nbasic_auth_users:\n  \
         prometheus: {HASH}\n  'a b': {HASH}\n"
    );
    let read = parse(text.as_bytes(), Path::new("/etc/x/web.yml")).expect("good");
    let tls = read.tls.expect("TLS");
    assert_eq!(tls.certificate, Pem::File("/etc/x/tls.crt".into()));
    assert_eq!(tls.key, Pem::File("/run/tls.key".into()));
    assert_eq!(tls.clients, Some((ClientCertificate::Required, Pem::File("/etc/x/ca.crt".into()))));
    assert_eq!(tls.least, TlsVersion::Tls13);
    assert_eq!(read.users.keys().collect::<Vec<_>>(), ["a b", "prometheus"]);
    let plain = parse(b"tls_server_config: {cert_file: c, key_file: ./k}", Path::new("web.yml"));
    let tls = plain.expect("good").tls.expect("TLS");
    assert_eq!((tls.clients, tls.least), (None, TlsVersion::Tls12));
}

#[test]
fn what_is_wrong_where_and_what_to_do() {
    let tls = "tls_server_config:\n  cert_file: c\n  key_file: ./k\n";
    for (text, message) in [
        (
            "tls_server_configs: {}".to_owned(),
            "line 1 column 1: unknown key `tls_server_configs`: did you mean `tls_server_config`?",
        ),
        (
            format!("{tls}  max_version: TLS11"),
            "line 4 column 3: tls_server_config: is older than every version that is offered: write TLS12 or TLS13",
        ),
        (
            format!("{tls}  min_version: TLS13\n  max_version: TLS12"),
            "line 5 column 3: tls_server_config: is older than `min_version`: no version is left",
        ),
        (
            format!("{tls}  cipher_suites: [TLS_NONSENSE]"),
            "line 4 column 3: tls_server_config: \"TLS_NONSENSE\" is none of the suites: write TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ",
        ),
        (
            format!("{tls}  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]"),
            "line 5 column 3: tls_server_config: none of these is offered, so no client could connect",
        ),
        (
            format!("{tls}  curve_preferences: [CurveP521]"),
            "line 4 column 3: tls_server_config: none of these is offered: write X25519, CurveP256 or CurveP384",
        ),
        (format!("{tls}  curve_preferences: [P256]"), "unknown value `P256`, expected one of `CurveP256`"),
        (
            format!("{tls}  cert: hunter2"),
            "line 4 column 3: tls_server_config: `cert_file` is given too: keep one",
        ),
        (format!("{tls}  client_allowed_sans: [a]"), "has no effect without client certificates"),
        ("rate_limit: {interval: 1s}".to_owned(), "line 1 column 13: rate_limit: has no `burst`"),
        ("rate_limit: {interval: 1 hour, burst: 1}".to_owned(), "rate_limit.interval: "),
        (
            "http_server_config:\n  headers:\n    Server: x".to_owned(),
            "line 3 column 5: http_server_config.headers: unknown key `Server`",
        ),
        (
            "http_server_config:\n  headers: {X-Frame-Options: \"a\\nb\"}".to_owned(),
            "http_server_config.headers: the value of x-frame-options has characters that a header cannot have",
        ),
        (
            "tls_server_config:\n  cert_file: c".to_owned(),
            "line 2 column 3: tls_server_config: key `key_file` is missing: add it",
        ),
        (
            format!("{tls}  min_version: SSL30"),
            "line 4 column 16: tls_server_config.min_version: unknown value `SSL30`, expected one of `TLS10`, `TLS11`, `TLS12`, `TLS13`",
        ),
        (
            format!("{tls}  client_auth_type: RequestClientCert"),
            "line 4 column 21: tls_server_config.client_auth_type: unknown value `RequestClientCert`, expected one of `NoClientCert`, `VerifyClientCertIfGiven`, `RequireAndVerifyClientCert`",
        ),
        (
            format!("{tls}  client_ca_file: ca"),
            "line 4 column 3: tls_server_config: has no effect without client certificates: add \
             `client_auth_type: RequireAndVerifyClientCert`",
        ),
        (
            format!("{tls}  client_auth_type: VerifyClientCertIfGiven"),
            "line 4 column 3: tls_server_config: has no authority to check client certificates with: \
             add `client_ca_file`",
        ),
        (
            "basic_auth_users:\n  me: hunter2".to_owned(),
            "line 2 column 7: basic_auth_users.me: this is not a bcrypt hash: make one with `htpasswd \
             -nBC 10 ''` and copy the part after the colon",
        ),
        (
            format!("basic_auth_users:\n  me: {}", HASH.replace("$04$", "$31$")),
            "line 2 column 7: basic_auth_users.me: a hash of cost 31 takes too long to check: make one of cost 10 to 15",
        ),
        (
            format!("basic_auth_users:\n  me: {HASH}\n  me: {HASH}"),
            "the user \"me\" is given twice: keep one",
        ),
        (format!("basic_auth_users:\n  'a:b': {HASH}"), "\"a:b\" is not a user name"),
        (
            "basic_auth_users: [me]".to_owned(),
            "found a list, expected a mapping of user names to bcrypt hashes",
        ),
    ] {
        let said = refused(&text);
        assert!(said.starts_with("/etc/x/web.yml, line ") && said.contains(message), "{text}:\n{said}");
        assert!(!said.contains("hunter2") && !said.contains(HASH), "a secret: {said}");
    }
}

/// A file as one writes it for `node_exporter`.
#[test]
fn what_has_no_effect_is_taken_and_said() {
    let text = "tls_server_config:\n  cert: inline\n  key: secret\n  client_ca: inline\n  client_auth_type: \
                RequireAndVerifyClientCert\n  client_allowed_sans: [prometheus.example]\n  min_version: \
                TLS10\n  max_version: TLS13\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, \
                TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_AES_128_GCM_SHA256]\n  prefer_server_cipher_suites: \
                true\n  curve_preferences: [CurveP521, CurveP256, X25519]\nhttp_server_config:\n  http2: true\n  \
                headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=31536000\n    \
                X-XSS-Protection:\nrate_limit: {interval: 100ms, burst: 20}\n";
    let read = parse(text.as_bytes(), Path::new("web.yml")).unwrap_or_else(|error| panic!("{error}"));
    let tls = read.tls.expect("TLS");
    assert!(matches!((&tls.certificate, &tls.key), (Pem::Here(_), Pem::Here(_))), "{tls:?}");
    assert!(!format!("{tls:?}").contains("secret"));
    assert_eq!((tls.least, tls.most, tls.our_order), (TlsVersion::Tls12, TlsVersion::Tls13, true));
    assert_eq!(tls.suites, ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
    assert_eq!(tls.curves, [Curve::CurveP256, Curve::X25519]);
    assert_eq!(tls.client_names, ["prometheus.example"]);
    assert_eq!(
        read.headers,
        [
            ("strict-transport-security", "max-age=31536000".to_owned()),
            ("x-frame-options", "deny".to_owned())
        ]
    );
    assert_eq!(read.rate, Some(Rate { interval: Duration::from_millis(100), burst: 20 }));
    let said = read.without_effect.join("; ");
    for words in ["HTTP/1.1", "min_version", "AES_128_CBC_SHA is not offered", "always offered", "CurveP521"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(read.without_effect.len(), 5, "{said}");
    let none = parse(b"rate_limit: {burst: 3}\nhttp_server_config: {http2: false}", Path::new("web.yml"));
    assert_eq!(none, Ok(WebFile::default()));
}
