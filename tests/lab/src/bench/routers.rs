//! What reading routers costs, beside bare `ssh2` sessions that run the same command and throw its
//! output away.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{Plan, cost, together::count_of};
use crate::fleet::{Fleet, address, with_fleet};

const PORT: u16 = 14_789;
/// Vxlan interfaces of a router, and forwarding entries of each.
const VXLANS: usize = 4;
const ENTRIES: usize = 200;

/// One number of routers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    /// Number of routers.
    pub routers: usize,
    /// Seconds between two reads of a router.
    pub interval: u64,
    /// Seconds until all were read for the first time.
    pub first: f64,
    /// CPU of a read in seconds.
    pub ours: f64,
    /// The same of a bare session.
    pub bare: f64,
    /// Resident bytes of the exporter.
    pub memory: u64,
    /// Resident bytes of the program with the bare sessions.
    pub bare_memory: u64,
}

/// Measures that many routers.
pub fn measure(plan: &Plan, routers: usize) -> Result<Row> {
    let interval = if routers > 100 { 30 } else { 5 };
    let mut measured = Ok(Row::default());
    with_fleet(routers, |fleet| {
        fill(fleet, routers);
        fleet.record();
        measured = ours(plan, fleet, routers, interval).and_then(|mut row| {
            bare(plan, fleet, &mut row)?;
            Ok(row)
        });
    });
    let row = measured?;
    println!(
        "{routers} routers: first picture after {:.1} s, {:.2} ms CPU a read (bare ssh2 {:.2}), {:.1} MB (bare {:.1})",
        row.first,
        row.ours * 1e3,
        row.bare * 1e3,
        cost::megabytes(row.memory),
        cost::megabytes(row.bare_memory)
    );
    Ok(row)
}

fn ours(plan: &Plan, fleet: &Fleet<'_>, routers: usize, interval: u64) -> Result<Row> {
    let text = format!("scrape_interval: {interval}s\nrouters:\n{}", fleet.routers());
    let config = fleet.write("config.yml", &text);
    let began = Instant::now();
    let exporter = fleet.serve(&plan.exporter, &config, PORT, &[]);
    let read = |text: &str| count_of(text, "vxlan_router_last_success_timestamp_seconds");
    while read(&exporter.ask("GET", "/metrics").1) < routers {
        ensure!(began.elapsed() < Duration::from_mins(3), "not all read: {}", exporter.log());
        thread::sleep(Duration::from_millis(200));
    }
    let first = began.elapsed().as_secs_f64();
    // All have logged in; each is read once more in the next interval.
    let used = cost::cpu(exporter.pid())?;
    thread::sleep(Duration::from_secs(interval));
    let used = cost::cpu(exporter.pid())?.saturating_sub(used);
    let count = cost::float(routers);
    let memory = cost::memory(exporter.pid())?;
    Ok(Row { routers, interval, first, ours: used.as_secs_f64() / count, memory, ..Row::default() })
}

/// The same command over sessions of a program of its own.
fn bare(plan: &Plan, fleet: &Fleet<'_>, row: &mut Row) -> Result<()> {
    let script = fleet.script();
    ensure!(script.exists(), "no script was recorded");
    let mut command = Command::new(&plan.this);
    command.args([
        "sessions",
        "--routers",
        &row.routers.to_string(),
        "--interval",
        &row.interval.to_string(),
    ]);
    command.arg("--script").arg(&script).arg("--key").arg(fleet.key());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("its output")?;
    let line =
        std::io::BufRead::lines(std::io::BufReader::new(output)).next().context("the sessions ended")??;
    ensure!(child.wait()?.success(), "the bare sessions failed: {line}");
    let mut words = line.split(' ');
    row.bare = words.next().unwrap_or_default().parse()?;
    row.bare_memory = words.next().unwrap_or_default().parse()?;
    Ok(())
}

/// Gives every router four vxlan interfaces with 200 forwarding entries each.
pub fn fill(fleet: &Fleet<'_>, routers: usize) {
    for number in 0..routers {
        fleet.say(number, Some(&links(number, routers)), Some(&entries(number)));
    }
}

fn vtep(number: usize) -> String {
    format!("10.1.{}.{}", number / 250, number % 250 + 1)
}

fn links(number: usize, routers: usize) -> String {
    let counters = r#""stats64":{"rx":{"bytes":0,"packets":0,"errors":0,"dropped":0},"tx":{"bytes":0,"packets":0,"errors":0,"dropped":0}}"#;
    let head = r#""flags":["UP"],"mtu":1500,"operstate":"UP","link_type":"ether""#;
    let mut text = format!(
        r#"[{{"ifindex":2,"ifname":"eth0",{head},"addr_info":[{{"local":"{}"}}],{counters}}},
{{"ifindex":3,"ifname":"br01",{head},"linkinfo":{{"info_kind":"bridge"}},{counters}}}"#,
        vtep(number)
    );
    for vxlan in 0..VXLANS {
        // Both ends of a tunnel have its VNI: each router has two tunnels to either side.
        let step = vxlan / 2 + 1;
        let (peer, lower) = match vxlan % 2 {
            0 => ((number + step) % routers, number),
            _ => ((number + routers * step - step) % routers, (number + routers * step - step) % routers),
        };
        let _ = write!(
            text,
            r#",
{{"ifindex":{},"ifname":"vxlan{vxlan}",{head},"master":"br01","linkinfo":{{"info_kind":"vxlan","info_data":{{"id":{},"remote":"{}","port":8472}}}},{counters}}}"#,
            vxlan + 4,
            lower * 10 + step,
            vtep(peer)
        );
    }
    text + "]"
}

fn entries(number: usize) -> String {
    let mut entries = Vec::new();
    for vxlan in 0..VXLANS {
        for entry in 0..ENTRIES {
            entries.push(format!(
                r#"{{"mac":"02:{:02x}:{:02x}:{vxlan:02x}:00:{entry:02x}","ifname":"vxlan{vxlan}","flags":["extern_learn"],"master":"br01","state":""}}"#,
                number / 256,
                number % 256
            ));
        }
    }
    format!("[{}]", entries.join(","))
}

/// The address of a router and the size of what it prints, for the bare sessions.
pub fn router(number: usize) -> String {
    format!("{}:{}", address(number), crate::fleet::PORT)
}

/// Reads a recorded command.
pub fn script(file: &std::path::Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
}
