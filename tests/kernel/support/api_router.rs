//! A router's HTTPS API for tests: a real HTTPS server with its own certificates, on loopback.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use vxlan_exporter::{
    model::{
        fingerprint::Fingerprint,
        plan::{ApiPlan, ApiUrl, RouterPlan, Transport, Trust},
        snapshot::RouterReading,
    },
    router::Worker,
};

/// The key of `api_router.py`, with characters that a form must escape.
pub const KEY: &str = "correct-horse-&+battery";

/// The certificate that a server presents.
#[derive(Debug, Clone, Copy)]
pub enum Certificate {
    /// Issued by the test's own authority, for 127.0.0.1 and localhost.
    Good,
    /// The same, but expired years ago.
    Expired,
    /// For another machine.
    OtherName,
    /// Like VyOS's own: RSA, self-signed, without a name.
    SelfSigned,
}

/// The server. Dropping it ends it.
pub struct Server {
    directory: TempDir,
    child: Child,
    port: u16,
}

impl Server {
    /// A server in `mode`, see `api_router.py`.
    pub fn start(certificate: Certificate, mode: &str) -> Self {
        let directory = tempfile::tempdir().expect("make a directory");
        fs::write(directory.path().join("mode"), mode).expect("write the mode");
        fs::write(directory.path().join("api-key"), format!("{KEY}\n")).expect("write the key");
        make(certificate, directory.path());
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let mut child = Command::new("python3")
            .arg(tests.join("kernel/support/api_router.py"))
            .arg(directory.path())
            .arg(tests.join("corpus"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("start python3: install Debian's python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("read the port");
        let port = line.trim().parse().expect("a port");
        Self { directory, child, port }
    }

    /// A file of this test.
    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Switches it to another mode.
    pub fn mode(&self, mode: &str) {
        fs::write(self.path("mode"), mode).expect("write the mode");
    }

    /// The requests it received: `connection`, `GET /info`, `POST /show show interfaces`, …
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The API plan that trusts its authority.
    pub fn plan(&self) -> ApiPlan {
        ApiPlan {
            url: ApiUrl { host: "127.0.0.1".to_owned(), port: self.port },
            key_file: self.path("api-key"),
            trust: Trust::CaFile(self.path("ca.pem")),
        }
    }

    /// The API plan that trusts its certificate's fingerprint as openssl prints it.
    pub fn pinned(&self) -> ApiPlan {
        let file = self.path("certificate.pem");
        let printed =
            openssl(&["x509", "-in", name(&file), "-noout", "-fingerprint", "-sha256"], Path::new("/"));
        let digits = printed.trim().split_once('=').expect("NAME=FINGERPRINT").1;
        let pin: Fingerprint = format!("SHA256:{digits}").parse().expect("a fingerprint");
        ApiPlan { trust: Trust::Fingerprint(pin), ..self.plan() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The plan for reading a router by its API alone.
pub fn router_plan(api: &ApiPlan) -> RouterPlan {
    RouterPlan {
        name: "dc".into(),
        site: "dc".into(),
        addresses: Vec::new(),
        scrape_interval: Duration::from_secs(30),
        scrape_timeout: Duration::from_secs(10),
        limits: vxlan_exporter::model::plan::ReadLimits::default(),
        underlay_probes: vxlan_exporter::model::leg::UnderlayProbes::default(),
        underlay_interval: Duration::from_mins(5),
        transport: Transport::Api(api.clone()),
        api: None,
    }
}

/// One complete scrape.
pub fn scrape(worker: &mut Worker) -> RouterReading {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(worker.scrape())
}

/// A port on loopback where nobody listens.
pub fn closed_port() -> u16 {
    super::free_port()
}

fn name(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn openssl(arguments: &[&str], directory: &Path) -> String {
    let output = Command::new("openssl").args(arguments).current_dir(directory).output().expect("openssl");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Creates `certificate.pem`, `key.pem` and, with an authority, `ca.pem`.
fn make(certificate: Certificate, directory: &Path) {
    let run = |arguments: &str| drop(openssl(&arguments.split(' ').collect::<Vec<_>>(), directory));
    if matches!(certificate, Certificate::SelfSigned) {
        run(
            "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 3650 -subj /CN=vyos",
        );
        fs::copy(directory.join("certificate.pem"), directory.join("ca.pem")).expect("copy");
        return;
    }
    let names = match certificate {
        Certificate::OtherName => "DNS:other.example,IP:192.0.2.1",
        _ => "IP:127.0.0.1,DNS:localhost",
    };
    let (start, end) = match certificate {
        Certificate::Expired => ("20200101000000Z", "20200201000000Z"),
        _ => ("20200101000000Z", "20490101000000Z"),
    };
    let config = format!(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n\
         x509_extensions=e\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\nsubjectAltName={names}\n"
    );
    fs::write(directory.join("ca.cnf"), config).expect("write ca.cnf");
    fs::write(directory.join("index"), "").expect("write index");
    fs::write(directory.join("serial"), "01\n").expect("write serial");
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    run(&format!(
        "req -x509 {key} -keyout ca-key.pem -out ca.pem -days 3650 -subj /CN=authority-of-{}",
        name(directory).replace('/', "-")
    ));
    run(&format!("req -new {key} -keyout key.pem -out request.pem -subj /CN=router"));
    run(&format!(
        "ca -batch -config ca.cnf -cert ca.pem -keyfile ca-key.pem -in request.pem -out certificate.pem -notext \
         -startdate {start} -enddate {end}"
    ));
}
