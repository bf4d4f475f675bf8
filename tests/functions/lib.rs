//! Nothing: the package is its benchmark, `functions.rs`.
