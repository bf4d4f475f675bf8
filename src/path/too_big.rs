//! Packet Too Big (RFC 8201), or "fragmentation needed" (RFC 1191): both are called signals here.
//! Which sizes were signalled, and to which flow.
//!
//! - [`walk`] path MTU discovery of one flow, and its memory of signals; [`walks`] of all flows
//! - [`contest`] flows that stay silent at a size that is signalled to others

pub mod contest;
pub mod walk;
pub mod walks;
