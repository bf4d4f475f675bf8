//! Pairing tunnel ends.
