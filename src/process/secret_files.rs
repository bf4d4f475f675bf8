//! Whether files with secrets can be read by others.
//!
//! Owner and group may read them: a pod gets its keys from a Secret owned by root and readable by
//! the pod's group only (`fsGroup`).

use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt, path::Path};

use tracing::warn;

/// The mode bit that lets everyone read.
const EVERYONE_READS: u32 = 0o004;

/// Warns once about each file that everyone on this machine may read.
pub fn warn_of_public<'a>(files: impl Iterator<Item = &'a Path>) {
    for file in public(files) {
        let file = file.display();
        warn!(
            "everyone on this machine can read the secret {file}: chmod o= {file} (of a Kubernetes Secret: defaultMode: 0440)"
        );
    }
}

fn public<'a>(files: impl Iterator<Item = &'a Path>) -> BTreeSet<&'a Path> {
    // The mode of a link's target counts, not that of the link.
    files.filter(|file| fs::metadata(file).is_ok_and(|it| it.mode() & EVERYONE_READS != 0)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_group_may_read_everyone_may_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let files: Vec<_> = [0o400, 0o440, 0o640, 0o644, 0o604, 0o444]
            .map(|mode| {
                let file = directory.path().join(format!("{mode:o}"));
                fs::write(&file, "").expect("written");
                fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
                file
            })
            .to_vec();
        let link = directory.path().join("link");
        symlink("440", &link).expect("linked");
        let all = files.iter().chain(&files).chain([&link]).map(AsRef::as_ref);
        let names: Vec<_> = public(all).into_iter().filter_map(Path::file_name).collect();
        assert_eq!(names, ["444", "604", "644"]);
    }
}
