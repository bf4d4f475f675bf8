//! `bridge -j -s vni show`: the VNIs of devices with a VNI filter (VyOS 1.4 and later).

use std::collections::BTreeMap;

use super::{Object, ParseError, each, field, text};
use crate::types::{InterfaceName, Vni};

const COMMAND: &str = "bridge -j -s vni show";

/// Ranges are written out; no device filters on more VNIs than there are VLANs to map.
const MAX_RANGE: usize = 4096;

/// The VNIs of each device. No output at all is no device.
pub fn vnis(output: &str) -> Result<BTreeMap<InterfaceName, Vec<Vni>>, ParseError> {
    if output.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let devices = each(COMMAND, output, |object| {
        let Some(name) = text(object, "ifname")? else { return Ok(None) };
        let mut vnis = Vec::new();
        for range in field::<Vec<Object>>(object, "vnis")?.unwrap_or_default() {
            let Some(first) = field::<u32>(&range, "vni")? else { continue };
            let last = field(&range, "vniEnd")?.unwrap_or(first);
            vnis.extend((first..=last).take(MAX_RANGE).map(Vni));
        }
        Ok(Some((InterfaceName(name), vnis)))
    })?;
    Ok(devices.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_vnis_and_ranges() {
        let read = vnis(
            r#"[{"ifname":"vxlan02","vnis":[{"vni":100,"vniEnd":102},{"vni":200,"remote":"10.10.0.1","stats":{}}]}]"#,
        )
        .unwrap();
        assert_eq!(read[&InterfaceName::from("vxlan02")], [Vni(100), Vni(101), Vni(102), Vni(200)]);
        assert!(vnis("\n").unwrap().is_empty() && vnis("[]").unwrap().is_empty());
    }
}
