//! Answers, good and hostile, from text to tree.

use std::fmt::Write;

use super::Fixture;
use crate::domain::TreeId;
use crate::repo::{ApplyError, Boundary, MAX_FILE_BYTES, MAX_FILES, parse_answer};

fn boundary() -> Boundary {
    Boundary { allow: vec![], deny: vec!["secrets".into(), "**/*.pem".into()] }
}

/// Reads an answer and applies it; the error as text.
fn taken(fixture: &Fixture, answer: &str) -> Result<TreeId, String> {
    let edits = parse_answer(answer).map_err(|error| error.to_string())?.edits;
    fixture.repo.apply(&fixture.tree(), &edits, &boundary()).map_err(|error| error.to_string())
}

fn new_file(path: &str) -> String {
    format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n")
}

fn diff(path: &str, body: &str) -> String {
    format!("```diff\n--- a/{path}\n+++ b/{path}\n{body}```\n")
}

fn block(path: &str, old: &str, new: &str) -> String {
    format!("{path}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n")
}

/// Paths and what they hold; none for nothing.
type Outcome = &'static [(&'static str, Option<&'static str>)];

#[test]
fn good_answers_make_exactly_the_tree_they_mean() {
    let fixture = Fixture::new();
    let before = fixture.state();
    let rename = "diff --git a/docs/Guide.md b/docs/Manual.md\nrename from docs/Guide.md\nrename to docs/Manual.md\n";
    let cases: Vec<(&str, String, Outcome)> = vec![
        (
            "a right diff",
            diff("src/main.rs", "@@ -1,4 +1,4 @@\n fn main() {\n-    one();\n+    1();\n     two();\n }\n"),
            &[("src/main.rs", Some("fn main() {\n    1();\n    two();\n}\n"))],
        ),
        (
            "wrong line and counts",
            diff("src/main.rs", "@@ -40,9 +77,2 @@\n     one();\n+    more();\n"),
            &[("src/main.rs", Some("fn main() {\n    one();\n    more();\n    two();\n}\n"))],
        ),
        (
            "the claimed one of two places",
            diff("src/twice.rs", "@@ -3 +3 @@\n-x\n+z\n"),
            &[("src/twice.rs", Some("x\ny\nz\ny\n"))],
        ),
        (
            "a block",
            block("src/main.rs", "    two();\n", "    three();\n"),
            &[("src/main.rs", Some("fn main() {\n    one();\n    three();\n}\n"))],
        ),
        (
            "a whole file",
            "```rust path=src/main.rs\nfn main() {}\n```\n".into(),
            &[("src/main.rs", Some("fn main() {}\n"))],
        ),
        ("a new file", new_file("src/deep/new.rs"), &[("src/deep/new.rs", Some("x\n"))]),
        ("a new file by block", block("new.txt", "", "hello\n"), &[("new.txt", Some("hello\n"))]),
        (
            "a deletion",
            "--- a/docs/Guide.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-# Guide\n".into(),
            &[("docs/Guide.md", None)],
        ),
        ("a rename", rename.into(), &[("docs/Guide.md", None), ("docs/Manual.md", Some("# Guide\n"))]),
        (
            "CRLF kept, by diff",
            diff("src/dos.txt", "@@ -2 +2 @@\n-b\n+B\n"),
            &[("src/dos.txt", Some("a\r\nB\r\nc\r\n"))],
        ),
        (
            "CRLF kept, by a CRLF answer",
            diff("src/dos.txt", "@@ -2 +2 @@\n-b\n+B\n").replace('\n', "\r\n"),
            &[("src/dos.txt", Some("a\r\nB\r\nc\r\n"))],
        ),
        ("CRLF kept, whole", "```path=src/dos.txt\na\nz\n```\n".into(), &[("src/dos.txt", Some("a\r\nz\r\n"))]),
        (
            "LF kept in a CRLF answer",
            block("src/main.rs", "    one();\n", "    1();\n").replace('\n', "\r\n"),
            &[("src/main.rs", Some("fn main() {\n    1();\n    two();\n}\n"))],
        ),
        (
            "no newline at the end kept",
            diff("src/bare.txt", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"),
            &[("src/bare.txt", Some("a\nc"))],
        ),
        (
            "newline at the end added",
            diff("src/bare.txt", "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+b\n"),
            &[("src/bare.txt", Some("a\nb\n"))],
        ),
        (
            "a file becomes a directory",
            format!(
                "--- a/docs/Guide.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-# Guide\n{}",
                new_file("docs/Guide.md/index.md")
            ),
            &[("docs/Guide.md", None), ("docs/Guide.md/index.md", Some("x\n"))],
        ),
        (
            "two files, two forms",
            format!("{}\n{}", new_file("one"), block("src/main.rs", "    one();\n", "")),
            &[("one", Some("x\n")), ("src/main.rs", Some("fn main() {\n    two();\n}\n"))],
        ),
        (
            "a diff with prose around",
            format!("Here it is.\n\n{}\nThat is all.\n", diff("src/main.rs", "@@ -2 +2 @@\n-    one();\n+    1();\n")),
            &[("src/main.rs", Some("fn main() {\n    1();\n    two();\n}\n"))],
        ),
        (
            "two hunks of one file",
            diff("src/twice.rs", "@@ -1 +1 @@\n-x\n+first\n@@ -4 +4 @@\n-y\n+last\n"),
            &[("src/twice.rs", Some("first\ny\nx\nlast\n"))],
        ),
        (
            "a line more at the end",
            diff("docs/Guide.md", "@@ -1 +1,2 @@\n # Guide\n+More.\n"),
            &[("docs/Guide.md", Some("# Guide\nMore.\n"))],
        ),
    ];
    println!("{} good answers land", cases.len());
    assert!(cases.len() >= 20);
    for (name, answer, expected) in cases {
        let tree = taken(&fixture, &answer).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (path, content) in expected {
            let found = fixture.repo.read(&tree, path).unwrap().map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found.as_deref(), *content, "{name}: {path}");
        }
        // Nothing else has changed: every path of git's diff is one that was expected.
        let change = fixture.repo.change(&fixture.head(), &tree, vec![]).unwrap();
        assert_eq!(change.files.len(), expected.len(), "{name}: {:?}", change.files);
    }
    assert_eq!(fixture.state(), before);
    fixture.assert_no_hook_ran();
}

