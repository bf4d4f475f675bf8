use super::*;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn help(path: &[&str]) -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut command = &mut command;
    for name in path {
        command = command.find_subcommand_mut(name).expect(name);
    }
    command.render_help().to_string()
}

#[test]
fn help_texts() {
    Cli::command().debug_assert();
    insta::assert_snapshot!("help", help(&[]));
    insta::assert_snapshot!("help_init", help(&["init"]));
    insta::assert_snapshot!("help_check", help(&["check"]));
    insta::assert_snapshot!("help_reflect", help(&["reflect"]));
    insta::assert_snapshot!("help_config", help(&["config"]));
    insta::assert_snapshot!("help_config_trust", help(&["config", "trust"]));
    insta::assert_snapshot!("help_probe", help(&["probe"]));
}

#[test]
fn no_command_is_serve() {
    let cli = parse("vxlan_exporter --config.file=/etc/x.yml");
    assert!(matches!(cli.chosen(), Command::Serve(_)));
    let serve = cli.serve_options();
    assert_eq!((serve.listen, serve.lifecycle), (vec![ListenAddress::default()], false));
    assert_eq!(serve.mount, Mount::default());
    assert!(serve.wanted.shard.is_alone());
    assert_eq!((cli.log_level(), cli.common.log_format), (LogLevel::Info, LogFormat::Logfmt));
}

#[test]
fn flags_before_and_after_the_command() {
    for line in [
        "vxlan_exporter --config.file=a.yml serve --web.listen-address=[::1]:1 --log.level=debug",
        "vxlan_exporter --web.listen-address=[::1]:1 --log.level debug serve --config.file a.yml",
        "vxlan_exporter --web.listen-address=[::1]:1 --log.level=debug --config.file=a.yml",
    ] {
        let cli = parse(line);
        assert_eq!(cli.serve_options().listen, [ListenAddress { host: "::1".into(), port: 1 }], "{line}");
        assert_eq!((cli.log_level(), cli.common.config_file), (LogLevel::Debug, "a.yml".into()), "{line}");
    }
}

#[test]
fn shards_and_lifecycle() {
    for line in [
        "vxlan_exporter --shard vxlan-exporter-2/3 --web.enable-lifecycle",
        "vxlan_exporter --shard=0/3 serve --shard=2/3 --web.enable-lifecycle",
    ] {
        let serve = parse(line).serve_options();
        assert_eq!((serve.wanted.shard.to_string().as_str(), serve.lifecycle), ("2/3", true), "{line}");
    }
    let error = Cli::try_parse_from(["vxlan_exporter", "--shard=3/3"]).expect_err("no such shard");
    assert!(error.to_string().contains("the last one is 2/3"), "{error}");
}

#[test]
fn one_shot_commands() {
    let check = parse("vxlan_exporter check --format=json --config.file=a.yml");
    assert_eq!(check.chosen(), Command::Check(ReportArgs { format: ReportFormat::Json, language: None }));
    assert_eq!(check.log_level(), LogLevel::Warn);
    let same = parse("vxlan_exporter check --format=text");
    assert_eq!(same.chosen(), Command::Check(ReportArgs { format: ReportFormat::Table, language: None }));
    let config = parse("vxlan_exporter config check --config.file=a.yml");
    assert_eq!(config.chosen(), Command::Config { command: ConfigCommand::Check });
    assert_eq!(config.common.config_file, PathBuf::from("a.yml"));
}

#[test]
fn a_language_is_one_of_those_there_are() {
    let Command::Check(check) = parse("vxlan_exporter check --lang ja").chosen() else { panic!("check") };
    assert_eq!(check.language, Some(Language::Japanese));
    let Command::Probe(probe) = parse("vxlan_exporter probe --lang=en a").chosen() else { panic!("probe") };
    assert_eq!(probe.report.language, Some(Language::English));
    let error = Cli::try_parse_from(["vxlan_exporter", "check", "--lang", "fr"]).expect_err("not there");
    assert!(error.to_string().contains("[possible values: en, ja]"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn probe_is_as_easy_as_ping() {
    let request = |line: &str| match parse(line).chosen() {
        Command::Probe(arguments) => arguments.request(),
        other => panic!("{line}: {other:?}"),
    };
    let plain = request("vxlan_exporter probe 192.168.100.102");
    assert_eq!((plain.target.port, plain.family, plain.expected_mtu, plain.count), (None, None, None, 100));
    let full = request("vxlan_exporter probe -6 -c 5 --expected-mtu=9000 [::1]:443");
    assert_eq!(full.target.to_string(), "[::1]:443");
    assert_eq!((full.family, full.expected_mtu, full.count), (Some(Family::V6), Some(9000), 5));
    for bad in ["probe", "probe -4 -6 a", "probe a:b", "probe a --count=0", "probe a --expected-mtu=67"] {
        let line = format!("vxlan_exporter {bad}");
        let error = Cli::try_parse_from(line.split(' ')).expect_err(&line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn where_the_pages_are() {
    let line = "vxlan_exporter --web.listen-address=:1 --web.listen-address=[::1]:2 --web.telemetry-path=/prom \
                --web.external-url=https://a.example/x --web.route-prefix=/";
    for line in [line.to_owned(), line.replace("vxlan_exporter", "vxlan_exporter serve")] {
        let serve = parse(&line).serve_options();
        let listen: Vec<String> = serve.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, [":1", "[::1]:2"]);
        let mount = Mount::new(
            Some("/prom".parse().expect("a path")),
            Some("/".parse().expect("a prefix")),
            Some(&"https://a.example/x".parse().expect("a URL")),
        );
        assert_eq!(serve.mount, mount);
    }
    for (flag, words) in [
        ("--web.telemetry-path=/probe", "--web.telemetry-path"),
        ("--web.route-prefix=x", "e.g. /vxlan"),
        ("--web.external-url=a.example", "e.g. https://monitoring.example.net/vxlan"),
        ("--web.listen-address=nothing", "e.g. :14789"),
    ] {
        let error = Cli::try_parse_from(["vxlan_exporter", flag]).expect_err(flag).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn the_version_as_the_peers_print_it() {
    assert!(parse("vxlan_exporter --version").common.version);
    assert!(parse("vxlan_exporter probe a -V").common.version);
    let text = crate::version_text();
    let first = format!("vxlan_exporter, version {} (branch: ", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(&first) && text.contains("\n  platform:         linux/"), "{text}");
}
