//! Bad windows, bad gates, bad moments: each is told with its remedy, none approves anything, none loses anything.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::demo::approved_tree;
use crate::desk::Desk;
use crate::hands::{approve, await_decision, draft, key, land, leave, open_sheet, press_for, read_all, state, trust};
use crate::harness::{Frame, Terminal};

/// One pane, and high enough for a whole artifact: one look reads it.
const TALL: (u16, u16) = (90, 60);

/// A loop whose constraint has been drafted.
fn drafted(desk: &Desk) -> Terminal {
    let mut screen = desk.open(&["new", "Fewer steps"], TALL);
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    screen
}

/// Approves the stage under decision, and sends the next one to its author.
fn go_on(screen: &mut Terminal, from: &str, to: &str) {
    await_decision(screen, from);
    read_all(screen);
    approve(screen, from);
    draft(screen, to);
}

/// Closes the decision sheet without a decision.
fn close_sheet(screen: &mut Terminal) {
    screen.press("Esc");
    screen.wait_for("no sheet", |frame| !frame.says("Decide:"));
}

/// Whether the stage waits for its human.
fn awaits(frame: &Frame) -> bool {
    state(frame).contains("AWAITS YOUR DECISION")
}

#[track_caller]
fn assert_nothing_is_decided(desk: &Desk) {
    let shown = desk.json(&["show", "1", "--json"]);
    for stage in shown["stages"].as_array().unwrap() {
        assert_eq!(stage["decisions"].as_array().unwrap().len(), 0, "{stage}");
    }
    assert_eq!(shown["open_stage"], "constraint");
}

#[test]
fn a_window_that_is_too_small_says_what_it_needs() {
    let desk = Desk::new();
    desk.furnish("");
    let mut screen = desk.open(&["new", "Fewer steps"], (30, 8));
    screen.wait_for_words("need 40x10, have 30x8");
    screen.resize(80, 24);
    screen.wait_for("the loop", |frame| state(frame).starts_with("CONSTRAINT: ready"));
    screen.resize(39, 24);
    screen.wait_for_words("need 40x10, have 39x24");
    screen.resize(40, 12);
    screen.wait_for("the loop", |frame| !frame.says("need 40x10") && frame.says("CONSTRAINT: ready"));
    screen.resize(90, 60);
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
}

#[test]
fn a_gate_without_its_command_says_which_and_stands_in_the_way() {
    let desk = Desk::new();
    desk.furnish("\n[[gate]]\nname = \"style\"\nargv = [\"no-such-checker\", \"--all\"]\n");
    let mut screen = drafted(&desk);
    go_on(&mut screen, "constraint", "plan");
    go_on(&mut screen, "plan", "change");
    await_decision(&screen, "change");
    screen.press("4");
    let gates = screen.wait_for_words("✗ style error");
    assert!(gates.says("✓ test pass"), "{gates}");
    let line = gates.words();
    assert!(line.contains("no-such-checker") && line.contains("PATH"), "{gates}");
    screen.press("2");
    read_all(&mut screen);
    let sheet = open_sheet(&mut screen, "change");
    assert!(sheet.says("style says error"), "{sheet}");
    screen.press("y");
    screen.wait_for_words("gate style stands in the way");
    assert_eq!(desk.json(&["status", "--json"])["loop"]["stage"], "change");
}

#[test]
fn landing_leaves_a_dirty_checkout_alone_and_says_the_command() {
    let desk = Desk::new();
    desk.furnish("");
    let dirty = "# Mine, not yet committed.\nawk 'BEGIN { print 820 }'\n";
    desk.write("sum.sh", dirty);
    desk.write("round.txt", "mine\n");
    let base = desk.git(&["rev-parse", "HEAD"]);
    let mut screen = drafted(&desk);
    go_on(&mut screen, "constraint", "plan");
    go_on(&mut screen, "plan", "change");
    go_on(&mut screen, "change", "outcome");
    read_all(&mut screen);
    let sheet = open_sheet(&mut screen, "outcome");
    assert!(sheet.says("your checkout has changes"), "{sheet}");
    close_sheet(&mut screen);
    let landed = land(&mut screen, "outcome");
    assert!(state(&landed).contains("in the way"), "{landed}");
    leave(&mut screen);

    assert_eq!(desk.git(&["rev-parse", "HEAD"]), base);
    assert_eq!(fs::read_to_string(desk.repo().join("sum.sh")).unwrap(), dirty);
    assert_eq!(fs::read_to_string(desk.repo().join("round.txt")).unwrap(), "mine\n");
    let shown = desk.json(&["show", "1", "--json"]);
    assert_eq!(desk.git(&["rev-parse", "refs/windlass/loop-1^{tree}"]).trim(), approved_tree(&shown));
    let left = shown["left"].as_str().unwrap();
    assert!(left.contains("round.txt") && left.contains("run `git merge refs/windlass/loop-1`"), "{left}");

    // The command does it, once what is in the way is out of it.
    desk.git(&["checkout", "-q", "round.txt"]);
    desk.git(&["merge", "-q", "refs/windlass/loop-1"]);
    assert_eq!(desk.git(&["rev-parse", "HEAD"]).trim(), shown["commit"].as_str().unwrap());
    assert_eq!(fs::read_to_string(desk.repo().join("sum.sh")).unwrap(), dirty);
}

