//! Text that means harm from a model, a gate, a path and a commit's message: none of it reaches the terminal as it is,
//! and all of it is visible.

use std::fs;

use crate::desk::Desk;
use crate::hands::{approve, await_decision, draft, footer_key, leave, press_for, read_all, state, trust};
use crate::harness::{Frame, Terminal};

/// Sets a title, clears the screen, writes to the clipboard, turns the reading direction, hides letters.
const EVIL: &str = "evil\u{1b}]0;EVIL\u{7}\u{1b}[2J\u{1b}]52;c;RVZJTA==\u{7}\u{9b}31m\u{202e}live\u{200b}\u{feff}end";

/// How it is shown.
const SHOWN: &str = "evil\\e]0;EVIL^G\\e[2J\\e]52;c;RVZJTA==^G<U+009B>31m<U+202E>live<U+200B><U+FEFF>end";

/// What must never be in what the terminal gets.
#[track_caller]
fn assert_tame(screen: &Terminal) {
    let bytes = screen.bytes();
    let raw = ["\u{1b}]0;EVIL", "\u{1b}]52;c;RVZJ", "\u{9b}", "\u{202e}", "\u{200b}", "\u{feff}"];
    for raw in raw {
        assert!(!bytes.windows(raw.len()).any(|window| window == raw.as_bytes()), "{raw:?} reached the terminal");
    }
    // Nothing runs on for ever on one cell.
    let text = String::from_utf8_lossy(&bytes);
    let most = text.split(|c| c != '\u{301}').map(str::len).max().unwrap_or(0) / '\u{301}'.len_utf8();
    assert!(most <= 8, "{most} marks on one letter");
    assert!(!bytes.contains(&0xff) && !bytes.contains(&0xfe), "bytes that are no text");
}

/// Words on the screen, whatever rows they are broken into.
fn has(frame: &crate::harness::Frame, words: &str) -> bool {
    let joined: String = frame.rows().iter().flat_map(|row| row.chars()).filter(|c| !c.is_whitespace()).collect();
    joined.contains(&words.chars().filter(|c| !c.is_whitespace()).collect::<String>())
}

/// Closes what is in front. A key right after Escape would be another key.
fn close(screen: &mut Terminal, title: &str) {
    screen.press("Esc");
    screen.wait_for("nothing in front", |frame| !frame.says(title));
}

#[test]
fn hostile_text_from_model_gate_path_and_commit_is_shown_and_never_sent() {
    let desk = Desk::new();
    let path = "harm\u{202e}less.txt";
    desk.write(path, "as it was\n");
    desk.furnish("\n[[gate]]\nname = \"loud\"\nargv = [\"sh\", \"loud.sh\"]\n");
    let marks = format!("Z{}", "\u{301}".repeat(2000));
    desk.write("loud.txt", &format!("{EVIL}\n{marks}\n"));
    // Bytes that are no UTF-8, and a line of a million letters.
    desk.write(
        "loud.sh",
        "cat loud.txt; printf 'bytes \\377\\376 end\\n'; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo done\n",
    );
    desk.commit(&format!("Add {EVIL}"));
    let replies = desk.home().join("replies");
    let constraint = desk
        .reply("author-constraint.1")
        .replace("limits the sum", &format!("{EVIL} Z{} limits the sum", "\u{301}".repeat(300)));
    fs::write(replies.join("author-constraint.1.md"), constraint).unwrap();
    let long = "y".repeat(1_000_000);
    fs::write(replies.join("critic-constraint.1.md"), format!("note line 3 - {EVIL}\nnote whole - {long}\n")).unwrap();
    // A path that hides what it is gets no further than vetting; the author is asked again.
    for (nth, path) in [(1, path), (2, "round.txt")] {
        let change = format!("It says {EVIL}.\n\n```text path={path}\n{EVIL}\n{marks}\n{long}\n```\n");
        fs::write(replies.join(format!("author-change.{nth}.md")), change).unwrap();
    }

    let mut screen = desk.open(&["new", "Fewer steps"], (90, 60));
    trust(&mut screen);
    // Trusted, it is measured before it is ready again.
    let is_ready =
        |frame: &Frame| state(frame).starts_with("CONSTRAINT: ready;") && footer_key(frame, "trust").is_none();
    screen.wait_for("the stage", is_ready);
    press_for(&mut screen, "add file");
    screen.wait_for_words("harm<U+202E>less.txt");
    close(&mut screen, "Add a file to the context");
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    screen.wait_for("the constraint", |frame| has(frame, SHOWN));
    screen.press("3");
    screen.wait_for("the finding", |frame| frame.says("3 critique") && has(frame, SHOWN));
    screen.press("o");
    screen.wait_for_words("Finding 1");
    close(&mut screen, "Finding 1");
    // Nobody reads a megabyte.
    screen.press("] c d");
    screen.wait_for_words("Why doesn't it matter here?");
    screen.text("it is nothing but noise");
    screen.press("Enter");
    screen.wait_for("the finding set aside", |frame| {
        !frame.says("read 1/2") && !frame.says("Why doesn't it matter here?")
    });
    screen.press("1");
    read_all(&mut screen);
    approve(&mut screen, "constraint");
    draft(&mut screen, "plan");
    await_decision(&screen, "plan");
    read_all(&mut screen);
    approve(&mut screen, "plan");
    draft(&mut screen, "change");
    await_decision(&screen, "change");
    screen.wait_for("the change", |frame| has(frame, SHOWN));
    screen.press("] h");
    screen.press("Space f");
    screen.wait_for_words("Files of the change");
    close(&mut screen, "Files of the change");
    screen.press("4");
    screen.wait_for_words("loud pass");
    screen.press("G Enter g g");
    screen.wait_for("the log", |frame| has(frame, SHOWN));
    close(&mut screen, "gate loud");
    screen.press("Space k");
    screen.wait_for_words("Calls of models");
    screen.press("Enter");
    screen.wait_for_words("as it went over the wire");
    close(&mut screen, "as it went over the wire");
    leave(&mut screen);
    assert_tame(&screen);
    for args in [&["status"][..], &["log"], &["show", "1"], &["calls"]] {
        let printed = desk.printed(args);
        assert!(!printed.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}']), "{args:?}");
    }
}
