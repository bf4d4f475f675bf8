//! `ip -j route get ADDRESS`: the device and MTU by which a router reaches a remote VTEP.
//!
//! Even with `-j`, iproute2 4.18 and 4.20 print text; 5.0 and 5.1 print metrics without their names
//! (`"metrics":[1400 ]`), which are ignored (all measured).

use serde_json::Value;

use super::{Object, ParseError, address, each, field, other_interface};
use crate::model::{snapshot::Route, types::InterfaceName};

const COMMAND: &str = "ip -j route get";

/// The route; `None` if the answer names no device (blackhole, prohibit).
pub(crate) fn route(output: &str) -> Result<Option<Route>, ParseError> {
    let told = output.trim_start();
    if !told.starts_with(['[', '{'])
        && let Some(route) = told.lines().find_map(|line| of_text(line, told))
    {
        return Ok(Some(route));
    }
    Ok(each(COMMAND, output, read)?.into_iter().next())
}

/// `10.1.1.1 from :: via 10.0.0.1 dev eth0 src 10.0.0.2 uid 0`; `mtu lock 1400` is on this line or
/// a later one.
fn of_text(line: &str, all: &str) -> Option<Route> {
    let types = ["unicast", "local", "broadcast", "multicast", "anycast"];
    let mut words = line.split_whitespace().skip_while(|word| types.contains(word));
    words.next()?.parse::<std::net::IpAddr>().ok()?;
    let words: Vec<_> = words.collect();
    let after = |key: &str| {
        let (_, rest) = words.split_at(words.iter().position(|word| *word == key)? + 1);
        rest.iter().find(|word| !matches!(**word, "inet" | "inet6"))
    };
    let mut mtu =
        all.split_whitespace().skip_while(|word| *word != "mtu").skip(1).skip_while(|word| *word == "lock");
    let asked_from = after("from").filter(|from| **from != "::");
    let expires = all.split_whitespace().skip_while(|word| *word != "expires").nth(1);
    let expires = expires.and_then(|seconds| seconds.trim_end_matches("sec").parse().ok());
    let mtu = mtu.next().and_then(|mtu| mtu.parse().ok());
    Some(Route {
        dev: after("dev").copied().and_then(InterfaceName::new)?,
        gateway: after("via").and_then(|via| via.parse().ok()),
        mtu,
        expires: expires.filter(|_| mtu.is_some()),
        source: after("src").or(asked_from).and_then(|source| source.parse().ok()),
    })
}

fn read(object: &Object) -> Result<Option<Route>, String> {
    let Some(dev) = other_interface(object, "dev")? else { return Ok(None) };
    // An IPv4 route may have an IPv6 next hop, which is then under `via`.
    let via = field::<Object>(object, "via")?.map_or(Ok(None), |via| address(&via, "host"))?;
    let metrics: Vec<Value> = field(object, "metrics")?.unwrap_or_default();
    // If the look-up gave a source address, it is under `from`. IPv6 prints `::` there if none was
    // given.
    let asked_from = address(object, "from")?.filter(|from| !from.is_unspecified());
    let mut mtu = None;
    for metric in metrics.iter().filter_map(Value::as_object) {
        mtu = mtu.or(field(metric, "mtu")?);
    }
    Ok(Some(Route {
        dev,
        gateway: address(object, "gateway")?.or(via),
        mtu,
        source: address(object, "prefsrc")?.or(asked_from),
        expires: field(object, "expires")?.filter(|_| mtu.is_some()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_mtu_that_is_remembered_says_for_how_long() {
        let cached = r#"[{"dst":"10.2.0.2","gateway":"10.1.0.1","dev":"eth0","prefsrc":"10.1.0.2","flags":[],"uid":0,"cache":[],"expires":599,"metrics":[{"mtu":1400}]}]"#;
        let text = "10.2.0.2 via 10.1.0.1 dev eth0 src 10.1.0.2 uid 0 \n    cache expires 599sec mtu 1400 \n";
        for told in [cached, text] {
            let route = route(told).unwrap().unwrap();
            assert_eq!((route.mtu, route.expires), (Some(1400), Some(599)), "{told}");
        }
        let set = route(r#"[{"dev":"eth0","metrics":[{"mtu":1400}]}]"#).unwrap().unwrap();
        assert_eq!((set.mtu, set.expires), (Some(1400), None));
    }

    #[test]
    fn a_route_with_mtu_and_one_over_ipv6() {
        let with_mtu = r#"[{"dst":"10.10.10.254","gateway":"10.10.0.1","dev":"eth0","prefsrc":"10.10.0.254","flags":[],"uid":0,"cache":[],"metrics":[{"mtu":1400}]}]"#;
        let route = route(with_mtu).unwrap().unwrap();
        assert_eq!((route.dev.as_str(), route.mtu), ("eth0", Some(1400)));
        assert_eq!(route.source, Some("10.10.0.254".parse().unwrap()));
        let via = super::route(
            r#"[{"dst":"10.1.1.1","via":{"family":"inet6","host":"2001:db8::9"},"dev":"eth0"}]"#,
        );
        assert_eq!(via.unwrap().unwrap().gateway, Some("2001:db8::9".parse().unwrap()));
        let from = super::route(r#"[{"dst":"10.0.0.9","from":"192.0.2.1","dev":"eth1","flags":[]}]"#);
        assert_eq!(from.unwrap().unwrap().source, Some("192.0.2.1".parse().unwrap()));
        let any = super::route(r#"[{"dst":"fe80::3","from":"::","dev":"ll0","flags":[]}]"#);
        assert_eq!(any.unwrap().unwrap().source, None);
        assert_eq!(super::route("[]").unwrap(), None);
        assert_eq!(super::route(r#"[{"type":"blackhole"}]"#).unwrap(), None);
    }
}
