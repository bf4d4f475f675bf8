//! Files of this project that a program in the folder `source` beside them writes.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};

/// Holds the files of a folder with this extension against what its `source` makes, but for those `written_by_hand`.
pub fn makes(folder: &Path, extension: &str, written_by_hand: &[&str]) -> Result<()> {
    let source = folder.join("source");
    let made = tempfile::tempdir()?;
    let status = Command::new("python3").arg("-B").arg(&source).arg(made.path()).status();
    let status = status.context("running python3")?;
    ensure!(status.success(), "{}: {status}", source.display());
    let mut made_names = names(made.path(), extension)?;
    for name in &made_names {
        let same = fs::read(made.path().join(name))? == fs::read(folder.join(name))?;
        ensure!(same, "{}/{name} differs from its source: `make` it", folder.display());
    }
    made_names.extend(written_by_hand.iter().map(|&name| name.to_owned()));
    ensure!(made_names == names(folder, extension)?, "{} makes {made_names:?}", source.display());
    Ok(())
}

fn names(folder: &Path, extension: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            let name = path.file_name().unwrap_or_default();
            names.insert(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}
