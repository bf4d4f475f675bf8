//! What VyOS's commands print and where they mislead: one test per fact, named after it.
//!
//! The facts were measured by running the op-mode scripts of VyOS 1.3, 1.4 and 1.5 over real vxlan
//! devices.

use serde_json::{Value, json};
use vxlan_exporter::{
    command::parse::{Format, read},
    router::parse::{op_mode_raw, show_text},
};

const ADDR: &str = "vxlan01: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9000 qdisc noqueue master br01 state UNKNOWN group default qlen 1000\n\
\x20   link/ether 4e:3c:34:45:dd:d8 brd ff:ff:ff:ff:ff:ff\n";
const TABLE: &str = "
    RX:  bytes  packets  errors  dropped  overrun       mcast
         23636       56       0        1        2           3
    TX:  bytes  packets  errors  dropped  carrier  collisions
         22108       33      34        0       34           0
";
const CLEAR: &str = "    Last clear: Mon Oct 21 10:11:12 UTC 2024\n";

fn show(text: &str) -> Value {
    read(Format::ShowText, text).unwrap()
}

/// The single interface of a text.
fn vxlan01(text: &str) -> Value {
    let seen = show(text);
    assert_eq!(seen["incomplete"], Value::Null, "{text}");
    assert_eq!(seen["interfaces"].as_object().unwrap().len(), 1, "{text}");
    seen["interfaces"]["vxlan01"].clone()
}

fn raw(last_clear: u64, rx_bytes: &str, tx_bytes: &str) -> String {
    format!(
        r#"{{"ifindex": 7, "ifname": "vxlan01", "flags": ["UP"], "mtu": 9000, "operstate": "UNKNOWN",
            "counters_last_clear": {last_clear}, "description": "",
            "stats": {{"rx_bytes": {rx_bytes}, "rx_packets": 61, "rx_errors": 0, "rx_dropped": 0, "rx_over_errors": 0,
                "multicast": 0, "tx_bytes": {tx_bytes}, "tx_packets": 38, "tx_errors": 34, "tx_dropped": 0,
                "tx_carrier_errors": 34, "collisions": 0}}}}"#
    )
}

#[test]
fn detail_text_is_ip_addr_show_then_last_clear_description_blank_and_a_table() {
    let seen = vxlan01(&format!("{ADDR}{CLEAR}    Description: to site A\n{TABLE}"));
    for (key, value) in [
        ("mtu", json!(9000)),
        ("master", json!("br01")),
        ("mac", json!("4e:3c:34:45:dd:d8")),
        ("last_clear", json!("Mon Oct 21 10:11:12 UTC 2024")),
        ("description", json!("to site A")),
        ("rx_multicast", json!(3)),
        ("tx_carrier_errors", json!(34)),
    ] {
        assert_eq!(seen[key], value, "{key}");
    }
}

#[test]
fn column_widths_change_with_the_largest_value_and_were_ten_before() {
    let wide = "
    RX:                bytes  packets  errors  dropped  overrun       mcast
         9223372036854775807       56       0        1        2           3
    TX:                bytes  packets  errors  dropped  carrier  collisions
                       22108       33      34        0       34           0
";
    assert_eq!(vxlan01(&format!("{ADDR}{wide}"))["rx_bytes"], 9_223_372_036_854_775_807_u64);
    let fixed = "
    RX:  bytes    packets     errors    dropped    overrun      mcast
     123456789012   70026582          0          1          2          3
    TX:  bytes    packets     errors    dropped    carrier collisions
         22108         33         34          0         34          0
";
    let seen = vxlan01(&format!("{ADDR}{fixed}"));
    assert_eq!((&seen["rx_bytes"], &seen["rx_over_errors"]), (&json!(123_456_789_012_u64), &json!(2)));
}

#[test]
fn flags_and_indentation_lost_in_html_leave_the_admin_state_unknown() {
    let html: String = format!("{ADDR}{TABLE}")
        .replace("<BROADCAST,MULTICAST,UP,LOWER_UP> ", "")
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
        .collect();
    let seen = vxlan01(&html);
    assert_eq!(seen.get("admin_up"), None);
    assert_eq!((&seen["oper_state"], &seen["tx_errors"]), (&json!("UNKNOWN"), &json!(34)));
}

