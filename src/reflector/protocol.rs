//! What the bytes between a prober and a reflector mean. Pure: bytes in, frames out.
//!
//! A frame is one byte of kind, two bytes of its whole length (big endian), its fields, and padding up to
//! that length. Padding is what keeps the reflector useless as an amplifier: a frame that asks for
//! something is refused unless it is at least as long as what it asks for. A frame of the reflector that
//! is not a measured one has always the same small length.

#[cfg(test)]
mod tests;

use crate::model::types::Bytes;

/// Speaks first, so that a stray connection is told apart at once.
const MAGIC: [u8; 4] = *b"VXRF";

/// Of this protocol; both ends must have the same. 2: both ends prove the secret, and each frame after
/// that carries a tag of it.
pub const VERSION: u8 = 2;

/// Payload of a small segment, bytes: with 52 bytes of IPv4 and TCP headers 100 bytes of IP packet.
pub const SMALL: usize = 48;

/// Payload of a segment that only pads a request, bytes: 500 bytes of IP packet with IPv6's headers.
pub const PADDING_SEGMENT: usize = 428;

/// Bytes of IP packet that may be asked for.
pub const SIZES: std::ops::RangeInclusive<Bytes> = 128..=9216;

/// A hello is as long as two padding segments: the credit that pays for later retransmissions.
pub const HELLO: usize = 2 * PADDING_SEGMENT;

/// A request is so many times as long as what it asks for: once for the answer, once for a
/// retransmission, which the reflector's kernel may send before the reflector can give up.
const PAD: usize = 2;

/// The longest frame, bytes.
pub const LONGEST: usize = PAD * 9216;

const HEAD: usize = 3;

/// Where a frame of the measurement carries its tag, behind all its fields; zeros where there is no secret.
pub const TAG: std::ops::Range<usize> = 24..40;

/// A random value that keeps an answer to a challenge from being used twice.
pub type Nonce = [u8; 16];

/// HMAC-SHA256.
pub type Proof = [u8; 32];

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Prober: what I speak.
    Hello {
        /// Protocol version.
        version: u8,
        /// The prober's half of the challenge.
        nonce: Nonce,
    },
    /// Reflector: prove that you know the secret.
    Challenge {
        /// The reflector's half of the challenge.
        nonce: Nonce,
    },
    /// Prober: the proof.
    Proof(Proof),
    /// Reflector: measure; and its own proof, zeros where it has no secret.
    Welcome(Welcome, Proof),
    /// Reflector: no, and why; the connection ends.
    Refused(Refusal),
    /// Prober: a measured segment. The reflector says that it has read it.
    Ping {
        /// Comes back in the answer.
        id: u32,
        /// Length of the frame, bytes.
        len: usize,
    },
    /// Reflector: has read that ping, or goes beside a large segment as its control.
    Pong {
        /// The ping's, or the request's.
        id: u32,
        /// What the reflector's kernel has counted so far.
        counts: Counts,
    },
    /// Prober: send me one segment of `size` and a small control.
    Send {
        /// Comes back in both.
        id: u32,
        /// Bytes of IP packet.
        size: Bytes,
        /// Which of the two goes first.
        large_first: bool,
    },
    /// Reflector: a measured segment.
    Large {
        /// The request's.
        id: u32,
        /// Length of the frame, bytes.
        len: usize,
    },
}

/// What a reflector says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Welcome {
    /// MTU of the interface that has the address the prober has reached; 0 if that is not known.
    pub interface_mtu: Bytes,
    /// The largest packet the reflector's kernel sends on this connection, bytes of IP packet.
    pub limit: Bytes,
    /// The path MTU its kernel assumes for this connection, bytes of IP packet.
    pub path_mtu: Bytes,
}

/// What the reflector's kernel has counted on this connection before it sent the frame (RFC 4898).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Segments with data received, repeated ones too; modulo 2^32.
    pub received: u32,
    /// Segments with data sent, repeated ones too; modulo 2^32.
    pub sent: u32,
    /// The path MTU it assumes now, bytes of IP packet.
    pub path_mtu: Bytes,
}

/// Why a reflector does not measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The two speak different versions.
    #[error(
        "it speaks another version of the protocol than ours ({VERSION}): run the same version of vxlan_exporter at both ends"
    )]
    Version,
    /// The proof is wrong.
    #[error("it has another secret")]
    Secret,
    /// No place is free for one more who knows the secret.
    #[error("all its places are taken by others who know the secret")]
    Full,
    /// A reason of a later version.
    #[error("for a reason this version does not know")]
    Other,
}

/// Bytes that are not this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A kind that does not exist.
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
    /// Shorter than its fields or than what it asks for, or longer than any frame.
    #[error("a frame of kind {kind} with {len} bytes")]
    Length {
        /// Its kind.
        kind: u8,
        /// Its claimed length, bytes.
        len: usize,
    },
    /// Not a hello of this protocol.
    #[error("not the reflector's protocol")]
    Magic,
    /// A size that is never asked for.
    #[error("a request for a packet of {0} bytes")]
    Size(Bytes),
}

impl Welcome {
    /// Its fields as they travel.
    #[must_use]
    pub fn bytes(&self) -> [u8; 12] {
        let mut out = [0; 12];
        let fields = [self.interface_mtu, self.limit, self.path_mtu];
        for (place, field) in out.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        out
    }

    /// Whether a host can be like that.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        // The least MTU of IPv4 (RFC 791), the largest of Linux's loopback; a packet of TCP that holds a byte.
        let mtu = 68..=65_536;
        (self.interface_mtu == 0 || mtu.contains(&self.interface_mtu))
            && mtu.contains(&self.path_mtu)
            && (SIZES.start()..=&65_575).contains(&&self.limit)
    }
}

