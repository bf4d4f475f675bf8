//! Certificates and keys, in files or in the web configuration itself.

use std::{fmt, path::PathBuf};

use zeroize::Zeroizing;

/// Where PEM text is.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// In a file.
    File(PathBuf),
    /// In the web configuration itself.
    Here(Zeroizing<String>),
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Here(_) => f.write_str("written here"),
        }
    }
}
