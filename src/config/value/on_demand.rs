//! Values of the key `probe`.

use pnet::ipnetwork::IpNetwork;

use super::is_dns_name;
use crate::model::on_demand::{AllowedTarget, Prober};

pub(super) fn allowed_target(text: &str) -> Result<AllowedTarget, String> {
    if text.parse::<IpNetwork>().is_ok() || text.contains(['/', ':']) {
        return super::network(text).map(AllowedTarget::Network);
    }
    if is_dns_name(text) {
        return Ok(AllowedTarget::Name(text.trim_end_matches('.').to_ascii_lowercase()));
    }
    Err(format!(
        "{text:?} is neither a network nor a DNS name: write e.g. 192.168.100.0/24, fd00::/64, one address \
         or rancher.example.org"
    ))
}

pub(super) fn prober(text: &str) -> Result<Prober, String> {
    let known = Prober::ALL.iter().find(|prober| prober.as_str() == text);
    known.copied().ok_or_else(|| format!("{text:?} is no prober: write icmp, tcp or path_mtu"))
}
