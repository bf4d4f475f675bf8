//! What decides. Nothing in here touches a socket, a clock or a task: observations in, picture out.
//!
//! What routers say ([`crate::model::snapshot`]) and what probes say of a path ([`crate::model::observation`]) become one
//! [`Overlay`](crate::model::picture::Overlay), which every view shows.
//!
//! - [`tunnel`] the tunnels: `pairing` which vxlan interfaces belong together, `mismatch` on what they
//!   disagree, `liveness` whether they are up, `loss` what is lost between their counters
//! - `route` which tunnels a path crosses, `cause` which router setting explains its trouble, `fix`
//!   what mends it, step by `step` (`vendor::Vyos` spells the commands), `underlay` what will be
//!   afterwards, `routed` what is different where a router routes into a tunnel, `evpn` where a
//!   routing daemon fills it, `stranger` a suspicion
//! - `scene` what is read now, an `end_view` per vxlan interface, `known` who owns which address; `sends`, `local`, `carriers`, `arrivals` sort what routers
//!   say, so that no question walks through all of it

mod arrivals;
mod carriers;
mod cause;
mod end_view;
mod evpn;
mod fix;
mod known;
mod liveness;
mod local;
mod loss;
mod mismatch;
mod pairing;
mod route;
mod routed;
mod scene;
mod sends;
pub mod share;
mod step;
mod stranger;
pub mod tunnel;
mod underlay;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
