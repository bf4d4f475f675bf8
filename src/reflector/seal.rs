//! The tag of each frame after the greeting, if there is a secret. It shows that the frame comes
//! from the end that has proven the secret, in this session, in this order. Pure.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::protocol::TAG;

/// Tags the frames of one direction of one session, in order.
#[derive(Clone)]
pub(crate) struct Seal {
    mac: Hmac<Sha256>,
    frames: u64,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// Starts with that session key.
    #[must_use]
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // HMAC pads a key with zeros to the block length (RFC 2104).
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        let mac = Hmac::new(&block.into());
        Self { mac, frames: 0 }
    }

    /// Writes the tag of the next frame into it.
    pub(crate) fn stamp(&mut self, frame: &mut [u8]) {
        let tag = self.next(frame).finalize().into_bytes();
        if let Some(place) = frame.get_mut(TAG) {
            place.copy_from_slice(&tag[..TAG.len()]);
        }
    }

    /// Whether a frame carries the tag expected next, compared in constant time.
    #[must_use]
    pub(crate) fn fits(&mut self, frame: &[u8]) -> bool {
        let mac = self.next(frame);
        frame.get(TAG).is_some_and(|tag| mac.verify_truncated_left(tag).is_ok())
    }

    fn next(&mut self, frame: &[u8]) -> Hmac<Sha256> {
        let number = self.frames;
        self.frames += 1;
        let fields = frame.get(..TAG.start).unwrap_or_default();
        self.mac.clone().chain_update(number.to_be_bytes()).chain_update(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reflector::protocol::{Frame, SegmentCounts};

    fn frames() -> [Vec<u8>; 2] {
        [1, 2].map(|id| Frame::Pong { id, counts: SegmentCounts::default() }.encode())
    }

    #[test]
    fn only_the_same_key_frame_and_place_fit() {
        let (mut ours, mut theirs) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        for mut frame in frames() {
            ours.stamp(&mut frame);
            assert!(theirs.clone().fits(&frame));
            assert!(!Seal::new(&[2; 32]).fits(&frame));
            let mut changed = frame.clone();
            changed[10] ^= 1;
            assert!(!theirs.clone().fits(&changed));
            assert!(theirs.fits(&frame));
            assert!(!theirs.clone().fits(&frame), "the same again");
        }
        let [unstamped, _] = frames();
        assert!(!theirs.fits(&unstamped) && !theirs.fits(&[]));
    }
}
