use super::*;
use crate::overlay::fixture::{A, B, DC, TestRouter, ip};

const RANCHER: &str = "4e:00:00:00:00:66";
const NODE_A: &str = "4e:00:00:00:00:0a";
const NODE_B: &str = "4e:00:00:00:00:14";

fn read(name: &str, router: TestRouter, neighbours: &[(&str, &str)]) -> ReadRouter {
    let neighbours = neighbours_of(neighbours);
    let survey = Survey { snapshot: router.now, neighbours };
    ReadRouter { name: name.to_owned(), addresses: Vec::new(), survey }
}

fn neighbours_of(all: &[(&str, &str)]) -> Vec<Neighbour> {
    all.iter()
        .map(|(address, mac)| Neighbour { address: ip(address), mac: mac.parse().expect("a MAC") })
        .collect()
}

/// The routers of the lab: A and B each have a tunnel to the DC, which joins them.
fn routers() -> [ReadRouter; 3] {
    let dc = TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A).vxlan("vxlan02", 2, B);
    let dc = dc.learned("vxlan01", NODE_A, A).learned("vxlan02", NODE_B, B);
    let a = TestRouter::new("site-a", "site-a", A).vxlan("vxlan01", 1, DC);
    // B's host too comes through the DC.
    let a = a.flood("vxlan01", DC).learned("vxlan01", RANCHER, DC).learned("vxlan01", NODE_B, DC);
    let b = TestRouter::new("site-b", "site-b", B).vxlan("vxlan02", 2, DC);
    let b = b.learned("vxlan02", RANCHER, DC).learned("vxlan02", NODE_A, DC);
    let on_the_lan = [
        ("192.168.100.102", RANCHER),
        ("192.168.100.10", NODE_A),
        ("fd00:100::14", NODE_B),
        ("192.168.100.20", NODE_B),
    ];
    [read("dc", dc, &on_the_lan), read("site-a", a, &[]), read("site-b", b, &[])]
}

fn sites(found: &BTreeMap<String, Vec<IpAddr>>) -> Vec<(&str, Vec<String>)> {
    found
        .iter()
        .map(|(site, hosts)| (site.as_str(), hosts.iter().map(ToString::to_string).collect()))
        .collect()
}

#[test]
fn each_host_is_at_the_site_whose_router_does_not_send_it_on() {
    let found = hosts_by_site(&routers(), "site-a", &[]);
    let expected =
        [("dc", vec!["192.168.100.102".to_owned()]), ("site-b", vec!["192.168.100.20".to_owned()])];
    assert_eq!(sites(&found), expected);
    assert!(far_ends(&routers()).is_empty());
    assert_eq!(
        sites(&hosts_by_site(&routers(), "elsewhere", &[])).len(),
        3,
        "our own site may have no router"
    );
}

#[test]
fn a_vtep_without_a_router_is_a_site_and_a_question() {
    let [dc, ..] = routers();
    let dc = [dc];
    let far: Vec<_> =
        far_ends(&dc).iter().map(|far| format!("{}/{} {}", far.router, far.interface, far.remote)).collect();
    assert_eq!(far, [format!("dc/vxlan01 {A}"), format!("dc/vxlan02 {B}")]);
    let found = hosts_by_site(&dc, "dc", &[]);
    let expected = [(A, vec!["192.168.100.10".to_owned()]), (B, vec!["192.168.100.20".to_owned()])];
    assert_eq!(sites(&found), expected);
    // The router there shows another address: it is behind a NAT.
    let [dc, mut a, _] = routers();
    a.survey.snapshot = TestRouter::new("site-a", "site-a", "10.99.0.1").now;
    a.addresses.push(ip(A));
    assert_eq!(far_ends(&[dc, a]).len(), 1);
}

#[test]
fn addresses_come_from_this_machine_too_and_are_of_no_router() {
    let mut all = routers();
    all[0].survey.neighbours.clear();
    assert!(hosts_by_site(&all, "site-a", &[]).values().all(Vec::is_empty));
    let own = neighbours_of(&[("192.168.100.102", RANCHER), (B, NODE_B)]);
    let found = hosts_by_site(&all, "site-a", &own);
    assert_eq!(sites(&found), [("dc", vec!["192.168.100.102".to_owned()]), ("site-b", vec![])]);
}

#[test]
fn what_a_hostile_router_tells_is_bounded() {
    let mut router = TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A);
    let mut neighbours = Vec::new();
    for number in 0..2000_u32 {
        let [.., high, low] = number.to_be_bytes();
        let mac = format!("4e:00:00:00:{high:02x}:{low:02x}");
        router = router.learned("vxlan01", &mac, &format!("10.77.{high}.{low}"));
        neighbours.push((format!("10.78.{high}.{low}"), mac));
    }
    let shown: Vec<_> = neighbours.iter().map(|(address, mac)| (address.as_str(), mac.as_str())).collect();
    let dc = [read("dc", router, &shown)];
    assert_eq!(far_ends(&dc).len(), MOST_FAR_ENDS);
    let found = hosts_by_site(&dc, "dc", &[]);
    assert_eq!(found.len(), MOST_FAR_ENDS);
    assert_eq!(few(&found, 32).len(), MOST_FAR_ENDS - 1, "the first VTEP has no host with an address");
}

#[test]
fn few_hosts_of_each_site_in_turn() {
    let hosts = |count: u8| (1..=count).map(|last| IpAddr::from([10, 0, 0, last])).collect::<Vec<_>>();
    let sites =
        BTreeMap::from([("a".to_owned(), hosts(100)), ("b".to_owned(), hosts(2)), ("c".to_owned(), vec![])]);
    let few = few(&sites, 8);
    let of = |site: &str| few.iter().filter(|(name, _)| name == site).count();
    assert_eq!((of("a"), of("b"), of("c")), (6, 2, 0));
}
