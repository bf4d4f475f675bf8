//! The pages for people, made on the server and complete without a script.
//!
//! - `frame`: what is around every page
//! - `overlay`: `/`, with `headline` above the picture, and `problems`, `tables` and `abilities`
//!   below the picture
//! - `path`, `tunnel`, `router`: one thing each, with `ladder` and `charts`, and `asked` for
//!   *probe now*
//! - `runbook`: the runbooks; `not_found`: names that are near

mod abilities;
mod asked;
mod charts;
mod frame;
mod headline;
mod ladder;
mod not_found;
mod overlay;
mod path;
mod problems;
mod router;
mod runbook;
mod table_pages;
mod tables;
#[cfg(test)]
pub(super) mod tests;
mod time;
mod tunnel;
mod way;

pub(super) use asked::refused;
pub(super) use not_found::{near, not_found};
pub(super) use overlay::overlay;
pub(super) use path::path;
pub(super) use router::router;
pub(super) use runbook::{runbook, runbooks};
pub(super) use table_pages::TablePages;
pub(super) use tunnel::tunnel;

/// `/` of this state.
#[cfg(test)]
pub(crate) fn test_page(present: &crate::model::state::Present) -> String {
    overlay(&tests::view(present.clone()), &TablePages::read("")).text
}
