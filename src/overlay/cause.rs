//! Cause and fix.
