use super::*;
use crate::model::plan::{ApiPlan, Trust};

const API: &str = "routers:\n- name: dc\n  site: dc\n  api:\n    key_file: k\n    url: https://dc\n";
const PIN: &str = "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";

fn api(url: &str) -> ApiPlan {
    let text = format!(
        "routers:\n- name: dc\n  site: dc\n  api: {{url: \"{url}\", key_file: k, certificate_fingerprint: {PIN}}}"
    );
    let Transport::Api(api) = plan(&text).routers.remove(0).transport else { panic!("{text}") };
    api
}

#[test]
fn urls() {
    for (url, host, port) in [
        ("https://dc", "dc", 443),
        ("https://10.10.0.254/", "10.10.0.254", 443),
        ("https://dc.example:8443", "dc.example", 8443),
        ("https://[fd00::1]:8443/", "fd00::1", 8443),
    ] {
        let api = api(url);
        assert_eq!((api.url.host.as_str(), api.url.port), (host, port), "{url}");
        assert_eq!(api.url.to_string(), url.trim_end_matches('/'), "{url}");
        assert_eq!(api.key_file, Path::new("/etc/vxlan_exporter/k"));
        assert_eq!(api.trust, Trust::Fingerprint(PIN.parse().unwrap()));
    }
    for (url, message) in [
        ("dc", "\"dc\" is not an https:// URL: write e.g. https://10.10.0.254"),
        ("http://dc", "\"http://dc\" would send the key unencrypted: write https://dc"),
        ("https://dc/show", "\"https://dc/show\" has a path: leave it out, write https://dc"),
        (
            "https://fd00::1",
            "\"https://fd00::1\" has an IPv6 address without brackets: write e.g. https://[fd00::1]",
        ),
        (
            "https://[fd00::1]8443",
            "\"https://[fd00::1]8443\" has \"8443\" after its host: write e.g. https://[fd00::1]:8443",
        ),
        ("https://dc:0", "\"0\" is not a TCP port: give a whole number from 1 to 65535"),
        ("https://", "\"\" is neither an IP address nor a DNS name: give one"),
        // Never repeated: the URL may contain a key.
        (
            "https://dc/?key=hunter2",
            "the URL holds more than a host and a port: write e.g. https://10.10.0.254; the key has a file of its own, `key_file`",
        ),
        (
            "https://user:hunter2@dc",
            "the URL holds more than a host and a port: write e.g. https://10.10.0.254; the key has a file of its own, `key_file`",
        ),
    ] {
        let text = format!("routers:\n- name: dc\n  site: dc\n  api:\n    key_file: k\n    url: ^{url}");
        refused(&text, &format!("routers[0].api.url: {message}"));
    }
}

#[test]
fn a_certificate_is_held_against_one_thing() {
    for (text, message) in [
        (
            API.replace("key_file", "^key_file"),
            "routers[0].api: has no way to check the router's certificate: add `certificate_fingerprint: \
             SHA256:…` (VyOS's own is self-signed), or `ca_file`".to_owned(),
        ),
        (
            format!("{API}    ca_file: ca\n    ^certificate_fingerprint: {PIN}"),
            "routers[0].api: has both `ca_file` and `certificate_fingerprint`: keep one".to_owned(),
        ),
        (
            format!("{API}    certificate_fingerprint: ^SHA256:abc"),
            "routers[0].api.certificate_fingerprint: \"SHA256:abc\" is not the SHA-256 of a certificate: write SHA256: and 64 hex digits, as `openssl x509 -noout -fingerprint -sha256` prints them on the router".to_owned(),
        ),
        (
            format!("{API}    insecure: true").replace("    insecure", "    ^insecure"),
            "routers[0].api: unknown key `insecure`: the keys here are url, key_file, ca_file, \
             certificate_fingerprint".to_owned(),
        ),
    ] {
        refused(&text, &message);
    }
    let plan = plan(&format!("{API}    ca_file: ca.pem"));
    let Transport::Api(api) = &plan.routers[0].transport else { panic!("read by its API") };
    assert_eq!(api.trust, Trust::CaFile("/etc/vxlan_exporter/ca.pem".into()));
}

#[test]
fn beside_another_way_it_is_the_last_resort() {
    let with = |way: &str| plan(&format!("{API}    ca_file: ca\n  {way}")).routers.remove(0);
    let ssh = with("ssh: {address: dc, username: m, password_file: p, known_hosts_file: kh}");
    assert!(matches!(ssh.transport, Transport::Ssh(_)));
    assert_eq!(ssh.api.map(|api| api.url.host).as_deref(), Some("dc"));
    let local = with("local: {}");
    assert_eq!((local.transport, local.api.is_some()), (Transport::Local, true));
    let alone = plan(&format!("{API}    ca_file: ca")).routers.remove(0);
    assert!(matches!(alone.transport, Transport::Api(_)) && alone.api.is_none());
}
