//! `client_allowed_sans`: of the clients whose certificates are valid, only those with certain names.

use std::sync::Arc;

use openssl::x509::X509;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

/// Checks what another verifier checks, and then the names.
#[derive(Debug)]
pub(super) struct NamedClients {
    verifier: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl NamedClients {
    /// Of the certificates that `verifier` accepts, those with one of these names: DNS names, mail
    /// addresses, URIs or IP addresses.
    pub(super) fn only(
        verifier: Arc<dyn ClientCertVerifier>,
        names: Vec<String>,
    ) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Self { verifier, names })
    }

    fn is_among(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(certificate) = X509::from_der(certificate) else { return false };
        let names = certificate.subject_alt_names();
        names.into_iter().flatten().any(|name| {
            let text = name.dnsname().or(name.email()).or(name.uri()).map(str::to_owned);
            let address = name.ipaddress().and_then(|bytes| match *bytes {
                [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
                _ => Some(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
            });
            text.or(address).is_some_and(|name| self.names.contains(&name))
        })
    }
}

impl ClientCertVerifier for NamedClients {
    fn offer_client_auth(&self) -> bool {
        self.verifier.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(certificate, others, now)?;
        if self.is_among(certificate) {
            Ok(verified)
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
