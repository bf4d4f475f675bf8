//! Three routers, read by every method as in a scrape, and joined.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    model::{
        snapshot::{RouterReading, RouterSnapshot, ScrapeError, ip_stack::IpStack},
        state::{ConfigState, Present},
        types::{Direction, FailureReason, Method},
    },
    overlay::{
        fixture::{A, B, DC, hole, path, plan},
        tunnel::Assessor,
    },
    router::{
        method::{
            api::join_links::{Answered, links},
            ip_json, op_mode_json, op_mode_text,
        },
        parse,
        script::{Failed, misread},
        shell::Shell,
    },
};

/// The output of one router for every method.
#[derive(Debug, Clone)]
pub struct RouterOutput {
    pub link: String,
    fdb: String,
    vni: String,
    route: String,
    raw: String,
    text: String,
    summary: String,
    api_show: String,
    api_config: String,
    api_bridges: String,
    version: String,
    boot: String,
}

impl RouterOutput {
    pub const COUNT: usize = 12;

    pub fn sections(&mut self) -> [&mut String; Self::COUNT] {
        [
            &mut self.link,
            &mut self.fdb,
            &mut self.vni,
            &mut self.route,
            &mut self.raw,
            &mut self.text,
            &mut self.summary,
            &mut self.api_show,
            &mut self.api_config,
            &mut self.api_bridges,
            &mut self.version,
            &mut self.boot,
        ]
    }
}

/// Tunnels with every possible fault, so that every command is shown.
pub fn said() -> [RouterOutput; 3] {
    [
        of(DC, &[("vxlan01", 1, A, "set"), ("vxlan02", 2, "10.99.0.1", "unset")], 8472, true),
        of(A, &[("vxlan01", 3, DC, "inherit")], 4789, false),
        of(B, &[("vxlan02", 2, DC, "set")], 8472, true),
    ]
}

fn of(address: &str, devices: &[(&str, u32, &str, &str)], port: u16, up: bool) -> RouterOutput {
    let flags = if up { json!(["UP"]) } else { json!([]) };
    let mut shown = vec![
        json!({"ifname": "eth0", "ifindex": 1, "mtu": 1500, "flags": ["UP"], "operstate": "UP", "link_type": "ether",
               "address": "52:54:00:00:00:01", "addr_info": [{"local": address}], "ifalias": "to the provider"}),
        json!({"ifname": "br01", "mtu": 1500, "flags": ["UP"], "linkinfo": {"info_kind": "bridge"}}),
        json!({"ifname": "eth1", "mtu": 1500, "flags": ["UP"], "master": "br01", "ifalias": "hosts"}),
    ];
    let (mut fdb, mut text, mut config) = (Vec::new(), String::new(), serde_json::Map::new());
    for (name, vni, remote, df) in devices {
        shown.push(json!({"ifname": name, "ifindex": 9, "mtu": 1400, "flags": flags, "master": "br01",
            "operstate": "UNKNOWN", "link_type": "ether", "address": "4e:3c:34:45:dd:d8", "ifalias": "tunnel",
            "linkinfo": {"info_kind": "vxlan", "info_data": {"id": vni, "remote": remote, "port": port, "df": df,
                "link": "eth0", "ttl": "inherit"}}}));
        fdb.push(json!({"mac": "00:00:00:00:00:00", "ifname": name, "dst": remote, "state": "permanent"}));
        fdb.push(json!({"mac": "52:54:00:aa:00:01", "ifname": name, "dst": remote, "state": ""}));
        let _ = write!(
            text,
            "{name}: <BROADCAST,UP> mtu 1400 qdisc noqueue master br01 state UNKNOWN\n    \
             link/ether 4e:3c:34:45:dd:d8\n    Description: tunnel\n\n    \
             RX:  bytes  packets  errors  dropped  overrun  mcast\n             1        1       0        0        0      0\n    \
             TX:  bytes  packets  errors  dropped  carrier  collisions\n             1        1       0        0        0           0\n"
        );
        let port = port.to_string();
        let settings = json!({"vni": vni.to_string(), "remote": remote, "port": port, "mtu": "1400",
            "description": "tunnel", "source-interface": "eth0", "parameters": {"ip": {"df": df}}});
        config.insert((*name).to_owned(), settings);
    }
    let raw: Vec<_> = shown.iter().cloned().map(as_raw).collect();
    let reply = |data: Value| json!({"success": true, "data": data, "error": null}).to_string();
    RouterOutput {
        link: Value::from(shown).to_string(),
        fdb: Value::from(fdb).to_string(),
        vni: json!([{"ifname": devices[0].0, "vnis": [{"vni": devices[0].1}]}]).to_string(),
        route: json!([{"dst": devices[0].2, "dev": "eth0", "prefsrc": address}]).to_string(),
        raw: Value::from(raw).to_string(),
        summary: format!(
            "Interface  IP Address  S/L  Description\n---------  ----------  ---  -----------\n\
             br01       -           u/u\neth0       {address}/24  u/u  to the provider\neth1       -           u/u  hosts\n"
        ),
        api_show: reply(Value::from(text.clone())),
        text,
        api_config: reply(Value::from(config)),
        api_bridges: json!({"br01": {"member": {"interface": {"eth1": {}, (devices[0].0): {}}}}}).to_string(),
        version: "Version: VyOS 1.4.0\n".to_owned(),
        boot: "0f3c2c1e-7a52-4a8e-9d0f-1f8e6f7a2b3c\n".to_owned(),
    }
}

