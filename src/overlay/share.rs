//! Which routers an exporter must read at every interval if several exporters share one overlay.
//!
//! The name of a tunnel is known only once both its routers have been read, so every exporter reads
//! every router now and then. At every interval it reads the routers whose series it owns, both
//! ends of the tunnels that it owns, and the routers that its own paths start from and cross, as
//! causes and fixes are read there.

use std::collections::BTreeSet;

use crate::model::{picture::Overlay, plan::Plan, types::RouterName};

/// The routers that must be read at every interval.
#[must_use]
pub(crate) fn watched(plan: &Plan, overlay: &Overlay) -> BTreeSet<RouterName> {
    let own = plan.routers.iter().filter(|router| plan.shard.owns(router.name.as_str()));
    let mut watched: BTreeSet<_> = own.map(|router| router.name.clone()).collect();
    if plan.shard.is_alone() {
        return watched;
    }
    let tunnels = overlay.tunnels.iter().filter(|tunnel| plan.shard.owns(&tunnel.name));
    watched.extend(tunnels.flat_map(|tunnel| tunnel.ends.iter().map(|end| end.router.clone())));
    let crossed = overlay.paths.iter().flat_map(|path| path.hops.iter().map(|hop| hop.end.router.clone()));
    watched.extend(crossed);
    if !plan.paths.is_empty() {
        let here = plan.routers.iter().filter(|router| Some(&router.site) == plan.site.as_ref());
        watched.extend(here.map(|router| router.name.clone()));
    }
    watched
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            picture::{Hop, PathPicture, Tunnel, TunnelEnd},
            shard::Shard,
            types::TunnelState,
        },
        overlay::fixture,
    };

    fn end(router: &str) -> TunnelEnd {
        TunnelEnd { router: router.into(), interface: "vxlan01".into() }
    }

    fn tunnel(a: &str, b: &str) -> Tunnel {
        Tunnel {
            name: format!("{a}/vxlan01~{b}/vxlan01"),
            state: TunnelState::Paired,
            ends: vec![end(a), end(b)],
            up: Some(true),
            mismatches: std::collections::BTreeMap::new(),
            evidence: vec![],
            small_ends: vec![],
            fix: vec![],
            loss: vec![],
            legs: vec![],
            flows: vec![],
            transitions_up: 0,
            transitions_down: 0,
        }
    }

    fn shards(count: u32) -> impl Iterator<Item = Shard> {
        (0..count).map(move |index| format!("{index}/{count}").parse().expect("a shard"))
    }

    #[test]
    fn alone_everything_is_watched() {
        assert_eq!(watched(&fixture::plan(&[]), &Overlay::default()).len(), 3);
    }

    #[test]
    fn the_owner_of_a_tunnel_watches_both_ends_wherever_they_are() {
        let overlay =
            Overlay { tunnels: vec![tunnel("dc", "site-a"), tunnel("dc", "site-b")], ..Overlay::default() };
        for count in [2, 3, 7] {
            for shard in shards(count) {
                let plan = fixture::plan(&[]).for_shard(shard);
                let watched = watched(&plan, &overlay);
                for router in &plan.routers {
                    let own = shard.owns(router.name.as_str());
                    let ends = overlay.tunnels.iter().any(|tunnel| {
                        shard.owns(&tunnel.name) && tunnel.ends.iter().any(|end| end.router == router.name)
                    });
                    assert_eq!(watched.contains(&router.name), own || ends, "{shard} {}", router.name);
                }
            }
        }
    }

    #[test]
    fn what_an_own_path_starts_from_and_crosses_is_watched() {
        // Shard 2/3 owns none of the three routers.
        let mut plan = fixture::plan(&[]).for_shard("2/3".parse().expect("a shard"));
        assert_eq!(watched(&plan, &Overlay::default()), BTreeSet::new());
        plan.paths.push(fixture::path_plan("rancher", "site-b"));
        assert_eq!(watched(&plan, &Overlay::default()), BTreeSet::from(["site-a".into()]));
        let hop = Hop { tunnel: "dc/vxlan01~site-b/vxlan01".into(), end: end("dc") };
        let picture = PathPicture { path: "rancher".into(), hops: vec![hop], cause: vec![], fix: vec![] };
        let overlay = Overlay { paths: vec![picture], ..Overlay::default() };
        assert_eq!(watched(&plan, &overlay), BTreeSet::from(["dc".into(), "site-a".into()]));
    }
}
