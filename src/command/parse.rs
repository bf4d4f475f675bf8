//! The hidden command `parse FORMAT FILE`: what the parsers read from a captured output, as
//! normalised JSON.
//!
//! It is for owners of a router that no test covers: comparing the capture with the result shows
//! whether it is read correctly.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::Path,
};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{
    model::types::{DroppedKind, InterfaceName},
    router::{
        bounds,
        parse::{
            api_config::{self, VxlanConfig},
            api_error, api_show, error_text, fdb, ip_text, link,
            links::{Links, ReadLink},
            op_mode_raw, ping, route,
            show_summary::{self, Summary},
            show_text, terminal,
            vlan_vni::{VlanVni, VlanVnis},
            vlan_vni_stats, vlan_vni_table,
            vni::{self, VniFilter},
        },
    },
};

/// What kind of output a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `show interfaces vxlan [detail]`
    ShowText,
    /// `ip addr show`, `ip -s -s -d link show`
    IpText,
    /// `interfaces.py show --raw`
    OpmodeRaw,
    /// `ip -j -s -s -d addr show`
    IpJson,
    /// `bridge -j fdb show`
    FdbJson,
    /// `bridge -j -s vni show`
    VniJson,
    /// `ip -j route get ADDRESS`
    RouteJson,
    /// `ping` of iputils or busybox
    Ping,
    /// Reply of the HTTPS API to `/show`
    ApiShow,
    /// Reply of the HTTPS API to `/retrieve` of `interfaces vxlan`
    ApiConfig,
    /// Reply of the HTTPS API that is an error
    ApiError,
    /// `show interfaces`
    ShowSummary,
    /// `show interfaces vxlan NAME vlan-to-vni`
    VlanVniTable,
    /// `show interfaces vxlan NAME vlan-to-vni statistics`
    VlanVniStatsTable,
    /// An error of op-mode, the shell or the SSH client
    ErrorText,
}

/// The content of `file`, or of standard input for `-`. Bytes that are not UTF-8 are replaced.
pub fn load(file: &Path) -> Result<String, String> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = read.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A JSON object with what was read from `text`, or why it could not be read. Values that the text
/// does not contain are absent.
pub fn read(format: Format, text: &str) -> Result<Value, String> {
    let text = &terminal::clean(text);
    bounds::begin();
    let mut read = read_as(format, text)?;
    if let (Some(fields), left_out) = (read.as_object_mut(), bounds::left_out())
        && !left_out.is_empty()
    {
        fields.insert("left_out".to_owned(), json!(left_out));
        fields.extend(bounds::why().map(|why| ("left_out_why".to_owned(), json!(why))));
    }
    Ok(read)
}

fn read_as(format: Format, text: &str) -> Result<Value, String> {
    let read = match format {
        Format::ShowText => interfaces(&show_text::links(text).map_err(told)?),
        Format::IpText => interfaces(&ip_text::links(text).map_err(told)?),
        Format::OpmodeRaw => interfaces(&op_mode_raw::links(text).map_err(told)?),
        Format::IpJson => interfaces(&link::read(text).map_err(told)?),
        Format::FdbJson => forwarding(text)?,
        Format::VniJson => {
            let all = vni::filters(text).map_err(told)?;
            let vnis: BTreeMap<_, _> = all.iter().map(|(name, filter)| (name, &filter.vnis)).collect();
            let counted = all.iter().filter(|(_, filter)| !filter.counters.is_empty());
            let stats: BTreeMap<_, _> = counted.map(|(name, filter)| (name, per_vni(filter))).collect();
            json!({"vnis": vnis, "stats": stats})
        }
        Format::RouteJson => match route::route(text).map_err(told)? {
            Some(route) => json!(route),
            None => json!({}),
        },
        Format::Ping => match ping::read(text, None).map_err(told)? {
            Ok(pings) => json!({"pings": pings}),
            Err(reason) => json!({"pings": {"refused": reason.as_str()}}),
        },
        Format::ApiShow => interfaces(&api_show::links(text).map_err(told)?),
        Format::ApiConfig => {
            let all = api_config::interfaces(text).map_err(told)?;
            let all: BTreeMap<_, _> = all.iter().map(|(name, it)| (name.as_str(), config(it))).collect();
            json!({"config": all})
        }
        Format::ApiError => return Err(told(api_error::read(None, text))),
        Format::ShowSummary => {
            let all = show_summary::interfaces(text).map_err(told)?;
            let named = all.interfaces.iter().map(|it| (it.name.as_str(), summary(it)));
            with_incomplete("summary", &json!(named.collect::<BTreeMap<_, _>>()), &all.incomplete)
        }
        Format::VlanVniTable => {
            let row = |row: &VlanVni| json!([row.interface, row.vlan, row.vni, row.description]);
            mappings(&vlan_vni_table::mappings(text).map_err(told)?, row)
        }
        Format::VlanVniStatsTable => {
            let row = |row: &VlanVni| {
                let counters = [row.rx_packets, row.rx_bytes, row.tx_packets, row.tx_bytes];
                let [rx_packets, rx_bytes, tx_packets, tx_bytes] = counters;
                json!([row.interface, row.vlan, row.vni, rx_packets, rx_bytes, tx_packets, tx_bytes])
            };
            mappings(&vlan_vni_stats::mappings(text).map_err(told)?, row)
        }
        Format::ErrorText => return Err(told(error_text::read(text))),
    };
    Ok(read)
}

