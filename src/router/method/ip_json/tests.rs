use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;
use crate::model::{
    plan::ReadLimits,
    types::{Dropped, FailureReason},
};

mod route_queries;

/// A fake router: answers each script with what its commands print in this table, and keeps the
/// scripts.
struct Router {
    says: BTreeMap<String, (&'static str, i32)>,
    scripts: Arc<Mutex<Vec<String>>>,
}

const LINKS: &str = r#"[{"ifname":"vxlan01","ifindex":5,"linkinfo":{"info_kind":"vxlan","info_data":{"id":1,"remote":"10.10.10.254","port":8472}},
"stats64":{"rx":{"bytes":1,"packets":1,"errors":0,"dropped":0},"tx":{"bytes":1,"packets":1,"errors":0,"dropped":0}}},
{"ifname":"vxlan02","linkinfo":{"info_kind":"vxlan","info_data":{"id":2,"group":"239.0.0.1","link":"eth0","port":8472}},
"stats64":{"rx":{"bytes":1,"packets":1,"errors":0,"dropped":0},"tx":{"bytes":1,"packets":1,"errors":0,"dropped":0}}}]"#;
const FDB: &str = r#"[{"mac":"00:00:00:00:00:00","ifname":"vxlan01","dst":"10.10.20.254","flags":["self"],"state":"permanent"},
{"mac":"33:33:00:00:00:01","ifname":"eth0","flags":["self"],"state":"permanent"}]"#;
const ROUTE: &str = r#"[{"dev":"eth0"}]"#;

