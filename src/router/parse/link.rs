//! `ip -j -s -s -d addr show` (or `link show`, which has no addresses): links, counters, vxlan
//! settings.
//!
//! The JSON fields are named in iproute2 (`ip/ipaddress.c`, `ip/iplink_vxlan.c`; 4.13 and later). A
//! vxlan device's remote is in one of `remote`, `remote6`, `group` or `group6`, never in two.

use std::collections::BTreeMap;

use super::{
    Object, ParseError, address,
    counters::{Counter, PrintedCounters},
    each, field, is_misnamed,
    links::{Links, ReadLink},
    other_interface, text, word,
};
use crate::{
    model::{
        snapshot::{Counters, Link, Vxlan},
        types::{DfPolicy, DroppedKind, InterfaceName, LinkKind, OperState, Vni},
        vnis::VniSet,
    },
    router::bounds,
};

const COMMAND: &str = "ip -j -s -s -d addr show";

/// All links, in the router's order.
pub(crate) fn links(output: &str) -> Result<Vec<Link>, ParseError> {
    Ok(read(output)?.into_kernel())
}

/// All links, including what is known of counters that cannot be believed.
pub(crate) fn read(output: &str) -> Result<Links, ParseError> {
    let (mut left_out, mut have, most) = (0, 0, bounds::limits().max_interfaces);
    let links = each(COMMAND, output, |object| {
        left_out += u64::from(is_misnamed(object));
        if !bounds::admits(DroppedKind::Interface, have, most) {
            return Ok(None);
        }
        let Some(link) = base(object)? else { return Ok(None) };
        let (counters, suspicious) = printed(object)?.believe(false);
        let link = Link { counters, ..link };
        have += 1;
        Ok(Some(ReadLink { link, suspicious, last_clear_unix: None, last_clear: None }))
    })?;
    Ok(Links { read: links, incomplete: Vec::new(), left_out })
}

/// A link without its counters; `None` for an element without a name, or with an impossible one.
pub(super) fn base(object: &Object) -> Result<Option<Link>, String> {
    let Some(name) = word(object, "ifname")?.and_then(InterfaceName::new) else { return Ok(None) };
    let info: Option<&Object> = object.get("linkinfo").and_then(|info| info.as_object());
    let kind = info.map_or(Ok(None), |info| word(info, "info_kind"))?;
    let kind = kind.map(|kind| LinkKind::read(kind).unwrap_or(LinkKind::Other));
    let vxlan = match (kind, info.and_then(|info| info.get("info_data")?.as_object())) {
        (Some(LinkKind::Vxlan), Some(data)) => Some(vxlan(data)?),
        (Some(LinkKind::Vxlan), None) => Some(Vxlan::default()),
        _ => None,
    };
    let flags = field::<Vec<&str>>(object, "flags")?;
    let kind = kind.or_else(|| LinkKind::of_flags(flags.iter().flatten().copied()));
    let ethernet = field::<&str>(object, "link_type")? == Some("ether");
    Ok(Some(Link {
        name,
        ifindex: field(object, "ifindex")?,
        mtu: field(object, "mtu")?,
        admin_up: flags.map(|flags| flags.contains(&"UP")),
        oper_state: word(object, "operstate")?.and_then(OperState::read),
        mac: word(object, "address")?.filter(|_| ethernet).and_then(|mac| mac.parse().ok()),
        master: other_interface(object, "master")?,
        // A veth prints its peer here.
        parent: other_interface(object, "link")?.filter(|_| kind.is_some_and(LinkKind::is_on_another)),
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
        // An `external` device prints `id` 0, but has no VNI.
        vni: field::<Vni>(data, "id")?.filter(|_| !external),
        remote,
        more_remotes: Vec::new(),
        local: address(data, "local")?.or(address(data, "local6")?),
        port: field(data, "port")?,
        df: word(data, "df")?.and_then(DfPolicy::read),
        // 0 is `auto`; newer iproute2 prints the word `inherit` here.
        ttl: data
            .get("ttl")
            .and_then(serde_json::Value::as_u64)
            .and_then(|ttl| u32::try_from(ttl).ok())
            .filter(|ttl| *ttl > 0),
        learning: field(data, "learning")?,
        link: other_interface(data, "link")?,
        external,
        vnifilter: field(data, "vnifilter")?.unwrap_or(false),
        vnis: VniSet::default(),
        vni_counters: BTreeMap::new(),
    })
}

/// The counters of `stats64`, which `ip` prints only with `-s`. A 32-bit machine prints `stats`.
fn printed(object: &Object) -> Result<PrintedCounters, String> {
    let mut printed = PrintedCounters::default();
    let stats = field::<Object>(object, "stats64")?.or(field(object, "stats")?).unwrap_or_default();
    let rx: Object = field(&stats, "rx")?.unwrap_or_default();
    let tx: Object = field(&stats, "tx")?.unwrap_or_default();
    for (counter, side, key) in [
        (Counter::RxBytes, &rx, "bytes"),
        (Counter::RxPackets, &rx, "packets"),
        (Counter::RxErrors, &rx, "errors"),
        (Counter::RxDropped, &rx, "dropped"),
        (Counter::RxLengthErrors, &rx, "length_errors"),
        (Counter::RxOverErrors, &rx, "over_errors"),
        (Counter::RxMissedErrors, &rx, "missed_errors"),
        (Counter::RxMulticast, &rx, "multicast"),
        (Counter::TxBytes, &tx, "bytes"),
        (Counter::TxPackets, &tx, "packets"),
        (Counter::TxErrors, &tx, "errors"),
        (Counter::TxDropped, &tx, "dropped"),
        (Counter::TxCarrierErrors, &tx, "carrier_errors"),
        (Counter::TxCollisions, &tx, "collisions"),
    ] {
        printed.put_field(counter, side, key)?;
    }
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::Mac;

    /// One vxlan link with `data` as its vxlan settings and `bytes` received.
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
        assert_eq!(links[0].counters.rx_bytes, Some(u64::MAX));
        assert_eq!(links[0].mac, Some(Mac([0xaa, 0xbb, 0x80, 0x61, 0x91, 0x77])));
    }

    #[test]
    fn a_number_that_is_no_counter_is_left_out_and_said() {
        for bad in ["-1", "1.5", "18446744073709551616"] {
            let read = read(&sample("{}", bad)).unwrap();
            assert!(read.read[0].suspicious, "{bad}");
            assert_eq!(read.read[0].link.counters.rx_bytes, None, "{bad}");
            assert_eq!(read.read[0].link.counters.rx_packets, Some(2), "{bad}");
        }
    }

    #[test]
    fn a_counter_that_is_no_number_names_link_and_field() {
        let error = links(&sample("{}", "\"12\"")).unwrap_err().to_string();
        assert!(error.contains("(vxlan01)") && error.contains("field `bytes`"), "{error}");
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
        let links = links(r#"[{"ifname":"eth0"}]"#).unwrap();
        assert_eq!(links[0].counters, Counters::default());
        assert_eq!(links[0].counters.rx_bytes, None);
    }
}
