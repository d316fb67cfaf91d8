//! The terminal is asked for its background before it is drawn on, and its answer is never taken for keys.

use std::time::Duration;

use crate::desk::Desk;

/// The first colour of the footer's keys: `ui.footer.key` of each theme, with 256 colours.
const DEFAULT_LIGHT: &[u8] = b"38;5;24;49m";
const DEFAULT_DARK: &[u8] = b"38;5;110;49m";
const ANSI: &[u8] = b"38;5;6;49m";

fn is_in(bytes: &[u8], colour: &[u8]) -> bool {
    bytes.windows(colour.len()).any(|window| window == colour)
}

#[test]
fn the_background_decides_where_nobody_has_chosen() {
    for (args, answer, colour) in [
        (&["demo"][..], "\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?62;22c", DEFAULT_LIGHT),
        (&["demo"], "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?62;22c", DEFAULT_DARK),
        (&["demo"], "\x1b[?62;22c", ANSI),
    ] {
        let desk = Desk::new();
        let screen = desk.open_after_typing(args, (80, 24), answer);
        screen.wait_for_words("no loop yet");
        assert!(is_in(&screen.bytes(), colour), "{answer:?}");
    }
    // Who has chosen isn't asked for.
    let desk = Desk::new();
    let screen = desk.open(&["demo", "--theme", "default-dark"], (80, 24));
    screen.wait_for_words("no loop yet");
    assert!(is_in(&screen.bytes(), DEFAULT_DARK) && !is_in(&screen.bytes(), b"\x1b]11;?"));
}

#[test]
fn a_terminal_that_never_answers_gets_a_theme_and_its_late_answer_does_nothing() {
    let desk = Desk::new();
    let mut screen = desk.open(&["demo"], (80, 24));
    let before = screen.wait_for_words("no loop yet");
    assert!(is_in(&screen.bytes(), ANSI));
    screen.text("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\");
    assert!(!screen.stay(Duration::from_millis(300), |frame| frame.rows() != before.rows()));
    screen.press("?");
    screen.wait_for_words("Keys: vim");
}
