//! `init` as a new user runs it on A's host: from nothing to `check`'s verdict, by flags and by
//! answers on a pty, and what it refuses.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context, Result, ensure};

use lab::{
    Lab,
    fault::Fault,
    namespace::Namespace,
    numbers::{Numbers, Place},
    runs, sshd,
};

/// A lab in use: its hosts have talked to each other. B's host has a name.
fn raise(fault: &str) -> Result<Lab> {
    let lab = Lab::raise(&Numbers::article(), &Fault::load(fault)?)?;
    let etc = Path::new("/etc/netns").join(&lab.vantage().name);
    runs::make_directory(&etc)?;
    fs::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")?;
    fs::write(etc.join("hosts"), format!("{} node-b.example.org\n", lab.numbers.site_b.host_address))?;
    for place in [Place::Dc, Place::SiteB] {
        lab.vantage().run("ping", &["-c1", "-W20", &lab.numbers.site(place).host_address.to_string()])?;
    }
    fs::create_dir(new(&lab, ""))?;
    fs::copy(sshd::private_key(&lab), new(&lab, "id_ed25519"))?;
    Ok(lab)
}

/// A file in the directory that a new user has for it.
fn new(lab: &Lab, name: &str) -> PathBuf {
    lab.directory().join("new").join(name)
}

fn router(lab: &Lab, place: Place) -> String {
    let site = lab.numbers.site(place);
    format!("{}={}@{}", site.router, sshd::USER, site.management)
}

/// The flags for all three routers.
fn flags(lab: &Lab) -> String {
    let routers = Place::ALL.map(|place| format!("--router {}", router(lab, place)));
    format!("{} --site {}", routers.join(" "), lab.numbers.site_a.label)
}

/// Runs it in that directory, on a pty with these words typed or, without any, without a terminal.
fn init(lab: &Lab, flags: &str, typed: Option<&str>) -> Result<Output> {
    let line = format!("cd {} && {} init {flags}", new(lab, "").display(), crate::BINARY);
    let line = format!("HOME={} SSH_AUTH_SOCK= sh -c '{line}'", new(lab, "home").display());
    let Some(typed) = typed else { return lab.vantage().output("sh", &["-c", &line]) };
    let mut script = lab
        .vantage()
        .command("script")
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("script, of Debian's bsdutils")?;
    script.stdin.take().context("a pipe")?.write_all(typed.as_bytes())?;
    Ok(script.wait_with_output()?)
}

fn says(output: &Output, code: i32, words: &[&str]) -> Result<String> {
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    ensure!(output.status.code() == Some(code), "{}, expected {code}:\n{said}", output.status);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        ensure!(flat.contains(words), "it does not say {words:?}:\n{said}");
    }
    Ok(said)
}

/// Counts echo requests and SYNs that come in at a host.
fn count_packets(host: &Namespace) -> Result<()> {
    let rules = "add table inet count; add chain inet count input { type filter hook input priority 0; }; \
                 add rule inet count input icmp type echo-request counter comment echoes; \
                 add rule inet count input tcp flags & (syn | ack) == syn counter comment syns";
    host.run("nft", &[rules])
}

/// How many of each came.
fn counted(host: &Namespace) -> Result<[u64; 2]> {
    let listed = host.output("nft", &["list", "table", "inet", "count"])?;
    let listed = String::from_utf8(listed.stdout)?;
    let count = |comment: &str| {
        let line = listed.lines().find(|line| line.contains(comment))?;
        line.split_once("packets ")?.1.split(' ').next()?.parse().ok()
    };
    let counts = || Some([count("echoes")?, count("syns")?]);
    counts().with_context(|| format!("no counters in {listed}"))
}

#[test]
fn from_nothing_to_a_verdict_with_one_command_and_a_yes_for_each_router() -> Result<()> {
    let lab = raise("default-mtu")?;
    let rancher = lab.numbers.dc.host_address.to_string();
    let output = init(&lab, &flags(&lab), Some("yes\nyes\nyes\n"))?;
    let said = says(
        &output,
        1,
        &[
            "This sends, and changes nothing anywhere:",
            "router dc, 172.31.255.1:22",
            "router site-b: 1 vxlan interface",
            "each of which now gets these pings and SYNs",
            "config.yml: 3 routers, 2 paths: ok",
            "blackhole forward and reverse, path MTU 1454 of 1500 expected",
        ],
    )?;
    ensure!(said.matches("Type yes to trust this key").count() == 3, "a question for each:\n{said}");
    let written = fs::read_to_string(new(&lab, "config.yml"))?;
    for words in [
        "site: site-a",
        "private_key_file: id_ed25519\n      known_hosts_file: known_hosts\n",
        &format!("    site: dc\n    address: {rancher}\n    tcp_port: 443\n"),
        "  - name: node-b  # 3 pings answered; open: 6443",
    ] {
        ensure!(written.contains(words), "no {words:?} in\n{written}");
    }
    let keys = fs::read_to_string(new(&lab, "known_hosts"))?;
    let known = fs::read_to_string(sshd::known_hosts(&lab))?;
    for line in keys.lines() {
        ensure!(known.lines().any(|known| known.starts_with(line)), "{line} is not one of\n{known}");
    }
    ensure!(keys.lines().count() == 3, "{keys}");

    // Nothing is replaced unless that is said, and nothing is asked without a terminal.
    let refused = init(&lab, &flags(&lab), None)?;
    says(&refused, 2, &["--output: config.yml is there already", "or replace it with --force"])?;
    ensure!(fs::read_to_string(new(&lab, "config.yml"))? == written, "it was changed");
    for place in Place::ALL {
        count_packets(lab.host(place))?;
    }
    let printed = init(&lab, &format!("{} --dry-run", flags(&lab)), None)?;
    ensure!(String::from_utf8_lossy(&printed.stdout) == written, "another text: {printed:?}");
    says(&printed, 0, &["each of which now gets these pings and SYNs"])?;
    ensure!(counted(lab.host(Place::Dc))? == [3, 5], "{:?}", counted(lab.host(Place::Dc))?);
    ensure!(counted(lab.host(Place::SiteB))? == [3, 5], "{:?}", counted(lab.host(Place::SiteB))?);
    let again = init(&lab, &format!("{} --force", flags(&lab)), None)?;
    says(
        &again,
        1,
        &["written: config.yml", "blackhole forward and reverse, path MTU 1454 of 1500 expected"],
    )?;
    ensure!(fs::read_to_string(new(&lab, "known_hosts"))? == keys, "a key was added twice");
    Ok(())
}

