//! `init`: from logins to routers to a configuration that works.
//!
//! It reads the routers as a scrape does, and their neighbours; finds out who is behind each far
//! VTEP; sends each of a few such hosts a few packets; and proposes one path per site. It changes
//! nothing on routers, lists what it will send before it does, and writes two files, both at its
//! end: the configuration, and the host keys that somebody has confirmed.
//!
//! - [`ask`] what it must be told; `places` joins what routers tell; `draft` the text; `files` what
//!   it writes

pub mod ask;
mod draft;
mod files;
mod places;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, bail, ensure};
use tokio::task::block_in_place;

use crate::{
    config, logging,
    look::knock::{self, knock},
    model::{
        fingerprint::Fingerprint,
        leg::UnderlayProbes,
        plan::{Credential, HostTrust, MAX_OUTPUT_BYTES, ReadLimits, RouterPlan, SshPlan, Transport},
        types::{RouterName, Site},
    },
    report::count,
    router::{
        survey::{own_neighbours, survey},
        transport::ssh,
        trust::{host_key::HostKeys, known_hosts},
    },
};
use ask::NamedRouter;
use draft::{Candidate, Draft};
use files::NewKey;
use places::ReadRouter;

use super::trust;

/// Most routers.
const MOST_ROUTERS: usize = 64;

/// What `init` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitRequest {
    /// The routers; if there are none, they are asked for.
    pub routers: Vec<NamedRouter>,
    /// The site of this machine.
    pub site: Option<String>,
    /// The private key to log in with.
    pub key: Option<PathBuf>,
    /// The file to write.
    pub output: PathBuf,
    /// Whether a file that is there is replaced.
    pub force: bool,
    /// Whether the configuration is printed instead of written.
    pub dry_run: bool,
    /// Whether there is a terminal to ask at.
    pub terminal: bool,
}

impl InitRequest {
    /// Whether it asks for routers.
    fn asks(&self) -> bool {
        self.terminal && self.routers.is_empty()
    }

    /// The directory of its files.
    fn directory(&self) -> &Path {
        self.output.parent().unwrap_or(Path::new(""))
    }

    fn known_hosts(&self) -> PathBuf {
        self.directory().join("known_hosts")
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// The text, of a dry run.
    Text(String),
    /// The file was written.
    File,
}

/// Routers that were read, and the keys that were confirmed.
#[derive(Debug, Default)]
struct ReadSoFar {
    routers: Vec<NamedRouter>,
    read: Vec<ReadRouter>,
    new_keys: Vec<NewKey>,
}

/// Makes a configuration; reports progress on stderr.
pub async fn init(request: &InitRequest) -> anyhow::Result<Made> {
    files::check_place(request)?;
    let first = ask::first_routers(request)?;
    let credential = ask::credential(request)?;
    // Before a router is contacted: there, a connection without a login counts against us.
    ssh::check_credential(&credential)
        .with_context(|| if request.key.is_some() { "--key" } else { "the key to log in with" })?;
    if !request.asks() {
        ask::own_site(request, &first.iter().map(|router| router.name.as_str()).collect::<Vec<_>>())?;
    }
    logging::say(&announcement(request, &credential));
    let progress = block_in_place(|| read_all(request, &credential, first))?;
    let names: Vec<_> = progress.routers.iter().map(|router| router.name.as_str()).collect();
    let site = ask::own_site(request, &names)?;
    let own = block_in_place(own_neighbours);
    let sites = places::hosts_by_site(&progress.read, &site, &own);
    let candidates = candidates(places::few(&sites, knock::MOST_HOSTS)).await;
    let key = match &credential {
        Credential::PrivateKey { file, .. } => Some(draft::beside(request.directory(), file)),
        Credential::Password(_) | Credential::Agent { .. } => None,
    };
    let far_ends = places::far_ends(&progress.read);
    let routers: Vec<_> = progress.routers.into_iter().zip(progress.read).collect();
    let text = draft::text(&Draft {
        site: &site,
        routers: &routers,
        known_hosts: "known_hosts".to_owned(),
        key,
        sites: sites.into_keys().collect(),
        candidates,
        far_ends,
    });
    config::parse(&text, &request.output)
        .context("what was made is no configuration; this is a bug, please report it")?;
    if request.dry_run {
        return Ok(Made::Text(text));
    }
    files::write(request, &text, &progress.new_keys)?;
    Ok(Made::File)
}

/// What is sent, before anything is.
fn announcement(request: &InitRequest, credential: &Credential) -> String {
    let login = match credential {
        Credential::PrivateKey { file, .. } => format!("the key {}", file.display()),
        Credential::Password(_) | Credential::Agent { .. } => "the keys of the SSH agent".to_owned(),
    };
    let ports = knock::PORTS.map(|port| port.to_string()).join(", ");
    format!(
        "This sends, and changes nothing anywhere:\n\
         - to each router: a connection that asks for its host key, unless {} has it; after your yes a login with \
         {login}, which runs `ip`, `bridge` and `cat`\n\
         - to at most {} hosts behind far routers, listed before: {} pings and one TCP SYN each to ports {ports}; and a \
         question to DNS for the name of each\n{}",
        request.known_hosts().display(),
        knock::MOST_HOSTS,
        knock::ECHOES,
        if request.dry_run {
            ""
        } else {
            "- for each path of the new configuration: what `check` sends in ten seconds\n"
        }
    )
}

/// Reads the routers, and those at the far ends that somebody names.
fn read_all(
    request: &InitRequest,
    credential: &Credential,
    first: Vec<NamedRouter>,
) -> anyhow::Result<ReadSoFar> {
    let mut progress = ReadSoFar::default();
    for router in first {
        progress.read_one(request, credential, router, None)?;
    }
    let mut left_out: Vec<IpAddr> = Vec::new();
    while let Some(far) =
        places::far_ends(&progress.read).into_iter().find(|far| !left_out.contains(&far.remote))
    {
        if !request.asks() || progress.routers.len() >= MOST_ROUTERS {
            logging::say(&format!(
                "{}/{} sends to {}, which is none of these routers: add it with --router NAME=USER@HOST to have its \
                 end read\n",
                far.router, far.interface, far.remote
            ));
            left_out.push(far.remote);
            continue;
        }
        let names: Vec<_> = progress.routers.iter().map(|router| router.name.as_str()).collect();
        match ask::far_router(&far.router, &far.interface, far.remote, &names)? {
            Some(router) => progress.read_one(request, credential, router, Some(far.remote))?,
            None => left_out.push(far.remote),
        }
    }
    Ok(progress)
}

impl ReadSoFar {
    /// Has its host key confirmed, logs in and reads it. `at` is the VTEP that it was named for.
    fn read_one(
        &mut self,
        request: &InitRequest,
        credential: &Credential,
        router: NamedRouter,
        at: Option<IpAddr>,
    ) -> anyhow::Result<()> {
        ensure!(
            self.routers.len() < MOST_ROUTERS,
            "more than {MOST_ROUTERS} routers: write the configuration by hand"
        );
        let mut login = SshPlan {
            address: router.host.clone(),
            port: router.port,
            username: router.username.clone(),
            credential: credential.clone(),
            host_trust: HostTrust::KnownHosts(request.known_hosts()),
            jump: None,
            max_output: MAX_OUTPUT_BYTES,
        };
        let name = RouterName(router.name.clone());
        if let Some(key) = self.new_key(request, &name, &login)? {
            login.host_trust = HostTrust::Fingerprint(Fingerprint::of(&key.blob));
            self.new_keys.push(key);
        }
        let read = survey(&plan(&router, login)).with_context(|| format!("router {name} cannot be read"))?;
        let mut read = ReadRouter { name: router.name.clone(), addresses: Vec::new(), survey: read };
        let tunnels = count(read.survey.snapshot.vxlan_links().count(), "vxlan interface");
        let entries = read.survey.snapshot.fdb.len();
        let neighbours = count(read.survey.neighbours.len(), "neighbour");
        logging::say(&format!("router {name}: {tunnels}, {entries} forwarding entries, {neighbours}\n"));
        read.addresses.extend(at.filter(|at| !read.has(*at)));
        self.routers.push(router);
        self.read.push(read);
        Ok(())
    }

