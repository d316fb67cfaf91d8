//! `windlass demo`, from the first key to the landed commit.

use std::path::PathBuf;

use serde_json::Value;

use crate::desk::Desk;
use crate::hands::{approve, await_decision, begin, draft, land, leave, read_all, send_back, trust};

#[test]
fn the_demo_lands_by_keys_alone_at_80x24() {
    lands((80, 24));
}

#[test]
fn the_demo_lands_by_keys_alone_at_200x50() {
    lands((200, 50));
}

fn lands(size: (u16, u16)) {
    let desk = Desk::new();
    let mut screen = desk.open(&["demo", "--pace", "100000"], size);
    // The goal is suggested.
    begin(&mut screen, "");
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    read_all(&mut screen);
    approve(&mut screen, "constraint");

    draft(&mut screen, "plan");
    let refused = await_decision(&screen, "plan");
    assert!(refused.says("PLAN AWAITS YOUR DECISION: 1 blocker"), "{refused}");
    send_back(&mut screen, "plan", "It moves the bottleneck; drop the walk itself");
    let better = await_decision(&screen, "plan");
    assert!(better.says("revision 2") && !better.says("blocker"), "{better}");
    read_all(&mut screen);
    approve(&mut screen, "plan");

    for stage in ["change", "outcome"] {
        draft(&mut screen, stage);
        await_decision(&screen, stage);
        read_all(&mut screen);
        if stage == "change" {
            approve(&mut screen, stage);
        }
    }
    let landed = land(&mut screen, "outcome");
    assert!(landed.says("next constraint:"), "{landed}");
    leave(&mut screen);

    // The terminal is as it was, and says where everything is.
    let after = screen.frame();
    assert!(!after.alternate && !after.cursor_hidden && !after.bracketed_paste && screen.is_cooked(), "{after}");
    assert!(after.says("The demo's repository is ") && after.says("What landed:"), "{after}");

    let project = project(&desk);
    let (at, project) = (project.clone(), project.to_str().unwrap());
    let git = |args: &[&str]| desk.git_in(&at, args);
    let shown = desk.json(&["-C", project, "show", "1", "--json"]);
    assert_eq!(shown["status"], "landed");
    assert_eq!(git(&["rev-parse", "HEAD"]).trim(), shown["commit"].as_str().unwrap());
    assert_eq!(git(&["rev-parse", "HEAD^{tree}"]).trim(), approved_tree(&shown));
    assert_eq!(git(&["status", "--porcelain"]), "");
    let verbs = |stage: usize| {
        let decisions = shown["stages"][stage]["decisions"].as_array().unwrap();
        decisions.iter().map(|decision| decision["verb"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!([0, 1, 2, 3].map(verbs), [vec!["approve"], vec!["revise", "approve"], vec!["approve"], vec!["approve"]]);
    desk.printed(&["-C", project, "verify"]);

    // The decision record that landed holds what was measured.
    let record = git(&["show", "HEAD:docs/decisions"]);
    let record = record.lines().find(|line| line.ends_with(".md")).unwrap();
    let record = git(&["show", &format!("HEAD:docs/decisions/{record}")]);
    for reading in ["comparisons", "report_ms"] {
        let factor = 1.0 / ratio(&record, reading);
        println!("{}x{}: {reading} is {factor:.1} times better", size.0, size.1);
        assert!(factor > 2.0, "{record}");
    }
}

/// Where the demo has put its repository.
pub(crate) fn project(desk: &Desk) -> PathBuf {
    let dirs = std::fs::read_dir(desk.home().join("tmp")).unwrap().map(|entry| entry.unwrap().path());
    let stages: Vec<PathBuf> = dirs.filter(|path| path.to_str().unwrap().contains("windlass-demo-")).collect();
    assert_eq!(stages.len(), 1, "{stages:?}");
    stages[0].join("orders")
}

/// The tree of the outcome that was approved.
pub(crate) fn approved_tree(shown: &Value) -> &str {
    let outcome = &shown["stages"][3];
    assert_eq!(outcome["decisions"].as_array().unwrap().last().unwrap()["verb"], "approve", "{outcome}");
    outcome["revisions"].as_array().unwrap().last().unwrap()["tree"].as_str().unwrap()
}

/// After over before, in the record's table of readings: `| reading | before | after | ratio |`.
fn ratio(record: &str, reading: &str) -> f64 {
    let tables = record.lines().filter(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = tables.map(cells).collect();
    let column = rows[0].iter().position(|cell| cell == "ratio").unwrap();
    let row = rows.iter().find(|row| row[0].trim_matches('`') == reading).unwrap_or_else(|| panic!("{record}"));
    row[column].trim_end_matches('x').parse().unwrap_or_else(|_| panic!("{row:?}"))
}
