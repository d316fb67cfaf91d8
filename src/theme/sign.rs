//! Signs: what carries a meaning without colour. Each is one cell wide everywhere, or, on a terminal that shows ASCII
//! alone, spelled out.

use super::Theme;

/// A meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It holds, or is done.
    Good,
    /// It doesn't hold, or stands in the way.
    Bad,
    /// It wants a look.
    Warn,
    /// It is here, or runs now.
    Here,
}

impl Theme {
    /// The same theme for a terminal that shows ASCII alone.
    pub fn in_ascii(self, is_ascii: bool) -> Self {
        Self { is_ascii, ..self }
    }

    /// Whether nothing but ASCII may be shown.
    pub const fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// How a sign is written.
    pub const fn sign(&self, sign: Sign) -> &'static str {
        match (sign, self.is_ascii) {
            (Sign::Good, true) => "[ok]",
            (Sign::Bad, true) => "[x]",
            (Sign::Warn, true) => "[!]",
            (Sign::Here, true) => ">",
            (Sign::Good, false) => "✓",
            (Sign::Bad, false) => "✗",
            (Sign::Warn, false) => "⚠",
            (Sign::Here, false) => "►",
        }
    }

    /// How it is written where there is room for one cell.
    pub const fn mark(&self, sign: Sign) -> &'static str {
        match (sign, self.is_ascii) {
            (Sign::Good, true) => "+",
            (Sign::Bad, true) => "x",
            (Sign::Warn, true) => "!",
            _ => self.sign(sign),
        }
    }
}
