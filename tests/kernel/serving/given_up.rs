//! What the process gives up when it starts, and that everything else still works: a local router,
//! a reload, raw sockets.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::one_exporter::{Exporter, directory, run};

const LOCAL: &str = "site: a\nrouters: [{name: here, site: a, local: {}, scrape_interval: 1s}]\n";
const RELOADED: &str = "vxlan_exporter_config_last_reload_successful";

/// The distinct values of a field in `/proc/PID/task/TID/status` over all threads.
fn of_all_threads(id: u32, field: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).expect("its threads");
    let statuses =
        tasks.map(|task| fs::read_to_string(task.expect("one").path().join("status")).expect("its status"));
    let mut found: Vec<String> = statuses
        .filter_map(|status| {
            status.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(":\t")?.to_owned()))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_thread_of_root_keeps_one_capability_and_everything_works() {
    let files = directory();
    fs::write(files.path().join("config.yml"), LOCAL).expect("written");
    let mut exporter = Exporter::start(files, &["--web.enable-lifecycle"]);
    let metrics = |exporter: &Exporter| exporter.ask("http", "/metrics", &[]).body;
    exporter.wait_for("this machine is read", |exporter| {
        metrics(exporter).contains("vxlan_router_up{router=\"here\",site=\"a\"} 1")
    });
    for (field, value) in [
        ("CapEff", "0000000000002000"),
        ("CapPrm", "0000000000002000"),
        ("CapBnd", "0000000000002000"),
        ("CapInh", "0000000000000000"),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ] {
        assert_eq!(of_all_threads(exporter.pid(), field), [value], "{field}: is this root?");
    }
    let said = metrics(&exporter);
    for layer in ["capabilities", "no_new_privs", "landlock", "seccomp"] {
        assert!(said.contains(&format!("vxlan_exporter_sandbox{{layer=\"{layer}\"}} 1\n")), "{said}");
    }
    assert!(said.contains("vxlan_exporter_capability{name=\"net_raw\"} 1\n"), "{said}");
    assert!(said.contains("process_open_fds "), "{said}");

    // A reload may name a file anywhere, and open the sockets of engine and reflector again.
    let elsewhere = directory();
    let secret = elsewhere.path().join("secret");
    fs::write(&secret, "0123456789abcdef").expect("written");
    let more = format!(
        "reflector: {{listen: '127.0.0.1:0', secret_file: {0}}}\npaths: [{{name: p, site: b, address: 127.0.0.1, reflector: 1, \
         reflector_secret_file: {0}}}]\n",
        secret.display()
    );
    fs::write(exporter.path("config.yml"), format!("{LOCAL}{more}")).expect("written");
    let reloaded = exporter.ask("http", "/-/reload", &["--request", "POST"]);
    assert_eq!(reloaded.status, 200, "{reloaded:?} {}", exporter.log());
    exporter.wait_for("the path is probed", |exporter| {
        let said = metrics(exporter);
        said.contains("vxlan_exporter_capability{name=\"reflector\"} 1")
            && said.contains("vxlan_path_probes_received_total")
            || said.contains("vxlan_path_verdict{path=\"p\"")
    });
}

#[test]
fn switched_off_it_says_so() {
    let files = directory();
    fs::write(files.path().join("config.yml"), LOCAL).expect("written");
    let exporter = Exporter::start(files, &["--sandbox=off"]);
    assert_eq!(of_all_threads(exporter.pid(), "Seccomp"), ["0"]);
    assert!(exporter.log().contains("sandbox not whole"), "{}", exporter.log());
    let said = exporter.ask("http", "/metrics", &[]).body;
    assert!(said.contains("vxlan_exporter_sandbox{layer=\"seccomp\"} 0\n"), "{said}");
}

/// Creates something in place of a file.
type Make<'a> = &'a dyn Fn(&Path);

