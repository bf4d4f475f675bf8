//! What a run of the lab leaves on the machine, and its removal: namespaces `vxl-ID-…`,
//! /etc/netns/vxl-ID-…, /run/vxlan-lab/ID. The same removal serves the end of a run, a signal, and
//! the leftovers of a run that was killed. Only processes inside a run's own namespaces are killed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::signal::unix::{SignalKind, signal};

const PREFIX: &str = "vxl-";
const BASE: &str = "/run/vxlan-lab";

static ALIVE: Mutex<Vec<String>> = Mutex::new(Vec::new());
static STOPPING: AtomicBool = AtomicBool::new(false);

/// A run's own directory.
pub fn directory(id: &str) -> PathBuf {
    Path::new(BASE).join(id)
}

/// The name of one of a run's namespaces.
pub fn namespace_name(id: &str, role: &str) -> String {
    format!("{PREFIX}{id}-{role}")
}

/// Starts a run: a random name, and a directory that says whose it is. From here on a signal
/// removes it.
pub fn begin() -> Result<String> {
    watch_signals();
    let id = format!("{:05x}", fastrand::u32(..0x10_0000));
    let directory = directory(&id);
    make_directory(&directory)?;
    let me = process::id();
    fs::write(directory.join("owner"), format!("{me} {}", start_time(me).unwrap_or_default()))?;
    alive().push(id.clone());
    Ok(id)
}

/// Creates a directory and its parent. Another run may remove the parent in between when it ends;
/// then it is created once more.
pub fn make_directory(path: &Path) -> Result<()> {
    let mut made = Ok(());
    for _ in 0..5 {
        made = fs::create_dir_all(path);
        if made.is_ok() {
            break;
        }
    }
    made.with_context(|| format!("making {}", path.display()))
}

/// Removes everything that a run has created. Doing it twice is harmless.
pub fn remove(id: &str) {
    let mine = |name: &str| name.starts_with(&namespace_name(id, ""));
    for namespace in namespaces().iter().filter(|name| mine(name)) {
        end_processes(namespace);
        quiet("ip", &["netns", "del", namespace]);
    }
    for entry in entries("/etc/netns").iter().filter(|name| mine(name)) {
        let _ = fs::remove_dir_all(Path::new("/etc/netns").join(entry));
    }
    // The machine may have had one before.
    let _ = fs::remove_dir("/etc/netns");
    let _ = fs::remove_dir_all(directory(id));
    let _ = fs::remove_dir(BASE);
    alive().retain(|known| known != id);
}

/// Runs whose process is gone but whose namespaces or files still exist.
pub fn dead() -> Vec<String> {
    let of_namespaces = namespaces();
    let of_etc = entries("/etc/netns");
    let ids: BTreeSet<String> = of_namespaces
        .iter()
        .chain(&of_etc)
        .filter_map(|name| name.strip_prefix(PREFIX)?.split_once('-').map(|(id, _)| id.to_owned()))
        .chain(entries(BASE))
        .collect();
    ids.into_iter().filter(|id| !owner_lives(id)).collect()
}

/// After a signal the watcher removes everything and ends the process; callers that would create
/// more wait here.
pub fn halt_if_stopping() {
    while STOPPING.load(Ordering::SeqCst) && thread::current().name() != Some("signals") {
        thread::sleep(Duration::from_secs(1));
    }
}

fn watch_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let watcher = thread::Builder::new().name("signals".into()).spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let code = runtime.block_on(async {
                let mut interrupt = signal(SignalKind::interrupt())?;
                let mut terminate = signal(SignalKind::terminate())?;
                let mut hangup = signal(SignalKind::hangup())?;
                std::io::Result::Ok(tokio::select! {
                    _ = interrupt.recv() => 130,
                    _ = terminate.recv() => 143,
                    _ = hangup.recv() => 129,
                })
            })?;
            STOPPING.store(true, Ordering::SeqCst);
            eprintln!("\nStopping: taking the lab down.");
            // A command in progress may still create something: give it time to end.
            thread::sleep(Duration::from_millis(200));
            let ids = alive().clone();
            for id in ids {
                remove(&id);
            }
            eprintln!("The lab is gone.");
            process::exit(code);
            #[expect(unreachable_code, reason = "gives the closure its type")]
            std::io::Result::Ok(())
        });
        if let Err(error) = watcher {
            eprintln!("no signal watcher ({error}): after Ctrl-C, run `make lab-clean`");
        }
    });
}

fn alive() -> std::sync::MutexGuard<'static, Vec<String>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn owner_lives(id: &str) -> bool {
    let Ok(owner) = fs::read_to_string(directory(id).join("owner")) else { return false };
    let Some((pid, started)) = owner.split_once(' ') else { return false };
    pid.parse().ok().and_then(start_time).is_some_and(|now| now == started)
}

/// Start time in ticks since boot (proc(5), stat field 22): a pid can be reused, this pair cannot.
/// `None` if there is no such process, or if it has ended and only waits for its parent.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ended = matches!(fields.first(), Some(&"Z" | &"X"));
    fields.get(19).filter(|_| !ended).map(|ticks| (*ticks).to_owned())
}

fn end_processes(namespace: &str) {
    for (signal, patience) in [(Signal::SIGTERM, 10), (Signal::SIGKILL, 20)] {
        for pid in processes(namespace) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
        for _ in 0..patience {
            if processes(namespace).is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Processes in a namespace, except those that have ended and wait for their parent.
fn processes(namespace: &str) -> Vec<i32> {
    let Ok(output) = Command::new("ip").args(["netns", "pids", namespace]).stdin(Stdio::null()).output()
    else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout).split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn namespaces() -> Vec<String> {
    entries("/run/netns")
}

fn entries(directory: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

fn quiet(program: &str, arguments: &[&str]) {
    let _ = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).status();
}
