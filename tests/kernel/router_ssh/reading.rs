//! The exporter's own code reading a router over SSH, from inside the router's namespace.

use std::{path::PathBuf, time::Duration};

use lab::ssh_router::Router;
use vxlan_exporter::{
    model::{
        plan::{Credential, HostTrust, RouterPlan, SshPlan, Transport},
        snapshot::{RouterReading, RouterSnapshot},
        types::FailureReason,
    },
    router::Worker,
};

/// The deadline of a scrape that is about to miss it.
pub const TIMEOUT: Duration = Duration::from_secs(4);
/// The deadline of all others: generous, as the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a server hangs that must not be waited for.
pub const FOR_EVER: Duration = Duration::from_mins(1);

/// A login to a router.
pub trait Login {
    /// Its SSH settings.
    fn plan(&self) -> SshPlan;
}

impl Login for Router {
    fn plan(&self) -> SshPlan {
        SshPlan {
            address: "127.0.0.1".to_owned(),
            port: 2222,
            username: "root".to_owned(),
            credential: key(self.path("user")),
            host_trust: HostTrust::KnownHosts(self.path("known_hosts")),
            jump: None,
            max_output: 16 << 20,
        }
    }
}

/// Scrapes once, expects that reason, and returns the message.
#[track_caller]
pub fn failure(plan: &SshPlan, reason: FailureReason) -> String {
    failure_of(&router_plan(plan), reason)
}

/// Scrapes once with [`TIMEOUT`], and misses it.
#[track_caller]
pub fn times_out(plan: &SshPlan) -> String {
    failure_of(&RouterPlan { scrape_timeout: TIMEOUT, ..router_plan(plan) }, FailureReason::Timeout)
}

#[track_caller]
fn failure_of(plan: &RouterPlan, reason: FailureReason) -> String {
    let reading = scrape(&mut Worker::new(plan));
    let failure = reading.failure.expect("the scrape must fail");
    assert_eq!(failure.reason, reason, "{failure}");
    assert_eq!(reading.current, None);
    assert_eq!(reading.failures[&reason], 1);
    failure.message.to_string()
}

/// The snapshot of a successful reading.
#[track_caller]
pub fn success(reading: &RouterReading) -> &RouterSnapshot {
    reading.current.as_deref().unwrap_or_else(|| panic!("{:?}", reading.failure))
}

/// A login by a key without a passphrase.
pub fn key(file: PathBuf) -> Credential {
    Credential::PrivateKey { file, passphrase_file: None }
}

/// The plan for reading a router.
pub fn router_plan(ssh: &SshPlan) -> RouterPlan {
    RouterPlan {
        name: "dc".into(),
        site: "dc".into(),
        addresses: Vec::new(),
        scrape_interval: Duration::from_secs(30),
        scrape_timeout: PATIENCE,
        limits: vxlan_exporter::model::plan::ReadLimits::default(),
        underlay_probes: vxlan_exporter::model::leg::UnderlayProbes::default(),
        underlay_interval: Duration::from_mins(5),
        transport: Transport::Ssh(ssh.clone()),
        api: None,
    }
}

/// One complete scrape.
pub fn scrape(worker: &mut Worker) -> RouterReading {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(worker.scrape())
}
