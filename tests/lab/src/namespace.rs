//! Network namespaces: run commands in them and connect from them. All packets of the lab stay in
//! its own namespaces; the machine's own network gets no interface, route or rule.

use std::{
    fs::File,
    io,
    net::{SocketAddr, TcpStream},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns};

use super::runs;

/// A named network namespace.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Its name under /run/netns.
    pub name: String,
}

impl Namespace {
    /// Creates it, with its loopback up.
    pub fn add(name: String) -> Result<Self> {
        run("ip", &["netns", "add", &name])?;
        let namespace = Self { name };
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Runs `ip` in it; the arguments are split at spaces.
    pub fn ip(&self, arguments: &str) -> Result<()> {
        let mut words = vec!["-n", self.name.as_str()];
        words.extend(arguments.split_whitespace());
        run("ip", &words).map(drop)
    }

    /// A command that will run in it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).stdin(Stdio::null());
        command
    }

    /// Runs a command in it and returns its output, whatever the exit code.
    pub fn output(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        runs::halt_if_stopping();
        self.command(program)
            .args(arguments)
            .output()
            .with_context(|| format!("running {program} in namespace {}", self.name))
    }

    /// Runs a command in it that must succeed.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut words = vec!["netns", "exec", self.name.as_str(), program];
        words.extend(arguments);
        run("ip", &words).map(drop)
    }

    /// Sets a sysctl in it, e.g. `net/ipv4/ip_forward`.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        self.run("sh", &["-c", &format!("echo {value} > /proc/sys/{key}")])
    }

    /// Makes a TCP connection from inside. A socket stays in the namespace in which it was made, so
    /// a thread enters it only for the time of connecting.
    pub fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let entry = File::open(format!("/run/netns/{}", self.name))?;
        thread::spawn(move || {
            setns(entry, CloneFlags::CLONE_NEWNET)?;
            TcpStream::connect_timeout(&address, Duration::from_secs(2))
        })
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the connecting thread panicked")))
    }
}

/// Runs a command that must succeed; the error contains the command and its output.
pub fn run(program: &str, arguments: &[&str]) -> Result<String> {
    runs::halt_if_stopping();
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {program}; `scripts/setup.sh` installs what the lab needs"))?;
    if !output.status.success() {
        runs::halt_if_stopping();
        bail!(
            "`{program} {}` failed ({}): {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
