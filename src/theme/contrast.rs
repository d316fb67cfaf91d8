//! How readable a theme is: contrast as WCAG 2.2 defines it, of every scope on every background it is drawn on.

use ratatui::style::Color;

use super::colour::rgb_of;
use super::{Scope, Theme, Variant};

/// The least contrast of text: WCAG 2.2, success criterion 1.4.3.
const LEAST: f64 = 4.5;

/// Text that is hard to read.
#[derive(Debug, Clone, PartialEq)]
pub struct Poor {
    /// What is drawn.
    pub scope: Scope,
    /// On which background: the scope that gives it.
    pub on: Scope,
    /// The contrast, from 1 to 21.
    pub ratio: f64,
}

impl Theme {
    /// The scopes whose text is hard to read: a contrast of less than 4.5. A theme that sets no background of its own is
    /// judged on the usual one of its variant; colours that the terminal decides can't be judged.
    pub fn poor(&self) -> Vec<Poor> {
        let (ground, text) = match self.variant {
            Variant::Dark => ([0x1e; 3], [0xd4; 3]),
            Variant::Light => ([0xff; 3], [0x1f; 3]),
            Variant::Any => return Vec::new(),
        };
        let (ground, text) = (rgb(self.ground.bg).unwrap_or(ground), rgb(self.ground.fg).unwrap_or(text));
        let mut poor = Vec::new();
        for scope in Scope::ALL.iter().copied() {
            let style = self.style(scope);
            let fg = rgb(style.fg).unwrap_or(text);
            let mut check = |on: Scope, fg: [u8; 3], bg: [u8; 3]| {
                let ratio = contrast(fg, bg);
                if ratio < LEAST {
                    poor.push(Poor { scope, on, ratio });
                }
            };
            match style.bg {
                Some(bg) => {
                    let bg = rgb(Some(bg)).unwrap_or(ground);
                    check(scope, fg, bg);
                    // Code has its own foreground, so plain text must be readable on every background too.
                    check(scope, text, bg);
                }
                None => {
                    check(Scope::Text, fg, ground);
                    // What is selected or stands in a popup keeps its own colour.
                    for on in [Scope::Selection, Scope::Popup] {
                        check(on, fg, rgb(self.style(on).bg).unwrap_or(ground));
                    }
                }
            }
        }
        poor
    }
}

/// What a colour is; none if the terminal's palette decides.
fn rgb(color: Option<Color>) -> Option<[u8; 3]> {
    match color? {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index @ 16..) => Some(rgb_of(index)),
        _ => None,
    }
}

/// How light a colour is, from 0 to 1: the relative luminance of WCAG 2.2.
pub(super) fn luminance(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = rgb.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The contrast of two colours: 1 to 21.
pub(super) fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// A channel of sRGB as light.
fn linear(byte: u8) -> f64 {
    let c = f64::from(byte) / 255.0;
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{BUILT_IN, Depth};

    #[test]
    fn black_on_white_is_21_and_a_colour_on_itself_1() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([7, 8, 9], [7, 8, 9]) - 1.0).abs() < 1e-9);
        // WCAG's own example of a grey that just passes on white.
        assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_shipped_theme_is_readable() {
        for (name, _) in BUILT_IN {
            for depth in [Depth::True, Depth::C256] {
                let poor: Vec<String> = Theme::load(name, None, depth)
                    .0
                    .poor()
                    .iter()
                    .map(|poor| format!("{} on {} {:.2}", poor.scope.name(), poor.on.name(), poor.ratio))
                    .collect();
                assert_eq!(poor, [""; 0], "{name} {depth:?}");
            }
        }
    }

    /// Linear light as a person without one kind of cone sees it: Viénot, Brettel and Mollon 1999.
    fn seen(rgb: [u8; 3], without_red: bool) -> [f64; 3] {
        let [r, g, b] = rgb.map(linear);
        let (l, m, s) = (
            17.8824 * r + 43.5161 * g + 4.11935 * b,
            3.45565 * r + 27.1554 * g + 3.86714 * b,
            0.0299566 * r + 0.184309 * g + 1.46709 * b,
        );
        let (l, m) = if without_red { (2.02344 * m - 2.52581 * s, m) } else { (l, 0.494207 * l + 1.24827 * s) };
        [
            0.0809445 * l - 0.130504 * m + 0.116721 * s,
            -0.0102485 * l + 0.0540194 * m - 0.113615 * s,
            -0.000365294 * l - 0.00412163 * m + 0.693513 * s,
        ]
    }

    #[test]
    fn good_and_bad_differ_for_eyes_that_do_not_tell_red_from_green() {
        let apart = |theme: &Theme, one: Scope, other: Scope, without_red: bool| {
            let look = |scope| seen(rgb(theme.style(scope).fg).unwrap(), without_red);
            let hue = |[r, g, b]: [f64; 3]| (b - (r + g) / 2.0) / (r + g + b);
            (hue(look(one)) - hue(look(other))).abs()
        };
        let pairs = [
            (Scope::DiffPlus, Scope::DiffMinus),
            (Scope::GatePass, Scope::GateFail),
            (Scope::DecisionSafe, Scope::DecisionDanger),
            (Scope::HunkAccepted, Scope::HunkRejected),
            (Scope::StageApproved, Scope::StageRejected),
        ];
        for (one, other) in pairs {
            for without_red in [true, false] {
                for name in ["cvd-dark", "cvd-light"] {
                    let (theme, _) = Theme::load(name, None, Depth::True);
                    let apart = apart(&theme, one, other, without_red);
                    assert!(apart > 0.4, "{name} {} {}: {apart:.2}", one.name(), other.name());
                }
                // Which is why these themes are there.
                let (usual, _) = Theme::load("default-dark", None, Depth::True);
                assert!(apart(&usual, one, other, without_red) < 0.4);
            }
        }
    }
}
