//! How a screen is coloured, as text: a letter for every style, and for every row which letters stand how often.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// The styles of a screen: their letters, then the rows. Rows that are alike are told once.
pub(super) fn told(buf: &Buffer) -> String {
    let mut known: Vec<Style> = Vec::new();
    let mut rows: Vec<(String, usize)> = Vec::new();
    for y in 0..buf.area.height {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for x in 0..buf.area.width {
            let style = buf[(x, y)].style();
            let letter = known.iter().position(|one| *one == style).unwrap_or_else(|| {
                known.push(style);
                known.len() - 1
            });
            match runs.last_mut() {
                Some((last, count)) if *last == letter => *count += 1,
                _ => runs.push((letter, 1)),
            }
        }
        let row: Vec<String> = runs.iter().map(|(letter, count)| format!("{count}{}", name(*letter))).collect();
        match rows.last_mut() {
            Some((last, count)) if *last == row.join(" ") => *count += 1,
            _ => rows.push((row.join(" "), 1)),
        }
    }
    let mut text = String::new();
    for (letter, style) in known.iter().enumerate() {
        let colour =
            |colour: Option<ratatui::style::Color>| colour.map_or_else(|| "-".to_owned(), |one| one.to_string());
        let (fg, bg, mods) = (colour(style.fg), colour(style.bg), format!("{:?}", style.add_modifier));
        writeln!(text, "{}: {fg} on {bg} {mods}", name(letter)).unwrap();
    }
    for (row, count) in rows {
        writeln!(text, "{count} x {row}").unwrap();
    }
    text
}

/// `a` to `z`, then `A` to `Z`.
fn name(letter: usize) -> char {
    let letters = ('a'..='z').chain('A'..='Z');
    letters.into_iter().nth(letter).expect("no screen has that many styles")
}
