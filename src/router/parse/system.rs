//! What identifies the running system: software version, uptime, boot id.

use serde::Deserialize;

use crate::text::Text;

/// VyOS's `version.json`, only the fields that are used.
#[derive(Deserialize)]
struct VersionFile {
    version: Option<String>,
}

/// The software version from VyOS's version file, its `version.json` or `/etc/os-release`, the
/// first that has it. Each text may be empty.
#[must_use]
pub fn version(vyos: &str, vyos_json: &str, os_release: &str) -> Option<Text> {
    let plain = vyos.lines().find_map(|line| line.trim().strip_prefix("Version:"));
    let json = || serde_json::from_str::<VersionFile>(vyos_json.trim()).ok()?.version;
    let named = |version: &str| {
        let version = version.trim();
        if version.starts_with("VyOS") { version.to_owned() } else { format!("VyOS {version}") }
    };
    let pretty = || {
        let line = os_release.lines().find_map(|line| line.trim().strip_prefix("PRETTY_NAME="))?;
        Some(line.trim_matches(['"', '\'']).to_owned())
    };
    plain
        .map(str::trim)
        .filter(|version| !version.is_empty())
        .map(named)
        .or_else(|| json().map(|version| named(&version)))
        .or_else(pretty)
        .filter(|version| !version.is_empty())
        .map(Text::from)
}

/// Seconds since boot, the first number of `/proc/uptime`.
#[must_use]
pub fn uptime_seconds(text: &str) -> Option<f64> {
    text.split_whitespace()
        .next()?
        .parse()
        .ok()
        .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

/// The boot id, a UUID that is new after each restart.
#[must_use]
pub fn boot_id(text: &str) -> Option<Text> {
    let id = text.trim();
    (id.len() == 36 && id.chars().all(|char| char.is_ascii_hexdigit() || char == '-')).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let os = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        let vyos = |text| version(text, "", os);
        assert_eq!(
            vyos("Version:          VyOS 1.4.0\nRelease train:    sagitta\n").as_deref(),
            Some("VyOS 1.4.0")
        );
        assert_eq!(vyos("Version: 1.3.8\n").as_deref(), Some("VyOS 1.3.8"));
        assert_eq!(vyos("Version: \n").as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(version("", "{\"version\": \"1.5-rolling\"}", os).as_deref(), Some("VyOS 1.5-rolling"));
        assert_eq!(version("", "{", ""), None);
    }

    #[test]
    fn uptime_and_boot_id() {
        assert_eq!(uptime_seconds("12345.67 54321.00\n"), Some(12_345.67));
        assert_eq!(uptime_seconds("NaN"), None);
        assert_eq!(uptime_seconds(""), None);
        let id = "0f3c2c1e-7a52-4a8e-9d0f-1f8e6f7a2b3c";
        assert_eq!(boot_id(&format!("{id}\n")).as_deref(), Some(id));
        assert_eq!(boot_id("no such file"), None);
    }
}
