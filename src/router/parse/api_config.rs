//! `POST /retrieve` with `showConfig` of `interfaces vxlan`: the settings that op-mode's text does
//! not show.
//!
//! Every value is a string; a leaf with several values is a string or a list; a leaf without a
//! value is `{}`. Settings that were never made are missing: [`VxlanConfig::fill_defaults`] adds
//! the defaults of the router's version.

use std::{collections::BTreeMap, net::IpAddr, str::FromStr};

use serde_json::Value;

use super::{Object, api_reply, excerpt};
use crate::{
    model::{
        snapshot::{ScrapeError, Vxlan},
        types::{Bytes, DfPolicy, FailureReason, InterfaceName, Vni},
        vnis::VniSet,
    },
    text::Text,
    vendor::Vyos,
};

/// The configuration of one vxlan interface, without what was never set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VxlanConfig {
    /// Settings of the vxlan device; its `remote` is the first of `remotes`, or `group`.
    pub vxlan: Vxlan,
    /// All remotes: the first is the device's own, the others become entries of its flood list.
    pub remotes: Vec<IpAddr>,
    /// Multicast group.
    pub group: Option<IpAddr>,
    /// Interface MTU.
    pub mtu: Option<Bytes>,
    /// Whether `disable` is absent.
    pub admin_up: bool,
    /// `description`.
    pub description: Option<Text>,
    /// `vrf`.
    pub vrf: Option<InterfaceName>,
    /// `vlan-to-vni`: the VNI of each VLAN; ranges of VLANs are left out.
    pub vlan_vni: BTreeMap<u16, Vni>,
}

/// All vxlan interfaces of the configuration. VyOS answers with an error if there is none, which
/// here is an empty result.
pub(crate) fn interfaces(body: &str) -> Result<BTreeMap<InterfaceName, VxlanConfig>, ScrapeError> {
    let data = match api_reply::data(body) {
        Ok(data) => data,
        Err(error) if error.message.contains("specified path is empty") => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let wrong = |message: String| ScrapeError::new(FailureReason::Parse, message);
    let Value::Object(mut all) = data else {
        return Err(wrong(format!("`data`: expected an object, saw `{}`", excerpt(&data.to_string()))));
    };
    // The answer for a shorter path has outer levels.
    for outer in ["interfaces", "vxlan"] {
        if let Some(Value::Object(inner)) = all.remove(outer) {
            all = inner;
        }
    }
    let read = |(name, settings): (String, Value)| {
        // A device cannot have this name either, and only names of devices are looked up here.
        let name = InterfaceName::new(&name)?;
        let settings = settings
            .as_object()
            .ok_or_else(|| format!("expected settings, saw `{}`", excerpt(&settings.to_string())));
        let config =
            settings.and_then(interface).map_err(|error| wrong(format!("interfaces vxlan {name}: {error}")));
        Some(config.map(|config| (name, config)))
    };
    all.into_iter().filter_map(read).collect()
}

impl VxlanConfig {
    /// Adds the [defaults](Vyos::defaults) of a version.
    pub(crate) fn fill_defaults(&mut self, version: &str) {
        let Some((port, mtu)) = Vyos::defaults(version) else { return };
        self.vxlan.port.get_or_insert(port);
        self.mtu.get_or_insert(mtu);
    }
}

fn interface(settings: &Object) -> Result<VxlanConfig, String> {
    let empty = Object::new();
    let node = |parent: &Object, key: &str| parent.get(key).and_then(Value::as_object).cloned();
    let parameters = node(settings, "parameters").unwrap_or_else(|| empty.clone());
    let ip = node(&parameters, "ip").unwrap_or(empty);
    // VyOS 1.3's code also accepts `dont-fragment`, though its command line does not offer it.
    let df = match text(&ip, "df")? {
        Some(df) => DfPolicy::read(&df),
        None => ip.contains_key("dont-fragment").then_some(DfPolicy::Set),
    };
    let remotes: Vec<_> =
        texts(settings, "remote")?.iter().map(|it| read("remote", it)).collect::<Result<_, _>>()?;
    let group = value(settings, "group")?;
    let external = parameters.contains_key("external");
    let vxlan = Vxlan {
        vni: value(settings, "vni")?.filter(|_| !external),
        remote: remotes.first().copied().or(group),
        more_remotes: remotes.iter().skip(1).copied().collect(),
        local: value(settings, "source-address")?,
        port: value(settings, "port")?,
        df,
        // 0 means inherit.
        ttl: value(&ip, "ttl")?.filter(|ttl| *ttl > 0),
        learning: Some(!parameters.contains_key("nolearning")),
        link: text(settings, "source-interface")?.and_then(|link| InterfaceName::new(&link)),
        external,
        vnifilter: parameters.contains_key("vni-filter"),
        vnis: VniSet::default(),
        vni_counters: BTreeMap::new(),
    };
    Ok(VxlanConfig {
        vxlan,
        remotes,
        group,
        mtu: value(settings, "mtu")?,
        admin_up: !settings.contains_key("disable"),
        description: text(settings, "description")?.map(Text::from),
        vrf: text(settings, "vrf")?.and_then(|vrf| InterfaceName::new(&vrf)),
        vlan_vni: vlan_vni(settings)?,
    })
}

fn vlan_vni(settings: &Object) -> Result<BTreeMap<u16, Vni>, String> {
    let mut all = BTreeMap::new();
    for (vlan, mapping) in settings.get("vlan-to-vni").and_then(Value::as_object).into_iter().flatten() {
        let Some(mapping) = mapping.as_object() else { continue };
        if let (Ok(vlan), Some(vni)) = (vlan.parse(), text(mapping, "vni")?.and_then(|vni| vni.parse().ok()))
        {
            all.insert(vlan, vni);
        }
    }
    Ok(all)
}

/// The values of a leaf: none, one, or a list.
fn texts(node: &Object, key: &str) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("`{key}`: expected a text, saw `{}`", excerpt(&other.to_string()))),
    };
    match node.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
    }
}

