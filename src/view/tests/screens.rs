//! Every screen, as text, at the four sizes of the layout; and that nothing rests on colour alone.

use ratatui::style::Modifier;

use super::colours;
use super::stand::{PATCH, PLAN, PLAN_CRITIQUE, Stand, me};
use crate::app::action::Action;
use crate::app::{Candidate, Findings, Msg, Request, Tried, update};
use crate::domain::{ModelId, Money, Offer, Price, ProviderSpec, Role, Timestamp, Verdict};
use crate::engine::{self, Command, Phase, Trouble};
use crate::theme::{Depth, Theme};

const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 35), (200, 50)];

/// Sets a scene up at every size and compares it with what is on record: its text, its colours when dark, light and
/// without colours, and its text in ASCII.
pub(super) fn at_every_size(name: &str, scene: impl Fn((u16, u16)) -> Stand) {
    let (mut colours, mut in_ascii) = (String::new(), String::new());
    for size in SIZES {
        let mut stand = scene(size);
        let screen = stand.screen();
        assert_eq!(screen.lines().count(), usize::from(size.1));
        let head = format!("{} x {}", size.0, size.1);
        for (theme, depth) in [("default-dark", Depth::True), ("default-light", Depth::True), ("mono", Depth::Mono)] {
            stand.theme = Theme::load(theme, None, depth).0;
            assert_eq!(stand.screen(), screen, "{theme} says something else");
            colours += &format!("\n{head}, {theme}\n{}", colours::told(&stand.buffer()));
        }
        in_ascii += &format!("\n{head}\n{}", ascii(stand));
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen);
    }
    insta::assert_snapshot!(format!("{name}_ascii"), in_ascii);
    insta::assert_snapshot!(format!("{name}_colours"), colours);
}

/// The same screen in ASCII, which it is then, whatever is on it.
fn ascii(mut stand: Stand) -> String {
    stand.theme = stand.theme.clone().in_ascii(true);
    let screen = stand.screen();
    assert!(screen.is_ascii(), "{screen}");
    screen
}

#[test]
fn welcome() {
    at_every_size("welcome", |size| {
        let mut stand = Stand::new(size);
        stand.model.host.advice = vec!["OPENAI_API_KEY is set; `windlass init` writes a provider for it.".to_owned()];
        stand
    });
}

#[test]
fn ready_lists_what_would_be_sent() {
    at_every_size("ready", |size| {
        let mut stand = Stand::at(size, 0);
        stand.press(&["j", "x"]);
        stand
    });
}

fn offer(model: &str, why: &str, input: Option<u64>) -> Offer {
    let price = input.map(|input| Price { input, cached: input, output: 8 * input });
    Offer { model: ModelId(model.to_owned()), why: why.to_owned(), price }
}

#[test]
fn a_failed_call_offers_other_models() {
    let failed = |size| {
        let mut stand = Stand::at(size, 1);
        stand.press(&["D"]);
        stand.ask(Role::Author);
        let (id, stage) = (stand.model.current().unwrap().id, stand.model.stage_index());
        let trouble = Trouble::Call("https://models.example/v1 answered 401 Unauthorized: who are you".to_owned());
        stand.must(Command::DraftFailed { id, stage, trouble });
        stand
    };
    at_every_size("failed", failed);
    at_every_size("other_model", |size| {
        let mut stand = failed(size);
        stand.press(&["M"]);
        let offers = vec![
            offer("local/reader-9b", "configured as the critic", Some(0)),
            offer("openai/writer-2", "configured as the author", Some(1_250)),
            offer("openai/writer-3\u{202e}", "listed by openai", None),
        ];
        stand.tell(Msg::Models { offers, more: false });
        stand
    });
    let mut stand = failed((120, 35));
    stand.press(&["M"]);
    stand.tell(Msg::Models { offers: vec![offer("local/reader-9b", "configured as the critic", None)], more: false });
    stand.press(&["Enter"]);
    assert!(stand.screen().contains("not now: it is the critic"), "{}", stand.screen());
    assert_eq!(stand.model.overlays.len(), 1);
    for letter in ["l", "o", "c", "a", "l", "/", "x", "Enter"] {
        stand.press(&[letter]);
    }
    assert!(stand.screen().contains("D sends again, to local/x:"), "{}", stand.screen());
}