#[allow(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn told(error: impl ToString) -> String {
    error.to_string()
}

fn interfaces(links: &Links) -> Value {
    bounds::leave_out(DroppedKind::Name, links.left_out);
    let named = links.read.iter().map(|read| (read.link.name.as_str(), interface(read)));
    with_incomplete("interfaces", &json!(named.collect::<BTreeMap<_, _>>()), &links.incomplete)
}

fn with_incomplete(key: &str, read: &Value, incomplete: &[InterfaceName]) -> Value {
    let incomplete = Some(incomplete).filter(|names| !names.is_empty());
    object(json!({key: read, "incomplete": incomplete}))
}

/// A link with its vxlan settings and counters side by side.
fn interface(read: &ReadLink) -> Value {
    let Value::Object(mut fields) = json!(read.link) else { return Value::Null };
    for part in ["vxlan", "counters"] {
        if let Some(Value::Object(part)) = fields.remove(part) {
            fields.extend(part);
        }
    }
    // An empty list is left out, as the format may not have addresses or VNIs at all.
    fields.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    fields.insert("last_clear_unix".to_owned(), json!(read.last_clear_unix));
    fields.insert("last_clear".to_owned(), json!(read.last_clear));
    if read.suspicious {
        fields.insert("suspicious".to_owned(), json!(true));
    }
    object(Value::Object(fields))
}

/// The configuration; a setting that was never made is absent.
fn config(config: &VxlanConfig) -> Value {
    let vxlan = &config.vxlan;
    object(json!({
        "vni": vxlan.vni,
        "remote": Some(&config.remotes).filter(|remotes| !remotes.is_empty()),
        "group": config.group,
        "local": vxlan.local,
        "link": vxlan.link,
        "port": vxlan.port,
        "mtu": config.mtu,
        "df": vxlan.df,
        "ttl": vxlan.ttl,
        "learning": vxlan.learning.filter(|learning| !learning),
        "external": Some(vxlan.external).filter(|external| *external),
        "vnifilter": Some(vxlan.vnifilter).filter(|filter| *filter),
        "admin_up": Some(config.admin_up).filter(|up| !up),
        "description": config.description,
        "vrf": config.vrf,
        "vlan_vni": Some(&config.vlan_vni).filter(|mappings| !mappings.is_empty()),
    }))
}

fn summary(summary: &Summary) -> Value {
    let fields = json!({
        "addr": summary.addresses,
        "admin_up": summary.admin_up,
        "oper_up": summary.oper_up,
        "description": summary.description,
        "mac": summary.mac,
        "vrf": summary.vrf,
        "mtu": summary.mtu,
    });
    object(fields)
}

/// The counters of each VNI of a filter, by VNI.
fn per_vni(filter: &VniFilter) -> BTreeMap<String, Value> {
    filter.counters.iter().map(|(vni, counters)| (vni.to_string(), object(json!(counters)))).collect()
}

/// The remote VTEPs, with the VNIs that entries of an `external` device name; a bridge's own
/// entries have no remote.
fn forwarding(text: &str) -> Result<Value, String> {
    let mut remotes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (entry, named) in fdb::read(text, |_| true, |entry, named| (entry, named)).map_err(told)? {
        if entry.dst.is_some() {
            let fields =
                json!({"mac": entry.mac, "dst": entry.dst, "vni": named.vni, "src_vni": named.source});
            remotes.entry(entry.interface.to_string()).or_default().push(object(fields));
        }
    }
    Ok(json!({"dst": remotes}))
}

fn mappings(read: &VlanVnis, row: impl Fn(&VlanVni) -> Value) -> Value {
    with_incomplete("vlan_vni", &read.rows.iter().map(row).collect(), &read.incomplete)
}

/// The object without absent values.
fn object(mut fields: Value) -> Value {
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    fields
}

#[cfg(test)]
pub(crate) mod robust;
