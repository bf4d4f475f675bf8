//! What several suites share.

pub mod files;
pub mod names;
pub mod promql;
pub mod source;