#[test]
fn state_unknown_is_the_normal_up_state_and_down_is_admin_down() {
    let up = vxlan01(&format!("{ADDR}{TABLE}"));
    assert_eq!((&up["admin_up"], &up["oper_state"]), (&json!(true), &json!("UNKNOWN")));
    let down = ADDR.replace(",UP,LOWER_UP", "").replace("UNKNOWN", "DOWN");
    let down = vxlan01(&format!("{down}{TABLE}"));
    assert_eq!((&down["admin_up"], &down["oper_state"]), (&json!(false), &json!("DOWN")));
    let brief = "Interface        IP Address                        S/L  Description\n\
                 ---------        ----------                        ---  -----------\n\
                 vxlan01          -                                 u/u  \n\
                 vxlan02          -                                 A/D  \n";
    let seen = read(Format::ShowSummary, brief).unwrap();
    assert_eq!(seen["summary"]["vxlan01"]["oper_up"], true);
    assert_eq!(seen["summary"]["vxlan02"]["oper_up"], false);
}

#[test]
fn the_text_tells_no_vni_remote_port_and_the_summary_no_counters() {
    let seen = vxlan01(&format!("{ADDR}{TABLE}"));
    for key in ["vni", "remote", "port", "local", "df", "ttl", "learning", "external", "vnifilter"] {
        assert_eq!(seen.get(key), None, "{key}");
    }
    assert_eq!(show_text::links(&format!("{ADDR}{TABLE}")).unwrap().read[0].link.vxlan, None);
    let brief = "Interface  IP Address  S/L  Description\nvxlan01  -  u/u  \n";
    let seen = read(Format::ShowSummary, brief).unwrap();
    let keys: Vec<_> = seen["summary"]["vxlan01"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["addr", "admin_up", "description", "oper_up"]);
}

#[test]
fn counters_count_from_a_clear_and_are_no_kernel_counters_then() {
    let text = format!("{ADDR}{CLEAR}{TABLE}");
    assert_eq!(vxlan01(&text)["tx_packets"], 33);
    let read = show_text::links(&text).unwrap();
    assert!(read.read[0].since_clear() && !read.read[0].suspicious);
    assert_eq!(read.into_kernel()[0].counters.tx_packets, None);
    let read = show_text::links(&format!("{ADDR}{TABLE}")).unwrap();
    assert_eq!(read.into_kernel()[0].counters.tx_packets, Some(33));
    for (last_clear, packets) in [(0, Some(38)), (1_729_505_472, None)] {
        let read = op_mode_raw::links(&raw(last_clear, "684", "684")).unwrap();
        assert_eq!(read.read[0].link.counters.tx_packets, Some(38));
        assert_eq!(read.into_kernel()[0].counters.tx_packets, packets);
    }
}

#[test]
fn phantom_and_negative_values_are_not_believed() {
    let seen = read(Format::OpmodeRaw, &raw(1_729_505_472, "3079300578", "-4960384592")).unwrap();
    let seen = &seen["interfaces"]["vxlan01"];
    assert_eq!((seen.get("rx_bytes"), seen.get("tx_bytes")), (None, None));
    assert_eq!((&seen["suspicious"], &seen["rx_packets"]), (&json!(true), &json!(61)));
    // Nothing was subtracted from counters that were never cleared.
    let seen = read(Format::OpmodeRaw, &raw(0, "3079300578", "22848")).unwrap();
    let seen = &seen["interfaces"]["vxlan01"];
    assert_eq!((&seen["rx_bytes"], seen.get("suspicious")), (&json!(3_079_300_578_u64), None));
    let phantom = TABLE.replace("0       34           0", "0  4294967271  0");
    let seen = vxlan01(&format!("{ADDR}{CLEAR}{phantom}"));
    assert_eq!((seen.get("tx_carrier_errors"), &seen["suspicious"]), (None, &json!(true)));
    let negative = TABLE.replace("22108", "-2108");
    let seen = vxlan01(&format!("{ADDR}{negative}"));
    assert_eq!((seen.get("tx_bytes"), &seen["suspicious"]), (None, &json!(true)));
}

#[test]
fn a_missing_interface_prints_nothing_and_empty_is_never_zero() {
    for text in ["", "\n", "Welcome to VyOS\n", "vyos@dc:~$ show interfaces vxlan vxlan77\nvyos@dc:~$ "] {
        assert_eq!(show(text), json!({"interfaces": {}}), "{text}");
    }
    assert_eq!(read(Format::OpmodeRaw, "[]\n").unwrap(), json!({"interfaces": {}}));
    let error = read(Format::OpmodeRaw, "Interface vxlan77 does not exist\n").unwrap_err();
    assert!(error.contains("Interface vxlan77 does not exist"), "{error}");
    // JSON is never empty: empty output is a failure.
    assert!(read(Format::OpmodeRaw, "").is_err());
    let error = show_text::links("\n\n  Invalid command: show [interfacez]\n\n").unwrap_err();
    assert_eq!(error.line, 3);
    assert!(error.to_string().contains("saw `Invalid command: show [interfacez]`"), "{error}");
}

