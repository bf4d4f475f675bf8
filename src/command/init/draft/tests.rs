use super::*;
use crate::{
    config,
    overlay::fixture::{A, B, DC, TestRouter, ip},
    router::survey::Survey,
};

fn named(text: &str, router: TestRouter) -> (NamedRouter, ReadRouter) {
    let named: NamedRouter = text.parse().expect(text);
    let survey = Survey { snapshot: router.now, neighbours: Vec::new() };
    let read = ReadRouter { name: named.name.clone(), addresses: Vec::new(), survey };
    (named, read)
}

fn candidate(
    site: &str,
    address: &str,
    echoes: u64,
    open: &[u16],
    closed: &[u16],
    name: Option<&str>,
) -> Candidate {
    let name = name.map(str::to_owned);
    let answers = KnockAnswers { echoes, open: open.to_vec(), closed: closed.to_vec(), name };
    Candidate { site: site.to_owned(), address: ip(address), answers }
}

fn article() -> ([(NamedRouter, ReadRouter); 2], Vec<Candidate>) {
    let dc = TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A).vxlan("vxlan02", 2, B);
    let a = TestRouter::new("site-a", "site-a", A).vxlan("vxlan01", 1, DC);
    let mut routers = [named("dc=monitor@10.10.0.254", dc), named("site-a=monitor@[fd00::1]:2222", a)];
    routers[1].1.addresses.push(ip("203.0.113.7"));
    let candidates = vec![
        candidate("dc", "192.168.100.103", 3, &[22], &[443], None),
        candidate("dc", "192.168.100.102", 3, &[22, 443], &[80], Some("rancher.example.org")),
        candidate("dc", "192.168.100.104", 0, &[], &[], None),
        candidate(B, "192.168.100.20", 2, &[], &[6443], None),
    ];
    (routers, candidates)
}

fn draft(routers: &[(NamedRouter, ReadRouter)], candidates: Vec<Candidate>) -> Draft<'_> {
    Draft {
        site: "site-a",
        routers,
        known_hosts: "known_hosts".to_owned(),
        key: Some("id_ed25519".to_owned()),
        sites: vec![B.to_owned(), "dc".to_owned(), "nobody".to_owned()],
        candidates,
        far_ends: vec![FarEnd { router: "dc".to_owned(), interface: "vxlan02".into(), remote: ip(B) }],
    }
}

#[test]
fn the_article() {
    let (routers, candidates) = article();
    let text = text(&draft(&routers, candidates));
    insta::assert_snapshot!("article", text);
    let plan = config::parse(&text, Path::new("config.yml")).expect("a configuration").plan();
    assert_eq!((plan.routers.len(), plan.paths.len()), (2, 2));
    assert_eq!(plan.routers[1].addresses, [ip("203.0.113.7")]);
    let rancher = plan.paths.iter().find(|path| path.name.as_str() == "rancher").expect("by its name");
    assert_eq!((rancher.address.as_str(), rancher.tcp_port), ("192.168.100.102", Some(443)));
}

#[test]
fn an_agent_and_nobody_to_probe() {
    let (routers, _) = article();
    let mut draft = draft(&routers, Vec::new());
    draft.key = None;
    let text = text(&draft);
    assert!(text.contains("\npaths: []\n") && text.contains("agent: true"), "{text}");
    config::parse(&text, Path::new("config.yml")).expect("a configuration");
}

#[test]
fn the_best_host_of_a_site_first() {
    let all = [
        candidate("dc", "10.0.0.1", 0, &[], &[], None),
        candidate("dc", "10.0.0.2", 0, &[443], &[], None),
        candidate("dc", "10.0.0.3", 3, &[], &[443], None),
        candidate("dc", "10.0.0.4", 3, &[22], &[], None),
        candidate("dc", "10.0.0.5", 1, &[6443, 22], &[], None),
        candidate("b", "10.0.0.6", 3, &[443], &[], None),
    ];
    let order: Vec<_> = ranked(&all, "dc").iter().map(|it| it.address.to_string()).collect();
    assert_eq!(order, ["10.0.0.5", "10.0.0.4", "10.0.0.3", "10.0.0.2", "10.0.0.1"]);
    assert_eq!((all[4].port(), all[2].port(), all[0].port()), (Some(6443), Some(443), None));
}

#[test]
fn two_hosts_of_one_name_and_values_that_yaml_would_take_for_others() {
    let names = ["rancher".to_owned()];
    let twice = candidate("dc", "10.0.0.1", 3, &[], &[], Some("rancher.example.org"));
    assert_eq!(path_name(&twice, &names), "dc-10.0.0.1");
    for plain in ["dc", "site-a", "10.10.0.254", "/etc/vxlan_exporter/id_ed25519"] {
        assert_eq!(yaml(plain), plain);
    }
    for odd in
        ["true", "No", "fd00::1", "a b", "-x", "1e3", "a#b", "a: b", "\u{65e5}\u{672c}", "\"", "#", "{a"]
    {
        let read: std::collections::BTreeMap<String, String> =
            serde_yaml::from_str(&format!("key: {}  # comment\n", yaml(odd))).expect(odd);
        assert_eq!(read["key"], odd, "{}", yaml(odd));
    }
}

#[test]
fn a_file_beside_the_configuration_is_named_briefly() {
    let directory = tempfile::tempdir().expect("a directory");
    let key = directory.path().join("id_ed25519");
    assert_eq!(beside(directory.path(), &key), "id_ed25519");
    assert_eq!(beside(Path::new("/"), &key), key.display().to_string());
    assert_eq!(beside(Path::new(""), Path::new("Cargo.toml")), "Cargo.toml");
}
