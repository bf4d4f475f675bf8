//! `blackbox_exporter`, asked for every path once a second, over connections that stay open, as
//! Prometheus would.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{
    Plan,
    cost::Cost,
    pair::{Pair, target},
    paths::settled,
    rivals::BLACKBOX,
};
use crate::ssh_router::inside;

const LISTEN: &str = "127.0.0.1:9115";
const CLIENTS: usize = 16;

/// Starts it, asks, and watches.
pub fn measure(plan: &Plan, pair: &Pair, paths: usize) -> Result<Cost> {
    let file = pair.file("blackbox.yml");
    fs::write(&file, "modules:\n  icmp:\n    prober: icmp\n    timeout: 2s\n")?;
    let mut command = pair.near.command(BLACKBOX);
    command.arg(format!("--config.file={}", file.display())).arg(format!("--web.listen-address={LISTEN}"));
    command.arg("--log.level=error");
    let process = pair.start("blackbox", command)?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (done, near) = (&done, &pair.near.name);
            scope.spawn(move || inside(near, || ask_until(done, client, paths)));
        }
        let cost = settled(pair, process, plan);
        done.store(true, Ordering::Relaxed);
        cost
    })
}

/// Asks for its own share of the paths, each once a second.
fn ask_until(done: &AtomicBool, client: usize, paths: usize) {
    let mut connection = None;
    let began = Instant::now();
    for second in 0_u64.. {
        for path in (client..paths).step_by(CLIENTS) {
            let micros = u64::try_from(path * 1_000_000 / paths).unwrap_or_default();
            let due = began + Duration::from_secs(second) + Duration::from_micros(micros);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if done.load(Ordering::Relaxed) {
                return;
            }
            // It may not listen yet.
            if ask(&mut connection, path).is_err() {
                connection = None;
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

fn ask(connection: &mut Option<BufReader<TcpStream>>, path: usize) -> Result<()> {
    if connection.is_none() {
        *connection = Some(BufReader::new(TcpStream::connect(LISTEN)?));
    }
    let stream = connection.as_mut().context("just made")?;
    let page = format!("/probe?module=icmp&target={}", target(path));
    write!(stream.get_mut(), "GET {page} HTTP/1.1\r\nHost: {LISTEN}\r\n\r\n")?;
    let mut length = None;
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = Some(value.parse::<usize>()?);
        }
        if header.is_empty() {
            break;
        }
    }
    if let Some(length) = length {
        let mut body = vec![0; length];
        return Ok(stream.read_exact(&mut body)?);
    }
    // In chunks, the last of which is empty.
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim_end(), 16)?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(());
        }
    }
}
