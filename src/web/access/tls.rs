//! The TLS configuration, from the content of the files.

mod named;

use std::{fmt, sync::Arc};

use anyhow::{Context as _, anyhow};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::{
        CryptoProvider,
        ring::{self, kx_group},
    },
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};

use zeroize::Zeroizing;

use crate::config::web_file::{ClientCertificate, Curve, Pem, TlsFiles, TlsVersion};
use named::NamedClients;

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
    let provider = Arc::new(provider(files));
    let versions: Vec<_> = [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)]
        .into_iter()
        .filter(|(version, _)| (files.least..=files.most).contains(version))
        .map(|(_, version)| version)
        .collect();
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&versions)?;
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
            let names = files.client_names.clone();
            builder.with_client_cert_verifier(if names.is_empty() {
                verifier
            } else {
                NamedClients::only(verifier, names)
            })
        }
        _ => builder.with_no_client_auth(),
    };
    let chain = certificates(&contents.certificate, "cert_file", &files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&contents.key)
        .map_err(|error| unusable("key_file", &files.key, &error))?;
    let mut config = builder.with_single_cert(chain, key).with_context(|| {
        format!("{} and {} do not go together", place("cert", &files.certificate), place("key", &files.key))
    })?;
    config.ignore_client_order = files.our_order;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The suites and curves that are offered.
fn provider(files: &TlsFiles) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !files.suites.is_empty() {
        let is_chosen = |name: &str| files.suites.iter().any(|chosen| chosen == name);
        provider.cipher_suites.retain(|suite| {
            // Those of TLS 1.3 are always offered.
            suite.tls13().is_some() || suite.suite().as_str().is_some_and(is_chosen)
        });
    }
    if !files.curves.is_empty() {
        let group = |curve: &Curve| match curve {
            Curve::CurveP256 => Some(kx_group::SECP256R1),
            Curve::CurveP384 => Some(kx_group::SECP384R1),
            Curve::X25519 => Some(kx_group::X25519),
            Curve::CurveP521 | Curve::X25519MLKEM768 => None,
        };
        provider.kx_groups = files.curves.iter().filter_map(group).collect();
    }
    provider
}

/// Where PEM text is, for a person.
fn place(key: &str, pem: &Pem) -> String {
    match pem {
        Pem::File(file) => file.display().to_string(),
        Pem::Here(_) => format!("`{key}`"),
    }
}

fn certificates(pem: &[u8], what: &str, file: &Pem) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(none) if none.is_empty() => Err(unusable(what, file, &"it holds no certificate")),
        read => read.map_err(|error| unusable(what, file, &error)),
    }
}

/// Names the file and the fault, never the content.
fn unusable(what: &str, file: &Pem, why: &dyn fmt::Display) -> anyhow::Error {
    anyhow!("cannot use {what} {}: {why}; PEM belongs there", place(what, file))
}
