//! What decides. Nothing in here touches a socket, a clock or a task: observations in, picture out.
//!
//! - [`observation`] what the probes say of a path, [`crate::router::snapshot`] what a router says
//! - [`tunnel`] which vxlan interfaces belong together, on what they disagree, whether they are up
//! - [`cause`] which router setting explains a path's trouble, and the commands that mend it
//! - [`picture`] the joined result that every view shows

pub mod cause;
pub mod observation;
pub mod picture;
pub mod tunnel;
