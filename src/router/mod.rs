//! Reading routers: one worker each turns "run these commands" into a [`snapshot::RouterSnapshot`].

pub mod snapshot;
