//! Methods of reading a router, best first.
//!
//! - [`ip_json`] iproute2's JSON
//! - `op_mode_json` and `op_mode_text` VyOS's op-mode
//! - `api` VyOS's HTTPS API

pub(crate) mod api;
pub mod ip_json;
pub(crate) mod op_mode_json;
pub(crate) mod op_mode_text;
