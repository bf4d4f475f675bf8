//! What the suites of alerts and dashboards share.

pub mod names;
pub mod promql;
pub mod source;
