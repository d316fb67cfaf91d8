//! Gates for what a repository has: its build tools, its test runners, its hooks.

use std::path::Path;

use serde_json::Value;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::paths;

/// A gate that suits the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its name.
    pub name: &'static str,
    /// What in the repository speaks for it.
    pub because: String,
    kind: Option<&'static str>,
    argv: Vec<String>,
    network: bool,
    writable: Option<&'static str>,
}

impl Proposal {
    fn new(name: &'static str, because: impl Into<String>, argv: &[&str]) -> Self {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        Self { name, because: because.into(), kind: None, argv, network: false, writable: None }
    }

    /// The command it runs.
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// It as a `[[gate]]`.
    pub fn toml(&self) -> String {
        let mut table = Table::new();
        table.insert("name", value(self.name));
        if let Some(kind) = self.kind {
            table.insert("kind", value(kind));
        }
        table.insert("argv", value(Array::from_iter(&self.argv)));
        if self.network {
            table.insert("network", value(true));
        }
        if let Some(dir) = self.writable {
            table.insert("writable", value(Array::from_iter([dir])));
        }
        let mut doc = DocumentMut::new();
        doc.insert("gate", Item::ArrayOfTables(ArrayOfTables::from_iter([table])));
        doc.to_string()
    }
}

/// What suits the repository whose checkout is `top`. A file that can't be read speaks for nothing.
pub fn proposals(top: &Path) -> Vec<Proposal> {
    let checkout = Checkout { top };
    let parts = [checkout.cargo(), checkout.npm(), checkout.go(), checkout.python(), checkout.make(), checkout.hooks()];
    parts.into_iter().flatten().collect()
}

struct Checkout<'a> {
    top: &'a Path,
}

