//! Loss per direction, from a stream of small segments in both directions.
//!
//! On TCP a lost segment is sent again, so gaps in numbers of our own would never be seen. The
//! kernels' counters are exact: segments with data that one end has sent, copies included, minus
//! those that the other end has received, copies included (RFC 4898's `DataSegsOut` and
//! `DataSegsIn`), is the loss in that direction. Unlike retransmissions, this does not count a lost
//! acknowledgement. Every segment has at most 100 bytes of IP packet over IPv4, and none is ever
//! joined with another.

use std::{io, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{client::Connection, inbox::Ended, protocol::SegmentCounts};
use crate::path::reflection::SegmentLoss;

/// Time between two segments, in each direction.
pub(crate) const EVERY: Duration = Duration::from_millis(400);
/// Timeout of an exchange including retransmissions; then the connection is given up.
const PATIENCE: Duration = Duration::from_secs(8);

/// Counts of one connection so far, forward and reverse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ConnectionLoss {
    /// To the reflector.
    pub forward: SegmentLoss,
    /// From the reflector.
    pub reverse: SegmentLoss,
}

/// Combines the counts of both ends at a moment when nothing of the prober's is outstanding. `sent`
/// and `received` are the prober's own; the reflector's are from just before it sent the last pong.
fn join(sent: u32, received: u32, reflector: SegmentCounts) -> ConnectionLoss {
    let loss = |sent: u32, arrived: u32| SegmentLoss {
        sent: sent.into(),
        // A copy may overtake the count that includes it; the next count is right again.
        lost: sent.saturating_sub(arrived).into(),
    };
    ConnectionLoss {
        forward: loss(sent, reflector.received),
        reverse: loss(reflector.sent.saturating_add(1), received),
    }
}

/// Runs a stream on a new connection until it ends; reports the counts after each exchange.
pub(crate) async fn stream(connection: &mut Connection, mut tell: impl FnMut(ConnectionLoss)) -> Ended {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let before = connection.tcp().map(|tcp| tcp.data_sent.wrapping_add(1));
        let counts = match tokio::time::timeout(PATIENCE, connection.exchange()).await {
            Ok(Ok(counts)) => counts,
            Ok(Err(error)) => return error,
            Err(_) => return io::Error::from(io::ErrorKind::TimedOut).into(),
        };
        match connection.tcp() {
            // One of our copies may have been sent after the reflector counted; the next exchange
            // will tell.
            Ok(tcp) if before.is_ok_and(|before| before != tcp.data_sent) => {}
            Ok(tcp) => tell(join(tcp.data_sent, tcp.data_received, counts)),
            Err(error) => return error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_and_did_not_arrive_is_lost_in_that_direction_only() {
        let counted = join(110, 101, SegmentCounts { received: 100, sent: 100, path_mtu: 1500 });
        assert_eq!(counted.forward, SegmentLoss { sent: 110, lost: 10 });
        assert_eq!(counted.reverse, SegmentLoss { sent: 101, lost: 0 });
    }
}
