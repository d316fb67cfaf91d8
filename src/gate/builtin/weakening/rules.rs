//! What decides which rules there are: edits of files that configure judges, and of their part in files that configure
//! other things too.

use super::lines::{Edited, Entry};
use super::tongue::{Tongue, is_judge, is_shared};
use super::{Finding, Sort, bounds};

/// Settings that leave something out, or switch something off.
const LOOSE: &[&str] = &[
    "ignore",
    "extend-ignore",
    "per-file-ignores",
    "omit",
    "exclude_lines",
    "exclude_also",
    "ignore_errors",
    "ignore_missing_imports",
    "addopts",
    "filterwarnings",
    "testPathIgnorePatterns",
    "coveragePathIgnorePatterns",
    "skipLibCheck",
    "eslintIgnore",
    "disable",
    "disable_error_code",
    "deselect",
    "extend-exclude",
    "modulePathIgnorePatterns",
];

/// Settings that hold the code to more while they are true.
const STRICT: &[&str] = &[
    "strict",
    "alwaysStrict",
    "noImplicitAny",
    "strictNullChecks",
    "strictFunctionTypes",
    "noUnusedLocals",
    "noUnusedParameters",
    "noImplicitReturns",
    "noUncheckedIndexedAccess",
    "noFallthroughCasesInSwitch",
    "exactOptionalPropertyTypes",
    "disallow_untyped_defs",
    "disallow_any_generics",
    "check_untyped_defs",
    "warn_return_any",
    "warn_unused_ignores",
    "no_implicit_optional",
    "strict_equality",
    "branch",
    "workspace",
    "failOnViolation",
    "warningsAsErrors",
    "allWarningsAsErrors",
    "xfail_strict",
];

/// Scripts of a package that judge it.
const SCRIPTS: &[&str] =
    &["test", "lint", "check", "typecheck", "type-check", "coverage", "ci", "verify", "audit", "pretest"];

/// Programs that judge.
const RUNNERS: &[&str] = &[
    "pytest",
    "cargo test",
    "cargo clippy",
    "cargo nextest",
    "cargo fmt",
    "cargo deny",
    "cargo audit",
    "go test",
    "go vet",
    "golangci-lint",
    "staticcheck",
    "npm test",
    "npm run test",
    "npm run lint",
    "npm audit",
    "yarn test",
    "yarn lint",
    "pnpm test",
    "pnpm lint",
    "eslint",
    "tsc",
    "jest",
    "vitest",
    "mocha",
    "ruff",
    "mypy",
    "flake8",
    "pylint",
    "mvn test",
    "mvn verify",
    "gradle test",
    "gradle check",
    "gradlew test",
    "gradlew check",
    "shellcheck",
    "make test",
    "make lint",
    "set -e",
];

/// Rules that are fewer or milder than before.
pub(super) fn weaker(file: &Edited<'_>) -> Vec<Finding> {
    if is_judge(file.path) {
        return whole(file).into_iter().collect();
    }
    let mut found = levels(file);
    if is_shared(file.path) {
        found.extend(settings(file));
        found.extend(commands(file));
    }
    found
}

/// Any edit of a file that does nothing but configure judges, comments apart, and what makes them stricter.
fn whole(file: &Edited<'_>) -> Option<Finding> {
    if is_stricter(file) {
        return None;
    }
    let line = file.added.iter().chain(&file.removed).filter(|entry| !entry.comment).map(|entry| entry.anchor).min()?;
    let doing = match (file.is_new, file.is_gone) {
        (true, _) => "adds",
        (_, true) => "deletes",
        _ => "edits",
    };
    let what = format!("{doing} what configures the judges");
    Some(Finding { sort: Sort::Rule, line: (!file.is_gone).then_some(line), what })
}

/// Whether all that changed is numbers and levels, each for a stricter one.
fn is_stricter(file: &Edited<'_>) -> bool {
    let changed = |entry: &&Entry<'_>| !entry.comment;
    let (went, came): (Vec<_>, Vec<_>) =
        (file.removed.iter().filter(changed).collect(), file.added.iter().filter(changed).collect());
    !went.is_empty()
        && went.len() == came.len()
        && went.iter().zip(&came).all(|(old, new)| {
            let level = |text: &str| LEVELS.iter().position(|levels| levels.contains(&plain_value(text)));
            let risen =
                key(old.text) == key(new.text) && level(old.text).zip(level(new.text)).is_some_and(|(o, n)| o < n);
            let is_held = STRICT.contains(&key(old.text)) && plain_value(old.text) == "false" && is_strict(new.text);
            bounds::is_stricter(old.text, new.text) || risen || (key(old.text) == key(new.text) && is_held)
        })
}

/// How seriously a rule is taken, the least first.
const LEVELS: &[&[&str]] =
    &[&["off", "allow", "ignore", "0"], &["warn", "warning", "1"], &["error", "deny", "2"], &["forbid"]];

fn plain_value(text: &str) -> &str {
    value(text).trim_matches(['"', '\'', ';', ' '])
}

