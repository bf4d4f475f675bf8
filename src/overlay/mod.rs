//! What decides. Nothing in here touches a socket, a clock or a task: observations in, picture out.
//!
//! - [`path`] one path's prober: proof, MTU search, reachability, loss, verdict
//!
//! Joining:
//! - [`observation`] what the probes say of a path, [`crate::router::snapshot`] what a router says
//! - [`tunnel`] the tunnels: `pairing` which vxlan interfaces belong together, `mismatch` on what they
//!   disagree, `liveness` whether they are up, `loss` what is lost between their counters
//! - `route` which tunnels a path crosses, `cause` which router setting explains its trouble, `fix`
//!   the commands that mend it ([`command`] is all there are), `underlay` what will be
//!   afterwards, `routed` what is different where a router routes into a tunnel, `evpn` where a
//!   routing daemon fills it, `stranger` a suspicion
//! - `ends` what is read now, `known` who owns which address; `sends`, `local`, `carriers`, `arrivals` sort what routers
//!   say, so that no question walks through all of it
//! - [`picture`] the joined result that every view shows

mod arrivals;
mod carriers;
mod cause;
pub mod command;
mod ends;
mod evpn;
mod fix;
mod known;
mod liveness;
mod local;
mod loss;
mod mismatch;
pub mod observation;
mod pairing;
pub mod path;
pub mod picture;
mod route;
mod routed;
mod sends;
pub mod share;
mod stranger;
pub mod tunnel;
mod underlay;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
