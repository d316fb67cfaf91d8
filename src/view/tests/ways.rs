//! Finding one's way: help, palette, "what next" and the choice of colours, as a person at the keyboard sees them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ratatui::style::Color;

use super::stand::{PLAN_CRITIQUE, Stand, typed_in as type_in};
use crate::app::action::{ACTIONS, Action};
use crate::app::{Help, HelpKind, Msg, Offered, Overlay, Request, SIGNS, update};
use crate::domain::{Timestamp, Verdict};
use crate::keymap::Keymap;
use crate::theme::{Depth, Scope, Theme};

fn words(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_action_is_in_help_and_in_the_palette() {
    for keymap in ["vim", "emacs"] {
        let mut stand = Stand::at((120, 35), 0);
        stand.model.keys = Keymap::load(keymap, None).0.rows();
        let lines = Help::default().lines(&stand.model, 80);
        for info in ACTIONS {
            let rows: Vec<_> = stand.model.keys.iter().filter(|row| row.action == info.action).collect();
            assert!(!rows.is_empty(), "{keymap}: {}", info.name);
            for row in rows {
                let shown = lines.iter().any(|line| row.desc.starts_with(&line.text) && !line.text.is_empty());
                assert!(shown, "{keymap}: help has no {:?}", row.desc);
            }
        }
    }
    for info in ACTIONS {
        let mut stand = Stand::at((200, 50), 0);
        stand.press(&[":"]);
        type_in(&mut stand, info.name);
        let screen = words(&stand.screen());
        assert!(screen.contains(&format!("{}. {}, key ", info.doc, info.name)), "{}: {screen}", info.name);
    }
}

#[test]
fn nothing_in_help_is_cut_at_any_width() {
    for size in [(40, 12), (80, 24), (200, 50)] {
        let mut stand = Stand::at(size, 0);
        stand.model.host.warnings =
            vec![format!("/home/ada/.config/windlass/keymaps/me.toml:5:7: {}", "long ".repeat(30))];
        stand.press(&["?"]);
        let mut seen = String::new();
        for _ in 0..400 {
            let screen = stand.screen();
            // The columns and rows between title, filter and foot.
            let (skipped, room) = (usize::from(size.0.saturating_sub(84) / 2), usize::from(size.0.min(84)));
            let inside = |row: &str| row.chars().skip(skipped).take(room).collect::<String>();
            let rows: Vec<String> = screen.lines().map(inside).collect();
            let top = rows.iter().position(|row| row.contains("narrows this list down")).unwrap();
            seen.push_str(&format!("{}\n", rows[top + 1].trim()));
            let before = stand.screen();
            stand.press(&["j"]);
            if stand.screen() == before {
                seen.push_str(&rows[top + 2..].join("\n"));
                break;
            }
        }
        let seen = words(&seen);
        for row in &stand.model.keys {
            assert!(seen.contains(&words(&row.desc)), "{size:?}: {:?}", row.desc);
        }
        for (sign, means) in SIGNS {
            assert!(seen.contains(&format!("{sign} {means}")), "{size:?}: {sign}");
        }
        assert!(seen.contains("me.toml:5:7: long long") || size.0 == 40, "{seen}");
        // From the end, one key up is one row up.
        stand.press(&["G"]);
        let end = stand.screen();
        stand.press(&["k"]);
        assert_ne!(stand.screen(), end);
    }
}

#[test]
fn help_narrows_down_and_widens_again() {
    let mut stand = Stand::at((80, 24), 0);
    stand.press(&["?", "/"]);
    type_in(&mut stand, "next unread");
    let screen = stand.screen();
    assert!(!screen.contains("decision sheet"), "{screen}");
    type_in(&mut stand, "zz");
    assert!(stand.screen().contains("nothing matches"));
    stand.press(&["Esc"]);
    assert!(stand.screen().contains("Open the decision sheet"));
    // Keys are text while the filter is typed, and keys again after Enter.
    stand.press(&["/", "q", "u", "i", "t", "Enter"]);
    assert!(stand.screen().contains("Space q"));
    stand.press(&["q"]);
    assert!(stand.screen().contains("Open the decision sheet"), "the filter goes first");
    stand.press(&["q"]);
    assert!(stand.model.overlays.is_empty());
    let mut stand = Stand::at((80, 24), 0);
    stand.press(&["?", "/"]);
    stand.tell(Msg::Paste("stale\n".to_owned()));
    let Some(Overlay::Help(help)) = stand.model.overlays.last() else { panic!() };
    let lines = help.lines(&stand.model, 80);
    assert!(lines.iter().any(|line| line.kind == HelpKind::Heading && line.text == "Signs"), "{lines:?}");
}

#[test]
fn every_sign_on_a_screen_is_in_the_legend() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/view/tests/snapshots");
    let mut signs = BTreeSet::new();
    for file in fs::read_dir(dir).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        signs.extend(text.chars().filter(|c| !c.is_ascii()));
    }
    let known: String = SIGNS.iter().map(|(sign, _)| *sign).collect();
    let unknown: Vec<char> = signs.into_iter().filter(|c| !known.contains(*c)).collect();
    assert!(unknown.is_empty(), "signs that nobody explains: {unknown:?}");
}

