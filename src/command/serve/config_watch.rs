//! Whether the configuration file has changed since it was last read.
//!
//! It compares the content every few seconds. A `ConfigMap` volume changes it by a symbolic link
//! above the file, an editor by a new file of the same name, and no notification covers both.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::task::spawn_blocking;

use crate::process::regular_file;

/// Time between two checks.
pub const LOOK: Duration = Duration::from_secs(2);

/// Watches one file.
#[derive(Debug)]
pub struct ConfigWatch {
    file: PathBuf,
    most_bytes: u64,
    read: FileContent,
    seen: FileContent,
}

/// The content, or why the file cannot be read, which counts as a content of its own.
type FileContent = Result<Vec<u8>, String>;

impl ConfigWatch {
    /// Records the present content, which is about to be read.
    pub async fn new(file: PathBuf, most_bytes: u64) -> Self {
        let read = content(&file, most_bytes).await;
        Self { file, most_bytes, seen: read.clone(), read }
    }

    /// Records the present content again, before another reading.
    pub async fn begin(&mut self) {
        *self = Self::new(std::mem::take(&mut self.file), self.most_bytes).await;
    }

    /// Whether the content has changed and was the same in two checks. At the first the file may be
    /// half written, and an empty file is a valid configuration.
    pub async fn is_changed(&mut self) -> bool {
        let before = std::mem::replace(&mut self.seen, content(&self.file, self.most_bytes).await);
        self.seen == before && self.seen != self.read
    }
}

async fn content(file: &Path, most_bytes: u64) -> FileContent {
    let file = file.to_owned();
    let read =
        spawn_blocking(move || regular_file::read(&file, most_bytes).map_err(|error| error.to_string()));
    read.await.unwrap_or_else(|error| Err(error.to_string()))
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
