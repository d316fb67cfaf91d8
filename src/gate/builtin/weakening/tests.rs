//! Two collections of changes: every weaker one is found at a line of the change, hardly any innocent one is.

use std::fmt::Write as _;

use super::{edited, of_file};
use crate::domain::{ArtifactKind, Change, FileStat, Measure, Origin, Revision, StageSpec, Verdict};
use crate::gate::builtin::{Evidence, run_builtin};
use crate::gate::case::Judged;
use crate::gate::patch::Patch;

/// The cases of a collection: `== name`, then for each file `@ path` and its lines with a sign each.
fn cases(text: &str) -> Vec<(&str, String)> {
    text.trim_start_matches("== ")
        .trim_end()
        .split("\n== ")
        .map(|case| {
            let (name, files) = case.split_once('\n').unwrap();
            (name, files.split("\n@ ").map(file_diff).collect())
        })
        .collect()
}

/// One file of a case, as git shows it.
fn file_diff(file: &str) -> String {
    let (head, lines) = file.strip_prefix("@ ").unwrap_or(file).split_once('\n').unwrap();
    let (path, state) = head.split_once(' ').unwrap_or((head, ""));
    let count = |sign: char| lines.lines().filter(|line| !line.starts_with(sign)).count();
    let (old, new) = (count('+'), count('-'));
    let before = if state == "new" { "/dev/null".to_owned() } else { format!("a/{path}") };
    let after = if state == "gone" { "/dev/null".to_owned() } else { format!("b/{path}") };
    let mut diff = String::new();
    write!(diff, "diff --git a/{path} b/{path}\n--- {before}\n+++ {after}\n@@ -1,{old} +1,{new} @@\n{lines}\n")
        .unwrap();
    diff
}

/// What the gate says of a change, as the program asks it.
fn judged(diff: &str) -> Judged {
    let spec = StageSpec {
        id: "change".to_owned(),
        artifact: ArtifactKind::Change,
        drafts: String::new(),
        asks: String::new(),
        means: String::new(),
        sections: Vec::new(),
        criteria: Vec::new(),
        gates: vec!["weakening".to_owned()],
        runs_commands: false,
        measure: Measure::Nothing,
        budget_lines: 400,
        lands: false,
    };
    let paths = diff.lines().filter_map(|line| line.strip_prefix("diff --git a/")?.split_once(" b/"));
    let change = Change {
        base: "a".repeat(40).parse().unwrap(),
        tree: "b".repeat(40).parse().unwrap(),
        patch: diff.into(),
        files: paths.map(|(path, _)| FileStat { path: path.to_owned(), added: 0, removed: 0 }).collect(),
        flags: Vec::new(),
    };
    let origin = Origin::Human { name: "a".to_owned() };
    let revision = Revision::new(ArtifactKind::Change, 1, "text".to_owned(), Some(change), origin);
    let evidence = Evidence {
        spec: &spec,
        revision: &revision,
        plan: None,
        criteria: &[],
        measurement: None,
        boundary_allows: &|_| true,
        repo_has: &|_| true,
    };
    run_builtin("weakening", &evidence)
}

#[test]
fn no_weaker_change_passes() {
    let cases = cases(include_str!("weaker.txt"));
    let passed: Vec<_> = cases.iter().filter(|(_, diff)| judged(diff).verdict != Verdict::Fail).collect();
    let kinds: std::collections::BTreeSet<_> =
        cases.iter().filter_map(|(name, _)| name.split_once(':')).map(|(kind, _)| kind).collect();
    println!("{} weaker changes of {} kinds, {} passed", cases.len(), kinds.len(), passed.len());
    assert!(passed.is_empty(), "{passed:#?}");
    assert!(cases.len() >= 30 && kinds.len() >= 5);
    for (name, diff) in &cases {
        let found = judged(diff);
        assert!(!found.spots.is_empty() && found.summary.starts_with("weakens what judges it: "), "{name}: {found:?}");
        // It points at the change: a line that is in the hunk, or the file where nothing is left of it.
        let last = u32::try_from(diff.lines().count()).unwrap();
        for spot in &found.spots {
            assert!(diff.contains(&format!("a/{}", spot.path)), "{name}: {spot:?}");
            assert!(spot.lines.is_none_or(|(line, _)| (1..=last).contains(&line)), "{name}: {spot:?}");
        }
    }
}

#[test]
fn hardly_an_innocent_change_is_flagged() {
    let cases = cases(include_str!("innocent.txt"));
    let flagged: Vec<_> = cases.iter().filter(|(_, diff)| judged(diff).verdict != Verdict::Pass).collect();
    println!("{} innocent changes, {} flagged", cases.len(), flagged.len());
    assert!(
        cases.len() >= 30 && flagged.len() * 15 <= cases.len(),
        "{:#?}",
        flagged.iter().map(|(name, diff)| (name, judged(diff).text)).collect::<Vec<_>>()
    );
    // An edit of CI is one, whatever it does. Whether a table says what two tests said can't be told from the text.
    let names: Vec<&str> = flagged.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["CI: an action's version", "a CI step is added", "two tests become a table"]);
}

#[test]
fn what_was_found_is_counted_and_placed() {
    let diff = cases(
        "== x\n@ tests/it.rs\n let a = 1;\n-assert_eq!(a, 1);\n+let b = 2;\n+#[allow(unused)]\n fn f() {}\n-assert!(a);\n",
    );
    let found = judged(&diff[0].1);
    assert_eq!(found.summary, "weakens what judges it: 2 assertions, 1 suppression");
    let places: Vec<_> = found.spots.iter().map(|spot| (spot.lines.unwrap().0, spot.text.as_str())).collect();
    let removed = "removes the assertion: assert_eq!(a, 1);";
    assert_eq!(places, [(2, removed), (3, "suppresses: #[allow(unused)]"), (5, "removes the assertion: assert!(a);")]);
    assert!(found.text.contains("tests/it.rs:3: suppresses: #[allow(unused)]"), "{}", found.text);
}

#[test]
fn what_has_no_lines_is_flagged_by_its_path() {
    for (path, verdict) in [("policy/bundle.bin", Verdict::Fail), ("docs/logo.png", Verdict::Pass)] {
        let diff = format!("diff --git a/{path} b/{path}\nBinary files differ\n");
        assert_eq!(judged(&diff).verdict, verdict, "{path}");
    }
}

#[test]
fn odd_lines_are_read_without_harm() {
    for line in
        ["1e", "1.", "1e+", "99999999999999999999999e999 < assert", "é1.5e-é", "(", "(,)", "assert (", "\u{202e}"]
    {
        for path in
            ["tests/a.py", "package.json", "Makefile", "a.rs", "x_test.go", "spec/a.rb", "budget.json", ".eslintrc"]
        {
            let patch = Patch::of(&file_diff(&format!("@ {path}\n-{line}\n+{line} {line}")));
            let files = edited(&patch);
            files.iter().for_each(|file| drop(of_file(file, &files)));
        }
    }
}
