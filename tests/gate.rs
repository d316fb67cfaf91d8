//! `windlass gate` from outside: gates proposed for real projects, run on their commits, and reported to other programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use junit_parser::{TestCase, TestStatus, TestSuites};
use serde_json::Value;
use tempfile::TempDir;

use windlass::domain::{Digest, Person, Timestamp};
use windlass::engine::{Command as Order, State, decide};
use windlass::journal::Journal;
use windlass::repo::Repo;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass");

/// How a run ended, and what it said.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    /// The report, as a parser of others reads it.
    fn junit(&self) -> TestSuites {
        junit_parser::from_reader(self.out.as_bytes()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A repository of its own, whose person nobody has configured.
struct Project {
    dir: TempDir,
}

impl Project {
    /// With these files in its first commit.
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("repo")).unwrap();
        let project = Self { dir };
        project.git(&["-c", "init.defaultBranch=main", "init", "-q"]);
        project.commit(files);
        project
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn git(&self, args: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(args).current_dir(self.repo());
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        assert!(git.status().unwrap().success(), "{args:?}");
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.repo().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self, files: &[(&str, &str)]) {
        files.iter().for_each(|(name, text)| self.write(name, text));
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "next"]);
    }

    fn config(&self) -> String {
        fs::read_to_string(self.repo().join(".windlass/config.toml")).unwrap()
    }

    /// Runs the program without a terminal. The person's tools are where they are, all else is in the directory.
    fn run(&self, args: &[&str]) -> Ended {
        let home = PathBuf::from(env::var_os("HOME").unwrap());
        let tools = |variable, dir: &str| env::var_os(variable).unwrap_or_else(|| home.join(dir).into_os_string());
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.repo()).stdin(Stdio::null());
        command.env("HOME", self.dir.path()).env("XDG_CONFIG_HOME", self.dir.path().join("xdg"));
        command.env("CARGO_HOME", tools("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", tools("RUSTUP_HOME", ".rustup"));
        for name in ["WINDLASS_AUTHOR", "WINDLASS_CRITIC", "WINDLASS_THEME", "WINDLASS_KEYMAP"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn cases(suites: &TestSuites) -> &[TestCase] {
    assert_eq!(suites.suites.len(), 1);
    &suites.suites[0].cases
}

fn case<'a>(suites: &'a TestSuites, name: &str) -> &'a TestCase {
    cases(suites).iter().find(|case| case.original_name == name).unwrap_or_else(|| panic!("{name}: {suites:?}"))
}

