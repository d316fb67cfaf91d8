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
    // Most lines fit; their byte length is an upper bound of their width but for wide characters, which have 3 bytes.
    if text.len() <= width || text.width() <= width {
        return std::iter::once(0..text.len()).collect();
    }
    let hang = if hang + 8 > width { 0 } else { hang };
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut start, mut used, mut room) = (0, 0, width);
    let mut break_at: Option<(usize, usize)> = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let cells = grapheme.width();
        if used + cells > room && at > start {
            let (end, carried) = match break_at {
                Some((end, at_break)) if end > start => (end, used - at_break),
                _ => (at, 0),
            };
            found.push(start..end);
            start = end;
            used = carried;
            room = width - hang;
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

/// The part of `text` in the columns `left..left + width`, wide characters cut at the edges shown as nothing.
pub fn window(text: &str, left: usize, width: usize) -> &str {
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
        let text = "The quick brown fox, 한글 and a verylongwordthatdoesnotfitanywhere at all";
        for width in 1..40 {
            let parts = shown(text, width, 2);
            assert_eq!(parts.concat(), text, "{width}");
            assert!(parts.iter().all(|part| part.trim_end().width() <= width.max(2)), "{width}: {parts:?}");
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
