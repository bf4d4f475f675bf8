//! The real process while clients take all they can of it: other addresses are still answered.

mod attackers;

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::support::one_exporter::{self, Exporter, certificate, directory};
use attackers::{Attackers, Habit};
use nix::{sys::stat::Mode, unistd::mkfifo};

/// Seconds; more than the one second that a scrape may take, so that a busy machine fails no test.
/// Before places were limited per peer, an attack blocked scrapes forever.
const PATIENCE: &str = "15";

fn exporter() -> Exporter {
    let files = directory();
    fs::write(files.path().join("config.yml"), "").expect("written");
    Exporter::start(files, &[])
}

/// An exporter with this file as `--web.config.file`.
fn exporter_by(web: &str) -> Exporter {
    let files = directory();
    certificate(files.path(), "server", None);
    fs::write(files.path().join("config.yml"), "").expect("written");
    fs::write(files.path().join("web.yml"), web).expect("written");
    let flag = format!("--web.config.file={}", files.path().join("web.yml").display());
    Exporter::start(files, &[&flag])
}

const TLS: &str = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";

/// 16 scrapes from another address while the attack goes on.
fn every_scrape_is_answered(exporter: &Exporter, from: &str) {
    all_are_answered(exporter, "http", &["--interface", from]);
}

fn all_are_answered(exporter: &Exporter, scheme: &str, curl: &[&str]) {
    let curl = [curl, &["--max-time", PATIENCE]].concat();
    let began = Instant::now();
    let answers: Vec<_> = (0..16)
        .map(|_| exporter.ask(scheme, "/metrics", &curl))
        .map(|answer| (answer.status, answer.exit))
        .collect();
    println!("16 scrapes {curl:?}: {:?}", began.elapsed());
    assert_eq!(answers, [(200, 0); 16], "{}", exporter.log());
}

#[test]
fn sixty_four_that_ask_every_eight_seconds() {
    let exporter = exporter();
    let attack = Attackers::start(exporter.port(), 64, 1, Habit::AsksEvery(Duration::from_secs(8)));
    attack.wait_for(64);
    every_scrape_is_answered(&exporter, "127.0.0.2");
    every_scrape_is_answered(&exporter, "127.0.0.1");
}

#[test]
fn five_thousand_that_say_nothing() {
    let _turn = crate::support::turn();
    let exporter = exporter();
    let attack = Attackers::start(exporter.port(), 5000, 500, Habit::Mute);
    attack.wait_for(5000);
    every_scrape_is_answered(&exporter, "127.0.0.2");
}

#[test]
fn heads_byte_by_byte() {
    let exporter = exporter();
    let attack = Attackers::start(exporter.port(), 1000, 1000, Habit::Slowloris);
    attack.wait_for(1000);
    every_scrape_is_answered(&exporter, "127.0.0.2");
}

#[test]
fn answers_read_byte_by_byte() {
    let exporter = exporter();
    let attack = Attackers::start(exporter.port(), 1000, 1000, Habit::SlowReader);
    attack.wait_for(1000);
    every_scrape_is_answered(&exporter, "127.0.0.2");
}

#[test]
fn handshakes_that_are_not_made() {
    let exporter = exporter_by(TLS);
    let attack = Attackers::start(exporter.port(), 1000, 100, Habit::Mute);
    attack.wait_for(1000);
    all_are_answered(&exporter, "https", &["--insecure", "--interface", "127.0.0.2"]);
}

/// Bytes that no TLS client sends, and half of what one sends: each connection is closed in time,
/// and other clients complete their handshakes.
#[test]
fn odd_tls_clients() {
    let exporter = exporter_by(TLS);
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let odd: [&[u8]; 9] = [
        b"\x16",
        hello,
        &[hello.as_slice(), &[0; 600]].concat(),
        &[hello.as_slice(), &vec![0xff; 20_000]].concat(),
        b"\x16\x02\x00\x00\x01\x01",
        b"\x16\x03\x03\xff\xff",
        b"\x16\x03\x03\x00\x00",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x80\x2e\x01\x00\x02",
    ];
    let clients: Vec<_> = odd
        .iter()
        .map(|bytes| {
            let mut client = TcpStream::connect(("127.0.0.1", exporter.port())).expect("connected");
            client.set_read_timeout(Some(Duration::from_mins(1))).expect("set");
            // It may be refused before everything is sent.
            let _ = client.write_all(bytes);
            client
        })
        .collect();
    all_are_answered(&exporter, "https", &["--insecure", "--interface", "127.0.0.2"]);
    for (mut client, bytes) in clients.into_iter().zip(odd) {
        let ended = client.read_to_end(&mut Vec::new());
        let waits =
            ended.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert!(!waits, "{bytes:?}: it is not sent away");
    }
}

