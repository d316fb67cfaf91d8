//! Landing: clean, dirty, moved, detached, twice, and after a crash at every step.

use std::fs;

use super::Fixture;
use crate::domain::{CommitId, LoopId, Person, Timestamp};
use crate::repo::{Checkout, LandError, Landing, Left};

/// A change that edits one file, makes one in a new directory, and deletes one.
pub(super) fn landing(fixture: &Fixture) -> Landing {
    let repo = &fixture.repo;
    let tree = repo.with_file(&fixture.tree(), "src/twice.rs", b"x\ny\nx\nz\n").unwrap();
    let tree = repo.with_file(&tree, "new/file.txt", b"new\n").unwrap();
    let gone = "--- a/docs/Guide.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-# Guide\n";
    let edits = crate::repo::parse_answer(gone).unwrap().edits;
    let tree = repo.apply(&tree, &edits, &crate::repo::Boundary::default()).unwrap();
    Landing {
        loop_id: LoopId(3),
        tree,
        parent: fixture.head(),
        message: "Count once\n\nWindlass-Evidence: abc".into(),
        branch: repo.branch().unwrap(),
        by: Person("Ada Lovelace <ada@example.org>".into()),
        at: Timestamp(1_700_000_000_123),
    }
}

fn left(checkout: &Checkout) -> (&Left, &str) {
    match checkout {
        Checkout::Left { why, command } => (why, command),
        Checkout::Moved { branch } => panic!("{branch} moved"),
    }
}

fn assert_landed(fixture: &Fixture, landing: &Landing, commit: &CommitId) {
    assert_eq!(fixture.head(), *commit);
    assert_eq!(fixture.repo.tree_of(commit).unwrap(), landing.tree);
    assert_eq!(
        fixture.git(&["rev-parse", "HEAD^", "main", "refs/windlass/loop-3"]),
        format!("{}\n{commit}\n{commit}", landing.parent)
    );
    assert_eq!(fixture.git(&["status", "--porcelain", "--untracked-files=all"]), "");
    assert_eq!(fs::read_to_string(fixture.top().join("new/file.txt")).unwrap(), "new\n");
    assert!(!fixture.top().join("docs/Guide.md").exists());
    fixture.assert_no_hook_ran();
}

#[test]
fn a_clean_checkout_moves_to_exactly_the_approved_tree() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    let landed = fixture.repo.land(&landing).unwrap();
    assert_eq!(landed.checkout, Checkout::Moved { branch: "main".into() });
    assert_eq!(landed.kept_at, "refs/windlass/loop-3");
    assert_landed(&fixture, &landing, &landed.commit);
    let shown = fixture.git(&["log", "-1", "--format=%an <%ae> %at %cn <%ce> %ct%n%B"]);
    assert_eq!(
        shown,
        "Ada Lovelace <ada@example.org> 1700000000 Ada Lovelace <ada@example.org> 1700000000\nCount once\n\nWindlass-Evidence: abc"
    );
    let state = fixture.state();
    assert_eq!(fixture.repo.land(&landing).unwrap(), landed, "landing again makes the same commit");
    assert_eq!(fixture.state(), state);
}

/// Does by hand what a landing had done when it was killed.
type Cut = fn(&Fixture, &Landing, &CommitId);