fn candidate(model: &str, why: &str, trial: Option<Money>) -> Candidate {
    let argv = vec![model.split('/').next().unwrap().to_owned(), "{model}".to_owned()];
    Candidate { model: ModelId(model.to_owned()), spec: ProviderSpec::Command { argv }, why: why.to_owned(), trial }
}

/// The first run, with these models found.
fn casting(size: (u16, u16), candidates: Vec<Candidate>) -> Stand {
    let mut stand = Stand::new(size);
    stand.press(&["Space", "m"]);
    let notes = vec!["Type to narrow the list.".to_owned()];
    let file = "/home/ada/.config/windlass/config.toml".to_owned();
    stand.tell(Msg::Found(Box::new(Findings { candidates, notes, file })));
    stand
}

fn two() -> Vec<Candidate> {
    vec![
        candidate("openai/gpt-5", "OPENAI_API_KEY is set", Money::dollars(0.005)),
        candidate("claude/sonnet", "runs claude -p --model {model}", None),
        candidate("ollama/qwen3", "Ollama's port 11434 answers", Some(Money::default())),
        candidate("ollama/llama3", "Ollama's port 11434 answers", Some(Money::default())),
    ]
}

#[test]
fn the_first_run_chooses_models() {
    at_every_size("casting", |size| casting(size, two()));
    at_every_size("casting_nothing", |size| casting(size, Vec::new()));
    at_every_size("casting_critic", |size| {
        let mut stand = casting(size, two());
        stand.press(&["Enter"]);
        stand
    });
    let tried = |model: &str, result: Result<&str, &str>| Tried {
        model: ModelId(model.to_owned()),
        result: result.map(str::to_owned).map_err(str::to_owned),
    };
    at_every_size("casting_failed", |size| {
        let mut stand = casting(size, two());
        stand.press(&["Enter", "Down", "Down", "Enter"]);
        assert!(stand.screen().contains("Try them out?"), "{}", stand.screen());
        // Nothing is asked before the question was on the screen.
        stand.press(&["Enter"]);
        stand.tell(Msg::Painted);
        stand.wait(1_000);
        stand.press(&["Enter"]);
        let why = "https://api.openai.com/v1/chat/completions answered 401 Unauthorized: who are you";
        let results = vec![tried("openai/gpt-5", Err(why)), tried("ollama/qwen3", Ok("answered in 412 ms"))];
        stand.tell(Msg::Tried(results));
        stand
    });
    // What costs nothing is tried out at once; one model can't have both roles; what answers is written down.
    let mut stand = casting((80, 24), two());
    stand.press(&["Down", "Down", "Enter", "Down", "Down", "Enter"]);
    assert!(stand.screen().contains("not now: it is the author"), "{}", stand.screen());
    let requests = stand.requests(&["Down", "Enter"]);
    assert!(matches!(&requests[..], [Request::TryModels(models)] if models.len() == 2), "{requests:?}");
    let all = vec![tried("ollama/qwen3", Ok("answered")), tried("ollama/llama3", Ok("answered"))];
    let now = Timestamp(stand.now());
    let requests = update(&mut stand.model, Msg::Tried(all), now);
    let [Request::Cast(chosen)] = &requests[..] else { panic!("{requests:?}") };
    let chosen: Vec<_> = chosen.iter().map(|(role, one)| (*role, one.model.0.as_str())).collect();
    assert_eq!(chosen, [(Role::Author, "ollama/qwen3"), (Role::Critic, "ollama/llama3")]);
    let mut stand = casting((80, 24), Vec::new());
    assert_eq!(stand.requests(&["Down", "Enter"]), [Request::Demo]);
}

