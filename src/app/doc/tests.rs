//! What a document makes of a stream and of a patch.

use std::collections::BTreeMap;

use super::{Block, Doc, Kind};
use crate::domain::{Change, FileStat};

const PATCH: &str = "diff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n\
    @@ -1,3 +1,3 @@ fn a\n one\n-two\n+TWO\n three\n@@ -10 +10,2 @@\n ten\n+--- more\n";

fn change(patch: &str) -> Change {
    let id = "0".repeat(40);
    Change {
        base: id.parse().unwrap(),
        tree: id.parse().unwrap(),
        patch: patch.into(),
        files: vec![FileStat { path: "src/a.rs".into(), added: 1, removed: 1 }],
        flags: Vec::new(),
    }
}

#[test]
fn a_stream_in_pieces_is_the_document_at_once() {
    let text = "# Title\n\nSome *text* that\nwraps\n\n```sh\n# code\n```\n- item\n1. one\n| a |\n> q\n";
    let whole = Doc::prose(text);
    for size in 1..9 {
        let mut doc = Doc::default();
        for piece in text.as_bytes().chunks(size) {
            doc.push(std::str::from_utf8(piece).unwrap());
        }
        doc.close();
        assert_eq!(shown(&doc), shown(&whole), "{size}");
    }
    let kinds: Vec<Kind> = whole.lines_from(0).map(|(_, line)| line.kind).collect();
    use Kind::{Code, Fence, Heading, Item, Quote, Table, Text};
    assert_eq!(kinds, [Heading, Text, Text, Text, Text, Fence, Code, Fence, Item, Item, Table, Quote]);
}

#[test]
fn a_line_without_end_is_cut_but_keeps_its_number() {
    let mut doc = Doc::default();
    for _ in 0..3 {
        doc.push(&"x".repeat(3000));
    }
    doc.push("\nnext");
    let numbers: Vec<_> = doc.lines_from(0).map(|(_, line)| line.number).collect();
    assert_eq!(numbers, [Some(1), Some(1), Some(1), Some(2)]);
    assert_eq!((0..doc.len()).map(|line| doc.text_len(line)).sum::<usize>(), 9004);
}

#[test]
fn a_patch_is_numbered_and_cut_into_hunks() {
    let doc = Doc::of_change("", &change(PATCH));
    let lines = shown(&doc);
    let shown: Vec<_> = lines.iter().map(|(kind, text, number)| (*kind, text.as_str(), *number)).collect();
    use Kind::{Context, File, Hunk, Minus, Plus};
    assert_eq!(
        shown,
        [
            (File, "src/a.rs", None),
            (Hunk, "@@ -1,3 +1,3 @@ fn a", None),
            (Context, "one", Some(1)),
            (Minus, "two", Some(2)),
            (Plus, "TWO", Some(2)),
            (Context, "three", Some(3)),
            (Hunk, "@@ -10 +10,2 @@", None),
            (Context, "ten", Some(10)),
            (Plus, "--- more", Some(11)),
        ]
    );
    assert_eq!(doc.units.iter().map(|unit| (unit.from, unit.to)).collect::<Vec<_>>(), [(0, 6), (6, 9)]);
    assert_eq!(doc.find_file_line("src/a.rs", Some(11)), Some(8));
    assert_eq!(doc.find_file_line("src/a.rs", None), Some(0));
    assert_eq!(doc.find_file_line("other", None), None);
}

#[test]
fn a_hunk_that_moves_is_the_same_unit() {
    let moved = PATCH.replace("@@ -10 +10,2 @@", "@@ -12 +14,2 @@");
    let (one, two) = (Doc::of_change("", &change(PATCH)), Doc::of_change("", &change(&moved)));
    assert_eq!(one.units[1].digest, two.units[1].digest);
    let edited = PATCH.replace("ten", "TEN");
    assert_ne!(one.units[1].digest, Doc::of_change("", &change(&edited)).units[1].digest);
}