#[test]
fn the_palette_finds_by_letters_and_says_why_not() {
    let mut stand = Stand::at((80, 24), 0);
    stand.press(&[":"]);
    type_in(&mut stand, "hnu");
    assert!(stand.screen().contains("Go to the next part or finding not on screen yet. hunk.next-unread, key ] u"));
    let mut stand = Stand::at((40, 12), 0);
    stand.press(&[":"]);
    type_in(&mut stand, "decision.open");
    let screen = words(&stand.screen());
    assert!(screen.contains("key A not now: no stage waits for a decision"), "{screen}");
    stand.press(&["Enter"]);
    assert!(stand.screen().contains("not now: no stage waits for a decision"));
    // What approves is named, and can't be run from here.
    let mut stand = Stand::awaiting((120, 35), 1, "no findings");
    let before = stand.approvals;
    stand.press(&[":"]);
    type_in(&mut stand, "stage.approve");
    assert!(stand.screen().contains("not now: it is decided on the decision sheet only"));
    stand.press(&["Enter", "Esc"]);
    stand.press(&[":"]);
    type_in(&mut stand, "zoom");
    stand.press(&["Enter"]);
    assert!(stand.model.zoomed && stand.approvals == before);
}

#[test]
fn what_next_names_the_key_in_every_state() {
    let says = |stand: &mut Stand, expected: &str| {
        stand.press(&["."]);
        let told = stand.model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
        assert!(told.contains(expected), "{told:?} has no {expected:?}");
    };
    says(&mut Stand::new((80, 24)), "Space n begins a loop");
    let mut stand = Stand::at((80, 24), 0);
    says(&mut stand, "D sends the list to the author");
    stand.model.state.trusted.clear();
    says(&mut stand, "Space t shows them");
    let mut stand = Stand::awaiting((80, 24), 1, PLAN_CRITIQUE);
    says(&mut stand, "] u goes to the next");
    stand.read();
    says(&mut stand, "a blocker is open: A, then r sends it back; or 3, d sets it aside");
    let mut stand = Stand::at((80, 24), 2);
    stand.draft();
    says(&mut stand, "read on while critic and gates work");
    stand.critique("no findings");
    for gate in ["plan-files", "weakening", "size-budget", "lint"] {
        stand.ran(gate, Verdict::Pass, "");
    }
    stand.ran("tests", Verdict::Fail, "exit 1");
    stand.read();
    says(&mut stand, "gate tests is in the way: 4, then r reruns it or O overrides it");
    let mut stand = Stand::awaiting((80, 24), 1, "no findings");
    stand.read();
    says(&mut stand, "nothing is in the way: A, then y approves");
    stand.approve();
    stand.press(&["{"]);
    says(&mut stand, "q goes back to the open one");
    stand.tell(Msg::Act(Action::Back));
    stand.model.host.reads_only = true;
    says(&mut stand, "nothing is waited for here");
}

#[test]
fn themes_are_shown_as_one_moves_and_kept_or_not() {
    let mut stand = Stand::at((80, 24), 0);
    assert!(stand.model.unavailable(Action::ThemePick).is_some(), "there are none without colours");
    let theme = |name: &str| Offered { name: name.to_owned(), about: "dark".to_owned() };
    stand.model.host.themes = ["ansi", "cvd-dark", "mono"].map(theme).into();
    stand.model.host.theme = "ansi".to_owned();
    stand.model.host.config_file = Some("/home/ada/.config/windlass/config.toml".to_owned());
    let mut give = |msg: Msg| -> Vec<String> {
        let requests = update(&mut stand.model, msg, Timestamp(1));
        let shown = requests.into_iter().map(|request| match request {
            Request::ShowTheme(name) => name,
            other => panic!("{other:?}"),
        });
        shown.collect()
    };
    let down = || Msg::Input(tui_textarea::Input { key: tui_textarea::Key::Down, ..Default::default() });
    let enter = || Msg::Input(tui_textarea::Input { key: tui_textarea::Key::Enter, ..Default::default() });
    assert_eq!(give(Msg::Act(Action::ThemePick)), [""; 0]);
    assert_eq!(give(down()), ["cvd-dark"]);
    assert_eq!(give(down()), ["mono"]);
    assert_eq!(give(Msg::Act(Action::Back)), ["ansi"]);
    give(Msg::Act(Action::ThemePick));
    give(down());
    assert_eq!(give(enter()), ["cvd-dark"]);
    assert_eq!(stand.model.host.theme, "cvd-dark");
    let screen = words(&stand.screen());
    assert!(screen.contains("[ui] theme = \"cvd-dark\" in /home/ada/.config/windlass/config.toml"), "{screen}");
}

#[test]
fn a_theme_with_a_background_of_its_own_leaves_no_hole_in_it() {
    for name in ["catppuccin-latte", "cvd-dark"] {
        let mut stand = Stand::awaiting((80, 24), 2, "no findings");
        stand.theme = Theme::load(name, None, Depth::True).0;
        for keys in [&[][..], &[":"], &["Esc", "?"], &["Esc", "Space"]] {
            stand.press(keys);
            let buf = stand.buffer();
            let holes = buf.content.iter().filter(|cell| cell.bg == Color::Reset || cell.fg == Color::Reset);
            assert_eq!(holes.count(), 0, "{name} {keys:?}");
        }
        // Text in a popup stands on the popup, not on patches of the ground.
        let mut stand = Stand::at((80, 24), 0);
        stand.theme = Theme::load(name, None, Depth::True).0;
        stand.press(&[":"]);
        let buf = stand.buffer();
        let popup = stand.theme.style(Scope::Popup).bg.unwrap();
        assert!((1..79).all(|x| buf[(x, 8)].bg == popup), "{name}");
    }
}
