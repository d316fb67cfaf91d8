//! The life of a worktree: made, reused, set to a tree, read back, mended after a crash, swept.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{Fixture, git};
use crate::repo::{Repo, RepoError};

#[test]
fn a_worktree_is_made_reused_and_never_touches_the_checkout() {
    let fixture = Fixture::new();
    fixture.write("notes.txt", "mine\n");
    let before = fixture.state();
    let path = fixture.repo.worktree("loop-1", &fixture.head()).unwrap();
    assert_eq!(fs::read_to_string(path.join("src/twice.rs")).unwrap(), "x\ny\nx\ny\n");
    fs::create_dir(path.join("target")).unwrap();
    fs::write(path.join("target/cache"), "warm").unwrap();
    fs::write(path.join("src/main.rs"), "edited by hand\n").unwrap();
    assert_eq!(fixture.repo.worktree("loop-1", &fixture.head()).unwrap(), path);
    assert_eq!(fs::read_to_string(path.join("target/cache")).unwrap(), "warm");
    assert_eq!(fs::read_to_string(path.join("src/main.rs")).unwrap(), "edited by hand\n");
    assert_eq!(git(&path, &["rev-parse", "HEAD"]), fixture.head().as_str());
    assert_eq!(fixture.state(), before);
    fixture.assert_no_hook_ran();
}

#[test]
fn checking_out_makes_the_files_equal_the_tree_and_leaves_build_output() {
    let fixture = Fixture::new();
    let tree = fixture.tree();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    let other = fixture.repo.with_file(&tree, "src/new.rs", b"new\n").unwrap();
    let dirty = || {
        fs::create_dir_all(path.join("target")).unwrap();
        fs::write(path.join("target/out"), "kept").unwrap();
        fs::write(path.join("stray.txt"), "x").unwrap();
        fs::write(path.join("src/twice.rs"), "x").unwrap();
        fs::remove_file(path.join("docs/Guide.md")).unwrap();
        fs::create_dir_all(path.join("inner")).unwrap();
        git(&path.join("inner"), &["init", "-q"]);
    };
    dirty();
    for wanted in [&other, &tree] {
        fixture.repo.check_out(&path, wanted).unwrap();
        assert_eq!(fixture.repo.snapshot(&path).unwrap(), *wanted);
        assert_eq!(path.join("src/new.rs").exists(), *wanted == other);
        assert!(!path.join("stray.txt").exists() && !path.join("inner").exists());
        assert_eq!(fs::read_to_string(path.join("target/out")).unwrap(), "kept");
        dirty();
    }
    fixture.assert_no_hook_ran();
}

#[test]
fn a_snapshot_sees_edits_additions_and_deletions_but_not_what_is_ignored() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    assert_eq!(fixture.repo.snapshot(&path).unwrap(), fixture.tree());
    fs::write(path.join("src/twice.rs"), "x\ny\nx\nZ\n").unwrap();
    fs::write(path.join("src/added.rs"), "").unwrap();
    fs::remove_file(path.join("tests/it.rs")).unwrap();
    fs::write(path.join("noise.log"), "").unwrap();
    let tree = fixture.repo.snapshot(&path).unwrap();
    let change = fixture.repo.change(&fixture.head(), &tree, vec![]).unwrap();
    let paths: Vec<&str> = change.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["src/added.rs", "src/twice.rs", "tests/it.rs"]);
    assert_eq!(change.flags, ["deletes the test tests/it.rs"]);
}

#[test]
fn an_index_that_lies_does_not_hide_an_edit() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    git(&path, &["update-index", "--assume-unchanged", "src/twice.rs"]);
    git(&path, &["update-index", "--skip-worktree", "src/main.rs"]);
    for file in ["src/twice.rs", "src/main.rs"] {
        fs::write(path.join(file), "evil\n").unwrap();
    }
    let tree = fixture.repo.snapshot(&path).unwrap();
    for file in ["src/twice.rs", "src/main.rs"] {
        assert_eq!(fixture.repo.read(&tree, file).unwrap().as_deref(), Some(&b"evil\n"[..]));
    }
    git(&path, &["update-index", "--assume-unchanged", "src/twice.rs"]);
    fixture.repo.check_out(&path, &fixture.tree()).unwrap();
    assert_eq!(fs::read_to_string(path.join("src/twice.rs")).unwrap(), "x\ny\nx\ny\n");
}

