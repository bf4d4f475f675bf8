//! Two VTEPs with FRR between them, on the real kernel: what EVPN configures, and what is reported
//! when a route is withdrawn.
//!
//! Needs root, iproute2 and Debian's `frr`, of which only zebra and bgpd run, each in its
//! namespace.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use vxlan_exporter::{
    model::{
        picture::Overlay,
        plan::Plan,
        shard::Shard,
        snapshot::{RouterReading, RouterSnapshot, ScrapeError},
        types::{Mac, MismatchField, Site},
    },
    overlay::tunnel::Assessor,
    router::{method::ip_json::Reader, shell::Shell},
};

/// A generous bound for a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

fn run(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().expect(program);
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A router: a namespace with an underlay port, a bridge of a LAN port and a vxlan device, zebra
/// and bgpd.
struct Vtep {
    namespace: String,
    number: u8,
    directory: PathBuf,
    reader: Reader,
}

impl Vtep {
    fn new(number: u8) -> Self {
        let namespace = format!("evpn-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(&namespace);
        fs::create_dir_all(&directory).expect("a directory");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("its mode");
        run("ip", &["netns", "add", &namespace]);
        Self { namespace, number, directory, reader: Reader::default() }
    }

    fn ip(&self, arguments: &str) {
        let all = ["-n", &self.namespace].into_iter().chain(arguments.split(' ')).collect::<Vec<_>>();
        run("ip", &all);
    }

    fn set_up(&self) {
        let own = self.number;
        for arguments in [
            "link set lo up".to_owned(),
            format!("addr add 10.0.0.{own}/24 dev eth0"),
            "link set eth0 up".to_owned(),
            "link add br10 type bridge".to_owned(),
            format!("link add vxlan10 type vxlan id 10 local 10.0.0.{own} dstport 4789 nolearning"),
            "link add eth1 type veth peer name host".to_owned(),
            "link set vxlan10 master br10".to_owned(),
            "link set eth1 master br10".to_owned(),
            "link set host up".to_owned(),
            "link set eth1 up".to_owned(),
            "link set vxlan10 up".to_owned(),
            "link set br10 up".to_owned(),
        ] {
            self.ip(&arguments);
        }
    }

    /// Starts the daemons, which drop root themselves.
    fn start(&self) {
        let peer = 3 - self.number;
        let bgp = format!(
            "route-map no-flood deny 10\n match evpn route-type multicast\nroute-map no-flood permit 20\n\
             router bgp 65000\n bgp router-id 10.0.0.{}\n no bgp default ipv4-unicast\n \
             neighbor 10.0.0.{peer} remote-as 65000\n neighbor 10.0.0.{peer} timers connect 1\n \
             address-family l2vpn evpn\n  neighbor 10.0.0.{peer} activate\n  advertise-all-vni\n",
            self.number
        );
        run("chown", &["frr:frr", &self.path("")]);
        for (daemon, configuration) in [("zebra", ""), ("bgpd", bgp.as_str())] {
            let file = self.path(&format!("{daemon}.conf"));
            fs::write(&file, configuration).expect("a file");
            let program = format!("/usr/lib/frr/{daemon}");
            let mut arguments =
                vec!["netns", "exec", &self.namespace, &program, "-d", "-u", "frr", "-g", "frr", "-f", &file];
            let (socket, zserv, pid) =
                (self.path(""), self.path("zserv.api"), self.path(&format!("{daemon}.pid")));
            arguments.extend(["--vty_socket", &socket, "-z", &zserv, "-i", &pid]);
            // A daemon keeps inherited pipes open, so their end would never be seen.
            let started =
                Command::new("ip").args(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(started.expect("ip").success(), "{daemon} did not start: apt-get install frr");
        }
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_string_lossy().trim_end_matches('/').to_owned()
    }

    /// Advertises type-3 routes to the other VTEP, or withdraws them; all other routes stay.
    fn advertise_flooding(&self, yes: bool) {
        let no = if yes { "no " } else { "" };
        let socket = self.path("");
        let map = format!("{no}neighbor 10.0.0.{} route-map no-flood out", 3 - self.number);
        let mut arguments = vec!["netns", "exec", &self.namespace, "vtysh", "--vty_socket", &socket];
        for line in ["configure terminal", "router bgp 65000", "address-family l2vpn evpn", &map] {
            arguments.extend(["-c", line]);
        }
        run("ip", &arguments);
    }

    fn read(&mut self) -> RouterSnapshot {
        let mut shell = InNamespace(self.namespace.clone());
        self.reader.scrape(&mut shell, Instant::now() + PATIENCE).expect("the router is read")
    }
}

impl Drop for Vtep {
    fn drop(&mut self) {
        for daemon in ["bgpd", "zebra"] {
            if let Ok(pid) = fs::read_to_string(self.path(&format!("{daemon}.pid"))) {
                let _ = Command::new("kill").args(["-9", pid.trim()]).status();
            }
        }
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).status();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Runs the script in a namespace of this machine.
struct InNamespace(String);

impl Shell for InNamespace {
    fn exec(&mut self, script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
        Ok(run("ip", &["netns", "exec", &self.0, "sh", "-c", script]))
    }
}

/// Reads both routers until `enough` is true of them.
fn read_until(
    vteps: &mut [Vtep; 2],
    what: &str,
    enough: impl Fn(&[RouterSnapshot; 2]) -> bool,
) -> [RouterSnapshot; 2] {
    let end = Instant::now() + PATIENCE;
    loop {
        let [one, two] = vteps;
        let read = [one.read(), two.read()];
        if enough(&read) {
            return read;
        }
        assert!(Instant::now() < end, "never seen: {what}; {:?}", read.map(|it| it.fdb));
        thread::sleep(Duration::from_millis(200));
    }
}

/// Whether there is any remote on the flood list.
fn floods(of: &RouterSnapshot) -> bool {
    of.fdb.iter().any(|entry| entry.mac == Mac::FLOOD && entry.dst.is_some())
}

/// Whether a MAC has arrived by a type-2 route.
fn knows_macs(of: &RouterSnapshot) -> bool {
    of.fdb.iter().any(|entry| entry.extern_learn && entry.mac != Mac::FLOOD && entry.dst.is_some())
}

fn plan() -> Plan {
    Plan {
        site: Some(Site::from("one")),
        shard: Shard::default(),
        routers: Vec::new(),
        router_workers: 1,
        paths: Vec::new(),
        sites_probed_elsewhere: BTreeSet::new(),
        web_sources: Vec::new(),
        on_demand: vxlan_exporter::model::on_demand::OnDemandPlan::default(),
        shown: "".into(),
        probe_now: vxlan_exporter::model::plan::ProbeNow::default(),
        tunnels: Vec::new(),
        probe_budget_pps: 1,
        reflector: None,
    }
}

/// The picture of an exporter without any memory.
fn assess(read: [RouterSnapshot; 2]) -> Overlay {
    let readings = ["one", "two"].into_iter().zip(read).map(|(name, snapshot)| {
        let mut reading = RouterReading::new(name.into(), name.into(), Vec::new());
        (reading.scrapes, reading.current) = (1, Some(Arc::new(snapshot)));
        Arc::new(reading)
    });
    Assessor::new(&plan()).assess(&readings.collect::<Vec<_>>(), &[])
}

/// The sentence on flood entries, if there is one; it never comes with a command.
fn said(overlay: &Overlay) -> Option<String> {
    let names: Vec<_> = overlay.tunnels.iter().map(|tunnel| tunnel.name.as_str()).collect();
    assert_eq!(names, ["one/vxlan10~two/vxlan10"], "{overlay:?}");
    assert!(overlay.tunnels[0].fix.is_empty(), "{:?}", overlay.tunnels[0].fix);
    overlay.tunnels[0].mismatches.get(&MismatchField::Remote).map(ToString::to_string)
}

#[test]
fn a_type_3_route_is_withdrawn_at_one_end_and_at_both() {
    let mut vteps = [Vtep::new(1), Vtep::new(2)];
    let [one, two] = &vteps;
    one.ip(&format!("link add eth0 mtu 1600 type veth peer name eth0 mtu 1600 netns {}", two.namespace));
    for vtep in &vteps {
        vtep.set_up();
        vtep.start();
    }
    let read = read_until(&mut vteps, "type-2 and type-3 routes", |read| {
        read.iter().all(|it| floods(it) && knows_macs(it))
    });
    assert_eq!(said(&assess(read)), None);

    vteps[1].advertise_flooding(false);
    let read = read_until(&mut vteps, "one without flood entry", |[one, two]| !floods(one) && floods(two));
    assert!(knows_macs(&read[0]), "type-2 routes stay: {:?}", read[0].fdb);
    let overlay = assess(read);
    assert_eq!(
        said(&overlay).as_deref(),
        Some(
            "one/vxlan10 has no flood entry for 10.0.0.2 (two), which sends to it (it floods to none): \
             EVPN fills it, so check its type-3 routes (`show bgp l2vpn evpn route type 3`) for one from \
             that VTEP, and whether two has sent it"
        )
    );
    assert_eq!(overlay.tunnels[0].up, Some(false));

    vteps[0].advertise_flooding(false);
    let read = read_until(&mut vteps, "both without flood entry", |read| !read.iter().any(floods));
    assert_eq!(
        said(&assess(read)).as_deref(),
        Some(
            "neither end floods to the other (vni 10): one/vxlan10 floods to none, two/vxlan10 floods to \
             none; EVPN fills both, so check the type-3 routes (`show bgp l2vpn evpn route type 3`) on one \
             and two"
        )
    );

    for vtep in &vteps {
        vtep.advertise_flooding(true);
    }
    let read = read_until(&mut vteps, "flood entries again", |read| read.iter().all(floods));
    assert_eq!(said(&assess(read)), None);
}
