//! Samples that need the data of two routers.

use std::collections::BTreeSet;

use super::unix_seconds;
use crate::{
    catalogue as c,
    model::{
        picture::Tunnel,
        types::{MismatchField, RouterName, TransitionState},
    },
    web::exposition::Exposition,
};

/// Samples of a tunnel; `read` are the routers with a present reading.
pub(crate) fn put(out: &mut Exposition, tunnel: &Tunnel, read: &BTreeSet<&RouterName>) {
    let name = tunnel.name.as_str();
    out.put(&c::TUNNEL_INFO, &[name, tunnel.state.as_str()], 1.0);
    if let Some(up) = tunnel.up {
        out.put_bool(&c::TUNNEL_UP, &[name], up);
    }
    for loss in &tunnel.loss {
        out.put(&c::TUNNEL_LOSS, &[name, &loss.from.to_string(), &loss.to.to_string()], loss.ratio);
    }
    for flow in &tunnel.flows {
        let from = flow.from.to_string();
        for (metric, value) in [
            (&c::TUNNEL_FRAGMENTS, flow.fragments_per_second),
            (&c::TUNNEL_REASSEMBLIES_FAILED, flow.reassemblies_failed),
            (&c::TUNNEL_UNHEARD, flow.unheard_per_second),
        ] {
            if let Some(value) = value {
                out.put(metric, &[name, &from, &flow.to], value);
            }
        }
    }
    for leg in &tunnel.legs {
        let (from, to) = (leg.from.to_string(), leg.to.to_string());
        let labels = [name, &from, &to];
        if let Some(mtu) = leg.reading.mtu() {
            out.put(&c::TUNNEL_UNDERLAY_MTU, &labels, f64::from(mtu));
        }
        if let Some(loss) = leg.reading.loss() {
            out.put(&c::TUNNEL_UNDERLAY_LOSS, &labels, loss);
        }
        if let Some(rtt) = leg.reading.rtt {
            out.put(&c::TUNNEL_UNDERLAY_RTT, &labels, rtt.as_secs_f64());
        }
        if leg.reading.sent > 0 {
            out.put(&c::TUNNEL_UNDERLAY_PROBED, &labels, unix_seconds(leg.reading.probed_at));
        }
    }
    for state in TransitionState::ALL {
        let count = match state {
            TransitionState::Up => tunnel.transitions_up,
            TransitionState::Down => tunnel.transitions_down,
        };
        out.put_count(&c::TUNNEL_TRANSITIONS, &[name, state.as_str()], count);
    }
    // Whether two ends agree is known only if both are known and have a present reading.
    if tunnel.ends.len() == 2 && tunnel.ends.iter().all(|end| read.contains(&end.router)) {
        for field in MismatchField::ALL {
            let differs = tunnel.mismatches.contains_key(field);
            out.put_bool(&c::TUNNEL_MISMATCH, &[name, field.as_str()], differs);
        }
    }
}
