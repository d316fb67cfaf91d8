//! A screen as an SVG picture: the cells of the buffer, in any monospaced font, with nothing that a browser would run or
//! fetch.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::{Scene, draw};
use crate::domain::without_keys;

/// Size of a cell, in pixels.
const CELL: (u32, u32) = (9, 19);

/// The 16 colours of a terminal that nobody has changed: xterm's.
const ANSI: [&str; 16] = [
    "#000000", "#cd0000", "#00cd00", "#cdcd00", "#1e6fd6", "#cd00cd", "#00cdcd", "#e5e5e5", "#7f7f7f", "#ff0000",
    "#00ff00", "#ffff00", "#5c9cff", "#ff00ff", "#00ffff", "#ffffff",
];

/// Draws a scene at the size of its model, as SVG.
pub fn picture(scene: &Scene<'_>) -> String {
    let (width, height) = scene.model.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    draw(scene, &mut buf);
    let is_light = scene.theme.name().contains("light") || scene.theme.name().contains("latte");
    let (fg, bg) = if is_light { ("#24292f", "#ffffff") } else { ("#d8dee9", "#16181d") };
    let (columns, rows) = (u32::from(width) * CELL.0, u32::from(height) * CELL.1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {columns} {rows}\" width=\"{columns}\" height=\"{rows}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"15\" \
         xml:space=\"preserve\">\n<rect width=\"100%\" height=\"100%\" fill=\"{bg}\"/>\n"
    );
    for y in 0..height {
        row(&mut svg, &buf, y, (fg, bg));
    }
    svg.push_str("</svg>\n");
    svg
}

/// One row: backgrounds first, then the text, in runs that look alike.
fn row(svg: &mut String, buf: &Buffer, y: u16, ground: (&str, &str)) {
    let cells: Vec<&Cell> = (0..buf.area.width).filter_map(|x| buf.cell((x, y))).collect();
    let line: String = cells.iter().map(|cell| cell.symbol()).collect();
    // A key may stand across runs, and a masked row has lost its columns: it is written in one piece.
    let masked = without_keys(&line);
    if masked != line {
        let _ = writeln!(svg, "{}", text(0, y, ground.0, "", masked.trim_end()));
        return;
    }
    let mut x = 0;
    let mut texts = String::new();
    for run in cells.chunk_by(|one, other| look(one, ground) == look(other, ground)) {
        let Some((fg, bg, modifiers)) = run.first().map(|cell| look(cell, ground)) else { continue };
        let wide = u16::try_from(run.len()).unwrap_or(u16::MAX);
        if bg != ground.1 {
            let (left, top) = (u32::from(x) * CELL.0, u32::from(y) * CELL.1);
            let (width, height) = (u32::from(wide) * CELL.0, CELL.1);
            let _ =
                writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{bg}\"/>");
        }
        // The second cell of a wide character is empty: in a monospaced font the character takes both.
        let said: String = run.iter().map(|cell| cell.symbol()).collect();
        if !said.trim().is_empty() {
            let _ = writeln!(texts, "{}", text(x, y, &fg, &modifiers, &said));
        }
        x += wide;
    }
    svg.push_str(&texts);
}

fn text(x: u16, y: u16, fill: &str, more: &str, said: &str) -> String {
    let (left, base) = (u32::from(x) * CELL.0, u32::from(y) * CELL.1 + 14);
    let columns = super::paint::width(said) as u64 * u64::from(CELL.0);
    let said = escaped(said);
    format!("<text x=\"{left}\" y=\"{base}\" fill=\"{fill}\"{more} textLength=\"{columns}\">{said}</text>")
}

/// Foreground, background and attributes of a cell.
fn look(cell: &Cell, (fg, bg): (&str, &str)) -> (String, String, String) {
    let (mut front, mut back) = (colour(cell.fg, fg), colour(cell.bg, bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut front, &mut back);
    }
    let mut more = String::new();
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::DIM, " opacity=\"0.7\""),
    ] {
        if cell.modifier.contains(modifier) {
            more.push_str(attribute);
        }
    }
    (front, back, more)
}

fn colour(colour: Color, ground: &str) -> String {
    let ansi = |index: usize| ANSI.get(index).copied().unwrap_or(ground).to_owned();
    match colour {
        Color::Reset => ground.to_owned(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(index @ 0..16) => ansi(usize::from(index)),
        Color::Indexed(index @ 232..) => {
            let level = 8 + 10 * (u32::from(index) - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
        Color::Indexed(index) => {
            let level = |value: u32| if value == 0 { 0 } else { 55 + 40 * value };
            let at = u32::from(index) - 16;
            format!("#{:02x}{:02x}{:02x}", level(at / 36), level(at / 6 % 6), level(at % 6))
        }
        Color::Black => ansi(0),
        Color::Red => ansi(1),
        Color::Green => ansi(2),
        Color::Yellow => ansi(3),
        Color::Blue => ansi(4),
        Color::Magenta => ansi(5),
        Color::Cyan => ansi(6),
        Color::Gray => ansi(7),
        Color::DarkGray => ansi(8),
        Color::LightRed => ansi(9),
        Color::LightGreen => ansi(10),
        Color::LightYellow => ansi(11),
        Color::LightBlue => ansi(12),
        Color::LightMagenta => ansi(13),
        Color::LightCyan => ansi(14),
        Color::White => ansi(15),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
