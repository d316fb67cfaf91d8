//! The terminal: taken over, drawn to in one write per frame, and given back on every way out.

use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::force_color_output;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;

use super::pen::Pen;
use crate::app::layout::Form;
use crate::view::{self, Scene};

/// Room for the largest frame, so that it leaves in one write.
const FRAME: usize = 256 << 10;

/// Whether the terminal is ours now; the panic hook asks.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, ours while this lives.
pub(super) struct Screen {
    /// Never dropped: its own way of giving the cursor back complains on standard error if the terminal is gone, and
    /// panics where that is the terminal, too.
    terminal: ManuallyDrop<Backed>,
}

type Backed = Terminal<Pen<BufWriter<Stdout>>>;

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    /// It is on the screen as the model says.
    Whole,
    /// There was only room to say so.
    TooSmall,
    /// The window has another size by now; nothing was drawn.
    Moved,
}

/// A terminal that takes the screen to be empty.
fn fresh() -> io::Result<Backed> {
    let size = size()?;
    Terminal::new(Pen::new(BufWriter::with_capacity(FRAME, stdout()), size))
}

impl Screen {
    /// Takes the terminal over. It is given back when this is dropped, and also when the program panics.
    pub(super) fn take() -> io::Result<Self> {
        give_back_on_panic();
        // NO_COLOR is honoured by choosing a theme without colours; crossterm's own way of honouring it resets bold and
        // reverse with every colour it leaves out.
        force_color_output(true);
        take()?;
        let terminal = fresh();
        if terminal.is_err() {
            give_back();
        }
        Ok(Self { terminal: ManuallyDrop::new(terminal?) })
    }

    /// Columns and rows.
    pub(super) fn size() -> io::Result<(u16, u16)> {
        size()
    }

    /// Draws a scene: what changed since the last frame, in one write.
    pub(super) fn draw(&mut self, scene: &Scene<'_>) -> io::Result<Drawn> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let (columns, rows) = scene.model.size;
        let (mut placed, mut drawn) = (None, Drawn::Moved);
        self.terminal.draw(|frame| {
            // The window may have changed since the model heard of its size; the next message tells it.
            if frame.area().width == columns && frame.area().height == rows {
                placed = view::draw(scene, frame.buffer_mut());
                let is_small = scene.model.form == Form::TooSmall;
                drawn = if is_small { Drawn::TooSmall } else { Drawn::Whole };
            }
            if let Some(place) = placed.filter(|_| scene.model.takes_text()) {
                frame.set_cursor_position(place);
            }
        })?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()?;
        Ok(drawn)
    }

    /// Rings.
    pub(super) fn ring(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().write_all(b"\x07")?;
        self.terminal.backend_mut().flush()
    }

    /// Lends the terminal to another program, and takes it back.
    pub(super) fn lend<T>(&mut self, to: impl FnOnce() -> T) -> io::Result<T> {
        give_back();
        let result = to();
        take()?;
        // What the other program left on the screen isn't known. A terminal of ratatui's own clears itself by asking where
        // the cursor is, and that answer would go to whoever reads the keys.
        execute!(stdout(), Clear(ClearType::All))?;
        self.terminal = ManuallyDrop::new(fresh()?);
        Ok(result)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
}

/// Gives the terminal back. It may be gone already; there is nobody left to tell then.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}
