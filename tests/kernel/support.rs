//! What several suites share.

pub mod api_router;
pub mod one_exporter;
