//! `vxlan_exporter`: from the command line to an exit code. Everything else is in the library.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

use std::{
    io::{IsTerminal, stdin, stdout},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, ensure};
use vxlan_exporter::{
    command::{
        check,
        cli::{Cli, Command, ConfigCommand, InitArgs, ReflectArgs, ReportArgs, ReportFormat},
        init::{self, Made},
        load::{load, usable},
        manual, parse,
        probe::{self, ProbeRequest},
        serve, trust,
    },
    config,
    language::{self, Language, choice},
    logging::{self, LAST_LINES, init_logging},
    model::{
        plan::{Plan, ReflectorPlan, Transport},
        snapshot::ScrapeError,
        types::RouterName,
    },
    process::{allocator, privilege, sandbox, supervise::door},
    report::{self, Paint, one_path},
    router::transport::ssh,
    terminal,
};

/// Exit code of `parse` if it could not read the file or make sense of it.
const UNREADABLE: u8 = 1;
/// Exit code for wrong usage, a wrong configuration, or if nothing could be found out.
const UNKNOWN: u8 = 2;
/// Columns of a report that is written to a file or a pipe.
const NO_TERMINAL_WIDTH: usize = 110;
/// How long the end of the process waits, after SIGTERM, for threads that still wait for a router.
const LAST_WORDS: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    allocator::set_up();
    let cli = Cli::of_process().unwrap_or_else(|error| terminal::refuse(&error));
    match run(&cli) {
        Ok(code) => {
            logging::flush(LAST_LINES);
            ExitCode::from(code)
        }
        Err(error) => {
            logging::say_and_end(&format!("vxlan_exporter: {error:#}\n"));
            ExitCode::from(UNKNOWN)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<u8> {
    if cli.common.version {
        return terminal::say(&vxlan_exporter::version_text()).map(|()| 0);
    }
    if let Command::Healthy { port } = cli.chosen() {
        let (is_well, words) = door::ask(port)?;
        terminal::say(&words)?;
        return Ok(u8::from(!is_well));
    }
    // Before there are other threads: each has its own capabilities and sandbox.
    privilege::raise_net_raw().context("raising CAP_NET_RAW")?;
    enter_sandbox(cli);
    init_logging(cli.log_level(), cli.common.log_format)?;
    match cli.chosen() {
        Command::Serve(_) => {
            sandbox::tell();
            let options = cli.serve_options();
            on_runtime(async { serve::serve(&options).await.map(|()| 0) })
        }
        Command::Init(arguments) => init_command(cli, arguments),
        Command::Check(ReportArgs { format, language }) => {
            tell_in(language);
            let plan = load(&cli.common.config_file, cli.common.config_max_size.0)?;
            on_runtime(async { check(plan, format).await })
        }
        Command::Probe(arguments) => {
            let request = arguments.request();
            tell_in(arguments.report.language);
            on_runtime(async { probe(&request, arguments.report.format).await })
        }
        Command::Reflect(arguments) => reflect(arguments),
        Command::Healthy { .. } => Ok(0),
        Command::Completion { shell } => terminal::say(&manual::completion(shell)).map(|()| 0),
        Command::Manpage => terminal::say(&manual::page()?).map(|()| 0),
        Command::Config { command } => config_command(cli, command),
        Command::Parse { format, file } => {
            match parse::load(&file).and_then(|text| parse::read(format, &text)) {
                Ok(read) => terminal::say(&format!("{read:#}\n")).map(|()| 0),
                Err(reason) => {
                    logging::say(&format!("{reason}\n"));
                    Ok(UNREADABLE)
                }
            }
        }
    }
}

fn tell_in(wanted: Option<Language>) {
    let of_environment = || choice::of_environment(|name| std::env::var(name).ok());
    language::tell_in(wanted.unwrap_or_else(of_environment));
}

fn reflect(arguments: ReflectArgs) -> anyhow::Result<u8> {
    if let Some(secret) = &arguments.secret_file {
        let is_place = config::secret_names::is_place(Path::new(""), secret);
        ensure!(is_place, "--secret-file: {}", config::secret_names::UNSEEN);
    }
    let plan = ReflectorPlan {
        listen: arguments.listen,
        allowed_sources: arguments.allowed_sources,
        secret_file: arguments.secret_file,
    };
    on_runtime(async { serve::reflect(&plan).await.map(|()| 0) })
}

/// Makes a configuration, then checks it as `config check` and `check` do.
fn init_command(cli: &Cli, arguments: InitArgs) -> anyhow::Result<u8> {
    let request = arguments.request(&cli.common.config_file, stdin().is_terminal());
    tell_in(None);
    on_runtime(async {
        match init::init(&request).await? {
            Made::Text(text) => terminal::say(&text).map(|()| 0),
            Made::File => {
                let plan = say_checked(&request.output, cli.common.config_max_size.0)?;
                check(plan, ReportFormat::Table).await
            }
        }
    })
}

/// `config check`: says what the configuration holds; its plan.
fn say_checked(file: &Path, most_bytes: u64) -> anyhow::Result<Plan> {
    let config = config::load(file, most_bytes)?;
    let plan = usable(&config, file)?;
    let routers = report::count(plan.routers.len(), "router");
    let paths = report::count(plan.paths.len(), "path");
    for (router, error) in unknown_host_keys(&plan) {
        logging::say(&format!("router {router} will not be read: {error}\n"));
    }
    terminal::say(&format!("{}: {routers}, {paths}: ok\n", file.display()))?;
    for (file, paths) in config.path_files() {
        terminal::say(&format!("{}: {}\n", file.display(), report::count(*paths, "path")))?;
    }
    for pattern in config.idle_patterns() {
        logging::say(&format!("path_files: {pattern} matches no file yet\n"));
    }
    Ok(plan)
}

fn config_command(cli: &Cli, command: ConfigCommand) -> anyhow::Result<u8> {
    let (file, most_bytes) = (&cli.common.config_file, cli.common.config_max_size.0);
    match command {
        ConfigCommand::Check => drop(say_checked(file, most_bytes)?),
        ConfigCommand::Trust(arguments) => {
            let plan = config::load(file, most_bytes)?.plan();
            let asked = trust::Request {
                router: arguments.router,
                fingerprint: arguments.fingerprint,
                yes: arguments.yes,
                terminal: stdin().is_terminal(),
            };
            terminal::say(&trust::trust(&plan, &asked)?)?;
        }
        ConfigCommand::Example => terminal::say(config::example())?,
        ConfigCommand::Schema => terminal::say(&format!("{:#}\n", config::json_schema()))?,
    }
    Ok(0)
}

/// Not for `config trust` and `init`, the only commands that write files.
fn enter_sandbox(cli: &Cli) {
    let ports = match cli.chosen() {
        Command::Init(_) | Command::Config { command: ConfigCommand::Trust(_) } => return,
        Command::Serve(_) => cli.serve_options().listen.iter().map(|listen| listen.port).collect(),
        Command::Reflect(reflect) => vec![reflect.listen.port],
        _ => Vec::new(),
    };
    sandbox::enter(cli.common.sandbox, &ports);
}

/// Routers whose host keys are not on file yet, and what to do.
fn unknown_host_keys(plan: &Plan) -> impl Iterator<Item = (&RouterName, ScrapeError)> {
    plan.routers.iter().filter_map(|router| match &router.transport {
        Transport::Ssh(login) => ssh::check_host_key(login).err().map(|error| (&router.name, error)),
        Transport::Local | Transport::Api(_) => None,
    })
}

async fn check(plan: Plan, format: ReportFormat) -> anyhow::Result<u8> {
    let present = check::look(plan).await?;
    let (code, reason) = report::exit_code(&present);
    let (report, why) = match format {
        ReportFormat::Table => {
            let (width, paint) = page();
            // The report's first line already contains the reason.
            (report::text(&present, width, paint), report::exit_code_in_words(code).localized())
        }
        ReportFormat::Json => (format!("{:#}\n", report::json(&present)), reason.localized()),
    };
    terminal::say(&report)?;
    logging::say(&format!("{}\n", report::exit_code_line(code, &why)));
    Ok(code)
}

async fn probe(request: &ProbeRequest, format: ReportFormat) -> anyhow::Result<u8> {
    let present = probe::look(request).await?;
    let (code, reason) = one_path::exit_code(&present);
    terminal::say(&match format {
        ReportFormat::Table => {
            let (width, paint) = page();
            one_path::text(&present, width, paint)
        }
        ReportFormat::Json => format!("{:#}\n", one_path::json(&present)),
    })?;
    logging::say(&format!("{}\n", report::exit_code_line(code, &reason.localized())));
    Ok(code)
}

/// Columns and colours for output on stdout.
fn page() -> (usize, Paint) {
    let paint = if terminal::color(&stdout()) { Paint::Colored } else { Paint::Plain };
    (terminal::width(&stdout()).unwrap_or(NO_TERMINAL_WIDTH), paint)
}

fn on_runtime(work: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting tokio")?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_WORDS);
    result
}
