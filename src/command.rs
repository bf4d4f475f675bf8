//! One file per verb of the command line; [`cli`] parses it.
//!
//! - [`serve`] runs everything; [`check`] and [`probe`] look once, and `look` decides how long
//! - [`load`] the configuration; [`trust`] a router's host key; [`parse`] one captured output

pub mod check;
pub mod cli;
pub mod load;
pub(crate) mod look;
pub mod parse;
pub mod probe;
pub mod serve;
pub mod trust;
