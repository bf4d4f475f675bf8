//! The real process, with curl over loopback as its client: who is answered and over which
//! protocol, a configuration that changes, and what the process may do and has given up. The last
//! needs root.

mod given_up;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use crate::support::one_exporter::{Answer, Exporter, certificate, directory, run};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use vxlan_exporter::{BRANCH, REVISION, RUST_VERSION};

/// bcrypt hash of `secret`, at the lowest cost.
const HASH: &str = "$2y$04$UuTkLRZZ6QofpDOlMz32Mu.Q0RxchGgVsgfueU0KqnX6uL.WE/FNe";
const RELOADED: &str = "vxlan_exporter_config_last_reload_successful";

#[test]
fn tls_and_users_for_every_page_and_each_renewed_without_a_restart() {
    let files = directory();
    for name in ["ca", "next"] {
        certificate(files.path(), name, None);
    }
    certificate(files.path(), "server", Some("ca"));
    certificate(files.path(), "renewed", Some("next"));
    fs::create_dir(files.path().join("web")).expect("made");
    let tls = "tls_server_config: {cert_file: ../server.crt, key_file: ../server.key, min_version: TLS13}\n";
    let users = |name: &str| format!("{tls}basic_auth_users:\n  {name}: {HASH}\n");
    fs::write(files.path().join("web/web.yml"), users("prometheus")).expect("written");
    fs::write(files.path().join("config.yml"), "").expect("written");
    let web_file = files.path().join("web/web.yml");
    let mut exporter = Exporter::start(files, &[&format!("--web.config.file={}", web_file.display())]);
    let ask = |exporter: &Exporter, page: &str, more: &[&str]| {
        exporter.ask("https", page, &[&["--cacert", "ca.crt"], more].concat())
    };

    for page in ["/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/nothing"] {
        let refused = ask(&exporter, page, &[]);
        assert_eq!((refused.status, refused.exit), (401, 0), "{page}: {refused:?}");
        assert!(!refused.body.contains("vxlan_"), "{page}: {refused:?}");
        for wrong in ["prometheus:Secret", "prometheus:", "root:secret", ":"] {
            assert_eq!(ask(&exporter, page, &["--user", wrong]).status, 401, "{page} {wrong}");
        }
    }
    let challenge = ask(&exporter, "/metrics", &["--head"]);
    assert!(challenge.body.to_lowercase().contains("www-authenticate: basic"), "{challenge:?}");
    let me = ["--user", "prometheus:secret"];
    assert!(ask(&exporter, "/metrics", &me).body.contains(RELOADED));
    assert_eq!(ask(&exporter, "/nothing", &me).status, 404);
    let plain = exporter.ask("http", "/metrics", &me);
    assert!(plain.status == 400 && plain.body.contains("speaks HTTPS"), "{plain:?}");
    let old = ask(&exporter, "/metrics", &[&me[..], &["--tls-max", "1.2"]].concat());
    assert!(old.status == 0 && old.exit == 35, "{old:?}");

    // A certificate is renewed in two steps, between which certificate and key do not match.
    let renew = |what: &str| {
        fs::copy(exporter.path(&format!("renewed.{what}")), exporter.path(&format!("server.{what}")))
            .expect("copied")
    };
    renew("crt");
    assert_eq!(ask(&exporter, "/metrics", &me).status, 200, "{}", exporter.log());
    assert!(exporter.log().contains("do not go together"), "{}", exporter.log());
    renew("key");
    let renewed = exporter.ask("https", "/metrics", &["--cacert", "next.crt", me[0], me[1]]);
    assert_eq!(renewed.status, 200, "{renewed:?} {}", exporter.log());
    assert_eq!(ask(&exporter, "/metrics", &me).exit, 60, "the former one is used no more");

    // Another user instead of the first; then a file that cannot be used, and one that protects
    // nothing.
    let ask = |exporter: &Exporter, user: &str| {
        exporter.ask("https", "/metrics", &["--cacert", "next.crt", "--user", user]).status
    };
    fs::write(&web_file, users("another")).expect("written");
    assert_eq!((ask(&exporter, "another:secret"), ask(&exporter, "prometheus:secret")), (200, 401));
    for (text, words) in [
        ("tls_server_configs: {}", "did you mean `tls_server_config`?"),
        ("", "restart to go on without TLS"),
    ] {
        fs::write(&web_file, text).expect("written");
        assert_eq!((ask(&exporter, "another:secret"), ask(&exporter, "nobody:secret")), (200, 401), "{text}");
        exporter.wait_for("it is said", |exporter| exporter.log().contains(words));
    }
    assert_eq!(exporter.log().matches("restart to go on").count(), 1, "{}", exporter.log());
    assert!(!exporter.log().contains("secret") && !exporter.log().contains(HASH));
}