#[test]
fn a_landing_cut_short_at_any_step_is_finished_by_the_next() {
    let steps: &[(&str, Cut)] = &[
        ("after the commit", |_, _, _| {}),
        ("after the ref", |fixture, _, commit| {
            fixture.git(&["update-ref", "refs/windlass/loop-3", commit.as_str()]);
        }),
        ("amid the files", |fixture, _, _| {
            fixture.write("src/twice.rs", "x\ny\nx\nz\n");
            fixture.write("new/file.txt", "new\n");
        }),
        ("after the files, before the index", |fixture, _, _| {
            fixture.write("src/twice.rs", "x\ny\nx\nz\n");
            fixture.write("new/file.txt", "new\n");
            fs::remove_file(fixture.top().join("docs/Guide.md")).unwrap();
        }),
        ("amid a file that git had taken away", |fixture, _, commit| {
            fixture.git(&["update-ref", "refs/windlass/loop-3", commit.as_str()]);
            fs::remove_file(fixture.top().join("src/twice.rs")).unwrap();
        }),
        ("amid the writing of a file", |fixture, _, commit| {
            fixture.git(&["update-ref", "refs/windlass/loop-3", commit.as_str()]);
            fixture.write("src/twice.rs", "x\ny\n");
            fixture.write("new/file.txt", "");
        }),
        ("after the index", |fixture, landing, commit| {
            fixture.git(&["read-tree", "-m", "-u", landing.parent.as_str(), commit.as_str()]);
        }),
        ("after the branch, before the index", |fixture, _, commit| {
            fixture.write("src/twice.rs", "x\ny\nx\nz\n");
            fixture.write("new/file.txt", "new\n");
            fs::remove_file(fixture.top().join("docs/Guide.md")).unwrap();
            fixture.git(&["update-ref", "refs/windlass/loop-3", commit.as_str()]);
            fixture.git(&["update-ref", "refs/heads/main", commit.as_str()]);
            fixture.write(".git/index.lock", "windlass lands a change\n");
        }),
        ("after the branch", |fixture, landing, commit| {
            fixture.git(&["read-tree", "-m", "-u", landing.parent.as_str(), commit.as_str()]);
            fixture.git(&["update-ref", "refs/heads/main", commit.as_str()]);
        }),
    ];
    for (step, cut) in steps {
        let fixture = Fixture::new();
        let landing = landing(&fixture);
        let commit = {
            // What the first attempt would have made: the same landing in a state where the checkout stays.
            fixture.git(&["checkout", "-q", "--detach"]);
            let landed = fixture.repo.land(&landing).unwrap();
            fixture.git(&["update-ref", "-d", "refs/windlass/loop-3"]);
            fixture.git(&["checkout", "-q", "main"]);
            landed.commit
        };
        cut(&fixture, &landing, &commit);
        let landed = fixture.repo.land(&landing).unwrap();
        assert_eq!((&landed.commit, &landed.checkout), (&commit, &Checkout::Moved { branch: "main".into() }), "{step}");
        assert_landed(&fixture, &landing, &commit);
    }
}

#[test]
fn changed_files_keep_the_checkout_where_it_is() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    fixture.write("src/main.rs", "mine\n");
    fixture.write("src/twice.rs", "mine, too\n");
    let files = fixture.state();
    let landed = fixture.repo.land(&landing).unwrap();
    let (why, command) = left(&landed.checkout);
    assert_eq!(*why, Left::Dirty(vec!["src/main.rs".into(), "src/twice.rs".into()]));
    assert_eq!(why.to_string(), "src/main.rs, src/twice.rs are in the way");
    assert_eq!(command, "git merge refs/windlass/loop-3");
    assert_eq!(fixture.git(&["rev-parse", "refs/windlass/loop-3"]), landed.commit.as_str());
    let after = fixture.state();
    assert!(
        files
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "refs" | "objects"))
            .all(|(name, bytes)| after[name] == *bytes)
    );
    // Once they are out of the way, the command does it, and asking again agrees.
    fixture.git(&["checkout", "--", "."]);
    fixture.git(&command.split(' ').skip(1).collect::<Vec<_>>());
    let again = fixture.repo.land(&landing).unwrap();
    assert_eq!((&again.commit, &again.checkout), (&landed.commit, &Checkout::Moved { branch: "main".into() }));
    assert_landed(&fixture, &landing, &landed.commit);
}

#[test]
fn a_file_that_somebody_removed_is_in_the_way() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    fs::remove_file(fixture.top().join("src/twice.rs")).unwrap();
    let landed = fixture.repo.land(&landing).unwrap();
    assert_eq!(*left(&landed.checkout).0, Left::Dirty(vec!["src/twice.rs".into()]));
    assert!(!fixture.top().join("src/twice.rs").exists());

    // Done again, the change makes its own files whole, and none that it doesn't touch.
    fs::remove_file(fixture.top().join("src/main.rs")).unwrap();
    let landed = fixture.repo.land(&landing).unwrap();
    assert_eq!(*left(&landed.checkout).0, Left::Dirty(vec!["src/main.rs".into()]));
    assert!(!fixture.top().join("src/main.rs").exists());
}

#[test]
fn a_staged_change_is_in_the_way_even_if_the_file_looks_landed() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    fixture.write("src/twice.rs", "staged\n");
    fixture.git(&["add", "src/twice.rs"]);
    fixture.write("src/twice.rs", "x\ny\nx\nz\n");
    let landed = fixture.repo.land(&landing).unwrap();
    assert_eq!(*left(&landed.checkout).0, Left::Dirty(vec!["src/twice.rs".into()]));
    assert_eq!(fixture.git(&["show", ":src/twice.rs"]), "staged");
}

