//! Joins router data and probe results and decides. Nothing in here touches a socket, a clock or a
//! task: observations in, picture out.
//!
//! Router snapshots ([`crate::model::snapshot`]) and path observations
//! ([`crate::model::observation`]) become one [`Overlay`](crate::model::picture::Overlay), which
//! every view shows.
//!
//! - [`tunnel`] the tunnels: `pairing` which vxlan interfaces belong together, `mismatch` settings
//!   that differ between them, `liveness` whether they are up, `loss` packet loss by their
//!   counters, `passive` fragments and unheard packets by the routers' own
//! - `tunnel_route` which tunnels a path crosses, `cause` which router setting explains its
//!   problem, `fix` the commands that mend it, `step` by step (in the syntax of `vendor::Vyos`),
//!   `legs` what the routers' own pings say, `underlay` what the underlay carries after the fix,
//!   `routed` ends that a router routes into, `evpn` ends that a routing daemon configures,
//!   `stranger` a suspected virtual switch
//! - `scene` the interfaces of the present readings, an `end_view` each, `address_book` who owns
//!   which address; `sends`, `router_index`, `carriers`, `arrivals` index router data, so that no
//!   look-up walks through all of it

mod address_book;
mod arrivals;
mod carriers;
mod cause;
mod crossed;
mod end_view;
mod evpn;
mod fix;
mod learned;
mod legs;
mod liveness;
mod loss;
mod mismatch;
mod pairing;
mod passive;
mod routed;
mod router_index;
mod scene;
mod sends;
pub(crate) mod share;
mod step;
mod stranger;
pub mod tunnel;
mod tunnel_route;
mod underlay;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
