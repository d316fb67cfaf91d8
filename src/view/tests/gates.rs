//! What the gates pane says of gates that wait, run, disagree, can't tell, or needn't run again; and their marks in the diff.

use super::stand::Stand;
use crate::app::Msg;
use crate::domain::{Details, RunId, Spot, Verdict};
use crate::engine::Command;

fn reviewing() -> Stand {
    let mut stand = Stand::at((120, 35), 2);
    stand.draft();
    stand.critique("no findings");
    for gate in ["plan-files", "weakening", "size-budget"] {
        stand.ran(gate, Verdict::Pass, "");
    }
    stand
}

fn line_of(stand: &mut Stand, gate: &str) -> String {
    let screen = stand.screen();
    let line = screen.lines().rfind(|line| line.contains(gate)).unwrap_or_else(|| panic!("no {gate} in {screen}"));
    line.to_owned()
}

#[test]
fn a_gate_waits_its_turn_and_then_runs_with_its_usual_time() {
    let mut stand = reviewing();
    assert!(line_of(&mut stand, "tests").contains("waits its turn"));
    let at = stand.model.now;
    stand.tell(Msg::GateBegan { gate: "tests".to_owned(), at });
    stand.wait(3000);
    stand.tell(Msg::Woken);
    let line = line_of(&mut stand, "tests");
    assert!(line.contains("runs 3.0 s") && !line.contains("of about"), "{line}");
    stand.ran("tests", Verdict::Flaky, "attempts on one tree disagree (fail, pass)");
    assert!(line_of(&mut stand, "tests").contains("✗ tests flaky"));
    stand.ran("lint", Verdict::Inconclusive, "too noisy to tell");
    assert!(line_of(&mut stand, "lint").contains("? lint inconclusive, advisory"));
    let id = stand.model.current().unwrap().id;
    stand.must(Command::Rerun { id, gate: Some("tests".to_owned()) });
    let at = stand.model.now;
    stand.tell(Msg::GateBegan { gate: "tests".to_owned(), at });
    let line = line_of(&mut stand, "tests");
    assert!(line.contains("of about 1.2 s"), "{line}");
}

#[test]
fn an_answer_that_was_used_again_says_how_old_it_is() {
    let mut stand = reviewing();
    let details = Details { cached_from: Some(RunId(7)), ..Details::default() };
    stand.ran_with("tests", Verdict::Pass, "exit 0", details);
    stand.wait(5 * 60_000);
    stand.tell(Msg::Woken);
    let line = line_of(&mut stand, "tests");
    assert!(line.contains("✓ tests pass, cached, 5 min ago"), "{line}");
}

#[test]
fn what_a_gate_points_at_is_marked_in_the_diff() {
    let mut stand = reviewing();
    let spot = Spot { path: "lib/orders.awk".to_owned(), lines: Some((6, 6)), text: "no test reaches it".to_owned() };
    let before = stand.screen();
    let details = Details { spots: vec![spot], ..Details::default() };
    stand.ran_with("tests", Verdict::Fail, "50 % of 2 changed lines reached", details.clone());
    stand.ran("lint", Verdict::Pass, "");
    let after = stand.screen();
    let marks = |screen: &str| screen.lines().filter(|line| line.contains("   6 ⚠")).count();
    assert_eq!((marks(&before), marks(&after)), (0, 1), "{after}");
}
