//! The shipped keymaps, and what becomes of a person's own.

use std::fs;
use std::path::Path;

use crate::app::action::{ACTIONS, Action, Context};
use crate::keymap::{BUILT_IN, Key, Keymap, Step};

const PLAN: [Context; 2] = [Context::Plan, Context::Global];

fn keys(spelled: &str) -> Vec<Key> {
    spelled.split(' ').map(|name| Key::parse(name).unwrap()).collect()
}

/// What typing these keys from nothing leads to.
fn typed(keymap: &Keymap, contexts: &[Context], spelled: &str) -> Step {
    let keys = keys(spelled);
    let (last, pending) = keys.split_last().unwrap();
    for length in 0..pending.len() {
        assert!(matches!(keymap.feed(contexts, &pending[..length], pending[length]), Step::Pending(_)), "{spelled}");
    }
    keymap.feed(contexts, pending, *last)
}

/// The keymap of a file that begins with `inherits = "vim"` in its third line, and its problems.
fn own(text: &str) -> (Keymap, Vec<String>) {
    named("me", &format!("schema = 1\nname = \"me\"\ninherits = \"vim\"\n{text}"))
}

fn named(name: &str, text: &str) -> (Keymap, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
    let (keymap, problems) = Keymap::load(name, Some(dir.path()));
    let prefix = format!("{}/", dir.path().display());
    (keymap, problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect())
}

#[test]
fn every_action_has_a_key_in_every_shipped_keymap() {
    for name in ["vim", "emacs"] {
        let (keymap, problems) = Keymap::load(name, None);
        assert_eq!((problems, keymap.name()), (vec![], name));
        let rows = keymap.rows();
        for info in ACTIONS {
            assert!(rows.iter().any(|row| row.action == info.action), "{name} has no key for {}", info.name);
        }
        for row in &rows {
            let contexts = [row.context, Context::Global];
            for keys in &row.keys {
                assert_eq!(typed(&keymap, &contexts, keys), Step::Run(row.action), "{name}: {keys}");
            }
        }
        assert_eq!(keymap.keys_for(Context::Confirm, Action::StageApprove), ["y"]);
        assert_eq!(rows.iter().filter(|row| row.action == Action::StageApprove).count(), 1);
    }
    assert_eq!(BUILT_IN.len(), Keymap::names(None).len());
}

#[test]
fn vim_hands_find_their_keys() {
    let (vim, _) = Keymap::load("vim", None);
    for (contexts, spelled, action) in [
        (&PLAN[..], "g g", Action::ScrollTop),
        (&PLAN, "C-d", Action::ScrollHalfDown),
        (&PLAN, "] u", Action::HunkNextUnread),
        (&PLAN, "Space q", Action::Quit),
        (&PLAN, "x", Action::ContextToggle),
        (&[Context::Gates, Context::Global], "R", Action::GateRerunAll),
        (&[Context::Critique, Context::Global], "R", Action::CritiqueRerun),
        (&[Context::Text, Context::Plan, Context::Global], "C-d", Action::TextSubmit),
        (&[Context::Confirm, Context::Plan, Context::Global], "y", Action::StageApprove),
    ] {
        assert_eq!(typed(&vim, contexts, spelled), Step::Run(action), "{spelled}");
    }
    assert_eq!(vim.keys_for(Context::Global, Action::ScrollDown), ["j", "Down"]);
}

#[test]
fn text_is_text_and_the_sheet_is_closed() {
    let text = [Context::Text, Context::Plan, Context::Global];
    let confirm = [Context::Confirm, Context::Plan, Context::Global];
    let (vim, _) = Keymap::load("vim", None);
    for printable in ["y", "A", "j", "Space", "?", ":"] {
        assert_eq!(typed(&vim, &text, printable), Step::None);
    }
    // Nor does anything of the panes behind work: keys that are typed ahead are inert.
    for outside in ["C-c", "PageDown", "F9", "Tab"] {
        assert_eq!(typed(&vim, &text, outside), Step::None, "{outside}");
    }
    for inert in ["Enter", "Space", "A", "Tab", "D"] {
        assert_eq!(typed(&vim, &confirm, inert), Step::None, "{inert}");
    }
    assert_eq!(typed(&vim, &PLAN, "y"), Step::None);
    let (emacs, _) = Keymap::load("emacs", None);
    assert_eq!(typed(&emacs, &text, "C-c C-c"), Step::Run(Action::TextSubmit));
}

