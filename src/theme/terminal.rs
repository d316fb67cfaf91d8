//! What the environment says of the terminal: how many colours, and whether its background is light.

use super::colour::Depth;
use super::contrast::contrast;

/// How many colours to use. `no_color` is the flag; `NO_COLOR` says the same.
pub fn depth(env: &dyn Fn(&str) -> Option<String>, no_color: bool) -> Depth {
    let set = |name: &str| env(name).unwrap_or_default();
    let term = set("TERM");
    if no_color || !set("NO_COLOR").is_empty() || term == "dumb" {
        Depth::Mono
    } else if matches!(set("COLORTERM").as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        Depth::True
    } else if term.ends_with("256color") {
        Depth::C256
    } else {
        Depth::C16
    }
}

/// What is behind the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Light text is readable on it.
    Dark,
    /// Dark text is.
    Light,
}

impl Background {
    /// What this colour is as a background.
    pub fn of(rgb: [u8; 3]) -> Self {
        if contrast(rgb, [0; 3]) > contrast(rgb, [255; 3]) { Self::Light } else { Self::Dark }
    }
}

/// The theme to load: the one asked for by flag, environment or file, else what suits the background, as the terminal
/// says it or else `COLORFGBG`; else `ansi`, which is readable on any. Without colours it is always `mono`: in any other
/// theme the selection would be invisible.
pub fn choose(
    configured: Option<&str>,
    background: Option<Background>,
    env: &dyn Fn(&str) -> Option<String>,
    depth: Depth,
) -> String {
    let name = match (depth, configured) {
        (Depth::Mono, _) => "mono",
        (_, Some(name)) => name,
        (Depth::C16, None) => "ansi",
        (Depth::True | Depth::C256, None) => match background.or_else(|| of_environment(env)) {
            Some(Background::Light) => "default-light",
            Some(Background::Dark) => "default-dark",
            None => "ansi",
        },
    };
    name.to_owned()
}

/// `COLORFGBG` is `fg;bg` or `fg;other;bg`, as numbers among the 16 (rxvt, Konsole): 7 and 9 to 15 are light.
fn of_environment(env: &dyn Fn(&str) -> Option<String>) -> Option<Background> {
    match env("COLORFGBG")?.rsplit(';').next()?.parse::<u8>().ok()? {
        7 | 9..=15 => Some(Background::Light),
        0..=6 | 8 => Some(Background::Dark),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        for (vars, no_color, expected, theme) in [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")][..], false, Depth::True, "ansi"),
            (&[("TERM", "tmux-256color"), ("COLORFGBG", "0;15")], false, Depth::C256, "default-light"),
            (&[("TERM", "screen-256color"), ("COLORFGBG", "15;default;0")], false, Depth::C256, "default-dark"),
            (&[("TERM", "xterm-256color"), ("COLORFGBG", "x")], false, Depth::C256, "ansi"),
            (&[("TERM", "xterm-direct")], false, Depth::True, "ansi"),
            (&[("TERM", "xterm")], false, Depth::C16, "ansi"),
            (&[], false, Depth::C16, "ansi"),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], false, Depth::Mono, "mono"),
            (&[("NO_COLOR", "1"), ("COLORTERM", "24bit")], false, Depth::Mono, "mono"),
            (&[("NO_COLOR", ""), ("COLORTERM", "24bit")], false, Depth::True, "ansi"),
            (&[("COLORTERM", "24bit")], true, Depth::Mono, "mono"),
        ] {
            let env = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(depth(&env, no_color), expected, "{vars:?}");
            assert_eq!(choose(None, None, &env, expected), theme, "{vars:?}");
        }
        let chosen =
            |configured, background, depth| choose(configured, background, &|_| Some("15;0".to_owned()), depth);
        assert_eq!(chosen(Some("mine"), Some(Background::Light), Depth::C16), "mine");
        assert_eq!(chosen(Some("mine"), None, Depth::Mono), "mono");
        assert_eq!(chosen(None, Some(Background::Light), Depth::True), "default-light");
        assert_eq!(chosen(None, Some(Background::Dark), Depth::C256), "default-dark");
        assert_eq!(chosen(None, None, Depth::True), "default-dark");
        assert_eq!((Background::of([0x1e; 3]), Background::of([0xef; 3])), (Background::Dark, Background::Light));
    }
}
