//! The reflector and the prober's side of it: reverse direction, reverse path MTU and one-way loss
//! *measured*, where nothing but inference is possible without software at the far end.
//!
//! All measured packets are segments of the prober's own TCP connection, so that NAT, a `NodePort` or
//! several pods behind one address cannot misdirect them.
//!
//! - [`protocol`] what the bytes mean, [`secret`] how both ends prove themselves, [`seal`] what binds each
//!   frame to that
//! - [`segment`] one write, one segment of exactly N bytes
//! - [`limits`], [`ledger`] how much is sent to a peer, and that it has paid for it
//! - [`server`], [`session`] the reflector; [`seats`] a connection's place in it; [`interface`] what it says of its own MTU
//! - [`client`] a connection to one, [`asked`] what may come on it, [`measure`] one pair of packets, [`one_way`] loss per direction
//! - [`mod@bench`] all of it with one reflector; [`follow`] a path's use of its reflector, as long as the exporter runs

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
