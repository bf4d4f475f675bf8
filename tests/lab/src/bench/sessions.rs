//! Bare `ssh2` sessions that run a command and throw its output away: what reading a router costs
//! at least. Prints CPU seconds a read, and bytes of memory.

use std::{
    io::Read as _,
    net::TcpStream,
    path::Path,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ssh2::Session;

use super::{
    cost::{self, float},
    routers,
};

/// As many as the exporter's `router_workers`.
const WORKERS: usize = 32;

/// Logs in everywhere, runs the command once on each, then watches one interval more.
pub fn run(count: usize, interval: Duration, script: &Path, key: &Path) -> Result<()> {
    let script = routers::script(script)?;
    let sessions: Vec<Mutex<Option<Session>>> = (0..count).map(|_| Mutex::new(None)).collect();
    let login = |number: usize| -> Result<()> {
        let session = log_in(&routers::router(number), key)?;
        exec(&session, &script)?;
        *sessions[number].lock().map_err(|_| anyhow::anyhow!("a worker panicked"))? = Some(session);
        Ok(())
    };
    each(count, Duration::ZERO, &login)?;
    let read = |number: usize| -> Result<()> {
        let session = sessions[number].lock().map_err(|_| anyhow::anyhow!("a worker panicked"))?;
        exec(session.as_ref().context("logged in")?, &script)
    };
    let me = nix::unistd::getpid();
    let before = cost::cpu(me)?;
    each(count, interval, &read)?;
    let used = cost::cpu(me)?.saturating_sub(before).as_secs_f64();
    println!("{} {}", used / float(count), cost::memory(me)?);
    Ok(())
}

/// Does something for each router, spread over the interval, by 32 workers.
fn each(count: usize, interval: Duration, work: &(impl Fn(usize) -> Result<()> + Sync)) -> Result<()> {
    let began = Instant::now();
    thread::scope(|scope| {
        let worker = |worker: usize| {
            move || -> Result<()> {
                for number in (worker..count).step_by(WORKERS) {
                    let due = began + interval.mul_f64(float(number) / float(count));
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    work(number)?;
                }
                Ok(())
            }
        };
        let workers: Vec<_> = (0..WORKERS).map(|number| scope.spawn(worker(number))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn log_in(address: &str, key: &Path) -> Result<Session> {
    let mut session = Session::new()?;
    session.set_tcp_stream(TcpStream::connect(address)?);
    session.handshake()?;
    session.userauth_pubkey_file("root", None, key, None)?;
    Ok(session)
}

fn exec(session: &Session, script: &str) -> Result<()> {
    let mut channel = session.channel_session()?;
    channel.exec(script)?;
    let mut buffer = vec![0; 32 << 10];
    while channel.read(&mut buffer)? > 0 {}
    channel.wait_close()?;
    Ok(())
}
