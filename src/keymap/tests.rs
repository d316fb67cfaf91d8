//! The shipped keymaps, and what becomes of a person's own.

mod readme;
mod samples;

use std::fs;
use std::path::Path;

use crate::app::Fact;
use crate::app::action::{ACTIONS, Action, Context};
use crate::keymap::{BUILT_IN, Key, Keymap, Meaning, Menu, Step};

const PLAN: [Context; 2] = [Context::Plan, Context::Global];

fn keys(spelled: &str) -> Vec<Key> {
    spelled.split(' ').map(|name| Key::parse(name).unwrap()).collect()
}

/// A moment at which no fact holds.
fn nothing(_: Fact) -> u64 {
    0
}

/// What typing these keys from nothing leads to.
fn typed(keymap: &Keymap, contexts: &[Context], spelled: &str) -> Step {
    let keys = keys(spelled);
    let (last, pending) = keys.split_last().unwrap();
    for length in 0..pending.len() {
        let step = keymap.feed(contexts, &nothing, &pending[..length], pending[length]);
        assert!(matches!(step, Step::Pending(_)), "{spelled}");
    }
    keymap.feed(contexts, &nothing, pending, *last)
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
    let Step::Pending(Menu { title, choices }) = vim.feed(&PLAN, &nothing, &[], Key::parse("Space").unwrap()) else {
        panic!()
    };
    let shown: Vec<String> = choices.iter().map(|(key, label)| format!("{key} {label}")).collect();
    assert_eq!(
        shown,
        [
            "n new loop",
            "l loops",
            "k calls",
            "h revisions",
            "s what happened",
            "p park",
            "c land again",
            "x abandon",
            "t trust",
            "r reload",
            "T themes",
            "m models",
            "q quit",
            "f files"
        ]
    );
    assert_eq!(title, "Space  Menu");
    assert_eq!(vim.feed(&PLAN, &nothing, &keys("Space"), Key::parse("Esc").unwrap()), Step::None);
    assert_eq!(vim.feed(&PLAN, &nothing, &keys("Space"), Key::parse("Z").unwrap()), Step::None);

    let (own, problems) =
        own("[groups]\n\"Space v\" = \"View\"\n[[keys.plan]]\non = \"Space v w\"\nrun = \"wrap.toggle\"\n\
                               [[keys.plan]]\non = \"Space n\"\nrun = \"search.next\"\ndesc = \"match\"\n");
    assert_eq!(problems, [""; 0]);
    let Step::Pending(Menu { choices, .. }) = own.feed(&PLAN, &nothing, &[], Key::parse("Space").unwrap()) else {
        panic!()
    };
    let shown: Vec<String> = choices.iter().map(|(key, label)| format!("{key} {label}")).collect();
    assert_eq!(
        shown,
        [
            "v View",
            "n match",
            "l loops",
            "k calls",
            "h revisions",
            "s what happened",
            "p park",
            "c land again",
            "x abandon",
            "t trust",
            "r reload",
            "T themes",
            "m models",
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
            "[[keys.global]]\non = \"Q\"\nrun = \"app.quit\"\nonce = \"text\"\n",
            "7:1: unknown key \"once\" in [[keys.global]]; known: on, run, desc, when, override",
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
        (
            "[[keys.global]]\non = \"Q\"\nrun = \"app.quit\"\nwhen = \"bussy\"\n",
            "7:8: unknown fact \"bussy\"; did you mean \"busy\"?",
        ),
        (
            "[[keys.confirm]]\non = \"Q\"\nrun = \"stage.approve-all\"\n",
            "6:7: there is no action \"stage.approve-all\": a key approves one stage, with \"stage.approve\" in [keys.confirm]",
        ),
        (
            "[[keys.confirm]]\non = \"Q\"\nrun = [\"stage.approve\", \"stage.approve\"]\n",
            "6:7: \"run\" in [[keys.confirm]] must be a string, not an array",
        ),
        ("colour = 1\n", "4:1: unknown key \"colour\"; known: schema, name, inherits, clear, groups, keys"),
    ] {
        let (keymap, problems) = own(text);
        assert_eq!(problems, [format!("me.toml:{expected}")], "of {text}");
        if !text.contains("clear") && !text.contains("once") {
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
            "me.toml:11:6: \"Q\" is bound twice in [keys.plan], first in line 5; remove one, or give one a \"when\""
        ]
    );
    assert_eq!(typed(&keymap, &PLAN, "Q"), Step::Run(Action::ScrollTop));
}

#[test]
fn a_condition_decides_which_of_two_bindings_counts() {
    let (keymap, problems) =
        own("[[keys.global]]\non = \"w\"\nrun = \"gate.rerun\"\nwhen = \"!text && failing > 0\"\n\
                                  [[keys.plan]]\non = \"Q\"\nrun = \"app.quit\"\nwhen = \"!busy\"\n");
    assert_eq!(problems, [""; 0]);
    let step = |failing, busy, key: &str| {
        let facts = move |fact| match fact {
            Fact::Failing => failing,
            Fact::Busy => busy,
            _ => 0,
        };
        keymap.feed(&PLAN, &facts, &[], Key::parse(key).unwrap())
    };
    assert_eq!(step(2, 0, "w"), Step::Run(Action::GateRerun));
    assert_eq!(step(0, 0, "w"), Step::Run(Action::WrapToggle));
    assert_eq!((step(0, 0, "Q"), step(0, 1, "Q")), (Step::Run(Action::Quit), Step::None));
    let shown = |failing| {
        keymap.key_for(&PLAN, &move |fact| if fact == Fact::Failing { failing } else { 0 }, Action::GateRerun)
    };
    assert_eq!((shown(1), shown(0)), (Some("w".to_owned()), None));
}

#[test]
fn what_works_and_may_surprise_is_a_note() {
    let notes = |text: &str, prefix: Option<&str>| -> Vec<String> {
        let (keymap, problems) = own(text);
        assert_eq!(problems, [""; 0]);
        let notes = keymap.notes(prefix.map(|prefix| Key::parse(prefix).unwrap()));
        notes.iter().map(|note| note.to_string().rsplit('/').next().unwrap().to_owned()).collect()
    };
    let vim = include_str!("../../keymaps/vim.toml");
    let line = |on: &str| vim.lines().position(|line| line == format!("on = {on:?}")).unwrap() + 1;
    for (text, prefix, expected) in [
        (
            "[[keys.global]]\non = \"w\"\nrun = \"app.quit\"\n",
            None,
            format!(
                "me.toml:5:6: \"w\" in [keys.global] takes the place of \"wrap.toggle\", inherited from vim.toml:{}; set \
                 override = true if that is meant",
                line("w")
            ),
        ),
        (
            "[[keys.gates]]\non = \"g\"\nrun = \"app.quit\"\n",
            None,
            format!(
                "me.toml:5:6: \"g\" in [keys.gates] hides \"g g\" (scroll.top) of [keys.global], vim.toml:{}; set override = \
                 true if that is meant",
                line("g g")
            ),
        ),
        (
            "[[keys.global]]\non = \"C-b\"\nrun = \"app.quit\"\n",
            None,
            "me.toml:5:6: \"C-b\" is the prefix key of tmux, where it has to be pressed twice; bind another as well".to_owned(),
        ),
        (
            "[[keys.global]]\non = \"C-a\"\nrun = \"app.quit\"\n",
            Some("C-a"),
            "me.toml:5:6: \"C-a\" is the prefix key of this tmux and has to be pressed twice; bind another".to_owned(),
        ),
        (
            "[[keys.global]]\non = \"S-Enter\"\nrun = \"app.quit\"\n",
            None,
            "me.toml:5:6: \"S-Enter\" is plain Enter unless the terminal, and tmux, have extended keys; bind another key as well"
                .to_owned(),
        ),
        (
            "[[keys.global]]\non = \"C-.\"\nrun = \"app.quit\"\n",
            None,
            "me.toml:5:6: \"C-.\" doesn't arrive unless the terminal, and tmux, have extended keys; bind another key as well"
                .to_owned(),
        ),
    ] {
        assert_eq!(notes(text, prefix), [expected], "of {text}");
    }
    for meant in [
        "[[keys.global]]\non = \"w\"\nrun = \"app.quit\"\noverride = true\n",
        "[[keys.gates]]\non = \"g\"\nrun = \"app.quit\"\noverride = true\n",
        "[[keys.gates]]\non = \"w\"\nrun = \"none\"\n",
        "[[keys.gates]]\non = \"] g\"\nrun = \"gate.log\"\n",
    ] {
        assert_eq!(notes(meant, None), [""; 0], "of {meant}");
    }
    assert_eq!(notes("[[keys.global]]\non = \"C-b\"\nrun = \"app.quit\"\n", Some("C-a")), [""; 0]);
    for shipped in ["vim", "emacs"] {
        assert_eq!(Keymap::load(shipped, None).0.notes(None), []);
    }
}

#[test]
fn keys_are_explained_place_by_place() {
    let (keymap, _) =
        own("[[keys.gates]]\non = \"w\"\nrun = \"gate.rerun\"\nwhen = \"failing > 0\"\noverride = true\n");
    let told = |spelled: &str| -> Vec<String> {
        let meanings = keymap.explain(&keys(spelled));
        let line = |(context, meaning): &(Context, Meaning)| match meaning {
            Meaning::Text => format!("{}: text", context.name()),
            Meaning::Begins(all) => format!("{}: begins {}", context.name(), all.len()),
            Meaning::Bound(all) => {
                let one = &all[0];
                let file = one.file.rsplit('/').next().unwrap();
                format!("{}: {} {:?} {file}", context.name(), one.action.unwrap().info().name, one.when)
            }
        };
        meanings.iter().map(line).collect()
    };
    assert_eq!(
        told("w"),
        ["global: wrap.toggle None vim.toml", "gates: gate.rerun Some(\"failing > 0\") me.toml", "text: text"]
    );
    assert_eq!(told("g"), ["global: begins 1", "list: begins 1", "text: text", "trust: begins 1"]);
    assert_eq!(told("C-q"), [""; 0]);
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

    let (keymap, problems) = named("me", "schema = 1\n[[keys.global]]\non = \"Q\"\nrun = \"app.quit\"\n");
    assert_eq!(problems.len(), 8);
    assert_eq!(keymap.keys_for(Context::Confirm, Action::StageApprove), ["y"]);
    assert_eq!(
        problems[0],
        "me.toml: no key is left for \"decision.open\" in [keys.global], so \"F9\" does it; bind one, or inherit \"vim\""
    );
}
