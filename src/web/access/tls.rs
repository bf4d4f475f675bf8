//! The TLS configuration, from the content of the files.

use std::{fmt, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};

use zeroize::Zeroizing;

use crate::config::web_file::{ClientCertificate, TlsFiles, TlsVersion};

/// The content of [`TlsFiles`].
pub(crate) struct TlsContents {
    /// The certificate file.
    pub certificate: Vec<u8>,
    /// The file of its key.
    pub key: Zeroizing<Vec<u8>>,
    /// The file of the clients' authorities.
    pub authorities: Option<Vec<u8>>,
}

/// The server's TLS configuration; errors name the file.
pub(crate) fn config(files: &TlsFiles, contents: &TlsContents) -> anyhow::Result<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = match files.least {
        TlsVersion::Tls12 => &[&TLS12, &TLS13],
        TlsVersion::Tls13 => &[&TLS13],
    };
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
    let builder = match (&files.clients, &contents.authorities) {
        (Some((asked, file)), Some(pem)) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(pem, "client_ca_file", file)? {
                roots.add(authority).map_err(|error| unusable("client_ca_file", file, &error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match asked {
                ClientCertificate::Optional => verifier.allow_unauthenticated(),
                ClientCertificate::Required => verifier,
            };
            let verifier = verifier.build().map_err(|error| unusable("client_ca_file", file, &error))?;
            builder.with_client_cert_verifier(verifier)
        }
        _ => builder.with_no_client_auth(),
    };
    let chain = certificates(&contents.certificate, "cert_file", &files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&contents.key)
        .map_err(|error| unusable("key_file", &files.key, &error))?;
    let mut config = builder.with_single_cert(chain, key).with_context(|| {
        format!("{} and {} do not go together", files.certificate.display(), files.key.display())
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(pem: &[u8], what: &str, file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(none) if none.is_empty() => Err(unusable(what, file, &"it holds no certificate")),
        read => read.map_err(|error| unusable(what, file, &error)),
    }
}

/// Names the file and the fault, never the content.
fn unusable(what: &str, file: &Path, why: &dyn fmt::Display) -> anyhow::Error {
    anyhow!("cannot use {what} {}: {why}; PEM belongs there", file.display())
}
