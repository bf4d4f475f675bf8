//! Reading SSH's wire format (RFC 4251 section 5).

/// The bytes left to read. Every read returns `None` if the bytes end too early.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SshBytes<'a>(pub &'a [u8]);

impl<'a> SshBytes<'a> {
    /// `string`, also the form of `mpint`.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (string, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    /// `uint32`
    pub(crate) fn u32(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    /// `uint64`
    pub(crate) fn u64(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    /// All strings to the end.
    pub(crate) fn strings(mut self) -> Option<Vec<&'a [u8]>> {
        let mut all = Vec::new();
        while !self.0.is_empty() {
            all.push(self.string()?);
        }
        Some(all)
    }
}