#[test]
fn drafting_follows_the_stream() {
    at_every_size("drafting", |size| {
        let mut stand = Stand::at(size, 1);
        stand.press(&["D"]);
        stand.ask(Role::Author);
        stand.wait(3000);
        for piece in PLAN.as_bytes().chunks(7).take(150) {
            stand.say(Role::Author, std::str::from_utf8(piece).unwrap());
        }
        stand
    });
}

#[test]
fn a_call_that_waits_says_how_long_and_why() {
    at_every_size("waiting", |size| {
        let mut stand = Stand::at(size, 1);
        stand.press(&["D"]);
        stand.ask(Role::Author);
        stand.waits(Role::Author, 90_000);
        stand.wait(2_500);
        stand.tell(Msg::Woken);
        stand
    });
    let mut stand = Stand::at((120, 35), 2);
    stand.draft();
    stand.ask(Role::Critic);
    assert!(stand.model.unavailable(Action::CallRetryNow).is_some());
    stand.waits(Role::Critic, 1_800_000);
    let says = |stand: &Stand, words: &str| stand.screen().contains(words);
    assert!(
        says(&stand, "gates still running") && says(&stand, "the critic is asked again in 30 min 00 s; ! asks now")
    );
    stand.wait(61_000);
    stand.tell(Msg::Woken);
    assert!(says(&stand, "the critic is asked again in 28 min 59 s"), "{}", stand.screen());
    stand.press(&["!"]);
    assert!(says(&stand, "the critic reads") && !says(&stand, "asked again"), "{}", stand.screen());
    // A wait that is over says nothing any more, also if nobody has pressed a key.
    stand.waits(Role::Critic, 1_000);
    stand.wait(1_000);
    stand.tell(Msg::Woken);
    assert!(says(&stand, "the critic reads") && !says(&stand, "asked again"), "{}", stand.screen());
}

#[test]
fn reviewing_shows_findings_as_they_come() {
    at_every_size("reviewing", |size| {
        let mut stand = Stand::at(size, 2);
        stand.draft();
        stand.ask(Role::Critic);
        stand
            .say(Role::Critic, "major lib/orders.awk:6 - ids that look like numbers compare differently\nminor lib/or");
        stand.ran("plan-files", Verdict::Pass, "");
        stand.tell(Msg::GateBegan { gate: "tests".to_owned(), at: stand.model.now });
        stand.tell(Msg::GateOutput {
            gate: "tests".to_owned(),
            text: "test totals ... ok\ntest regions ...".to_owned(),
        });
        stand
    });
}

#[test]
fn a_plan_with_a_blocker() {
    at_every_size("plan", |size| Stand::awaiting(size, 1, PLAN_CRITIQUE));
}

#[test]
fn a_change_is_a_diff() {
    at_every_size("change", |size| {
        let mut stand = Stand::awaiting(size, 2, "note lib/orders.awk:6 - fair\n");
        stand.press(&["]", "h"]);
        stand
    });
}

#[test]
fn rejections_turn_the_decision_into_a_request() {
    at_every_size("remarks", |size| {
        let mut stand = Stand::awaiting(size, 2, "no findings");
        stand.press(&["x", "n", "o", "Enter", "]", "h", "c", "w", "h", "y", "Enter"]);
        stand.open_sheet();
        stand.press(&["y"]);
        stand
    });
    let mut stand = Stand::awaiting((80, 24), 2, "no findings");
    stand.press(&["x", "n", "o", "Enter"]);
    stand.open_sheet();
    stand.press(&["y"]);
    assert_eq!(stand.approvals, 2, "a rejected part stands in the way: only the stages before were approved");
    stand.wait(1000);
    stand.press(&["r"]);
    assert!(stand.screen().contains("- lib/orders.awk:4-7 (rejected): no"), "{}", stand.screen());
}

#[test]
fn a_failing_gate_says_why() {
    at_every_size("gates", |size| {
        let mut stand = Stand::at(size, 2);
        stand.draft();
        stand.critique("no findings");
        for gate in ["plan-files", "weakening", "size-budget", "lint"] {
            stand.ran(gate, Verdict::Pass, "");
        }
        stand.ran("tests", Verdict::Fail, "exit 1: 2 of 40 tests failed");
        stand.press(&["4", "j", "j"]);
        stand
    });
}

