//! The reflector and the prober's side of it. With software at the far end, reverse direction,
//! reverse path MTU and one-way loss are *measured* instead of inferred.
//!
//! All measured packets are segments of the prober's own TCP connection, so that NAT, a `NodePort`
//! or several pods behind one address cannot misdirect them.
//!
//! - [`protocol`] the frames, [`secret`] how both ends prove that they know the secret, [`seal`]
//!   the tag that ties each frame to that proof
//! - [`segment`] one write, one segment of exactly N bytes
//! - [`limits`], [`ledger`] how much is sent to a peer, and that it has paid for it
//! - [`server`], [`session`] the reflector; [`seats`] its connections, one each; [`interface`] the
//!   MTU that it reports
//! - [`client`] a connection to one, [`asked`] the frames that are expected on it, [`measure`] one
//!   pair of packets, [`one_way`] loss per direction
//! - [`mod@bench`] all measurements with one reflector; [`follow`] a path's use of its reflector,
//!   as long as the exporter runs

pub mod asked;
pub mod bench;
pub mod client;
pub mod follow;
pub mod inbox;
pub mod interface;
pub mod ledger;
pub mod limits;
pub mod measure;
pub mod one_way;
pub mod protocol;
pub mod seal;
pub mod seats;
pub mod secret;
pub mod segment;
pub mod server;
pub mod session;
pub(crate) mod tcp_info;
#[cfg(test)]
mod tests;
