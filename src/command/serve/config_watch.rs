//! Whether the configuration file, or a path file that it names, has changed since it was last
//! read.
//!
//! It compares the content every few seconds. A `ConfigMap` volume changes it by a symbolic link
//! above the file, an editor by a new file of the same name, and no notification covers both.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::task::spawn_blocking;

use crate::{config::path_files, process::regular_file};

/// Time between two checks.
pub const LOOK: Duration = Duration::from_secs(2);

/// Watches one configuration.
#[derive(Debug)]
pub struct ConfigWatch {
    file: PathBuf,
    most_bytes: u64,
    read: SeenConfig,
    seen: SeenConfig,
}

/// The content, or why the file cannot be read, which counts as a content of its own.
type FileContent = Result<Vec<u8>, String>;

/// The configuration file and the path files that it names.
#[derive(Debug, Clone, Default)]
struct SeenConfig {
    file: Option<FileContent>,
    /// What the file says of path files.
    patterns: Vec<String>,
    path_files: Option<Result<Vec<path_files::PathFileContent>, (usize, String)>>,
}

impl PartialEq for SeenConfig {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.path_files == other.path_files
    }
}

impl ConfigWatch {
    /// Records the present content, which is about to be read.
    pub async fn new(file: PathBuf, most_bytes: u64) -> Self {
        let read = look(&file, most_bytes, SeenConfig::default()).await;
        Self { file, most_bytes, seen: read.clone(), read }
    }

    /// Records the present content again, before another reading.
    pub async fn begin(&mut self) {
        *self = Self::new(std::mem::take(&mut self.file), self.most_bytes).await;
    }

    /// Whether the content has changed and was the same in two checks. At the first the file may be
    /// half written, and an empty file is a valid configuration.
    pub async fn is_changed(&mut self) -> bool {
        let now = look(&self.file, self.most_bytes, self.seen.clone()).await;
        let before = std::mem::replace(&mut self.seen, now);
        self.seen == before && self.seen != self.read
    }
}

async fn look(file: &Path, most_bytes: u64, before: SeenConfig) -> SeenConfig {
    let file = file.to_owned();
    let read = spawn_blocking(move || SeenConfig::now(&file, most_bytes, before));
    read.await
        .unwrap_or_else(|error| SeenConfig { file: Some(Err(error.to_string())), ..SeenConfig::default() })
}

impl SeenConfig {
    /// The text is parsed anew only if it is another than before.
    fn now(file: &Path, most_bytes: u64, before: Self) -> Self {
        let content = regular_file::read(file, most_bytes).map_err(|error| error.to_string());
        let patterns = match &content {
            _ if before.file.as_ref() == Some(&content) => before.patterns,
            Ok(text) => path_files::patterns(text, file),
            Err(_) => Vec::new(),
        };
        let base = file.parent().unwrap_or(Path::new(""));
        let left = most_bytes.saturating_sub(content.as_ref().map_or(0, |text| text.len() as u64));
        let path_files = Some(path_files::read(base, &patterns, left));
        Self { file: Some(content), patterns, path_files }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    #[tokio::test]
    async fn a_config_map_is_swapped() {
        let volume = tempfile::tempdir().expect("a directory");
        let path = |name: &str| volume.path().join(name);
        for (version, text) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(path(version)).expect("made");
            fs::write(path(version).join("config.yml"), text).expect("written");
        }
        symlink("..1", path("..data")).expect("linked");
        symlink("..data/config.yml", path("config.yml")).expect("linked");
        let mut watch = ConfigWatch::new(path("config.yml"), 100).await;
        assert!(!watch.is_changed().await && !watch.is_changed().await);
        symlink("..2", path("..data_tmp")).expect("linked");
        fs::rename(path("..data_tmp"), path("..data")).expect("swapped");
        assert!(!watch.is_changed().await, "seen once");
        assert!(watch.is_changed().await && watch.is_changed().await, "until it is read");
        watch.begin().await;
        assert!(!watch.is_changed().await && !watch.is_changed().await);
    }

    #[tokio::test]
    async fn what_is_gone_again_was_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config.yml");
        fs::write(&file, "one").expect("written");
        let mut watch = ConfigWatch::new(file.clone(), 100).await;
        fs::write(&file, "").expect("written");
        assert!(!watch.is_changed().await);
        fs::write(&file, "one").expect("written");
        assert!(!watch.is_changed().await && !watch.is_changed().await);
        fs::remove_file(&file).expect("removed");
        assert!(!watch.is_changed().await && watch.is_changed().await);
    }

    #[tokio::test]
    async fn a_path_file_is_part_of_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("paths")).expect("made");
        fs::write(path("config.yml"), "site: a\npath_files: [paths/*.yml]\n").expect("written");
        let mut watch = ConfigWatch::new(path("config.yml"), 1000).await;
        assert!(!watch.is_changed().await && !watch.is_changed().await);
        let changes: [&dyn Fn(); 5] = [
            &|| fs::write(path("paths/a.yml"), "[]").expect("a new file"),
            &|| fs::write(path("paths/a.yml"), "- name: p").expect("another content"),
            &|| fs::write(path("paths/a.yml"), [b'#'; 1000]).expect("too long"),
            &|| fs::rename(path("paths/a.yml"), path("paths/b.yml")).expect("another name"),
            &|| fs::remove_file(path("paths/b.yml")).expect("no file"),
        ];
        for change in changes {
            change();
            assert!(!watch.is_changed().await, "seen once");
            assert!(watch.is_changed().await);
            watch.begin().await;
            assert!(!watch.is_changed().await && !watch.is_changed().await);
        }
        fs::write(path("paths/.b.yml.swp"), "- name: p").expect("what an editor writes");
        fs::write(path("paths/b.txt"), "- name: p").expect("another ending");
        assert!(!watch.is_changed().await && !watch.is_changed().await);
    }

    /// Regression: it hung on the pipe and noticed no further change.
    #[tokio::test]
    async fn what_cannot_be_read_is_a_change_and_so_is_what_can_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config.yml");
        fs::write(&file, "one").expect("written");
        let mut watch = ConfigWatch::new(file.clone(), 100).await;
        let unreadable: [&dyn Fn(); 3] = [
            &|| mkfifo(&file, Mode::S_IRUSR).expect("made"),
            &|| symlink("/dev/zero", &file).expect("linked"),
            &|| fs::write(&file, [b'#'; 101]).expect("written"),
        ];
        for make in unreadable {
            fs::remove_file(&file).expect("removed");
            make();
            assert!(!watch.is_changed().await && watch.is_changed().await, "not readable");
            watch.begin().await;
            assert!(!watch.is_changed().await && !watch.is_changed().await);
            fs::remove_file(&file).expect("removed");
            fs::write(&file, "one").expect("written");
            assert!(!watch.is_changed().await && watch.is_changed().await, "readable again");
            watch.begin().await;
        }
    }
}