/// The document's lines: kind, text, number.
fn shown(doc: &Doc) -> Vec<(Kind, String, Option<u32>)> {
    doc.lines_from(0).map(|(_, line)| (line.kind, line.text.into_owned(), line.number)).collect()
}

#[test]
fn the_same_hunk_in_another_file_or_twice_in_one_is_another_part() {
    let twice = "@@ -1 +1 @@\n-a\n+b\n@@ -9 +9 @@\n-a\n+b\n";
    let patch = format!("diff --git a/x b/x\n{twice}diff --git a/y b/y\n{twice}");
    let doc = Doc::of_change("", &change(&patch));
    let digests: std::collections::BTreeSet<_> = doc.units.iter().map(|unit| unit.digest).collect();
    assert_eq!((doc.units.len(), digests.len()), (4, 4));
}

#[test]
fn what_git_says_of_blobs_changes_no_part() {
    let other = PATCH.replace("index 1..2", "index 1..3").replace("ten", "TEN");
    let (one, two) = (Doc::of_change("", &change(PATCH)), Doc::of_change("", &change(&other)));
    assert_eq!(one.units[0].digest, two.units[0].digest);
    assert_ne!(one.units[1].digest, two.units[1].digest);
}

#[test]
fn a_part_is_cut_and_made_whole_again() {
    let mut doc = Doc::of_change("", &change(PATCH));
    let whole = doc.units.clone();
    doc.cut(&BTreeMap::from([(whole[0].digest, vec![3, 5, 99])]));
    assert_eq!(doc.units.iter().map(|unit| (unit.from, unit.to)).collect::<Vec<_>>(), [(0, 3), (3, 5), (5, 6), (6, 9)]);
    assert_eq!((doc.whole_at(4), doc.units[3].digest), (Some(&whole[0]), whole[1].digest));
    doc.cut(&BTreeMap::new());
    assert_eq!(doc.units, whole);
}

#[test]
fn a_long_line_of_a_diff_is_cut_and_an_old_number_kept() {
    let long = "x".repeat(10_000);
    let doc = Doc::of_change("", &change(&format!("diff --git a/x b/x\n@@ -4,2 +4,2 @@\n a\n-{long}\n+{long}y\n")));
    let lines: Vec<_> = doc.lines_from(0).map(|(_, line)| (line.kind, line.text.len(), line.continues)).collect();
    use Kind::{Context, Minus, Plus};
    assert_eq!(lines[2], (Context, 1, false));
    assert_eq!(lines[3..6], [(Minus, 4096, false), (Minus, 4096, true), (Minus, 1808, true)]);
    assert_eq!(lines[6..], [(Plus, 4096, false), (Plus, 4096, true), (Plus, 1809, true)]);
    assert_eq!(doc.block_at(7), Some(Block { from: 3, minus: 3, plus: 3 }));
    assert_eq!((doc.files()[0].added, doc.files()[0].removed), (1, 1));
    assert_eq!(doc.line(2).unwrap().old, Some(4));
}

#[test]
fn lines_that_went_elsewhere_are_moved_and_brackets_are_not() {
    let patch = "diff --git a/x b/x\n@@ -1,4 +1,1 @@\n-let total = sum(everything);\n-}\n-only here removed\n a\n\
                 @@ -20,1 +17,4 @@\n b\n+let total = sum(everything);\n+new here, and nowhere else\n+}\n";
    let doc = Doc::of_change("", &change(patch));
    let moved: Vec<String> =
        doc.lines_from(0).filter(|(at, _)| doc.is_moved(*at)).map(|(_, line)| line.text.into_owned()).collect();
    assert_eq!(moved, ["let total = sum(everything);", "}", "let total = sum(everything);"]);
}

#[test]
fn output_keeps_its_end() {
    let mut doc = Doc::default();
    for line in 0..1000 {
        doc.push(&format!("line {line}\n"));
        doc.keep_last(100);
    }
    assert!((100..=125).contains(&doc.len()));
    assert_eq!(doc.line(doc.len() - 1).unwrap().text, "line 999");
    assert!(doc.own.len() < 2000, "what is dropped takes no room");
}
