//! What is read out of answers, before anything is known of the repository.

use super::{AnswerError, parse_answer};
use crate::repo::edit::{Action, FileEdit};

/// An edit in one line: `path: action`.
fn told(edit: &FileEdit) -> String {
    let action = match &edit.action {
        Action::Create(content) => format!("create {content:?}"),
        Action::Write(content) => format!("write {content:?}"),
        Action::Modify(hunks) | Action::Delete(hunks) => {
            let verb = if matches!(edit.action, Action::Delete(_)) { "delete" } else { "modify" };
            let hunks: Vec<String> =
                hunks.iter().map(|hunk| format!(" [{} > {}]", hunk.old.join("|"), hunk.new.join("|"))).collect();
            format!("{verb}{}", hunks.concat())
        }
    };
    let from = edit.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    let mode = edit.mode.as_ref().map_or_else(String::new, |mode| format!(" mode {mode}"));
    format!("{}{from}{mode}: {action}", edit.path)
}

fn read(answer: &str) -> Vec<String> {
    match parse_answer(answer) {
        Ok(answer) => answer.edits.iter().map(told).collect(),
        Err(error) => vec![format!("error: {error}")],
    }
}

#[test]
fn what_is_said_around_the_edits_is_kept() {
    let block = "x.rs\n<<<<<<< SEARCH\nb\n=======\nc\n>>>>>>> REPLACE\n";
    let example = "```sh\nmake x.rs\n```\n";
    let answer = format!(
        "Keys are faster.\n\n{block}\nTry it:\n\n{example}\n```diff\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n```\nDone.\n"
    );
    assert_eq!(
        parse_answer(&answer).unwrap().prose.trim(),
        format!("Keys are faster.\n\n\nTry it:\n\n{example}\nDone.")
    );
    assert_eq!(parse_answer(&block.repeat(2)).unwrap().prose.trim(), "");
    assert_eq!(parse_answer("### File: `z.rs`\n\n```rust\nfn z() {}\n```\n").unwrap().prose.trim(), "");
}

#[test]
fn unified_diffs_are_read_fenced_or_not() {
    let diff = "--- a/x.rs\n+++ b/x.rs\n@@ -1,2 +1,2 @@ fn\n a\n-b\n+c\n";
    let expected = ["x.rs: modify [a|b > a|c]"];
    assert_eq!(read(diff), expected);
    assert_eq!(read(&format!("Here it is:\n\n```diff\n{diff}```\nThat is all.\n")), expected);
    assert_eq!(read(&format!("Here it is:\n\n{diff}\nThat is all.\n")), expected);
    assert_eq!(read(&format!("~~~~\n{diff}~~~~")), expected);
    assert_eq!(read(&diff.replace('\n', "\r\n")), expected);
    assert_eq!(read(&diff.replace("a/", "").replace("b/", "")), expected);
    assert_eq!(
        read(&format!(
            "From 1234\nSubject: x\n---\n x.rs | 2\n\ndiff --git a/x.rs b/x.rs\nindex 1..2 100644\n{diff}-- \n2.47.3\n"
        )),
        expected
    );
}

#[test]
fn wrong_counts_do_not_matter() {
    for head in ["@@ -1,9 +1,9 @@", "@@ -1 +1 @@", "@@ -1,1 +1,40 @@", "@@", "@@ ... @@"] {
        let answer = format!("```diff\n--- a/x\n+++ b/x\n{head}\n a\n\n-b\n+c\n@@ -20 +20 @@\n-y\n+z\n```\n");
        assert_eq!(read(&answer), ["x: modify [a||b > a||c] [y > z]"], "{head}");
    }
}

#[test]
fn a_removed_line_that_looks_like_a_header_is_a_removed_line() {
    let answer = "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- old comment\n+++ new comment\n x\n";
    assert_eq!(read(answer), ["q.sql: modify [-- old comment|x > ++ new comment|x]"]);
}

#[test]
fn gits_extended_headers_are_read() {
    let answer = "\
diff --git a/new.txt b/new.txt
new file mode 100755
index 0000000..1111111
--- /dev/null
+++ b/new.txt
@@ -0,0 +1,2 @@
+one
+two
\\ No newline at end of file
diff --git a/empty b/empty
new file mode 100644
index 0000000..e69de29
diff --git a/old.txt b/old.txt
deleted file mode 100644
--- a/old.txt
+++ /dev/null
@@ -1 +0,0 @@
-gone
diff --git a/from b/to
similarity index 90%
rename from from
rename to to
--- a/from
+++ b/to
@@ -1 +1 @@
-x
+y
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
";
    assert_eq!(
        read(answer),
        [
            "new.txt mode 100755: create \"one\\ntwo\"",
            "empty mode 100644: create \"\"",
            "old.txt: delete [gone > ]",
            "to from from: modify [x > y]",
            "run.sh mode 100755: modify",
        ]
    );
}