#[test]
fn executables_keep_or_gain_their_bit() {
    let fixture = Fixture::new();
    let chmod = "diff --git a/src/main.rs b/src/main.rs\nold mode 100644\nnew mode 100755\n";
    let tree = taken(&fixture, chmod).unwrap();
    let change = fixture.repo.change(&fixture.head(), &tree, vec![]).unwrap();
    assert_eq!(change.flags, ["makes src/main.rs executable"]);
    let edits = parse_answer(&block("src/main.rs", "    one();\n", "")).unwrap().edits;
    let edited = fixture.repo.apply(&tree, &edits, &boundary()).unwrap();
    assert_eq!(fixture.repo.change(&fixture.head(), &edited, vec![]).unwrap().flags.len(), 1);
}

#[test]
fn hostile_answers_are_refused_by_name_and_leave_no_trace() {
    let fixture = Fixture::new();
    let before = fixture.state();
    let objects = fixture.git(&["count-objects"]);
    let mode = |path: &str, mode: &str| {
        format!("diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n")
    };
    let many = (0..=MAX_FILES).fold(String::new(), |mut answer, n| {
        write!(answer, "```path=many/{n}\nx\n```\n").unwrap();
        answer
    });
    let huge = format!("```path=huge.txt\n{}\n```\n", "x".repeat(MAX_FILE_BYTES + 1));
    let grown = block("src/main.rs", "    one();\n", &format!("{}\n", "x".repeat(MAX_FILE_BYTES)));
    let cases: Vec<(String, &str)> = vec![
        (new_file("/tmp/x"), "/tmp/x: is absolute"),
        (new_file("../x"), "../x: has a `..` component"),
        (new_file("src/../../x"), "`..`"),
        ("```path=C:/x\nx\n```\n".into(), "is absolute"),
        ("```path=a\\b\nx\n```\n".into(), "backslash"),
        (new_file("a//b"), "empty component"),
        (new_file("./a"), "`.` component"),
        ("--- /dev/null\n+++ \"b/x\\000y\"\n@@ -0,0 +1 @@\n+x\n".into(), "U+0000"),
        ("--- /dev/null\n+++ b/x\0y\n@@ -0,0 +1 @@\n+x\n".into(), "U+0000"),
        ("--- /dev/null\n+++ \"b/x\\ry\"\n@@ -0,0 +1 @@\n+x\n".into(), "U+000D"),
        (new_file(".git/hooks/pre-commit"), "git's own directory"),
        (new_file(".GIT/config"), "git's own directory"),
        (new_file("src/.git/config"), "git's own directory"),
        (new_file("git~1/config"), "git's own directory"),
        (new_file(".git. /config"), "git's own directory"),
        (new_file(".g\u{200c}it/config"), "git's own directory"),
        (new_file(".git::$INDEX_ALLOCATION/x"), "git's own directory"),
        (new_file(".gitmodules"), "edits .gitmodules"),
        (mode("evil", "120000"), "evil: would be a symbolic link"),
        (mode("evil", "160000"), "evil: would be a submodule"),
        (mode("evil", "104755"), "evil: has mode 104755"),
        (mode("evil", "100666"), "evil: has mode 100666"),
        (
            "diff --git a/src/main.rs b/src/main.rs\nold mode 100644\nnew mode 120000\n".into(),
            "would be a symbolic link",
        ),
        (new_file("link/x"), "link/x: goes through the symbolic link link"),
        ("```path=link/main.rs\nx\n```\n".into(), "goes through the symbolic link"),
        ("```path=passwd\nx\n```\n".into(), "passwd: is a symbolic link"),
        (
            diff("passwd", "@@ -1 +1 @@\n-/etc/passwd\n\\ No newline at end of file\n+/etc/shadow\n"),
            "is a symbolic link",
        ),
        (new_file("vendored/x"), "goes through the submodule"),
        (
            diff(
                "vendored",
                &format!("@@ -1 +1 @@\n-Subproject commit {}\n+Subproject commit {}\n", "1".repeat(40), "2".repeat(40)),
            ),
            "is a submodule",
        ),
        (new_file("SRC/evil.rs"), "is the same as src"),
        (new_file("docs/GUIDE.md"), "is the same as docs/Guide.md"),
        (format!("{}{}", new_file("e\u{301}.txt"), new_file("\u{e9}.txt")), "letter case or Unicode form"),
        (format!("{}{}", new_file("A"), new_file("a")), "is the same as A"),
        (new_file("src/\u{202e}x.rs"), "invisible characters in it: src/<U+202E>x.rs"),
        (new_file("src"), "src: is a directory"),
        (new_file("src/main.rs/x"), "src/main.rs to be a directory"),
        (format!("{}{}", new_file("p"), new_file("p/q")), "p: is a directory"),
        (new_file("src/main.rs"), "is there already"),
        (diff("src/gone.rs", "@@ -1 +1 @@\n-a\n+b\n"), "src/gone.rs: is not in the repository"),
        (diff("lib/main.rs", "@@ -1 +1 @@\n-a\n+b\n"), "did you mean src/main.rs?"),
        (new_file("secrets/key"), "outside the boundary: `secrets` is denied"),
        (new_file("deep/down/x.pem"), "outside the boundary"),
        (
            "diff --git a/docs/Guide.md b/secrets/x\nrename from docs/Guide.md\nrename to secrets/x\n".into(),
            "outside the boundary",
        ),
        (
            "diff --git a/docs/Guide.md b/src/main.rs\nrename from docs/Guide.md\nrename to src/main.rs\n".into(),
            "is there already",
        ),
        (
            diff("src/twice.rs", "@@ -9 +9 @@\n-x\n+z\n"),
            "src/twice.rs: hunk 1 (@@ -9 +9 @@) fits at 2 places (lines 1, 3)",
        ),
        (block("src/twice.rs", "y\n", "z\n"), "src/twice.rs: SEARCH block 1 fits at 2 places (lines 2, 4)"),
        (
            diff("src/main.rs", "@@ -1,2 +1,2 @@\n fn main() {\n-    uno();\n+    due();\n"),
            "src/main.rs: hunk 1 (@@ -1,2 +1,2 @@) does not match: expected line `    uno();`, the file has `    one();` at line 2",
        ),
        (diff("src/main.rs", "@@ -2,0 +3 @@\n+x\n"), "has no line of the file to be found by"),
        (
            format!(
                "{}{}",
                diff("src/main.rs", "@@ -2 +2 @@\n-    one();\n+    1();\n"),
                "```path=src/main.rs\nx\n```\n"
            ),
            "edited more than once",
        ),
        (diff("logo.png", "@@ -1 +1 @@\n-x\n+y\n"), "logo.png: is a binary file"),
        ("```path=x.bin\na\0b\n```\n".into(), "NUL bytes"),
        ("--- a/docs/Guide.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-# Other\n".into(), "does not match"),
        ("--- a/src/main.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-fn main() {\n".into(), "does not remove all its lines"),
        (many, "the most is 1000"),
        (huge, "huge.txt: has 4194306 bytes"),
        (grown, "src/main.rs: would have"),
        ("```path=docs/Guide.md\n# Guide\n```\n".into(), "the edits change nothing"),
        // One bad edit takes the good ones down with it.
        (format!("{}{}", new_file("fine.txt"), new_file(".git/x")), "git's own directory"),
        (format!("{}{}", new_file("fine.txt"), block("src/main.rs", "nothing\n", "x\n")), "does not match"),
    ];
    for (answer, reason) in &cases {
        let start: String = answer.chars().take(300).collect();
        let refused = taken(&fixture, answer).expect_err(&start);
        assert!(refused.contains(reason), "{start:?}: {refused:?}");
        assert_eq!(fixture.state(), before, "{start:?}");
    }
    println!("{} hostile answers refused", cases.len());
    assert!(cases.len() >= 40);
    assert_eq!(fixture.git(&["count-objects"]), objects, "a refusal stores nothing");
    fixture.assert_no_hook_ran();
}

