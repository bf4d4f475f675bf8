//! One file per verb of the command line, and [`cli`] that reads it.
//!
//! - [`serve`] everything together; [`check`] and [`probe`] once, `look` until enough is known
//! - [`load`] the configuration; [`trust`] a router's host key; [`parse`] one captured output

pub mod check;
pub mod cli;
pub mod load;
pub(crate) mod look;
pub mod parse;
pub mod probe;
pub mod serve;
pub mod trust;
