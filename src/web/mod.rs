//! Views of the state over HTTP.