#[test]
fn raw_of_one_interface_is_a_list_on_1_4_and_an_object_on_1_5() {
    let one = raw(0, "1", "1");
    assert_eq!(
        read(Format::OpmodeRaw, &one).unwrap(),
        read(Format::OpmodeRaw, &format!("[{one}, {{}}]")).unwrap()
    );
    let down = r#"[{"unhandled": null, "ifname": "pppoe0", "state": "D"}]"#;
    assert_eq!(read(Format::OpmodeRaw, down).unwrap()["interfaces"]["pppoe0"], json!({"name": "pppoe0"}));
}

#[test]
fn bad_magic_can_precede_text_and_json() {
    assert_eq!(vxlan01(&format!("bad magic vxlan01\n{ADDR}{TABLE}")), vxlan01(&format!("{ADDR}{TABLE}")));
    let json = raw(0, "1", "1");
    assert_eq!(
        read(Format::OpmodeRaw, &format!("bad magic vxlan01\nbad magic vxlan02\n{json}")).unwrap(),
        read(Format::OpmodeRaw, &json).unwrap()
    );
}

#[test]
fn errors_name_what_was_wrong_with_the_command() {
    for (text, said) in [
        ("\n  Invalid command: show [interfacez]\n\n", "command: Invalid command: show [interfacez]"),
        ("\n  Incomplete command: show interfaces\n\n", "command: Incomplete command: show interfaces"),
        (
            "You do not have a permission to execute VyOS command [show version]\n",
            "permission: You do not have a permission to execute VyOS command [show version]",
        ),
    ] {
        assert_eq!(read(Format::ErrorText, text).unwrap_err(), said);
    }
}

#[test]
fn tx_errors_of_show_interfaces_counters_are_carrier_errors_so_that_table_is_not_read() {
    let counters = "Interface    Rx Packets    Rx Bytes    Tx Packets    Tx Bytes    Rx Dropped    Tx Dropped    Rx Errors    Tx Errors\n\
                    -----------  ------------  ----------  ------------  ----------  ------------  ------------  -----------  -----------\n\
                    vxlan01      53            22952       30            21424       0             0             0            34\n";
    for format in [Format::ShowSummary, Format::ShowText, Format::VlanVniStatsTable] {
        assert!(read(format, counters).is_err(), "{format:?}");
    }
}

#[test]
fn a_terminals_pager_adds_escapes_backspaces_and_crlf() {
    let plain = format!("{ADDR}{TABLE}");
    let mut wrapped = plain.clone();
    wrapped.insert_str(80, " \u{8}");
    let pty = format!("\u{1b}[?1h\u{1b}=\r{}", wrapped.replace('\n', "\r\n"))
        .replace("    TX:", ":\u{8} \u{8}    TX:")
        .replace("    RX:", "\u{1b}[7m:\u{1b}[27m\r\u{1b}[K    RX:");
    let pty = format!("{pty}\r\u{1b}[K\u{1b}[?1l\u{1b}>");
    assert_eq!(vxlan01(&pty), vxlan01(&plain));
}

#[test]
fn a_description_may_hold_anything_and_ip_prints_it_as_an_alias() {
    for description in [
        "RX: bytes packets errors dropped overrun mcast",
        "vxlan99: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP",
        "link/ether 00:00:00:00:00:01 \"quoted\" | Last clear: never | 東京↔大阪",
        "Description: alias TX:",
        "<UP> mtu 1500",
        "mtu 1500 qdisc noqueue state UP",
    ] {
        let seen = vxlan01(&format!("{ADDR}    Description: {description}\n{TABLE}"));
        assert_eq!((&seen["description"], &seen["rx_bytes"]), (&json!(description), &json!(23_636)));
        assert_eq!((seen.get("last_clear"), &seen["mac"]), (None, &json!("4e:3c:34:45:dd:d8")));
        let ip = read(Format::IpText, &format!("5: {ADDR}    alias {description}\n{TABLE}")).unwrap();
        assert_eq!(ip["interfaces"]["vxlan01"]["description"], description);
        let both =
            vxlan01(&format!("{ADDR}    alias {description}\n    Description: {description}\n{TABLE}"));
        assert_eq!(both["description"], description);
        let mut json: Value = serde_json::from_str(&raw(0, "1", "1")).unwrap();
        json["description"] = json!(description);
        let seen = read(Format::OpmodeRaw, &json.to_string()).unwrap();
        assert_eq!(seen["interfaces"]["vxlan01"]["description"], description);
    }
}

