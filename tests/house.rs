//! The rules of the house, read from the sources: which room may import which, where each dependency is confined, and
//! what every file looks like. A fault names file, line and rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and their floors. A room imports from lower floors only, and never from its own.
const ROOMS: &[(&str, u8)] = &[
    ("domain", 0),
    ("engine", 1),
    ("prompt", 1),
    ("process", 1),
    ("capacity", 1),
    ("policy", 1),
    ("report", 1),
    ("journal", 2),
    ("provider", 2),
    ("gate", 2),
    ("repo", 2),
    ("config", 2),
    ("driver", 3),
    ("app", 3),
    ("keymap", 4),
    ("theme", 4),
    ("view", 5),
    ("tui", 6),
    ("cli", 7),
];

/// Rooms that may use less than what lies below them. Key files and themes are read as configuration is.
const MAY_USE: &[(&str, &[&str])] = &[
    ("app", &["domain", "engine"]),
    ("keymap", &["domain", "app", "config"]),
    ("theme", &["domain", "app", "config"]),
];

/// What stays in some rooms: the beginning of a path, and the rooms.
const CONFINED: &[(&str, &[&str])] = &[
    ("ratatui::crossterm", &["keymap", "tui"]),
    ("ratatui", &["theme", "view", "tui"]),
    ("tui_textarea", &["app", "view", "tui"]),
    ("crossterm", &["keymap", "tui"]),
    ("reqwest", &["provider"]),
    ("rusqlite", &["journal"]),
    ("rusqlite_migration", &["journal"]),
    ("tokio::process", &["process"]),
    ("std::process::Command", &["process"]),
    ("std::process::Child", &["process"]),
    ("std::process::*", &["process"]),
];

/// Who may read a clock: time enters the engine with the commands, or replay isn't exact.
const CLOCK: &[&str] = &["driver", "tui", "cli", "provider", "process", "gate"];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["process"];

/// The most lines of a source file, tests apart.
const LONGEST: usize = 800;

/// What may lie at the top of the repository, besides dotfiles.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "assets",
    "benches",
    "fuzz",
    "keymaps",
    "src",
    "target",
    "tests",
    "themes",
];

/// Beginnings of paths that exist on the author's machine only.
const ELSEWHERE: &[&str] = &["/work/", "/root/"];

