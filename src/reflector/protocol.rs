//! The frames between a prober and a reflector. Pure: bytes in, frames out.
//!
//! A frame is one byte of kind, two bytes of total length (big endian), its fields, and padding up
//! to that length. Padding makes the reflector useless as an amplifier: a request is refused unless
//! it is at least as long as what it asks for. All frames of the reflector except the measured ones
//! have the same small length.

#[cfg(test)]
mod tests;

use crate::model::types::Bytes;

/// Starts the first frame, so that a stray connection is recognised at once.
const MAGIC: [u8; 4] = *b"VXRF";

/// Version of this protocol; both ends must have the same. Version 2: both ends prove the secret,
/// and each later frame carries a tag derived from it.
pub const VERSION: u8 = 2;

/// Payload bytes of a small segment: with 52 bytes of IPv4 and TCP headers 100 bytes of IP packet.
pub(crate) const SMALL: usize = 48;

/// Payload bytes of a segment that only pads a request: 500 bytes of IP packet with IPv6 headers.
pub(crate) const PADDING_SEGMENT: usize = 428;

/// Sizes that may be requested, in bytes of IP packet.
pub(crate) const SIZES: std::ops::RangeInclusive<Bytes> = 128..=9216;

/// Bytes of a hello: two padding segments, the credit that pays for later retransmissions.
pub(crate) const HELLO: usize = 2 * PADDING_SEGMENT;

/// A request is this many times as long as what it asks for: once for the answer, once for a
/// retransmission, which the reflector's kernel may send before the reflector can give up.
const PAD: usize = 2;

/// The longest frame, bytes.
pub const LONGEST: usize = PAD * 9216;

const HEAD: usize = 3;

/// Bytes of a measuring frame that hold its tag, after all its fields; zeros if there is no secret.
pub(crate) const TAG: std::ops::Range<usize> = 24..40;

/// A random value that prevents the reuse of an answer to a challenge.
pub(crate) type Nonce = [u8; 16];

/// An HMAC-SHA256.
pub(crate) type SecretProof = [u8; 32];

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Prober: opens the greeting.
    Hello {
        /// Protocol version.
        version: u8,
        /// The prober's half of the challenge.
        nonce: Nonce,
    },
    /// Reflector: asks for proof of the secret.
    Challenge {
        /// The reflector's half of the challenge.
        nonce: Nonce,
    },
    /// Prober: the proof of the secret.
    Proof(SecretProof),
    /// Reflector: ready to measure; with its own proof, zeros if it has no secret.
    Welcome(Welcome, SecretProof),
    /// Reflector: refuses, with the reason; the connection ends.
    Refused(RefusalReason),
    /// Prober: a measured segment. The reflector answers when it has read it.
    Ping {
        /// Returned in the answer.
        id: u32,
        /// Length of the frame, bytes.
        len: usize,
    },
    /// Reflector: it has read that ping, or this is the control beside a large segment.
    Pong {
        /// The id of the ping or of the request.
        id: u32,
        /// The counters of the reflector's kernel so far.
        counts: SegmentCounts,
    },
    /// Prober: requests one segment of `size` and a small control.
    Send {
        /// Returned in both.
        id: u32,
        /// Size of the large segment, in bytes of IP packet.
        size: Bytes,
        /// Whether the large one goes first.
        large_first: bool,
    },
    /// Reflector: a measured segment.
    Large {
        /// The id of the request.
        id: u32,
        /// Length of the frame, bytes.
        len: usize,
    },
}

/// A reflector's values for a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Welcome {
    /// MTU in bytes of the interface with the address that the prober has reached; 0 if it is not
    /// known.
    pub interface_mtu: Bytes,
    /// The largest packet that the reflector's kernel sends on this connection, in bytes of IP
    /// packet.
    pub limit: Bytes,
    /// The path MTU that its kernel assumes for this connection, in bytes of IP packet.
    pub path_mtu: Bytes,
}

/// Counters of the reflector's kernel for this connection, from before it sent the frame (RFC
/// 4898).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SegmentCounts {
    /// Segments with data received, including repeated ones; modulo 2^32.
    pub received: u32,
    /// Segments with data sent, including repeated ones; modulo 2^32.
    pub sent: u32,
    /// The path MTU that it assumes at present, in bytes of IP packet.
    pub path_mtu: Bytes,
}

/// Why a reflector refuses to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// The two speak different versions.
    #[error(
        "it speaks another version of the protocol than ours ({VERSION}): run the same version of vxlan_exporter at both ends"
    )]
    Version,
    /// The proof is wrong.
    #[error("it has another secret")]
    Secret,
    /// No place is free for another peer that knows the secret.
    #[error("all its connections are taken by other peers with the secret")]
    Full,
    /// A reason that a later version introduced.
    #[error("for a reason this version does not know")]
    Other,
}

/// Bytes that are not this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// An unknown kind.
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
    /// A size that is never requested.
    #[error("a request for a packet of {0} bytes")]
    Size(Bytes),
}

impl Welcome {
    /// Its fields in wire format.
    #[must_use]
    pub(crate) fn bytes(&self) -> [u8; 12] {
        let mut out = [0; 12];
        let fields = [self.interface_mtu, self.limit, self.path_mtu];
        for (place, field) in out.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        out
    }

    /// Whether a host can have these values.
    #[must_use]
    pub(crate) fn is_possible(&self) -> bool {
        // From IPv4's minimum MTU (RFC 791) to the MTU of Linux's loopback; a packet must have room
        // for TCP and a byte of data.
        let mtu = 68..=65_536;
        (self.interface_mtu == 0 || mtu.contains(&self.interface_mtu))
            && mtu.contains(&self.path_mtu)
            && (SIZES.start()..=&65_575).contains(&&self.limit)
    }
}

impl Frame {
    /// Its wire format, padded.
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
                RefusalReason::Version => 1,
                RefusalReason::Secret => 2,
                RefusalReason::Full => 3,
                RefusalReason::Other => 0,
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

    /// The first frame in `bytes` and its length; `None` while it is incomplete.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        // A stray client is recognised before it has sent a whole frame.
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

    /// The length it is padded to, in bytes.
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

/// Length in bytes of a request for a packet of `size` bytes and its control.
fn asked_length(size: Bytes) -> usize {
    PAD * usize::try_from(size).unwrap_or(usize::MAX / PAD)
}

/// The fields of a frame that are left to parse.
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

    /// Parses a frame; `None` if it is too short for its fields.
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
                1 => RefusalReason::Version,
                2 => RefusalReason::Secret,
                3 => RefusalReason::Full,
                _ => RefusalReason::Other,
            }),
            6 => Frame::Ping { id: self.number()?, len },
            PONG_KIND => Frame::Pong {
                id: self.number()?,
                counts: SegmentCounts {
                    received: self.number()?,
                    sent: self.number()?,
                    path_mtu: self.number()?,
                },
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
