//! The image as a node's container runtime runs it: unpacked from the archive, run by runc, with
//! the chart's security context.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use lab::{
    exporter,
    namespace::{Namespace, run},
};

/// The user and group of the chart's pods, and of the image.
const USER: u32 = 65532;

/// An image unpacked from its archive.
pub struct Image {
    root: PathBuf,
    /// What `docker inspect` shows as `Config`.
    pub config: Value,
}

/// Builds the archive as `make image` does.
pub fn build(binary: &Path, archive: &Path) -> Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/image.sh");
    let words = [&script, binary, archive].map(|path| path.to_str().context("a path that is not UTF-8"));
    let [script, binary, archive] = words;
    run(script?, &[binary?, archive?])
}

/// The digest that a registry would give it.
pub fn digest(archive: &Path) -> Result<String> {
    let index = run("tar", &["xOf", archive.to_str().context("UTF-8")?, "index.json"])?;
    let index: Value = serde_json::from_str(&index)?;
    Ok(index["manifests"][0]["digest"].as_str().context("no digest")?.to_owned())
}

impl Image {
    /// Unpacks an archive into a directory, with the extended attributes that a runtime keeps.
    pub fn unpack(archive: &Path, directory: &Path) -> Result<Self> {
        let layout = directory.join("layout");
        fs::create_dir_all(&layout)?;
        let [from, to] = [archive, &layout].map(|path| path.to_str().unwrap_or_default());
        run("tar", &["xf", from, "-C", to])?;
        let blob = |digest: &Value| -> Result<PathBuf> {
            let digest = digest.as_str().context("no digest")?;
            Ok(layout.join("blobs").join(digest.replace(':', "/")))
        };
        let read = |path: PathBuf| -> Result<Value> { Ok(serde_json::from_slice(&fs::read(path)?)?) };
        let index = read(layout.join("index.json"))?;
        let manifest = read(blob(&index["manifests"][0]["digest"])?)?;
        let config = read(blob(&manifest["config"]["digest"])?)?;
        let root = directory.join("rootfs");
        fs::create_dir(&root)?;
        for layer in manifest["layers"].as_array().context("no layers")? {
            let layer = blob(&layer["digest"])?;
            let words = ["--xattrs", "--xattrs-include=security.capability", "-xzf"];
            let (layer, to) = (layer.to_str().unwrap_or_default(), root.to_str().unwrap_or_default());
            run("tar", &[&words[..], &[layer, "-C", to]].concat())?;
        }
        Ok(Self { root, config: config["config"].clone() })
    }

    /// A command that runs it in a network namespace: as the chart's user, with an immutable root,
    /// no new privileges and at most these capabilities. `files` are the mounts of Kubernetes:
    /// from, to.
    pub fn command(
        &self,
        namespace: &Namespace,
        capabilities: &[&str],
        files: &[(&Path, &str)],
    ) -> Result<Command> {
        let bundle = self.root.with_file_name(format!("bundle-{}", capabilities.len()));
        fs::create_dir(&bundle)?;
        let mut mounts = vec![
            json!({"destination": "/proc", "type": "proc", "source": "proc"}),
            json!({"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}),
            json!({"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]}),
        ];
        mounts.extend(files.iter().map(|(from, to)| {
            json!({"destination": to, "type": "bind", "source": from, "options": ["bind", "ro", "nosuid", "nodev"]})
        }));
        let mut namespaces = ["pid", "mount", "ipc", "uts"].map(|kind| json!({"type": kind})).to_vec();
        namespaces.push(json!({"type": "network", "path": format!("/run/netns/{}", namespace.name)}));
        let entrypoint = self.config["Entrypoint"].as_array().context("no entrypoint")?;
        let defaults = self.config["Cmd"].as_array().context("no default flags")?;
        let mut arguments = [entrypoint.as_slice(), defaults].concat();
        arguments.push(json!(format!("--web.listen-address={}", exporter::LISTEN)));
        let spec = json!({
            "ociVersion": "1.0.2",
            "root": {"path": self.root, "readonly": true},
            "process": {
                "user": {"uid": USER, "gid": USER},
                "cwd": "/",
                "args": arguments,
                "noNewPrivileges": true,
                "capabilities": {"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
            },
            "mounts": mounts,
            "linux": {"namespaces": namespaces},
        });
        fs::write(bundle.join("config.json"), spec.to_string())?;
        let mut command = Command::new("runc");
        command.arg("--root").arg(bundle.join("state")).args(["run", "--bundle"]).arg(&bundle);
        command.arg(format!("vxl-{}-{}", namespace.name, capabilities.len()));
        Ok(command)
    }
}

/// Writes a file like one from a Secret: owned by root, readable by the pod's group.
pub fn write_secret(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o440))?;
    chown(path, Some(0), Some(USER)).with_context(|| format!("giving {} to the pod's group", path.display()))
}

/// The capabilities on a file, as `getcap` shows them.
pub fn file_capabilities(image: &Image) -> Result<String> {
    let binary = image.root.join("vxlan_exporter");
    let said = run("getcap", &[binary.to_str().context("UTF-8")?])?;
    let capabilities = said.split_whitespace().last().map(str::to_owned);
    let capabilities = capabilities.context("the file has no capabilities")?;
    ensure!(!capabilities.contains('/'), "the file has no capabilities: {said}");
    Ok(capabilities)
}