/// Lints that were errors and no longer are: `deny` and `forbid` in Rust, `"use strict"` in JavaScript.
fn levels(file: &Edited<'_>) -> Vec<Finding> {
    let marks: &[&str] = match file.tongue {
        Tongue::Rust => &["#![deny(", "#![forbid(", "#[deny(", "#[forbid("],
        Tongue::Script => &["\"use strict\"", "'use strict'", "// @ts-check"],
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    for entry in file.removed.iter().filter(|entry| !entry.moved) {
        let Some(mark) = marks.iter().find(|mark| entry.text.starts_with(*mark)) else { continue };
        // `deny` made `forbid`, or with more lints in it, is no weaker.
        let rules = entry.text.split_once('(').map(|(_, rules)| rules.trim_end_matches([']', ')']));
        let kept = |text: &str| {
            let stricter = text.starts_with(mark) || text.starts_with(&mark.replace("deny", "forbid"));
            stricter && rules.is_none_or(|rules| rules.split(',').all(|rule| text.contains(rule.trim())))
        };
        if !file.added.iter().any(|entry| kept(entry.text)) {
            found.push(Finding::quoting(Sort::Rule, entry.anchor, "no longer holds the code to", entry.text));
        }
    }
    found
}

fn settings(file: &Edited<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in file.came() {
        let before = file.went().find(|old| key(old.text) == key(entry.text));
        let shrank = before.is_some_and(|old| old.text.len() > entry.text.len() && !off(entry.text));
        // In a manifest of Cargo these are names of packages.
        let listed = LOOSE.contains(&key(entry.text)) && !file.path.ends_with("Cargo.toml");
        let loose = listed || off(entry.text) || is_rule_name(file, entry.text);
        if loose && !shrank {
            found.push(Finding::quoting(Sort::Rule, entry.anchor, "leaves out or switches off", entry.text));
        }
    }
    for entry in file.went().filter(|entry| is_strict(entry.text)) {
        let kept = file.came().any(|new| key(new.text) == key(entry.text) && is_strict(new.text));
        if !kept {
            found.push(Finding::quoting(Sort::Rule, entry.anchor, "no longer holds the code to", entry.text));
        }
    }
    found
}

/// What a setting's line sets.
fn key(text: &str) -> &str {
    text.split(['=', ':']).next().unwrap_or(text).trim().trim_matches(['"', '\''])
}

fn value(text: &str) -> &str {
    text.split_once(['=', ':']).map_or("", |(_, value)| value.trim())
}

fn off(text: &str) -> bool {
    let value = value(text);
    let named = |key: &str| matches!(key, "autotests" | "doctest" | "test" | "harness") && value == "false";
    matches!(value, "\"off\"" | "'off'" | "\"allow\"")
        || value.starts_with("{ level = \"allow\"")
        || named(key(text))
        || (STRICT.contains(&key(text)) && value == "false")
        || text.contains("<skip>true")
        || text.contains("<skipTests>true")
}

fn is_strict(text: &str) -> bool {
    let value = value(text);
    (STRICT.contains(&key(text)) && value.trim_end_matches(';') == "true")
        || key(text).ends_with("lints.workspace")
        || matches!(text, "[lints]" | "[workspace.lints.rust]" | "[workspace.lints.clippy]")
        || ["\"deny\"", "\"forbid\"", "\"error\""]
            .iter()
            .any(|level| value.starts_with(level) || value.contains(&format!("level = {level}")))
        || value.contains("-D warnings")
        || value.contains("-Dwarnings")
        || value.contains("-Werror")
}

/// `"E501"`, one of a list of rules.
fn is_rule_name(file: &Edited<'_>, text: &str) -> bool {
    let name = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    let letters = name.chars().take_while(char::is_ascii_uppercase).count();
    let digits = name.chars().skip(letters).collect::<String>();
    file.path.ends_with(".toml")
        && (1..=4).contains(&letters)
        && (2..=4).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Scripts and commands that no longer run what judges.
fn commands(file: &Edited<'_>) -> Vec<Finding> {
    let script = |entry: &&Entry<'_>| {
        let key = key(entry.text);
        file.path.ends_with("package.json") && SCRIPTS.contains(&key.split(':').next().unwrap_or(key))
    };
    let runs = |text: &str| RUNNERS.iter().any(|runner| text.contains(runner));
    let mut found = Vec::new();
    for entry in file.went().filter(script) {
        let command = value(entry.text).trim_matches('"');
        let kept = file.came().any(|new| key(new.text) == key(entry.text) && value(new.text).contains(command));
        if !kept {
            found.push(Finding::quoting(Sort::Rule, entry.anchor, "no longer runs", entry.text));
        }
    }
    if file.tongue == Tongue::Shell {
        for runner in RUNNERS {
            let went: Vec<&Entry<'_>> = file.went().filter(|entry| entry.text.contains(runner)).collect();
            let came = file.came().filter(|entry| runs(entry.text)).count();
            for entry in went.into_iter().skip(came) {
                found.push(Finding::quoting(Sort::Rule, entry.anchor, "no longer runs", entry.text));
            }
        }
    }
    found
}
