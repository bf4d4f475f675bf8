//! What router data does not explain: where to look, and for which size.

use super::Explainer;
use crate::{
    language::{Between, Said, say},
    model::{
        observation::PathObservation,
        picture::TunnelEnd,
        types::{Bytes, Verdict},
    },
    overlay::underlay::{HEADERS_V4, HEADERS_V6},
};

impl Explainer<'_, '_, '_> {
    /// Where to look, and what other paths have cleared.
    pub(super) fn underlay(&self) -> Said {
        let scene = self.scene();
        let mut between = Vec::new();
        let mut cleared = Vec::new();
        let mut headers = HEADERS_V4;
        for tunnel in self.crossed {
            let witnesses = self.fares.speak_for(tunnel.pair, self.path.judgement.verdict);
            if let [first, ..] = witnesses {
                let tunnel = tunnel.pair.name();
                cleared.push(say!("{tunnel} ({path} works over it)", tunnel, path = first));
                continue;
            }
            let place = |end: &TunnelEnd, other: &TunnelEnd| {
                let address = scene.remote_to(other, &end.router);
                address
                    .map_or_else(|| end.router.to_string(), |address| format!("{} ({address})", end.router))
            };
            if scene.remote_to(tunnel.near, &tunnel.far.router).is_some_and(|remote| remote.is_ipv6()) {
                headers = HEADERS_V6;
            }
            between.push(say!(
                "between {one} and {other}",
                one = place(tunnel.near, tunnel.far),
                other = place(tunnel.far, tunnel.near)
            ));
        }
        if between.is_empty() {
            let PathObservation { target, target_site, .. } = self.path;
            return say!(
                "router data does not explain this, and other paths work over the same tunnels: {tunnels}; check \
                 {target} itself and its LAN at {site}",
                tunnels => Said::joined(cleared, Between::Comma),
                target,
                site = target_site
            );
        }
        self.underlay_between(&Said::joined(between, Between::CommaAnd), headers)
    }

    /// Where to look, and the size of outer packets to look for, with so many bytes of headers.
    fn underlay_between(&self, between: &Said, headers: Bytes) -> Said {
        let between = between.clone();
        let verdict = self.path.judgement.verdict;
        let edge = self.edge().filter(|_| matches!(verdict, Verdict::Blackhole | Verdict::Reduced));
        let Some(edge) = edge else {
            return say!("router data does not explain this: check the underlay {between}", between => between);
        };
        let outer = edge + headers;
        if verdict == Verdict::Blackhole {
            return say!(
                "router data does not explain this: check the underlay {between}: it drops outer packets above \
                 {outer} bytes (inner {edge} + {headers})",
                between => between,
                outer,
                edge,
                headers
            );
        }
        say!(
            "router data does not explain this: check the underlay {between}: it refuses outer packets above \
             {outer} bytes (inner {edge} + {headers})",
            between => between,
            outer,
            edge,
            headers
        )
    }
}
