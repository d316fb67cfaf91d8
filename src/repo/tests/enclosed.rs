//! What may be read and written in a worktree by who asks for it, and what may be taken of what was left there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::Fixture;
use crate::repo::{Boundary, Enclosure, NotDone};

#[test]
fn files_of_the_worktree_are_open_and_nothing_else() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    let outside = fixture.dir.path().join("outside.txt");
    fs::write(&outside, "secret\n").unwrap();
    symlink(&outside, path.join("alias")).unwrap();
    symlink(fixture.dir.path(), path.join("upward")).unwrap();
    let boundary = Boundary { allow: Vec::new(), deny: vec!["docs".to_owned()] };
    let enclosure = Enclosure::new(&path, boundary).unwrap();

    let (inside, new) = (enclosure.dir().join("src/twice.rs"), PathBuf::from("src/deep/new.rs"));
    assert_eq!(enclosure.read(&inside).unwrap(), "x\ny\nx\ny\n");
    enclosure.write(&inside, "z\n").unwrap();
    enclosure.write(&new, "new\n").unwrap();
    assert_eq!(fs::read_to_string(path.join(&new)).unwrap(), "new\n");
    assert_eq!(enclosure.read("docs/Guide.md".as_ref()).unwrap(), "# Guide\n");

    let refused = |path: &PathBuf| [enclosure.read(path).map(drop), enclosure.write(path, "mine")];
    let dir = enclosure.dir().to_owned();
    for (path, reason) in [
        (outside.clone(), "is outside the worktree"),
        (dir.join("../../../outside.txt"), "`..` component"),
        (dir.join("src/../../x"), "`..` component"),
        (dir.join("alias"), "goes through the symbolic link alias"),
        (dir.join("upward/outside.txt"), "goes through the symbolic link upward"),
        (dir.join(".git"), "git's own"),
        (PathBuf::from(".GIT/config"), "git's own"),
        (dir.join(".windlass/config.toml"), "is in .windlass"),
        (PathBuf::from(".Windlass/config.toml"), "is in .windlass"),
    ] {
        for done in refused(&path) {
            assert!(matches!(&done, Err(NotDone::Refused(why)) if why.contains(reason)), "{path:?}: {done:?}");
        }
    }
    for (path, text, reason) in
        [("docs/Guide.md", "mine", "`docs` is denied"), ("src/x", "a\0b", "NUL"), ("", "", "itself")]
    {
        let done = enclosure.write(path.as_ref(), text);
        assert!(matches!(&done, Err(NotDone::Refused(why)) if why.contains(reason)), "{path:?}: {done:?}");
    }
    let missing = enclosure.read("src/none.rs".as_ref());
    assert!(matches!(&missing, Err(NotDone::Failed(_))), "{missing:?}");
    assert!(matches!(enclosure.read("src".as_ref()), Err(NotDone::Failed(_))));
    assert_eq!(fs::read_to_string(&outside).unwrap(), "secret\n");
}

#[test]
fn what_is_left_is_vetted_like_an_answer() {
    let fixture = Fixture::new();
    let path = fixture.repo.worktree("w", &fixture.head()).unwrap();
    let boundary = Boundary { allow: Vec::new(), deny: vec!["docs".to_owned()] };
    let problems = || {
        let tree = fixture.repo.snapshot(&path).unwrap();
        let found = fixture.repo.vet(&fixture.tree(), &tree, &boundary).unwrap();
        fixture.repo.check_out(&path, &fixture.tree()).unwrap();
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    fs::write(path.join("src/twice.rs"), "x\n").unwrap();
    fs::write(path.join("src/new.rs"), "new\n").unwrap();
    fs::remove_file(path.join("src/bare.txt")).unwrap();
    assert_eq!(problems(), "");

    symlink("/etc/passwd", path.join("src/link")).unwrap();
    assert!(problems().contains("src/link: would be a symbolic link"));
    fs::remove_file(path.join("src/twice.rs")).unwrap();
    symlink("/etc/passwd", path.join("src/twice.rs")).unwrap();
    assert!(problems().contains("src/twice.rs: would be a symbolic link"));
    fs::write(path.join("docs/Guide.md"), "mine\n").unwrap();
    assert!(problems().contains("docs/Guide.md: is outside the boundary"));
    fs::create_dir(path.join(".windlass")).unwrap();
    fs::write(path.join(".windlass/config.toml"), "mine\n").unwrap();
    assert!(problems().contains(".windlass/config.toml: is in .windlass"));
    fs::write(path.join("SRC"), "mine\n").unwrap();
    assert!(problems().contains("SRC: is the same as src where letter case"));
    fs::write(path.join("src/data.bin"), b"\xff\xfe\x00").unwrap();
    assert!(problems().contains("src/data.bin: is not UTF-8 text"));
}
