//! Cells: filling, lines that never leave their place, bars, and words about sizes.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::layout::Area;
use crate::app::wrap;
use crate::domain::{ascii, visible_line};

/// The rectangle in ratatui's words.
pub(super) const fn rect(area: Area) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }
}

/// Row `index` of an area, counted from its top; none below its end.
pub(super) fn row(area: Area, index: usize) -> Option<Area> {
    let index = u16::try_from(index).ok().filter(|index| *index < area.height)?;
    Some(Area::new(area.x, area.y + index, area.width, 1))
}

/// The area without its first `rows` rows.
pub(super) const fn below(area: Area, rows: u16) -> Area {
    let rows = if rows > area.height { area.height } else { rows };
    Area::new(area.x, area.y + rows, area.width, area.height - rows)
}

/// Empties an area and gives it a style.
pub(super) fn fill(buf: &mut Buffer, area: Area, style: Style) {
    let area = rect(area).intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }
}

/// Puts the theme's own ground behind and its text colour before what has none of its own.
pub(super) fn ground(buf: &mut Buffer, ground: Style) {
    let (fg, bg) = (ground.fg.unwrap_or(Color::Reset), ground.bg.unwrap_or(Color::Reset));
    if (fg, bg) == (Color::Reset, Color::Reset) {
        return;
    }
    for cell in &mut buf.content {
        if cell.bg == Color::Reset {
            cell.bg = bg;
        }
        if cell.fg == Color::Reset {
            cell.fg = fg;
        }
    }
}

/// Writes a line into the first row of `area`, cut at its right edge, over what is there.
pub(super) fn line(buf: &mut Buffer, area: Area, line: &Line<'_>) {
    let inside = rect(area).intersection(buf.area);
    let (mut x, y, end) = (inside.x, inside.y, inside.right());
    for span in &line.spans {
        if x >= end {
            break;
        }
        let style = line.style.patch(span.style);
        x = match plain(&span.content) {
            Some(bytes) => set_plain(buf, (x, y), end, bytes, style),
            None => buf.set_stringn(x, y, &span.content, usize::from(end - x), style).0,
        };
    }
}

/// Text in which every byte is a column: it needs no search for graphemes, which is most of what painting takes.
fn plain(text: &str) -> Option<&[u8]> {
    Some(text.as_bytes()).filter(|bytes| bytes.iter().all(|byte| (b' '..=b'~').contains(byte)))
}

fn set_plain(buf: &mut Buffer, (mut x, y): (u16, u16), end: u16, bytes: &[u8], style: Style) -> u16 {
    for byte in bytes {
        let Some(cell) = buf.cell_mut((x, y)).filter(|_| x < end) else { break };
        cell.set_char(char::from(*byte)).set_style(style);
        x += 1;
    }
    x
}

/// Styles a whole row without touching its text.
pub(super) fn tint(buf: &mut Buffer, area: Area, style: Style) {
    let inside = rect(area).intersection(buf.area);
    buf.set_style(inside, style);
}

/// A bar: text at the left, text at the right, the style all along. The right text goes first when there is no room.
pub(super) fn bar(buf: &mut Buffer, area: Area, left: &Line<'_>, right: &Line<'_>, style: Style) {
    fill(buf, area, style);
    line(buf, area, left);
    let (used, wanted) = (left.width(), right.width());
    let room = usize::from(area.width);
    if wanted > 0 && used + wanted < room {
        let x = area.x + u16::try_from(room - wanted).unwrap_or(0);
        line(buf, Area::new(x, area.y, area.width - (x - area.x), 1), right);
    }
}

/// Visible text as a span.
pub(super) fn span(text: &str, style: Style) -> Span<'static> {
    Span::styled(visible_line(text).into_owned(), style)
}

/// Visible text in at most `width` columns. What can't be seen of a text without end isn't looked at.
pub(super) fn clip(text: &str, width: usize) -> String {
    let most = (width + 1).saturating_mul(16);
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    wrap::clip(&visible_line(text.get(..end).unwrap_or_default()), width)
}

/// Visible text broken into lines of at most `width` columns, each after the first indented by `hang`.
pub(super) fn wrapped(text: &str, width: usize, hang: usize, style: Style) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for piece in text.split('\n') {
        let shown = visible_line(piece);
        for (index, range) in wrap::rows(&shown, width, hang).into_iter().enumerate() {
            let part = shown.get(range).unwrap_or_default().trim_end();
            let indent = if index > 0 { hang } else { 0 };
            lines.push(Line::from(Span::styled(format!("{:indent$}{part}", ""), style)));
        }
    }
    lines
}

/// The same, with two columns free at the left.
pub(super) fn indented(text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let mut lines = wrapped(text, width.saturating_sub(2), 0, style);
    for line in &mut lines {
        line.spans.insert(0, Span::raw("  "));
    }
    lines
}

/// Lines one below the other, as many as fit.
pub(super) fn lines(buf: &mut Buffer, area: Area, all: &[Line<'_>]) {
    for (index, one) in all.iter().enumerate() {
        let Some(place) = row(area, index) else { break };
        line(buf, place, one);
    }
}

/// A list whose items take several rows each, with the selected one in sight. Gives the row of the selected one.
pub(super) fn list(
    buf: &mut Buffer,
    area: Area,
    items: &[Vec<Line<'_>>],
    selected: Option<usize>,
    style: Style,
) -> Option<(u16, u16)> {
    let height = usize::from(area.height);
    let tops: Vec<usize> = items
        .iter()
        .scan(0, |top, item| {
            let here = *top;
            *top += item.len();
            Some(here)
        })
        .collect();
    let chosen = selected.and_then(|index| Some((*tops.get(index)?, items.get(index)?.len())));
    let skipped = chosen.map_or(0, |(top, rows)| (top + rows).saturating_sub(height).min(top));
    let mut cursor = None;
    for (index, (item, top)) in items.iter().zip(&tops).enumerate() {
        for (offset, one) in item.iter().enumerate() {
            let Some(place) = (top + offset).checked_sub(skipped).and_then(|at| row(area, at)) else { continue };
            line(buf, place, one);
            if selected == Some(index) {
                tint(buf, place, style);
                if offset == 0 {
                    cursor = Some((place.x, place.y));
                }
            }
        }
    }
    cursor
}

/// The spans of the part `range` of a text whose pieces are styled: `base`, with later runs over earlier ones.
pub(super) fn styled(
    text: &str,
    range: Range<usize>,
    base: Style,
    runs: &[(Range<usize>, Style)],
) -> Vec<Span<'static>> {
    let mut cuts: Vec<usize> = vec![range.start, range.end];
    for (run, _) in runs {
        cuts.extend([run.start, run.end].into_iter().filter(|cut| range.contains(cut)));
    }
    cuts.sort_unstable();
    cuts.dedup();
    let pieces = cuts.iter().zip(cuts.iter().skip(1));
    pieces
        .filter_map(|(&from, &to)| {
            let style = runs.iter().filter(|(run, _)| run.start <= from && to <= run.end);
            let style = style.fold(base, |style, (_, over)| style.patch(*over));
            Some(Span::styled(text.get(from..to)?.to_owned(), style))
        })
        .collect()
}

/// Replaces what a terminal without other glyphs can't show, cell by cell: by what a typist would write where that
/// fits, else by a question mark.
pub(super) fn to_ascii(buf: &mut Buffer) {
    for cell in buf.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        let typed = ascii(cell.symbol()).into_owned();
        cell.set_symbol(if typed.len() == 1 { &typed } else { "?" });
    }
}

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}
