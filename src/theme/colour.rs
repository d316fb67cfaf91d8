//! Colours as themes write them, and as terminals of different depth can show them.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 24 bit.
    True,
    /// The 256 of xterm.
    C256,
    /// The 16 of the terminal's own palette.
    C16,
    /// None: bold, reverse, underline and dim only.
    Mono,
}

/// The 16 colours by name and number, with what xterm shows for them.
const ANSI: [(&str, Color, [u8; 3]); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("white", Color::Gray, [229, 229, 229]),
    ("bright-black", Color::DarkGray, [127, 127, 127]),
    ("bright-red", Color::LightRed, [255, 0, 0]),
    ("bright-green", Color::LightGreen, [0, 255, 0]),
    ("bright-yellow", Color::LightYellow, [255, 255, 0]),
    ("bright-blue", Color::LightBlue, [92, 92, 255]),
    ("bright-magenta", Color::LightMagenta, [255, 0, 255]),
    ("bright-cyan", Color::LightCyan, [0, 255, 255]),
    ("bright-white", Color::White, [255, 255, 255]),
];

/// The levels of the 6x6x6 cube of the 256 colours.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// A colour at every depth it was given for; the others are computed from the deepest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Colour {
    pub(super) rgb: Option<[u8; 3]>,
    pub(super) c256: Option<u8>,
    /// One of the 16, or the terminal's own default.
    pub(super) c16: Option<Color>,
}

impl Colour {
    /// The colour at this depth.
    pub(super) fn at(self, depth: Depth) -> Option<Color> {
        let indexed = self.c256.map(Color::Indexed);
        match depth {
            Depth::True => self.rgb.map(|[r, g, b]| Color::Rgb(r, g, b)).or(indexed).or(self.c16),
            Depth::C256 => indexed.or_else(|| self.rgb.map(|rgb| Color::Indexed(nearest_256(rgb)))).or(self.c16),
            Depth::C16 => self.c16.or_else(|| self.rgb.or_else(|| self.c256.map(rgb_of)).map(nearest_16)),
            Depth::Mono => None,
        }
    }
}

/// The colour of `#rrggbb`.
pub(super) fn hex(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([r, g, b])
}

/// One of the 16, or `default`.
pub(super) fn named(name: &str) -> Option<Color> {
    let ansi = ANSI.iter().find(|(ansi, ..)| *ansi == name).map(|(_, color, _)| *color);
    ansi.or_else(|| (name == "default").then_some(Color::Reset))
}

/// The names [`named`] knows.
pub(super) fn names<'a>() -> impl Iterator<Item = &'a str> {
    ANSI.iter().map(|(name, ..)| *name).chain(["default"])
}

/// The colour with this number among the 16.
pub(super) fn numbered(number: u8) -> Option<Color> {
    ANSI.get(usize::from(number)).map(|(_, color, _)| *color)
}

/// What xterm shows for one of the 256.
pub(super) fn rgb_of(index: u8) -> [u8; 3] {
    let level = |n: u8| CUBE.get(usize::from(n % 6)).copied().unwrap_or(255);
    match index {
        0..=15 => ANSI.get(usize::from(index)).map_or([0; 3], |(_, _, rgb)| *rgb),
        16..=231 => [level((index - 16) / 36), level((index - 16) / 6), level(index - 16)],
        232.. => [8 + (index - 232) * 10; 3],
    }
}

/// The nearest of the 240 that don't depend on the terminal's palette.
pub(super) fn nearest_256(rgb: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|index| distance(rgb, rgb_of(*index))).unwrap_or(16)
}

/// The one of the 16 with the same hue. By distance alone, every calm colour would be grey.
pub(super) fn nearest_16(rgb: [u8; 3]) -> Color {
    let [r, g, b] = rgb;
    let (least, most) = (r.min(g).min(b), r.max(g).max(b));
    let number = if most - least < 32 {
        match most {
            0..64 => 0,
            64..144 => 8,
            144..224 => 7,
            224.. => 15,
        }
    } else {
        let middle = u8::midpoint(least, most);
        let [red, green, blue] = rgb.map(|channel| u8::from(channel > middle));
        red + 2 * green + 4 * blue + if most >= 224 { 8 } else { 0 }
    };
    numbered(number).unwrap_or(Color::Reset)
}

/// Squared, weighted roughly as eyes do.
fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.into_iter().zip(other).zip([3, 6, 1]).map(|((a, b), weight)| u32::from(a.abs_diff(b)).pow(2) * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_falls_back_to_what_the_terminal_has() {
        let full = Colour { rgb: Some([64, 160, 43]), c256: Some(70), c16: Some(Color::Green) };
        let rgb = Colour { rgb: Some([64, 160, 43]), ..Colour::default() };
        let named = Colour { c16: named("red"), ..Colour::default() };
        for (colour, depth, shown) in [
            (full, Depth::True, Some(Color::Rgb(64, 160, 43))),
            (full, Depth::C256, Some(Color::Indexed(70))),
            (full, Depth::C16, Some(Color::Green)),
            (full, Depth::Mono, None),
            (rgb, Depth::C256, Some(Color::Indexed(70))),
            (rgb, Depth::C16, Some(Color::Green)),
            (named, Depth::True, Some(Color::Red)),
        ] {
            assert_eq!(colour.at(depth), shown, "{colour:?} {depth:?}");
        }
        for (rgb, color) in [
            ([0x94, 0x9a, 0xa5], Color::Gray),
            ([0x82, 0xb1, 0xd4], Color::Cyan),
            ([0xad, 0x2c, 0x28], Color::Red),
            ([0xff, 0xff, 0xff], Color::White),
            ([0xf0, 0xd0, 0x40], Color::LightYellow),
            ([0x10, 0x10, 0x10], Color::Black),
        ] {
            assert_eq!(nearest_16(rgb), color, "{rgb:?}");
        }
        assert_eq!(nearest_256([255, 255, 255]), 231);
        assert_eq!((0..=255).map(rgb_of).filter(|rgb| *rgb == [238; 3]).count(), 1);
    }

    #[test]
    fn what_is_no_colour() {
        for text in ["", "#", "#12345", "#1234567", "#12345g", "#+12345", "greenish", "Green"] {
            assert_eq!((hex(text), named(text)), (None, None), "{text}");
        }
    }
}