impl Frame {
    /// Its bytes, padded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.kind(), 0, 0];
        match self {
            Self::Hello { version, nonce } => {
                out.extend(MAGIC);
                out.push(*version);
                out.extend(nonce);
            }
            Self::Challenge { nonce } => out.extend(nonce),
            Self::Proof(proof) => out.extend(proof),
            Self::Welcome(welcome, proof) => {
                out.extend(welcome.bytes());
                out.extend(proof);
            }
            Self::Refused(refusal) => out.push(match refusal {
                Refusal::Version => 1,
                Refusal::Secret => 2,
                Refusal::Full => 3,
                Refusal::Other => 0,
            }),
            Self::Ping { id, .. } | Self::Large { id, .. } => out.extend(id.to_be_bytes()),
            Self::Pong { id, counts } => {
                for number in [*id, counts.received, counts.sent, counts.path_mtu] {
                    out.extend(number.to_be_bytes());
                }
            }
            Self::Send { id, size, large_first } => {
                out.extend(id.to_be_bytes());
                out.extend(size.to_be_bytes());
                out.push(u8::from(*large_first));
            }
        }
        out.resize(self.padded().clamp(out.len(), LONGEST), 0);
        let len = u16::try_from(out.len()).unwrap_or(u16::MAX);
        out[1..HEAD].copy_from_slice(&len.to_be_bytes());
        out
    }

    /// The first frame of `bytes` and its length, or `None` while it is not all there.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        // A stray client need not send a whole frame to be told apart.
        if bytes.first() == Some(&HELLO_KIND) {
            let magic = bytes.get(HEAD..).unwrap_or_default();
            if magic.iter().zip(&MAGIC).any(|(is, should)| is != should) {
                return Err(ProtocolError::Magic);
            }
        }
        let Some((head, _)) = bytes.split_first_chunk::<HEAD>() else {
            return match bytes.first() {
                Some(kind) if !(HELLO_KIND..=LARGE_KIND).contains(kind) => Err(ProtocolError::Kind(*kind)),
                _ => Ok(None),
            };
        };
        let (kind, len) = (head[0], usize::from(u16::from_be_bytes([head[1], head[2]])));
        let least = match kind {
            HELLO_KIND => HELLO,
            SEND_KIND => PAD * 128,
            2..=6 | PONG_KIND | LARGE_KIND => SMALL,
            _ => return Err(ProtocolError::Kind(kind)),
        };
        let wrong = ProtocolError::Length { kind, len };
        if !(least..=LONGEST).contains(&len) {
            return Err(wrong);
        }
        let Some(frame) = bytes.get(..len) else { return Ok(None) };
        let mut fields = Fields(frame.get(HEAD..).unwrap_or_default());
        let frame = fields.frame(kind, len).ok_or(wrong)??;
        Ok(Some((frame, len)))
    }

    /// The length it is padded to, bytes.
    fn padded(&self) -> usize {
        match self {
            Self::Hello { .. } => HELLO,
            Self::Proof(_) => PADDING_SEGMENT,
            Self::Ping { len, .. } | Self::Large { len, .. } => (*len).max(SMALL),
            Self::Send { size, .. } => asked_length(*size),
            Self::Challenge { .. } | Self::Welcome(..) | Self::Refused(_) | Self::Pong { .. } => SMALL,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => HELLO_KIND,
            Self::Challenge { .. } => 2,
            Self::Proof(_) => 3,
            Self::Welcome(..) => 4,
            Self::Refused(_) => 5,
            Self::Ping { .. } => 6,
            Self::Pong { .. } => PONG_KIND,
            Self::Send { .. } => SEND_KIND,
            Self::Large { .. } => LARGE_KIND,
        }
    }
}

const HELLO_KIND: u8 = 1;
const PONG_KIND: u8 = 7;
const SEND_KIND: u8 = 8;
const LARGE_KIND: u8 = 9;

/// Length of a request for a packet of `size` bytes and its control.
fn asked_length(size: Bytes) -> usize {
    PAD * usize::try_from(size).unwrap_or(usize::MAX / PAD)
}

/// The rest of a frame's fields.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    /// `None` where the frame is too short for its fields.
    fn frame(&mut self, kind: u8, len: usize) -> Option<Result<Frame, ProtocolError>> {
        Some(Ok(match kind {
            HELLO_KIND => {
                let _: [u8; 4] = self.take()?;
                Frame::Hello { version: self.take::<1>()?[0], nonce: self.take()? }
            }
            2 => Frame::Challenge { nonce: self.take()? },
            3 => Frame::Proof(self.take()?),
            4 => Frame::Welcome(
                Welcome { interface_mtu: self.number()?, limit: self.number()?, path_mtu: self.number()? },
                self.take()?,
            ),
            5 => Frame::Refused(match self.take::<1>()?[0] {
                1 => Refusal::Version,
                2 => Refusal::Secret,
                3 => Refusal::Full,
                _ => Refusal::Other,
            }),
            6 => Frame::Ping { id: self.number()?, len },
            PONG_KIND => Frame::Pong {
                id: self.number()?,
                counts: Counts { received: self.number()?, sent: self.number()?, path_mtu: self.number()? },
            },
            SEND_KIND => {
                let (id, size, large_first) = (self.number()?, self.number()?, self.take::<1>()?[0] != 0);
                if !SIZES.contains(&size) {
                    return Some(Err(ProtocolError::Size(size)));
                }
                if len < asked_length(size) {
                    return Some(Err(ProtocolError::Length { kind, len }));
                }
                Frame::Send { id, size, large_first }
            }
            _ => Frame::Large { id: self.number()?, len },
        }))
    }
}