#[test]
fn certificates_of_clients() {
    let files = directory();
    for name in ["ca", "stranger"] {
        certificate(files.path(), name, None);
    }
    for (name, authority) in [("server", "ca"), ("prometheus", "ca"), ("mallory", "stranger")] {
        certificate(files.path(), name, Some(authority));
    }
    let text = |asked: &str| {
        format!(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n  \
             client_auth_type: {asked}\n"
        )
    };
    let web_file = files.path().join("web.yml");
    fs::write(&web_file, text("RequireAndVerifyClientCert")).expect("written");
    fs::write(files.path().join("config.yml"), "").expect("written");
    let exporter = Exporter::start(files, &[&format!("--web.config.file={}", web_file.display())]);
    let ask = |name: Option<&str>| {
        let (certificate, key) =
            (format!("{}.crt", name.unwrap_or_default()), format!("{}.key", name.unwrap_or_default()));
        let shown: &[&str] = if name.is_some() { &["--cert", &certificate, "--key", &key] } else { &[] };
        exporter.ask("https", "/-/ready", &[&["--cacert", "ca.crt"], shown].concat()).status
    };
    assert_eq!([ask(Some("prometheus")), ask(None), ask(Some("mallory"))], [200, 0, 0]);
    fs::write(&web_file, text("VerifyClientCertIfGiven")).expect("written");
    assert_eq!([ask(Some("prometheus")), ask(None), ask(Some("mallory"))], [200, 200, 0]);
}

