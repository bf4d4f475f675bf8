//! A router for tests: an OpenSSH server with its own host keys and users, in a network namespace
//! of its own.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use tempfile::TempDir;

/// Its name in `known_hosts`.
pub const NAME: &str = "[127.0.0.1]:2222";

/// The password of its root; the machine's own is not touched.
pub const PASSWORD: &str = "correct-horse";
const SHADOW: &str = "root:$6$lab$w7GlX2ddr4MXMwmNl.ZVmQNv1WFYNW/AKkY3Op0YtDDBmHdFh3.2GaGpTMNYIv9LIQLuJm6Ar0MG0bKoxpP7o0:19000:0:99999:7:::\n";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Starts a router with these lines added to its `sshd_config`, and runs `test` inside its
/// namespace.
pub fn with_router(sshd_config: &str, test: impl FnOnce(&Router) + Send) {
    with_router_after(":", sshd_config, test);
}

/// Like [`with_router`], after a shell command in the router's own mount namespace; `$D` is its
/// directory.
pub fn with_router_after(setup: &str, sshd_config: &str, test: impl FnOnce(&Router) + Send) {
    let router = Router::start(setup, sshd_config);
    inside(&router.namespace, || test(&router));
}

/// Runs `test` inside a network namespace. Threads inherit it, so the worker's own thread will be
/// in it too.
pub fn inside<T: Send>(namespace: &str, test: impl FnOnce() -> T + Send) -> T {
    let outcome = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            let namespace = File::open(format!("/run/netns/{namespace}")).expect("open the namespace");
            setns(namespace, CloneFlags::CLONE_NEWNET).expect("enter the namespace");
            test()
        });
        inside.join()
    });
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Waits until a condition holds.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(3), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a command that must succeed.
pub fn run(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output().unwrap_or_else(|error| {
        panic!("cannot run {command}: {error}; install Debian's iproute2 and openssh-client")
    });
    assert!(output.status.success(), "{command} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The machine's accounts, but root logs in to `sh`: bash takes longer to start and reads the
/// `.bashrc` of whoever logs in over SSH.
fn accounts() -> String {
    let accounts = fs::read_to_string("/etc/passwd").expect("read /etc/passwd");
    let to_sh = |line: &str| match line.rsplit_once(':') {
        Some((root, _)) if line.starts_with("root:") => format!("{root}:/bin/sh\n"),
        _ => format!("{line}\n"),
    };
    accounts.lines().map(to_sh).collect()
}

/// The router. Dropping it stops its server and removes its namespace.
pub struct Router {
    /// Its namespace.
    pub namespace: String,
    directory: TempDir,
    sshd: Option<Child>,
}

impl Router {
    /// Starts it; see [`with_router_after`].
    pub fn start(setup: &str, sshd_config: &str) -> Self {
        assert!(geteuid().is_root(), "these tests make network namespaces and run sshd: run them as root");
        assert!(
            Path::new("/usr/sbin/sshd").exists(),
            "these tests need Debian's openssh-server (/usr/sbin/sshd): install it"
        );
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut router = Self {
            namespace: format!("vxssh-{}-{number}", std::process::id()),
            directory: tempfile::tempdir().expect("make a directory"),
            sshd: None,
        };
        run("ip", &["netns", "add", &router.namespace]);
        router.ip("link set lo up");
        router.new_key("host_ed25519", "ed25519");
        router.put_rsa_host_key();
        let user = router.new_key("user", "ed25519");
        fs::write(router.path("authorized_keys"), user).expect("write authorized_keys");
        router.know(&format!("{NAME} {}\n", router.host_key("ed25519")));
        router.new_key("authority", "ed25519");
        let sign = ["-q", "-s", "authority", "-I", "host", "-h", "-n", "127.0.0.1", "host_ed25519.pub"];
        let signed = Command::new("ssh-keygen").current_dir(router.directory.path()).args(sign).status();
        assert!(signed.is_ok_and(|status| status.success()), "certify the host key");
        let at = |file: &str| router.path(file).display().to_string();
        let config = format!(
            // sshd uses the first value of a setting.
            "{}\nListenAddress 0.0.0.0:2222\nHostKey {}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nLogLevel VERBOSE\n",
            sshd_config.replace("DIRECTORY", &at("")),
            at("host_ed25519"),
            at("host_rsa"),
            at("authorized_keys"),
        );
        fs::write(router.path("sshd_config"), config).expect("write sshd_config");
        fs::write(router.path("shadow"), SHADOW).expect("write shadow");
        // Debian's sshd uses this directory for privilege separation.
        fs::create_dir_all("/run/sshd").expect("make /run/sshd");
        fs::write(router.path("passwd"), accounts()).expect("write passwd");
        let sshd = Command::new("ip")
            .args(["netns", "exec", &router.namespace, "sh", "-c"])
            // `ip netns exec` gives this shell its own mounts, so nobody else sees these files.
            .arg(format!(
                "D=\"$4\"; mount --bind \"$1\" /etc/shadow && mount --bind \"$D/passwd\" /etc/passwd && \
                 {{ {setup}\n}} && exec /usr/sbin/sshd -D -f \"$2\" -E \"$3\""
            ))
            .args(["sh", &at("shadow"), &at("sshd_config"), &at("log"), &at("")])
            .stdin(Stdio::null())
            .spawn()
            .expect("start sshd");
        router.sshd = Some(sshd);
        wait_until("sshd listens", || router.log().contains("Server listening"));
        router
    }

    /// Makes its server reload its files.
    pub fn reload(&self) {
        let before = self.log().matches("Server listening").count();
        let server = self.sshd.as_ref().expect("sshd runs").id();
        kill(Pid::from_raw(i32::try_from(server).unwrap()), Signal::SIGHUP).expect("reload sshd");
        wait_until("sshd listens again", || self.log().matches("Server listening").count() > before);
    }

    /// Authorises its standard key for its user, with options such as `command="…"`.
    pub fn authorize(&self, options: &str) {
        let key = self.public_key("user");
        fs::write(self.path("authorized_keys"), format!("{options} {key}\n")).expect("write authorized_keys");
    }

    /// Writes a shell script; returns the command line for a forced command.
    pub fn script(&self, name: &str, text: &str) -> String {
        let file = self.path(name);
        fs::write(&file, text.replace("DIRECTORY", &self.path("").display().to_string()))
            .expect("write a script");
        format!("exec sh {}", file.display())
    }

    /// A file of this test.
    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Replaces `known_hosts`.
    pub fn know(&self, text: &str) {
        fs::write(self.path("known_hosts"), text).expect("write known_hosts");
    }

    /// Makes a key pair; returns type and public key.
    pub fn new_key(&self, file: &str, kind: &str) -> String {
        run("ssh-keygen", &["-q", "-t", kind, "-N", "", "-f", self.path(file).to_str().unwrap()]);
        self.public_key(file)
    }

    /// Making an RSA key takes a tenth of a second to several: all routers of a run have the same.
    fn put_rsa_host_key(&self) {
        static KEY: OnceLock<[String; 2]> = OnceLock::new();
        let files = ["host_rsa", "host_rsa.pub"].map(|file| self.path(file));
        let mut made = false;
        let key = KEY.get_or_init(|| {
            made = true;
            self.new_key("host_rsa", "rsa");
            files.each_ref().map(|file| fs::read_to_string(file).expect("read a key"))
        });
        if made {
            return;
        }
        for (file, text) in files.iter().zip(key) {
            fs::write(file, text).expect("write a key");
        }
        fs::set_permissions(&files[0], fs::Permissions::from_mode(0o600)).expect("protect a key");
    }

    /// Type and public key of one of its host keys.
    pub fn host_key(&self, kind: &str) -> String {
        self.public_key(&format!("host_{kind}"))
    }

    /// Type and public key of a pair.
    pub fn public_key(&self, file: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{file}.pub"))).expect("read the public key");
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// The fingerprint that `ssh-keygen -l` prints.
    pub fn fingerprint(&self, file: &str) -> String {
        let text = run("ssh-keygen", &["-l", "-f", self.path(file).to_str().unwrap()]);
        text.split_whitespace().nth(1).expect("a fingerprint").to_owned()
    }

    /// The log of its server.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Runs `ip` inside its namespace.
    pub fn ip(&self, arguments: &str) {
        let all: Vec<&str> = ["-n", &self.namespace].into_iter().chain(arguments.split(' ')).collect();
        run("ip", &all);
    }

    /// Ends all sessions with that signal, and waits until they are gone.
    pub fn end_sessions(&self, signal: Signal) {
        let server = self.sshd.as_ref().expect("sshd runs").id();
        let children = || {
            let text =
                fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
            text.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect::<Vec<_>>()
        };
        // Again and again: a server that is about to wait for packets may overlook one SIGTERM.
        wait_until("sessions end", || {
            let left = children();
            for session in &left {
                let _ = kill(*session, signal);
            }
            left.is_empty()
        });
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        if let Some(sshd) = &mut self.sshd {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).status();
    }
}
