//! The SHA-256 of a certificate or a host key, in the forms that people compare.

use std::{fmt, str::FromStr};

use openssl::base64;
use sha2::{Digest, Sha256};

/// A SHA-256. Parsed from what `openssl x509 -fingerprint -sha256` prints (hex, with or without
/// colons) or from what OpenSSH prints (base64), with or without a leading `SHA256:`; printed in
/// OpenSSL's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER, or of a host key in SSH's wire format.
    #[must_use]
    pub(crate) fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// As `ssh-keygen -l` prints it: `SHA256:` and base64 without padding.
    #[must_use]
    pub(crate) fn as_openssh(&self) -> String {
        format!("SHA256:{}", base64::encode_block(&self.0).trim_end_matches('='))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHA256")?;
        self.0.iter().try_for_each(|byte| write!(f, ":{byte:02X}"))
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let prefix = text.get(..7).filter(|start| start.eq_ignore_ascii_case("sha256:"));
        let digits = &text[prefix.map_or(0, str::len)..];
        let bytes = from_hex(digits).or_else(|| from_base64(digits.strip_suffix('=').unwrap_or(digits)));
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(())
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> =
        text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| {
            <[u32; 2]>::try_from(pair).ok().and_then(|[high, low]| u8::try_from(high << 4 | low).ok())
        })
        .collect()
}

/// 32 bytes in base64 without padding (RFC 4648). Only the canonical encoding is accepted: encoding
/// the bytes again must give the same text.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let padded = format!("{text}=");
    let bytes = base64::decode_block(&padded).ok()?;
    (base64::encode_block(&bytes) == padded).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // `printf abc | sha256sum`, and the same through `xxd -r -p | base64`.
    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const BASE64: &str = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";

    #[test]
    fn every_form_is_one_fingerprint() {
        let seen = Fingerprint::of(b"abc");
        let printed = seen.to_string();
        assert!(printed.starts_with("SHA256:BA:78:16:BF:") && printed.ends_with(":AD"), "{printed}");
        for text in [HEX, &HEX.to_uppercase(), BASE64, &printed, &printed[7..]] {
            assert_eq!(text.parse(), Ok(seen), "{text}");
            assert_eq!(
                format!("SHA256:{text}").replace("SHA256:SHA256:", "sha256:").parse(),
                Ok(seen),
                "{text}"
            );
        }
        assert_eq!(format!("SHA256:{BASE64}=").parse(), Ok(seen));
        assert_eq!(seen.as_openssh(), format!("SHA256:{BASE64}"));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "SHA256:", &HEX[1..], &BASE64[1..], "MD5:00", "SHA256:…", "é", &format!("{HEX}00")]
        {
            assert_eq!(text.parse::<Fingerprint>(), Err(()), "{text}");
        }
    }
}
