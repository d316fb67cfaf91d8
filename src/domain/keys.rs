//! Keys known by their shape, for text that leaves for a screen or a file: what a server, a command or a person put
//! into it may hold keys that nobody told Windlass about.
//!
//! The record keeps exact bytes; the keys Windlass itself uses never get there, because they are found by value.

use std::borrow::Cow;

/// What takes the place of all but the beginning.
const MARK: &str = "***";

/// What a key of a kind looks like.
struct Shape {
    /// How it begins; this stays, so that people see which key they have to revoke.
    prefix: &'static str,
    /// How many more characters there are at least.
    least: usize,
    /// Characters beside letters and digits.
    others: &'static [u8],
}

const fn shape(prefix: &'static str, least: usize, others: &'static [u8]) -> Shape {
    Shape { prefix, least, others }
}

/// The shapes looked for; of two that begin alike, the longer prefix first.
const SHAPES: &[Shape] = &[
    shape("sk-ant-", 16, b"-_"),
    shape("sk-proj-", 16, b"-_"),
    shape("sk-svcacct-", 16, b"-_"),
    shape("sk-admin-", 16, b"-_"),
    shape("sk-or-v1-", 16, b"-_"),
    shape("sk-lf-", 16, b"-_"),
    shape("sk-", 20, b"-_"),
    shape("AIza", 30, b"-_"),
    shape("ya29.", 20, b"-_."),
    shape("GOCSPX-", 20, b"-_"),
    shape("xai-", 20, b"-_"),
    shape("gsk_", 20, b""),
    shape("hf_", 20, b""),
    shape("r8_", 20, b""),
    shape("pplx-", 20, b""),
    shape("nvapi-", 20, b"-_"),
    shape("fw_", 20, b""),
    shape("tgp_v1_", 20, b"-_"),
    shape("github_pat_", 20, b"_"),
    shape("ghp_", 20, b""),
    shape("gho_", 20, b""),
    shape("ghu_", 20, b""),
    shape("ghs_", 20, b""),
    shape("ghr_", 20, b""),
    shape("glpat-", 16, b"-_"),
    shape("xoxb-", 16, b"-"),
    shape("xoxp-", 16, b"-"),
    shape("xoxa-", 16, b"-"),
    shape("xapp-", 16, b"-"),
    shape("AKIA", 16, b""),
    shape("ASIA", 16, b""),
    shape("sk_live_", 16, b""),
    shape("rk_live_", 16, b""),
    shape("sk_test_", 16, b""),
    shape("SG.", 20, b"-_."),
    shape("npm_", 20, b""),
    shape("pypi-", 20, b"-_"),
    shape("dop_v1_", 20, b""),
    shape("shpat_", 20, b""),
    shape("lin_api_", 20, b""),
    shape("AGE-SECRET-KEY-1", 30, b""),
    // A JSON Web Token: its header begins with `{"`.
    shape("eyJ", 30, b"-_."),
];

/// What stands before a secret of no shape of its own. The secret reaches to the next character that no token has.
const INTRODUCTIONS: &[&str] = &["Bearer ", "bearer ", "Basic ", "x-api-key: ", "x-goog-api-key: "];

/// How long a secret of no shape of its own must be to be told from a word.
const LEAST_INTRODUCED: usize = 16;

/// The beginning and the end of a private key in PEM form.
const PEM: (&str, &str) = ("-----BEGIN ", "-----END ");

