//! `path_files`: files with further paths, in the form of `paths`, which tools may write.
//!
//! Each file holds a list. Its paths are appended to those of the configuration, so that all rules
//! between keys hold for all paths; [`Written`] knows which file an entry is written in.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern, glob_with};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::{
    ConfigError, bounds,
    error::Mistake,
    position::Step::{Index, Key},
    schema::{self, Schema},
    unmarked,
    value::WILD,
};
use crate::process::regular_file::{self, Why};

/// Most path files.
const MOST_FILES: usize = 1000;

/// Hidden files are left out: an editor keeps what is half written in one.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A file and its content.
pub(crate) type PathFileContent = (PathBuf, Vec<u8>);

/// The files that a pattern names, in alphabetical order. A name without a pattern is taken as it
/// is.
pub(super) fn found(base: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let (directory, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let root = if pattern.starts_with('/') { "/" } else { "" };
    let directory = base.join(root).join(directory);
    if !last.contains(WILD) {
        return Ok(vec![directory.join(last)]);
    }
    let seen = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
    if !seen.is_dir() {
        return Err(format!("there is no directory {}: make it, or correct the name", directory.display()));
    }
    let text =
        directory.to_str().ok_or("the name of its directory is not UTF-8: choose another directory")?;
    let whole = Path::new(&Pattern::escape(text)).join(last);
    let paths = glob_with(&whole.to_string_lossy(), MATCHING).map_err(|error| error.msg.to_owned())?;
    let files = paths.take(MOST_FILES + 1).collect::<Result<Vec<_>, _>>();
    files.map_err(|error| format!("cannot read {}: {}", error.path().display(), error.error()))
}

/// The content of all files that these patterns name, each file once, of at most `left` bytes
/// together. An error names the pattern by its place.
pub(crate) fn read(
    base: &Path,
    patterns: &[String],
    mut left: u64,
) -> Result<Vec<PathFileContent>, (usize, String)> {
    let mut contents: Vec<PathFileContent> = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        for file in found(base, pattern).map_err(|why| (index, why))? {
            if contents.iter().any(|(known, _)| *known == file) {
                continue;
            }
            if contents.len() == MOST_FILES {
                let message = format!("more than {MOST_FILES} path files: put several lists into one");
                return Err((index, message));
            }
            let bytes = regular_file::read(&file, left).map_err(|error| (index, unreadable(&error)))?;
            left = left.saturating_sub(bytes.len() as u64);
            contents.push((file, bytes));
        }
    }
    Ok(contents)
}

fn unreadable(error: &regular_file::Unreadable) -> String {
    match error.why {
        Why::TooLong(_) => format!(
            "the configuration and its path files up to {} are too long together: allow more with --config.max-size, if \
             these are the right files",
            error.file.display()
        ),
        _ => error.to_string(),
    }
}

/// The patterns of a configuration, of what is understood of it.
pub(crate) fn patterns(text: &[u8], path: &Path) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(text) else { return Vec::new() };
    super::schema(unmarked(text), path).map(|schema| of(&schema)).unwrap_or_default()
}

fn of(schema: &Schema) -> Vec<String> {
    schema.path_files().iter().map(|pattern| pattern.0.clone()).collect()
}

/// The texts that a configuration was read from, and which of them holds which path.
#[derive(Debug)]
pub(super) struct Written<'t> {
    file: &'t Path,
    text: &'t str,
    /// How many paths the configuration file itself holds.
    own: usize,
    more: Vec<PathFile>,
}

#[derive(Debug)]
struct PathFile {
    name: PathBuf,
    text: String,
    paths: usize,
}

/// One of the texts.
#[derive(Debug, Clone, Copy)]
struct WrittenIn<'w> {
    file: &'w Path,
    text: &'w str,
}

impl<'t> Written<'t> {
    /// A configuration without path files.
    pub(super) fn alone(file: &'t Path, text: &'t str, own: usize) -> Self {
        Self { file, text, own, more: Vec::new() }
    }