impl Checkout<'_> {
    fn has(&self, name: &str) -> bool {
        self.top.join(name).is_file()
    }

    fn text(&self, name: &str) -> Option<String> {
        String::from_utf8(paths::read(&self.top.join(name)).ok()??).ok()
    }

    fn cargo(&self) -> Vec<Proposal> {
        if !self.has("Cargo.toml") {
            return Vec::new();
        }
        // Old warnings needn't be mended before a gate of this kind is of use: it counts those that the base hasn't.
        let lint = ["cargo", "clippy", "--all-targets", "--message-format=json"];
        let lint = Proposal { kind: Some("cargo"), ..Proposal::new("cargo-clippy", "Cargo.toml", &lint) };
        let format = Proposal::new("cargo-fmt", "Cargo.toml", &["cargo", "fmt", "--check"]);
        vec![Proposal::new("cargo-test", "Cargo.toml", &["cargo", "test"]), lint, format]
    }

    fn npm(&self) -> Vec<Proposal> {
        let package = self.text("package.json").and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let Some(package) = package else { return Vec::new() };
        let has_some = |key| package.get(key).and_then(Value::as_object).is_some_and(|some| !some.is_empty());
        let needs_packages = has_some("dependencies") || has_some("devDependencies");
        // The worktree of a change has what git keeps, so no node_modules. npm's cache is outside of what it may write.
        let (tool, install) = if self.has("pnpm-lock.yaml") {
            ("pnpm", "pnpm install --frozen-lockfile")
        } else if self.has("yarn.lock") {
            ("yarn", "yarn install --frozen-lockfile")
        } else if self.has("package-lock.json") {
            ("npm", "npm ci --cache \"$TMPDIR/npm\"")
        } else {
            ("npm", "npm install --no-save --no-package-lock --cache \"$TMPDIR/npm\"")
        };
        let gate = |script: &str, name| {
            let command = package.get("scripts")?.get(script)?.as_str()?;
            // What `npm init` writes.
            if command.contains("no test specified") {
                return None;
            }
            let because = format!("the script {script:?} of package.json");
            if !needs_packages {
                return Some(Proposal::new(name, because, &[tool, "run", script]));
            }
            let line = format!("{install} && {tool} run {script}");
            Some(Proposal { network: true, ..Proposal::new(name, because, &["sh", "-c", &line]) })
        };
        [gate("test", "npm-test"), gate("lint", "npm-lint")].into_iter().flatten().collect()
    }

    fn go(&self) -> Vec<Proposal> {
        if !self.has("go.mod") {
            return Vec::new();
        }
        // Go does nothing at all without its build cache.
        let cache = Some(if cfg!(target_os = "macos") { "~/Library/Caches/go-build" } else { "~/.cache/go-build" });
        let gate = |name, verb| Proposal { writable: cache, ..Proposal::new(name, "go.mod", &["go", verb, "./..."]) };
        vec![gate("go-test", "test"), gate("go-vet", "vet")]
    }

    fn python(&self) -> Vec<Proposal> {
        let configured = ["pytest.ini", "conftest.py", "tests/conftest.py"].into_iter().find(|name| self.has(name));
        let files = ["pyproject.toml", "setup.cfg", "tox.ini", "setup.py", "requirements.txt", "requirements-dev.txt"];
        let mentions = |name: &&str| self.text(name).is_some_and(|text| text.contains("pytest"));
        if let Some(because) = configured.or_else(|| files.into_iter().find(mentions)) {
            return vec![Proposal::new("pytest", because, &["python3", "-m", "pytest", "-q"])];
        }
        for dir in ["tests", "test"] {
            let Ok(entries) = self.top.join(dir).read_dir() else { continue };
            let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            let mut tests: Vec<String> =
                names.filter(|name| name.starts_with("test") && name.ends_with(".py")).collect();
            tests.sort();
            let is_test = |name: &String| self.text(&format!("{dir}/{name}")).is_some_and(|t| t.contains("unittest"));
            if let Some(test) = tests.iter().find(|name| is_test(name)) {
                let argv = ["python3", "-m", "unittest", "discover", "-s", dir];
                return vec![Proposal::new("unittest", format!("{dir}/{test}"), &argv)];
            }
        }
        Vec::new()
    }

    fn make(&self) -> Vec<Proposal> {
        let Some(file) = ["GNUmakefile", "makefile", "Makefile"].into_iter().find(|name| self.has(name)) else {
            return Vec::new();
        };
        let text = self.text(file).unwrap_or_default();
        let has = |target: &str| {
            text.lines().any(|line| {
                let rest = line.strip_prefix(target).map(str::trim_start).and_then(|rest| rest.strip_prefix(':'));
                rest.is_some_and(|rest| !rest.starts_with(['=', ':']))
            })
        };
        let targets = [("make-test", "test"), ("make-check", "check"), ("make-lint", "lint")];
        let found = targets.into_iter().filter(|(_, target)| has(target));
        found
            .map(|(name, target)| Proposal::new(name, format!("the target {target} of {file}"), &["make", target]))
            .collect()
    }

    fn hooks(&self) -> Vec<Proposal> {
        let mut found = Vec::new();
        if self.has(".pre-commit-config.yaml") {
            let argv = ["pre-commit", "run", "--all-files"];
            found.push(Proposal {
                // It fetches its hooks when it first meets them.
                network: true,
                writable: Some("~/.cache/pre-commit"),
                ..Proposal::new("pre-commit", ".pre-commit-config.yaml", &argv)
            });
        }
        let files = ["lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml", "lefthook.toml"];
        let hooks = |name: &&str| self.text(name).is_some_and(|text| text.contains("pre-commit"));
        if let Some(file) = files.into_iter().find(hooks) {
            found.push(Proposal::new("lefthook", file, &["lefthook", "run", "pre-commit", "--all-files"]));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::gate;
    use super::*;

    /// The names of what is proposed for these files; all of it can be read as configuration.
    fn names(files: &[(&str, &str)]) -> Vec<&'static str> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = proposals(dir.path());
        let text: Vec<String> = found.iter().map(Proposal::toml).collect();
        let gates = gate::read(&text.join("\n")).unwrap();
        for (gate, proposal) in gates.iter().zip(&found) {
            assert_eq!(gate.command().map(|command| command.argv.as_slice()), Some(proposal.argv()));
        }
        assert_eq!(gates.len(), found.len());
        found.iter().map(|proposal| proposal.name).collect()
    }

    #[test]
    fn what_is_there_is_proposed_and_nothing_else() {
        let package =
            |test: &str| format!("{{\"scripts\": {{\"test\": {test:?}}}, \"devDependencies\": {{\"x\": \"1\"}}}}");
        for (files, expected) in [
            (&[][..], &[][..]),
            (&[("src/Cargo.toml", "")], &[]),
            (&[("Cargo.toml", "")], &["cargo-test", "cargo-clippy", "cargo-fmt"]),
            (&[("package.json", &package("node --test")), ("package-lock.json", "{}")], &["npm-test"]),
            (&[("package.json", &package("echo \"Error: no test specified\" && exit 1"))], &[]),
            (&[("package.json", "no JSON")], &[]),
            (&[("pyproject.toml", "[tool.pytest.ini_options]\n")], &["pytest"]),
            (&[("pyproject.toml", "[project]\n"), ("tests/test_a.py", "import unittest\n")], &["unittest"]),
            (&[("pyproject.toml", "[project]\n")], &[]),
            (&[("go.mod", "module x\n")], &["go-test", "go-vet"]),
            (&[("Makefile", "test: build\n\ttrue\nlint := x\ntested:\n")], &["make-test"]),
            (&[("Makefile", "all:\n")], &[]),
            (&[(".pre-commit-config.yaml", ""), ("lefthook.yml", "pre-commit:\n")], &["pre-commit", "lefthook"]),
        ] {
            assert_eq!(names(files), expected, "{files:?}");
        }
    }
}
