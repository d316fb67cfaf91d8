//! Findings: read or not, asked about, hidden until the artifact was read, and the way to them and back.

use super::screens::at_every_size;
use super::stand::{PLAN_CRITIQUE, Stand, typed_in};
use crate::app::layout::Pane;
use crate::app::{Msg, Overlay};
use crate::domain::{Role, Unread};
use crate::engine::Command;

fn words(stand: &Stand) -> String {
    stand.screen().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The plan's review with the critique in focus, one answer given, one that failed and one on its way.
fn asked(size: (u16, u16)) -> Stand {
    let mut stand = Stand::awaiting(size, 1, PLAN_CRITIQUE);
    stand.press(&["3", "c", "Enter"]);
    stand.call_about(Role::Critic, 0);
    stand.replied(0, "Every shard ends in lib/merge.awk.\nIt walks all orders once more, alone.");
    stand.press(&["a"]);
    typed_in(&mut stand, "is that so?");
    stand.press(&["Enter"]);
    stand.call_about(Role::Author, 0);
    stand.reply_failed(0, "https://models.example answered 503 Service Unavailable");
    stand.press(&["]", "c", "a", "Enter"]);
    stand.call_about(Role::Author, 1);
    stand.say_about(Role::Author, 1, "It holds: with ids as keys\nno walk is left, and");
    stand
}

#[test]
fn threads_stand_under_their_findings_at_every_size() {
    at_every_size("asked", asked);
}

#[test]
fn a_question_is_put_with_one_key_and_enter_and_its_answer_comes_where_it_was_asked() {
    let mut stand = Stand::awaiting((80, 24), 1, PLAN_CRITIQUE);
    stand.press(&["3", "c"]);
    assert!(words(&stand).contains("Ask the critic, local/reader-9b, about: moves the"), "{}", words(&stand));
    stand.press(&["Enter"]);
    assert!(words(&stand).contains("the critic is being asked"));
    stand.call_about(Role::Critic, 0);
    stand.say_about(Role::Critic, 0, "Every shard ");
    let screen = words(&stand);
    assert!(screen.contains("local/reader-9b answers Every shard"), "{screen}");
    stand.replied(0, "Every shard ends in merge.");
    let screen = words(&stand);
    assert!(screen.contains("to the critic: What exactly goes wrong") && screen.contains("Every shard ends in merge."));
    // A second question waits for the first.
    stand.press(&["c", "Enter", "a"]);
    assert!(words(&stand).contains("not now: an answer about this finding is on its way"));
    // What is typed is kept until it is asked.
    stand.press(&["]", "c", "a"]);
    typed_in(&mut stand, "half a thought");
    stand.press(&["Esc", "a"]);
    assert!(words(&stand).contains("half a thought"));
    stand.press(&["Enter"]);
    stand.press(&["a"]);
    assert!(!stand.model.unfinished().values().any(|text| text.contains("half a thought")));
}

#[test]
fn hostile_answers_stay_text() {
    let mut stand = Stand::awaiting((80, 24), 1, PLAN_CRITIQUE);
    stand.press(&["3", "c", "Enter"]);
    stand.call_about(Role::Critic, 0);
    stand.say_about(Role::Critic, 0, "\u{1b}[2J\u{202e}evil");
    assert!(words(&stand).contains("\\e[2J"), "{}", words(&stand));
    stand.replied(0, "\u{1b}[2J\u{202e}evil\u{7}");
    assert!(!stand.screen().contains(['\u{1b}', '\u{202e}', '\u{7}']));
}

#[test]
fn an_answer_closes_the_sheet_that_was_painted_before_it_and_a_question_does_not() {
    let mut stand = Stand::awaiting((80, 24), 1, "minor line 4 - vague");
    let approvals = stand.approvals;
    stand.press(&["3", "c", "Enter"]);
    stand.open_sheet();
    stand.call_about(Role::Critic, 0);
    assert!(matches!(stand.model.overlays[..], [Overlay::Sheet(_)]));
    stand.replied(0, "It is.");
    assert!(stand.model.overlays.is_empty() && words(&stand).contains("changed under you: the findings"));
    assert_eq!(stand.approvals, approvals);
}

#[test]
fn findings_are_read_on_the_screen_in_focus_and_the_sheet_asks_for_a_reason_until_they_are() {
    let mut stand = Stand::awaiting((120, 35), 1, PLAN_CRITIQUE);
    let all = |seen| Unread { seen, total: 3 };
    stand.read_artifact();
    // They are in sight all the time, but the plan is what is being read.
    assert_eq!(stand.model.unread_findings(), all(0));
    stand.open_sheet();
    assert!(words(&stand).contains("3 unread 3 of 3 findings never on the screen"), "{}", words(&stand));
    // The line's key leads to the first of them.
    stand.press(&["3"]);
    assert_eq!((stand.model.focus, stand.model.finding), (Pane::Critique, 0));
    stand.tell(Msg::Woken);
    assert_eq!(stand.model.unread_findings(), all(0), "a glance is not reading");
    stand.wait(700);
    stand.tell(Msg::Woken);
    stand.read();
    assert_eq!(stand.model.unread_findings(), all(3));
    stand.open_sheet();
    assert!(!words(&stand).contains("3 unread"));
    stand.press(&["Esc", "c", "Enter"]);
    // An answer is something new to read.
    stand.press(&["3", "c", "Enter"]);
    stand.call_about(Role::Critic, stand.model.finding);
    stand.press(&["1"]);
    let finding = stand.model.finding;
    stand.replied(finding, "Because.");
    assert_eq!(stand.model.unread_findings(), all(2));
    stand.press(&["]", "u"]);
    assert_eq!((stand.model.focus, stand.model.finding), (Pane::Critique, finding));
}

#[test]
fn a_finding_that_is_too_tall_for_its_pane_is_read_row_by_row() {
    let long = format!("major line 4 - {}\nminor line 5 - short", "word ".repeat(300));
    let mut stand = Stand::awaiting((80, 24), 1, &long);
    stand.press(&["3"]);
    stand.wait(700);
    stand.tell(Msg::Woken);
    assert_eq!(stand.model.unread_findings().seen, 0, "its end was not in sight");
    for _ in 0..60 {
        stand.press(&["j"]);
        stand.wait(700);
        stand.tell(Msg::Woken);
    }
    assert_eq!(stand.model.unread_findings(), Unread { seen: 2, total: 2 });
}

#[test]
fn what_was_read_stays_read_in_the_next_revision_and_what_was_set_aside_needs_no_reading() {
    let mut stand = Stand::awaiting((120, 35), 1, "major line 4 - the same\nminor line 5 - gone");
    stand.read();
    stand.open_sheet();
    stand.press(&["r"]);
    typed_in(&mut stand, "smaller");
    stand.press(&["Enter"]);
    stand.drafted("## Change\n\nLess.\n", None);
    stand.pass("major line 4 - the same\nminor line 5 - new");
    assert_eq!(stand.model.unread_findings(), Unread { seen: 1, total: 2 });
    stand.press(&["3", "j", "d"]);
    typed_in(&mut stand, "it is of no matter");
    stand.press(&["Enter"]);
    assert_eq!(stand.model.unread_findings(), Unread { seen: 2, total: 2 });
}

#[test]
fn jumps_lead_both_ways_and_back_again() {
    let mut stand = Stand::awaiting((120, 35), 1, PLAN_CRITIQUE);
    stand.press(&["C-o"]);
    assert!(words(&stand).contains("not now: no jump was made"));
    stand.press(&["3", "j", "j", "Enter"]);
    let (at, finding) = (stand.model.cursor(), stand.model.finding);
    assert_eq!((stand.model.focus, finding), (stand.model.wide_pane(), 2));
    // From the line to the finding that points at it.
    stand.model.finding = 0;
    stand.press(&["Enter"]);
    assert_eq!((stand.model.focus, stand.model.finding), (Pane::Critique, 2));
    stand.press(&["C-o"]);
    assert_eq!((stand.model.focus, stand.model.cursor()), (stand.model.wide_pane(), at));
    stand.press(&["C-o"]);
    assert_eq!((stand.model.focus, stand.model.finding), (Pane::Critique, 2));
    stand.press(&["C-o"]);
    assert!(words(&stand).contains("no jump was made"));
    // Search hits are jumps, too.
    stand.press(&["2", "/"]);
    typed_in(&mut stand, "merge");
    stand.press(&["Enter", "n"]);
    stand.press(&["C-o", "C-o"]);
    assert_eq!(stand.model.focus, stand.model.wide_pane());
    // Of another revision, a place means nothing.
    stand.press(&["3", "Enter", "A"]);
    stand.tell(Msg::Painted);
    stand.wait(1000);
    stand.press(&["r"]);
    typed_in(&mut stand, "smaller");
    stand.press(&["Enter"]);
    stand.drafted("## Change\n\nLess.\n", None);
    stand.press(&["C-o"]);
    assert!(words(&stand).contains("there is no place to go back to"), "{}", words(&stand));
}

#[test]
fn findings_wait_until_the_plan_was_read_where_that_is_configured() {
    let hiding = |size| {
        let mut stand = Stand::at(size, 1);
        stand.model.host.reveals_after_reading = true;
        stand.review(PLAN_CRITIQUE);
        stand
    };
    at_every_size("hidden", |size| {
        let mut stand = hiding(size);
        stand.press(&["3"]);
        stand
    });
    for size in [(40, 12), (200, 50)] {
        let mut stand = hiding(size);
        stand.press(&["3", "Enter"]);
        assert!(words(&stand).contains("moves the bottleneck"));
    }
    let mut stand = hiding((120, 35));
    assert!(!words(&stand).contains("moves the bottleneck"));
    stand.press(&["3", "c"]);
    assert!(words(&stand).contains("not now: the findings are shown when you have read"));
    stand.read_artifact();
    assert!(words(&stand).contains("moves the bottleneck"));
}

#[test]
fn an_edit_by_hand_is_shown_as_a_diff_and_reviewed_again() {
    let mut stand = Stand::awaiting((80, 24), 1, PLAN_CRITIQUE);
    let id = stand.model.current().unwrap().id;
    let text = stand.stage().revision().unwrap().text.replacen("## Change\n", "## Change\n\nOne thing less.\n", 1);
    stand.must(Command::Write { id, text, by: stand.model.person() });
    let screen = words(&stand);
    assert!(screen.contains("Edited by hand: from revision 1 to revision 2"), "{screen}");
    assert!(screen.contains("+One thing less."), "{screen}");
    assert!(stand.stage().pending.critique, "it is reviewed again");
    stand.press(&["Esc"]);
    assert!(words(&stand).contains("revision 2 by Ada, by hand"), "{}", words(&stand));
}
