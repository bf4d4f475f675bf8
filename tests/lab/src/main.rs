//! The lab as a command: `lab up` to look around, `lab demo` for the whole story, `lab run-fault`
//! for one fault of the tests, `lab notice` to measure how soon holes are noticed, `lab soak` for
//! steadiness, `lab record` for the pictures of the dashboards, `lab clean` after a run that was
//! killed.

mod demo;
mod record;

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

use lab::{
    Lab, exporter,
    fault::Fault,
    levels, lossy, notice,
    numbers::{End, Numbers, Place},
    runs, wire,
};

/// Three sites joined by VXLAN, in network namespaces of this machine.
#[derive(Debug, Parser)]
#[command(name = "lab")]
struct Arguments {
    /// The exporter to run in it.
    #[arg(long, global = true, default_value_os_t = lab::beside_us())]
    exporter: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Start the lab and keep it until Ctrl-C.
    Up {
        /// The fault to set up; see tests/lab/faults.
        #[arg(long, default_value = "healthy")]
        fault: String,
        /// Use names, prefixes and VNIs other than the article's.
        #[arg(long)]
        elsewhere: bool,
    },
    /// Show the article's failure: found, explained and mended.
    Demo {
        /// Seconds to keep the lab after the story; by default until Ctrl-C.
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Let a Prometheus record the article's failure and its end, for the pictures of the
    /// dashboards.
    Record {
        /// Directory for what it stored.
        into: PathBuf,
        /// Seconds before the failure.
        #[arg(long, default_value_t = 360)]
        healthy: u64,
        /// Seconds of the failure.
        #[arg(long, default_value_t = 180)]
        broken: u64,
        /// Seconds after the failure was mended.
        #[arg(long, default_value_t = 120)]
        mended: u64,
    },
    /// Set up a fault and compare the lab itself with the fault's file: which sizes really pass.
    Wire {
        /// The fault; see tests/lab/faults.
        fault: String,
    },
    /// Set up a fault and compare the exporter with what the fault's file expects.
    RunFault {
        /// The fault; see tests/lab/faults.
        fault: String,
        /// Number of repetitions, each in a new lab.
        #[arg(long, default_value_t = 1)]
        times: u32,
    },
    /// Measure how soon a new hole and its end are noticed.
    Notice {
        /// Number of holes.
        #[arg(long, default_value_t = 20)]
        times: u32,
    },
    /// Lossy paths for a long time: no hole may be claimed on them.
    Soak {
        /// Duration in minutes.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
    },
    /// Remove what killed runs have left.
    Clean,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.what {
        What::Up { fault, elsewhere } => up(&fault, elsewhere, &arguments.exporter),
        What::Demo { seconds } => offer_removal().and_then(|()| demo::run(&arguments.exporter, seconds)),
        What::Record { into, healthy, broken, mended } => offer_removal().and_then(|()| {
            record::run(&arguments.exporter, &into, record::Phases { healthy, broken, mended })
        }),
        What::Wire { fault } => measure(&fault),
        What::RunFault { fault, times } => run_fault(&fault, times, &arguments.exporter),
        What::Notice { times } => notice::run(&arguments.exporter, times),
        What::Soak { minutes } => lossy::run(&arguments.exporter, minutes),
        What::Clean => clean(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            runs::halt_if_stopping();
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn up(fault: &str, elsewhere: bool, binary: &std::path::Path) -> Result<()> {
    offer_removal()?;
    let fault = Fault::load(fault)?;
    let numbers = if elsewhere { Numbers::elsewhere() } else { Numbers::article() };
    let lab = Lab::raise(&numbers, &fault)?;
    println!("The lab is up with {}: {}", fault.name, fault.about);
    for place in Place::ALL {
        let site = lab.numbers.site(place);
        let (router, host) = (&lab.router(place).name, &lab.host(place).name);
        println!("  router {:<12} ip netns exec {router} bash", site.router);
        println!("  host   {:<12} ip netns exec {host} bash    # {}", site.host, site.host_address);
    }
    for end in End::ALL {
        println!("  {}/{}", lab.numbers.site(end.place()).router, lab.numbers.interface(end));
    }
    println!("Files: {}", lab.directory().display());
    println!(
        "Try:   ip netns exec {} {} check --config.file={}",
        lab.vantage().name,
        binary.display(),
        exporter::config(&lab).display()
    );
    println!("Ctrl-C takes it down.");
    loop {
        thread::sleep(Duration::from_hours(1));
    }
}

fn measure(name: &str) -> Result<()> {
    let fault = Fault::load(name)?;
    wire::check(&Lab::raise(&Numbers::article(), &fault)?, &fault)?;
    println!("{name}: the wire is as its file says");
    Ok(())
}

fn run_fault(name: &str, times: u32, binary: &std::path::Path) -> Result<()> {
    let fault = Fault::load(name)?;
    for turn in 1..=times {
        levels::judge(&fault, binary).with_context(|| format!("turn {turn} of {times}"))?;
    }
    Ok(())
}

fn clean() -> Result<()> {
    ensure!(nix::unistd::geteuid().is_root(), "removing namespaces needs root: use `make lab-clean`");
    let dead = runs::dead();
    for id in &dead {
        runs::remove(id);
        println!("Removed what run {id} had left.");
    }
    if dead.is_empty() {
        println!("Nothing is left of any run that is gone.");
    }
    Ok(())
}

/// Asks if there is a terminal; otherwise only mentions it.
fn offer_removal() -> Result<()> {
    let dead = runs::dead();
    if dead.is_empty() {
        return Ok(());
    }
    println!("Left over from a lab that was killed: {}", dead.join(" "));
    if !io::stdin().is_terminal() {
        println!("`make lab-clean` removes it.");
        return Ok(());
    }
    print!("Remove it? [Y/n] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "" | "y" | "Y" | "yes") { clean() } else { Ok(()) }
}