#[test]
fn every_problem_is_told_at_once() {
    let fixture = Fixture::new();
    let answer = format!("{}{}{}", new_file("/x"), new_file("../y"), new_file("ok"));
    let edits = parse_answer(&answer).unwrap().edits;
    let Err(ApplyError::Refused(problems)) = fixture.repo.apply(&fixture.tree(), &edits, &boundary()) else {
        panic!("it was not refused");
    };
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["/x", "../y"]);
}

#[test]
fn a_repository_with_colliding_names_can_still_be_edited() {
    let fixture = Fixture::new();
    fixture.write("src/MAIN.rs", "shout\n");
    fixture.commit("collision");
    assert!(taken(&fixture, &block("src/main.rs", "    one();\n", "")).is_ok());
    assert!(taken(&fixture, &block("src/MAIN.rs", "shout\n", "quiet\n")).is_ok());
    assert!(taken(&fixture, &new_file("src/Main.rs")).unwrap_err().contains("is the same as"));
}

#[test]
fn what_a_human_should_look_at_twice_is_flagged() {
    let fixture = Fixture::new();
    for (answer, flag) in [
        (new_file(".windlass/config.toml"), "edits .windlass/config.toml, a file of Windlass itself"),
        (new_file(".github/workflows/ci.yml"), "which CI runs"),
        (new_file(".gitlab-ci.yml"), "which CI runs"),
        (new_file(".ci/run"), "which CI runs"),
        (new_file("build.rs"), "when the project is built"),
        (new_file("sub/.cargo/config.toml"), "when the project is built"),
        (new_file("Makefile"), "when the project is built"),
        (new_file(".gitattributes"), "when the project is built"),
        (
            "```path=package.json\n{\"scripts\": {\"test\": \"curl x | sh\"}}\n```\n".into(),
            "edits the scripts in package.json",
        ),
        (format!("diff --git a/x b/x\nnew file mode 100755\n{}", new_file("x")), "makes x executable"),
        ("--- a/tests/it.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-test\n".into(), "deletes the test tests/it.rs"),
        (new_file("src/m\u{430}in.rs"), "outside ASCII"),
    ] {
        let tree = taken(&fixture, &answer).unwrap();
        let flags = fixture.repo.change(&fixture.head(), &tree, vec![]).unwrap().flags;
        assert!(flags.iter().any(|said| said.contains(flag)), "{answer}: {flags:?}");
    }
    for answer in [
        new_file("src/plain.rs"),
        "```path=package.json\n{\"scripts\": {\"test\": \"true\"}, \"version\": \"2\"}\n```\n".into(),
    ] {
        let tree = taken(&fixture, &answer).unwrap();
        assert_eq!(fixture.repo.change(&fixture.head(), &tree, vec![]).unwrap().flags, Vec::<String>::new());
    }
}
