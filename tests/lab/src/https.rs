//! An HTTPS server on every host: `/` has 3 bytes, `/big` 200 kB. The certificate is small (ECDSA
//! P-256), so that the handshake fits into packets that pass a 1450-byte hole. This is how the
//! failure of the article appears to a user: small requests work and large ones hang.

use std::fs;

use anyhow::{Result, bail};

use super::{Lab, namespace::run, numbers::Place};

/// Bytes of `/`.
pub const SMALL_BYTES: usize = 3;
/// Bytes of `/big`.
pub const BIG_BYTES: usize = 200_000;

/// The result of curl.
#[derive(Debug, Clone)]
pub struct Download {
    /// HTTP status; 0 if there was none.
    pub status: u32,
    /// Bytes of body received.
    pub bytes: usize,
    /// How long it took.
    pub seconds: f64,
    /// curl's exit code; 28 is its timeout.
    pub exit: i32,
}

/// Starts a server on each host, also over IPv6 if the fault says so.
pub fn start(lab: &mut Lab, over_ipv6: bool) -> Result<()> {
    let directory = lab.directory();
    let (key, certificate) = (directory.join("https.key"), directory.join("https.crt"));
    let (Some(key), Some(certificate)) = (key.to_str(), certificate.to_str()) else {
        bail!("the lab's directory is not UTF-8");
    };
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=lab",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
    )?;
    let script = directory.join("https_server.py");
    fs::write(&script, include_str!("https_server.py"))?;
    // A single process, because starting Python takes more CPU time than anything else here.
    let mut command = lab.host(Place::Dc).command("python3");
    command.arg(&script).args([certificate, key, &SMALL_BYTES.to_string(), &BIG_BYTES.to_string()]);
    for place in Place::ALL {
        let site = *lab.numbers.site(place);
        let address = if over_ipv6 { "::".to_owned() } else { site.host_address.to_string() };
        command.arg(format!("/run/netns/{}", lab.host(place).name));
        command.args([address, site.https_port.to_string()]);
    }
    lab.serve(command, "https.log")?;
    for place in Place::ALL {
        let site = lab.numbers.site(place);
        Lab::wait_for(lab.host(place), site.host_address, site.https_port, "https.log")?;
    }
    Ok(())
}

/// The URL of a file on a site's host.
pub fn url(lab: &Lab, place: Place, path: &str) -> String {
    let site = lab.numbers.site(place);
    format!("https://{}:{}{path}", site.host_address, site.https_port)
}

/// Fetches a file from a site's host with curl, run on the exporter's host.
pub fn fetch(lab: &Lab, place: Place, path: &str, max_seconds: u32) -> Result<Download> {
    // A single small key share: the hybrid post-quantum one of newer curls makes a ClientHello of
    // over 1500 bytes, which would itself hang.
    let output = lab.host(Place::SiteA).output(
        "curl",
        &[
            "--silent",
            "--insecure",
            "--curves",
            "X25519",
            "--noproxy",
            "*",
            "--max-time",
            &max_seconds.to_string(),
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code} %{size_download} %{time_total}",
            &url(lab, place, path),
        ],
    )?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut words = said.split_whitespace();
    let (Some(status), Some(bytes), Some(seconds)) = (words.next(), words.next(), words.next()) else {
        bail!("curl said {said:?} ({})", String::from_utf8_lossy(&output.stderr).trim());
    };
    Ok(Download {
        status: status.parse()?,
        bytes: bytes.parse()?,
        seconds: seconds.parse()?,
        exit: output.status.code().unwrap_or(-1),
    })
}
