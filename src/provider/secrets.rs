//! Keys kept out of everything that is shown or recorded: found by value, also when split, and replaced by a mark that
//! no server would write itself.

use std::cmp::Reverse;

/// Shorter values ("none", "ollama", "EMPTY") are placeholders for servers that want no key. Masking them would
/// riddle honest text with holes.
const SHORTEST: usize = 8;

/// So much of a key at the end of a stream gives the key away; less is likely to be a common prefix such as `sk-proj-`.
const TELLING: usize = 12;

/// What takes a key's place. It is ASCII without quotation marks, so it can stand in JSON and in an address.
pub(super) const MASK: &str = "[key removed by windlass]";

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The values to mask, in every form in which a server may send them back.
pub(super) struct Secrets {
    /// Longest first, so that the most is masked.
    forms: Vec<Vec<u8>>,
    /// The bytes that some form begins with.
    begins: Vec<u8>,
}

impl Secrets {
    /// Masks these values, in ASCII; those shorter than 8 bytes are left alone.
    pub(super) fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms: Vec<_> = values.into_iter().filter(|value| value.len() >= SHORTEST).flat_map(forms_of).collect();
        forms.sort_by_key(|form| Reverse(form.len()));
        forms.dedup();
        let mut begins: Vec<u8> = forms.iter().filter_map(|form| form.first().copied()).collect();
        begins.sort_unstable();
        begins.dedup();
        Self { forms, begins }
    }

    /// `text`, masked.
    pub(super) fn mask(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask_bytes(text.as_bytes())).into_owned()
    }

    /// `bytes`, masked.
    pub(super) fn mask_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut masked = stream.push(bytes);
        masked.extend(stream.finish());
        masked
    }

    /// A stream to be masked piece by piece.
    pub(super) fn stream(&self) -> Masking<'_> {
        Masking { secrets: self, held: Vec::new(), found: false }
    }

    fn at(&self, bytes: &[u8]) -> Match {
        let mut begun = false;
        for form in self.forms.iter().filter(|form| form.first() == bytes.first()) {
            if bytes.starts_with(form) {
                return Match::Whole(form.len());
            }
            begun |= form.starts_with(bytes);
        }
        if begun { Match::Begun } else { Match::Nothing }
    }
}

enum Match {
    Whole(usize),
    Begun,
    Nothing,
}

/// A stream of which the part that may turn out to be a secret is held back until it is known.
pub(super) struct Masking<'a> {
    secrets: &'a Secrets,
    held: Vec<u8>,
    /// A secret has been masked since this was last asked.
    found: bool,
}

impl Masking<'_> {
    /// Takes more bytes and gives back those that are certain.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.secrets.forms.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let mut certain = Vec::with_capacity(self.held.len());
        let mut rest = self.held.as_slice();
        loop {
            let next = rest.iter().position(|byte| self.secrets.begins.contains(byte)).unwrap_or(rest.len());
            let (plain, candidate) = rest.split_at(next);
            certain.extend_from_slice(plain);
            rest = candidate;
            let Some((byte, after)) = rest.split_first() else { break };
            match self.secrets.at(rest) {
                Match::Whole(length) => {
                    certain.extend_from_slice(MASK.as_bytes());
                    self.found = true;
                    rest = rest.get(length..).unwrap_or_default();
                }
                Match::Begun => break,
                Match::Nothing => {
                    certain.push(*byte);
                    rest = after;
                }
            }
        }
        self.held = rest.to_vec();
        certain
    }

    /// Takes more text and gives back what is certain. Secrets are ASCII, so no character is torn.
    pub(super) fn push_str(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.push(text.as_bytes())).into_owned()
    }

    /// What was still held back; masked if it is the better part of a secret.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        if held.len() < TELLING {
            return held;
        }
        self.found = true;
        MASK.as_bytes().to_vec()
    }

    /// Whether a part is held back.
    pub(super) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether a secret has been masked since this was last asked.
    pub(super) fn take_found(&mut self) -> bool {
        std::mem::take(&mut self.found)
    }
}

fn forms_of(value: &str) -> Vec<Vec<u8>> {
    let quoted = serde_json::Value::from(value).to_string();
    let json = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or(&quoted).to_owned();
    let mut forms = vec![value.as_bytes().to_vec(), json.replace('/', "\\/").into_bytes(), json.into_bytes()];
    let encoded = percent_encoded(value, |byte| format!("%{byte:02X}"));
    forms.extend([encoded, percent_encoded(value, |byte| format!("%{byte:02x}"))]);
    for offset in 0..3 {
        let standard = base64_within(value.as_bytes(), offset);
        let url_safe = standard.iter().map(|c| match c {
            b'+' => b'-',
            b'/' => b'_',
            c => *c,
        });
        forms.push(url_safe.collect());
        forms.push(standard);
    }
    forms
}

fn percent_encoded(value: &str, code: fn(u8) -> String) -> Vec<u8> {
    let encode = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain { vec![byte] } else { code(byte).into_bytes() }
    };
    value.bytes().flat_map(encode).collect()
}

/// The base64 digits that depend on `value` alone when it begins `offset` bytes into what is encoded.
fn base64_within(value: &[u8], offset: usize) -> Vec<u8> {
    let padded = [vec![0; offset], value.to_vec()].concat();
    let digits = padded.chunks(3).flat_map(|group| {
        let word = group.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte)) << (8 * (3 - group.len()));
        [18, 12, 6, 0].map(|shift| BASE64.get(word >> shift & 63).copied().unwrap_or_default())
    });
    let first = (offset * 8).div_ceil(6);
    digits.take(padded.len() * 8 / 6).skip(first).collect()
}

#[cfg(test)]
mod tests {
    use super::{MASK, Secrets};

    const KEY: &str = "sk-proj-a/b+c\"d_0123456789";

    #[test]
    fn a_key_is_masked_in_every_form_and_split() {
        let secrets = Secrets::new([KEY]);
        for (text, masked) in [
            (format!("Incorrect key {KEY}!"), "Incorrect key ***!"),
            (format!("{KEY}{KEY}"), "******"),
            (r#"{"m":"sk-proj-a/b+c\"d_0123456789"}"#.into(), r#"{"m":"***"}"#),
            (r#"{"m":"sk-proj-a\/b+c\"d_0123456789"}"#.into(), r#"{"m":"***"}"#),
            ("?key=sk-proj-a%2Fb%2Bc%22d_0123456789&x".into(), "?key=***&x"),
            ("?key=sk-proj-a%2fb%2bc%22d_0123456789&x".into(), "?key=***&x"),
            // `printf %s KEY | base64` and `printf :%s KEY | base64`, as in basic authorization
            ("c2stcHJvai1hL2IrYyJkXzAxMjM0NTY3ODk=".into(), "***k="),
            ("OnNrLXByb2otYS9iK2MiZF8wMTIzNDU2Nzg5".into(), "On***"),
            ("sk-proj-other and sk-proj-a/b+".into(), "sk-proj-other and ***"),
            ("the prefix is sk-proj-".into(), "the prefix is sk-proj-"),
        ] {
            let masked = masked.replace("***", MASK);
            assert_eq!(secrets.mask(&text), masked);
            for size in 1..=7 {
                let mut stream = secrets.stream();
                let mut out = Vec::new();
                text.as_bytes().chunks(size).for_each(|piece| out.extend(stream.push(piece)));
                out.extend(stream.finish());
                assert_eq!(String::from_utf8_lossy(&out), masked, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_placeholder_for_no_key_is_not_masked() {
        assert_eq!(Secrets::new(["ollama", ""]).mask("ollama run"), "ollama run");
    }
}