#[test]
fn column_five_is_missed_in_ip_text_and_overrun_in_vyos_text() {
    let seen = vxlan01(&format!("{ADDR}{TABLE}"));
    assert_eq!((&seen["rx_over_errors"], seen.get("rx_missed_errors")), (&json!(2), None));
    let table = TABLE.replace("overrun", " missed");
    let ip = read(Format::IpText, &format!("5: {ADDR}{table}")).unwrap();
    let seen = &ip["interfaces"]["vxlan01"];
    assert_eq!((seen.get("rx_over_errors"), &seen["rx_missed_errors"]), (None, &json!(2)));
}

#[test]
fn counters_are_u64() {
    let table = TABLE.replace("     23636", "18446744073709551615");
    assert_eq!(vxlan01(&format!("{ADDR}{table}"))["rx_bytes"], u64::MAX);
    let seen = read(Format::OpmodeRaw, &raw(0, "18446744073709551615", "9007199254740993")).unwrap();
    assert_eq!(seen["interfaces"]["vxlan01"]["rx_bytes"], u64::MAX);
    assert_eq!(seen["interfaces"]["vxlan01"]["tx_bytes"], 9_007_199_254_740_993_u64);
    let table = TABLE.replace("     23636", "18446744073709551616");
    assert_eq!(vxlan01(&format!("{ADDR}{table}"))["suspicious"], true);
}

#[test]
fn banners_prompts_and_errors_around_and_between_blocks_are_passed_over() {
    let banner = "RX: see wiki\nvxlan01: <see wiki> mtu\nvxlan01: mtu 1500 is too small!\n[lab] {x}: no entry\nMaster: <UP>\n";
    let second = format!("{ADDR}{TABLE}").replace("vxlan01", "vxlan02");
    let text = format!(
        "{banner}{ADDR}{TABLE}vyos@dc:~$ show interfaces vxlan vxlan02\n{second}vyos@dc:~$ exit\nlogout\n"
    );
    let seen = show(&text);
    assert_eq!(seen["interfaces"].as_object().unwrap().keys().collect::<Vec<_>>(), ["vxlan01", "vxlan02"]);
    assert_eq!(seen["incomplete"], Value::Null);
    assert_eq!(seen["interfaces"]["vxlan01"]["mtu"], 9000);
}

#[test]
fn names_of_fifteen_characters_and_odd_ones() {
    for (printed, name) in
        [("vxlan1234567890", "vxlan1234567890"), ("we[ir]d-ü", "we[ir]d-ü"), ("vxlan1@eth0", "vxlan1")]
    {
        let text = format!("{ADDR}    altname tokyo-uplink\n{TABLE}").replace("vxlan01", printed);
        assert_eq!(show(&text)["interfaces"][name]["rx_bytes"], 23_636, "{printed}");
    }
}

#[test]
fn a_block_cut_short_is_named_and_what_is_missing_is_absent() {
    let whole = format!("{ADDR}{TABLE}");
    let second = whole.replace("vxlan01", "vxlan02");
    for (text, name) in [
        (format!("{whole}{}", &second[..second.find("TX:").unwrap()]), "vxlan02"),
        (format!("{whole}{}", &second[..40]), "vxlan02"),
        (format!("{}{second}", &whole[..whole.find("TX:").unwrap()]), "vxlan01"),
        (format!("{}\n{second}", &whole[..whole.find(" 34").unwrap()]), "vxlan01"),
    ] {
        let seen = show(&text);
        assert_eq!(seen["incomplete"], json!([name]), "{text}");
        assert_eq!(seen["interfaces"][name].get("tx_bytes"), None, "{text}");
    }
    let missing_column = TABLE.replace("  collisions", "");
    let seen = show(&format!("{ADDR}{missing_column}"));
    assert_eq!(
        (seen["incomplete"].clone(), seen["interfaces"]["vxlan01"].get("tx_bytes")),
        (json!(["vxlan01"]), None)
    );
}
