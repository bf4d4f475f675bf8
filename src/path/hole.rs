//! How silence becomes a hole: pairs prove it, an edge makes it one, a search finds its size.
//!
//! - [`proof`] counted pairs, [`edge`] whether proven silence has an edge, [`mtu_search`] the exact size
//! - [`method`] the interface of a probe method; [`lane`] one method, from burst to withdrawal; [`flows`] all
//!   TCP flows, together as far as they are alike ([`flow_set`])

pub mod edge;
pub mod flow_set;
pub mod flows;
pub mod lane;
pub mod method;
pub mod mtu_search;
pub mod proof;
