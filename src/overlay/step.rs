//! One step of a fix: which change to which end. The vendor spells its command.

use crate::{
    model::{
        picture::{FixStep, TunnelEnd},
        types::{Bytes, DfPolicy},
    },
    overlay::end_view::EndView,
    vendor::{Change, Vyos},
};

/// Brings an administratively disabled end up.
pub(super) fn enable(view: &EndView<'_>) -> Option<FixStep> {
    (view.link.admin_up == Some(false)).then(|| step(&view.end(), Change::Enable)).flatten()
}

/// Lets an end take larger packets. With `df set` it would still drop what it has to send in fragments, so that goes
/// first.
pub(super) fn raise(view: &EndView<'_>, mtu: Bytes) -> Vec<FixStep> {
    let end = view.end();
    let unset = (view.has_df_set() && view.has_df_command()).then_some(Change::Df(DfPolicy::Unset));
    unset.into_iter().chain([Change::Mtu(mtu)]).filter_map(|change| step(&end, change)).collect()
}

/// None for an interface that VyOS has no command for.
pub(super) fn step(end: &TunnelEnd, change: Change) -> Option<FixStep> {
    Some(FixStep { router: end.router.clone(), command: Vyos::command(&end.interface, change)? })
}
