//! A real OpenSSH server on each router, with an unprivileged user, a key that is restricted to the
//! management network, and host keys that the exporter must know. The user exists only in the
//! router's namespace: `ip netns exec` mounts /etc/netns/NAME over /etc, so the machine's own
//! accounts are not touched.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    Lab,
    fault::Fault,
    namespace::{Namespace, run},
    numbers::{Place, Site},
    runs,
};

/// The user name of the exporter's login.
pub const USER: &str = "monitor";

const USER_ID: u32 = 64_901;

/// The exporter's private key.
pub fn private_key(lab: &Lab) -> PathBuf {
    lab.directory().join("id_ed25519")
}

/// The exporter's `known_hosts`.
pub fn known_hosts(lab: &Lab) -> PathBuf {
    lab.directory().join("known_hosts")
}

/// What a key is bound to on a router whose owner allows reading it and nothing else.
const FORCED: &str = r#"case "$SSH_ORIGINAL_COMMAND" in
*"begin ping"*) echo "this key is for reading only" ;;
*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
"#;

/// Hides the program `ping` in a mount namespace, then starts the server. `$1` is a directory of
/// its own.
const WITHOUT_PING: &str = r#"B=$1; shift
mount --bind /usr/bin "$B" && mount -t tmpfs none /usr/bin && "$B/ln" -s "$B"/* /usr/bin/ &&
"$B/rm" /usr/bin/ping && exec "$@""#;

/// Creates keys and accounts, and starts the three servers.
pub fn start(lab: &mut Lab, fault: &Fault) -> Result<()> {
    let directory = lab.directory();
    fs::create_dir_all(directory.join("home"))?;
    // sshd needs it for privilege separation; it does not exist unless OpenSSH has run as a
    // service.
    fs::create_dir_all("/run/sshd")?;
    keygen(&private_key(lab))?;
    let public = fs::read_to_string(private_key(lab).with_extension("pub"))?;
    let network = management_network(lab);
    let key = format!("from=\"{network}\" {public}");
    fs::write(directory.join("authorized_keys"), format!("restrict,{key}"))?;
    let forced = directory.join("forced.sh");
    fs::write(&forced, FORCED)?;
    let forced = format!("restrict,command=\"sh {}\",{key}", forced.display());
    fs::write(directory.join("authorized_keys_forced"), forced)?;
    let mut known = String::new();
    for place in Place::ALL {
        let site = *lab.numbers.site(place);
        let host_key = directory.join(format!("host_key_{}", site.router));
        keygen(&host_key)?;
        let public = fs::read_to_string(host_key.with_extension("pub"))?;
        write!(known, "{} {public}", site.management)?;
        write_accounts(lab, lab.router(place))?;
        let config = directory.join(format!("sshd_config_{}", site.router));
        let forced = fault.forced_command_at.contains(&place);
        let keys = directory.join(if forced { "authorized_keys_forced" } else { "authorized_keys" });
        fs::write(&config, server_config(&keys, &host_key, &site))?;
        let mut command = if fault.no_ping_at.contains(&place) {
            let programs = directory.join(format!("programs_{}", site.router));
            fs::create_dir(&programs)?;
            let mut command = lab.router(place).command("sh");
            command.args(["-c", WITHOUT_PING, "sh"]).arg(programs).arg("/usr/sbin/sshd");
            command
        } else {
            lab.router(place).command("/usr/sbin/sshd")
        };
        command.args(["-D", "-e", "-f"]).arg(&config);
        lab.serve(command, &log_name(&site))?;
    }
    fs::write(known_hosts(lab), known)?;
    for place in Place::ALL {
        let site = lab.numbers.site(place);
        // Connects from the router itself, as OpenSSH 9.8 and later count a connection without a
        // login against its source address.
        Lab::wait_for(lab.router(place), site.management, 22, &log_name(site))?;
    }
    Ok(())
}

fn log_name(site: &Site) -> String {
    format!("sshd_{}.log", site.router)
}

fn management_network(lab: &Lab) -> String {
    let [a, b, c, _] = lab.numbers.exporter_management.octets();
    format!("{a}.{b}.{c}.0/24")
}

/// Creates a key pair.
pub fn keygen(path: &Path) -> Result<()> {
    let path = path.to_str().context("the lab's directory is not UTF-8")?;
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "vxlan-lab", "-f", path]).map(drop)
}

fn server_config(keys: &Path, host_key: &Path, site: &Site) -> String {
    format!(
        "ListenAddress {}:22\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nUseDNS no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nAllowUsers {USER}\n",
        site.management,
        host_key.display(),
        keys.display(),
    )
}

/// Writes the accounts of a router. The machine's own names and password hashes do not get into the
/// lab.
pub fn write_accounts(lab: &Lab, namespace: &Namespace) -> Result<()> {
    let etc = Path::new("/etc/netns").join(&namespace.name);
    runs::make_directory(&etc)?;
    let home = lab.directory().join("home");
    fs::write(
        etc.join("passwd"),
        format!(
            "root:x:0:0::/root:/bin/sh\nsshd:x:64900:65534::/run/sshd:/usr/sbin/nologin\n\
             {USER}:x:{USER_ID}:{USER_ID}::{}:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
            home.display()
        ),
    )?;
    fs::write(etc.join("group"), format!("root:x:0:\n{USER}:x:{USER_ID}:\nnogroup:x:65534:\n"))?;
    fs::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")?;
    let shadow = etc.join("shadow");
    fs::write(&shadow, format!("root:*:19000::::::\nsshd:*:19000::::::\n{USER}:*:19000::::::\n"))?;
    fs::set_permissions(&shadow, fs::Permissions::from_mode(0o600))?;
    Ok(())
}