/// The link in op-mode's output, which lacks the vxlan settings.
fn as_raw(mut link: Value) -> Value {
    if let Some(link) = link.as_object_mut() {
        link.remove("linkinfo");
        link.insert("description".to_owned(), json!("tunnel"));
        link.insert("stats".to_owned(), json!({"rx_bytes": 1, "tx_bytes": 1}));
    }
    link
}

impl Shell for RouterOutput {
    fn exec(&mut self, script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
        let marker = script.lines().next().and_then(|line| line.strip_prefix("M=")).expect("a marker");
        let mut output = format!("Welcome\n{}\n", self.boot);
        let routes =
            script.lines().filter_map(|line| line.strip_prefix("for r in ")?.split_once("; do s \"route $r"));
        let routes = routes.flat_map(|(remotes, rest)| {
            let conditions = rest.split('"').next().unwrap_or_default();
            remotes.split(' ').map(move |remote| format!("route {remote}{conditions}"))
        });
        let asked = script.lines().filter_map(|line| line.strip_prefix("s ")?.split(' ').next());
        for name in asked.map(str::to_owned).chain(routes) {
            let text = match name.as_str() {
                "link" => &self.link,
                "fdb" => &self.fdb,
                "vni" => &self.vni,
                "raw" => &self.raw,
                "interfaces" => &self.text,
                "vyos" => &self.version,
                "boot" => &self.boot,
                "uptime-before" | "uptime-after" => "12.0 1",
                route if route.starts_with("route ") => &self.route,
                _ => "",
            };
            let _ = write!(output, "{marker} begin {name}\n{text}\n{marker} rc=0\n");
        }
        Ok(output + marker + " end\n")
    }
}

fn scrape(mut said: RouterOutput, method: Method) -> Result<RouterSnapshot, ScrapeError> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let read = match method {
        Method::Ip => ip_json::Reader::default().scrape(&mut said, deadline),
        Method::Raw => op_mode_json::scrape(&mut said, deadline),
        Method::Text => op_mode_text::scrape(&mut said, deadline),
        Method::Api => return by_api(&said),
    };
    read.map_err(|(Failed::Method(error) | Failed::Way(error))| error)
}

/// The snapshot that is made from the API's answers, without the requests.
fn by_api(said: &RouterOutput) -> Result<RouterSnapshot, ScrapeError> {
    let told = Answered {
        vxlans: parse::api_show::links(&said.api_show).and_then(op_mode_text::whole)?,
        configured: parse::api_config::interfaces(&said.api_config)?,
        all: parse::show_summary::interfaces(&said.summary).map_err(|error| misread(&error))?.interfaces,
        bridges: serde_json::from_str(&said.api_bridges).unwrap_or_default(),
    };
    Ok(RouterSnapshot {
        method: Method::Api,
        links: links(told),
        fdb: crate::model::snapshot::fdb::Fdb::default(),
        tells_fdb: false,
        routes: std::collections::BTreeMap::new(),
        version: parse::system::version(&said.version, &said.version, &said.version),
        boot_id: None,
        uptime: None,
        stack: IpStack::default(),
        index: crate::model::snapshot::index::Index::default(),
    })
}

/// The joined state, with a path in a black hole over the first tunnel.
pub fn present(said: &[RouterOutput; 3], method: Method) -> Present {
    let mut routers = Vec::new();
    for (name, said) in ["dc", "site-a", "site-b"].into_iter().zip(said) {
        let mut reading = RouterReading::new(name.into(), name.into(), Vec::new());
        reading.scrapes = 2;
        match scrape(said.clone(), method) {
            Ok(snapshot) => {
                reading.previous = Some(Arc::new(snapshot.clone()));
                reading.current = Some(Arc::new(snapshot));
            }
            Err(error) => {
                reading.failures = [(error.reason, 1)].into();
                reading.failure = Some(error);
            }
        }
        routers.push(Arc::new(reading));
    }
    let holes = [Direction::Forward, Direction::Reverse];
    let paths = vec![path("rancher", "dc", hole(&holes, 1400)), path("node-b", "site-b", hole(&holes, 1400))];
    let overlay = Arc::new(Assessor::new(&plan(&[])).assess(&routers, &paths));
    let reload_error = Some(ScrapeError::new(FailureReason::Config, said[0].version.as_str()).to_string());
    let config = ConfigState { loaded_at: None, reload_error };
    Present { config, routers, paths, overlay, ..Present::default() }
}
