use std::{future::Future, net::IpAddr};

use tokio::time::timeout;

use super::*;
use crate::{
    model::{
        plan::Transport,
        types::{FailureReason, RouterName},
    },
    overlay::fixture,
};

/// A plan whose routers all are this machine.
fn plan(routers: &[&str], interval: Duration) -> Plan {
    let router = |name: &&str| RouterPlan {
        name: RouterName::from(*name),
        site: "here".into(),
        addresses: Vec::new(),
        scrape_interval: interval,
        scrape_timeout: Duration::from_secs(5),
        limits: crate::model::plan::ReadLimits::default(),
        underlay_probes: crate::model::leg::UnderlayProbes::default(),
        underlay_interval: Duration::from_mins(5),
        transport: Transport::Local,
        api: None,
    };
    Plan { routers: routers.iter().map(router).collect(), ..fixture::plan(&[]) }
}

fn reading(state: &State, router: &str) -> Option<Arc<RouterReading>> {
    state.present().routers.into_iter().find(|reading| reading.router.as_str() == router)
}

fn scrapes(state: &State, router: &str) -> u64 {
    reading(state, router).map_or(0, |reading| reading.scrapes)
}

async fn soon(what: impl Future<Output = ()>) {
    timeout(Duration::from_mins(3), what).await.expect("within three minutes");
}

async fn read(state: &State, router: &str, times: u64) {
    soon(async {
        while scrapes(state, router) < times {
            tokio::select! {
                () = state.changed() => {}
                () = state.counted() => {}
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_the_same_goes_on_what_is_gone_vanishes_what_changed_counts_on() {
    let state = State::default();
    let mut fleet = Fleet::new(state.clone());
    let hour = Duration::from_hours(1);
    fleet.follow(&plan(&["a", "b", "c"], hour)).await;
    assert_eq!(state.present().routers.len(), 3, "they show up at once");
    for router in ["a", "b", "c"] {
        read(&state, router, 1).await;
        let mut failed = (*reading(&state, router).expect(router)).clone();
        failed.failures.insert(FailureReason::Timeout, 7);
        state.put_router(failed);
    }
    // Now `c` comes first, `b` is removed, `a` has another address.
    let mut next = plan(&["c", "a"], hour);
    next.routers[1].addresses.push(IpAddr::from([203, 0, 113, 7]));
    fleet.follow(&next).await;
    let names: Vec<_> = state.present().routers.iter().map(|reading| reading.router.to_string()).collect();
    assert_eq!(names, ["c", "a"]);
    assert_eq!((scrapes(&state, "c"), scrapes(&state, "a")), (1, 0));
    assert_eq!(reading(&state, "a").expect("a").failures[&FailureReason::Timeout], 7);
    read(&state, "a", 1).await;
    fleet.follow(&plan(&["a", "b", "c"], hour)).await;
    assert_eq!(reading(&state, "b").expect("b is back").failures[&FailureReason::Timeout], 7);
    assert_eq!((scrapes(&state, "c"), scrapes(&state, "b")), (1, 0));
    read(&state, "b", 1).await;
}

#[tokio::test]
async fn fewer_threads_than_routers_read_them_all_and_their_number_may_change() {
    let state = State::default();
    let mut fleet = Fleet::new(state.clone());
    let routers = ["a", "b", "c", "d", "e", "f"];
    let mut plan = plan(&routers, Duration::from_millis(200));
    let mut before = 0;
    for threads in [1, 3, 2] {
        plan.router_workers = threads;
        fleet.follow(&plan).await;
        fleet.watch(routers.map(RouterName::from).into());
        before += 2;
        for router in routers {
            read(&state, router, before).await;
        }
    }
    // Read so seldom that hardly ever one is being read, however slow this machine is.
    plan.routers.iter_mut().for_each(|router| router.scrape_interval = Duration::from_hours(1));
    fleet.follow(&plan).await;
    soon(async {
        while fleet.rounds.threads.available_permits() != 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_router_that_is_not_watched_is_read_now_and_then_and_at_once_more_often_when_it_is() {
    let state = State::default();
    let mut fleet = Fleet::new(state.clone());
    let interval = Duration::from_millis(300);
    fleet.follow(&plan(&["near", "far"], interval)).await;
    fleet.watch(BTreeSet::from(["near".into()]));
    read(&state, "far", 1).await;
    let (near, far) = (scrapes(&state, "near"), scrapes(&state, "far"));
    read(&state, "near", near + 8).await;
    let far_meanwhile = scrapes(&state, "far") - far;
    assert!(far_meanwhile <= 2, "{far_meanwhile} reads while the other had 8");
    fleet.watch(BTreeSet::from(["near".into(), "far".into()]));
    let (near, far) = (scrapes(&state, "near"), scrapes(&state, "far"));
    read(&state, "far", far + 3).await;
    let near_meanwhile = scrapes(&state, "near") - near;
    assert!(near_meanwhile <= 8, "{near_meanwhile} reads of the other while this had 3");
}