#[test]
fn a_rust_project_gets_gates_that_work_and_judge() {
    let library = "/// Twice.\npub fn twice(n: u32) -> u32 {\n    n * 2\n}\n";
    let test = "#[test]\nfn twice_is_double() {\n    assert_eq!(small::twice(2), 4);\n}\n";
    let project = Project::new(&[
        ("Cargo.toml", "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        (".gitignore", "target\n"),
        ("src/lib.rs", library),
        ("tests/twice.rs", test),
    ]);
    let shown = project.run(&["gate", "add"]);
    assert!(shown.code == 0 && shown.out.contains("Nothing was added."), "{shown:?}");
    assert!(!project.repo().join(".windlass").exists());
    let added = project.run(&["gate", "add", "--yes"]);
    assert!(added.code == 0 && added.out.contains("    argv = [\"cargo\", \"test\"]"), "{added:?}");
    assert!(added.out.contains("Added 3 gates."), "{added:?}");
    project.commit(&[]);

    // Nobody has read them, so that they run only where that is said.
    let untrusted = project.run(&["gate", "run", "--junit"]);
    assert_eq!((untrusted.code, untrusted.out.as_str()), (3, ""), "{untrusted:?}");
    assert!(untrusted.err.contains("windlass trust"), "{untrusted:?}");

    let good = project.run(&["gate", "run", "--junit", "--trust-config", "--base", "HEAD~1"]);
    assert_eq!(good.code, 0, "{good:?}");
    let report = good.junit();
    let names: Vec<&str> = cases(&report).iter().map(|case| case.original_name.as_str()).collect();
    assert_eq!(names, ["cargo-test", "cargo-clippy", "cargo-fmt"]);
    assert!(cases(&report).iter().all(|case| case.status.is_success()), "{report:?}");
    assert_eq!((report.tests, report.failures, report.errors), (3, 0, 0));

    project.commit(&[("src/lib.rs", &library.replace("n * 2", "let unused = 1;\n    n * 3"))]);
    let bad = project.run(&["gate", "run", "--junit", "--trust-config", "--base", "HEAD~1"]);
    assert_eq!(bad.code, 4, "{bad:?}");
    assert!(bad.err.contains("2 gates are not satisfied"), "{bad:?}");
    let report = bad.junit();
    assert_eq!((report.tests, report.failures, report.errors), (3, 2, 0));
    let failed = case(&report, "cargo-test");
    assert!(failed.status.is_failure() && failed.system_out.as_ref().unwrap().contains("twice_is_double"), "{bad:?}");
    assert!(case(&report, "cargo-clippy").status.is_failure() && case(&report, "cargo-fmt").status.is_success());

    // The last commit but one is still good, and one gate can be asked alone.
    let before = project.run(&["gate", "run", "cargo-test", "--tree", "HEAD~1", "--trust-config", "--base", "HEAD~2"]);
    assert!(before.code == 0 && before.out.contains("pass cargo-test: "), "{before:?}");
    assert!(before.out.contains("1 of 1 gate satisfied"), "{before:?}");
}

#[test]
fn a_python_project_gets_gates_that_work_and_judge() {
    let has_python = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    let project = if has_python {
        let test = "import unittest\n\nfrom small import twice\n\n\nclass Twice(unittest.TestCase):\n    \
                    def test_twice(self):\n        self.assertEqual(twice(2), 4)\n";
        Project::new(&[
            ("pyproject.toml", "[project]\nname = \"small\"\nversion = \"0.1.0\"\n"),
            ("small.py", "def twice(n):\n    return n * 2\n"),
            ("tests/test_small.py", test),
        ])
    } else {
        eprintln!("there is no python3 here: a Makefile stands in for the project's tests");
        Project::new(&[("Makefile", "test:\n\tgrep -q 'n \\* 2' small.py\n"), ("small.py", "return n * 2\n")])
    };
    let name = if has_python { "unittest" } else { "make-test" };
    assert_eq!(project.run(&["gate", "add", "--yes"]).code, 0);
    let (config, again) = (project.config(), project.run(&["gate", "add", "--yes"]));
    assert!(again.out.contains(&format!("there already: {name}")) && project.config() == config, "{again:?}");
    project.commit(&[]);

    let good = project.run(&["gate", "run", "--json", "--trust-config", "--base", "HEAD~1"]);
    assert_eq!((good.code, &good.json()["gates"][0]["verdict"]), (0, &Value::from("pass")), "{good:?}");
    project.commit(&[("small.py", "def twice(n):\n    return n * 3\n")]);
    let bad = project.run(&["gate", "run", "--json", "--trust-config", "--base", "HEAD~1"]);
    let told = bad.json();
    assert_eq!((bad.code, &told["satisfied"]), (4, &Value::Bool(false)), "{bad:?}");
    assert_eq!((&told["gates"][0]["name"], &told["gates"][0]["verdict"]), (&name.into(), &"fail".into()), "{bad:?}");
    let report = project.run(&["gate", "run", "--junit", "--trust-config", "--base", "HEAD~1"]).junit();
    assert!(case(&report, name).status.is_failure());

    let explained = project.run(&["gate", "explain", name]);
    for part in [
        "a gate of kind command, required",
        ".windlass/config.toml:3  argv = [",
        "not given: windlass trust",
        "none in a loop of this repository",
    ] {
        assert!(explained.code == 0 && explained.out.contains(part), "{part:?}: {explained:?}");
    }
}

/// Gates of shell lines: name, line, other settings.
fn gates(gates: &[(&str, &str, &str)]) -> String {
    let gate = |(name, line, more): &(&str, &str, &str)| {
        format!("[[gate]]\nname = {name:?}\nargv = [\"sh\", \"-c\", {line:?}]\n{more}\n")
    };
    gates.iter().map(gate).collect()
}

#[test]
fn what_a_gate_needs_runs_with_it_and_advice_does_not_count() {
    let config = gates(&[
        ("other", "exit 1", ""),
        ("last", "true", "needs = [\"first\"]"),
        ("first", "exit 3", ""),
        ("hint", "printf 'a\\033[31m ]]> <b> &'; exit 1", "enforcement = \"advisory\""),
        ("docs", "true", "applies_if = [\"docs\"]"),
    ]);
    let project = Project::new(&[("a", "1\n")]);
    project.commit(&[(".windlass/config.toml", &config)]);
    let run = |args: &[&str]| project.run(&[&["gate", "run", "--trust-config", "--base", "HEAD~1"], args].concat());

    let needing = run(&["last", "hint", "docs", "--junit"]);
    assert_eq!(needing.code, 4, "{needing:?}");
    let report = needing.junit();
    let names: Vec<&str> = cases(&report).iter().map(|case| case.original_name.as_str()).collect();
    assert_eq!(names, ["last", "first", "hint", "docs"]);
    let TestStatus::Error(skipped) = &case(&report, "last").status else { panic!("{report:?}") };
    assert_eq!(skipped.message, "skipped: it needs first, which says fail");
    assert!(case(&report, "first").status.is_failure());
    let hint = case(&report, "hint");
    assert!(hint.status.is_skipped() && hint.system_out.as_ref().unwrap().contains("<b> &"), "{hint:?}");
    assert!(!needing.out.contains('\u{1b}') && case(&report, "docs").status.is_skipped());

    let advised = run(&["hint"]);
    assert!(advised.code == 0 && advised.out.contains("fail hint (advisory): exit 1"), "{advised:?}");
    let log = run(&["first", "hint", "--sarif"]).json();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let levels: Vec<&str> = results.iter().map(|one| one["level"].as_str().unwrap()).collect();
    assert_eq!((levels, &log["version"]), (vec!["error", "warning"], &Value::from("2.1.0")));

    let unknown = run(&["frist"]);
    assert!(unknown.code == 2 && unknown.err.contains("did you mean \"first\"?"), "{unknown:?}");
}

#[test]
fn a_change_does_not_choose_its_own_judges() {
    let project = Project::new(&[(".windlass/config.toml", &gates(&[("tests", "exit 1", "")]))]);
    project.commit(&[(".windlass/config.toml", &gates(&[("tests", "true", "")]))]);
    let vague = project.run(&["gate", "run", "--trust-config"]);
    assert!(vague.code == 2 && vague.err.contains("--base <REV>"), "{vague:?}");
    let own = project.run(&["gate", "run", "--trust-config", "--base", "HEAD~1"]);
    assert!(own.code == 1 && own.err.contains("the change edits its own gates"), "{own:?}");
    // A human who has read them may see it otherwise.
    let repo = Repo::open(&project.repo()).unwrap();
    let (mut journal, _) = Journal::open(&repo.private_dir().unwrap()).unwrap();
    let trust = Order::Trust { config: Digest::of(project.config().as_bytes()), by: Person("Ada".to_owned()) };
    journal.append(Timestamp(1), decide(&State::default(), trust, Timestamp(1)).unwrap()).unwrap();
    // While a screen is open, too.
    assert_eq!(project.run(&["gate", "run"]).code, 0);
    drop(journal);
    assert_eq!(project.run(&["gate", "run"]).code, 0);
    // By the base's gates, as the hint has it.
    project.git(&["checkout", "-q", "HEAD~1", "--", ".windlass/config.toml"]);
    assert_eq!(project.run(&["gate", "run", "--trust-config", "--base", "HEAD~1"]).code, 4);

    let first = project.run(&["gate", "run", "--tree", "HEAD~1"]);
    assert!(first.code == 1 && first.err.contains("has no parent here"), "{first:?}");
    let nothing = project.run(&["gate", "run", "--tree", "no-such"]);
    assert!(nothing.code == 1 && nothing.err.contains("no-such"), "{nothing:?}");
}

#[test]
fn the_checkout_stays_as_it_is() {
    let project = Project::new(&[("a", "1\n")]);
    let config = gates(&[("writes", "echo 2 >a; echo new >b", "")]);
    project.commit(&[(".windlass/config.toml", &config)]);
    let ended = project.run(&["gate", "run", "--trust-config", "--base", "HEAD~1"]);
    assert!(ended.code == 4 && ended.out.contains("changed the tree it judges: a"), "{ended:?}");
    assert_eq!(fs::read_to_string(project.repo().join("a")).unwrap(), "1\n");
    assert!(!Path::new(&project.repo().join("b")).exists());
}

/// A program of the project's person, not of the repository: joins its words for a shell elsewhere, as ssh does.
fn far_shell(project: &Project) -> PathBuf {
    let (program, far) = (project.dir.path().join("far-shell"), project.dir.path().join("far"));
    fs::create_dir(&far).unwrap();
    let line = format!("cd '{0}' && exec env -i PATH=\"$PATH\" TMPDIR='{0}' sh -c \"$*\"", far.display());
    fs::write(&program, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn a_runner_gets_exactly_the_tree_and_its_report_is_judged_against_the_base() {
    let project = Project::new(&[("tests.txt", "one\ntwo\n"), ("a b/c", "1\n")]);
    let far = far_shell(&project);
    let script = "echo '<testsuite>' >r.xml; while read -r name; do echo \"<testcase name='$name'/>\"; done <tests.txt \
                  >>r.xml; echo '</testsuite>' >>r.xml; cat 'a b/c'; case $PWD in */far/*) ;; *) exit 9;; esac";
    let config = format!(
        "[[gate]]\nname = \"unit\"\nkind = \"junit\"\nargv = [\"sh\", \"-c\", {script:?}]\nreport = \"r.xml\"\nrunner = [{far:?}]\n"
    );
    project.commit(&[(".windlass/config.toml", &config), ("a b/c", "2\n")]);
    let good = project.run(&["gate", "run", "--trust-config", "--base", "HEAD~1"]);
    assert!(good.code == 0 && good.out.contains("pass unit: 2 tests"), "{good:?}");
    let place = format!("on: {}; no sandbox of ours there", far.display());
    let (said, answered) = (good.out.find(&format!("unit {place}")), good.out.find("pass unit"));
    assert!(said.is_some() && said < answered, "it is said before it runs: {good:?}");

    project.commit(&[("tests.txt", "one\n")]);
    let fewer = project.run(&["gate", "run", "--trust-config", "--base", "HEAD~1"]);
    assert!(fewer.code == 4 && fewer.out.contains("fail unit"), "{fewer:?}");
    let told = project.run(&["gate", "explain", "unit"]);
    for part in [format!("around it: {place}"), format!("the runner {}: ", far.display())] {
        assert!(told.out.contains(&part), "{part}: {told:?}");
    }
    let json = project.run(&["gate", "run", "--trust-config", "--base", "HEAD~1", "--json"]).json();
    assert!(json.to_string().contains("no sandbox of ours there"), "{json}");
    assert!(fs::read_dir(project.dir.path().join("far")).unwrap().next().is_none(), "nothing is left there");
}