#[test]
fn a_menu_lists_what_goes_on_and_escape_leaves_it() {
    let (vim, _) = Keymap::load("vim", None);
    let Step::Pending(choices) = vim.feed(&PLAN, &[], Key::parse("Space").unwrap()) else { panic!() };
    let shown: Vec<String> = choices.iter().map(|(key, label)| format!("{key} {label}")).collect();
    assert_eq!(
        shown,
        [
            "n new loop",
            "l loops",
            "k calls",
            "p park",
            "c land again",
            "x abandon",
            "t trust",
            "r reload",
            "q quit",
            "f files"
        ]
    );
    assert_eq!(vim.feed(&PLAN, &keys("Space"), Key::parse("Esc").unwrap()), Step::None);
    assert_eq!(vim.feed(&PLAN, &keys("Space"), Key::parse("Z").unwrap()), Step::None);

    let (own, problems) =
        own("[groups]\n\"Space v\" = \"View\"\n[[keys.plan]]\non = \"Space v w\"\nrun = \"wrap.toggle\"\n\
                               [[keys.plan]]\non = \"Space n\"\nrun = \"search.next\"\ndesc = \"match\"\n");
    assert_eq!(problems, [""; 0]);
    let Step::Pending(choices) = own.feed(&PLAN, &[], Key::parse("Space").unwrap()) else { panic!() };
    let shown: Vec<String> = choices.iter().map(|(key, label)| format!("{key} {label}")).collect();
    assert_eq!(
        shown,
        [
            "v View",
            "n match",
            "l loops",
            "k calls",
            "p park",
            "c land again",
            "x abandon",
            "t trust",
            "r reload",
            "q quit",
            "f files"
        ]
    );
}

#[test]
fn a_persons_keys_win_over_inherited_ones() {
    let (keymap, problems) = own("[[keys.global]]\non = [[\"w\"], [\"Z\", \"Z\"], [\"C-x w\"]]\nrun = \"app.quit\"\n\
                                  [[keys.global]]\non = \"j\"\nrun = \"none\"\n[[keys.plan]]\non = \"k\"\nrun = \"none\"\n");
    assert_eq!(problems, [""; 0]);
    for spelled in ["w", "Z Z", "C-x w"] {
        assert_eq!(typed(&keymap, &PLAN, spelled), Step::Run(Action::Quit));
    }
    assert_eq!((typed(&keymap, &PLAN, "j"), typed(&keymap, &PLAN, "k")), (Step::None, Step::None));
    assert_eq!(typed(&keymap, &[Context::Gates, Context::Global], "k"), Step::Run(Action::ScrollUp));
    assert_eq!(keymap.keys_for(Context::Global, Action::WrapToggle), [""; 0]);

    // Unbinding the sequence frees its first key, in whatever order the file says so.
    let (keymap, problems) = own("[[keys.global]]\non = \"g\"\nrun = \"scroll.top\"\n\
                                  [[keys.global]]\non = \"g g\"\nrun = \"none\"\n");
    assert_eq!(problems, [""; 0]);
    assert_eq!(typed(&keymap, &PLAN, "g"), Step::Run(Action::ScrollTop));
}

#[test]
fn clearing_a_context_drops_what_it_inherits() {
    let (keymap, problems) = own("clear = [\"gates\"]\n[[keys.gates]]\non = \"t\"\nrun = \"gate.rerun\"\n");
    assert_eq!(problems, [""; 0]);
    assert_eq!(keymap.keys_for(Context::Gates, Action::GateRerun), ["t"]);
    assert_eq!(keymap.keys_for(Context::Gates, Action::GateLog), [""; 0]);
}