#[test]
fn search_replace_blocks_are_read_in_the_ways_models_write_them() {
    let block = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n";
    let expected = ["src/x.rs: modify [a > b]"];
    for answer in [
        format!("src/x.rs\n{block}"),
        format!("src/x.rs\n```rust\n{block}```\n"),
        format!("```rust\nsrc/x.rs\n{block}```\n"),
        format!("```rust path=src/x.rs\n{block}```\n"),
        format!("First, **`src/x.rs`** must change.\n\n### `src/x.rs`\n\n```\n{block}```\n"),
        format!("File: src/x.rs\n{}", block.replace("<<<<<<<", "<<<<<").replace(">>>>>>>", ">>>>>")),
    ] {
        assert_eq!(read(&answer), expected, "{answer}");
    }
    assert_eq!(read(&format!("Makefile\n{block}")), ["Makefile: modify [a > b]"]);
    let two = format!("```\nsrc/x.rs\n{block}\n<<<<<<< SEARCH\nc\n=======\n>>>>>>> REPLACE\n```\n");
    assert_eq!(read(&two), ["src/x.rs: modify [a > b] [c > ]"]);
    let new = "src/new.rs\n<<<<<<< SEARCH\n=======\n```\ncode\n```\n>>>>>>> REPLACE\n";
    assert_eq!(read(new), ["src/new.rs: create \"```\\ncode\\n```\\n\""]);
}

#[test]
fn whole_files_are_read_and_examples_passed_over() {
    for answer in [
        "```rust path=src/x.rs\nfn x() {}\n```\n",
        "```rust src/x.rs\nfn x() {}\n```\n",
        "### File: `src/x.rs`\n\n```rust\nfn x() {}\n```\n",
        "Run this first:\n\n```sh\ncargo test\n```\n\n**src/x.rs**\n```rust\nfn x() {}\n```\n",
    ] {
        assert_eq!(read(answer), ["src/x.rs: write \"fn x() {}\\n\""], "{answer}");
    }
    let nested = "````markdown path=README.md\n```sh\nls\n```\n````\n";
    assert_eq!(read(nested), ["README.md: write \"```sh\\nls\\n```\\n\""]);
    assert_eq!(read("```path=empty.txt\n```\n"), ["empty.txt: write \"\""]);
}

#[test]
fn forms_can_be_mixed() {
    let answer = "One:\n```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n```\nTwo:\n\ny.rs\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n\nThree:\n```toml path=z.toml\nk = 1\n```\n";
    assert_eq!(read(answer), ["x: modify [a > b]", "y.rs: modify [a > b]", "z.toml: write \"k = 1\\n\""]);
}

#[test]
fn answers_without_an_edit_say_so() {
    for answer in ["", "I would change nothing.", "```rust\nfn example() {}\n```\n", "-- \n---\n+++\n", "```"] {
        assert_eq!(parse_answer(answer), Err(AnswerError::NoEdits), "{answer:?}");
    }
}

#[test]
fn broken_answers_are_refused_with_the_line_and_never_taken_in_part() {
    for (answer, what) in [
        ("x.rs\n<<<<<<< SEARCH\na\n", "line 2 of the answer: this SEARCH block has no ======= line"),
        ("x.rs\n<<<<<<< SEARCH\na\n=======\nb\n", "no >>>>>>> REPLACE"),
        ("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", "line 1 of the answer: no path"),
        ("Change this:\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", "no path"),
        ("x.rs\n<<<<<<< SEARCH\na\n<<<<<<< SEARCH\nb\n=======\nc\n>>>>>>> REPLACE\n", "markers of another block"),
        ("x.rs\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE\n", "markers of another block"),
        ("```rust path=x.rs\nfn x() {\n", "line 1 of the answer: the fence around x.rs is never closed"),
        ("```md path=x.md\n```sh\nls\n```\nmore\n```\n", "x.md has fences inside"),
        ("```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "breaks off"),
        (
            "```diff\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\nb\n-c\n+d\n```\n",
            "line 6 of the answer: this line of a hunk begins with none",
        ),
        ("```diff\n@@ -1 +1 @@\n-a\n+b\n```\n", "this hunk follows no"),
        ("--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "name two files, x and y"),
        ("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "both headers"),
        ("--- /dev/null\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "of a new file has lines that are not added"),
        ("--- a/x\n+++ b/x\n", "has no hunk"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n a\n", "line 3 of the answer: this hunk changes nothing"),
        (
            "diff --git a/x.png b/x.png\nindex 1..2 100644\nGIT binary patch\nliteral 3\n",
            "line 3 of the answer: binary",
        ),
        ("diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n", "binary"),
        ("diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n", "a copy can't be taken"),
        ("--- \"a/\\x\"\n+++ \"b/\\x\"\n@@ -1 +1 @@\n-a\n+b\n", "not quoted as git quotes"),
    ] {
        let said = read(answer).concat();
        assert!(said.starts_with("error: ") && said.contains(what), "{answer:?}: {said}");
    }
}

mod properties {
    use super::parse_answer;
    use proptest::prelude::{ProptestConfig, prop, proptest};

    const PARTS: &[&str] = &[
        "--- a/x\n",
        "+++ b/x\n",
        "@@ -1,2 +1,2 @@\n",
        "@@",
        " a\n",
        "-b\n",
        "+c\n",
        "\\ No newline\n",
        "\n",
        "```",
        "```rust path=a.rs\n",
        "~~~~\n",
        "<<<<<<< SEARCH\n",
        "=======\n",
        ">>>>>>> REPLACE\n",
        "diff --git a/x b/x\n",
        "rename from x\n",
        "rename to y\n",
        "\"a/\\303\"",
        "\u{202e}é",
        "\r\n",
        "\0",
        "/dev/null",
        "new file mode 120000\n",
        "x.rs\n",
        " ",
        "diff --git ",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_answer_makes_the_reader_panic_or_hang(picks in prop::collection::vec(0..PARTS.len(), 0..40)) {
            let text: String = picks.into_iter().map(|pick| PARTS[pick]).collect();
            let _ = parse_answer(&text);
        }
    }
}
