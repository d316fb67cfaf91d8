//! The room against real git repositories.

mod answers;
mod enclosed;
mod facts;
mod landing;
mod races;
mod worktrees;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::domain::{CommitId, TreeId};
use crate::process::capture::Capture;
use crate::repo::Repo;

/// A repository of a few files, with hooks and a file system monitor that leave a mark when they run.
struct Fixture {
    dir: TempDir,
    repo: Repo,
}

const HOOKS: &[&str] = &[
    "post-checkout",
    "post-merge",
    "pre-commit",
    "post-commit",
    "commit-msg",
    "prepare-commit-msg",
    "reference-transaction",
    "post-index-change",
    "pre-merge-commit",
    "post-rewrite",
    "pre-auto-gc",
];

impl Fixture {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let top = dir.path().join("repo");
        fs::create_dir(&top).unwrap();
        git(&top, &["init", "-q", "-b", "main"]);
        git(&top, &["config", "user.name", "Ada"]);
        git(&top, &["config", "user.email", "ada@example.org"]);
        for (path, content) in [
            ("src/main.rs", "fn main() {\n    one();\n    two();\n}\n"),
            ("src/twice.rs", "x\ny\nx\ny\n"),
            ("src/dos.txt", "a\r\nb\r\nc\r\n"),
            ("src/bare.txt", "a\nb"),
            ("tests/it.rs", "test\n"),
            ("docs/Guide.md", "# Guide\n"),
            ("package.json", "{\"scripts\": {\"test\": \"true\"}, \"version\": \"1\"}\n"),
            (".gitignore", "target/\n*.log\n"),
        ] {
            let path = top.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        fs::write(top.join("logo.png"), b"\x89PNG\0\x01").unwrap();
        symlink("src", top.join("link")).unwrap();
        symlink("/etc/passwd", top.join("passwd")).unwrap();
        git(&top, &["add", "-A"]);
        let commit = "1".repeat(40);
        git(&top, &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendored")]);
        git(&top, &["commit", "-q", "-m", "first"]);
        fs::create_dir(top.join("vendored")).unwrap();
        for hook in HOOKS {
            let path = top.join(".git/hooks").join(hook);
            let marker = dir.path().join("hook-ran");
            fs::write(&path, format!("#!/bin/sh\necho {hook} >> '{}'\nexit 1\n", marker.display())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        git(&top, &["config", "core.fsmonitor", &top.join(".git/hooks/pre-commit").to_string_lossy()]);
        let repo = Repo::open(&top).unwrap();
        Self { dir, repo }
    }

    fn top(&self) -> &Path {
        self.repo.top()
    }

    fn git(&self, args: &[&str]) -> String {
        git(self.top(), args)
    }

    fn head(&self) -> CommitId {
        self.repo.head().unwrap()
    }

    fn tree(&self) -> TreeId {
        self.repo.tree_of(&self.head()).unwrap()
    }

    fn write(&self, path: &str, content: &str) {
        fs::create_dir_all(self.top().join(path).parent().unwrap()).unwrap();
        fs::write(self.top().join(path), content).unwrap();
    }

    /// Commits what is in the checkout.
    fn commit(&self, message: &str) -> CommitId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.head()
    }

    fn marker(&self) -> PathBuf {
        self.dir.path().join("hook-ran")
    }

    fn assert_no_hook_ran(&self) {
        assert_eq!(fs::read_to_string(self.marker()).unwrap_or_default(), "");
    }

    /// Everything a person has: refs, HEAD, index, objects that can be reached, and every file of the checkout.
    fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let mut state = BTreeMap::new();
        for (name, args) in [
            ("refs", &["for-each-ref"][..]),
            ("head", &["rev-parse", "HEAD"]),
            ("branch", &["rev-parse", "--symbolic-full-name", "HEAD"]),
            ("index", &["ls-files", "--stage"]),
            ("objects", &["rev-list", "--objects", "--all"]),
        ] {
            state.insert(name.to_owned(), self.git(args).into_bytes());
        }
        read_dir(self.top(), self.top(), &mut state);
        state
    }
}

fn read_dir(top: &Path, dir: &Path, state: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("file {}", path.strip_prefix(top).unwrap().display());
        let meta = path.symlink_metadata().unwrap();
        if meta.is_symlink() {
            state.insert(name, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
        } else if meta.is_file() {
            let mode = format!("{:o} ", meta.permissions().mode()).into_bytes();
            state.insert(name, [mode, fs::read(&path).unwrap()].concat());
        } else if path.file_name().unwrap() != ".git" {
            state.insert(name, Vec::new());
            read_dir(top, &path, state);
        }
    }
}

/// git as a test uses it: without hooks, and without the settings of whoever runs the tests.
fn git(dir: &Path, args: &[&str]) -> String {
    let captured = Capture::new("git", dir)
        .without_env("GIT_", &[])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"])
        .args(args)
        .run()
        .unwrap();
    assert!(captured.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&captured.stderr));
    String::from_utf8_lossy(&captured.stdout).trim_end().to_owned()
}