#[test]
fn bad_bindings_are_left_out_and_named() {
    let (clean, _) = own("");
    for (text, expected) in [
        (
            "[[keys.global]]\non = \"Q\"\nrun = \"app.qit\"\n",
            "6:7: unknown action \"app.qit\"; did you mean \"app.quit\"?",
        ),
        ("[[keys.diffs]]\non = \"Q\"\nrun = \"app.quit\"\n", "4:8: unknown context \"diffs\"; did you mean \"diff\"?"),
        ("clear = [\"txt\"]\n", "4:10: unknown context \"txt\"; did you mean \"text\"?"),
        (
            "[[keys.global]]\non = \"Q\"\nrun = \"app.quit\"\nwhen = \"text\"\n",
            "7:1: unknown key \"when\" in [[keys.global]]; known: on, run, desc",
        ),
        ("[[keys.global]]\nrun = \"app.quit\"\n", "4:1: missing key \"on\" in [[keys.global]]; add it"),
        ("[[keys.global]]\non = \"Q\"\n", "4:1: missing key \"run\" in [[keys.global]]; add it"),
        (
            "[[keys.global]]\non = \"QQ\"\nrun = \"app.quit\"\n",
            "5:6: \"QQ\" is not a key; a sequence has spaces: write \"Q Q\"",
        ),
        (
            "[[keys.global]]\non = 1\nrun = \"app.quit\"\n",
            "5:6: \"on\" must be keys such as \"g g\" or [\"g\", \"g\"], not a whole number",
        ),
        ("[[keys.global]]\non = []\nrun = \"app.quit\"\n", "5:6: \"on\" names no key; write one such as \"g g\""),
        ("[[keys.global]]\non = \"C-i\"\nrun = \"app.quit\"\n", "5:6: terminals send \"C-i\" as \"Tab\"; bind \"Tab\""),
        (
            "[[keys.global]]\non = \"Esc q\"\nrun = \"app.quit\"\n",
            "5:6: \"Esc q\": Esc always cancels and can't be part of a sequence; bind another",
        ),
        (
            "[[keys.text]]\non = \"Q\"\nrun = \"text.submit\"\n",
            "5:6: \"Q\" begins with a key that is text in [keys.text]; use Ctrl, Alt or a named key",
        ),
        (
            "[[keys.plan]]\non = \"Q\"\nrun = \"stage.approve\"\n",
            "5:6: \"stage.approve\" can be bound in [keys.confirm] only, where the evidence is on screen",
        ),
        (
            "[[keys.confirm]]\non = \"Enter\"\nrun = \"stage.approve\"\n",
            "5:6: \"stage.approve\" can't be bound to \"Enter\", which is pressed by habit; bind another key",
        ),
        (
            "[[keys.confirm]]\non = \"M-Enter\"\nrun = \"stage.approve\"\n",
            "5:6: \"stage.approve\" can't be bound to \"M-Enter\", which is pressed by habit; bind another key",
        ),
        (
            "[[keys.confirm]]\non = \"C-j\"\nrun = \"stage.approve\"\n",
            "5:6: \"stage.approve\" can't be bound to \"C-j\", which is pressed by habit; bind another key",
        ),
        (
            "[[keys.confirm]]\non = \"Q Q\"\nrun = \"stage.approve\"\n",
            "5:6: \"stage.approve\" can't be bound to a sequence; bind one key",
        ),
        (
            "[[keys.gates]]\non = \"Space\"\nrun = \"gate.override\"\n",
            "5:6: \"gate.override\" can't be bound to \"Space\", which is pressed by habit; bind another key",
        ),
        ("colour = 1\n", "4:1: unknown key \"colour\"; known: schema, name, inherits, clear, groups, keys"),
    ] {
        let (keymap, problems) = own(text);
        assert_eq!(problems, [format!("me.toml:{expected}")], "of {text}");
        if !text.contains("clear") && !text.contains("when") {
            assert_eq!(keymap, clean, "of {text}");
        }
    }
}

#[test]
fn conflicts_name_both_sides() {
    let vim = include_str!("../../keymaps/vim.toml");
    let line = vim.lines().position(|line| line == "on = \"g g\"").unwrap() + 1;
    let (keymap, problems) = own("[[keys.global]]\non = \"g\"\nrun = \"scroll.bottom\"\n");
    assert_eq!(
        problems,
        [format!(
            "me.toml:5:6: conflict in [keys.global]: \"g\" is also the start of \"g g\" (scroll.top), inherited from \
             vim.toml:{line}, which is lost; rebind one, or set run = \"none\" for it"
        )]
    );
    assert_eq!(typed(&keymap, &PLAN, "g"), Step::Run(Action::ScrollBottom));

    let (keymap, problems) =
        own("[[keys.plan]]\non = \"Q\"\nrun = \"scroll.top\"\n[[keys.plan]]\non = \"Q Q\"\nrun = \"app.quit\"\n\
                                  [[keys.plan]]\non = \"Q\"\nrun = \"app.quit\"\n");
    assert_eq!(
        problems,
        [
            "me.toml:8:6: conflict in [keys.plan]: \"Q Q\" begins with \"Q\" (scroll.top) in line 5; rebind one",
            "me.toml:11:6: \"Q\" is bound twice in [keys.plan], first in line 5; remove one"
        ]
    );
    assert_eq!(typed(&keymap, &PLAN, "Q"), Step::Run(Action::ScrollTop));
}

#[test]
fn keys_that_may_not_arrive_work_and_are_named() {
    let (keymap, problems) = own("[[keys.global]]\non = \"C-b\"\nrun = \"app.quit\"\n");
    assert_eq!(
        problems,
        ["me.toml:5:6: \"C-b\" is the prefix key of tmux and doesn't get through it; bind another key as well"]
    );
    assert_eq!(typed(&keymap, &PLAN, "C-b"), Step::Run(Action::Quit));
}

#[test]
fn there_is_always_a_keymap() {
    let (vim, _) = Keymap::load("vim", None);
    let (keymap, problems) = Keymap::load("vmi", Some(Path::new("/nonexistent")));
    assert_eq!(keymap, vim);
    assert_eq!(problems[0].to_string(), "keymap: there is no keymap called \"vmi\"; did you mean \"vim\"?");
    let (keymap, problems) = named("me", "schema = 1\n[[keys.global]\n");
    assert_eq!(keymap, vim);
    assert!(problems[0].starts_with("me.toml:2:"), "{problems:?}");

    let (_, problems) = named("me", "schema = 1\n[[keys.global]]\non = \"Q\"\nrun = \"app.quit\"\n");
    assert_eq!(problems.len(), 8);
    assert_eq!(
        problems[0],
        "me.toml: no key is left for \"decision.open\" in [keys.global]; bind one, or inherit \"vim\""
    );
}
