//! Keys that name the file of a secret. If the secret itself is written there, no error may repeat
//! it.
//!
//! So a value that names nothing on this machine is refused here without being shown. Later
//! messages may name the file.

use std::path::{Component, Path};

use super::{
    error::Mistake,
    position::Step::{self, Index, Key},
    schema::Schema,
    value::FileName,
};

/// Shown instead of the value.
pub const UNSEEN: &str = "there is no such file and no such directory; the value is not shown, as it may \
                          be the secret itself. Write the secret to a file and give the file's full path, \
                          or ./NAME if it is beside the configuration";

/// Whether `name`, relative to `base`, is a file, or lies in a directory that exists; a secret does
/// neither.
#[must_use]
pub fn is_place(base: &Path, name: &Path) -> bool {
    if base.join(name).symlink_metadata().is_ok() {
        return true;
    }
    let mut parts = name.components().filter(|part| *part != Component::RootDir);
    let (first, is_last) = (parts.next(), parts.next().is_none());
    match first {
        _ if is_last => false,
        Some(Component::CurDir | Component::ParentDir) => true,
        Some(Component::Normal(directory)) if name.is_absolute() => Path::new("/").join(directory).is_dir(),
        Some(Component::Normal(directory)) => base.join(directory).is_dir(),
        _ => false,
    }
}

/// Checks every such key of the configuration.
pub(crate) fn check(config: &Schema, base: &Path) -> Result<(), Mistake> {
    let see = |steps: &[Step], key: &'static str, name: Option<&FileName>| match name {
        Some(name) if !is_place(base, Path::new(&name.0)) => {
            let steps = steps.iter().cloned().chain([Key(key)]).collect();
            Err(Mistake { steps, key: None, message: UNSEEN.to_owned() })
        }
        _ => Ok(()),
    };
    for (index, router) in config.routers().iter().enumerate() {
        if let Some(ssh) = &router.ssh {
            let here = [Key("routers"), Index(index), Key("ssh")];
            see(&here, "private_key_file", ssh.private_key_file.as_ref())?;
            see(&here, "passphrase_file", ssh.passphrase_file.as_ref())?;
            see(&here, "password_file", ssh.password_file.as_ref())?;
        }
        let here = [Key("routers"), Index(index), Key("api")];
        see(&here, "key_file", router.api.as_ref().map(|api| &api.key_file))?;
    }
    let secret = config.reflector.as_ref().and_then(|reflector| reflector.secret_file.as_ref());
    see(&[Key("reflector")], "secret_file", secret)?;
    for (index, path) in config.paths().iter().enumerate() {
        see(&[Key("paths"), Index(index)], "reflector_secret_file", path.reflector_secret_file.as_ref())?;
    }
    Ok(())
}
