//! One pair on a reflector's connection: a segment of N bytes and a small one, back to back, in one
//! direction.
//!
//! Forward: both are pings, each answered when the reflector has *read* it. If the large one goes
//! first and is lost, the small one behind it cannot be read. But the reflector's kernel
//! acknowledges it selectively, and `tcpi_sacked` shows that the control has arrived.
//!
//! Reverse: the reflector writes both. If the large one goes first and is lost, the small one
//! arrives but cannot be read either. But our kernel has counted a segment with data
//! (`tcpi_data_segs_in`).
//!
//! Our kernel repeats an unacknowledged segment by itself, whole and at the same size (measured:
//! after 4 ms if a later one was acknowledged, else after 200 ms). That is one more chance for the
//! large one, and never causes a false hole. The kernel shrinks segments only after a router has
//! signalled, or from the third timeout on if `tcp_mtu_probing` is set; by then the connection has
//! been given up. A size that arrived only after the path MTU was reduced has not passed: it was
//! signalled.

use std::time::{Duration, Instant};

use super::{
    client::Connection,
    inbox::Ended,
    protocol::{Frame, SegmentCounts},
};
use crate::{
    model::types::Bytes,
    path::reflection::{Large, SegmentPair},
};

/// After the last byte of an answer, a copy of it may still arrive within this time.
const SETTLE: Duration = Duration::from_millis(1);

/// Whether the connection can be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing is stuck.
    Usable,
    /// The byte stream waits for a lost or late segment: a new connection is needed.
    Stuck(Awaited),
}

/// What would show that a stuck pair's large segment has arrived after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// Nothing: it was not sent.
    Nothing,
    /// The pong of that ping.
    Pong(u32),
    /// The segment itself.
    Large(u32),
}

impl Connection {
    /// Measures one pair to the reflector. `size` (bytes of IP packet) must not exceed what the
    /// kernel sends as one segment.
    pub async fn pair_forward(
        &mut self,
        size: Bytes,
        large_first: bool,
    ) -> Result<(SegmentPair, After), Ended> {
        let deadline = Instant::now() + self.patience();
        if !self.until_acknowledged(deadline).await? {
            return Ok((SegmentPair::VOID, After::Stuck(Awaited::Nothing)));
        }
        let before = self.tcp()?;
        if before.limit < size {
            return Ok((SegmentPair::VOID, After::Usable));
        }
        let (large_id, control_id) = (self.new_id(), self.new_id());
        for is_large in [large_first, !large_first] {
            let (id, size) = if is_large { (large_id, size) } else { (control_id, 0) };
            self.ping(id, size).await?;
        }
        let deadline = Instant::now() + self.patience();
        let (mut large, mut control) = (false, false);
        let ended = loop {
            match self.next_until(deadline).await {
                Ok(Some(Frame::Pong { id, .. })) if id == large_id => large = true,
                Ok(Some(Frame::Pong { id, .. })) if id == control_id => control = true,
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if large && control {
                break None;
            }
        };
        if let Some(error) = ended {
            return Err(error);
        }
        let after = self.tcp()?;
        // Of two segments only the second can be acknowledged selectively.
        let second = after.sacked > 0;
        let pair = SegmentPair {
            large: if after.path_mtu < size {
                Large::Signalled { mtu: after.path_mtu }
            } else if large || (second && !large_first) {
                Large::Passed
            } else {
                Large::Lost
            },
            control: control || (second && large_first),
        };
        let after = if large && control { After::Usable } else { After::Stuck(Awaited::Pong(large_id)) };
        Ok((pair, after))
    }

    /// Measures one pair from the reflector. `size` (bytes of IP packet) must not exceed what its
    /// kernel sends as one segment.
    pub async fn pair_reverse(
        &mut self,
        size: Bytes,
        large_first: bool,
    ) -> Result<(SegmentPair, After), Ended> {
        let id = self.new_id();
        let before = self.tcp()?;
        self.ask(id, size, large_first).await?;
        let patience = self.patience();
        // Lost segments of the request are repeated meanwhile; they are not what is measured.
        if !self.until_acknowledged(Instant::now() + 2 * patience).await? {
            // The request itself has not arrived.
            return Ok((SegmentPair::VOID, After::Stuck(Awaited::Nothing)));
        }
        let deadline = Instant::now() + patience;
        let (mut large, mut control) = (false, false);
        while !(large && control) {
            match self.next_until(deadline).await {
                Ok(Some(Frame::Large { id: answered, .. })) => large |= answered == id,
                Ok(Some(Frame::Pong { id: answered, .. })) => control |= answered == id,
                Ok(Some(_)) => {}
                // The deadline, or the reflector gave up because it saw no acknowledgement: what
                // has arrived so far counts.
                Ok(None) | Err(Ended::Io(_)) => break,
                Err(error) => return Err(error),
            }
        }
        let arrived = self.tcp()?.data_received.wrapping_sub(before.data_received);
        // A segment that has arrived but cannot be read is the second of the two.
        let second = arrived > 0 && !large && !control;
        let mut pair = SegmentPair {
            large: if large || (second && !large_first) { Large::Passed } else { Large::Lost },
            control: control || (second && large_first),
        };
        if !(large && control) {
            return Ok((pair, After::Stuck(Awaited::Large(id))));
        }
        if arrived > 2 {
            // Either a copy of one of them, or the large one arrived in parts because a router had
            // signalled.
            tokio::time::sleep(SETTLE).await;
            let SegmentCounts { path_mtu, .. } = self.small_exchange().await?;
            if path_mtu < size {
                pair.large = Large::Signalled { mtu: path_mtu };
            }
        }
        Ok((pair, After::Usable))
    }

    /// Whether the awaited segment has arrived by now. An error means that nothing more will
    /// arrive.
    pub(crate) async fn late(&mut self, awaited: Awaited) -> Result<bool, Ended> {
        loop {
            match self.next_until(Instant::now()).await? {
                Some(Frame::Pong { id, .. }) if awaited == Awaited::Pong(id) => return Ok(true),
                Some(Frame::Large { id, .. }) if awaited == Awaited::Large(id) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }
}
