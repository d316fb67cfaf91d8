//! Choosing models: at the first run from what is found, and for one stage where the configured one fails.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::desk::Desk;
use crate::hands::{approve, await_decision, draft, leave, press_for, read_all, state, told, trust};
use crate::harness::Terminal;
use crate::server::Reserved;

const KEY: &str = "sk-first-9b1c4e7a2d5f8036";

/// Long enough for a question that can cost to take a key.
const LOOK: Duration = Duration::from_millis(900);

/// Types what narrows the list to one row, and takes it.
fn take(screen: &mut Terminal, text: &str) {
    screen.text(text);
    screen.wait_for_words(&format!("> {text}"));
    screen.press("Enter");
}

fn answer_both(near: &crate::server::Server) {
    for _ in 0..2 {
        let call = near.next();
        assert_eq!(call.prompt(), "Answer with the one word: ready");
        assert_eq!(call.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        call.answer("ready");
    }
}

#[test]
fn the_first_run_chooses_two_models_and_tries_them_out() {
    let near = Reserved::new();
    let mut desk = Desk::new();
    desk.write("a.txt", "a\n");
    desk.commit("A file");
    desk.set("OPENAI_API_KEY", KEY);
    desk.set("OPENAI_BASE_URL", &near.base_url());
    let file = desk.home().join("config/windlass/config.toml");
    let near = near.serve();

    // Leaving writes nothing, and it is asked again the next time.
    let mut screen = desk.open(&[], (90, 40));
    screen.wait_for_words("Who drafts? (1 of 2)");
    screen.press("Esc");
    screen.wait_for("the first screen", |frame| frame.says("author not configured") && !frame.says("Who drafts?"));
    leave(&mut screen);
    assert!(!file.exists());

    let mut screen = desk.open(&[], (90, 40));
    screen.wait_for_words("OPENAI_API_KEY is set");
    take(&mut screen, "openai/gpt-5-mini");
    screen.wait_for_words("Who objects? Another model (2 of 2)");
    take(&mut screen, "openai/gpt-5-mini");
    screen.wait_for_words("not now: it is the author, and the critic is another model");
    // A model that isn't listed is taken as typed.
    screen.text(&"\u{7f}".repeat("gpt-5-mini".len()));
    screen.text("critic-1");
    screen.wait_for_words("> openai/critic-1");
    screen.press("Enter");
    screen.wait_for_words("Try them out?");
    // What comes too early counts for nothing.
    screen.press("Enter");
    assert!(!screen.stay(LOOK, |frame| !frame.says("Try them out?")) && near.is_idle());
    screen.press("Enter");
    let (first, second) = (near.next(), near.next());
    let models = [&first, &second].map(|call| call.json()["model"].as_str().unwrap().to_owned());
    assert!(models.contains(&"gpt-5-mini".to_owned()) && models.contains(&"critic-1".to_owned()), "{models:?}");
    first.answer("ready");
    second.refuse("401 Unauthorized", &json!({"error": {"message": "no such key"}}));
    let frame = screen.wait_for_words("That did not work");
    assert!(frame.says("no such key") && frame.says("✓ openai/"), "{frame}");
    assert!(!file.exists());

    assert!(!screen.stay(LOOK, |frame| !frame.says("That did not work")));
    screen.press("C-n Enter");
    answer_both(&near);
    screen.wait_for("the models", |frame| frame.says("author openai/gpt-5-mini critic openai/critic-1"));
    leave(&mut screen);
    let written = fs::read_to_string(&file).unwrap();
    for line in ["author = \"openai/gpt-5-mini\"", "critic = \"openai/critic-1\"", "api_key_env = \"OPENAI_API_KEY\""] {
        assert!(written.contains(line), "{written}");
    }
    assert!(!written.contains(KEY) && !String::from_utf8_lossy(&screen.bytes()).contains(KEY));

    // It was the first run.
    let mut screen = desk.open(&[], (90, 40));
    screen.wait_for_words("begins a loop");
    leave(&mut screen);
}

#[test]
fn another_model_drafts_where_the_author_fails() {
    let near = Reserved::new();
    let mut desk = Desk::new();
    desk.furnish("");
    desk.set("WINDLASS_AUTHOR", "near/author-1");
    let (url, replies) = (near.base_url(), desk.home().join("replies"));
    desk.write_own_config(&format!(
        "[providers.near]\nkind = \"openai-chat\"\nbase_url = {url:?}\n\
         [providers.script]\nkind = \"script\"\ndir = {replies:?}\n"
    ));
    let author = near.serve();
    let mut screen = desk.open(&["new", "Fewer steps"], (90, 60));
    trust(&mut screen);
    draft(&mut screen, "constraint");
    author.call("author-1", "").refuse("401 Unauthorized", &json!({"error": {"message": "not you"}}));
    told(&screen, &["not you", "D tries again; M has another model do it; W writes it by hand"]);

    press_for(&mut screen, "other model");
    screen.wait_for_words("Another author, for this stage only");
    take(&mut screen, "script/b");
    screen.wait_for_words("not now: it is the critic, and the critic is another model");
    screen.press("Esc");
    screen.wait_for("no list", |frame| !frame.says("Another author"));
    press_for(&mut screen, "other model");
    screen.wait_for_words("near/author-1");
    take(&mut screen, "script/second");
    screen.wait_for_words("D sends again, to script/second:");
    press_for(&mut screen, "draft");
    await_decision(&screen, "constraint");
    read_all(&mut screen);
    approve(&mut screen, "constraint");
    // The next stage is the configured author's again.
    let frame = screen.wait_for("the plan", |frame| state(frame).starts_with("PLAN: ready"));
    assert!(frame.says("To near/author-1:"), "{frame}");
    leave(&mut screen);
    let calls = desk.json(&["calls", "--json"]);
    let models: Vec<_> = calls.as_array().unwrap().iter().map(|call| call["model"].as_str().unwrap()).collect();
    assert!(models.contains(&"near/author-1") && models.contains(&"script/second"), "{models:?}");
    let log = desk.printed(&["log"]);
    assert!(log.contains("model-chosen") && log.contains("author script/second, by Ada"), "{log}");
    desk.printed(&["verify"]);
}