fn router(changes: &[(&str, (&'static str, i32))]) -> (Router, Arc<Mutex<Vec<String>>>) {
    let mut says = BTreeMap::from([
        ("link".to_owned(), (LINKS, 0)),
        ("fdb".to_owned(), (FDB, 0)),
        ("vni".to_owned(), (r#"[{"ifname":"vxlan01","vnis":[{"vni":7}]}]"#, 0)),
        ("uptime-before".to_owned(), ("10.1 1\n", 0)),
        ("uptime-after".to_owned(), ("10.2 1\n", 0)),
        ("vyos".to_owned(), ("Version: VyOS 1.4.0\n", 0)),
        ("route 10.10.10.254 ipproto udp dport 8472".to_owned(), (ROUTE, 0)),
        ("route 10.10.20.254 ipproto udp dport 8472".to_owned(), ("Network is unreachable", 2)),
    ]);
    for (name, answer) in changes {
        says.insert((*name).to_owned(), *answer);
    }
    let scripts = Arc::default();
    (Router { says, scripts: Arc::clone(&scripts) }, scripts)
}

impl Shell for Router {
    fn exec(&mut self, script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
        self.scripts.lock().unwrap().push(script.to_owned());
        let marker = script.lines().next().unwrap().strip_prefix("M=").unwrap();
        let mut output = String::from("Welcome to VyOS\r\n");
        let asked = script.lines().filter_map(|line| line.strip_prefix("s ")?.split(' ').next());
        let loops =
            script.lines().filter_map(|line| line.strip_prefix("for r in ")?.split_once("; do s \"route $r"));
        let routes = loops.flat_map(|(remotes, rest)| {
            let conditions = rest.split('"').next().unwrap_or_default();
            remotes.split(' ').map(move |remote| format!("route {remote}{conditions}"))
        });
        for name in asked.map(str::to_owned).chain(routes) {
            let (text, code) = self.says.get(&name).copied().unwrap_or(("", 1));
            let shown = if code == 0 { text.to_owned() } else { format!("{marker} err\n{text}") };
            let _ = write!(output, "{marker} begin {name}\n{shown}\n{marker} rc={code}\n");
        }
        Ok(output + marker + " end\n")
    }
}

fn scrape(reader: &mut Reader, router: &mut Router) -> Result<RouterSnapshot, Failed> {
    reader.scrape(router, Instant::now() + Duration::from_secs(1))
}

#[test]
fn forwarding_entries_that_have_not_changed_are_not_read_again() {
    let (mut router, _) = router(&[]);
    let mut reader = Reader::default();
    let first = scrape(&mut reader, &mut router).unwrap();
    let second = scrape(&mut reader, &mut router).unwrap();
    assert!(first.fdb.is_shared_with(&second.fdb) && first.fdb.len() == 1);
    router.says.insert("fdb".to_owned(), ("[]", 0));
    assert_eq!(scrape(&mut reader, &mut router).unwrap().fdb.len(), 0);
    router.says.insert("fdb".to_owned(), (FDB, 0));
    let third = scrape(&mut reader, &mut router).unwrap();
    assert_eq!(third.fdb, first.fdb);
    // Other vxlan devices, other entries of interest.
    let renamed: &'static str = Box::leak(LINKS.replace("vxlan01", "vxlan09").into_boxed_str());
    router.says.insert("link".to_owned(), (renamed, 0));
    assert_eq!(scrape(&mut reader, &mut router).unwrap().fdb.len(), 0);
}

#[test]
fn entries_beyond_the_limit_are_counted_in_each_scrape() {
    let (mut router, _) = router(&[]);
    let mut reader = Reader::default();
    let limits = ReadLimits { max_fdb_entries: 0, ..ReadLimits::default() };
    for _ in 0..3 {
        let deadline = Instant::now() + Duration::from_secs(1);
        let (read, left_out) = bounds::within(limits, deadline, || reader.scrape(&mut router, deadline));
        assert_eq!((read.unwrap().fdb.len(), left_out), (0, Dropped::from([(DroppedKind::FdbEntry, 1)])));
    }
}

#[test]
fn a_new_remote_costs_a_second_exec_and_a_known_one_none() {
    let (mut router, scripts) = router(&[]);
    let mut reader = Reader::default();
    let snapshot = scrape(&mut reader, &mut router).unwrap();
    assert_eq!(
        snapshot.routes.iter().map(|(query, route)| format!("{query}: {}", route.dev)).collect::<Vec<_>>(),
        ["10.10.10.254 ipproto udp dport 8472: eth0", "239.0.0.1 oif eth0 ipproto udp dport 8472: eth0"]
    );
    assert_eq!(snapshot.fdb.len(), 1, "only entries of vxlan devices");
    assert_eq!(
        snapshot.links[0].vxlan.as_ref().unwrap().vnis,
        [crate::model::types::Vni(7)].into_iter().collect()
    );
    assert_eq!(snapshot.version.as_deref(), Some("VyOS 1.4.0"));
    let uptime = snapshot.uptime.unwrap();
    assert_eq!((uptime.before, uptime.after), (10.1, 10.2));
    assert!(uptime.asked <= uptime.answered);
    assert_eq!(scripts.lock().unwrap().len(), 2);
    assert_eq!(scrape(&mut reader, &mut router).unwrap().routes, snapshot.routes);
    let scripts = scripts.lock().unwrap();
    assert_eq!(scripts.len(), 3, "a remote without a route is known too");
    assert!(scripts[2].contains("for r in 10.10.10.254 10.10.20.254; do"));
    assert_ne!(scripts[1].lines().next(), scripts[2].lines().next(), "a marker of its own for each exec");
}

#[test]
fn failures_have_the_reason_a_person_can_act_on() {
    for (change, reason, words) in [
        (
            ("link", ("ip: command not found", 127)),
            FailureReason::Command,
            "`ip -j -s -s -d addr show` failed with exit code 127",
        ),
        (
            ("link", ("RTNETLINK answers: Operation not permitted", 2)),
            FailureReason::Permission,
            "not permitted",
        ),
        (("link", ("[{\"ifname\":7}]", 0)), FailureReason::Parse, "field `ifname`"),
        (("link", ("", 0)), FailureReason::Parse, "expected JSON"),
    ] {
        let (mut router, _) = router(&[change]);
        let failed = scrape(&mut Reader::default(), &mut router).unwrap_err();
        let Failed::Method(error) = failed else { panic!("another method may work: {failed:?}") };
        assert_eq!(error.reason, reason, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn an_old_router_without_bridge_vni_is_read() {
    let (mut router, _) = router(&[("vni", ("Object \"vni\" is unknown", 255)), ("vyos", ("", 1))]);
    let snapshot = scrape(&mut Reader::default(), &mut router).unwrap();
    assert_eq!(snapshot.version, None);
    assert!(snapshot.links[0].vxlan.as_ref().unwrap().vnis.is_empty());
}

#[test]
fn what_is_not_needed_costs_nothing_else_and_is_said() {
    let limits = ReadLimits::default();
    for (change, kind, words) in [
        (
            ("fdb", ("bridge: command not found", 127)),
            DroppedKind::Fdb,
            "`bridge -j fdb show` failed with exit code 127",
        ),
        (("fdb", ("[{\"mac\":7,\"ifname\":\"vxlan01\"}]", 0)), DroppedKind::Fdb, "field `mac`"),
        (("vni", ("[{\"ifname\":7}]", 0)), DroppedKind::VniFilters, "field `ifname`"),
        (
            ("route 10.10.10.254 ipproto udp dport 8472", ("what?", 0)),
            DroppedKind::Route,
            "expected JSON, saw `what?`",
        ),
    ] {
        let (mut router, _) = router(&[change]);
        let mut reader = Reader::default();
        let deadline = Instant::now() + Duration::from_hours(1);
        let (snapshot, left_out) = bounds::within(limits, deadline, || scrape(&mut reader, &mut router));
        let snapshot = snapshot.unwrap();
        assert_eq!((snapshot.links.len(), snapshot.version.is_some()), (2, true), "{kind}");
        assert_eq!(left_out, Dropped::from([(kind, 1)]));
        assert_eq!(snapshot.tells_all(), kind != DroppedKind::Fdb);
        let why = bounds::why().expect("a reason").to_string();
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn a_filter_that_is_not_told_is_missed_where_a_device_has_one() {
    let links = LINKS.replacen("\"id\":1,", "\"external\":true,\"vnifilter\":true,", 1);
    let (mut router, _) = router(&[("link", (links.leak(), 0)), ("vni", ("Object \"vni\" is unknown", 255))]);
    bounds::begin();
    let snapshot = scrape(&mut Reader::default(), &mut router).unwrap();
    assert_eq!(
        (snapshot.links.len(), bounds::left_out()),
        (2, Dropped::from([(DroppedKind::VniFilters, 1)]))
    );
}
