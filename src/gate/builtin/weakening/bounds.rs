//! Numbers that judge: thresholds in settings, and tolerances and limits in tests. Two lines that differ in their numbers
//! only are one bound, and the words around a number say which way is weaker.

use super::lines::{Edited, Entry};
use super::tongue::{Tongue, is_shared, tongue_of};
use super::{Finding, Sort};

/// The way in which a bound gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weaker {
    Higher,
    Lower,
}

/// Words of settings whose number is the least that is good enough.
const LEAST: &[&str] = &[
    "fail_under",
    "fail-under",
    "failunder",
    "min-coverage",
    "min_coverage",
    "threshold",
    "branches",
    "functions",
    "statements",
    "\"lines\"",
    "minimum",
    "msi",
    "min_score",
    "min-score",
];

/// Words of settings whose number is the most that is borne.
const MOST: &[&str] = &[
    "max-warnings",
    "max_warnings",
    "maxwarnings",
    "complexity",
    "cognitive",
    "cyclomatic",
    "too-many",
    "too_many",
    "max-line",
    "max_line",
    "max-args",
    "max_args",
    "max-depth",
    "max-statements",
    "max-params",
    "tolerance",
    "max-lines",
    "max_lines",
    "maxsize",
    "maxfailures",
    "max_failures",
    "retries",
    "reruns",
];

/// Bounds that give, and thresholds that went.
pub(super) fn weaker(file: &Edited<'_>) -> Vec<Finding> {
    let (shared, budget) = (is_shared(file.path), is_budget(file.path));
    if !shared && !budget && !file.is_test {
        return Vec::new();
    }
    let way = |text: &str| match (budget, shared) {
        (true, _) => of_budget(text),
        (_, true) => of_setting(text),
        _ => of_test(text),
    };
    let shared = shared || budget;
    let mut came: Vec<&Entry<'_>> = file.came().collect();
    let mut found = Vec::new();
    for before in file.went() {
        let Some(weaker) = way(before.text) else { continue };
        let (form, numbers) = parted(before.text);
        if numbers.is_empty() {
            continue;
        }
        let Some(at) = came.iter().position(|entry| parted(entry.text).0 == form) else {
            let again = came.iter().any(|entry| key(entry.text) == key(before.text));
            if shared && !again {
                found.push(Finding::quoting(Sort::Bound, before.anchor, "removes the threshold", before.text));
            }
            continue;
        };
        let after = came.remove(at);
        let pairs: Vec<(f64, f64)> = numbers.into_iter().zip(parted(after.text).1).collect();
        let changed = pairs.iter().rev().find(|(before, after)| before.total_cmp(after).is_ne());
        let gives = changed.is_some_and(|(before, after)| match weaker {
            Weaker::Higher => after > before,
            Weaker::Lower => after < before,
        });
        if gives {
            let what = format!("the bound gives, from {:?} to", before.text);
            found.push(Finding::quoting(Sort::Bound, after.anchor, &what, after.text));
        }
    }
    found
}

fn key(text: &str) -> &str {
    text.split(['=', ':']).next().unwrap_or(text).trim()
}

/// Whether a setting's number became stricter, and nothing else of its line changed.
pub(super) fn is_stricter(before: &str, after: &str) -> bool {
    let ((form, old), (same, new)) = (parted(before), parted(after));
    let Some(weaker) = of_setting(before).filter(|_| form == same && !old.is_empty()) else { return false };
    old.iter().zip(&new).all(|(old, new)| match weaker {
        Weaker::Higher => new <= old,
        Weaker::Lower => new >= old,
    })
}

/// Whether the numbers in this file are limits for what is measured.
fn is_budget(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let data = matches!(tongue_of(path), Tongue::Settings | Tongue::Shell) && !name.ends_with("sh");
    data && ["budget", "threshold", "size-limit", "lighthouserc", "slo."].iter().any(|word| name.contains(word))
}

/// What is limited there is limited from above, unless its name says otherwise.
fn of_budget(text: &str) -> Option<Weaker> {
    let lower = key(text).to_lowercase();
    let least = ["min", "least", "score", "availability", "throughput", "coverage", "rps"];
    Some(if least.iter().any(|word| lower.contains(word)) { Weaker::Lower } else { Weaker::Higher })
}

fn of_setting(text: &str) -> Option<Weaker> {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(MOST) {
        return Some(Weaker::Higher);
    }
    has(LEAST).then_some(Weaker::Lower)
}

fn of_test(text: &str) -> Option<Weaker> {
    const NEAR: &[&str] = &["approx", "tolerance", "epsilon", "delta", "rel=", "abs=", "atol", "rtol", "eps"];
    const TIMES: &[&str] = &["cases", "examples", "iterations", "numruns", "places", "closeto(", "trials"];
    const ABOVE: &[&str] = &[" > ", " >= ", "greater", "atleast", "at_least", "above"];
    const BELOW: &[&str] = &[" < ", " <= ", "less", "atmost", "at_most", "below"];
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["minimum_coverage", "fail_under", "fail-under", "coverage_threshold"]) {
        return Some(Weaker::Lower);
    }
    if has(NEAR) {
        return Some(Weaker::Higher);
    }
    if has(TIMES) {
        return Some(Weaker::Lower);
    }
    let claims = ["assert", "expect", "require", "should"].iter().any(|word| lower.contains(word));
    // In Go and in shells a test fails *because* of a condition.
    let fails_if = lower.starts_with("if ");
    match (has(ABOVE), has(BELOW)) {
        (true, false) if claims => Some(Weaker::Lower),
        (false, true) if claims => Some(Weaker::Higher),
        (true, false) if fails_if => Some(Weaker::Higher),
        (false, true) if fails_if => Some(Weaker::Lower),
        _ => None,
    }
}

/// A line with its numbers taken out, and the numbers.
fn parted(text: &str) -> (String, Vec<f64>) {
    let (mut form, mut numbers) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside_word = form.ends_with(|c: char| c.is_alphabetic() || c == '_');
        if !first.is_ascii_digit() || inside_word {
            form.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let length = number_length(rest);
        let (digits, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        // Too long for a number: as far as comparing goes, it is the largest.
        numbers.push(digits.replace('_', "").parse().unwrap_or(f64::MAX));
        form.push('#');
        rest = after;
    }
    (form, numbers)
}

/// How many bytes at the beginning are a number such as `1_000`, `0.85` or `1e-6`.
fn number_length(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'_').count();
    let mut length = digits(text);
    let after = |length: usize| text.get(length..).unwrap_or_default();
    if let Some(fraction) = after(length).strip_prefix('.').map(digits).filter(|count| *count > 0) {
        length += 1 + fraction;
    }
    if let Some(rest) = after(length).strip_prefix('e') {
        let unsigned = rest.trim_start_matches(['-', '+']);
        let exponent = digits(unsigned);
        if exponent > 0 {
            length += 1 + (rest.len() - unsigned.len()) + exponent;
        }
    }
    length
}