#[test]
fn a_directory_behind_a_link_is_made_anew() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    fs::rename(path.join("docs"), path.join("elsewhere")).unwrap();
    symlink("elsewhere", path.join("docs")).unwrap();
    assert_eq!(fixture.repo.changed(&path, &fixture.tree()).unwrap(), ["docs/Guide.md"]);
    fixture.repo.check_out(&path, &fixture.tree()).unwrap();
    assert!(path.join("docs").symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read_to_string(path.join("docs/Guide.md")).unwrap(), "# Guide\n");
    assert!(!path.join("elsewhere").exists());
    assert_eq!(fixture.repo.changed(&path, &fixture.tree()).unwrap(), [""; 0]);
}

/// Makes a repository whose file system monitor leaves the fixture's mark.
fn evil_repository(fixture: &Fixture, dir: &Path) {
    git(dir.parent().unwrap(), &["init", "-q", &dir.to_string_lossy()]);
    fs::write(dir.join("f"), "x\n").unwrap();
    git(dir, &["add", "f"]);
    git(dir, &["-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "-m", "x"]);
    let program = fixture.top().join(".git/hooks/pre-commit");
    git(dir, &["config", "core.fsmonitor", &program.to_string_lossy()]);
}

#[test]
fn code_in_a_worktree_cannot_point_git_at_a_repository_of_its_own() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    let evil = fixture.dir.path().join("evil");
    evil_repository(&fixture, &evil);
    fs::write(path.join(".git"), format!("gitdir: {}\n", evil.join(".git").display())).unwrap();
    assert_eq!(fixture.repo.snapshot(&path).unwrap(), fixture.tree());
    fixture.repo.check_out(&path, &fixture.tree()).unwrap();
    fixture.repo.worktree("w", &fixture.head()).unwrap();
    assert_eq!(git(&path, &["rev-parse", "HEAD"]), fixture.head().as_str(), "the pointer is mended");
    // A link to somewhere else must not be written through.
    let victim = fixture.dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::remove_file(path.join(".git")).unwrap();
    symlink(&victim, path.join(".git")).unwrap();
    fixture.repo.worktree("w", &fixture.head()).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    fixture.assert_no_hook_ran();
}

#[test]
fn a_repository_put_where_a_submodule_belongs_runs_nothing() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    fs::create_dir_all(path.join("vendored")).unwrap();
    evil_repository(&fixture, &path.join("vendored"));
    let tree = fixture.repo.snapshot(&path).unwrap();
    let change = fixture.repo.change(&fixture.head(), &tree, vec![]).unwrap();
    assert_eq!(change.files.len(), 1, "the moved submodule shows: {change:?}");
    fixture.repo.check_out(&path, &fixture.tree()).unwrap();
    let _ = fixture.repo.snapshot(&path).unwrap();
    fixture.assert_no_hook_ran();
}

#[test]
fn half_made_worktrees_are_made_anew() {
    let fixture = Fixture::new();
    let entry = fixture.top().join(".git/worktrees/windlass-w");
    let path = fixture.repo.private_dir().unwrap().join("worktrees/windlass-w");
    let whole = || {
        assert_eq!(fixture.repo.worktree("w", &fixture.head()).unwrap(), path);
        assert_eq!(fixture.repo.snapshot(&path).unwrap(), fixture.tree());
        assert!(!entry.join("locked").exists());
        fixture.git(&["fsck", "--connectivity-only"]);
    };
    // `git worktree add` died after the entry, before the files.
    fs::create_dir_all(&entry).unwrap();
    fs::write(entry.join("locked"), "initializing").unwrap();
    whole();
    // It died in the middle of the files.
    fs::write(entry.join("locked"), "initializing").unwrap();
    fs::remove_dir_all(path.join("src")).unwrap();
    whole();
    // Somebody deleted the files, the entry, the index, HEAD.
    fs::remove_dir_all(&path).unwrap();
    whole();
    fs::remove_dir_all(&entry).unwrap();
    whole();
    fs::remove_file(entry.join("index")).unwrap();
    whole();
    fs::write(entry.join("HEAD"), "junk").unwrap();
    whole();
    // A git that was killed left its locks.
    for lock in ["index.lock", "HEAD.lock"] {
        fs::write(entry.join(lock), "").unwrap();
    }
    whole();
    fixture.repo.check_out(&path, &fixture.tree()).unwrap();
    fixture.assert_no_hook_ran();
}

