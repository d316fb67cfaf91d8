//! What a person does at the screen: reads what it says, and presses the keys that it offers.

use std::time::Duration;

use windlass::app::{ARM_MS, DWELL_MS};

use crate::harness::{Frame, Terminal};

/// How long a page stands still that is read; the time is the act itself.
const READING: Duration = Duration::from_millis((DWELL_MS + ARM_MS).unsigned_abs());

/// How what is waited for may begin, at the foot of the screen.
const STATES: &[&str] = &["CONSTRAINT", "PLAN", "CHANGE", "OUTCOME", "LANDED", "landing", "no loop yet"];

/// The words that say what is waited for. They stand over the last row, and may take several.
pub(crate) fn state(frame: &Frame) -> String {
    let rows = frame.rows();
    let foot = &rows[rows.len().saturating_sub(8)..rows.len() - 1];
    let begins = |row: &String| STATES.iter().any(|state| row.trim_start().starts_with(state));
    let from = foot.iter().rposition(begins).unwrap_or(foot.len() - 1);
    foot[from..].iter().flat_map(|row| row.split_whitespace()).collect::<Vec<_>>().join(" ")
}

/// The key that the last row offers for something, such as `draft`.
pub(crate) fn footer_key(frame: &Frame, label: &str) -> Option<String> {
    key_in(frame.rows().last()?, label)
}

/// The key that any row offers for something.
pub(crate) fn key(frame: &Frame, label: &str) -> Option<String> {
    frame.rows().iter().find_map(|row| key_in(row, label))
}

/// Keys stand before what they do: `Space t trust  D draft  x keep/drop`.
fn key_in(row: &str, label: &str) -> Option<String> {
    row.match_indices(&format!(" {label}")).find_map(|(at, found)| {
        let after = &row[at + found.len()..];
        let mut before = row[..at].rsplit(' ');
        let key = before.next().filter(|key| is_key(key) && (after.is_empty() || after.starts_with("  ")))?;
        Some(if before.next() == Some("Space") { format!("Space {key}") } else { key.to_owned() })
    })
}

fn is_key(word: &str) -> bool {
    word.chars().count() == 1 || matches!(word, "Enter" | "Esc") || word.starts_with("C-")
}

/// Waits until the last row offers a key for something, and presses it.
#[track_caller]
pub(crate) fn press_for(terminal: &mut Terminal, label: &str) {
    let frame = terminal.wait_for(&format!("a key for {label:?}"), |frame| footer_key(frame, label).is_some());
    terminal.press(&footer_key(&frame, label).unwrap());
}

/// Waits until something in front offers a key, and presses it.
#[track_caller]
pub(crate) fn choose(terminal: &mut Terminal, label: &str) {
    let frame = terminal.wait_for(&format!("a key for {label:?}"), |frame| key(frame, label).is_some());
    terminal.press(&key(&frame, label).unwrap());
}

/// Begins a loop with the goal that is suggested, or with this one.
#[track_caller]
pub(crate) fn begin(terminal: &mut Terminal, goal: &str) {
    press_for(terminal, "new loop");
    terminal.wait_for_words("What is the goal of this effort?");
    terminal.text(goal);
    choose(terminal, "begin");
}

/// Reads the repository's commands and trusts them.
#[track_caller]
pub(crate) fn trust(terminal: &mut Terminal) {
    press_for(terminal, "trust");
    terminal.wait_for_words("These commands come from the repository");
    while !terminal.stay(READING, |frame| key(frame, "trust exactly this").is_some()) {
        let before = terminal.frame();
        terminal.press("C-d");
        assert!(
            terminal.stay(READING, |frame| frame.rows() != before.rows()),
            "it can't be trusted\n{}",
            terminal.frame()
        );
    }
    choose(terminal, "trust exactly this");
    terminal.wait_for("no question", |frame| key(frame, "trust exactly this").is_none());
}

/// Sends the stage's context to its author, once the stage is ready.
#[track_caller]
pub(crate) fn draft(terminal: &mut Terminal, stage: &str) {
    let ready = format!("{}: ready;", stage.to_uppercase());
    terminal.wait_for(&ready, |frame| state(frame).starts_with(&ready) && footer_key(frame, "trust").is_none());
    press_for(terminal, "draft");
}

/// Waits until the stage awaits its decision.
#[track_caller]
pub(crate) fn await_decision(terminal: &Terminal, stage: &str) -> Frame {
    let awaits = format!("{} AWAITS YOUR DECISION", stage.to_uppercase());
    terminal.wait_for(&awaits, |frame| state(frame).starts_with(&awaits))
}

