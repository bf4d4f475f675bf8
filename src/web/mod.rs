//! Views of the state over HTTP.

mod exposition;
#[cfg(test)]
mod fixture;
pub mod metrics;
