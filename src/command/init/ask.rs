//! What `init` must be told: by flags, or by a person at a terminal.

use std::{
    collections::BTreeSet,
    env, io,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{bail, ensure};

use super::InitRequest;
use crate::{
    config, logging,
    look::target::ProbeTarget,
    model::{plan::Credential, types::InterfaceName},
};

const EXAMPLE: &str = "write NAME=USER@HOST or NAME=USER@HOST:PORT, e.g. dc=monitor@10.10.0.254";

/// A router as a person names it: `dc=monitor@10.10.0.254`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRouter {
    /// Its name, which is also that of its site.
    pub name: String,
    /// The login name.
    pub username: String,
    /// An address (IPv6 without brackets) or a DNS name.
    pub host: String,
    /// TCP port of its SSH server.
    pub port: u16,
}

impl FromStr for NamedRouter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{what}: {EXAMPLE}");
        let (name, login) = text.split_once('=').ok_or_else(|| wrong("the router has no name"))?;
        let (username, place) =
            login.rsplit_once('@').ok_or_else(|| wrong("the user to log in as is missing"))?;
        let name = config::router_name(name).map_err(|why| wrong(&why))?;
        let username = config::name(username).map_err(|why| wrong(&format!("the user: {why}")))?;
        let place: ProbeTarget =
            place.parse().map_err(|_| wrong(&format!("{place:?} is not HOST or HOST:PORT")))?;
        let host = config::host(&place.host).map_err(|why| wrong(&why))?;
        Ok(Self { name, username, host, port: place.port.unwrap_or(22) })
    }
}

/// A site's name on the command line.
pub(crate) fn site(text: &str) -> Result<String, String> {
    config::name(text).map_err(|why| format!("{why}, e.g. site-a"))
}

/// A question; its answer without spaces around it. No answer at all ends `init`.
fn answer(question: &str) -> anyhow::Result<String> {
    logging::say(question);
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer)?;
    ensure!(read > 0, "no answer: nothing is written");
    Ok(answer.trim().to_owned())
}

/// Asks until the answer can be read.
fn until_read<T>(question: &str, read: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<T> {
    loop {
        match read(&answer(question)?) {
            Ok(answer) => return Ok(answer),
            Err(why) => logging::say(&format!("{why}\n")),
        }
    }
}

/// The routers of the command line, or the first one, asked for.
pub(super) fn first_routers(request: &InitRequest) -> anyhow::Result<Vec<NamedRouter>> {
    if request.asks() {
        return Ok(vec![until_read("A router, as NAME=USER@HOST: ", str::parse)?]);
    }
    ensure!(
        !request.routers.is_empty(),
        "--router is missing, and there is no terminal to ask at: give each router as NAME=USER@HOST, e.g. --router \
         dc=monitor@10.10.0.254"
    );
    let mut names = BTreeSet::new();
    for router in &request.routers {
        ensure!(
            names.insert(&router.name),
            "--router: the name {:?} is given to two routers: give each its own, e.g. dc and site-a",
            router.name
        );
    }
    Ok(request.routers.clone())
}

/// The router at the far end of a tunnel, unless it is to be left out.
pub(super) fn far_router(
    from: &str,
    interface: &InterfaceName,
    remote: IpAddr,
    names: &[&str],
) -> anyhow::Result<Option<NamedRouter>> {
    let question = format!(
        "{from}/{interface} sends to {remote}, which is none of these routers. It, as NAME=USER@HOST, or Enter to go on \
         without it: "
    );
    until_read(&question, |text| match text {
        "" => Ok(None),
        text => {
            let router: NamedRouter = text.parse()?;
            if names.contains(&router.name.as_str()) {
                return Err(format!("there is a router {:?} already: give it another name", router.name));
            }
            Ok(Some(router))
        }
    })
}

/// The site of this machine.
pub(super) fn own_site(request: &InitRequest, names: &[&str]) -> anyhow::Result<String> {
    if let Some(site) = &request.site {
        return Ok(site.clone());
    }
    let names = names.join(", ");
    if request.asks() {
        return until_read(&format!("The site of this machine, one of {names}, or another: "), site);
    }
    bail!("--site is missing: name the site of this machine, one of {names}, or another, e.g. --site site-a")
}

/// What to log in with: a key that was named, one beside the configuration, the agent, or the key
/// that `ssh` would take.
pub(super) fn credential(request: &InitRequest) -> anyhow::Result<Credential> {
    let key = |file: PathBuf| Credential::PrivateKey { file, passphrase_file: None };
    let usual = |directory: &Path| {
        ["id_ed25519", "id_ecdsa", "id_rsa"]
            .map(|name| directory.join(name))
            .into_iter()
            .find(|file| file.is_file())
    };
    if let Some(file) = request.key.clone().or_else(|| usual(request.directory())) {
        return Ok(key(file));
    }
    if env::var_os("SSH_AUTH_SOCK").is_some_and(|socket| !socket.is_empty()) {
        return Ok(Credential::Agent { socket: None });
    }
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    if let Some(file) = usual(&home.join(".ssh")) {
        return Ok(key(file));
    }
    if request.asks() {
        let is_file = |text: &str| {
            let file = Path::new(text);
            file.is_file().then(|| file.to_owned()).ok_or_else(|| format!("there is no file {text:?}"))
        };
        return until_read("The private key to log in with, a file: ", is_file).map(key);
    }
    bail!(
        "nothing to log in with, neither id_ed25519 beside the output, nor an agent, nor a key in ~/.ssh: name a private key with --key, e.g. \
         --key=/etc/vxlan_exporter/id_ed25519"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routers_as_people_name_them() {
        for (text, name, username, host, port) in [
            ("dc=monitor@10.10.0.254", "dc", "monitor", "10.10.0.254", 22),
            ("dc=a@b@gw.example.org:2222", "dc", "a@b", "gw.example.org", 2222),
            ("dc=monitor@[fd00::1]:2222", "dc", "monitor", "fd00::1", 2222),
            ("dc=monitor@fd00::1", "dc", "monitor", "fd00::1", 22),
        ] {
            let router: NamedRouter = text.parse().expect(text);
            let seen = (router.name.as_str(), router.username.as_str(), router.host.as_str(), router.port);
            assert_eq!(seen, (name, username, host, port));
        }
    }

    #[test]
    fn what_is_no_router_is_said_with_an_example() {
        for (text, words) in [
            ("monitor@10.10.0.254", "the router has no name"),
            ("dc=10.10.0.254", "the user to log in as is missing"),
            ("=monitor@10.10.0.254", "the name is empty"),
            ("d/c=monitor@10.10.0.254", "contains '/'"),
            ("dc=@10.10.0.254", "the user: the name is empty"),
            ("dc=monitor@", "is not HOST or HOST:PORT"),
            ("dc=monitor@10.10.0.254:0", "is not HOST or HOST:PORT"),
            ("dc=monitor@10.10.0.254/24", "is not HOST or HOST:PORT"),
            ("dc=monitor@10.10.0.999", "neither an IP address nor a DNS name"),
            ("dc=monitor@0.0.0.0", "not the address of one host"),
            ("dc=mon\u{1b}itor@10.10.0.254", "control characters"),
        ] {
            let error = text.parse::<NamedRouter>().expect_err(text);
            assert!(
                error.contains(words) && error.ends_with("e.g. dc=monitor@10.10.0.254"),
                "{text}: {error}"
            );
        }
        assert!(site("").expect_err("empty").ends_with("e.g. site-a"));
    }
}
