//! Compresses with zstd what is written.

use std::io::{self, Write};

use ruzstd::encoding::{CompressionLevel, compress};

/// Each of these many bytes becomes a frame; frames one after the other are what zstd is (RFC 8878
/// section 3.1), and only one of them is in memory uncompressed.
const FRAME: usize = 1 << 20;

/// Frames on their way.
#[derive(Debug, Default)]
pub(super) struct ZstdFrames {
    pending: Vec<u8>,
    packed: Vec<u8>,
}

impl ZstdFrames {
    fn pack(&mut self) {
        compress(&*self.pending, &mut self.packed, CompressionLevel::Fastest);
        self.pending.clear();
    }

    /// All of them.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if !self.pending.is_empty() || self.packed.is_empty() {
            self.pack();
        }
        self.packed
    }
}

impl Write for ZstdFrames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(FRAME - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        if self.pending.len() == FRAME {
            self.pack();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use ruzstd::decoding::StreamingDecoder;

    use super::*;

    fn unpacked(mut packed: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        while !packed.is_empty() {
            let mut frame = StreamingDecoder::new(&mut packed).expect("a frame");
            frame.read_to_end(&mut all).expect("read");
        }
        all
    }

    #[test]
    fn what_is_packed_is_what_was_written() {
        for length in [0, 1, 1000, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 7] {
            let text: Vec<u8> = (0..length).map(|place| (place * place % 251).to_le_bytes()[0]).collect();
            let mut frames = ZstdFrames::default();
            for piece in text.chunks(64 << 10) {
                frames.write_all(piece).expect("written");
            }
            let packed = frames.finish();
            assert!(unpacked(&packed) == text, "{length} bytes, {} packed", packed.len());
        }
    }
}
