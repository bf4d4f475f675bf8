//! The reflector and the prober's side of it. With software at the far end, reverse direction,
//! reverse path MTU and one-way loss are *measured* instead of inferred.
//!
//! All measured packets are segments of the prober's own TCP connection, so that NAT, a `NodePort`
//! or several pods behind one address cannot misdirect them.
//!
//! - [`protocol`] the frames, [`secret`] how both ends prove that they know the secret, `seal` the
//!   tag that ties each frame to that proof
//! - `segment` one write, one segment of exactly N bytes
//! - [`connection_limits`] how many connections a peer has and how much it is sent, `ledger` that
//!   it has paid for it
//! - [`server`], `session` the reflector; `seats` its connections, one each; `own_mtu` the MTU that
//!   it reports
//! - [`client`] a connection to one, `outstanding` the frames that are expected on it, `measure`
//!   one pair of packets, `one_way_loss` loss per direction
//! - `bench` all measurements with one reflector; `keep_measuring` a path's use of its reflector,
//!   as long as the exporter runs

mod bench;
pub mod client;
pub mod connection_limits;
mod inbox;
pub(crate) mod keep_measuring;
mod ledger;
mod measure;
mod one_way_loss;
mod outstanding;
mod own_mtu;
pub mod protocol;
mod seal;
mod seats;
pub mod secret;
mod segment;
pub mod server;
mod session;
pub(crate) mod tcp_info;
#[cfg(test)]
mod tests;