#[test]
fn an_outcome_is_measured() {
    at_every_size("outcome", |size| {
        let mut stand = Stand::awaiting(size, 3, "no findings");
        stand.press(&["4"]);
        stand
    });
}

#[test]
fn the_decision_sheet() {
    at_every_size("sheet", |size| {
        let mut stand = Stand::awaiting(size, 1, PLAN_CRITIQUE);
        stand.open_sheet();
        stand
    });
}

#[test]
fn landing_asks_for_the_name() {
    at_every_size("landing", |size| {
        let mut stand = Stand::awaiting(size, 3, "no findings");
        stand.read();
        stand.open_sheet();
        stand.press(&["y", "o", "u", "t"]);
        stand
    });
}

#[test]
fn landed() {
    at_every_size("landed", |size| {
        let mut stand = Stand::awaiting(size, 3, "no findings");
        stand.read();
        stand.open_sheet();
        stand.press(&["y", "o", "u", "t", "c", "o", "m", "e"]);
        stand.wait(1000);
        stand.press(&["y"]);
        stand
    });
}

#[test]
fn sending_back_asks_why() {
    at_every_size("revise", |size| {
        let mut stand = Stand::awaiting(size, 1, PLAN_CRITIQUE);
        stand.open_sheet();
        stand.press(&["r", "s", "m", "a", "l", "l", "e", "r"]);
        stand
    });
}

#[test]
fn a_malformed_reply_is_shown_with_what_is_missing() {
    at_every_size("malformed", |size| {
        let mut stand = Stand::at(size, 1);
        stand.press(&["D"]);
        let (id, stage) = stand.model.state.active().map(|one| (one.id, one.open)).unwrap();
        let text = "Sure! Here is a plan.\u{202e}\u{1b}[31m\n".to_owned();
        let missing = vec!["the section \"Rollback\" is missing".to_owned()];
        stand.must(Command::DraftFailed { id, stage, trouble: Trouble::Malformed { text, missing } });
        stand
    });
}

#[test]
fn overlays() {
    at_every_size("help", |size| {
        let mut stand = Stand::at(size, 0);
        stand.press(&["?"]);
        stand
    });
    at_every_size("palette", |size| {
        let mut stand = Stand::at(size, 0);
        stand.press(&[":", "g", "a", "t", "e"]);
        stand
    });
    at_every_size("which_key", |size| {
        let mut stand = Stand::at(size, 0);
        stand.press(&["Space"]);
        stand
    });
    at_every_size("editing", |size| {
        let mut stand = Stand::awaiting(size, 1, "no findings");
        stand.press(&["i"]);
        stand
    });
}

#[test]
fn trust_shows_the_commands() {
    at_every_size("trust", |size| {
        let mut stand = Stand::at(size, 0);
        stand.model.state.trusted.clear();
        stand.tell(Msg::Act(Action::TrustOpen));
        stand
    });
}

#[test]
fn a_draft_that_was_sent_back_is_taken_back_with_one_key() {
    let mut stand = Stand::awaiting((80, 24), 1, "no findings");
    let one = stand.model.current().unwrap();
    let (id, stage, evidence) = (one.id, one.open, engine::evidence(one, one.open));
    assert_eq!(stand.model.unavailable(Action::DraftTakeBack), Some("no draft was sent back"));
    stand.must(Command::Revise { id, evidence, reason: "smaller".to_owned(), by: me() });
    let trouble = Trouble::Stopped("it was cancelled".to_owned());
    stand.must(Command::DraftFailed { id, stage, trouble });
    assert!(stand.model.hints().contains(&Action::DraftTakeBack));
    stand.press(&["U"]);
    assert_eq!(stand.stage().phase, Phase::Awaiting);
    assert!(stand.screen().contains("PLAN AWAITS YOUR DECISION"));
}

