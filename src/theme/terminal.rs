//! What the environment says of the terminal: how many colours, and whether its background is light.

use super::colour::Depth;

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

/// The theme to load: the one asked for by flag, environment or file, else what suits the terminal. Without colours
/// it is always `mono`: in any other theme the selection would be invisible.
pub fn choose(configured: Option<&str>, env: &dyn Fn(&str) -> Option<String>, depth: Depth) -> String {
    let name = match (depth, configured) {
        (Depth::Mono, _) => "mono",
        (_, Some(name)) => name,
        (Depth::C16, None) => "ansi",
        (Depth::True | Depth::C256, None) if is_light(env) => "default-light",
        (Depth::True | Depth::C256, None) => "default-dark",
    };
    name.to_owned()
}

/// `COLORFGBG` is `fg;bg` or `fg;other;bg`, as numbers among the 16 (rxvt, Konsole): 7 and 9 to 15 are light.
fn is_light(env: &dyn Fn(&str) -> Option<String>) -> bool {
    let background = env("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
    background.is_some_and(|number| matches!(number, 7 | 9..=15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        for (vars, no_color, expected, theme) in [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")][..], false, Depth::True, "default-dark"),
            (&[("TERM", "tmux-256color"), ("COLORFGBG", "0;15")], false, Depth::C256, "default-light"),
            (&[("TERM", "screen-256color"), ("COLORFGBG", "15;default;0")], false, Depth::C256, "default-dark"),
            (&[("TERM", "xterm-256color"), ("COLORFGBG", "x")], false, Depth::C256, "default-dark"),
            (&[("TERM", "xterm-direct")], false, Depth::True, "default-dark"),
            (&[("TERM", "xterm")], false, Depth::C16, "ansi"),
            (&[], false, Depth::C16, "ansi"),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], false, Depth::Mono, "mono"),
            (&[("NO_COLOR", "1"), ("COLORTERM", "24bit")], false, Depth::Mono, "mono"),
            (&[("NO_COLOR", ""), ("COLORTERM", "24bit")], false, Depth::True, "default-dark"),
            (&[("COLORTERM", "24bit")], true, Depth::Mono, "mono"),
        ] {
            let env = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(depth(&env, no_color), expected, "{vars:?}");
            assert_eq!(choose(None, &env, expected), theme, "{vars:?}");
        }
        assert_eq!(choose(Some("mine"), &|_| None, Depth::C16), "mine");
        assert_eq!(choose(Some("mine"), &|_| None, Depth::Mono), "mono");
    }
}