#[test]
fn a_person_answers_and_the_far_routers_are_offered() -> Result<()> {
    let lab = raise("healthy")?;
    fs::create_dir_all(new(&lab, "home/.ssh"))?;
    fs::rename(new(&lab, "id_ed25519"), new(&lab, "home/.ssh/id_ed25519"))?;
    let [dc, a, b] = Place::ALL.map(|place| router(&lab, place));
    // One answer that is none, the DC's two far ends, and where this machine is.
    let typed = format!("10.0.0.1\n{dc}\nyes\n{a}\nyes\n{b}\nyes\nsite-a\n");
    let said = says(
        &init(&lab, "", Some(&typed))?,
        0,
        &[
            "A router, as NAME=USER@HOST:",
            "the router has no name: write NAME=USER@HOST",
            "dc/vxlan01 sends to 10.10.10.254, which is none of these routers.",
            "dc/vxlan02 sends to 10.10.20.254, which is none of these routers.",
            "The site of this machine, one of dc, site-a, site-b, or another:",
            "config.yml: 3 routers, 2 paths: ok",
        ],
    )?;
    ensure!(!said.contains("none of these routers: add it"), "{said}");
    let written = fs::read_to_string(new(&lab, "config.yml"))?;
    let key = new(&lab, "home/.ssh/id_ed25519");
    ensure!(written.contains(&format!("private_key_file: {}\n", key.display())), "{written}");
    Ok(())
}

#[test]
fn what_is_missing_or_wrong_is_named_with_an_example() -> Result<()> {
    let lab = raise("healthy")?;
    fs::create_dir(new(&lab, "home"))?;
    let good = flags(&lab);
    let dc = router(&lab, Place::Dc);
    for (flags, words) in [
        (String::new(), "--router is missing, and there is no terminal to ask at"),
        ("--router 10.10.0.254".to_owned(), "'--router <NAME=USER@HOST[:PORT]>': the router has no name"),
        (
            format!("--router {dc} --router {dc} --site a"),
            "--router: the name \"dc\" is given to two routers",
        ),
        (
            format!("--router {dc} --key id_ed25519"),
            "--site is missing: name the site of this machine, one of dc",
        ),
        (
            format!("--router {dc} --site a --output home/config.yml"),
            "nothing to log in with, neither id_ed25519 beside the output, nor an agent, nor a key in ~/.ssh: name a",
        ),
        (format!("--router {dc} --site a --key none"), "--key: config: cannot read private_key_file none"),
        (format!("{good} --output no/config.yml"), "--output: there is no directory no: make it first"),
        (format!("{good} --output . --force"), "--output: . is a directory: name a file"),
        (good.clone(), "its host key is not in known_hosts, and there is no terminal at which to confirm it"),
        (format!("{good} --site \"\""), "'--site <NAME>'"),
    ] {
        says(&init(&lab, &flags, None)?, 2, &[words]).with_context(|| flags.clone())?;
    }
    for (typed, words) in [("no\n", "not a yes: nothing is written"), ("", "not a yes: nothing is written")] {
        says(&init(&lab, &good, Some(typed))?, 2, &[words])?;
    }
    ensure!(!new(&lab, "config.yml").exists() && !new(&lab, "known_hosts").exists(), "something was written");
    // One router alone: the others' ends are spoken of, and a path goes to each all the same.
    let dc_alone = format!("--router {dc} --site dc --key id_ed25519 --dry-run");
    let said = says(
        &init(&lab, &dc_alone, Some("yes\n"))?,
        0,
        &["add it with --router NAME=USER@HOST", "# dc/vxlan01 sends to 10.10.10.254: add its router here."],
    )?;
    ensure!(said.contains("10.10.20.254-192.168.100.20") || said.contains("name: node-b"), "{said}");
    Ok(())
}
