//! Network namespaces: run commands in them and connect from them. All packets of the lab stay in
//! its own namespaces; the machine's own network gets no interface, route or rule.

use std::{
    fs::{self, File},
    io::{self, Write},
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

    /// Creates several with a single process; their loopbacks stay down.
    pub fn add_all(names: Vec<String>) -> Result<Vec<Self>> {
        let commands: Vec<String> = names.iter().map(|name| format!("netns add {name}")).collect();
        ip_batch(&[], &commands)?;
        Ok(names.into_iter().map(|name| Self { name }).collect())
    }

    /// Runs several `ip` commands in it, one after the other, with a single process: a busy machine
    /// takes longest to start one.
    pub fn batch(&self, commands: &[String]) -> Result<()> {
        ip_batch(&["-n", &self.name], commands)
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
        self.inside(|| run(program, arguments).map(drop))?
    }

    /// Sets a sysctl in it, e.g. `net/ipv4/ip_forward`.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        self.inside(|| fs::write(format!("/proc/sys/{key}"), value))?
            .with_context(|| format!("setting {key} to {value} in namespace {}", self.name))
    }

    /// Makes a TCP connection from inside. A socket stays in the namespace in which it was made.
    pub fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.inside(|| TcpStream::connect_timeout(&address, Duration::from_secs(2)))?
    }

    /// Does something in a thread that has entered it. A process started there is in it too, but
    /// unlike one of [`Namespace::command`] it has the machine's own /sys and /etc.
    fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> io::Result<T> {
        let entry = File::open(format!("/run/netns/{}", self.name))?;
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(entry, CloneFlags::CLONE_NEWNET)?;
                Ok(act())
            });
            inside.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace panicked")))
        })
    }
}

fn ip_batch(options: &[&str], commands: &[String]) -> Result<()> {
    runs::halt_if_stopping();
    let mut ip = Command::new("ip")
        .args(options)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("running ip; `scripts/setup.sh` installs what the lab needs")?;
    let mut input = ip.stdin.take().context("no pipe to ip")?;
    // A command that fails ends `ip`, so its pipe may be closed early; the output says why.
    let _ = input.write_all(commands.join("\n").as_bytes());
    drop(input);
    let output = ip.wait_with_output()?;
    if !output.status.success() {
        runs::halt_if_stopping();
        bail!(
            "`ip {} -batch -` failed: {}\n{}",
            options.join(" "),
            String::from_utf8_lossy(&output.stderr).trim(),
            commands.join("\n")
        );
    }
    Ok(())
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