#[test]
fn keys_ahead_of_the_sheet_and_pastes_never_approve() {
    let desk = Desk::new();
    desk.furnish("");
    let mut screen = drafted(&desk);
    read_all(&mut screen);

    // In one go, and with a key held down.
    for keys in ["Ay", "Ayyyyyyyyyyyyyyyyyyyy", "Ay y y Enter y"] {
        screen.text(&keys.replace("Enter", "\r").replace(' ', ""));
        let sheet = screen.wait_for("an armed sheet", |frame| key(frame, "approve").is_some());
        assert!(awaits(&sheet), "{sheet}");
        close_sheet(&mut screen);
    }

    // Pasted, without a sheet and into one whose keys count.
    screen.paste("Ay");
    let frame = screen.wait_for_words("pasted text was ignored");
    assert!(awaits(&frame) && !frame.says("Decide:"), "{frame}");
    open_sheet(&mut screen, "constraint");
    screen.paste("y");
    let frame = screen.wait_for_words("pasted text was ignored");
    assert!(awaits(&frame) && frame.says("Decide:"), "{frame}");
    // Enter and Space mean nothing there.
    screen.press("Enter Space Enter");
    close_sheet(&mut screen);
    leave(&mut screen);
    assert_nothing_is_decided(&desk);

    // Typed before the program was there.
    let mut screen = desk.open_after_typing(&[], TALL, "AyAyyy\ny");
    let frame = await_decision(&screen, "constraint");
    assert!(awaits(&frame), "{frame}");
    screen.stay(Duration::from_secs(1), |frame| !awaits(frame));
    if screen.frame().says("Decide:") {
        close_sheet(&mut screen);
    }
    leave(&mut screen);
    assert_nothing_is_decided(&desk);
}

#[test]
fn a_closed_window_ends_the_screen_and_not_the_record() {
    let desk = Desk::new();
    desk.furnish("\n[[gate]]\nname = \"endless\"\nargv = [\"sh\", \"-c\", \"sleep 1000 & sleep 1000\"]\n");
    let mut screen = drafted(&desk);
    go_on(&mut screen, "constraint", "plan");
    go_on(&mut screen, "plan", "change");
    screen.wait_for("a gate at work", |frame| state(frame).contains("1 gate still running"));
    // By itself, and not in a panic. (Whether the signal or a failing write came first is chance.)
    let status = screen.hang_up();
    assert!(status.signal().is_none() && status.exit_code() < 2, "{status:?}");
    desk.assert_nothing_runs();
    desk.printed(&["verify"]);
    let status = desk.json(&["status", "--json"]);
    assert_eq!((&status["loop"]["stage"], &status["driver"]), (&"change".into(), &serde_json::Value::Null));

    // It goes on where it was.
    let mut screen = desk.open(&[], TALL);
    let frame = screen.wait_for("the gate again", |frame| state(frame).contains("1 gate still running"));
    assert!(frame.says("✓ plan"), "{frame}");
    press_for(&mut screen, "cancel");
    await_decision(&screen, "change");
    screen.signal(Signal::SIGHUP);
    assert!(screen.end().success());
    desk.assert_nothing_runs();
    desk.printed(&["verify"]);
}

#[test]
fn a_signal_to_end_gives_the_terminal_back() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let desk = Desk::new();
        desk.furnish("");
        let mut screen = drafted(&desk);
        let frame = screen.frame();
        assert!(frame.alternate && frame.cursor_hidden && frame.bracketed_paste && !screen.is_cooked(), "{frame}");
        screen.signal(signal);
        let status = screen.end();
        assert!(status.success(), "{signal}: {status:?}");
        let after = screen.frame();
        assert!(!after.alternate && !after.cursor_hidden && !after.bracketed_paste, "{signal}:\n{after}");
        assert!(screen.is_cooked(), "{signal}");
        desk.printed(&["verify"]);
        assert_eq!(desk.json(&["status", "--json"])["loop"]["phase"], "awaiting decision");
    }
}