/// `text`, with `***` in place of what looks like a key.
pub fn without_keys(text: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let (mut copied, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while let Some(rest) = text.get(at..) {
        // A key begins where a word begins.
        let inside_word = at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(u8::is_ascii_alphanumeric);
        let Some((stays, goes)) = (if inside_word { None } else { key_at(rest) }) else {
            match rest.chars().next() {
                Some(next) => at += next.len_utf8(),
                None => break,
            }
            continue;
        };
        kept.push_str(text.get(copied..at + stays).unwrap_or_default());
        kept.push_str(MARK);
        at += stays + goes;
        copied = at;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(kept)
}

/// How much of `text` stays and how much after it goes, if a key begins here.
fn key_at(text: &str) -> Option<(usize, usize)> {
    let length = |from: usize, others: &[u8]| {
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || others.contains(byte)).count()
    };
    for shape in SHAPES {
        if text.starts_with(shape.prefix) {
            let stays = shape.prefix.len();
            let goes = length(stays, shape.others);
            return (goes >= shape.least).then_some((stays, goes));
        }
    }
    for introduction in INTRODUCTIONS {
        if text.starts_with(introduction) {
            let stays = introduction.len();
            let goes = length(stays, b"-_.~+/=");
            return (goes >= LEAST_INTRODUCED).then_some((stays, goes));
        }
    }
    private_key(text)
}

fn private_key(text: &str) -> Option<(usize, usize)> {
    let (begin, end) = PEM;
    let title = text.strip_prefix(begin)?.split("-----").next()?;
    let stays = begin.len() + title.len() + "-----".len();
    let rest = text.get(stays..)?;
    // One that is cut off is a key all the same.
    title.ends_with("PRIVATE KEY").then(|| (stays, rest.find(end).unwrap_or(rest.len())))
}

#[cfg(test)]
mod tests {
    use super::{SHAPES, without_keys};

    /// Made up, in the shape in which the vendor gives them out.
    const KEYS: &[&str] = &[
        "sk-proj-Ab3dEfGh1jKlMn0pQrStUvWxYz0123456789_-AbCdEfGhIjKlMnOpQrStUvWxYz",
        "sk-svcacct-Ab3dEfGh1jKlMn0pQrStUvWxYz0123456789",
        "sk-admin-Ab3dEfGh1jKlMn0pQrStUvWxYz0123456789",
        "sk-Ab3dEfGh1jKlMn0pQrStT3BlbkFJUvWxYz0123456789ABCD",
        "sk-ant-api03-Ab3dEfGh1jKlMn0pQrStUvWxYz-0123456789_AbCdEfGh-AA",
        "sk-ant-admin01-Ab3dEfGh1jKlMn0pQrStUvWxYz-0123456789",
        "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "sk-lf-01234567-89ab-cdef-0123-456789abcdef",
        "AIzaSyA1bC2dE3fG4hI5jK6lM7nO8pQ9rS0tU1v",
        "ya29.a0AfH6SMBx0123456789-_abcdefghij",
        "GOCSPX-0123456789abcdefghijklmnopqr",
        "xai-0123456789abcdefghijABCDEFGHIJ0123456789",
        "gsk_0123456789abcdefghijABCDEFGHIJ0123456789",
        "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567",
        "r8_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
        "pplx-0123456789abcdef0123456789abcdef",
        "nvapi-AbCdEfGhIjKlMnOpQrStUvWxYz-0123456789_",
        "fw_0123456789abcdefghijABCD",
        "tgp_v1_0123456789abcdef-0123456789_abcdef",
        "github_pat_11ABCDEFG0abcdefghijkl_0123456789abcdefghij",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "gho_0123456789abcdefghijABCDEFGHIJ012345",
        "ghu_0123456789abcdefghijABCDEFGHIJ012345",
        "ghs_0123456789abcdefghijABCDEFGHIJ012345",
        "ghr_0123456789abcdefghijABCDEFGHIJ012345",
        "glpat-0123456789abcdefghij",
        "xoxb-012345678901-012345678901-AbCdEfGhIjKlMnOpQrStUvWx",
        "xoxp-012345678901-012345678901-AbCdEfGh",
        "xoxa-2-012345678901-AbCdEfGhIjKl",
        "xapp-1-A0123456789-0123456789012-0123456789abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "sk_live_0123456789abcdefghijABCD",
        "rk_live_0123456789abcdefghijABCD",
        "sk_test_0123456789abcdefghijABCD",
        "SG.0123456789abcdefghijkl.0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
        "npm_0123456789abcdefghijABCDEFGHIJ012345",
        "pypi-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZg",
        "dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "shpat_0123456789abcdef0123456789abcdef",
        "lin_api_0123456789abcdefghijABCDEFGHIJ0123456789",
        "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPZRY9X8GF2TVDW0S3J",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    ];

    #[test]
    fn every_shape_of_key_is_masked_wherever_it_stands() {
        for key in KEYS {
            let prefix = SHAPES.iter().map(|shape| shape.prefix).find(|prefix| key.starts_with(prefix)).unwrap();
            let masked = format!("{prefix}***");
            for (before, after) in [("", ""), ("key=", "&x"), ("\"", "\""), ("é", "\nnext"), ("-", " "), ("_", "!")] {
                assert_eq!(without_keys(&format!("{before}{key}{after}")), format!("{before}{masked}{after}"));
            }
            assert_eq!(without_keys(&format!("{key}, {key}")), format!("{masked}, {masked}"));
        }
        for shape in SHAPES {
            assert!(KEYS.iter().any(|key| key.starts_with(shape.prefix)), "no key tests {:?}", shape.prefix);
        }
    }

    #[test]
    fn secrets_of_no_shape_are_known_by_what_stands_before_them() {
        for (text, masked) in [
            ("authorization: Bearer 0123456789/abc+def==", "authorization: Bearer ***"),
            ("x-api-key: 0123456789abcdef, next", "x-api-key: ***, next"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nmore",
                "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nmore",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMIIE", "-----BEGIN PRIVATE KEY-----***"),
        ] {
            assert_eq!(without_keys(text), masked);
        }
    }

    #[test]
    fn honest_text_stays() {
        for text in [
            "",
            "risk-proj-0123456789abcdefghijklmnop is a word with sk- in it",
            "sk-learn, task-force and sk-short",
            "The bearer of this, Bearer token, AKIA, eyJ and hf_transformers",
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
            "0123456789abcdef0123456789abcdef01234567 is a commit",
            "é 한 🦀",
        ] {
            assert_eq!(without_keys(text), text);
        }
    }
}