#[test]
fn files_git_does_not_track_are_never_overwritten() {
    for (path, is_in_the_way) in [("new/file.txt", "new/file.txt"), ("new", "new")] {
        for ignored in [false, true] {
            let fixture = Fixture::new();
            let landing = landing(&fixture);
            if ignored {
                fs::write(fixture.top().join(".git/info/exclude"), "new*\n").unwrap();
            }
            fixture.write(path, "precious\n");
            let landed = fixture.repo.land(&landing).unwrap();
            assert_eq!(*left(&landed.checkout).0, Left::Dirty(vec![is_in_the_way.into()]));
            assert_eq!(fs::read_to_string(fixture.top().join(path)).unwrap(), "precious\n");
            assert_eq!(fixture.head(), landing.parent);
        }
    }
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    fixture.write("notes.txt", "elsewhere\n");
    let landed = fixture.repo.land(&landing).unwrap();
    assert_eq!(landed.checkout, Checkout::Moved { branch: "main".into() }, "a file elsewhere is no obstacle");
    assert_eq!(fs::read_to_string(fixture.top().join("notes.txt")).unwrap(), "elsewhere\n");
}

#[test]
fn a_branch_that_moved_stays() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    fixture.write("src/main.rs", "other work\n");
    let now = fixture.commit("meanwhile");
    let landed = fixture.repo.land(&landing).unwrap();
    let (why, command) = left(&landed.checkout);
    assert_eq!(
        (why, command),
        (&Left::Moved { branch: "main".into(), now: now.clone() }, "git merge refs/windlass/loop-3")
    );
    assert_eq!(fixture.head(), now);
    assert_eq!(fixture.repo.tree_of(&landed.commit).unwrap(), landing.tree);
}

#[test]
fn a_detached_or_switched_checkout_stays() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    fixture.git(&["checkout", "-q", "--detach"]);
    let landed = fixture.repo.land(&landing).unwrap();
    assert_eq!(left(&landed.checkout), (&Left::Detached, "git switch main && git merge refs/windlass/loop-3"));
    fixture.git(&["checkout", "-q", "-b", "it's;other"]);
    let landed = fixture.repo.land(&landing).unwrap();
    let expected = Left::OtherBranch { is: "it's;other".into(), expected: "main".into() };
    assert_eq!(left(&landed.checkout).0, &expected);
    let begun_there = Landing { branch: Some("it's;other".into()), loop_id: LoopId(4), ..landing };
    fixture.git(&["checkout", "-q", "main"]);
    let landed = fixture.repo.land(&begun_there).unwrap();
    assert_eq!(left(&landed.checkout).1, "git switch 'it'\\''s;other' && git merge refs/windlass/loop-4");
    assert_eq!(fixture.head(), begun_there.parent);
}

#[test]
fn a_merge_under_way_is_not_disturbed() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    fs::write(fixture.top().join(".git/MERGE_HEAD"), format!("{}\n", fixture.head())).unwrap();
    let landed = fixture.repo.land(&landing).unwrap();
    assert_eq!(*left(&landed.checkout).0, Left::Busy("merge"));
}

#[test]
fn a_locked_index_is_reported_and_the_landing_can_be_repeated() {
    let fixture = Fixture::new();
    let landing = landing(&fixture);
    let lock = fixture.top().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    let landed = fixture.repo.land(&landing).unwrap();
    assert!(matches!(left(&landed.checkout).0, Left::Refused(said) if said.contains("index.lock")), "{landed:?}");
    assert_eq!(fixture.head(), landing.parent);
    fs::remove_file(&lock).unwrap();
    let again = fixture.repo.land(&landing).unwrap();
    assert_eq!(again.commit, landed.commit);
    assert_landed(&fixture, &landing, &again.commit);
}

#[test]
fn a_loop_lands_one_commit_only() {
    let fixture = Fixture::new();
    let first = landing(&fixture);
    fixture.repo.land(&first).unwrap();
    let other = Landing { message: "Another".into(), ..first.clone() };
    assert!(matches!(fixture.repo.land(&other), Err(LandError::Taken { .. })));
}

#[test]
fn nobody_in_particular_can_land() {
    for name in ["unknown", "", "<>", "a\nb <x\0y>", "<mail@only>"] {
        let fixture = Fixture::new();
        let landing = Landing { by: Person(name.into()), ..landing(&fixture) };
        fixture.repo.land(&landing).unwrap_or_else(|error| panic!("{name:?}: {error}"));
    }
}
