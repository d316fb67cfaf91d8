//! The terminal is asked for its background before it is drawn on, and its answer is never taken for keys.

use std::time::Duration;

use crate::desk::Desk;
use crate::harness::Terminal;

/// The colour of the footer's keys, among the 256: `ui.footer.key` of each theme.
const DEFAULT_LIGHT: u8 = 24;
const DEFAULT_DARK: u8 = 110;
const ANSI: u8 = 6;

const SIZE: (u16, u16) = (80, 24);

/// Whether something on the screen has this colour.
fn has(screen: &Terminal, colour: u8) -> bool {
    let (columns, rows) = SIZE;
    let mut parser = vt100::Parser::new(rows, columns, 0);
    parser.process(&screen.bytes());
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let colours = cells.filter_map(|(row, column)| Some(parser.screen().cell(row, column)?.fgcolor()));
    colours.into_iter().any(|found| found == vt100::Color::Idx(colour))
}

#[test]
fn the_background_decides_where_nobody_has_chosen() {
    for (args, answer, colour) in [
        (&["demo"][..], "\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?62;22c", DEFAULT_LIGHT),
        (&["demo"], "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?62;22c", DEFAULT_DARK),
        (&["demo"], "\x1b[?62;22c", ANSI),
    ] {
        let desk = Desk::new();
        let screen = desk.open_after_typing(args, SIZE, answer);
        screen.wait_for_words("no loop yet");
        assert!(has(&screen, colour), "{answer:?}");
    }
    // Who has chosen isn't asked for.
    let desk = Desk::new();
    let screen = desk.open(&["demo", "--theme", "default-dark"], SIZE);
    screen.wait_for_words("no loop yet");
    assert!(has(&screen, DEFAULT_DARK) && !screen.bytes().windows(4).any(|window| window == b"]11;"));
}

#[test]
fn a_terminal_that_never_answers_gets_a_theme_and_its_late_answer_does_nothing() {
    let desk = Desk::new();
    let mut screen = desk.open(&["demo"], SIZE);
    let before = screen.wait_for_words("no loop yet");
    assert!(has(&screen, ANSI));
    screen.text("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\");
    assert!(!screen.stay(Duration::from_millis(300), |frame| frame.rows() != before.rows()));
    screen.press("?");
    screen.wait_for_words("Keys: vim");
}
