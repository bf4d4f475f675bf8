//! Whether the configuration file is another than the one that was read last.
//!
//! By its content, looked at every few seconds: a `ConfigMap` volume changes it by a symbolic link above the file, an editor
//! by a new file of the same name, and what tells of one kind of change is silent about the other.

use std::{path::PathBuf, time::Duration};

/// Between two looks.
pub const LOOK: Duration = Duration::from_secs(2);

/// Looks at one file.
#[derive(Debug)]
pub struct ConfigWatch {
    file: PathBuf,
    read: Content,
    seen: Content,
}

/// `None` where the file cannot be read.
type Content = Option<Vec<u8>>;

impl ConfigWatch {
    /// What there is now is about to be read.
    pub async fn new(file: PathBuf) -> Self {
        let read = content(&file).await;
        Self { file, seen: read.clone(), read }
    }

    /// Again what there is now is about to be read.
    pub async fn begin(&mut self) {
        *self = Self::new(std::mem::take(&mut self.file)).await;
    }

    /// Whether there is something else now, and the same at two looks: a file may be half written at the first, and
    /// an empty one is a good configuration.
    pub async fn is_changed(&mut self) -> bool {
        let before = std::mem::replace(&mut self.seen, content(&self.file).await);
        self.seen == before && self.seen != self.read
    }
}

async fn content(file: &PathBuf) -> Content {
    tokio::fs::read(file).await.ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

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
        let mut watch = ConfigWatch::new(path("config.yml")).await;
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
        let mut watch = ConfigWatch::new(file.clone()).await;
        fs::write(&file, "").expect("written");
        assert!(!watch.is_changed().await);
        fs::write(&file, "one").expect("written");
        assert!(!watch.is_changed().await && !watch.is_changed().await);
        fs::remove_file(&file).expect("removed");
        assert!(!watch.is_changed().await && watch.is_changed().await);
    }
}
