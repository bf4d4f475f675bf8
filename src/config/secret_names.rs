//! Keys that name a secret's file. Where the secret itself is written there, no error may repeat it.
//!
//! So a value is refused here, unseen, unless it names something on this machine; whatever speaks of such a file later may name it.

use std::path::{Component, Path};

use super::{
    error::Mistake,
    position::Step::{self, Index, Key},
    schema::Schema,
    value::FileName,
};

/// In place of the value.
pub const UNSEEN: &str = "what is written here is not repeated, it may be the secret itself: there is no such file, and no such \
                          directory either. Write the secret into a file and name that by its whole path, or by ./NAME beside this one";

/// Whether `name`, relative to `base`, is a file, or in a directory that there is: what a secret is not.
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

/// Every such key of the configuration.
pub fn check(config: &Schema, base: &Path) -> Result<(), Mistake> {
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
