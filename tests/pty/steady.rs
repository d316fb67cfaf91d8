//! A steady screen: no key clears it as a whole, and windows that change size with every key of another client leave
//! nothing behind and keep the place.

use crate::desk::Desk;
use crate::hands::{await_decision, draft, leave, trust};
use crate::harness::Terminal;

/// Clears the whole screen.
const CLEAR: &[u8] = b"\x1b[2J";

/// Keys that move, open, close and mark; none that decides, sends or leaves.
const KEYS: &str = "j k C-d C-u G g g 1 2 3 4 Tab h l z z w w ? j j q : e d i t Esc Space Esc / w a l k Enter n N Esc \
                    ] h [ h ] u ] c [ c { } a a v j Esc s u | | - - b b . 3 o Esc 4 Enter Esc 1";

#[test]
fn no_key_clears_the_screen() {
    let desk = Desk::new();
    let mut screen = reviewed(&desk, (160, 45));
    let before = screen.written();
    for key in KEYS.split_whitespace() {
        screen.press(key);
    }
    // What comes last on the screen came after every key before it.
    screen.press(":");
    screen.wait_for_words("Commands");
    screen.press("Esc");
    screen.wait_for("the loop", |frame| !frame.says("Esc close"));
    let written = &screen.bytes()[before..];
    assert!(!written.windows(CLEAR.len()).any(|window| window == CLEAR), "a key cleared the screen");
    leave(&mut screen);
}

#[test]
fn a_storm_of_sizes_leaves_nothing_behind_and_keeps_the_place() {
    let desk = Desk::new();
    let mut screen = reviewed(&desk, (80, 16));
    screen.press("C-d");
    let is_down = |frame: &crate::harness::Frame| frame.rows().iter().any(|row| row.contains("%"));
    screen.wait_for("a place in the middle", is_down);
    let settled = |screen: &Terminal| {
        // The cursor's row may be drawn once more; the same frame twice is the last one.
        let frame = screen.frame();
        screen.stay(std::time::Duration::from_millis(300), |now| *now != frame);
        screen.frame()
    };
    let before = settled(&screen);
    for _ in 0..30 {
        screen.resize(200, 50);
        screen.press("h");
        screen.resize(80, 16);
        screen.press("l");
    }
    screen.wait_for("the screen as it was", |frame| frame.rows() == before.rows());
    leave(&mut screen);
}

/// A stage that waits for its decision.
fn reviewed(desk: &Desk, size: (u16, u16)) -> Terminal {
    desk.furnish("");
    let mut screen = desk.open(&["new", "Fewer steps"], size);
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    screen
}
