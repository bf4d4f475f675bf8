//! The real process, whatever happens to its log and its tasks: it goes on reporting what is true,
//! or says that it cannot, or ends.

// Samples of counts are whole numbers.
#![allow(clippy::float_cmp)]

mod started;

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::fd::OwnedFd,
    process::Stdio,
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;
use started::{Started, metric};
use tempfile::TempDir;

/// A path to an address without a host, and this machine as a router.
const CONFIG: &str = "\
site: here
probe_interval: 1s
scrape_interval: 5s
scrape_timeout: 4s
routers: [{ name: r, site: here, local: {} }]
paths:
  - { name: p, site: there, address: 192.0.2.1 }
";

/// Reloads until log messages are lost, then checks that everything else goes on.
fn goes_on_without_its_log(exporter: &mut Started) {
    let mut edits = 0;
    exporter.wait_for("the log has lost something", |exporter| {
        edits += 1;
        // Other names each time, as messages of one kind are held back.
        exporter.configure(&many_paths(edits));
        let text = exporter.metrics();
        metric(&text, "vxlan_exporter_log_messages_dropped_total") > 0.0
    });
    let before = exporter.metrics();
    let sent = |text: &str| metric(text, "vxlan_path_echo_requests_total{path=\"p\"");
    let asked = |text: &str| metric(text, "vxlan_router_last_success_timestamp_seconds{router=\"r\"");
    exporter.wait_for("probes, readings and reloads go on", |exporter| {
        let now = exporter.metrics();
        sent(&now) > sent(&before) + 3.0 && asked(&now) > asked(&before)
    });
    exporter.configure("site: [");
    exporter.wait_for("a broken configuration is seen", |exporter| {
        metric(&exporter.metrics(), "vxlan_exporter_config_last_reload_successful") == 0.0
    });
    assert_eq!(exporter.status("/-/healthy"), 200);
    assert_eq!(exporter.terminate(), Some(0), "it ends as asked, whoever does not read its log");
}

fn many_paths(edits: u32) -> String {
    (0..400).fold(CONFIG.to_owned(), |text, path| {
        format!("{text}  - {{ name: p{edits}-{path}, site: there, address: 127.0.0.1 }}\n")
    })
}

#[test]
fn a_full_disk_under_its_log_hurts_nothing() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    goes_on_without_its_log(&mut Started::new(CONFIG, full.into(), &[], &[]));
}

#[test]
fn a_reader_of_its_log_that_has_gone_hurts_nothing() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    goes_on_without_its_log(&mut Started::new(CONFIG, OwnedFd::from(writer).into(), &[], &[]));
}

#[test]
fn a_reader_of_its_log_that_does_not_read_hurts_nothing() {
    let _turn = crate::support::turn();
    let (reader, writer) = io::pipe().expect("a pipe");
    goes_on_without_its_log(&mut Started::new(CONFIG, OwnedFd::from(writer).into(), &[], &[]));
    drop(reader);
}

/// A command that prints is ended no more than `serve` by a reader that is gone.
#[test]
fn one_shot_commands_end_by_their_own_code() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("config.yml");
    fs::write(&file, CONFIG).expect("written");
    let config = format!("--config.file={}", file.display());
    let commands: [(&[&str], i32); 4] = [
        (&["config", "check", &config], 0),
        (&["parse", "ip-json", "/nonexistent"], 1),
        (&["probe", "nothing.invalid", "--count=1"], 2),
        (&["check", "--config.file=/nonexistent"], 2),
    ];
    for (arguments, code) in commands {
        let run = |err: Stdio| {
            let mut command = std::process::Command::new(crate::BINARY);
            let child = command.args(arguments).stdout(File::create("/dev/null").expect("null")).stderr(err);
            child.status().expect("it runs").code()
        };
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let said = [run(Stdio::null()), run(OwnedFd::from(writer).into()), run(full.into())];
        assert_eq!(said, [Some(code); 3], "{arguments:?}");
    }
}

/// An exporter that fails when files appear in the returned directory.
fn faulty(flags: &[&str]) -> (Started, TempDir) {
    let faults = tempfile::tempdir().expect("a directory");
    let exporter = Started::new(
        &format!("{CONFIG}reflector: {{ listen: '127.0.0.1:0' }}\n"),
        Stdio::null(),
        &[("VXLAN_EXPORTER_FAULTS", faults.path().to_str().expect("text"))],
        // The task removes the fault's file, which the sandbox would forbid.
        &[&["--sandbox=off"], flags].concat(),
    );
    (exporter, faults)
}

fn restarts(text: &str, task: &str) -> f64 {
    metric(text, &format!("vxlan_exporter_task_restarts_total{{task=\"{task}\"}}"))
}

fn strike(faults: &TempDir, fault: &str) {
    fs::write(faults.path().join(fault), "").expect("written");
}

