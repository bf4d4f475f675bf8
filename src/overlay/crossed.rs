//! What the cause of a path's problem and the legs need to know of a tunnel on its way.

use crate::{
    language::Said,
    model::picture::TunnelEnd,
    overlay::{fix::Mending, liveness::Life, pairing::EndPair},
};

/// One tunnel that a path crosses, in the order from our site, with its state.
pub(super) struct Crossed<'t> {
    pub(super) pair: &'t EndPair,
    pub(super) near: &'t TunnelEnd,
    pub(super) far: &'t TunnelEnd,
    pub(super) life: &'t Life,
    pub(super) mending: &'t Mending,
    /// What the routers' own counters say of it.
    pub(super) claims: &'t [Said],
}