#[test]
fn a_web_configuration_that_cannot_be_used_ends_the_start() {
    let files = directory();
    let (config, web) = (files.path().join("config.yml"), files.path().join("web.yml"));
    fs::write(&config, "").expect("written");
    let start = || {
        let output = run(&[
            &format!("--config.file={}", config.display()),
            "--web.listen-address=127.0.0.1:0",
            &format!("--web.config.file={}", web.display()),
        ]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(start().contains("the file of --web.config.file cannot be used: cannot read "), "{}", start());
    fs::write(&web, "tls_server_config:\n  cert_file: c\n  key_file: k\n  cert_files: x\n").expect("written");
    assert!(
        start().contains(
            "web.yml, line 4 column 3: tls_server_config: unknown key `cert_files`: did you mean `cert_file`?"
        ),
        "{}",
        start()
    );
    fs::write(&web, "tls_server_config:\n  cert_file: c\n  key_file: ./k\n").expect("written");
    assert!(start().contains("cert_file: cannot read ") && start().contains("No such file"), "{}", start());
    certificate(files.path(), "one", None);
    certificate(files.path(), "two", None);
    fs::write(&web, "tls_server_config: {cert_file: one.crt, key_file: two.key}").expect("written");
    assert!(start().contains("do not go together"), "{}", start());
    fs::write(&web, "tls_server_config: {cert_file: one.key, key_file: one.key}").expect("written");
    assert!(start().contains("one.key: it holds no certificate; PEM belongs there"), "{}", start());
}

/// A source that is not allowed does not even get a handshake; the allowed networks follow the
/// file.
#[test]
fn sources_that_are_not_allowed() {
    let files = directory();
    certificate(files.path(), "server", None);
    fs::write(
        files.path().join("web.yml"),
        "tls_server_config: {cert_file: server.crt, key_file: server.key}",
    )
    .expect("written");
    let allow = |network: &str| format!("web: {{allowed_sources: [{network}]}}");
    fs::write(files.path().join("config.yml"), allow("127.0.0.2/32")).expect("written");
    let flag = format!("--web.config.file={}", files.path().join("web.yml").display());
    let mut exporter = Exporter::start(files, &[&flag]);
    let ask = |exporter: &Exporter, from: &str| -> Answer {
        exporter.ask("https", "/-/ready", &["--insecure", "--interface", from])
    };
    assert_eq!(ask(&exporter, "127.0.0.2").status, 200);
    let refused = ask(&exporter, "127.0.0.1");
    // The connection ends in the handshake: closed (35) or reset (35 or 56).
    assert!(refused.status == 0 && [35, 56].contains(&refused.exit), "{refused:?}");
    fs::write(exporter.path("config.yml"), allow("127.0.0.1")).expect("written");
    exporter.wait_for("the other one is allowed", |exporter| ask(exporter, "127.0.0.1").status == 200);
    assert_eq!(ask(&exporter, "127.0.0.2").status, 0);
}

/// As with a `ConfigMap` volume, whose file is a link to a link.
#[test]
fn a_changed_configuration_is_found_and_a_bad_one_changes_nothing() {
    let files = directory();
    let path = |name: &str| files.path().join(name);
    let config = |target: &str| {
        format!(
            "site: site-a\npaths: [{{name: {target}, site: site-a, address: 127.0.0.1, probe_interval: 1h}}]\n"
        )
    };
    for (version, text) in
        [("..1", config("one")), ("..2", config("two").replace("address", "adress")), ("..3", config("two"))]
    {
        fs::create_dir(path(version)).expect("made");
        fs::write(path(version).join("config.yml"), text).expect("written");
    }
    symlink("..1", path("..data")).expect("linked");
    symlink("..data/config.yml", path("config.yml")).expect("linked");
    let mut exporter = Exporter::start(files, &["--source=site-a/node-1"]);
    let swap = |exporter: &Exporter, version: &str| {
        symlink(version, exporter.path("..data_tmp")).expect("linked");
        fs::rename(exporter.path("..data_tmp"), exporter.path("..data")).expect("swapped");
    };
    let info = |path: &str| format!("path=\"{path}\",target_site=\"site-a\",source=\"site-a/node-1\"");
    let metrics = |exporter: &Exporter| exporter.ask("http", "/metrics", &[]).body;
    let said = metrics(&exporter);
    assert!(said.contains(&info("one")) && said.contains(&format!("{RELOADED} 1\n")), "{said}");
    swap(&exporter, "..2");
    exporter.wait_for("the bad one is refused", |exporter| {
        metrics(exporter).contains(&format!("{RELOADED} 0\n"))
    });
    assert!(metrics(&exporter).contains(&info("one")));
    assert!(exporter.log().contains("did you mean `address`?"), "{}", exporter.log());
    swap(&exporter, "..3");
    exporter.wait_for("the good one is in use", |exporter| metrics(exporter).contains(&info("two")));
    let said = metrics(&exporter);
    assert!(!said.contains(&info("one")) && said.contains(&format!("{RELOADED} 1\n")), "{said}");
}

/// As a tool writes targets: a new file, a mistake in it, and no file again.
#[test]
fn a_path_file_comes_and_goes() {
    let files = directory();
    let path = |name: &str| files.path().join(name);
    fs::create_dir(path("paths")).expect("made");
    fs::write(path("config.yml"), "site: site-a\npath_files: [paths/*.yml]\n").expect("written");
    let checked = |files: &Path| {
        let file = format!("--config.file={}", files.join("config.yml").display());
        let output = run(&["config", "check", &file]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&files.display().to_string(), "");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let nothing = (Some(0), "/config.yml: 0 routers, 0 paths: ok\n".to_owned());
    let (code, said, note) = checked(files.path());
    assert_eq!((code, said), nothing);
    assert_eq!(note, "path_files: paths/*.yml matches no file yet\n");
    let mut exporter = Exporter::start(files, &[]);
    let info = |path: &str| format!("vxlan_path_info{{path=\"{path}\"");
    let metrics = |exporter: &Exporter| exporter.ask("http", "/metrics", &[]).body;
    let write = |exporter: &Exporter, text: &str| {
        fs::write(exporter.path("paths/.draft"), text).expect("written");
        fs::rename(exporter.path("paths/.draft"), exporter.path("paths/a.yml")).expect("renamed");
    };
    assert!(!metrics(&exporter).contains("vxlan_path_info{"));
    let good = "[{name: one, site: dc, address: 127.0.0.1, probe_interval: 1h}]\n";
    write(&exporter, good);
    exporter.wait_for("its path is probed", |exporter| metrics(exporter).contains(&info("one")));
    let (code, said, _) = checked(exporter.path("config.yml").parent().expect("a directory"));
    let one = "/config.yml: 0 routers, 1 path: ok\n/paths/a.yml: 1 path\n".to_owned();
    assert_eq!((code, said), (Some(0), one));
    write(&exporter, &good.replace("address", "adress"));
    exporter.wait_for("the mistake is refused", |exporter| {
        metrics(exporter).contains(&format!("{RELOADED} 0\n"))
    });
    assert!(metrics(&exporter).contains(&info("one")));
    let log = exporter.log();
    assert!(
        log.contains("paths/a.yml, line 1 column 24") && log.contains("did you mean `address`?"),
        "{log}"
    );
    fs::remove_file(exporter.path("paths/a.yml")).expect("removed");
    exporter.wait_for("its path is gone", |exporter| {
        let said = metrics(exporter);
        said.contains(&format!("{RELOADED} 1\n")) && !said.contains("vxlan_path_info{")
    });
}

#[test]
fn after_reloads_and_renames_by_the_thousand_the_last_one_counts() {
    const RENAMES: usize = 400;
    const RELOADS_EACH: usize = 243;
    let config = |path: &str| {
        format!(
            "site: site-a\npaths: [{{name: {path}, site: site-a, address: 127.0.0.1, probe_interval: 1h}}]\n"
        )
    };
    let files = directory();
    fs::write(files.path().join("config.yml"), config("first")).expect("written");
    let mut exporter = Exporter::start(files, &[]);
    let process = Pid::from_raw(exporter.pid().try_into().expect("a number"));
    let rename = |exporter: &Exporter, text: &str| {
        fs::write(exporter.path("draft"), text).expect("written");
        fs::rename(exporter.path("draft"), exporter.path("config.yml")).expect("renamed");
    };
    for number in 0..RENAMES {
        let good = config(&format!("path-{number}"));
        rename(&exporter, if number % 3 == 1 { "paths: [ }\n" } else { &good });
        (0..RELOADS_EACH).for_each(|_| kill(process, Signal::SIGHUP).expect("it runs"));
    }
    rename(&exporter, &config("last"));
    exporter.wait_for("the last configuration", |exporter| {
        let said = exporter.ask("http", "/metrics", &[]).body;
        let paths: Vec<_> = said.lines().filter(|line| line.starts_with("vxlan_path_info{")).collect();
        said.contains(&format!("{RELOADED} 1\n")) && paths.len() == 1 && paths[0].contains("path=\"last\"")
    });
    let said = exporter.ask("http", "/metrics", &[]).body;
    let mut restarts = said.lines().filter(|line| line.starts_with("vxlan_exporter_task_restarts_total{"));
    assert!(restarts.all(|line| line.ends_with(" 0")), "{said}");
    let lines = exporter.log().lines().count();
    assert!(lines < RENAMES, "{lines} lines of log");
}

#[test]
fn a_source_of_another_site_is_an_error() {
    let files = directory();
    let config = files.path().join("config.yml");
    fs::write(&config, "site: site-a\npaths: [{name: p, site: dc, address: 127.0.0.1}]\n").expect("written");
    for (source, words) in [
        (
            "site-b/node-1",
            "--source=site-b/node-1 does not have the configuration's site: write --source=site-a/NODE",
        ),
        ("site-a", "write SITE/NODE, e.g. site-a/node-1"),
        ("site-a/", "write SITE/NODE, e.g. site-a/node-1"),
    ] {
        let output = run(&[
            &format!("--config.file={}", config.display()),
            "--web.listen-address=127.0.0.1:0",
            &format!("--source={source}"),
        ]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(words), "{source}: {said}");
    }
}

#[test]
fn the_first_line_says_what_runs_and_where() {
    let files = directory();
    fs::write(files.path().join("config.yml"), "").expect("written");
    let exporter = Exporter::start(files, &[]);
    let log = exporter.log();
    let line = log.lines().find(|line| line.contains("msg=serving")).expect("the first line");
    let address = format!("address=127.0.0.1:{}", exporter.port());
    let version = concat!("version=", env!("CARGO_PKG_VERSION"));
    for words in [version, &format!("revision={REVISION}"), &address] {
        assert!(line.contains(words), "no {words} in {line}");
    }
    let info = format!(
        "{{version=\"{}\",revision=\"{REVISION}\",branch=\"{BRANCH}\",rustversion=\"{RUST_VERSION}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
    let metrics = exporter.ask("http", "/metrics", &[]);
    assert!(metrics.body.contains(&info), "{metrics:?}");
}

/// curl unpacks what it gets; what it cannot unpack makes it fail.
#[test]
fn metrics_are_packed_as_the_client_wants() {
    let files = directory();
    fs::write(files.path().join("config.yml"), "").expect("written");
    let exporter = Exporter::start(files, &[]);
    for coding in ["gzip", "zstd", "gzip;q=0.2, zstd;q=0.1", "br"] {
        let wanted = format!("Accept-Encoding: {coding}");
        for (form, ending) in [("text/plain", "\n"), ("application/openmetrics-text", "# EOF\n")] {
            let form = format!("Accept: {form}");
            let words = ["--compressed", "--header", &wanted, "--header", &form];
            let answer = exporter.ask("http", "/metrics", &words);
            assert_eq!((answer.status, answer.exit), (200, 0), "{coding}: {answer:?}");
            assert!(answer.body.contains(RELOADED) && answer.body.ends_with(ending), "{coding}: {answer:?}");
        }
    }
}

#[test]
fn a_secret_that_everyone_may_read_is_named_once() {
    let files = directory();
    let path = |name: &str| files.path().join(name);
    let router = |name: &str, password: &str| {
        format!(
            "- name: {name}\n  site: a\n  ssh: {{address: 127.0.0.1, username: u, password_file: {password}, \
             host_key_fingerprint: SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0}}\n"
        )
    };
    let text = format!("routers:\n{}{}{}", router("r1", "open"), router("r2", "open"), router("r3", "group"));
    fs::write(path("config.yml"), text).expect("written");
    for (name, mode) in [("open", 0o644), ("group", 0o440)] {
        fs::write(path(name), "hunter2\n").expect("written");
        fs::set_permissions(path(name), Permissions::from_mode(mode)).expect("set");
    }
    let output = run(&["config", "check", &format!("--config.file={}", path("config.yml").display())]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let open = path("open").display().to_string();
    assert!(said.contains(&format!("chmod o= {open}")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// A container runtime passes on what it grants in the bounding set; the file permits the
/// capability and the process raises it.
#[test]
fn raw_sockets_by_a_file_that_permits_them_and_a_start_without() {
    let root = directory();
    let binary = root.path().join("vxlan_exporter");
    fs::copy(crate::BINARY, &binary).expect("copied");
    fs::set_permissions(root.path(), Permissions::from_mode(0o755)).expect("set");
    let binary = binary.to_str().expect("text");
    let grant = |capability: &str| {
        let granted = Command::new("setcap").args([capability, binary]).status().expect("setcap runs");
        assert!(granted.success(), "setcap {capability}: is this root?");
    };
    let as_nobody = |bounding: &'static str| {
        let mut command =
            vec!["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "--inh-caps=-all"];
        command.extend([bounding, binary]);
        command
    };
    let net_raw = |bounding: &'static str| {
        let files = directory();
        fs::set_permissions(files.path(), Permissions::from_mode(0o755)).expect("set");
        fs::write(files.path().join("config.yml"), "").expect("written");
        let exporter = Exporter::start_by(files, &as_nobody(bounding), &[]);
        let metrics = exporter.ask("http", "/metrics", &[]).body;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("vxlan_exporter_capability{name=\"net_raw\"} "));
        line.expect("it is told").to_owned()
    };
    grant("cap_net_raw+p");
    assert_eq!(net_raw("--bounding-set=-all,+net_raw"), "1");
    assert_eq!(net_raw("--bounding-set=-all"), "0");
    // This is why it is not granted as effective: the kernel would refuse to start it there.
    grant("cap_net_raw+ep");
    let withheld = as_nobody("--bounding-set=-all");
    let output =
        Command::new(withheld[0]).args(&withheld[1..]).arg("--version").output().expect("setpriv runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("Operation not permitted"), "{said}");
}

/// A user may have a path probed at once. Without users only this machine may, and nobody where the
/// configuration says so.
#[test]
fn probe_now_is_for_somebody() {
    let config =
        |rest: &str| format!("site: a\npaths: [{{name: 'one/two', site: b, address: 127.0.0.1}}]\n{rest}");
    let page = "/path/one%2Ftwo";
    let post = |exporter: &Exporter, proof: &str, more: &[&str]| {
        exporter.ask("http", page, &[&["--data", proof], more].concat())
    };
    let proof = |page: &str| {
        let (_, after) = page.split_once("name=\"proof\" value=\"")?;
        Some(format!("proof={}", after.split_once('"')?.0))
    };
    let files = directory();
    let web = files.path().join("web.yml");
    fs::write(&web, format!("basic_auth_users: {{me: {HASH}}}")).expect("written");
    fs::write(files.path().join("config.yml"), config("")).expect("written");
    let elsewhere = ["--interface", "127.0.0.9"];
    let exporter = Exporter::start(files, &[&format!("--web.config.file={}", web.display())]);
    let me = [&["--user", "me:secret"], &elsewhere[..]].concat();
    let form = proof(&exporter.ask("http", page, &me).body).expect("a user may");
    assert_eq!(post(&exporter, &form, &elsewhere).status, 401);
    assert_eq!(post(&exporter, "proof=", &me).status, 403);
    let cross = [&me[..], &["--header", "Sec-Fetch-Site: cross-site"]].concat();
    assert_eq!(post(&exporter, &form, &cross).status, 403);
    assert_eq!(post(&exporter, &form, &me).status, 303);
    let again = post(&exporter, &form, &me);
    assert!(again.status == 429 && again.body.contains("again in"), "{again:?}");
    drop(exporter);

    let files = directory();
    fs::write(files.path().join("config.yml"), config("")).expect("written");
    let mut exporter = Exporter::start(files, &[]);
    let said = exporter.ask("http", page, &elsewhere);
    assert!(proof(&said.body).is_none() && said.body.contains("needs a login"), "{said:?}");
    assert_eq!(post(&exporter, "proof=", &elsewhere).status, 403);
    let form = proof(&exporter.ask("http", page, &[]).body).expect("this machine may");
    assert_eq!(post(&exporter, &form, &[]).status, 303);
    exporter.wait_for("it is said that nothing can be sent to oneself", |exporter| {
        exporter.ask("http", page, &[]).body.contains("nothing could be sent")
    });
    fs::write(exporter.path("config.yml"), config("web: {probe_now: always}\n")).expect("written");
    exporter
        .wait_for("everybody may", |exporter| proof(&exporter.ask("http", page, &elsewhere).body).is_some());
    fs::write(exporter.path("config.yml"), config("web: {probe_now: never}\n")).expect("written");
    exporter.wait_for("nobody may", |exporter| proof(&exporter.ask("http", page, &[]).body).is_none());
    let said = post(&exporter, &form, &[]);
    assert!(said.status == 403 && said.body.contains("probe_now: never"), "{said:?}");
    fs::write(exporter.path("config.yml"), config("web: {probe_now: yes}\n")).expect("written");
    exporter.wait_for("a wrong word is refused", |exporter| {
        exporter.log().contains("give restricted, always or never")
    });
}

/// Flags from the environment, with those of the command line before them.
#[test]
fn variables_are_flags() {
    let files = directory();
    fs::write(
        files.path().join("config.yml"),
        "probe: {at_once: 3}\nreflector: {listen: ':0', secret_file: ./s}\n",
    )
    .expect("written");
    fs::write(files.path().join("s"), "0123456789abcdef").expect("written");
    let by = [
        "env",
        "VXLAN_EXPORTER_WEB_TELEMETRY_PATH=/prom",
        "VXLAN_EXPORTER_WEB_ENABLE_LIFECYCLE=true",
        "VXLAN_EXPORTER_WEB_LISTEN_ADDRESS=nothing-that-resolves.invalid:1",
        "VXLAN_EXPORTER_LOG_FORMAT=json",
        crate::BINARY,
        "--log.format=logfmt",
    ];
    let exporter = Exporter::start_by(files, &by, &["--web.external-url=http://a.example/x"]);
    assert!(exporter.ask("http", "/x/prom", &[]).body.contains(RELOADED));
    assert_eq!(exporter.ask("http", "/metrics", &[]).status, 302);
    assert_eq!(exporter.ask("http", "/x/-/reload", &["--request", "POST"]).status, 200);
    let config = exporter.ask("http", "/x/config", &[]);
    assert!(
        config.body.contains("at_once: 3") && config.body.contains("secret_file: <secret>"),
        "{config:?}"
    );

    let wrong =
        Command::new(crate::BINARY).env("VXLAN_EXPORTER_LOG_LEVEL", "loud").output().expect("it runs");
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        wrong.status.code() == Some(2) && said.contains("'loud'") && said.contains("--log.level"),
        "{said}"
    );
}

/// What systemd is told, over a socket like its own.
#[test]
fn systemd_is_told() {
    let files = directory();
    fs::write(files.path().join("config.yml"), "").expect("written");
    let place = files.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&place).expect("bound");
    socket.set_read_timeout(Some(std::time::Duration::from_mins(1))).expect("set");
    // As systemd starts it, the watchdog is meant for this very process.
    let start = format!(
        "NOTIFY_SOCKET='{}' WATCHDOG_USEC=300000 WATCHDOG_PID=$$ exec \"$0\" \"$@\"",
        place.display()
    );
    let exporter = Exporter::start_by(files, &["sh", "-c", &start, crate::BINARY], &[]);
    let hears = |wanted: &str| {
        let mut buffer = [0; 512];
        loop {
            let size = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            if String::from_utf8_lossy(&buffer[..size]).lines().any(|line| line == wanted) {
                return;
            }
        }
    };
    hears("READY=1");
    hears("WATCHDOG=1");
    let signal =
        |signal| kill(Pid::from_raw(exporter.pid().try_into().expect("a pid")), signal).expect("sent");
    signal(Signal::SIGHUP);
    hears("RELOADING=1");
    hears("READY=1");
    signal(Signal::SIGTERM);
    hears("STOPPING=1");
}
