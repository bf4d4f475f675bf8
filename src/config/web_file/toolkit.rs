//! Keys of the exporter-toolkit's format whose values are words of Go's TLS library, and what they
//! mean here.

use serde::Deserialize;

/// A version of TLS as the format names it; what is older than 1.2 is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Version {
    #[serde(rename = "TLS10")]
    Tls10,
    #[serde(rename = "TLS11")]
    Tls11,
    #[serde(rename = "TLS12")]
    Tls12,
    #[serde(rename = "TLS13")]
    Tls13,
}

/// A curve as the format names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Curve {
    /// secp256r1
    CurveP256,
    /// secp384r1
    CurveP384,
    /// secp521r1, which is not offered.
    CurveP521,
    /// X25519
    X25519,
    /// Not offered.
    X25519MLKEM768,
}

impl Curve {
    /// Whether it is offered.
    #[must_use]
    pub(super) fn is_offered(self) -> bool {
        matches!(self, Self::CurveP256 | Self::CurveP384 | Self::X25519)
    }
}

/// The suites of TLS 1.2 that can be chosen; those of 1.3 are always offered, as in Go.
pub(super) const SUITES: &[&str] = &[
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

/// Further ones of the format, which are not offered or need not be chosen.
pub(super) const OTHER_SUITES: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
];

/// Headers that the format lets one set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Headers {
    #[serde(rename = "Content-Security-Policy")]
    policy: Option<String>,
    #[serde(rename = "Strict-Transport-Security")]
    transport: Option<String>,
    #[serde(rename = "X-Content-Type-Options")]
    content_type: Option<String>,
    #[serde(rename = "X-Frame-Options")]
    frame: Option<String>,
    #[serde(rename = "X-XSS-Protection")]
    xss: Option<String>,
}

impl Headers {
    /// Name in lower case, and value. An empty value leaves our own, as in the exporter-toolkit.
    pub(super) fn given(self) -> impl Iterator<Item = (&'static str, String)> {
        let all = [
            ("content-security-policy", self.policy),
            ("strict-transport-security", self.transport),
            ("x-content-type-options", self.content_type),
            ("x-frame-options", self.frame),
            ("x-xss-protection", self.xss),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
    }
}
