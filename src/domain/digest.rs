//! Content digests: BLAKE3 over labelled, length-prefixed fields, so that no two different records share one encoding.

use std::fmt;
use std::str::FromStr;

/// A 256-bit BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The text was not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits, not {0:?}")]
pub struct ParseDigestError(String);

impl Digest {
    /// The digest of `bytes` alone.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest whose bytes these are (a stored record coming back).
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first ten hexadecimal digits: what a screen shows.
    pub fn short(&self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes())).map_err(|_| ParseDigestError(text.to_owned()))
    }
}

/// Digests a record field by field. Each field is its label and its bytes, both length-prefixed.
pub struct DigestBuilder(blake3::Hasher);

impl DigestBuilder {
    /// A builder for records of this kind; the kind is part of the digest.
    pub fn new(kind: &str) -> Self {
        Self(blake3::Hasher::new()).field("kind", kind.as_bytes())
    }

    /// Adds one field.
    pub fn field(mut self, label: &str, bytes: &[u8]) -> Self {
        for part in [label.as_bytes(), bytes] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    /// Adds one text field.
    pub fn text(self, label: &str, text: &str) -> Self {
        self.field(label, text.as_bytes())
    }

    /// Adds one digest field.
    pub fn digest(self, label: &str, digest: &Digest) -> Self {
        self.field(label, digest.as_bytes())
    }

    /// Adds each item of a list, preceded by their number.
    pub fn list<I, T>(self, label: &str, items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
        T: AsRef<[u8]>,
    {
        let items = items.into_iter();
        let counted = self.field(label, &(items.len() as u64).to_le_bytes());
        items.fold(counted, |builder, item| builder.field("item", item.as_ref()))
    }

    /// The digest of all fields so far.
    pub fn finish(self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        let one = DigestBuilder::new("t").text("a", "bc").text("d", "").finish();
        let two = DigestBuilder::new("t").text("a", "b").text("cd", "").finish();
        assert_ne!(one, two);
    }

    #[test]
    fn hexadecimal_round_trip() {
        let digest = Digest::of(b"windlass");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("12".parse::<Digest>().is_err());
    }
}
