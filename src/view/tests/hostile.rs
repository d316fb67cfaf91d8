//! Text that means harm, through every pane, list and question: nothing of it reaches a cell but what can be seen.

use unicode_width::UnicodeWidthChar;

use super::stand::Stand;
use crate::app::action::Action;
use crate::app::{Host, Msg};
use crate::domain::{Role, Verdict, visible_line};

/// What each text does to a terminal, a reader or a program that trusts it.
fn texts() -> Vec<(&'static str, String)> {
    vec![
        ("colours", "a\u{1b}[31mEVIL\u{1b}[0m".to_owned()),
        ("title", "a\u{1b}]0;EVIL\u{7}b".to_owned()),
        ("clipboard", "a\u{1b}]52;c;RVZJTA==\u{1b}\\b".to_owned()),
        ("clear", "a\u{1b}[2J\u{1b}[H\u{1b}cb".to_owned()),
        ("c1", "a\u{9b}2J\u{90}q\u{9c}b".to_owned()),
        ("paste", "a\u{1b}[201~Ay\u{1b}[200~b".to_owned()),
        ("backspaces", "approve\u{8}\u{8}\u{8}\u{7f}reject\rover".to_owned()),
        ("right to left", "a\u{202e}live\u{202c}\u{2066}b\u{2069}\u{200f}".to_owned()),
        ("zero width", "pass\u{200b}word\u{feff}\u{2060}\u{ad}".to_owned()),
        ("tags", "a\u{e0041}\u{e0042}\u{fe0f}b".to_owned()),
        ("separators", "a\u{2028}b\u{2029}c\u{85}d".to_owned()),
        ("combining", format!("Z{}", "\u{301}".repeat(2000))),
        ("long", "x".repeat(50_000)),
        ("wide", "한".repeat(1000)),
        ("not UTF-8", String::from_utf8_lossy(b"a\xff\xfe\x80b").into_owned()),
        ("nothing", "a\0b".to_owned()),
    ]
}

/// Asserts that every cell holds something that is seen, and at most a few marks on it.
fn assert_tame(stand: &Stand, what: &str) {
    for cell in stand.buffer().content() {
        let symbol = cell.symbol();
        assert!(symbol.chars().count() <= 10, "{what}: {} characters in a cell", symbol.chars().count());
        for (at, c) in symbol.chars().enumerate() {
            let combines = at > 0 && c.width() == Some(0);
            assert!(combines || visible_line(&c.to_string()) == c.to_string(), "{what}: {c:?} in a cell");
        }
    }
}

#[test]
fn hostile_text_is_visible_in_every_place() {
    for size in [(80, 24), (200, 50)] {
        for (what, text) in texts() {
            let line = text.replace(['\n', '\r'], " ");
            let mut stand = Stand::at(size, 2);
            stand.model.host =
                Host { repository: text.clone(), branch: Some(text.clone()), ..stand.model.host.clone() };
            let look = |stand: &mut Stand, keys: &[&str], place: &str| {
                stand.press(keys);
                assert_tame(stand, &format!("{what}, {place}, {size:?}"));
            };
            look(&mut stand, &[], "host");
            let patch = format!(
                "diff --git a/{line} b/{line}\nnew file mode 100644\n@@ -0,0 +1,2 @@ {line}\n+{line}\n+{line}\n"
            );
            stand.draft_as(&text, Some(&patch));
            stand.ask(Role::Critic);
            stand.say(Role::Critic, &format!("major whole - {line}"));
            stand.tell(Msg::GateOutput { gate: "tests".to_owned(), text: text.clone() });
            look(&mut stand, &["4"], "gates");
            look(&mut stand, &["3"], "a critic who speaks");
            stand.answered(crate::domain::Usage::default());
            stand.critique_only(&format!("major {line}:1 - {line}\nminor whole - {line}\n"));
            for gate in ["plan-files", "weakening", "size-budget", "lint"] {
                stand.ran(gate, Verdict::Pass, "");
            }
            stand.ran("tests", Verdict::Fail, &line);
            look(&mut stand, &["2"], "change");
            look(&mut stand, &["G"], "end of the change");
            look(&mut stand, &["w", "L", "w"], "scrolled sideways");
            look(&mut stand, &["z", "|"], "side by side");
            look(&mut stand, &["|", "z", "-", "Space", "f"], "files");
            look(&mut stand, &["Esc", "-", "3"], "critique");
            look(&mut stand, &["o"], "finding");
            look(&mut stand, &["Esc", "4", "j", "j", "Enter"], "log");
            look(&mut stand, &["Esc", "2", "c"], "question");
            stand.tell(Msg::Paste(text.clone()));
            look(&mut stand, &[], "pasted");
            look(&mut stand, &["Enter"], "words");
            look(&mut stand, &["i"], "edited");
            stand.press(&["Esc"]);
            stand.tell(Msg::Compared { note: text.clone(), patch: patch.clone() });
            look(&mut stand, &[], "compared");
            stand.press(&["Esc"]);
            stand.tell(Msg::Refused(text.clone()));
            look(&mut stand, &[], "notice");
            stand.tell(Msg::Act(Action::DecisionOpen));
            look(&mut stand, &[], "decision");
        }
    }
}