/// Regression: it hung on the pipe forever, and `reload_successful` stayed 1.
#[test]
fn a_configuration_that_was_a_pipe_is_followed_again() {
    let files = directory();
    let config = files.path().join("config.yml");
    fs::write(&config, "site: one\n").expect("written");
    let mut exporter = Exporter::start(files, &[]);
    let says = |exporter: &Exporter, reloaded: u8| {
        exporter.ask("http", "/metrics", &[]).body.contains(&format!("{RELOADED} {reloaded}\n"))
    };
    let pipe =
        |file: &Path| assert!(Command::new("mkfifo").arg(file).status().expect("mkfifo runs").success());
    let device = |file: &Path| symlink("/dev/zero", file).expect("linked");
    let huge = |file: &Path| fs::write(file, vec![b'#'; (1 << 20) + 1]).expect("written");
    let kinds: [(Make<'_>, &str); 3] =
        [(&pipe, "it is a named pipe"), (&device, "it is a device"), (&huge, "--config.max-size")];
    for (make, words) in kinds {
        fs::remove_file(&config).expect("removed");
        make(&config);
        exporter.wait_for("it is refused", |exporter| says(exporter, 0));
        assert!(exporter.log().contains(words), "{words}: {}", exporter.log());
        assert!(exporter.ask("http", "/", &[]).body.contains(words));
        fs::remove_file(&config).expect("removed");
        fs::write(&config, "site: one\n").expect("written");
        exporter.wait_for("it is followed", |exporter| says(exporter, 1));
    }
    // A pipe from the start, and a secret that is a pipe.
    for (text, words) in [
        ("reflector: {listen: ':0', secret_file: pipe}\n", "it is a named pipe"),
        ("[".repeat(200_000).as_str(), "brackets are open"),
    ] {
        let files = directory();
        pipe(&files.path().join("pipe"));
        fs::write(files.path().join("config.yml"), text).expect("written");
        let output = run(&["config", "check", &flag(&files.path().join("config.yml"))]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
    }
}

fn flag(file: &Path) -> String {
    format!("--config.file={}", file.display())
}

/// Everything that is printed, logged and served, with a secret in place of each secret's file
/// name.
#[test]
fn a_secret_in_the_wrong_place_is_nowhere_to_be_read() {
    const SECRET: &str = "Zk3-correct/horse_battery";
    let ssh = |keys: &str| {
        format!(
            "site: a\nrouters:\n- {{name: r, site: a, ssh: {{address: 127.0.0.1, username: u, {keys}, host_key_fingerprint: \
             'SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0'}}}}\n"
        )
    };
    let pin =
        "certificate_fingerprint: 'SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'";
    let files = directory();
    let config: PathBuf = files.path().join("config.yml");
    fs::write(&config, "site: a\n").expect("written");
    let mut exporter = Exporter::start(files, &["--log.level=debug"]);
    for text in [
        ssh(&format!("password_file: {SECRET}")),
        ssh(&format!("private_key_file: {SECRET}")),
        ssh(&format!("private_key_file: config.yml, passphrase_file: {SECRET}")),
        format!(
            "routers:\n- {{name: r, site: a, api: {{url: 'https://127.0.0.1', key_file: {SECRET}, {pin}}}}}\n"
        ),
        format!("reflector: {{listen: ':0', secret_file: {SECRET}}}\n"),
        format!(
            "site: a\npaths: [{{name: p, site: b, address: 127.0.0.1, reflector: true, reflector_secret_file: {SECRET}}}]\n"
        ),
    ] {
        fs::write(&config, &text).expect("written");
        exporter.wait_for("it is refused", |exporter| {
            exporter.ask("http", "/metrics", &[]).body.contains(&format!("{RELOADED} 0\n"))
        });
        let mut said = exporter.log();
        for page in ["/", "/metrics", "/-/ready"] {
            said += &exporter.ask("http", page, &[]).body;
        }
        for command in [
            &["config", "check"][..],
            &["check"],
            &["check", "--format=json"],
            &["serve", "--log.level=debug"],
        ] {
            let output = run(&[command, &[flag(&config).as_str()]].concat());
            assert_eq!(output.status.code(), Some(2), "{command:?}");
            said += &String::from_utf8_lossy(&output.stderr);
            said += &String::from_utf8_lossy(&output.stdout);
        }
        assert!(said.contains("the value is not shown") && !said.contains(SECRET), "{said}");
        fs::write(&config, "site: a\n").expect("written");
        exporter.wait_for("it is followed", |exporter| {
            exporter.ask("http", "/metrics", &[]).body.contains(&format!("{RELOADED} 1\n"))
        });
    }
    let output = run(&["reflect", "--listen=127.0.0.1:0", &format!("--secret-file={SECRET}")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the value is not shown") && !said.contains(SECRET), "{said}");
}

#[test]
fn too_few_open_files_are_named_and_no_capability() {
    let files = directory();
    fs::write(files.path().join("config.yml"), "").expect("written");
    // Enough to start, but too few for the sockets of the probes.
    let mut exporter = Exporter::start_by(files, &["prlimit", "--nofile=200", crate::BINARY], &[]);
    exporter.wait_for("it is said", |exporter| exporter.log().contains("the limit of open files is below"));
    assert!(
        exporter.log().contains("limit=200") && exporter.log().contains("LimitNOFILE="),
        "{}",
        exporter.log()
    );
    let config = exporter.path("config.yml");
    let mut named = 0;
    for limit in (16..32).step_by(2) {
        let address = "--web.listen-address=127.0.0.1:0";
        let command = [
            "--preserve-status",
            "--signal=TERM",
            "2",
            "prlimit",
            &format!("--nofile={limit}"),
            crate::BINARY,
        ];
        let output =
            Command::new("timeout").args(command).args([&flag(&config), address]).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("Too many open files") {
            named += 1;
            assert!(!said.contains("NET_RAW"), "{limit}: {said}");
        }
    }
    assert!(named > 0, "no limit was low enough");
}

#[test]
fn the_unit_takes_away_the_same() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/vxlan_exporter.service");
    let text = fs::read_to_string(unit).expect("the unit");
    for line in [
        "AmbientCapabilities=CAP_NET_RAW",
        "CapabilityBoundingSet=CAP_NET_RAW",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "User=vxlan_exporter",
        "SystemCallFilter=@system-service",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    // The judgement of systemd, if it is installed.
    let judged =
        Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=25", unit]).output();
    match judged {
        Ok(judged) => assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout)),
        Err(error) if error.kind() == ErrorKind::NotFound => println!("no systemd here to judge the unit"),
        Err(error) => panic!("systemd-analyze: {error}"),
    }
}
