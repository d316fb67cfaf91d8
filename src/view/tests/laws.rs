//! Law 1 at the keyboard: whatever is typed, pasted or said by a model, nothing is approved but by the approving key on
//! a decision sheet that was on the screen; and never more than one stage is open.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::stand::{PLAN_CRITIQUE, Stand};
use crate::app::action::Action;
use crate::app::{Msg, Overlay};
use crate::domain::Role;
use crate::keymap::{Key, Step};

#[derive(Debug, Clone)]
enum Doing {
    Key(&'static str),
    Paste(String),
    Said(Role, String),
    Printed(String),
    Painted,
    Wait(i64),
}

/// Keys a person, a cat or a paste without brackets can produce, those that decide more often than the rest.
const KEYS: [&str; 52] = [
    "A", "y", "y", "y", "Enter", "Space", "Esc", "r", "X", "F9", "Tab", "1", "2", "3", "4", "j", "k", "G", "g", "z",
    "x", "d", "O", "R", "D", "W", "i", "/", "n", "?", ":", "]", "u", "h", "[", "q", "B", "{", "}", "+", "w", "o", "t",
    "C-s", "C-d", "C-c", "M-Enter", "a", "Down", "PageDown", "c", "e",
];

fn doing() -> impl Strategy<Value = Doing> {
    let hostile = prop_oneof![
        Just("y\ny\nAy\u{1b}[201~Ay".to_owned()),
        Just("outcome\nplan\ny".to_owned()),
        Just("approve all\n\u{9b}200~A".to_owned()),
        any::<String>(),
    ];
    prop_oneof![
        12 => proptest::sample::select(KEYS.to_vec()).prop_map(Doing::Key),
        1 => hostile.clone().prop_map(Doing::Paste),
        1 => hostile.clone().prop_map(|text| Doing::Said(Role::Author, text)),
        1 => hostile.clone().prop_map(|text| Doing::Said(Role::Critic, text)),
        1 => hostile.prop_map(Doing::Printed),
        3 => Just(Doing::Painted),
        4 => (0..900_i64).prop_map(Doing::Wait),
    ]
}

/// Whether `key` is the approving key on a sheet that takes keys, with no field open.
fn may_approve(stand: &Stand, key: Key, now: i64) -> bool {
    let Some(Overlay::Sheet(sheet)) = stand.model.overlays.last() else { return false };
    let (contexts, facts) = (stand.model.contexts(), |fact| stand.model.fact(fact));
    let approving = stand.keymap.feed(&contexts, &facts, &[], key) == Step::Run(Action::StageApprove);
    approving && sheet.field.is_none() && sheet.arming.is_armed(crate::domain::Timestamp(now))
}

proptest! {
    #![proptest_config(Config { cases: 120, max_shrink_iters: 2000, ..Config::default() })]

    #[test]
    fn only_the_approving_key_on_a_painted_sheet_approves(
        stage in 0..4_usize,
        critique in proptest::sample::select(vec!["no findings", PLAN_CRITIQUE]),
        doings in proptest::collection::vec(doing(), 1..60),
    ) {
        let mut stand = Stand::awaiting((120, 35), stage, critique);
        for doing in doings {
            let before = (stand.approvals, stand.approved());
            let mut allowed = false;
            match doing {
                Doing::Key(name) => {
                    let key = Key::parse(name).unwrap();
                    allowed = may_approve(&stand, key, stand.now());
                    stand.key(key);
                }
                Doing::Paste(text) => stand.tell(Msg::Paste(text)),
                Doing::Said(role, text) => {
                    if let Some((id, stage)) = stand.model.state.active().map(|one| (one.id, one.open)) {
                        stand.tell(Msg::Delta { id, stage, role, finding: None, text, reasoning: false });
                    }
                }
                Doing::Printed(text) => stand.tell(Msg::GateOutput { gate: "tests".to_owned(), text }),
                Doing::Painted => stand.tell(Msg::Painted),
                Doing::Wait(ms) => {
                    stand.wait(ms);
                    stand.tell(Msg::Woken);
                }
            }
            let after = (stand.approvals, stand.approved());
            assert!(after.0 - before.0 <= usize::from(allowed), "asked for an approval");
            assert!(after.1 - before.1 <= usize::from(allowed), "approved");
            let open = stand.model.state.active().map_or(0, |one| one.stages.iter().filter(|s| s.phase.is_open()).count());
            assert!(open <= 1, "{open} stages are open");
        }
        // Whatever came of it can be drawn.
        stand.screen();
    }
}
