//! Secrets in added lines: by their shape, by what stands around them, and by how little they look like words.

use std::collections::BTreeMap;

use crate::domain::without_keys;
use crate::gate::patch::Line;

/// Names of what is secret, as they stand before an `=` or a `:`.
const NAMES: &[&str] = &["password", "passwd", "secret", "token", "api_key", "apikey", "access_key", "private_key"];
/// The least length of a value that is taken for a secret because of its name.
const LEAST: usize = 12;
/// The least bits a character: English words have about 2 to 3, random letters and digits 4 and more.
const RANDOM: f64 = 3.0;

/// The lines that show a secret, and what it looks like.
pub(super) fn added(lines: &[Line]) -> Vec<(u32, &'static str)> {
    let judged = lines.iter().filter_map(|(number, text)| Some((*number, of_line(text)?)));
    judged.collect()
}

fn of_line(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    if without_keys(text) != text {
        return Some("looks like a key of a known kind");
    }
    if let Some((_, rest)) = text.split_once("://")
        && let Some((user, _)) = rest.split_once('@')
        && let Some((_, password)) = user.split_once(':')
        && !user.contains(['/', ' ', '"'])
        && is_value(password)
    {
        return Some("a password in an address");
    }
    let lower = text.to_lowercase();
    let named = NAMES.iter().filter_map(|name| lower.find(name).map(|at| at + name.len())).min()?;
    let value = assigned(text.get(named..)?)?;
    (value.len() >= LEAST && is_value(value) && bits(value) >= RANDOM)
        .then_some("a value called secret that looks random")
}

/// The quoted text after the `=` or `:` that follows at once.
fn assigned(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | ' ' | ']'));
    let rest = rest.strip_prefix(":=").or_else(|| rest.strip_prefix(['=', ':']))?.trim_start();
    match rest.chars().next()? {
        quote @ ('"' | '\'' | '`') => rest.get(1..)?.split(quote).next(),
        // Not quoted: a file of settings, where a value is one word. Code has dots, calls and paths there.
        _ => Some(rest.trim_end()).filter(|rest| rest.chars().all(|c| c.is_alphanumeric() || "+/=_-".contains(c))),
    }
}

/// Whether it isn't a reference to a value elsewhere.
fn is_value(text: &str) -> bool {
    let placeholder = ["${", "{{", "<", "$(", "%(", "env", "xxx", "***", "example", "changeme", "your"];
    let lower = text.to_lowercase();
    !text.is_empty() && !text.contains(char::is_whitespace) && !placeholder.iter().any(|part| lower.contains(part))
}

/// Bits of each character, by how often it is there.
#[expect(clippy::cast_precision_loss, reason = "a line's characters are far fewer than 2^52")]
fn bits(text: &str) -> f64 {
    let mut times: BTreeMap<char, usize> = BTreeMap::new();
    for character in text.chars() {
        *times.entry(character).or_default() += 1;
    }
    let all = text.chars().count() as f64;
    times.values().map(|times| *times as f64 / all).map(|share| -share * share.log2()).sum()
}
