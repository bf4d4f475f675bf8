//! How silence becomes a hole: pairs prove it, an edge makes it one, a search finds its size.
//!
//! - [`proof`] pairs at one size, [`edge`] whether proven silence has an edge, [`mtu_search`] the
//!   exact size
//! - [`detector`] from burst to withdrawal, the same for every probe method; [`detect`] its
//!   interface
//! - [`flows`] all TCP flows, in groups that are alike ([`flow_set`])

pub mod detect;
pub mod detector;
pub mod edge;
pub mod flow_set;
pub mod flows;
pub mod mtu_search;
pub mod proof;
