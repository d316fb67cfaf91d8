//! Looking back: earlier revisions, any two compared, a text in front searched, and what happened during an absence.

use super::stand::{PATCH, Stand};
use crate::app::{Msg, Overlay, Request};
use crate::domain::Verdict;

fn has(stand: &Stand, text: &str) -> bool {
    stand.screen().contains(text)
}

#[test]
fn every_revision_is_listed_with_its_fate_read_and_compared_with_any_other() {
    let mut stand = Stand::awaiting((120, 35), 2, "no findings");
    stand.press(&["]", "h", "x", "n", "o", "Enter"]);
    stand.redraft_as("## Change\n\nSmaller.\n", &PATCH.replace("return id in ids", "return (id in ids)"));
    stand.pass("no findings");
    stand.press(&["Space", "h"]);
    for row in ["change revision 2 by openai/writer-2", "change revision 1", "plan revision 1", "constraint revision 1"]
    {
        assert!(has(&stand, row), "{row}\n{}", stand.screen());
    }
    for fate in ["under review", "sent back: ", "approved"] {
        assert!(has(&stand, fate), "{fate}\n{}", stand.screen());
    }

    // The one below the newest, read as it was.
    stand.press(&["Down", "Enter"]);
    assert!(has(&stand, "Compare with plan revision 1"), "{}", stand.screen());
    stand.press(&["Enter"]);
    assert!(has(&stand, "change revision 1 by") && has(&stand, "return id in ids"), "{}", stand.screen());
    stand.press(&["q"]);

    // Two changes are compared by their trees, whichever was picked first: the earlier one is the old side.
    stand.press(&["Space", "h", "Down", "Enter", "Down"]);
    let requests = stand.requests(&["Enter"]);
    let [Request::Compare { from, to, note }] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(note, "From change revision 1 to change revision 2");
    let trees: Vec<_> = stand.stage().revisions.iter().map(|revision| revision.tree().unwrap().clone()).collect();
    assert_eq!([from, to], [&trees[0], &trees[1]]);

    // Across stages, words with words.
    stand.press(&["Space", "h", "Down", "Down", "Enter", "Down", "Down", "Down", "Enter"]);
    assert!(has(&stand, "From constraint revision 1 to plan revision 1"), "{}", stand.screen());
    assert!(has(&stand, "-## Evidence") && has(&stand, "+## Risks"), "{}", stand.screen());
}

#[test]
fn what_stands_in_front_is_searched_like_a_pane() {
    let mut stand = Stand::at((80, 24), 2);
    stand.draft();
    let output: String =
        (1..=200).map(|line| format!("line {line}{}\n", if line % 90 == 0 { " boom" } else { "" })).collect();
    stand.press(&["4"]);
    stand.ran("tests", Verdict::Fail, "exit 1");
    stand.tell(Msg::GateOutput { gate: "tests".to_owned(), text: output });
    while !has(&stand, "gate tests") {
        stand.press(&["q", "j", "Enter"]);
    }
    stand.press(&["g", "g", "/", "b", "o", "o", "m", "Enter"]);
    assert!(has(&stand, "line 90 boom") && has(&stand, "2 lines match \"boom\""), "{}", stand.screen());
    stand.press(&["n"]);
    assert!(has(&stand, "line 180 boom") && !has(&stand, "line 90 boom"), "{}", stand.screen());
    stand.press(&["n"]);
    assert!(has(&stand, "line 90 boom"), "goes round\n{}", stand.screen());
    stand.press(&["N"]);
    assert!(has(&stand, "line 180 boom"), "{}", stand.screen());
    assert!(matches!(stand.model.overlays.last(), Some(Overlay::Text { .. })));
}

#[test]
fn whoever_comes_back_is_told_what_happened_and_whoever_was_there_is_not() {
    let mut stand = Stand::at((120, 35), 2);
    stand.press(&["j"]);
    stand.draft();
    stand.wait(4 * 60_000);
    stand.press(&["j"]);
    assert!(!has(&stand, "away"), "four minutes are no absence\n{}", stand.screen());
    stand.press(&["Space", "s"]);
    assert!(has(&stand, "not now: nothing happened while you were away"), "{}", stand.screen());

    stand.wait(60_000);
    stand.ran("tests", Verdict::Fail, "exit 1");
    stand.wait(11 * 60_000);
    stand.ran("lint", Verdict::Pass, "exit 0");
    stand.press(&["j"]);
    assert!(has(&stand, "while you were away, 12 min: Gate lint: pass"), "{}", stand.screen());
    assert!(has(&stand, "Space s tells all 2 things"), "{}", stand.screen());
    stand.press(&["Space", "s"]);
    assert!(has(&stand, "11 min  Gate tests: fail") && has(&stand, "0 s  Gate lint: pass"), "{}", stand.screen());
}
