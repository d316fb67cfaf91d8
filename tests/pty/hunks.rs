//! A change of forty hunks, reviewed by keys: accepted, rejected, commented on, split; what comes back of it is read
//! where it didn't change.

use std::fs;

use crate::desk::Desk;
use crate::hands::{approve, await_decision, draft, leave, pass_to_the_change, read_all, state, trust};
use crate::harness::Terminal;

const HUNKS: usize = 40;

/// Ten lines a section; the changed ones are far enough apart to be a hunk each. The seventh section has two changes.
fn file(changed: bool, better: &[usize]) -> String {
    let mut lines = String::new();
    for section in 1..=HUNKS {
        for line in 1..=10 {
            let second = section == 7 && line == 6;
            let text = match (line == 4 || second, changed, better.contains(&section)) {
                (true, true, true) if section != 7 || second => format!("section {section} line {line}, better"),
                (true, true, _) => format!("section {section} line {line}, new"),
                _ => format!("section {section} line {line}"),
            };
            lines.push_str(&text);
            lines.push('\n');
        }
    }
    lines
}

fn answer(better: &[usize]) -> String {
    format!("Every section has a better line.\n\n```text path=list.txt\n{}```\n", file(true, better))
}

/// Keys that are counted as they are pressed.
struct Hand<'a> {
    screen: &'a mut Terminal,
    keys: usize,
}

impl Hand<'_> {
    fn press(&mut self, keys: &str) {
        self.keys += keys.split(' ').count();
        self.screen.press(keys);
    }

    fn text(&mut self, text: &str) {
        self.keys += text.chars().count();
        self.screen.text(text);
    }

    /// Answers the question that a key has opened.
    fn say(&mut self, title: &str, text: &str) {
        self.screen.wait_for_words(title);
        self.text(text);
        self.press("Enter");
        self.screen.wait_for("an answered question", |frame| !frame.says(title));
    }
}

/// Closes what is in front. A key right after Escape would be another key.
fn close(screen: &mut Terminal, title: &str) {
    screen.press("Esc");
    screen.wait_for("nothing in front", |frame| !frame.says(title));
}

#[test]
fn forty_hunks_are_reviewed_by_keys_and_what_did_not_change_stays_read() {
    let desk = Desk::new();
    desk.write("list.txt", &file(false, &[]));
    desk.furnish("");
    for nth in 1..=3 {
        let plan = desk.reply(&format!("author-plan.{nth}")).replace("round.txt", "list.txt");
        fs::write(desk.home().join(format!("replies/author-plan.{nth}.md")), plan).unwrap();
        let better: &[usize] = if nth == 1 { &[] } else { &[5, 7, 12] };
        fs::write(desk.home().join(format!("replies/author-change.{nth}.md")), answer(better)).unwrap();
    }
    let mut screen = desk.open(&["new", "Better lines"], (90, 60));
    trust(&mut screen);
    pass_to_the_change(&mut screen);
    draft(&mut screen, "change");
    await_decision(&screen, "change");
    read_all(&mut screen);
    // The author's words are a part, too.
    let total = HUNKS + 1;
    screen.wait_for_words(&format!("read {total}/{total}"));
    screen.press("g g");

    let mut hand = Hand { screen: &mut screen, keys: 0 };
    for hunk in 1..=HUNKS {
        match hunk {
            5 => {
                hand.press("x");
                hand.say("Reject list.txt", "say it better");
            }
            12 => {
                hand.press("c");
                hand.say("Comment on list.txt", "is this one needed?");
            }
            7 => {
                hand.press("s");
                hand.screen.wait_for_words("split into 2 parts");
                hand.press("a ] h x");
                hand.say("Reject list.txt", "not the second one");
            }
            _ => hand.press("a"),
        }
        if hunk < HUNKS {
            hand.press("] h");
        }
    }
    hand.press("A");
    let sheet =
        hand.screen.wait_for("an armed sheet", |frame| frame.says("38 accepted") && frame.says("r request revision"));
    assert!(sheet.says("2 rejected") && sheet.says("1 commented on"), "{sheet}");
    hand.press("r");
    let bundle = hand.screen.wait_for_words("What should be different?");
    for words in ["list.txt:41-47 (rejected): say it better", "(rejected): not the second one", "(comment): is this"] {
        assert!(bundle.says(words), "{words}\n{bundle}");
    }
    hand.press("Enter");
    let keys = hand.keys;
    println!("{HUNKS} hunks by {keys} keys: 38 accepted, 2 rejected, 1 commented on, 1 split; words included");

    screen.wait_for("the second revision", |frame| frame.says("revision 2") && state(frame).contains("AWAITS"));
    screen.wait_for_words(&format!("read {}/{total}", total - 3));
    screen.press("Space f");
    screen.wait_for_words(&format!("✓37 +41 -41 read {}/{HUNKS}", HUNKS - 3));
    close(&mut screen, "Files of the change");
    screen.press("] r");
    let changed = screen.wait_for("a changed part", |frame| frame.rows().iter().any(|row| row.contains("►~")));
    assert!(changed.says("section 5 line 4, better"), "{changed}");
    screen.press("=");
    let compared = screen.wait_for_words("From revision 1, which you looked at, to revision 2");
    for words in ["-section 5 line 4, new", "+section 5 line 4, better", "+section 7 line 6, better"] {
        assert!(compared.says(words), "{words}\n{compared}");
    }
    assert!(!compared.says("section 20"), "{compared}");
    close(&mut screen, "Compared");
    read_all(&mut screen);
    approve(&mut screen, "change");
    leave(&mut screen);
}