/// A rule that is broken.
#[derive(Debug, PartialEq)]
struct Fault {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

// ---- reading Rust, as far as it takes -------------------------------------------------------------------------------

/// A word or a sign of the source; `::` is one sign. Comments, literals and lifetimes are left out.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let (mut found, mut index, mut line) = (Vec::new(), 0, 1);
    while index < chars.len() {
        let start = index;
        match at(index) {
            '/' if at(index + 1) == '/' => index = end_of_line(&chars, index),
            '/' if at(index + 1) == '*' => index = end_of_comment(&chars, index),
            '"' => index = end_of_text(&chars, index + 1),
            '\'' if at(index + 1) == '\\' => index = end_of_quote(&chars, index + 3),
            '\'' if at(index + 2) == '\'' => index += 3,
            '\'' => index += 1 + chars[index + 1..].iter().take_while(|c| is_word(**c)).count(),
            c if is_word(c) => {
                while is_word(at(index)) {
                    index += 1;
                }
                let word: String = chars[start..index].iter().collect();
                match (word.as_str(), at(index)) {
                    ("r" | "br" | "cr", '"' | '#') if raw_hashes(&chars, index).is_some() => {
                        index = end_of_raw(&chars, index);
                    }
                    ("b" | "c", '"') => index = end_of_text(&chars, index + 1),
                    ("b", '\'') => index = end_of_quote(&chars, index + 2),
                    ("r", '#') => index += 1,
                    _ => found.push(Token { text: word, line }),
                }
            }
            ':' if at(index + 1) == ':' => {
                found.push(Token { text: "::".to_owned(), line });
                index += 2;
            }
            c => {
                if !c.is_whitespace() {
                    found.push(Token { text: c.to_string(), line });
                }
                index += 1;
            }
        }
        line += chars[start..index.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    found
}

fn end_of_line(chars: &[char], from: usize) -> usize {
    chars[from..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| from + length)
}

/// Block comments nest.
fn end_of_comment(chars: &[char], from: usize) -> usize {
    let (mut index, mut depth) = (from, 0_usize);
    while index < chars.len() {
        match (chars[index], chars.get(index + 1)) {
            ('/', Some('*')) => (index, depth) = (index + 2, depth + 1),
            ('*', Some('/')) => (index, depth) = (index + 2, depth - 1),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    index
}

fn end_of_text(chars: &[char], from: usize) -> usize {
    let mut index = from;
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

fn end_of_quote(chars: &[char], from: usize) -> usize {
    chars.get(from..).and_then(|rest| rest.iter().position(|c| *c == '\'')).map_or(chars.len(), |at| from + at + 1)
}

/// How many `#` stand before the quotation mark of a raw string, if it is one.
fn raw_hashes(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars[from..].iter().take_while(|c| **c == '#').count();
    (chars.get(from + hashes) == Some(&'"')).then_some(hashes)
}

fn end_of_raw(chars: &[char], from: usize) -> usize {
    let hashes = raw_hashes(chars, from).unwrap_or(0);
    let mut index = from + hashes + 1;
    while index < chars.len() {
        let closes =
            chars[index] == '"' && chars[index + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
        index += 1;
        if closes {
            return index + hashes;
        }
    }
    index
}

/// The tokens without the items that only tests see.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut index) = (Vec::new(), 0);
    while index < tokens.len() {
        let words: Vec<&str> = tokens[index..].iter().take(attribute.len()).map(|token| token.text.as_str()).collect();
        if words == attribute {
            index = end_of_item(tokens, index + attribute.len());
        } else {
            kept.push(tokens[index].clone());
            index += 1;
        }
    }
    kept
}

/// The place after the item that begins at `from`: after its `;` or its closing brace.
fn end_of_item(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth <= 1 => return index + 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// A path as it is written, and its line.
type Written = (Vec<String>, usize);

/// The paths that a `use` imports, each with the name it gets. `index` stands behind `use` and ends behind the tree.
fn use_tree(tokens: &[Token], index: &mut usize, before: &[String], found: &mut Vec<(Written, String)>) {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(*index) {
        *index += 1;
        match token.text.as_str() {
            "::" => {}
            "{" => {
                while tokens.get(*index).is_some_and(|token| token.text != "}") {
                    use_tree(tokens, index, &path, found);
                    if tokens.get(*index).is_some_and(|token| token.text == ",") {
                        *index += 1;
                    }
                }
                *index += 1;
                return;
            }
            word => {
                if word != "self" || path.is_empty() {
                    path.push(word.to_owned());
                }
                let mut name = path.last().cloned().unwrap_or_default();
                match tokens.get(*index).map(|token| token.text.as_str()) {
                    Some("::") => continue,
                    Some("as") => {
                        name = tokens.get(*index + 1).map_or(String::new(), |token| token.text.clone());
                        *index += 2;
                    }
                    _ => {}
                }
                found.push(((path, token.line), name));
                return;
            }
        }
    }
}

/// Every path of a file from the crate's root or a dependency's, imports resolved.
fn paths(tokens: &[Token], module: &[String]) -> Vec<Written> {
    let (mut imports, mut inline, mut index) = (Vec::new(), Vec::new(), 0);
    while let Some(token) = tokens.get(index) {
        index += 1;
        let next = |ahead: usize| tokens.get(index + ahead).map_or("", |token| token.text.as_str());
        if token.text == "use" && next(0) != "<" {
            use_tree(tokens, &mut index, &[], &mut imports);
        } else if token.text.starts_with(is_word) && next(0) == "::" {
            let mut path = vec![token.text.clone()];
            while tokens.get(index).is_some_and(|token| token.text == "::")
                && let Some(part) = tokens.get(index + 1).filter(|part| part.text.starts_with(is_word))
            {
                path.push(part.text.clone());
                index += 2;
            }
            inline.push((path, token.line));
        }
    }
    let mut names = BTreeMap::new();
    let mut found = Vec::new();
    for ((path, line), name) in imports {
        let path = from_root(path, module);
        names.insert(name, path.clone());
        found.push((path, line));
    }
    found.extend(inline.into_iter().map(|(path, line)| match names.get(&path[0]) {
        Some(imported) => ([imported.as_slice(), &path[1..]].concat(), line),
        None => (from_root(path, module), line),
    }));
    found
}

/// `self` and `super` replaced by where they lead.
fn from_root(path: Vec<String>, module: &[String]) -> Vec<String> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let own = usize::from(path.first().is_some_and(|part| part == "self"));
    if supers + own == 0 {
        return path;
    }
    let above = module.len().saturating_sub(supers).max(1);
    [&module[..above], &path[supers + own..]].concat()
}

// ---- the rules ------------------------------------------------------------------------------------------------------

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// The module of a source file: `src/a/b.rs` is `crate::a::b`.
fn module_of(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let root = matches!(inner, "lib" | "main");
    let parts = inner.split('/').filter(|_| !root).map(str::to_owned);
    std::iter::once("crate".to_owned()).chain(parts).collect()
}

fn is_test_file(file: &str) -> bool {
    file.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "laws.rs" | "testing.rs"))
}

/// What is wrong with one source file.
fn check(file: &str, source: &str) -> Vec<Fault> {
    let mut faults = check_text(file, source);
    let fault = |line: usize, rule: String| Fault { file: file.to_owned(), line, rule };
    if !source.starts_with("//!") {
        faults.push(fault(1, "a file begins with \"//!\" and says what it is for".to_owned()));
    }
    if !file.starts_with("src/") || is_test_file(file) {
        return faults;
    }
    let lines = source.lines().count();
    if lines > LONGEST {
        faults.push(fault(lines, format!("a source file has at most {LONGEST} lines")));
    }
    let module = module_of(file);
    let tokens = without_tests(&tokens(source));
    let room = module.get(1).map(String::as_str);
    for token in tokens.iter().filter(|token| token.text == "unsafe") {
        if !room.is_some_and(|room| UNSAFE.contains(&room)) {
            faults.push(fault(token.line, format!("unsafe stands only in {}", UNSAFE.join(", "))));
        }
    }
    let Some(room) = room else { return faults };
    let Some(own_floor) = floor(room) else {
        faults.push(fault(1, format!("room {room} has no floor: give it one in tests/house.rs")));
        return faults;
    };
    for (path, line) in paths(&tokens, &module) {
        let broken = check_import(room, own_floor, &path).or_else(|| check_confined(room, &path));
        faults.extend(broken.map(|rule| fault(line, rule)));
    }
    // One `use` may import several things from where it shouldn't.
    faults.dedup();
    faults
}

fn check_import(room: &str, own_floor: u8, path: &[String]) -> Option<String> {
    if path.first().is_none_or(|first| first != "crate" && first != "windlass") {
        return None;
    }
    let Some(other) = path.get(1).filter(|other| *other != "*") else {
        return Some("the crate's root is not imported as a whole: name the room".to_owned());
    };
    if other == room {
        return None;
    }
    let Some(other_floor) = floor(other) else {
        return Some(format!("{room} imports {other}, which is no room"));
    };
    if other_floor >= own_floor {
        return Some(format!("{room} (floor {own_floor}) may not import {other} (floor {other_floor})"));
    }
    let allowed = MAY_USE.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)?;
    (!allowed.contains(&other.as_str())).then(|| format!("{room} may import only {}, not {other}", allowed.join(", ")))
}

fn check_confined(room: &str, path: &[String]) -> Option<String> {
    let begins = |start: &str| start.split("::").enumerate().all(|(at, part)| path.get(at).is_some_and(|p| p == part));
    if let Some((what, rooms)) = CONFINED.iter().find(|(what, _)| begins(what))
        && !rooms.contains(&room)
    {
        return Some(format!("{what} is used only in {}, not in {room}", rooms.join(", ")));
    }
    let clock =
        ["std", "tokio", "jiff"].iter().any(|first| begins(first)) && path.last().is_some_and(|last| last == "now");
    (clock && !CLOCK.contains(&room)).then(|| format!("a clock is read only in {}, not in {room}", CLOCK.join(", ")))
}

/// What is wrong with any file as text.
fn check_text(file: &str, text: &str) -> Vec<Fault> {
    let this = file == "tests/house.rs";
    let named = |line: &str| ELSEWHERE.iter().find(|path| !this && line.contains(**path)).copied();
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let rule = format!("{:?} is a path of one machine", named(line)?);
            Some(Fault { file: file.to_owned(), line: index + 1, rule })
        })
        .collect()
}

