//! Reads files that others name: completely, without waiting, and never more than a given size.
//!
//! A name in a configuration may lead to a pipe that nobody writes to, an endless device, or a disk
//! image. These functions block on the disk: call them off the async threads.

use std::{
    fmt,
    fs::{FileType, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;
use zeroize::Zeroizing;

/// Longest file in bytes: no key, certificate or list of hosts is longer.
pub const MOST_BYTES: u64 = 1 << 20;

/// Smallest buffer in bytes, for files whose reported length is too small.
const LEAST_BUFFER: usize = 8 << 10;

/// Why a file was not read. Its text names the file and what to do, never the content.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {why}; {}", file.display(), why.remedy())]
pub struct Unreadable {
    /// The file name as given.
    pub file: PathBuf,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum Why {
    /// The kernel refused.
    Io(io::Error),
    /// It is not a regular file, but this.
    NotRegular(&'static str),
    /// It has more bytes than this.
    TooLong(u64),
    /// It is not UTF-8.
    NotText,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::NotRegular(what) => write!(f, "it is {what}, and only a regular file is read"),
            Self::TooLong(most) => write!(f, "it has more than {most} bytes"),
            Self::NotText => f.write_str("it is not UTF-8 text"),
        }
    }
}

impl Why {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io(error) => match error.kind() {
                io::ErrorKind::NotFound => "put it there, or correct its name",
                io::ErrorKind::PermissionDenied => {
                    "let the user that runs this read it, or run this as a user that may, e.g. `sudo -u \
                     vxlan_exporter`; root has given up its right to read everything"
                }
                _ => "name a readable file",
            },
            Self::NotRegular(_) => "name a regular file, or a link to one",
            Self::TooLong(_) | Self::NotText => "see that it is the right file",
        }
    }

    /// Whether the file does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// The content of a regular file of at most `most` bytes; links are followed.
pub fn read(file: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    read_into(file, most, &mut bytes).map_err(|why| Unreadable { file: file.to_owned(), why })?;
    Ok(bytes)
}

/// Like [`read`], for content that must not stay in memory: it is wiped when dropped.
pub fn read_secret(file: &Path) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let mut bytes = Zeroizing::new(Vec::new());
    read_into(file, MOST_BYTES, &mut bytes).map_err(|why| Unreadable { file: file.to_owned(), why })?;
    Ok(bytes)
}

/// Like [`read_secret`], for text.
pub fn read_secret_text(file: &Path) -> Result<Zeroizing<String>, Unreadable> {
    let bytes = read_secret(file)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Unreadable { file: file.to_owned(), why: Why::NotText }),
    }
}

fn read_into(file: &Path, most: u64, bytes: &mut Vec<u8>) -> Result<(), Why> {
    // Opening a pipe this way does not wait, and a terminal does not become our controlling
    // terminal.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(file).map_err(|error| {
        // A socket, or a device without a driver: opening these fails before their type can be
        // checked.
        if error.raw_os_error() == Some(libc::ENXIO) {
            Why::NotRegular("a socket or a device")
        } else {
            Why::Io(error)
        }
    })?;
    let metadata = opened.metadata().map_err(Why::Io)?;
    if !metadata.is_file() {
        return Err(Why::NotRegular(kind(metadata.file_type())));
    }
    if metadata.len() > most {
        return Err(Why::TooLong(most));
    }
    // Allocated at once: a growing buffer would leave copies behind that are not wiped.
    bytes.reserve_exact(usize::try_from(metadata.len()).unwrap_or(0).max(LEAST_BUFFER));
    // It may have grown since, and files in /proc report no length.
    opened.take(most + 1).read_to_end(bytes).map_err(Why::Io)?;
    if bytes.len() as u64 > most { Err(Why::TooLong(most)) } else { Ok(()) }
}

fn kind(of: FileType) -> &'static str {
    if of.is_fifo() {
        "a named pipe"
    } else if of.is_dir() {
        "a directory"
    } else if of.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests;
