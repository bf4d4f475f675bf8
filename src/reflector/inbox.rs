//! Receives frames on a connection, at either end.

use std::io;

use tokio::net::TcpStream;

use super::{
    protocol::{Frame, LONGEST, ProtocolError},
    seal::Seal,
};

/// Bytes received but not taken yet: at most one longest frame plus one read.
#[derive(Debug, Default)]
pub(crate) struct FrameBuffer {
    bytes: Vec<u8>,
    seal: Option<Seal>,
}

/// Why no more frames are received.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was received is not the protocol.
    #[error("sent {0}")]
    Protocol(#[from] ProtocolError),
    /// A frame without the tag that only the end that proved the secret can make.
    #[error("sent a frame that does not belong to the session in which the secret was proven")]
    Forged,
    /// A reflector has sent more than was requested.
    #[error("sent data that was not requested")]
    Unasked,
}

impl Ended {
    /// Whether the other end has broken the rules, as opposed to a network failure.
    #[must_use]
    pub(crate) fn is_misbehaviour(&self) -> bool {
        !matches!(self, Self::Io(_))
    }
}

impl FrameBuffer {
    /// Accepts only frames with a correct tag from now on.
    pub(crate) fn seal(&mut self, seal: Seal) {
        self.seal = Some(seal);
    }

    /// The next frame. The future may be dropped and created again without losing data. `read` is
    /// called with the number of bytes of each read.
    pub(crate) async fn next(
        &mut self,
        stream: &TcpStream,
        mut read: impl FnMut(usize),
    ) -> Result<Frame, Ended> {
        loop {
            if let Some((frame, len)) = Frame::decode(&self.bytes)? {
                let is_theirs = match &mut self.seal {
                    Some(seal) => seal.fits(self.bytes.get(..len).unwrap_or_default()),
                    None => true,
                };
                self.bytes.drain(..len);
                return if is_theirs { Ok(frame) } else { Err(Ended::Forged) };
            }
            stream.readable().await?;
            let mut chunk = [0; 4096];
            match stream.try_read(&mut chunk) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => {
                    read(count);
                    self.bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    debug_assert!(self.bytes.len() <= LONGEST + chunk.len());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
