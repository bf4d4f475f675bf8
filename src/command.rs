//! One file per verb of the command line; [`cli`] parses it.
//!
//! - [`init`] writes a configuration; [`serve`] runs everything; [`check`] and [`probe`] look once
//! - [`manual`] completion scripts and the manual page; [`load`] the configuration; [`trust`] a router's host key; [`parse`] one captured output

pub mod check;
pub mod cli;
pub mod init;
pub mod load;
pub mod manual;
pub mod parse;
pub mod probe;
pub mod serve;
pub mod trust;