/// A client with the right password is admitted at once, even after the file was read again.
/// `DOORS_COST=15` makes each guess as expensive as is reasonable.
#[test]
fn wrong_passwords_keep_the_right_one_out_of_nothing() {
    let _turn = crate::support::turn();
    let cost = std::env::var("DOORS_COST").map_or(10, |cost| cost.parse().expect("bcrypt's cost"));
    let hash = bcrypt::hash("secret", cost).expect("hashed");
    let users = format!("basic_auth_users:\n  prometheus: {hash}\n");
    let mut exporter = exporter_by(&users);
    let right = ["--interface", "127.0.0.2", "--user", "prometheus:secret"];
    exporter.wait_for("the first login", |exporter| exporter.ask("http", "/metrics", &right).status == 200);
    let attack = Attackers::start(exporter.port(), 64, 64, Habit::Guesser);
    attack.wait_for(64);
    all_are_answered(&exporter, "http", &right);
    fs::write(exporter.path("web.yml"), format!("{users}  another: {hash}\n")).expect("written");
    all_are_answered(&exporter, "http", &right);
    // Also from an address that has not logged in before.
    all_are_answered(&exporter, "http", &["--interface", "127.0.0.3", "--user", "prometheus:secret"]);
    let text = exporter.ask("http", "/metrics", &right).body;
    let turned_away = ["back_off", "busy"].map(|reason| {
        let name = format!("vxlan_exporter_web_logins_refused_total{{reason=\"{reason}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name)).expect("it is told");
        line.parse::<u64>().expect("a count")
    });
    assert!(turned_away.iter().sum::<u64>() > 0, "{turned_away:?}");
    assert_eq!(niceness_of_hashing(&exporter).len(), 1.max(cpus() / 4).min(4));
    assert!(niceness_of_hashing(&exporter).iter().all(|nice| *nice == 10));
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The niceness of each thread that checks passwords (field 19 of proc(5)'s stat).
fn niceness_of_hashing(exporter: &Exporter) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{}/task", exporter.pid())).expect("threads");
    let stats = threads
        .map(|thread| fs::read_to_string(thread.expect("one").path().join("stat")).expect("its state"));
    let hashing = stats.filter(|stat| stat.contains("(passwords)"));
    hashing
        .map(|stat| {
            let (_, fields) = stat.rsplit_once(") ").expect("a name");
            fields.split(' ').nth(16).expect("a niceness").parse().expect("a number")
        })
        .collect()
}

/// A pipe in place of a file is never waited for, neither at the start nor later, whichever file it
/// replaces.
#[test]
fn pipes_instead_of_files() {
    let mut exporter = exporter_by(TLS);
    // In reverse order of reading: only the first file that cannot be read is named.
    for file in ["server.key", "server.crt", "web.yml"] {
        fs::remove_file(exporter.path(file)).expect("removed");
        mkfifo(&exporter.path(file), Mode::S_IRWXU).expect("made");
        all_are_answered(&exporter, "https", &["--insecure"]);
        exporter.wait_for("it is said", |exporter| {
            exporter.log().contains(&format!("/{file}: it is a named pipe"))
        });
    }
    let flag = |name: &str| format!("--web.config.file={}", exporter.path(name).display());
    let config = format!("--config.file={}", exporter.path("config.yml").display());
    let output = one_exporter::run(&[&config, "--web.listen-address=127.0.0.1:0", &flag("web.yml")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("it is a named pipe"), "{said}");
}
