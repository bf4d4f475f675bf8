//! One step of a fix: one change to one end. The vendor spells its command.

use crate::{
    model::{
        picture::{FixStep, TunnelEnd},
        types::{Bytes, DfPolicy},
    },
    overlay::end_view::EndView,
    vendor::{Repair, Vyos},
};

/// Enables an end that is administratively down.
pub(super) fn enable(view: &EndView<'_>) -> Option<FixStep> {
    (view.link.admin_up == Some(false)).then(|| step(&view.end(), Repair::Enable)).flatten()
}

/// Lets an end accept larger packets. With `df set` it would still drop packets that it has to send
/// in fragments, so that is unset first.
pub(super) fn raise(view: &EndView<'_>, mtu: Bytes) -> Vec<FixStep> {
    let end = view.end();
    let unset = (view.has_df_set() && view.has_df_command()).then_some(Repair::Df(DfPolicy::Unset));
    unset.into_iter().chain([Repair::Mtu(mtu)]).filter_map(|change| step(&end, change)).collect()
}

/// One step; `None` for an interface that VyOS has no command for.
pub(super) fn step(end: &TunnelEnd, change: Repair) -> Option<FixStep> {
    Some(FixStep { router: end.router.clone(), command: Vyos::command(&end.interface, change)? })
}