#[test]
fn too_small_says_what_is_needed() {
    let stand = Stand::new((30, 5));
    assert!(stand.screen().starts_with("need 40x10, have 30x5"));
    for size in [(1, 1), (40, 10), (3, 200), (500, 3)] {
        let mut stand = Stand::awaiting((80, 24), 1, PLAN_CRITIQUE);
        stand.tell(Msg::Resize(size.0, size.1));
        stand.screen();
    }
}

#[test]
fn without_colours_the_focus_and_the_selection_still_stand_out() {
    let mut stand = Stand::awaiting((200, 50), 1, PLAN_CRITIQUE);
    stand.theme = Theme::load("mono", None, Depth::Mono).0;
    stand.press(&["3"]);
    let buf = stand.buffer();
    let reversed = |needle: &str| {
        (0..50).any(|y| {
            let row: String = (0..200).map(|x| buf[(x, y)].symbol()).collect();
            let Some(at) = row.find(needle) else { return false };
            let x = u16::try_from(row[..at].chars().count()).unwrap();
            buf[(x, y)].modifier.contains(Modifier::REVERSED)
        })
    };
    assert!(reversed("3 critique"), "the focused title");
    assert!(reversed("✗ blocker"), "the selected finding");
    assert!(!reversed("2 plan"), "another title");
}

#[test]
fn in_ascii_foreign_letters_are_spelled_out() {
    let critique = "note lib/orders.awk:6 - fair, \u{201c}really\u{201d} \u{2014} \u{d55c}\n";
    let screens = SIZES.map(|size| {
        let mut stand = Stand::awaiting(size, 2, critique);
        stand.press(&["]", "h", "x", "n", "o", "Enter", "3"]);
        ascii(stand)
    });
    insta::assert_snapshot!("foreign_ascii", screens.join("\n"));
}

#[test]
fn with_reduced_motion_clocks_go_by_tens_of_seconds() {
    let mut stand = Stand::at((120, 35), 1);
    stand.model.host.calm = true;
    stand.press(&["D"]);
    stand.ask(Role::Author);
    let (mut seen, mut wakes) = (vec![stand.screen()], 0);
    for _ in 0..25 {
        let before = stand.now();
        wakes += usize::from(stand.model.wake_at().is_some_and(|at| at.0 <= before + 1_000));
        stand.wait(1_000);
        stand.tell(Msg::Woken);
        seen.push(stand.screen());
    }
    seen.dedup();
    assert!(seen.len() <= 4 && wakes <= 3, "{} screens, {wakes} wakes", seen.len());
    assert!(seen.last().unwrap().contains("drafts, 20 s"), "{}", seen.last().unwrap());
}

#[test]
fn looking_back() {
    at_every_size("revisions", |size| {
        let mut stand = Stand::awaiting(size, 2, "no findings");
        stand.press(&["Space", "h"]);
        stand
    });
    at_every_size("compared", |size| {
        let mut stand = Stand::awaiting(size, 2, "no findings");
        stand.tell(Msg::Compared { note: "From change revision 1 to 2".to_owned(), patch: PATCH.to_owned() });
        stand
    });
    at_every_size("gate_log", |size| {
        let mut stand = Stand::at(size, 2);
        stand.draft();
        stand.ran("tests", Verdict::Fail, "exit 1: 2 of 40 tests failed");
        let text = (1..=30).map(|line| format!("test {line} ... FAILED\n")).collect();
        stand.tell(Msg::GateOutput { gate: "tests".to_owned(), text });
        stand.press(&["4"]);
        while stand.model.overlays.is_empty() || !stand.screen().contains("gate tests") {
            stand.press(&["q", "j", "Enter"]);
        }
        stand
    });
    at_every_size("away", |size| {
        let mut stand = Stand::at(size, 2);
        stand.draft();
        stand.press(&["j"]);
        stand.ran("tests", Verdict::Pass, "exit 0");
        stand.wait(12 * 60_000);
        stand.ran("lint", Verdict::Fail, "exit 1");
        stand.press(&["j", "Space", "s"]);
        stand
    });
}