    /// The path files, and how many paths each holds.
    pub(super) fn into_counts(self) -> Vec<(PathBuf, usize)> {
        self.more.into_iter().map(|file| (file.name, file.paths)).collect()
    }

    /// Reads the path files and appends their paths. All texts have at most `most` bytes together.
    pub(super) fn read_path_files(
        &mut self,
        schema: &mut Schema,
        base: &Path,
        most: u64,
    ) -> Result<(), ConfigError> {
        let left = most.saturating_sub(self.text.len() as u64);
        let contents = read(base, &of(schema), left).map_err(|(index, message)| {
            let steps = vec![Key("path_files"), Index(index)];
            Mistake { steps, key: None, message }.at(self.text, self.file)
        })?;
        for (name, bytes) in contents {
            let text = String::from_utf8(bytes).map_err(|error| {
                ConfigError::not_utf8(&name, error.as_bytes(), error.utf8_error().valid_up_to())
            })?;
            let text = unmarked(&text).to_owned();
            bounds::admit_too(&text, &name)?;
            let paths = serde_yaml::from_str::<Option<PathList>>(&text)
                .map_err(|error| ConfigError::from_yaml(&error, &text, &name))?
                .map_or_else(Vec::new, |list| list.0);
            self.more.push(PathFile { name, text, paths: paths.len() });
            schema.paths.get_or_insert_default().extend(paths);
        }
        self.each_name_once(schema)
    }

    /// No two files give a path the same name.
    fn each_name_once(&self, schema: &Schema) -> Result<(), ConfigError> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, path) in schema.paths().iter().enumerate() {
            let Some(first) = seen.insert(&path.name.0, index) else { continue };
            let (one, other) = (self.place(first).0, self.place(index).0);
            if std::ptr::eq(one.text, other.text) {
                continue;
            }
            let at = |index| Mistake {
                steps: vec![Key("paths"), Index(index), Key("name")],
                key: None,
                message: String::new(),
            };
            let line =
                self.placed(at(first)).position().map_or(String::new(), |(line, _)| format!(" line {line}"));
            let message = format!(
                "the name {:?} is given to two paths, the other is in {}{line}: give each its own",
                path.name.0,
                one.file.display()
            );
            return Err(self.placed(Mistake { message, ..at(index) }));
        }
        Ok(())
    }

    /// The text with the path of that index, and its index there.
    fn place(&self, index: usize) -> (WrittenIn<'_>, usize) {
        let own = WrittenIn { file: self.file, text: self.text };
        let Some(mut rest) = index.checked_sub(self.own) else { return (own, index) };
        for file in &self.more {
            match rest.checked_sub(file.paths) {
                Some(further) => rest = further,
                None => return (WrittenIn { file: &file.name, text: &file.text }, rest),
            }
        }
        (own, index)
    }

    /// The error with its place in the right text.
    pub(super) fn placed(&self, mut mistake: Mistake) -> ConfigError {
        if let [Key("paths"), Index(index), ..] = mistake.steps[..]
            && index >= self.own
        {
            let (place, index) = self.place(index);
            mistake.steps.splice(..2, [Index(index)]);
            return mistake.at(place.text, place.file);
        }
        if mistake.steps.is_empty() && mistake.key == Some("paths") && self.own == 0 {
            mistake.key = Some("path_files");
        }
        mistake.at(self.text, self.file)
    }
}

/// The whole of a path file.
struct PathList(Vec<schema::Path>);

impl<'de> Deserialize<'de> for PathList {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(PathListVisitor).map(Self)
    }
}

struct PathListVisitor;

impl<'de> Visitor<'de> for PathListVisitor {
    type Value = Vec<schema::Path>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of paths as below `paths`: `- name: …`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut paths = Vec::new();
        while let Some(path) = list.next_element()? {
            paths.push(path);
        }
        Ok(paths)
    }
}
