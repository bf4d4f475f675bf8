//! `paths/*.yml`: which files `path_files` names.

use glob::Pattern;

use super::file_name;

/// What makes the last part of a name a pattern.
pub(crate) const WILD: [char; 3] = ['*', '?', '['];

/// Only the last part may be a pattern: a search of whole trees, every two seconds, has no bound.
pub(super) fn file_pattern(text: &str) -> Result<String, String> {
    let text = file_name(text)?;
    let (directory, last) = text.rsplit_once('/').unwrap_or(("", &text));
    if directory.contains(WILD) || last.contains("**") {
        return Err(format!(
            "{text:?} searches more than one directory: name each, a pattern is allowed only in the last part, e.g. \
             paths/*.yml"
        ));
    }
    if last.is_empty() {
        return Err(format!("{text:?} names a directory: write {text}*.yml for the files in it"));
    }
    match Pattern::new(last) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("{text:?} is no pattern ({}): write e.g. paths/*.yml", error.msg)),
    }
}
