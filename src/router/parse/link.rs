//! `ip -j -s -s -d addr show` (or the `link show` of it, without addresses): links, counters, vxlan settings.
//!
//! The names of the JSON fields are iproute2's (`ip/ipaddress.c`, `ip/iplink_vxlan.c`; 4.13 and later). A vxlan
//! device's remote stands under `remote`, `remote6`, `group` or `group6`, never under two of them.

use super::{Object, ParseError, address, each, field, text};
use crate::{
    router::snapshot::{Counters, Link, Vxlan},
    types::{InterfaceName, Vni},
};

const COMMAND: &str = "ip -j -s -s -d addr show";

/// All links, in the router's order.
pub fn links(output: &str) -> Result<Vec<Link>, ParseError> {
    each(COMMAND, output, |object| {
        let Some(link) = base(object)? else { return Ok(None) };
        Ok(Some(Link { counters: counters(object)?, ..link }))
    })
}

/// Everything but the counters; `None` for an element without a name.
pub(super) fn base(object: &Object) -> Result<Option<Link>, String> {
    let Some(name) = text(object, "ifname")? else { return Ok(None) };
    let info: Option<&Object> = object.get("linkinfo").and_then(|info| info.as_object());
    let kind = info.map_or(Ok(None), |info| text(info, "info_kind"))?;
    let vxlan = match (kind.as_deref(), info.and_then(|info| info.get("info_data")?.as_object())) {
        (Some("vxlan"), Some(data)) => Some(vxlan(data)?),
        (Some("vxlan"), None) => Some(Vxlan::default()),
        _ => None,
    };
    let ethernet = field::<&str>(object, "link_type")? == Some("ether");
    Ok(Some(Link {
        name: InterfaceName(name),
        ifindex: field(object, "ifindex")?,
        mtu: field(object, "mtu")?,
        admin_up: field::<Vec<String>>(object, "flags")?.map(|flags| flags.iter().any(|flag| flag == "UP")),
        oper_state: text(object, "operstate")?,
        mac: text(object, "address")?.filter(|_| ethernet).map(|mac| mac.to_ascii_lowercase()),
        master: text(object, "master")?,
        description: text(object, "ifalias")?,
        addresses: addresses(object)?,
        kind,
        vxlan,
        counters: Counters::default(),
    }))
}

fn addresses(object: &Object) -> Result<Vec<std::net::IpAddr>, String> {
    let mut addresses = Vec::new();
    for info in field::<Vec<Object>>(object, "addr_info")?.unwrap_or_default() {
        addresses.extend(address(&info, "local")?);
    }
    Ok(addresses)
}

fn vxlan(data: &Object) -> Result<Vxlan, String> {
    let external = field(data, "external")?.unwrap_or(false);
    let mut remote = None;
    for key in ["remote", "remote6", "group", "group6"] {
        remote = remote.or(address(data, key)?);
    }
    Ok(Vxlan {
        // An external device prints `id` 0: it has none.
        vni: field(data, "id")?.map(Vni).filter(|_| !external),
        remote,
        more_remotes: Vec::new(),
        local: address(data, "local")?.or(address(data, "local6")?),
        port: field(data, "port")?,
        df: text(data, "df")?,
        // 0 is `auto`; newer iproute2 prints the word `inherit` here.
        ttl: data
            .get("ttl")
            .and_then(serde_json::Value::as_u64)
            .and_then(|ttl| u32::try_from(ttl).ok())
            .filter(|ttl| *ttl > 0),
        learning: field(data, "learning")?,
        link: text(data, "link")?,
        external,
        vnifilter: field(data, "vnifilter")?.unwrap_or(false),
        vnis: Vec::new(),
    })
}

fn counters(object: &Object) -> Result<Counters, String> {
    let Some(stats) = field::<Object>(object, "stats64")?.or(field(object, "stats")?) else {
        return Err("it has no counters (`stats64`)".to_owned());
    };
    let rx: Object = field(&stats, "rx")?.unwrap_or_default();
    let tx: Object = field(&stats, "tx")?.unwrap_or_default();
    let count = |side: &Object, key| Ok::<u64, String>(field(side, key)?.unwrap_or(0));
    let must = |side: &Object, key: &str| field(side, key)?.ok_or_else(|| format!("no counter `{key}`"));
    Ok(Counters {
        rx_bytes: must(&rx, "bytes")?,
        rx_packets: must(&rx, "packets")?,
        rx_errors: must(&rx, "errors")?,
        rx_dropped: must(&rx, "dropped")?,
        rx_over_errors: count(&rx, "over_errors")?,
        rx_missed_errors: field(&rx, "missed_errors")?,
        rx_multicast: count(&rx, "multicast")?,
        tx_bytes: must(&tx, "bytes")?,
        tx_packets: must(&tx, "packets")?,
        tx_errors: must(&tx, "errors")?,
        tx_dropped: must(&tx, "dropped")?,
        tx_carrier_errors: count(&tx, "carrier_errors")?,
        tx_collisions: count(&tx, "collisions")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One vxlan link with `data` as its vxlan part and `bytes` received.
    fn sample(data: &str, bytes: &str) -> String {
        format!(
            r#"[{{}},{{"ifname":"vxlan01","ifindex":3,"flags":["UP"],"link_type":"ether","address":"AA:bb:80:61:91:77",
            "linkinfo":{{"info_kind":"vxlan","info_data":{data}}},
            "stats64":{{"rx":{{"bytes":{bytes},"packets":2,"errors":0,"dropped":0,"new_counter":1}},
                        "tx":{{"bytes":3,"packets":4,"errors":0,"dropped":0}}}}}}]"#
        )
    }

    #[test]
    fn counters_reach_the_top_of_u64_without_rounding() {
        let links = links(&sample("{}", "18446744073709551615")).unwrap();
        assert_eq!(links[0].counters.rx_bytes, u64::MAX);
        assert_eq!(links[0].mac.as_deref(), Some("aa:bb:80:61:91:77"));
    }

    #[test]
    fn a_counter_that_is_no_counter_names_link_and_field() {
        for bad in ["-1", "\"12\"", "1.5"] {
            let error = links(&sample("{}", bad)).unwrap_err().to_string();
            assert!(error.contains("(vxlan01)") && error.contains("field `bytes`"), "{error}");
        }
    }

    #[test]
    fn every_way_to_name_the_remote() {
        for (data, remote) in [
            (r#"{"remote":"10.0.0.1"}"#, "10.0.0.1"),
            (r#"{"remote6":"2001:db8::1"}"#, "2001:db8::1"),
            (r#"{"group":"239.0.0.241"}"#, "239.0.0.241"),
            (r#"{"group6":"ff05::1"}"#, "ff05::1"),
        ] {
            let links = links(&sample(data, "1")).unwrap();
            assert_eq!(links[0].vxlan.as_ref().unwrap().remote, Some(remote.parse().unwrap()));
        }
    }

    #[test]
    fn an_external_device_has_no_vni_and_inherited_ttl_is_none() {
        let links =
            links(&sample(r#"{"external":true,"vnifilter":true,"id":0,"ttl":"inherit"}"#, "1")).unwrap();
        let vxlan = links[0].vxlan.as_ref().unwrap();
        assert_eq!((vxlan.vni, vxlan.ttl, vxlan.external, vxlan.vnifilter), (None, None, true, true));
    }

    #[test]
    fn a_link_without_counters_is_not_read_as_zero() {
        let error = links(r#"[{"ifname":"eth0"}]"#).unwrap_err().to_string();
        assert!(error.contains("element 1 (eth0): it has no counters"), "{error}");
    }
}
