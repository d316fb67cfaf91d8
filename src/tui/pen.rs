//! Writes changed cells to the terminal in few bytes: ratatui's own backend moves the cursor over every unchanged blank
//! between two words, which over ssh costs more than the words.
//!
//! It keeps what is on the screen, so that a short gap is written over with what is there already; blank runs are erased
//! by one sequence (ECH), and a colour is changed only where it would be seen.

use std::io::{self, Write};

use crossterm::terminal::{self, Clear};
use crossterm::{cursor, queue};
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// The shortest run of blanks that is erased rather than written.
const ERASED: usize = 8;

/// Attributes that show on a blank, too.
const ON_BLANKS: Modifier =
    Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT).union(Modifier::SLOW_BLINK);

/// Attributes with the parameter that sets them and the one that takes them back.
const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// How what is written next will look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ink {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Ink = Ink { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// A terminal that is written to.
#[derive(Debug)]
pub(super) struct Pen<W: Write> {
    out: W,
    /// What is on the screen.
    shown: Buffer,
    ink: Ink,
    /// Where the cursor is, as far as every terminal agrees.
    at: Option<(u16, u16)>,
    cursor_hidden: bool,
}

impl<W: Write> Pen<W> {
    /// Writes to `out`, a terminal of this many columns and rows that shows nothing.
    pub(super) fn new(out: W, (width, height): (u16, u16)) -> Self {
        Self { out, shown: Buffer::empty(Rect::new(0, 0, width, height)), ink: PLAIN, at: None, cursor_hidden: false }
    }

