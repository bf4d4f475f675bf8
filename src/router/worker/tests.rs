use super::*;
use crate::{
    model::{
        plan::Transport,
        snapshot::{Counters, Link, Vxlan, ip_stack::IpStack},
        types::{LinkKind, Method},
    },
    router::{parse, shell::Shell},
};

type Outcome = Result<RouterSnapshot, ScrapeError>;

fn worker() -> Worker {
    Worker::new(&RouterPlan {
        name: "dc".into(),
        site: "dc".into(),
        addresses: Vec::new(),
        scrape_interval: Duration::from_secs(30),
        scrape_timeout: Duration::from_secs(5),
        limits: crate::model::plan::ReadLimits::default(),
        underlay_probes: crate::model::leg::UnderlayProbes::default(),
        underlay_interval: Duration::from_mins(5),
        transport: Transport::Local,
        api: None,
    })
}

fn snapshot(boot_id: &str, devices: &[(&str, u32)]) -> RouterSnapshot {
    let link = |(name, ifindex): &(&str, u32)| Link {
        name: (*name).into(),
        ifindex: Some(*ifindex),
        mtu: Some(1450),
        admin_up: Some(true),
        oper_state: None,
        mac: None,
        master: None,
        parent: None,
        description: None,
        addresses: Vec::new(),
        kind: Some(LinkKind::Vxlan),
        vxlan: Some(Vxlan::default()),
        counters: Counters::ZERO,
    };
    RouterSnapshot {
        method: Method::Ip,
        links: devices.iter().map(link).collect(),
        fdb: crate::model::snapshot::fdb::Fdb::default(),
        tells_fdb: true,
        routes: BTreeMap::new(),
        version: None,
        boot_id: Some(boot_id.into()),
        uptime: None,
        stack: IpStack::default(),
        index: crate::model::snapshot::index::Index::default(),
    }
}

fn play(worker: &mut Worker, outcomes: impl IntoIterator<Item = Outcome>) {
    for outcome in outcomes {
        match outcome {
            Ok(snapshot) => worker.succeeded(Arc::new(snapshot)),
            Err(error) => worker.failed(error),
        }
    }
}

fn refused() -> Outcome {
    Err(ScrapeError::new(FailureReason::Refused, "no"))
}

#[test]
fn every_reason_is_counted_from_zero() {
    let mut worker = worker();
    assert_eq!(worker.reading().failures.len(), FailureReason::ALL.len());
    assert!(worker.reading().failures.values().all(|count| *count == 0));
    play(&mut worker, [refused(), refused()]);
    assert_eq!(worker.reading().failures[&FailureReason::Refused], 2);
    assert_eq!(worker.reading().failures[&FailureReason::Auth], 0);
}

#[test]
fn a_failure_leaves_nothing_current_and_keeps_what_was_read_before() {
    let mut worker = worker();
    let (first, second) =
        (snapshot("b", &[("vxlan01", 3)]), snapshot("b", &[("vxlan01", 3), ("vxlan02", 4)]));
    play(&mut worker, [Ok(first.clone()), refused()]);
    let reading = worker.reading();
    assert_eq!(reading.current, None);
    assert_eq!(reading.previous.as_deref(), Some(&first));
    assert_eq!(reading.failure.as_ref().unwrap().reason, FailureReason::Refused);
    assert!(reading.last_success.is_some());
    play(&mut worker, [Ok(second.clone())]);
    let reading = worker.reading();
    assert_eq!(reading.current.as_deref(), Some(&second));
    assert_eq!(reading.previous.as_deref(), Some(&first));
    assert_eq!(reading.failure, None);
}

#[test]
fn recreations_are_other_indexes_within_one_boot() {
    let mut worker = worker();
    let vxlan01 = InterfaceName::from("vxlan01");
    play(&mut worker, [Ok(snapshot("b", &[("vxlan01", 3)]))]);
    assert_eq!(worker.reading().recreations[&vxlan01], 0);
    // Missing from one scrape, with a failed scrape in between: the change is still noticed.
    let back = snapshot("b", &[("vxlan01", 9)]);
    play(&mut worker, [Ok(snapshot("b", &[])), refused(), Ok(back.clone()), Ok(back)]);
    assert_eq!(worker.reading().recreations[&vxlan01], 1);
    play(&mut worker, [Ok(snapshot("after restart", &[("vxlan01", 4)]))]);
    assert_eq!(worker.reading().recreations[&vxlan01], 1);
}

#[tokio::test]
async fn reads_this_machine() {
    let mut worker = worker();
    let reading = worker.scrape().await;
    let snapshot = reading.current.unwrap_or_else(|| panic!("{:?}", reading.failure));
    assert_eq!(reading.scrapes, 1);
    assert!(snapshot.link("lo").unwrap().addresses.contains(&"127.0.0.1".parse().unwrap()));
    assert!(snapshot.boot_id.as_deref().is_some_and(|id| parse::system::boot_id(id).is_some()));
    let uptime = snapshot.uptime.unwrap();
    assert!(uptime.before > 0.0 && uptime.after >= uptime.before && uptime.answered > uptime.asked);
}

/// A shell that sleeps on, whatever the deadline.
struct Deaf;

impl Shell for Deaf {
    fn exec(&mut self, _script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
        thread::sleep(Duration::from_secs(20));
        Ok(String::new())
    }
}

#[tokio::test]
async fn a_thread_that_never_returns_is_given_up() {
    let mut worker = worker();
    worker.plan.scrape_timeout = Duration::from_millis(100);
    worker.reader = Some(Chain::of("dc".into(), Some(Box::new(Deaf)), None));
    let start = Instant::now();
    let reading = worker.scrape().await;
    assert_eq!(reading.failure.unwrap().reason, FailureReason::Timeout);
    assert!(start.elapsed() < Duration::from_secs(5));
    // While it hangs no other thread is started; afterwards there is a new session.
    let again = worker.scrape().await.failure.unwrap();
    assert_eq!(again.reason, FailureReason::Timeout);
    assert!(again.message.contains("from an earlier scrape") && worker.reader.is_none(), "{again}");
    drop(worker.hung.take());
    worker.plan.scrape_timeout = Duration::from_secs(5);
    assert_eq!(worker.scrape().await.failure, None);
}
