//! Untrusted text made visible: control, bidirectional and invisible characters become readable text.
//!
//! ratatui drops some of these silently and passes others to the terminal, so everything that comes from a model, a
//! repository, a gate or a server goes through here before it reaches a widget or a stream.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// How many combining characters one base character may carry; further ones are shown as code points.
const MAX_COMBINING: usize = 4;

/// Columns of a tab stop.
const TAB: usize = 4;

/// `text` with every character visible, lines kept: `\n` stays, everything else that has no glyph is spelled out.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            shown.push('\n');
        }
        push_line(&mut shown, line);
    }
    Cow::Owned(shown)
}

/// Like [`visible`], for text that must stay one line: a line feed is shown as `\n`.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    push_line(&mut shown, text);
    Cow::Owned(shown)
}

/// Visible text in ASCII alone: what typographers write is written as typists do, all else as code points.
pub fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => shown.push('-'),
            '\u{2018}' | '\u{2019}' => shown.push('\''),
            '\u{201c}' | '\u{201d}' => shown.push('"'),
            '\u{2026}' => shown.push_str("..."),
            '\u{a0}' => shown.push(' '),
            '\u{2264}' => shown.push_str("<="),
            '\u{2265}' => shown.push_str(">="),
            '\u{d7}' => shown.push('x'),
            c if c.is_ascii() => shown.push(c),
            c => push_code_point(&mut shown, c),
        }
    }
    Cow::Owned(shown)
}

fn push_line(shown: &mut String, line: &str) {
    let (mut column, mut combining) = (0, 0);
    // A carriage return before the line feed is a line ending, but a visible one.
    for c in line.chars() {
        let before = shown.len();
        match c {
            '\t' => {
                for _ in 0..TAB - column % TAB {
                    shown.push(' ');
                }
            }
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\u{1b}' => shown.push_str("\\e"),
            '\0'..='\u{1f}' => {
                shown.push('^');
                shown.push(char::from(c as u8 + b'@'));
            }
            '\u{7f}' => shown.push_str("^?"),
            c if is_invisible(c) => push_code_point(shown, c),
            c => {
                if c.width() == Some(0) {
                    combining += 1;
                    if combining > MAX_COMBINING || column == 0 {
                        push_code_point(shown, c);
                    } else {
                        shown.push(c);
                        continue;
                    }
                } else {
                    combining = 0;
                    shown.push(c);
                }
            }
        }
        column += shown.get(before..).map_or(0, |added| added.chars().filter_map(UnicodeWidthChar::width).sum());
    }
}

fn push_code_point(shown: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = write!(shown, "<U+{:04X}>", u32::from(c));
}

/// Characters that change what is seen without being seen: C1, bidi controls, zero-width and format characters,
/// line and paragraph separators, variation selectors, tags, fillers, private use and non-characters.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x80..=0x9f
        | 0xad
        | 0x34f
        | 0x61c
        | 0x115f..=0x1160
        | 0x17b4..=0x17b5
        | 0x180b..=0x180f
        | 0x200b..=0x200f
        | 0x2028..=0x202e
        | 0x2060..=0x206f
        | 0x2800
        | 0x3164
        | 0xe000..=0xf8ff
        | 0xfe00..=0xfe0f
        | 0xfeff
        | 0xffa0
        | 0xfff0..=0xfffb
        | 0x1d173..=0x1d17a
        | 0xe0000..=0x10ffff)
        || (u32::from(c) & 0xfffe) == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        for (raw, shown) in [
            ("plain", "plain"),
            ("a\tb", "a   b"),
            ("\tb", "    b"),
            ("\x1b[31mred", "\\e[31mred"),
            ("bell\x07", "bell^G"),
            ("pass\u{200b}word", "pass<U+200B>word"),
            ("\u{202e}evil", "<U+202E>evil"),
            ("c1\u{9b}31m", "c1<U+009B>31m"),
            ("line\r\nnext", "line\\r\nnext"),
            ("\u{2028}", "<U+2028>"),
            ("e\u{301}t", "e\u{301}t"),
            ("\u{301}", "<U+0301>"),
            ("한글 ok", "한글 ok"),
        ] {
            assert_eq!(visible(raw), shown, "{raw:?}");
        }
        assert_eq!(visible_line("a\nb"), "a\\nb");
    }

    #[test]
    fn a_flood_of_combining_marks_is_bounded() {
        let flood = format!("x{}", "\u{301}".repeat(2000));
        let shown = visible(&flood);
        assert_eq!(shown.chars().filter(|c| *c == '\u{301}').count(), MAX_COMBINING);
        assert!(shown.contains("<U+0301>"));
    }

    #[test]
    fn every_bidi_control_is_visible() {
        for code in [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069] {
            let c = char::from_u32(code).unwrap_or('?');
            assert_eq!(visible(&c.to_string()), format!("<U+{code:04X}>"));
        }
    }
}
