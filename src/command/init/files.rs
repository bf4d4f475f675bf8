//! What `init` writes: the configuration and confirmed host keys, in one directory.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context, bail, ensure};

use super::InitRequest;
use crate::{logging, router::trust::known_hosts};

/// Owner and group read it; it names users and routers.
const MODE: u32 = 0o640;

/// A host key that somebody confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewKey {
    /// The host as `known_hosts` names it.
    pub host: String,
    /// The key in SSH's wire format.
    pub blob: Vec<u8>,
}

/// Whether the file may be written: asked before anything is sent.
pub(super) fn check_place(request: &InitRequest) -> anyhow::Result<()> {
    if request.dry_run {
        return Ok(());
    }
    let (file, directory) = (&request.output, request.directory());
    let shown = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    ensure!(
        shown.is_dir(),
        "--output: there is no directory {}: make it first, e.g. sudo mkdir -p {}",
        shown.display(),
        shown.display()
    );
    match file.symlink_metadata() {
        Ok(_) if !request.force => bail!(
            "--output: {} is there already: name another file, e.g. --output=new.yml, or replace it with --force",
            file.display()
        ),
        Ok(metadata) if metadata.is_dir() => {
            bail!(
                "--output: {} is a directory: name a file, e.g. {}/config.yml",
                file.display(),
                file.display()
            )
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            bail!("--output: cannot look at {}: {error}", file.display())
        }
        _ => Ok(()),
    }
}

/// Writes the host keys, then the configuration, which is whole or not there.
pub(super) fn write(request: &InitRequest, text: &str, keys: &[NewKey]) -> anyhow::Result<()> {
    let known = request.known_hosts();
    for (index, key) in keys.iter().enumerate().filter(|(index, key)| !keys[..*index].contains(key)) {
        known_hosts::add(&known, &key.host, &key.blob)
            .with_context(|| format!("writing key {} of {} to {}", index + 1, keys.len(), known.display()))?;
    }
    let file = &request.output;
    let mut draft = OsString::from(file.as_os_str());
    draft.push(format!(".{:08x}", fastrand::u32(..)));
    let written =
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft).and_then(|mut open| {
            open.write_all(text.as_bytes())?;
            open.sync_all()?;
            // Unlike a rename, a link never replaces what has come there meanwhile.
            if request.force { fs::rename(&draft, file) } else { fs::hard_link(&draft, file) }
        });
    let _ = fs::remove_file(&draft);
    written.with_context(|| format!("--output: writing {}", file.display()))?;
    let keys = if keys.is_empty() { String::new() } else { format!(", host keys in {}", known.display()) };
    logging::say(&format!("written: {}{keys}\n", file.display()));
    Ok(())
}