// ---- the house ------------------------------------------------------------------------------------------------------

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder`, as a path from the root.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a folder that can be read").path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn files() -> Vec<(String, Vec<u8>)> {
    let mut found = vec![root().join("README.md"), root().join("Cargo.toml")];
    for folder in ["src", "tests", "benches", "assets", "themes", "keymaps", ".ci"] {
        files_below(&root().join(folder), &mut found);
    }
    found.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("failed to read {name}: {error}"));
        (name, bytes)
    };
    found.into_iter().map(named).collect()
}

#[test]
fn the_house_keeps_its_rules() {
    let mut faults = Vec::new();
    let mut sources = 0;
    for (name, bytes) in files() {
        // Samples may be anything, also not text.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let is_ours = name.ends_with(".rs") && ["src/", "tests/", "benches/"].iter().any(|part| name.starts_with(part));
        if is_ours && !name.starts_with("tests/fixtures/") {
            sources += 1;
            faults.extend(check(&name, &text));
        } else {
            faults.extend(check_text(&name, &text));
        }
    }
    assert!(sources > 20, "only {sources} source files were found below {}", root().display());
    let list: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), list.join("\n"));
}

#[test]
fn the_top_of_the_repository_is_fixed() {
    let entries = fs::read_dir(root()).expect("the root");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let strangers: Vec<String> = names.filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str())).collect();
    assert!(strangers.is_empty(), "does not belong at the top of the repository: {}", strangers.join(", "));
}

#[test]
fn every_room_has_a_floor() {
    for entry in fs::read_dir(root().join("src")).expect("src") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let known = matches!(name.as_str(), "lib.rs" | "main.rs") || floor(&name).is_some();
        assert!(known, "src/{name} is no room of tests/house.rs");
    }
}

/// The rules that a snippet in this file breaks.
fn broken(file: &str, code: &str) -> Vec<String> {
    check(file, &format!("//! A file.\n{code}\n")).into_iter().map(|fault| fault.rule).collect()
}

#[test]
fn what_breaks_a_floor_is_caught_however_it_is_written() {
    for (file, code) in [
        ("src/domain/a.rs", "use crate::engine::State;"),
        ("src/domain/a.rs", "use crate::{\n    engine::{State, decide as d},\n};"),
        ("src/domain/a.rs", "fn f() { crate::engine::decide(); }"),
        ("src/domain/a.rs", "use super::super::engine::State;"),
        ("src/domain/mod.rs", "use super::engine;"),
        ("src/domain/a.rs", "pub(super) use crate::tui;"),
        ("src/domain/a.rs", "use crate as windlass;"),
        ("src/domain/a.rs", "use crate::*;"),
        ("src/domain/a.rs", "use crate::nowhere::X;"),
        ("src/engine/a.rs", "use crate::prompt::X;"),
        ("src/repo/a/b.rs", "use super::super::super::gate::X;"),
        ("src/driver/a.rs", "use crate::app::Model;"),
        ("src/app/a.rs", "use crate::driver::Driver;"),
        ("src/app/a.rs", "use crate::journal::Journal;"),
        ("src/keymap/a.rs", "use crate::engine::State;"),
        ("src/theme/a.rs", "use crate::keymap::Keymap;"),
        ("src/view/a.rs", "use crate::tui::Tui;"),
        ("src/tui/a.rs", "use crate::cli::Cli;"),
        ("src/attic/a.rs", ""),
    ] {
        assert_eq!(broken(file, code).len(), 1, "{file}: {code}: {:?}", broken(file, code));
    }
}

#[test]
fn what_leaves_its_confinement_is_caught_however_it_is_written() {
    for (file, code) in [
        ("src/app/a.rs", "use ratatui::text::Line;"),
        ("src/app/a.rs", "fn f(l: ratatui::text::Line) {}"),
        ("src/keymap/a.rs", "use ::ratatui::text::Line;"),
        ("src/view/a.rs", "use crossterm::event::KeyEvent;"),
        ("src/view/a.rs", "use ratatui::crossterm::event::KeyEvent;"),
        ("src/theme/a.rs", "use tui_textarea::TextArea;"),
        ("src/driver/a.rs", "use reqwest::Client;"),
        ("src/cli/a.rs", "use rusqlite::Connection;"),
        ("src/repo/a.rs", "use std::process::{Command, exit};"),
        ("src/repo/a.rs", "use std::process; fn f() { process::Command::new(\"git\"); }"),
        ("src/repo/a.rs", "use std::process as p; fn f() { p::Command::new(\"git\"); }"),
        ("src/gate/a.rs", "use tokio::{process, sync};"),
        ("src/engine/a.rs", "use std::time::Instant; fn f() { Instant::now(); }"),
        ("src/journal/a.rs", "fn f() { std::time::SystemTime::now(); }"),
        ("src/view/a.rs", "use jiff::{Zoned, Span}; fn f() { x.unwrap_or_else(Zoned::now); }"),
        ("src/app/a.rs", "use tokio::time::Instant as Moment; fn f() { Moment::now(); }"),
        ("src/domain/a.rs", "unsafe fn f() {}"),
        ("src/main.rs", "fn main() { unsafe {} }"),
    ] {
        assert_eq!(broken(file, code).len(), 1, "{file}: {code}: {:?}", broken(file, code));
    }
}

#[test]
fn what_keeps_the_rules_is_left_alone() {
    for (file, code) in [
        ("src/engine/a.rs", "use crate::domain::{Digest, self}; use super::State; use crate::engine::Event;"),
        ("src/engine/a/b.rs", "use super::super::State; use self::c::D;"),
        ("src/cli/a.rs", "use crate::{tui, driver::Driver};"),
        ("src/lib.rs", "pub mod cli; pub mod domain;"),
        ("src/main.rs", "fn main() { windlass::cli::main() }"),
        ("src/keymap/a.rs", "use crossterm::event::KeyCode; use crate::app::action::Action;"),
        ("src/process/a.rs", "use std::process::Command; fn f() { unsafe {} std::time::Instant::now(); }"),
        (
            "src/app/a.rs",
            "// use crate::tui;\n/* use crate::cli; /* ratatui::x */ */ const A: &str = \"crate::tui::x\";",
        ),
        (
            "src/app/a.rs",
            "const A: &str = r#\"\"crate::tui::x\" unsafe\"#; const B: char = '\"'; const C: u8 = b'\\'';",
        ),
        ("src/app/a.rs", "fn f<'a>(x: &'a str) -> &'a str { x } fn g() -> impl Copy + use<> {}"),
        ("src/app/a.rs", "#[cfg(test)]\nmod tests { use std::process::Command; fn f() { unsafe {} } }"),
        ("src/app/a.rs", "#[cfg(test)] #[derive(Debug)] struct A { b: ratatui::B }\nfn g() {}"),
        ("src/app/tests.rs", "use crate::tui; fn f() { std::time::Instant::now(); }"),
        ("src/repo/a.rs", "fn f() { std::process::exit(1); }"),
        ("src/engine/a.rs", "fn f(at: crate::domain::Timestamp) {} #[allow(unsafe_code)] fn g() {}"),
    ] {
        assert_eq!(broken(file, code), Vec::<String>::new(), "{file}: {code}");
    }
    // After an item for tests, what is not for tests counts again.
    let code = "#[cfg(test)]\nfn f() {}\nuse crate::tui;";
    assert_eq!(broken("src/app/a.rs", code).len(), 1);
}

#[test]
fn faults_name_the_place() {
    let faults = check("src/app/a.rs", "//! A file.\n\n// fine\nuse crate::{\n    domain::X,\n    tui::Y,\n};\n");
    let said: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert_eq!(said, ["src/app/a.rs:6: app (floor 3) may not import tui (floor 6)"]);
    let bare = check("tests/a.rs", "use std::fmt;\n// see /root/notes\n");
    assert_eq!(bare.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 1]);
    let long = format!("//! A file.\n{}", "\n".repeat(LONGEST));
    assert_eq!(check("src/app/a.rs", &long).len(), 1);
    assert_eq!(check("src/app/tests.rs", &long), []);
}
