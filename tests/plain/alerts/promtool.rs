//! Runs promtool (Debian's `prometheus` package) over rule files and their unit tests.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use super::{
    precedence,
    rules::{self, RuleFile, yaml_files},
};

/// The rules and their tests in a directory of their own, with the generated test beside the
/// written ones.
pub struct Bench {
    directory: TempDir,
    /// The test files, by name.
    pub tests: Vec<String>,
}

impl Bench {
    pub fn new(files: &[RuleFile]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let tests = directory.path().join("tests");
        fs::create_dir(&tests)?;
        let source = rules::directory().join("tests");
        for name in yaml_files(&source)? {
            fs::copy(source.join(&name), tests.join(&name))?;
        }
        fs::write(tests.join(precedence::FILE), precedence::test_file())?;
        let bench = Self { tests: yaml_files(&tests)?, directory };
        for file in files {
            bench.put(file)?;
        }
        Ok(bench)
    }

    /// Writes a rule file again.
    pub fn put(&self, file: &RuleFile) -> Result<()> {
        let text = serde_yaml::to_string(file)?;
        fs::write(self.directory.path().join(&file.name), text).context(file.name.clone())
    }

    /// Whether a test file passes, and the output of promtool.
    pub fn test(&self, name: &str) -> Result<(bool, String)> {
        let path = self.path().join("tests").join(name);
        let output = promtool(&["test", "rules"], &path)?;
        Ok((output.status.success(), said(&output)))
    }

    /// The text of a test file.
    pub fn text(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path().join("tests").join(name))?)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

/// `promtool check rules`.
pub fn check(file: &Path) -> Result<()> {
    let output = promtool(&["check", "rules"], file)?;
    ensure!(output.status.success(), "{}", said(&output));
    Ok(())
}

/// One core and no garbage collection: each run is short, and there are many.
fn promtool(arguments: &[&str], file: &Path) -> Result<Output> {
    Command::new("promtool")
        .args(arguments)
        .arg(file)
        .envs([("GOMAXPROCS", "1"), ("GOGC", "off")])
        .output()
        .context("running promtool; `make setup` installs it")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
