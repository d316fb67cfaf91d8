//! Opening a repository and reading it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{Fixture, git};
use crate::domain::Person;
use crate::repo::{FileMode, OpenError, Repo};

#[test]
fn what_is_no_place_to_work_says_what_to_run_next() {
    let dir = TempDir::new().unwrap();
    let error = Repo::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotARepository { .. }) && error.to_string().ends_with("git init"), "{error}");
    assert!(matches!(Repo::open(&dir.path().join("missing")).unwrap_err(), OpenError::NotARepository { .. }));
    git(dir.path(), &["init", "-q", "--bare", "bare"]);
    assert!(matches!(Repo::open(&dir.path().join("bare")).unwrap_err(), OpenError::Bare { .. }));
    git(dir.path(), &["init", "-q", "young"]);
    let error = Repo::open(&dir.path().join("young")).unwrap_err();
    assert!(matches!(error, OpenError::NoCommits { .. }), "{error}");
    assert!(matches!(Repo::open(&dir.path().join("young/.git")).unwrap_err(), OpenError::InsideGitDir { .. }));
}

#[test]
fn a_repository_is_found_from_below_and_its_facts_are_read() {
    let fixture = Fixture::new();
    let repo = Repo::open(&fixture.top().join("src")).unwrap();
    assert_eq!(repo.top(), fixture.top().canonicalize().unwrap());
    assert_eq!(repo.branch().unwrap().as_deref(), Some("main"));
    assert_eq!(repo.person(), Person("Ada <ada@example.org>".into()));
    assert_eq!(repo.head().unwrap().as_str(), fixture.git(&["rev-parse", "HEAD"]));
    assert_eq!(repo.dirty().unwrap(), Vec::<String>::new());
    fixture.write("src/main.rs", "changed\n");
    fixture.write("a b/new", "");
    fixture.write("target/out", "");
    assert_eq!(repo.dirty().unwrap(), ["src/main.rs", "a b/"]);
    fixture.git(&["checkout", "-q", "--detach"]);
    assert_eq!(repo.branch().unwrap(), None);
    fixture.assert_no_hook_ran();
}

#[test]
fn a_directory_with_a_line_feed_in_its_name_is_found_and_the_last_name_counts() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("two\nlines");
    fs::create_dir(&top).unwrap();
    git(&top, &["init", "-q", "-b", "main"]);
    for (key, value) in [("user.name", "Ada"), ("user.email", "ada@example.org"), ("user.name", "Grace")] {
        git(&top, &["config", "--add", key, value]);
    }
    git(&top, &["commit", "-q", "--allow-empty", "-m", "First"]);
    let repo = Repo::open(&top).unwrap();
    assert_eq!(repo.top(), top.canonicalize().unwrap());
    assert_eq!(repo.private_dir().unwrap(), top.canonicalize().unwrap().join(".git/windlass"));
    assert_eq!(repo.person(), Person("Grace <ada@example.org>".into()));
}

#[test]
fn the_private_directory_is_closed_to_others() {
    let fixture = Fixture::new();
    let dir = fixture.repo.private_dir().unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    let dir = fixture.repo.private_dir().unwrap();
    assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert!(fixture.git(&["status", "--porcelain"]).is_empty());
}

#[test]
fn a_linked_worktree_shares_the_private_directory() {
    let fixture = Fixture::new();
    let other = fixture.dir.path().join("other");
    fixture.git(&["worktree", "add", "-q", "-b", "side", &other.to_string_lossy()]);
    let repo = Repo::open(&other).unwrap();
    assert_eq!(repo.branch().unwrap().as_deref(), Some("side"));
    assert_eq!(repo.private_dir().unwrap(), fixture.repo.private_dir().unwrap());
}

#[test]
fn files_of_a_tree_are_listed_and_read() {
    let fixture = Fixture::new();
    let tree = fixture.tree();
    let files = fixture.repo.files(&tree).unwrap();
    let mode = |path: &str| files.iter().find(|entry| entry.path == path).map(|entry| (entry.mode, entry.size));
    assert_eq!(mode("src/twice.rs"), Some((FileMode::Plain, 8)));
    assert_eq!(mode("link").map(|(mode, _)| mode), Some(FileMode::Symlink));
    assert_eq!(mode("vendored"), Some((FileMode::Submodule, 0)));
    let read = |path| fixture.repo.read(&tree, path).unwrap();
    assert_eq!(read("src/dos.txt").as_deref(), Some(&b"a\r\nb\r\nc\r\n"[..]));
    for path in ["", "src", "src/", "nothing", "passwd", "vendored", "*", ":(glob)**", "../x", "src/./main.rs", "a\0b"]
    {
        assert_eq!(read(path), None, "{path:?}");
    }
}

#[test]
fn texts_are_told_from_other_files() {
    let fixture = Fixture::new();
    fixture.write("empty.txt", "");
    fixture.commit("nothing in it");
    // Somebody's way of searching changes nothing.
    for (name, value) in [("grep.patternType", "perl"), ("grep.lineNumber", "true"), ("color.grep", "always")] {
        fixture.git(&["config", name, value]);
    }
    let files = fixture.repo.files(&fixture.tree()).unwrap();
    let others = ["empty.txt", "link", "logo.png", "passwd", "vendored"];
    let texts = files.iter().map(|file| file.path.clone()).filter(|path| !others.contains(&path.as_str()));
    assert_eq!(fixture.repo.texts(&fixture.tree()).unwrap(), texts.collect());
    assert!(fixture.repo.texts(&"0".repeat(40).parse().unwrap()).is_err());
    fixture.assert_no_hook_ran();
}

#[test]
fn one_file_can_be_put_into_a_tree() {
    let fixture = Fixture::new();
    let tree = fixture.repo.with_file(&fixture.tree(), "docs/decisions/0001-x.md", b"# X\n").unwrap();
    assert_eq!(fixture.repo.read(&tree, "docs/decisions/0001-x.md").unwrap().as_deref(), Some(&b"# X\n"[..]));
    let change = fixture.repo.change(&fixture.head(), &tree, vec![]).unwrap();
    assert_eq!(change.files.len(), 1);
    assert!(fixture.repo.with_file(&tree, "../x", b"").is_err());
    assert!(fixture.repo.with_file(&tree, ".git/config", b"").is_err());
}

#[test]
fn the_diff_does_not_depend_on_anybodys_preferences() {
    let fixture = Fixture::new();
    fixture.git(&["config", "diff.noprefix", "true"]);
    fixture.git(&["config", "diff.external", "false"]);
    fixture.git(&["config", "color.ui", "always"]);
    fixture.git(&["config", "diff.context", "0"]);
    fixture.git(&["config", "core.attributesFile", &fixture.dir.path().join("attributes").to_string_lossy()]);
    fs::write(fixture.dir.path().join("attributes"), "* -diff\n").unwrap();
    fixture.write(".gitattributes", "*.rs -diff\n");
    let tree = fixture.repo.with_file(&fixture.tree(), "src/twice.rs", b"x\ny\nx\nz\n").unwrap();
    let change = fixture.repo.change(&fixture.head(), &tree, vec!["given".into()]).unwrap();
    assert!(change.patch.starts_with("diff --git a/src/twice.rs b/src/twice.rs\nindex "), "{}", change.patch);
    assert!(change.patch.ends_with("@@ -1,4 +1,4 @@\n x\n y\n x\n-y\n+z\n"), "{}", change.patch);
    assert_eq!((change.files[0].added, change.files[0].removed), (1, 1));
    assert_eq!(change.flags, ["given"]);
}
