//! Every pair of problems at once on one tunnel and the path over it: only the first may alert.

use std::fmt::Write as _;

/// The name of the test file generated here.
pub const FILE: &str = "precedence.yml";

/// A problem that follows from earlier ones, or explains later ones.
pub struct Trouble {
    pub alert: &'static str,
    /// Rank; problems of equal rank are independent of each other.
    pub rank: u8,
    /// Metric with labels, and values every 30 s.
    series: &'static [(&'static str, &'static str)],
}

const TUNNEL: &str = r#"tunnel="dc/vxlan01~site-a/vxlan01""#;
const PATH: &str = r#"source="site-a",path="rancher""#;

/// In the order of docs/alerts.md.
pub const TROUBLES: &[Trouble] = &[
    Trouble {
        alert: "VxlanVniMismatch",
        rank: 1,
        series: &[(r#"vxlan_tunnel_mismatch{TUNNEL,field="vni"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanPortMismatch",
        rank: 1,
        series: &[(r#"vxlan_tunnel_mismatch{TUNNEL,field="port"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanRemoteMismatch",
        rank: 1,
        series: &[(r#"vxlan_tunnel_mismatch{TUNNEL,field="remote"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanUnderlayUnreachable",
        rank: 2,
        series: &[
            ("vxlan_tunnel_up{TUNNEL}", "0x9"),
            (r#"vxlan_interface_transmit_carrier_errors_total{router="dc",interface="vxlan01"}"#, "0+9x9"),
        ],
    },
    Trouble {
        alert: "VxlanUdpPortUnheard",
        rank: 2,
        series: &[(
            r#"vxlan_tunnel_unheard_packets_per_second{TUNNEL,from="dc/vxlan01",to="site-a/vxlan01"}"#,
            "5x9",
        )],
    },
    Trouble { alert: "VxlanTunnelDown", rank: 3, series: &[("vxlan_tunnel_up{TUNNEL}", "0x9")] },
    Trouble {
        alert: "VxlanPathUnreachable",
        rank: 4,
        series: &[(r#"vxlan_path_verdict{PATH,verdict="unreachable"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanMtuBlackHole",
        rank: 5,
        series: &[(r#"vxlan_path_blackhole{PATH,direction="forward"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanPathTcpDead",
        rank: 5,
        series: &[(r#"vxlan_path_blackhole_reason{PATH,reason="tcp_dead"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanMtuBelowBridgePort",
        rank: 6,
        series: &[(
            r#"vxlan_bridge_port_mtu_bytes{router="dc",bridge="br01",interface="vxlan01"}"#,
            "1450x9",
        )],
    },
    Trouble {
        alert: "VxlanMtuMismatch",
        rank: 7,
        series: &[(r#"vxlan_tunnel_mismatch{TUNNEL,field="mtu"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanDfMismatch",
        rank: 7,
        series: &[(r#"vxlan_tunnel_mismatch{TUNNEL,field="df"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanBridgeMtuClamp",
        rank: 7,
        series: &[(r#"vxlan_bridge_mtu_bytes{router="dc",bridge="br01"}"#, "1400x9")],
    },
    Trouble {
        alert: "VxlanTunnelLoss",
        rank: 8,
        series: &[(r#"vxlan_tunnel_loss_ratio{TUNNEL,from="dc/vxlan01",to="site-a/vxlan01"}"#, "0.1x9")],
    },
    Trouble {
        alert: "VxlanReassemblyFailing",
        rank: 8,
        series: &[(
            r#"vxlan_tunnel_reassembly_failure_ratio{TUNNEL,from="dc/vxlan01",to="site-a/vxlan01"}"#,
            "0.1x9",
        )],
    },
    Trouble {
        alert: "VxlanOuterFragmentation",
        rank: 9,
        series: &[(
            r#"vxlan_tunnel_outer_fragments_per_second{TUNNEL,from="dc/vxlan01",to="site-a/vxlan01"}"#,
            "10x9",
        )],
    },
    Trouble {
        alert: "VxlanPathLossy",
        rank: 9,
        series: &[(r#"vxlan_path_verdict{PATH,verdict="lossy"}"#, "1x9")],
    },
    Trouble {
        alert: "VxlanPathMtuReduced",
        rank: 10,
        series: &[(r#"vxlan_path_verdict{PATH,verdict="reduced"}"#, "1x9")],
    },
];

/// Series that always exist; a problem's own series replace these.
const HEALTHY: &[(&str, &str)] = &[
    (r#"vxlan_tunnel_info{TUNNEL,state="paired"}"#, "1x9"),
    ("vxlan_tunnel_up{TUNNEL}", "1x9"),
    (r#"vxlan_interface_info{router="dc",interface="vxlan01"}"#, "1x9"),
    (r#"vxlan_interface_transmit_carrier_errors_total{router="dc",interface="vxlan01"}"#, "7x9"),
    (r#"vxlan_bridge_mtu_bytes{router="dc",bridge="br01"}"#, "1500x9"),
    (r#"vxlan_bridge_port_mtu_bytes{router="dc",bridge="br01",interface="vxlan01"}"#, "1500x9"),
    (r#"vxlan_bridge_port_mtu_bytes{router="dc",bridge="br01",interface="eth1"}"#, "1500x9"),
    ("vxlan_path_info{PATH}", "1x9"),
    (r#"vxlan_path_hop_info{PATH,TUNNEL,router="dc",interface="vxlan01"}"#, "1x9"),
    ("vxlan_path_expected_mtu_bytes{PATH}", "1500x9"),
];

/// All pairs of different rank, and each problem alone, each in a namespace of its own. A pending
/// alert would fire in time, so it is enough to check what is pending after two minutes.
pub fn test_file() -> String {
    let mut series = String::from("      - {series: 'up{job=\"vxlan-exporter\"}', values: '1x9'}\n");
    let mut expected = String::new();
    for (first, one) in TROUBLES.iter().enumerate() {
        for (second, other) in TROUBLES.iter().enumerate().skip(first) {
            if first != second && one.rank == other.rank {
                continue;
            }
            let namespace = format!("{}-{}", one.alert, other.alert);
            let mut seen = Vec::new();
            for (name, values) in [one.series, other.series, HEALTHY].concat() {
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
                let name = name.replace("TUNNEL", TUNNEL).replace("PATH", PATH);
                let name = name.replace('{', &format!("{{namespace=\"{namespace}\","));
                let _ = writeln!(series, "      - {{series: '{name}', values: '{values}'}}");
            }
            let _ = writeln!(
                expected,
                "          - {{labels: '{{namespace=\"{namespace}\",alertname=\"{}\"}}', value: 1}}",
                one.alert
            );
        }
    }
    format!(
        "rule_files: [../recording.yml, ../routers.yml, ../tunnels.yml, ../paths.yml, ../exporter.yml]\n\
         group_eval_order: [vxlan-recording, vxlan-routers, vxlan-tunnels, vxlan-paths, vxlan-exporter]\n\
         evaluation_interval: 30s\n\
         tests:\n  - interval: 30s\n    input_series:\n{series}    promql_expr_test:\n      \
         - expr: count by (namespace, alertname) (ALERTS)\n        eval_time: 2m\n        exp_samples:\n{expected}"
    )
}
