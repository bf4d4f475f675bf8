//! Checks a router's certificate against a file of authorities, or against the SHA-256 of one
//! certificate.
//!
//! One of the two is required. VyOS's own certificate is self-signed and names nobody; without a
//! check any machine in between could take the key, which has full power over the router.

use std::{fmt, io, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::{
    model::{
        fingerprint::Fingerprint,
        plan::{ApiUrl, Trust},
        snapshot::ScrapeError,
        types::FailureReason,
    },
    process::regular_file,
};

/// The TLS configuration for the router. Reads the file of authorities, so that a new file is used
/// from the next connection on.
pub(crate) fn config(trust: &Trust) -> Result<ClientConfig, ScrapeError> {
    let provider = Arc::new(ring::default_provider());
    let unusable = |error: &dyn fmt::Display| {
        ScrapeError::new(FailureReason::Config, format!("TLS cannot be set up: {error}"))
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    Ok(match trust {
        Trust::CaFile(file) => builder.with_root_certificates(authorities(file)?).with_no_client_auth(),
        Trust::Fingerprint(pin) => {
            let verifier = PinnedCertificate {
                pin: *pin,
                algorithms: provider.signature_verification_algorithms,
                provider,
            };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    })
}

/// The certificates of a PEM file.
pub(crate) fn authorities(file: &Path) -> Result<RootCertStore, ScrapeError> {
    let bad = |why: &dyn fmt::Display| {
        let message = format!("cannot use ca_file {}: {why}; put PEM certificates there", file.display());
        ScrapeError::new(FailureReason::Config, message)
    };
    let mut store = RootCertStore::empty();
    let pem = regular_file::read(file, regular_file::MOST_BYTES).map_err(|error| bad(&error.why))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| bad(&error))?;
        store.add(certificate).map_err(|error| bad(&error))?;
    }
    if store.is_empty() { Err(bad(&"it holds no certificate")) } else { Ok(store) }
}

/// Trusts one certificate, whatever its name and validity.
#[derive(Debug)]
struct PinnedCertificate {
    pin: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
    provider: Arc<CryptoProvider>,
}

/// The certificate is not the one configured.
#[derive(Debug, thiserror::Error)]
#[error("the certificate's fingerprint is {seen}")]
struct OtherCertificate {
    seen: Fingerprint,
}

impl ServerCertVerifier for PinnedCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = Fingerprint::of(end_entity);
        if seen == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(OtherCertificate { seen }))).into())
    }

    // The fingerprint says whose key it is; only the signatures prove that the router holds that
    // key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The error for a failed handshake.
pub(crate) fn failed(error: &io::Error, url: &ApiUrl) -> ScrapeError {
    let tls = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    let Some(tls) = tls else {
        let message = format!("{url} closed the connection before the TLS handshake was done ({error})");
        return ScrapeError::new(FailureReason::Refused, message);
    };
    let Error::InvalidCertificate(why) = tls else {
        let message = format!("TLS handshake with {url} failed: {tls}; does an HTTPS server listen there?");
        return ScrapeError::new(FailureReason::Connect, message);
    };
    let other = match why {
        CertificateError::Other(OtherError(other)) => other.downcast_ref::<OtherCertificate>(),
        _ => None,
    };
    let why = match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no authority in `ca_file` issued it".to_owned()
        }
        why => why.to_string(),
    };
    match other {
        Some(other) => ScrapeError::new(
            FailureReason::HostkeyMismatch,
            format!(
                "{url} presented a certificate with the fingerprint {}, not the configured one; compare it on the \
                 router's console, then correct `certificate_fingerprint`",
                other.seen
            ),
        ),
        None => ScrapeError::new(
            FailureReason::HostkeyUnknown,
            format!(
                "the certificate of {url} is not accepted: {why}; correct `ca_file` or the certificate, or give a \
                 self-signed one as `certificate_fingerprint`"
            ),
        ),
    }
}
