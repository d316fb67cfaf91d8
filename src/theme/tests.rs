//! The shipped themes: complete, readable; and what becomes of a person's own.

mod samples;

use std::fs;

use ratatui::style::{Color, Modifier};

use super::{BUILT_IN, Depth, Scope, Theme};

const DEPTHS: [Depth; 4] = [Depth::True, Depth::C256, Depth::C16, Depth::Mono];

fn named(name: &str, text: &str, depth: Depth) -> (Theme, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
    let (theme, problems) = Theme::load(name, Some(dir.path()), depth);
    let prefix = format!("{}/", dir.path().display());
    (theme, problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect())
}

#[test]
fn every_scope_resolves_in_every_shipped_theme() {
    for (name, _) in BUILT_IN {
        for depth in DEPTHS {
            let (theme, problems) = Theme::load(name, None, depth);
            assert_eq!((theme.name(), problems), (*name, vec![]));
            assert_eq!(theme.is_mono(), *name == "mono" || depth == Depth::Mono, "{name} {depth:?}");
            for (index, scope) in Scope::ALL.iter().enumerate() {
                assert_eq!(theme.style(*scope), theme.styles[index], "{}", scope.name());
            }
            if depth == Depth::Mono && *name != "mono" {
                continue;
            }
            // What a person must be able to tell apart, whatever the depth.
            for (one, other) in [
                (Scope::Text, Scope::Selection),
                (Scope::Text, Scope::Match),
                (Scope::Pane, Scope::PaneFocused),
                (Scope::Tab, Scope::TabActive),
                (Scope::GatePass, Scope::GateFail),
                (Scope::CritiqueBlocker, Scope::CritiqueMajor),
                (Scope::CritiqueMajor, Scope::CritiqueMinor),
                (Scope::DiffPlus, Scope::DiffMinus),
                (Scope::DecisionSafe, Scope::DecisionDanger),
                (Scope::CostOk, Scope::CostOver),
            ] {
                let styles = (theme.style(one), theme.style(other));
                assert_ne!(styles.0, styles.1, "{name} {depth:?}: {} {}", one.name(), other.name());
            }
            // Lists stand in popups.
            let selected = theme.style(Scope::Selection);
            let plain = theme.style(Scope::Popup).bg.or(theme.ground().bg);
            let is_seen = selected.add_modifier.contains(Modifier::REVERSED) || selected.bg != plain;
            assert!(is_seen, "{name} {depth:?}: what is selected in a popup");
        }
    }
}

#[test]
fn a_theme_inherits_palette_and_scopes_by_name() {
    let text = "schema = 1\ninherits = \"default-dark\"\nsyntax = \"Nord\"\n[palette]\naccent = \"#ffffff\"\n\
                [scopes]\n\"gate.pass\" = { fg = \"cyan\", mods = [\"dim\"] }\n";
    let (theme, problems) = named("me", text, Depth::True);
    let (dark, _) = Theme::load("default-dark", None, Depth::True);
    assert_eq!((theme.name(), theme.syntax(), problems), ("me", "Nord", vec![]));
    assert_eq!(theme.style(Scope::FooterKey).fg, Some(Color::Rgb(255, 255, 255)));
    assert_eq!(theme.style(Scope::GatePass).fg, dark.style(Scope::MarkupRaw).fg);
    assert_eq!(theme.style(Scope::GatePass).add_modifier, Modifier::DIM);
    assert_eq!(theme.style(Scope::GateFail), dark.style(Scope::GateFail));
    assert_eq!(named("me", text, Depth::C16).0.syntax(), "ansi");
}

#[test]
fn an_unset_scope_looks_like_its_parent() {
    let text = "schema = 1\n[scopes]\ndiff = \"red\"\n\"diff.plus\" = \"green\"\n";
    let (theme, problems) = named("me", text, Depth::True);
    assert_eq!(problems, [""; 0]);
    assert_eq!(theme.style(Scope::DiffPlusEmph).fg, Some(Color::Green));
    assert_eq!(theme.style(Scope::DiffMinusEmph).fg, Some(Color::Red));
    assert_eq!(theme.style(Scope::Text).fg, None);
}