#[test]
fn a_worktree_survives_its_repository_being_moved() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    fs::create_dir(path.join("target")).unwrap();
    let moved = fixture.dir.path().join("moved");
    fs::rename(fixture.top(), &moved).unwrap();
    let repo = Repo::open(&moved).unwrap();
    let path = repo.worktree("w", &repo.head().unwrap()).unwrap();
    assert!(path.starts_with(moved.canonicalize().unwrap()) && path.join("target").exists());
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
}

#[test]
fn sweeping_removes_ours_and_nothing_else() {
    let fixture = Fixture::new();
    let theirs = fixture.dir.path().join("theirs");
    fixture.git(&["worktree", "add", "-q", "--detach", &theirs.to_string_lossy()]);
    for name in ["kept", "gone", "dead"] {
        fixture.repo.worktree(name, &fixture.head()).unwrap();
    }
    let entries = fixture.top().join(".git/worktrees");
    fs::write(entries.join("windlass-dead/locked"), "initializing").unwrap();
    fs::write(entries.join("windlass-kept/index.lock"), "").unwrap();
    let worktrees = fixture.repo.private_dir().unwrap().join("worktrees");
    let read_only = worktrees.join("windlass-gone/target/cache");
    fs::create_dir_all(&read_only).unwrap();
    fs::write(read_only.join("f"), "").unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o555)).unwrap();
    let removed = fixture.repo.sweep(&["kept".into(), "dead".into(), "never made".into()]).unwrap();
    assert_eq!(removed, ["dead", "gone"]);
    assert_eq!(fixture.repo.sweep(&["kept".into()]).unwrap(), Vec::<String>::new());
    assert!(theirs.join("src/main.rs").exists() && worktrees.join("windlass-kept/src/main.rs").exists());
    assert!(!entries.join("windlass-kept/index.lock").exists());
    assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 3);
    fixture.repo.remove_worktrees(&["kept", "never-made"]).unwrap();
    assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 2);
}

#[test]
fn only_plain_names_and_our_own_worktrees_are_taken() {
    let fixture = Fixture::new();
    for name in ["", "..", "a/b", ".", "a b", "x.lock", "é", "-\n"] {
        assert!(matches!(fixture.repo.worktree(name, &fixture.head()), Err(RepoError::Name(_))), "{name:?}");
    }
    let tree = fixture.tree();
    for path in [fixture.top(), Path::new("/"), &fixture.top().join("windlass-w")] {
        assert!(matches!(fixture.repo.check_out(path, &tree), Err(RepoError::NotOurs(_))));
        assert!(matches!(fixture.repo.snapshot(path), Err(RepoError::NotOurs(_))));
    }
}

#[test]
fn what_a_command_did_to_tracked_files_is_found_however_it_hid_it() {
    let fixture = Fixture::new();
    let (repo, tree) = (&fixture.repo, fixture.tree());
    let path = repo.worktree("w", &fixture.head()).unwrap();
    fs::write(path.join("new.txt"), "not tracked").unwrap();
    fs::create_dir(path.join("target")).unwrap();
    fs::write(path.join("target/built"), "ignored").unwrap();
    assert_eq!(repo.changed(&path, &tree).unwrap(), Vec::<String>::new());
    for (commands, changed) in [
        (&[][..], &["src/twice.rs"][..]),
        (&[&["update-index", "--assume-unchanged", "src/twice.rs"][..]], &["src/twice.rs"]),
        (&[&["add", "new.txt"]], &["new.txt", "src/twice.rs"]),
        (&[&["commit", "-q", "-a", "-m", "mine"]], &["src/twice.rs"]),
        (&[&["rm", "-q", "--cached", "src/dos.txt"]], &["src/dos.txt", "src/twice.rs"]),
    ] {
        repo.check_out(&path, &tree).unwrap();
        fs::write(path.join("new.txt"), "not tracked").unwrap();
        fs::write(path.join("src/twice.rs"), "other").unwrap();
        for command in commands {
            git(&path, command);
        }
        assert_eq!(repo.changed(&path, &tree).unwrap(), changed, "{commands:?}");
    }
    repo.check_out(&path, &tree).unwrap();
    assert_eq!(repo.changed(&path, &tree).unwrap(), Vec::<String>::new());
}