    /// The router's host key, confirmed at the terminal; `None` if the file already knows the
    /// router, or somebody has just confirmed a key for it.
    fn new_key(
        &self,
        request: &InitRequest,
        name: &RouterName,
        login: &SshPlan,
    ) -> anyhow::Result<Option<NewKey>> {
        let file = request.known_hosts();
        let known = HostKeys::read_so_far(login)?;
        if ssh::check_host_key(login).is_ok() {
            return Ok(None);
        }
        ensure!(
            request.terminal,
            "router {name}: its host key is not in {}, and there is no terminal at which to confirm it: run this at a \
             terminal once, or put the key there as OpenSSH would",
            file.display()
        );
        let blob = ssh::presented_key(login, &known, Instant::now() + trust::TIMEOUT)?;
        if let Some(line) = known.revoked(&blob) {
            bail!("router {name} presented a key that line {} of {} revokes", line.line, file.display());
        }
        let host = known_hosts::host_name(&known_hosts::normalised(&login.address), login.port);
        if self.new_keys.iter().any(|new| new.host == host && new.blob == blob) {
            return Ok(Some(NewKey { host, blob }));
        }
        logging::say(&trust::shown(name, login, &file, &blob, &[]));
        trust::typed_yes()?;
        Ok(Some(NewKey { host, blob }))
    }
}

/// A plan to read it once.
fn plan(router: &NamedRouter, login: SshPlan) -> RouterPlan {
    RouterPlan {
        name: RouterName(router.name.clone()),
        site: Site(router.name.clone()),
        addresses: Vec::new(),
        scrape_interval: trust::TIMEOUT,
        scrape_timeout: trust::TIMEOUT,
        limits: ReadLimits::default(),
        underlay_probes: UnderlayProbes::Never,
        underlay_interval: trust::TIMEOUT,
        transport: Transport::Ssh(login),
        api: None,
    }
}

/// Lists the hosts, then knocks at them.
async fn candidates(hosts: Vec<(String, IpAddr)>) -> Vec<Candidate> {
    if hosts.is_empty() {
        logging::say("No host is seen behind another site: routers know hosts that have talked lately.\n");
        return Vec::new();
    }
    logging::say("Hosts behind other sites, each of which now gets these pings and SYNs:\n");
    for (site, address) in &hosts {
        logging::say(&format!("  {site}  {address}\n"));
    }
    let addresses: Vec<_> = hosts.iter().map(|(_, address)| *address).collect();
    let answers = knock(&addresses).await;
    let candidates = hosts.into_iter().zip(answers);
    candidates.map(|((site, address), answers)| Candidate { site, address, answers }).collect()
}