#[test]
fn a_broken_theme_loads_and_says_what_is_wrong() {
    for (text, expected) in [
        ("[scopes]\n\"gate.pas\" = \"red\"\n", "4:1: unknown scope \"gate.pas\"; did you mean \"gate.pass\"?"),
        ("[scopes]\n\"gate.pass\" = \"gren\"\n", "4:15: unknown colour \"gren\"; did you mean \"green\"?"),
        ("[scopes]\n\"gate.pass\" = \"#12\"\n", "4:15: \"#12\" is not a colour; write six digits: \"#rrggbb\""),
        (
            "[scopes]\n\"gate.pass\" = 4\n",
            "4:15: \"gate.pass\" in [scopes] must be a colour: a name, \"#rrggbb\" or { rgb, c256, c16 }, not a whole number",
        ),
        (
            "[scopes]\n\"gate.pass\" = { fg = \"red\", md = [] }\n",
            "4:29: unknown key \"md\" in [scopes.gate.pass]; known: fg, bg, mods",
        ),
        (
            "[scopes]\n\"gate.pass\" = { mods = [\"bald\"] }\n",
            "4:25: unknown modifier \"bald\"; did you mean \"bold\"?",
        ),
        ("[palette]\nx = { rgb = \"red\" }\n", "4:13: \"red\" is not a colour; write six digits: \"#rrggbb\""),
        ("[palette]\nx = { c256 = 256 }\n", "4:14: \"c256\" in [palette.x] must be from 0 to 255, not 256"),
        ("[palette]\nx = { c16 = \"gren\" }\n", "4:13: unknown colour \"gren\"; did you mean \"green\"?"),
        ("variant = \"drak\"\n", "3:11: unknown variant \"drak\"; did you mean \"dark\"?"),
        ("syntax = \"Norde\"\n", "3:10: unknown syntax theme \"Norde\"; did you mean \"Nord\"?"),
        (
            "colours = 1\n",
            "3:1: unknown key \"colours\"; known: schema, name, inherits, variant, license, syntax, palette, scopes",
        ),
    ] {
        let (theme, problems) = named("me", &format!("schema = 1\ninherits = \"mono\"\n{text}"), Depth::True);
        assert_eq!(problems, [format!("me.toml:{expected}")], "of {text}");
        assert_eq!(theme.style(Scope::Selection).add_modifier, Modifier::REVERSED);
    }
    let (_, problems) = named("me", "schema = 1\n[palette]\nx = \"gren\"\n", Depth::True);
    assert!(problems[0].starts_with("me.toml:3:5: \"gren\" is not a colour; write \"#rrggbb\" or one of black, red"));
}

#[test]
fn syntax_colours_fit_the_terminal() {
    let at = |depth| Theme::load("default-dark", None, depth).0;
    assert_eq!(at(Depth::True).syntax_color([64, 160, 43, 255]), Some(Color::Rgb(64, 160, 43)));
    assert_eq!(at(Depth::C256).syntax_color([64, 160, 43, 255]), Some(Color::Indexed(70)));
    assert_eq!(at(Depth::C16).syntax_color([2, 0, 0, 0]), Some(Color::Green));
    assert_eq!(at(Depth::C16).syntax_color([0, 0, 0, 1]), None);
    assert_eq!(at(Depth::Mono).syntax_color([64, 160, 43, 255]), None);
}

#[test]
fn there_is_always_a_theme() {
    let (theme, problems) = Theme::load("default-drak", None, Depth::True);
    assert_eq!(theme.name(), "ansi");
    assert_eq!(
        problems[0].to_string(),
        "theme: there is no theme called \"default-drak\"; did you mean \"default-dark\"?"
    );
}
