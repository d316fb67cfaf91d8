//! Messages of cargo, as `cargo clippy --message-format=json` prints them.

use crate::domain::{CheckKind, Settings, Verdict};
use crate::gate::case::Judged;
use crate::gate::patch::Patch;
use crate::gate::testing::judged;

const CLEAN: &str = include_str!("../../../tests/fixtures/gates/cargo/clean.jsonl");
const WARNING: &str = include_str!("../../../tests/fixtures/gates/cargo/warning.jsonl");
const ERROR: &str = include_str!("../../../tests/fixtures/gates/cargo/error.jsonl");

fn said(head: &str, exit: i32, base: Option<&str>) -> Judged {
    judged(CheckKind::Cargo, &Settings::default(), &Patch::default(), (head, exit), base.map(|base| (base, 0)))
}

#[test]
fn every_outcome_on_what_cargo_prints() {
    let twice = WARNING.replacen(
        "{\"reason\":\"build",
        &format!("{}\n{{\"reason\":\"build", WARNING.lines().nth(1).unwrap()),
        1,
    );
    let printed = format!("running 3 tests\n{{not a message}}\n{CLEAN}");
    for (head, exit, base, verdict, summary) in [
        (CLEAN, 0, None, Verdict::Pass, "no warnings"),
        (&printed, 0, None, Verdict::Pass, "no warnings"),
        (WARNING, 0, None, Verdict::Fail, "1 warning"),
        (&twice, 0, None, Verdict::Fail, "1 warning"),
        (WARNING, 0, Some(CLEAN), Verdict::Fail, "1 new warning"),
        (WARNING, 0, Some(WARNING), Verdict::Pass, "no new warnings, 1 that the base has too"),
        (ERROR, 101, Some(WARNING), Verdict::Fail, "1 error"),
        (CLEAN, 101, None, Verdict::Error, "exit 101, and nothing in its report says why"),
    ] {
        let judged = said(head, exit, base);
        assert_eq!((judged.verdict, judged.summary.as_str()), (verdict, summary), "{judged:?}");
    }
    let moved = WARNING.replace("\"line_start\":3", "\"line_start\":30");
    assert_eq!(said(&moved, 0, Some(WARNING)).verdict, Verdict::Pass, "it is known by its code");
    let judged = said(ERROR, 101, None);
    assert_eq!((judged.spots[0].path.as_str(), judged.spots[0].lines), ("src/cart.rs", Some((12, 12))));
}

#[test]
fn a_cut_off_run_is_an_error() {
    let cut: String = WARNING.lines().take(3).collect::<Vec<_>>().join("\n");
    let broken: String = format!("{}\n{CLEAN}", WARNING.lines().nth(1).unwrap().get(..200).unwrap());
    let unexplained = CLEAN.replace("true}\n", "false}\n").replace("\"fresh\":false}", "\"fresh\":true}");
    for (text, says) in [
        ("", "build-finished"),
        ("error: no such command: `clipy`\n", "build-finished"),
        (&cut, "build-finished"),
        (&broken, "is no message of cargo"),
        (&unexplained, "says that the build failed, and not why"),
    ] {
        let judged = said(text, 0, None);
        assert!(judged.verdict == Verdict::Error && judged.summary.contains(says), "{judged:?}");
    }
}