/// Every task that dies is restarted; its counts continue, and requests are served.
#[test]
fn each_part_that_dies_is_started_again() {
    let (mut exporter, faults) = faulty(&[]);
    let sent = |text: &str| metric(text, "vxlan_path_echo_requests_total{path=\"p\"");
    exporter.wait_for("it probes", |exporter| sent(&exporter.metrics()) >= 3.0);
    for task in ["probes", "router_worker", "conductor", "reloader", "reflector"] {
        let before = exporter.metrics();
        strike(&faults, &format!("{task}.panic"));
        exporter.wait_for(task, |exporter| restarts(&exporter.metrics(), task) >= 1.0);
        exporter.wait_for("all is well again", |exporter| {
            exporter.status("/-/healthy") == 200 && exporter.status("/-/ready") == 200
        });
        assert!(sent(&exporter.metrics()) >= sent(&before), "{task}: counters go on");
        exporter.wait_for("it probes again", |exporter| sent(&exporter.metrics()) > sent(&before));
        exporter.wait_for("the router is up again", |exporter| {
            metric(&exporter.metrics(), "vxlan_router_up{router=\"r\"") == 1.0
        });
        exporter.configure("site: [");
        exporter.wait_for("a broken configuration is seen", |exporter| {
            metric(&exporter.metrics(), "vxlan_exporter_config_last_reload_successful") == 0.0
        });
        exporter.configure(CONFIG);
        exporter.wait_for("and one that is mended", |exporter| {
            metric(&exporter.metrics(), "vxlan_exporter_config_last_reload_successful") == 1.0
        });
        exporter.configure(&format!("{CONFIG}reflector: {{ listen: '127.0.0.1:0' }}\n"));
        exporter.wait_for("it reflects again", |exporter| {
            metric(&exporter.metrics(), "vxlan_exporter_capability{name=\"reflector\"}") == 1.0
        });
    }
}

/// A task waits for something that never comes: it is reported as stuck, its data are removed, and
/// it is restarted.
#[test]
fn each_part_that_makes_no_progress_is_said_to_and_started_again() {
    for task in ["probes", "router_worker", "conductor", "reloader"] {
        let (mut exporter, faults) = faulty(&[]);
        strike(&faults, &format!("{task}.wait"));
        exporter.wait_for(task, |exporter| {
            let (status, text) = exporter.ask("/-/healthy").unwrap_or_default();
            status == 503 && text.contains(task) && text.contains("has made no progress")
        });
        if task == "probes" {
            exporter.wait_for("its paths are unknown", |exporter| {
                metric(&exporter.metrics(), "vxlan_path_unknown_reason{path=\"p\",target_site=\"there\",source=\"here\",reason=\"stale\"}") == 1.0
            });
        }
        exporter.wait_for("it is started again", |exporter| restarts(&exporter.metrics(), task) == 1.0);
        exporter.wait_for("all is well again", |exporter| exporter.status("/-/healthy") == 200);
    }
}

/// A thread that never returns cannot be ended, so the process ends and its service manager starts
/// it again.
#[test]
fn what_cannot_be_started_again_ends_the_process() {
    for task in ["probes", "web"] {
        let (mut exporter, faults) = faulty(&[]);
        strike(&faults, &format!("{task}.block"));
        assert_eq!(exporter.ended(), Some(3), "{task}");
    }
    let (mut exporter, faults) = faulty(&[]);
    strike(&faults, "web.panic");
    assert_eq!(exporter.ended(), Some(2), "there is no second listener");
}

/// A kubelet's probe has no password. It asks inside the container and gets the answer of
/// `/-/healthy`.
#[test]
fn a_liveness_probe_needs_no_password() {
    let files = tempfile::tempdir().expect("a directory");
    let web = files.path().join("web.yml");
    let hash = "$2y$04$UuTkLRZZ6QofpDOlMz32Mu.Q0RxchGgVsgfueU0KqnX6uL.WE/FNe";
    fs::write(&web, format!("basic_auth_users: {{ prometheus: {hash} }}\n")).expect("written");
    let (mut exporter, faults) = faulty(&[&format!("--web.config.file={}", web.display())]);
    assert_eq!(exporter.status("/-/healthy"), 401);
    assert_eq!(exporter.healthy(), (Some(0), "healthy\n".to_owned()));
    strike(&faults, "probes.wait");
    exporter.wait_for("it says what is wrong", |exporter| {
        let (code, words) = exporter.healthy();
        code == Some(1) && words.starts_with("not healthy: probes has made no progress")
    });
    assert_eq!(exporter.terminate(), Some(0));
    assert_eq!(exporter.healthy().0, Some(2), "there is none any more");
}

/// The watchdog needs no runtime: here no task is scheduled any more.
#[test]
fn a_runtime_whose_threads_all_hang_ends_the_process() {
    let (mut exporter, faults) = faulty(&[]);
    for task in ["probes", "router_worker", "conductor", "reloader", "reflector", "web"] {
        strike(&faults, &format!("{task}.block"));
    }
    assert_eq!(exporter.ended(), Some(3));
}

/// A process that was stopped for longer than a hanging task may take goes on as if nothing had
/// happened.
#[test]
fn a_process_that_was_stopped_goes_on() {
    let (mut exporter, _faults) = faulty(&[]);
    let sent = |text: &str| metric(text, "vxlan_path_echo_requests_total{path=\"p\"");
    exporter.wait_for("it probes", |exporter| sent(&exporter.metrics()) >= 3.0);
    let before = exporter.metrics();
    exporter.signal(Signal::SIGSTOP);
    thread::sleep(Duration::from_secs(35));
    exporter.signal(Signal::SIGCONT);
    exporter.wait_for("it probes again", |exporter| sent(&exporter.metrics()) > sent(&before) + 2.0);
    assert_eq!(metric(&exporter.metrics(), "vxlan_exporter_task_restarts_total"), 0.0);
    assert_eq!(exporter.status("/-/healthy"), 200);
    assert_eq!(exporter.terminate(), Some(0));
}