    /// Writes one row's changed cells.
    fn row(&mut self, cells: &[(u16, u16, &Cell)]) -> io::Result<()> {
        let mut rest = cells;
        while let Some(&(x, y, cell)) = rest.first() {
            let (blanks, cells) = self.blank_run(rest);
            self.go(x, y)?;
            if blanks >= ERASED {
                // The cells are erased in the background of the moment.
                if self.ink.bg != Color::Reset || self.ink.modifier.intersects(ON_BLANKS) {
                    self.dip(PLAIN)?;
                }
                write!(self.out, "\x1b[{blanks}X")?;
                rest = rest.get(cells..).unwrap_or_default();
                continue;
            }
            let ink = Ink { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
            if !(cell.symbol() == " " && same_on_blanks(ink, self.ink)) {
                self.dip(ink)?;
            }
            self.out.write_all(cell.symbol().as_bytes())?;
            // Terminals disagree on the width of anything else.
            self.at = (cell.symbol().chars().count() == 1 && cell.symbol().width() == 1).then_some((x + 1, y));
            rest = rest.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    /// How many columns are to be bare from the first changed cell to the last of them, over such as are bare already,
    /// and how many changed cells that are.
    fn blank_run(&self, cells: &[(u16, u16, &Cell)]) -> (usize, usize) {
        let Some(&(first, y, _)) = cells.first() else { return (0, 0) };
        let (mut next, mut count) = (first, 0);
        for &(x, _, cell) in cells {
            let bare_between = (next..x).all(|x| self.shown.cell((x, y)).is_some_and(is_bare));
            if !is_bare(cell) || !bare_between {
                break;
            }
            (next, count) = (x + 1, count + 1);
        }
        (usize::from(next - first), count)
    }

    /// Moves the cursor, by the shortest way.
    fn go(&mut self, x: u16, y: u16) -> io::Result<()> {
        let here = self.at.replace((x, y));
        match here {
            Some(here) if here == (x, y) => Ok(()),
            Some((from, row)) if row == y && from < x => {
                let gap = usize::from(x - from);
                let sequence = if gap == 1 { "\x1b[C".to_owned() } else { format!("\x1b[{gap}C") };
                if gap <= sequence.len()
                    && let Some(text) = self.unchanged(from, x, y)
                {
                    return self.out.write_all(text.as_bytes());
                }
                self.out.write_all(sequence.as_bytes())
            }
            Some((_, row)) if row.checked_add(1) == Some(y) && x == 0 => self.out.write_all(b"\r\n"),
            _ => write!(self.out, "\x1b[{};{}H", y + 1, x + 1),
        }
    }

    /// What stands between two columns, if writing it again in the ink of the moment changes nothing.
    fn unchanged(&self, from: u16, to: u16, y: u16) -> Option<String> {
        (from..to)
            .map(|x| {
                let cell = self.shown.cell((x, y))?;
                let ink = Ink { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
                let same = ink == self.ink || cell.symbol() == " " && same_on_blanks(ink, self.ink);
                let mut bytes = cell.symbol().bytes();
                let byte = bytes.next().filter(|byte| (b' '..=b'~').contains(byte) && bytes.next().is_none());
                byte.filter(|_| same).map(char::from)
            })
            .collect()
    }

    /// Takes up another ink, by the shorter of two ways: from the one there is, or from none.
    fn dip(&mut self, ink: Ink) -> io::Result<()> {
        if ink == self.ink {
            return Ok(());
        }
        let change = sequence(self.ink, ink, false);
        let anew = sequence(PLAIN, ink, true);
        self.ink = ink;
        let shorter = if anew.len() < change.len() { anew } else { change };
        self.out.write_all(shorter.as_bytes())
    }
}

/// Whether a cell shows nothing, not even a colour.
fn is_bare(cell: &Cell) -> bool {
    cell.bg == Color::Reset && !cell.modifier.intersects(ON_BLANKS) && cell.symbol() == " "
}

fn same_on_blanks(one: Ink, other: Ink) -> bool {
    one.bg == other.bg && !one.modifier.union(other.modifier).intersects(ON_BLANKS)
}

/// The sequence that changes one ink into another.
fn sequence(from: Ink, to: Ink, anew: bool) -> String {
    let mut parameters: Vec<String> = Vec::new();
    if anew {
        if to == PLAIN {
            return "\x1b[m".to_owned();
        }
        parameters.push("0".to_owned());
    }
    let (gone, mut come) = (from.modifier.difference(to.modifier), to.modifier.difference(from.modifier));
    let mut taken: Vec<u8> = Vec::new();
    for (attribute, _, back) in ATTRIBUTES {
        if gone.contains(attribute) && !taken.contains(&back) {
            taken.push(back);
            // What takes bold back takes dim back, too.
            for (other, _, same) in ATTRIBUTES {
                if same == back && to.modifier.contains(other) {
                    come.insert(other);
                }
            }
        }
    }
    parameters.extend(taken.iter().map(u8::to_string));
    let set = ATTRIBUTES.iter().filter(|(attribute, _, _)| come.contains(*attribute));
    parameters.extend(set.map(|(_, set, _)| set.to_string()));
    if from.fg != to.fg {
        parameters.push(colour(to.fg, 30));
    }
    if from.bg != to.bg {
        parameters.push(colour(to.bg, 40));
    }
    format!("\x1b[{}m", parameters.join(";"))
}

/// The parameters of a colour; `base` is 30 for the text and 40 for what is behind it.
fn colour(colour: Color, base: u8) -> String {
    let bright = base + 60;
    match colour {
        Color::Reset => (base + 9).to_string(),
        Color::Black => base.to_string(),
        Color::Red => (base + 1).to_string(),
        Color::Green => (base + 2).to_string(),
        Color::Yellow => (base + 3).to_string(),
        Color::Blue => (base + 4).to_string(),
        Color::Magenta => (base + 5).to_string(),
        Color::Cyan => (base + 6).to_string(),
        Color::Gray => (base + 7).to_string(),
        Color::DarkGray => bright.to_string(),
        Color::LightRed => (bright + 1).to_string(),
        Color::LightGreen => (bright + 2).to_string(),
        Color::LightYellow => (bright + 3).to_string(),
        Color::LightBlue => (bright + 4).to_string(),
        Color::LightMagenta => (bright + 5).to_string(),
        Color::LightCyan => (bright + 6).to_string(),
        Color::White => (bright + 7).to_string(),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
    }
}

impl<W: Write> Write for Pen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Backend for Pen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // Nobody knows where others have left the cursor.
        self.at = None;
        let cells: Vec<(u16, u16, &Cell)> = content.collect();
        for row in cells.chunk_by(|one, next| one.1 == next.1) {
            self.row(row)?;
        }
        for (x, y, cell) in cells {
            if let Some(shown) = self.shown.cell_mut((x, y)) {
                shown.clone_from(cell);
            }
        }
        self.dip(PLAIN)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.cursor_hidden, true) { Ok(()) } else { queue!(self.out, cursor::Hide) }
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.cursor_hidden, false) { queue!(self.out, cursor::Show) } else { Ok(()) }
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        let (x, y) = cursor::position()?;
        Ok(Position { x, y })
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.at = None;
        queue!(self.out, cursor::MoveTo(x, y))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        let Size { width, height } = self.size()?;
        if region == ClearType::All {
            self.shown = Buffer::empty(Rect::new(0, 0, width, height));
        } else {
            // What is left isn't known; nothing is taken to be unchanged.
            self.shown = Buffer::empty(Rect::ZERO);
        }
        self.at = None;
        queue!(
            self.out,
            Clear(match region {
                ClearType::All => terminal::ClearType::All,
                ClearType::AfterCursor => terminal::ClearType::FromCursorDown,
                ClearType::BeforeCursor => terminal::ClearType::FromCursorUp,
                ClearType::CurrentLine => terminal::ClearType::CurrentLine,
                ClearType::UntilNewLine => terminal::ClearType::UntilNewLine,
            })
        )
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        self.at = None;
        (0..n).try_for_each(|_| self.out.write_all(b"\n"))?;
        self.out.flush()
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let terminal::WindowSize { columns, rows, width, height } = terminal::window_size()?;
        Ok(WindowSize { columns_rows: Size { width: columns, height: rows }, pixels: Size { width, height } })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Style;

    const WIDTH: u16 = 30;
    const HEIGHT: u16 = 6;

    /// Pieces of text in styles, at places: what a frame changes.
    type Pieces = Vec<(u16, u16, String, Style)>;

    fn style() -> impl Strategy<Value = Style> {
        let colours = vec![Color::Reset, Color::Red, Color::LightBlue, Color::Indexed(99), Color::Rgb(1, 2, 3)];
        let colour = || proptest::sample::select(colours.clone());
        // Bold and dim at once is one of both in the terminal that reads this.
        let modifiers = [Modifier::empty(), Modifier::BOLD, Modifier::ITALIC, Modifier::REVERSED, Modifier::UNDERLINED];
        let modifier = proptest::sample::select(modifiers.to_vec());
        (colour(), colour(), modifier.clone(), modifier)
            .prop_map(|(fg, bg, one, other)| Style::new().fg(fg).bg(bg).add_modifier(one.union(other)))
    }

    fn frames() -> impl Strategy<Value = Vec<Pieces>> {
        let text =
            prop_oneof![Just(" ".repeat(12)), "[a-z ]{1,9}", Just("\u{5b57}x".to_owned()), Just("e\u{301}".to_owned())];
        let piece = (0..WIDTH, 0..HEIGHT, text, style());
        proptest::collection::vec(proptest::collection::vec(piece, 0..6), 1..6)
    }

    /// What a terminal shows: each cell with its colours and attributes.
    fn shown(bytes: &[u8]) -> Vec<String> {
        let mut parser = vt100::Parser::new(HEIGHT, WIDTH, 0);
        parser.process(bytes);
        let screen = parser.screen();
        let places = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
        let cells = places.filter_map(|(x, y)| screen.cell(y, x).map(|cell| (x, y, cell)));
        let look = |cell: &vt100::Cell| {
            let blank = !cell.has_contents() || cell.contents() == " ";
            // Nobody sees in which colour a blank is written, unless it is turned round or underlined.
            let fg = (!blank || cell.inverse() || cell.underline()).then_some(cell.fgcolor());
            let weight = (!blank).then_some((cell.bold(), cell.dim()));
            format!("{fg:?} {:?} {weight:?} {} {}", cell.bgcolor(), cell.inverse(), cell.underline())
        };
        cells.map(|(x, y, cell)| format!("{x},{y} {:?} {}", cell.contents().trim(), look(cell))).collect()
    }

    proptest! {
        #[test]
        fn the_screen_is_as_ratatui_wants_it(frames in frames()) {
            let mut pen = Pen::new(Vec::new(), (WIDTH, HEIGHT));
            let mut theirs: Vec<u8> = Vec::new();
            crossterm::style::force_color_output(true);
            let mut before = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
            for pieces in &frames {
                let mut after = before.clone();
                for (x, y, text, style) in pieces {
                    after.set_string(*x, *y, text, *style);
                }
                let changed = before.diff(&after);
                pen.draw(changed.iter().copied()).unwrap();
                ratatui::backend::CrosstermBackend::new(&mut theirs).draw(changed.iter().copied()).unwrap();
                before = after;
            }
            let ours = pen.out;
            for (ours, theirs) in shown(&ours).iter().zip(&shown(&theirs)) {
                prop_assert_eq!(ours, theirs);
            }
            prop_assert!(ours.len() <= theirs.len(), "{} bytes, not {}", ours.len(), theirs.len());
        }
    }

    #[test]
    fn words_that_grow_cost_little_more_than_themselves() {
        let text = "held held held held held";
        let mut pen = Pen::new(Vec::new(), (WIDTH, HEIGHT));
        let empty = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        let mut full = empty.clone();
        full.set_string(2, 2, text, Style::new());
        pen.draw(empty.diff(&full).into_iter()).unwrap();
        assert_eq!(pen.out.len(), "\x1b[3;3H".len() + text.len());
    }
}