fn text(node: &Object, key: &str) -> Result<Option<String>, String> {
    Ok(texts(node, key)?.into_iter().next())
}

fn value<T: FromStr>(node: &Object, key: &str) -> Result<Option<T>, String> {
    text(node, key)?.map(|text| read(key, &text)).transpose()
}

fn read<T: FromStr>(key: &str, text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("`{key}`: cannot read `{}`", excerpt(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(settings: &str) -> VxlanConfig {
        let body = format!(r#"{{"success": true, "data": {{"vxlan01": {settings}}}, "error": null}}"#);
        interfaces(&body).unwrap().remove(&InterfaceName::from("vxlan01")).unwrap()
    }

    #[test]
    fn all_settings() {
        let config = one(
            r#"{"vni": "0001", "remote": ["10.0.0.2", "10.0.0.3"], "source-address": "10.0.0.1", "source-interface": "eth0",
                "port": "8472", "mtu": "1450", "disable": {}, "vrf": "RED", "address": ["192.0.2.1/24"],
                "parameters": {"nolearning": {}, "vni-filter": {}, "ip": {"df": "inherit", "ttl": "0"}},
                "vlan-to-vni": {"10": {"vni": "1010"}, "20-29": {"vni": "1020-1029"}}, "unheard-of": {"x": {}}}"#,
        );
        assert_eq!((config.remotes.len(), config.admin_up), (2, false));
        assert_eq!(config.vlan_vni, BTreeMap::from([(10, Vni(1010))]));
        let vxlan = config.vxlan;
        assert_eq!(vxlan.vni, Some(Vni(1)));
        assert_eq!(vxlan.remote, Some("10.0.0.2".parse().unwrap()));
        assert_eq!((vxlan.df, vxlan.ttl, vxlan.learning), (Some(DfPolicy::Inherit), None, Some(false)));
    }

    #[test]
    fn defaults_are_those_of_the_version() {
        for (version, port, mtu) in [
            ("1.3.8", Some(8472), Some(1450)),
            ("VyOS 1.3-rolling-202401010317", Some(8472), Some(1450)),
            ("1.4-rolling-202212150317", Some(8472), Some(1450)),
            ("1.4-rolling-202311010317", Some(4789), Some(1450)),
            ("VyOS 1.4.0", Some(4789), Some(1500)),
            ("1.5-rolling-202410211234", Some(4789), Some(1500)),
            ("VyOS 2025.07.20-0020-rolling", Some(4789), Some(1500)),
            ("2025.11", Some(4789), Some(1500)),
            ("Debian 12", None, None),
            ("", None, None),
        ] {
            let mut config = one("{}");
            config.fill_defaults(version);
            assert_eq!((config.vxlan.port, config.mtu), (port, mtu), "{version}");
        }
        let mut config = one(r#"{"port": "8472"}"#);
        config.fill_defaults("1.5");
        assert_eq!((config.vxlan.port, config.mtu), (Some(8472), Some(1500)));
    }

    #[test]
    fn nothing_configured_and_what_cannot_be_read() {
        let none =
            r#"{"success": false, "error": "Configuration under specified path is empty\n", "data": null}"#;
        assert_eq!(interfaces(none).unwrap(), BTreeMap::new());
        let bad = r#"{"success": true, "data": {"vxlan01": {"remote": "ten"}}, "error": null}"#;
        assert_eq!(
            interfaces(bad).unwrap_err().to_string(),
            "parse: interfaces vxlan vxlan01: `remote`: cannot read `ten`"
        );
        let whole = r#"{"success": true, "data": {"interfaces": {"vxlan": {"vxlan01": {"vni": "1"}}, "ethernet": {}}}}"#;
        assert_eq!(interfaces(whole).unwrap().len(), 1);
    }
}