/// How much is read: the two numbers of `read 3/6`.
fn progress(frame: &Frame) -> Option<(u32, u32)> {
    let state = state(frame);
    let (seen, rest) = state.rsplit_once("read ")?.1.split_once('/')?;
    let total = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((seen.parse().ok()?, total.parse().ok()?))
}

/// Reads the draft page by page, until the screen says that all of it was read.
#[track_caller]
pub(crate) fn read_all(terminal: &mut Terminal) {
    let all = |frame: &Frame| progress(frame).is_some_and(|(seen, total)| seen == total);
    let page = Duration::from_millis(DWELL_MS.unsigned_abs() + 100);
    for again in 1..=10 {
        terminal.press("g g");
        loop {
            // On a slow machine a page may not have been there for that long; the next time it is given more.
            if terminal.stay(page * again, all) {
                return read_findings(terminal);
            }
            let before = terminal.frame();
            terminal.press("C-d");
            if !terminal.stay(page, |frame| frame.rows() != before.rows()) {
                break;
            }
        }
    }
    panic!("it can't be read\n{}", terminal.frame());
}

/// Reads the findings that are unread, and goes back to where it was.
#[track_caller]
fn read_findings(terminal: &mut Terminal) {
    let all = |frame: &Frame| !state(frame).rsplit_once("read ").is_some_and(|(_, read)| read.contains(" + "));
    let page = Duration::from_millis(DWELL_MS.unsigned_abs() + 100);
    for jumps in 0..60 {
        if terminal.stay(if jumps == 0 { Duration::ZERO } else { page }, all) {
            for _ in 0..jumps {
                terminal.press("C-o");
            }
            return;
        }
        // On a slow machine one may need a second look; what is too tall is read row by row.
        terminal.press(if jumps % 2 == 0 { "] u" } else { "C-d" });
    }
    panic!("the findings can't be read\n{}", terminal.frame());
}

/// Opens the decision sheet and waits until its keys count.
#[track_caller]
pub(crate) fn open_sheet(terminal: &mut Terminal, stage: &str) -> Frame {
    await_decision(terminal, stage);
    press_for(terminal, "decide");
    terminal.wait_for("an armed sheet", |frame| {
        frame.says(&format!("Decide: {stage} of loop")) && key(frame, "approve").is_some()
    })
}

/// Reads and approves constraint and plan, each as it was first drafted.
#[track_caller]
pub(crate) fn pass_to_the_change(terminal: &mut Terminal) {
    for stage in ["constraint", "plan"] {
        draft(terminal, stage);
        await_decision(terminal, stage);
        read_all(terminal);
        approve(terminal, stage);
    }
}

/// Approves what was read.
#[track_caller]
pub(crate) fn approve(terminal: &mut Terminal, stage: &str) {
    let sheet = open_sheet(terminal, stage);
    assert!(sheet.says("all of it"), "{sheet}");
    choose(terminal, "approve");
    terminal.wait_for_words(&format!("✓ {stage}"));
}

/// Approves the last stage, whose name is typed.
#[track_caller]
pub(crate) fn land(terminal: &mut Terminal, stage: &str) -> Frame {
    open_sheet(terminal, stage);
    choose(terminal, "approve");
    terminal.wait_for_words(&format!("Type {stage} to confirm:"));
    terminal.text(stage);
    choose(terminal, "approve");
    terminal.wait_for("LANDED", |frame| state(frame).starts_with("LANDED as "))
}

/// Sends the draft back to its author.
#[track_caller]
pub(crate) fn send_back(terminal: &mut Terminal, stage: &str, reason: &str) {
    open_sheet(terminal, stage);
    choose(terminal, "send back");
    terminal.wait_for_words("What should be different?");
    terminal.text(reason);
    choose(terminal, "send");
    // A model that is played can be done before the next frame; then the decision is all there is to see of it.
    let words: String = reason.chars().take(20).collect();
    let sent = format!("sent back ({words}");
    terminal.wait_for("a second revision", |frame| {
        !frame.says("What should be different?") && (!state(frame).contains("AWAITS") || frame.says(&sent))
    });
}

/// Waits until the screen says all this of a failed draft, and how to try again.
#[track_caller]
pub(crate) fn told(screen: &Terminal, words: &[&str]) {
    for words in words {
        screen.wait_for_words(words);
    }
    let frame = screen.wait_for("no draft", |frame| state(frame).contains("no draft; D tries again"));
    assert_eq!(footer_key(&frame, "draft").as_deref(), Some("D"), "{frame}");
}

/// Leaves the program and waits for its end.
#[track_caller]
pub(crate) fn leave(terminal: &mut Terminal) {
    terminal.press("Space q");
    let status = terminal.end();
    assert!(status.success(), "{status:?}\n{}", terminal.frame());
}
