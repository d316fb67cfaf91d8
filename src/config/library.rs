//! Named data files (key files, themes): built in, overridden by name from the person's directory, inheriting from
//! each other.

use std::path::Path;
use std::str;

use super::document::{Document, Fields, Located};
use super::paths;
use super::problem::{Place, Problem, suggestion};

/// A kind of named data file.
#[derive(Debug, Clone, Copy)]
pub struct Library<'a> {
    /// What messages call one: `keymap`.
    pub what: &'static str,
    /// Name and text of the built-in ones.
    pub built_in: &'static [(&'static str, &'static str)],
    /// The built-in one that stands in for one that can't be read.
    pub fallback: &'static str,
    /// The directory of the person's own, if there is one.
    pub user_dir: Option<&'a Path>,
}

/// One file of a library. It is valid TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its name, without `.toml`.
    pub name: String,
    /// How messages name it: its path, or `vim.toml` for a built-in one.
    pub file: String,
    /// Its text.
    pub text: String,
    /// Whether it came with Windlass.
    pub built_in: bool,
}

impl Library<'_> {
    /// The file called `name` and all it inherits from, the most basic first; never empty.
    ///
    /// A missing or broken file is a problem, and the built-in of that name, or the fallback, stands in; so does the
    /// fallback for what a file can't inherit.
    pub fn chain(&self, name: &str) -> (Vec<Sheet>, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut chain: Vec<Sheet> = Vec::new();
        let mut wanted = Some((name.to_owned(), Place::of(self.what)));
        let mut is_torn = false;
        while let Some((name, place)) = wanted.take() {
            // A person's file may inherit the built-in one it overrides.
            let own_is_taken = chain.iter().any(|sheet| !sheet.built_in && sheet.name == name);
            let own = if own_is_taken { None } else { self.own(&name, &mut problems) };
            let built_in =
                chain.iter().all(|s| !(s.built_in && s.name == name)).then(|| self.built_in(&name)).flatten();
            if let Some((sheet, parent)) = own.or(built_in) {
                chain.push(sheet);
                wanted = parent;
                continue;
            }
            is_torn = true;
            if chain.iter().any(|sheet| sheet.name == name) {
                let names: Vec<&str> = chain.iter().map(|sheet| sheet.name.as_str()).collect();
                let message = format!("{} inherits in a circle: {} > {name}", self.what, names.join(" > "));
                problems.push(place.problem(format!("{message}; remove one \"inherits\"")));
            } else if !problems.iter().any(|p| p.place.source == self.label(&name)) {
                let names = self.names();
                let hint = suggestion(&name, names.iter().map(String::as_str));
                problems.push(place.problem(format!("there is no {} called {name:?}; {hint}", self.what)));
            }
        }
        let has_own = self.user_dir.is_some() || name != self.fallback;
        if is_torn && has_own && !chain.iter().any(|sheet| sheet.built_in) {
            let fallback = Library { user_dir: None, ..*self }.chain(self.fallback).0;
            chain.extend(fallback.into_iter().rev());
        }
        chain.reverse();
        (chain, problems)
    }

    /// Every name there is, in order.
    pub fn names(&self) -> Vec<String> {
        let files = self.user_dir.and_then(|dir| dir.read_dir().ok()).into_iter().flatten().flatten();
        let own = files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned()));
        let mut names: Vec<String> = self.built_in.iter().map(|(name, _)| (*name).to_owned()).chain(own).collect();
        names.sort();
        names.dedup();
        names
    }

    fn label(&self, name: &str) -> String {
        self.user_dir.map_or_else(String::new, |dir| dir.join(format!("{name}.toml")).display().to_string())
    }

    fn own(&self, name: &str, problems: &mut Vec<Problem>) -> Option<(Sheet, Option<(String, Place)>)> {
        // The name comes from a file or a flag; it must not lead out of the directory.
        let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let path = self.user_dir.filter(|_| plain)?.join(format!("{name}.toml"));
        let file = self.label(name);
        let bytes = match paths::read(&path) {
            Ok(bytes) => bytes?,
            Err(error) => {
                problems.push(Place::of(file).problem(format!("failed to read it: {error}")));
                return None;
            }
        };
        let Ok(text) = str::from_utf8(&bytes) else {
            problems.push(Place::of(file).problem("it is not UTF-8 text; save it as UTF-8"));
            return None;
        };
        sheet(name, file, text, false, problems)
    }

    fn built_in(&self, name: &str) -> Option<(Sheet, Option<(String, Place)>)> {
        let (name, text) = self.built_in.iter().find(|(built_in, _)| *built_in == name)?;
        sheet(name, format!("{name}.toml"), text, true, &mut Vec::new())
    }
}

