//! Where a line of visible text breaks at a given width. Used to draw and, with the same answer, to scroll.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The byte ranges of `text` that make one screen row each, at most `width` columns wide; at least one, even if empty.
///
/// Breaks after white space where it can, inside a word where it must. Rows after the first are meant to be indented by
/// `hang` columns, which their width allows for.
pub fn rows(text: &str, width: usize, hang: usize) -> Vec<Range<usize>> {
    let width = width.max(1);
    let plain = is_plain(text);
    // Most lines fit; their byte length is an upper bound of their width but for wide characters, which have 3 bytes.
    if text.len() <= width || (!plain && text.width() <= width) {
        return std::iter::once(0..text.len()).collect();
    }
    let hang = if hang + 8 > width { 0 } else { hang };
    if plain {
        return plain_rows(text.as_bytes(), width, hang);
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut start, mut used, mut room) = (0, 0, width);
    let mut break_at: Option<(usize, usize)> = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let cells = grapheme.width();
        if used + cells > room && at > start {
            room = width - hang;
            // What is carried over has to fit into the next row, with what comes now.
            let (end, carried) = match break_at {
                Some((end, at_break)) if end > start && used - at_break + cells <= room => (end, used - at_break),
                _ => (at, 0),
            };
            found.push(start..end);
            start = end;
            used = carried;
            break_at = None;
        }
        used += cells;
        if grapheme.chars().all(char::is_whitespace) {
            break_at = Some((at + grapheme.len(), used));
        }
    }
    found.push(start..text.len());
    found
}

/// Whether every byte is a column: printable ASCII, which most code and prose is. Finding the graphemes of the rest takes
/// fifty times as long.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The rows of a text in which every byte is a column.
fn plain_rows(text: &[u8], width: usize, hang: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut room) = (0, width);
    while let Some(row) = text.get(start..start + room).filter(|_| start + room < text.len()) {
        let blank = row.iter().rposition(|byte| *byte == b' ').filter(|blank| room - blank <= width - hang);
        let end = start + blank.map_or(room, |blank| blank + 1);
        found.push(start..end);
        (start, room) = (end, width - hang);
    }
    found.push(start..text.len());
    found
}

/// The part of `text` in the columns `left..left + width`, wide characters cut at the edges shown as nothing.
pub fn window(text: &str, left: usize, width: usize) -> &str {
    if is_plain(text) {
        let from = left.min(text.len());
        return text.get(from..(left + width).min(text.len()).max(from)).unwrap_or("");
    }
    let (mut column, mut from, mut to) = (0, None, text.len());
    for (at, grapheme) in text.grapheme_indices(true) {
        let cells = grapheme.width();
        if column >= left && from.is_none() {
            from = Some(at);
        }
        if column + cells > left + width {
            to = at;
            break;
        }
        column += cells;
    }
    from.map_or("", |from| text.get(from..to.max(from)).unwrap_or(""))
}

/// `text` cut to `width` columns; what is cut is shown by `..` at the end.
pub fn clip(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if width <= 2 {
        return window(text, 0, width).to_owned();
    }
    format!("{}..", window(text, 0, width - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, width: usize, hang: usize) -> Vec<&str> {
        rows(text, width, hang).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn breaks_after_spaces_and_in_long_words() {
        assert_eq!(shown("one two three", 8, 0), ["one two ", "three"]);
        assert_eq!(shown("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
        assert_eq!(shown("", 4, 0), [""]);
        assert_eq!(shown("한글한글", 4, 0), ["한글", "한글"]);
        assert_eq!(shown("- aaaa bbbb cccc dddd", 12, 2), ["- aaaa bbbb ", "cccc dddd"]);
    }

    #[test]
    fn every_row_fits_and_nothing_is_lost() {
        for text in [
            "The quick brown fox, 한글 and a verylongwordthatdoesnotfitanywhere at all",
            "한글 한글한글한글 12345678 한글한글한글 1 2 34 567 8901 23456 7890123 45678901",
        ] {
            for (width, hang) in (1..40).flat_map(|width| [(width, 0), (width, 2)]) {
                let parts = shown(text, width, hang);
                assert_eq!(parts.concat(), text, "{width}");
                let rooms = std::iter::once(width).chain(std::iter::repeat(if hang + 8 > width {
                    width
                } else {
                    width - hang
                }));
                let fits = |(part, room): (&&str, usize)| part.trim_end().width() <= room.max(2);
                assert!(parts.iter().zip(rooms).all(fits), "{width} {hang}: {parts:?}");
            }
        }
    }

    #[test]
    fn plain_text_breaks_as_any_other() {
        let text = "one  two-three, a_very_long_word_that_fits_nowhere at all   and blanks at the end      ";
        // The accent takes no column of its own, so it changes nothing but the way the rows are found.
        let accented = text.replace("one", "one\u{301}");
        for width in 1..100 {
            for hang in [0, 2, 9] {
                let plain = shown(text, width, hang);
                let other: Vec<_> =
                    shown(&accented, width, hang).into_iter().map(|row| row.replace('\u{301}', "")).collect();
                assert_eq!(plain, other, "{width} {hang}");
            }
            for left in 0..100 {
                let other = window(&accented, left, width).replace('\u{301}', "");
                assert_eq!(window(text, left, width), other, "{left} {width}");
            }
        }
    }

    #[test]
    fn windows_and_clips() {
        assert_eq!(window("abcdef", 2, 3), "cde");
        assert_eq!(window("한글", 0, 3), "한");
        assert_eq!(clip("abcdef", 4), "ab..");
        assert_eq!(clip("abc", 4), "abc");
    }
}
