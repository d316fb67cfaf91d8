//! Reviewing a change part by part, as a person does it: with keys, looking at the screen.

use super::stand::Stand;
use crate::app::action::Action;
use crate::app::remarks::Opinion;
use crate::app::{Msg, Overlay};

/// Two files; the second hunk of the first one has two changes.
const PATCH: &str = "diff --git a/lib/a.rs b/lib/a.rs\nindex 1..2 100644\n--- a/lib/a.rs\n+++ b/lib/a.rs\n@@ -1,3 +1,3 @@\n \
    one\n-let two = sum(all);\n+let two = sum(some);\n three\n@@ -20,7 +20,8 @@ fn later\n twenty\n-old\n+new\n mid\n \
    mid\n+added\n end\n end\n end\ndiff --git a/lib/b.rs b/lib/b.rs\nindex 1..2 100644\n--- a/lib/b.rs\n+++ \
    b/lib/b.rs\n@@ -1,2 +1,2 @@\n-\tspaced  out\n+spaced out\n last\n";

const WORDS: &str = "What it does, in a line.\n";

fn reviewing(size: (u16, u16)) -> Stand {
    let mut stand = Stand::at(size, 2);
    stand.draft_as(WORDS, Some(PATCH));
    stand.pass("no findings");
    stand
}

/// The row that has the cursor's mark.
fn marked(stand: &Stand) -> String {
    let screen = stand.screen();
    let mut rows = screen.lines().filter(|row| row.contains('►'));
    let row = rows.next().unwrap_or_default().to_owned();
    assert_eq!(rows.next(), None, "two cursors:\n{screen}");
    row
}

fn says(stand: &Stand, words: &str) -> bool {
    stand.screen().contains(words)
}

#[test]
fn the_cursor_is_in_sight_from_the_beginning_and_while_scrolling() {
    let mut stand = reviewing((80, 14));
    assert!(marked(&stand).contains("lib/a.rs"), "{}", stand.screen());
    for _ in 0..30 {
        stand.press(&["j"]);
        assert!(!marked(&stand).is_empty(), "{}", stand.screen());
    }
    stand.press(&["a"]);
    assert!(marked(&stand).contains('✓') || says(&stand, "✓"), "{}", stand.screen());
}

#[test]
fn words_stand_under_their_part_and_commenting_changes_them() {
    let mut stand = reviewing((80, 24));
    stand.press(&["x", "n", "o", "Enter"]);
    assert!(says(&stand, "\" no\n"), "{}", stand.screen());
    stand.press(&["c", "w", "h", "y", "Enter"]);
    assert!(says(&stand, "\" why\n") && !says(&stand, "nowhy"), "{}", stand.screen());
    let part = stand.model.part().unwrap().digest;
    assert_eq!(stand.model.remarks.of(&part).unwrap().opinion, Some(Opinion::Rejected));
    // C-u begins anew, from where the cursor is to the line's beginning.
    stand.press(&["c", "Right", "C-u", "s", "o", "Enter"]);
    assert!(says(&stand, "\" so\n"), "{}", stand.screen());
    stand.press(&["u"]);
    assert!(says(&stand, "\" why\n"), "{}", stand.screen());
    stand.press(&["u", "u"]);
    assert!(stand.model.remarks.of(&part).is_none());
}

#[test]
fn lines_are_marked_and_judged_alone() {
    let mut stand = reviewing((80, 40));
    stand.press(&["]", "h", "v", "j", "j", "j", "x", "h", "m", "Enter"]);
    stand.open_sheet();
    stand.press(&["r"]);
    assert!(says(&stand, "- lib/a.rs:20-21 (rejected): hm"), "{}", stand.screen());
    stand.press(&["Esc", "Esc"]);
    assert_eq!(stand.model.unread().total, 5, "the hunk is two parts now");
    // What is undone twice, the opinion and the cut, is one part again.
    stand.press(&["u", "u"]);
    assert_eq!(stand.model.unread().total, 4);
}

#[test]
fn a_hunk_is_split_between_its_changes_and_stays_read() {
    let mut stand = reviewing((80, 40));
    stand.read();
    stand.press(&["]", "h", "s"]);
    assert_eq!((stand.model.unread().seen, stand.model.unread().total), (5, 5), "{}", stand.screen());
    stand.press(&["a", "]", "h", "c", "n", "o", "Enter"]);
    stand.open_sheet();
    assert!(says(&stand, "1 accepted") && says(&stand, "1 commented"), "{}", stand.screen());
    stand.press(&["r"]);
    assert!(says(&stand, "- lib/a.rs:24-27 (comment): no"), "{}", stand.screen());
}

#[test]
fn what_did_not_change_stays_read_and_accepted_and_what_did_is_shown() {
    let mut stand = reviewing((80, 40));
    stand.read();
    assert!(stand.model.unavailable(Action::ChangedNext).is_some());
    stand.press(&["a", "]", "h", "x", "n", "o", "Enter"]);
    stand.redraft_as(
        WORDS,
        &PATCH.replace("+added", "+added, and tested").replace("@@ -1,2 +1,2 @@", "@@ -1,2 +2,2 @@"),
    );
    stand.pass("no findings");
    assert!(says(&stand, "read 3/4") && says(&stand, "✓ lib/a.rs"), "{}", stand.screen());
    stand.press(&["g", "g", "]", "r"]);
    assert!(marked(&stand).contains("►~ @@ -20,7"), "{}", stand.screen());
    stand.press(&["]", "r"]);
    assert!(marked(&stand).contains("@@ -20,7"), "it is the only one\n{}", stand.screen());
    stand.tell(Msg::Compared { note: "From revision 1".to_owned(), patch: PATCH.to_owned() });
    assert!(matches!(stand.model.overlays.last(), Some(Overlay::Text { .. })));
    assert!(says(&stand, "From revision 1") && says(&stand, "+let two = sum(some);"), "{}", stand.screen());
}