/// The sheet with the name and place of what it inherits from; none when it isn't TOML.
fn sheet(
    name: &str,
    file: String,
    text: &str,
    built_in: bool,
    problems: &mut Vec<Problem>,
) -> Option<(Sheet, Option<(String, Place)>)> {
    let doc = Document::new(file.clone(), text);
    let table = doc.parse();
    let inherits = table.as_ref().and_then(|table| Fields::top(&doc, table).text("inherits"));
    let inherits = inherits.map(|Located { value, offset }| (value, doc.place(offset)));
    let parsed = table.is_some();
    problems.extend(doc.into_problems());
    parsed.then(|| (Sheet { name: name.to_owned(), file, text: text.to_owned(), built_in }, inherits))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const BUILT_IN: &[(&str, &str)] = &[("base", "a = 1"), ("main", "inherits = \"base\"\nb = 2")];

    fn chain(files: &[(&str, &str)], name: &str) -> (Vec<String>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
        }
        let library = Library { what: "sheet", built_in: BUILT_IN, fallback: "main", user_dir: Some(dir.path()) };
        let (chain, problems) = library.chain(name);
        let names = chain.iter().map(|s| if s.built_in { s.name.clone() } else { format!("own {}", s.name) }).collect();
        let prefix = format!("{}/", dir.path().display());
        (names, problems.iter().map(|p| p.to_string().replace(&prefix, "")).collect())
    }

    #[test]
    fn files_inherit_and_override_by_name() {
        let none: [String; 0] = [];
        for (files, name, expected) in [
            (&[][..], "main", &["base", "main"][..]),
            (&[("me", "inherits = \"main\"")], "me", &["base", "main", "own me"]),
            (&[("main", "inherits = \"main\"")], "main", &["base", "main", "own main"]),
            (&[("base", "inherits = \"base\"")], "main", &["base", "own base", "main"]),
            (&[("main", "")], "main", &["own main"]),
        ] {
            let (names, problems) = chain(files, name);
            assert_eq!(names, expected);
            assert_eq!(problems, none);
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_problem_and_something_stands_in() {
        for (files, name, expected, problem) in [
            (
                &[][..],
                "mian",
                &["base", "main"][..],
                "sheet: there is no sheet called \"mian\"; did you mean \"main\"?",
            ),
            (&[], "../main", &["base", "main"], "sheet: there is no sheet called \"../main\"; known: base, main"),
            (
                &[("base", "x =")],
                "base",
                &["base"],
                "base.toml:1:4: not valid TOML: string values must be quoted, expected literal string",
            ),
            (
                &[("a", "inherits = \"b\""), ("b", "\ninherits = \"a\"")],
                "a",
                &["base", "main", "own b", "own a"],
                "b.toml:2:12: sheet inherits in a circle: a > b > a; remove one \"inherits\"",
            ),
            (
                &[("a", "inherits = \"mainn\"")],
                "a",
                &["base", "main", "own a"],
                "a.toml:1:12: there is no sheet called \"mainn\"; did you mean \"main\"?",
            ),
        ] {
            let (names, problems) = chain(files, name);
            assert_eq!(names, expected);
            assert_eq!(problems, [problem]);
        }
    }
}
