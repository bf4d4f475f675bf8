//! A broken rule: what is wrong at which key.

use super::{error::Mistake, position::Step};

/// Whether the rules hold.
pub(super) type Checked = Result<(), Mistake>;

/// The entry at these steps is wrong as a whole.
pub(super) fn broken<T>(steps: impl Into<Vec<Step>>, message: String) -> Result<T, Mistake> {
    Err(Mistake { steps: steps.into(), key: None, message })
}

/// A key of the entry at these steps is wrong.
pub(super) fn broken_key<T>(
    steps: impl Into<Vec<Step>>,
    key: &'static str,
    message: impl Into<String>,
) -> Result<T, Mistake> {
    Err(Mistake { steps: steps.into(), key: Some(key), message: message.into() })
}