#[test]
fn paging_too_fast_says_why_it_does_not_count() {
    let mut stand = reviewing((80, 14));
    stand.press(&["C-d", "C-d", "C-d"]);
    assert!(says(&stand, "(some stood less than 0.6 s)"), "{}", stand.screen());
    stand.read();
    assert!(says(&stand, "read 4/4") && !says(&stand, "stood less"), "{}", stand.screen());
}

#[test]
fn files_and_changes_of_space_fold_away_and_are_not_read_there() {
    let mut stand = reviewing((80, 40));
    stand.press(&["-"]);
    assert!(says(&stand, "lib/a.rs  +3 -2, folded") && !says(&stand, "let two"), "{}", stand.screen());
    stand.press(&["b"]);
    assert!(says(&stand, "2 lines differ in white space only"), "{}", stand.screen());
    stand.read();
    assert_eq!(stand.model.unread().seen, 1, "only the words were read\n{}", stand.screen());
    stand.press(&["Space", "f"]);
    assert!(says(&stand, "folded +3 -2  read 0/2") && says(&stand, "+1 -1  read 0/1"), "{}", stand.screen());
    stand.press(&["Down", "Enter"]);
    assert!(marked(&stand).contains("lib/b.rs"), "{}", stand.screen());
}

#[test]
fn the_sides_stand_next_to_each_other_where_there_is_room() {
    for size in [(160, 40), (200, 50)] {
        let mut stand = reviewing(size);
        stand.press(&["]", "h", "|"]);
        assert!(marked(&stand).contains("@@ -20,7"), "the place is kept\n{}", stand.screen());
        insta::assert_snapshot!(format!("sides_{}x{}", size.0, size.1), stand.screen());
        let row = stand.screen().lines().find(|row| row.contains("sum(all)")).unwrap().to_owned();
        assert!(row.contains("-let two = sum(all);") && row.contains("+let two = sum(some);"), "{row}");
        stand.press(&["g", "g"]);
        stand.read();
        assert!(says(&stand, "read 4/4"), "{}", stand.screen());
    }
    let mut narrow = reviewing((120, 40));
    narrow.press(&["|"]);
    assert!(says(&narrow, "side by side needs 140 columns, this window has 120"), "{}", narrow.screen());
}

#[test]
fn a_change_is_edited_as_it_is() {
    let mut stand = reviewing((80, 40));
    stand.press(&["i"]);
    assert!(says(&stand, WORDS.trim()) && says(&stand, "+let two = sum(some);"), "{}", stand.screen());
}

#[test]
fn the_cursor_moves_by_lines_and_the_page_follows_it() {
    let mut stand = reviewing((80, 40));
    assert!(marked(&stand).contains("lib/a.rs"), "{}", stand.screen());
    stand.press(&["j", "j", "j", "k"]);
    assert!(marked(&stand).contains("one"), "it fits the pane, and the cursor moves all the same\n{}", stand.screen());
    // In a window that it doesn't fit, the cursor reaches the last line, always in sight.
    let mut stand = reviewing((80, 14));
    let mut seen = Vec::new();
    for _ in 0..60 {
        seen.push(marked(&stand));
        stand.press(&["j"]);
    }
    seen.dedup();
    assert!(seen.len() > 20 && seen.iter().all(|line| line.contains('►')), "{seen:#?}");
    stand.press(&["v"]);
    assert!(says(&stand, "c comment") && says(&stand, "q back"), "{}", stand.screen());
}

#[test]
fn commands_are_trusted_once_every_line_was_shown_and_the_end_is_no_short_cut() {
    let mut stand = Stand::new((80, 24));
    let commands: String = (1..=80).map(|line| format!("# line {line}\n")).collect();
    stand.model.host.commands = Some(commands);
    stand.press(&["Space", "n"]);
    let mut stand = {
        stand.press(&["Esc"]);
        stand
    };
    stand.press(&["Space", "t"]);
    let mut pages = 0;
    while !says(&stand, "T trust exactly this") {
        stand.wait(2_000);
        stand.tell(Msg::Painted);
        stand.wait(2_000);
        assert!(stand.requests(&["T"]).is_empty(), "{}", stand.screen());
        stand.wait(2_000);
        stand.press(&["G"]);
        stand.tell(Msg::Painted);
        stand.wait(2_000);
        stand.tell(Msg::Woken);
        pages += 1;
        assert!(pages < 9, "{}", stand.screen());
    }
    assert!(pages >= 3 && says(&stand, "# line 80"), "{pages}\n{}", stand.screen());
}

#[test]
fn the_wheel_moves_the_page() {
    let mut stand = reviewing((80, 14));
    let first = |stand: &Stand| stand.screen().lines().nth(3).unwrap().to_owned();
    let before = first(&stand);
    stand.tell(Msg::Wheel { down: true });
    assert_ne!(first(&stand), before);
    stand.tell(Msg::Wheel { down: false });
    assert_eq!(first(&stand), before);
}
