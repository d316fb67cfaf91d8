//! A finding is asked about: both models answer in calls of their own, the answers are kept, go to the author with the
//! stage, decide nothing, and are heard in the linear mode, too.

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::hands::{approve, await_decision, draft, footer_key, key, leave, press_for, read_all, send_back, trust};
use crate::harness::Terminal;
use crate::server::{Server, desk_with_models};

const SIZE: (u16, u16) = (120, 40);
const FINDINGS: &str = "major line 3 - walks all of it again\nminor line 7 - says nothing of time\n";

/// Drafts the constraint, with two findings.
fn reviewed(desk: &Desk, screen: &mut Terminal, author: &Server, critic: &Server) {
    trust(screen);
    draft(screen, "constraint");
    author.call("author-1", "Write the constraint now").answer(&desk.reply("author-constraint.1"));
    critic.call("critic-1", "Write the findings now").answer(FINDINGS);
    await_decision(screen, "constraint");
}

fn ask(screen: &mut Terminal, label: &str, question: &str) {
    press_for(screen, label);
    screen.wait_for("a question", |frame| key(frame, "ask").is_some());
    screen.text(question);
    screen.press("Enter");
    screen.wait_for("no question", |frame| key(frame, "ask").is_none());
}

fn thread(desk: &Desk) -> Value {
    desk.json(&["show", "1", "--json"])["stages"][0]["critique"]["findings"][0]["thread"].clone()
}

#[test]
fn both_models_answer_about_a_finding_and_the_author_of_the_next_draft_knows_what_was_said() {
    let (desk, author, critic) = desk_with_models();
    let mut screen = desk.open(&["new", "Fewer steps"], SIZE);
    reviewed(&desk, &mut screen, &author, &critic);
    let watcher = desk.open(&["watch"], SIZE);
    watcher.wait_for_words("walks all of it again");

    // The critic's answer streams under its finding, here and where somebody looks on.
    screen.press("3");
    ask(&mut screen, "ask critic", "");
    let mut call = critic.call("critic-1", "Answer the human's question now");
    for words in ["major line 3 - walks all of it again", "What exactly goes wrong", "The walk in `sum.sh`"] {
        assert!(call.prompt().contains(words), "{words:?} isn't in {}", call.prompt());
    }
    call.begin();
    call.say("The sum is made ");
    screen.wait_for_words("far/critic-1 answers");
    for one in [&screen, &watcher] {
        one.wait_for_words("The sum is made");
    }
    call.say("once a line.");
    call.finish();
    screen.wait_for("the answer", |frame| frame.says("The sum is made once a line.") && !frame.says("answers"));

    // A failed call says so, and can be made again.
    ask(&mut screen, "ask author", "is that so?");
    let call = author.call("author-1", "Answer the human's question now");
    assert!(call.prompt().contains("The critic answered: The sum is made once a line."), "{}", call.prompt());
    call.refuse("400 Bad Request", &json!({"error": {"message": "no such model"}}));
    screen.wait_for_words("no answer: ");
    ask(&mut screen, "ask author", "is that so, really?");
    author.call("author-1", "Answer the human's question now").answer("It is; I would add as I go.");
    screen.wait_for_words("I would add as I go.");

    // One that is on its way is cancelled by its key.
    screen.press("] c");
    ask(&mut screen, "ask critic", "how long?");
    let call = critic.call("critic-1", "Answer the human's question now");
    screen.press("C-c");
    screen.wait_for_words("no answer: it was cancelled");
    drop(call);

    // Nothing of it decides or changes a finding.
    let shown = desk.json(&["show", "1", "--json"]);
    assert_eq!(
        (&shown["stages"][0]["phase"], &shown["open_stage"]),
        (&json!("awaiting decision"), &json!("constraint"))
    );
    assert!(shown["stages"][0]["critique"]["findings"][0]["dismissed"].is_null(), "{shown}");

    // It survives the program, and is in every account of the review.
    leave(&mut screen);
    let turns = thread(&desk);
    let turn = |nth: usize, field: &str| turns[nth][field].as_str().unwrap_or_default().to_owned();
    assert_eq!([turn(0, "to"), turn(1, "to"), turn(2, "to")], ["critic", "author", "author"]);
    assert_eq!((turn(0, "answer"), turn(1, "answer")), ("The sum is made once a line.".into(), String::new()));
    assert!(turn(1, "failed").contains("no such model"), "{turns}");
    let calls = desk.json(&["calls", "--json"]);
    assert_eq!(calls.as_array().unwrap().len(), 6, "{calls}");
    for args in [&["show", "1"][..], &["export", "md", "1"], &["export", "html", "1"], &["export", "svg", "1"]] {
        let text = desk.printed(args);
        assert!(text.contains("is that so, really?"), "{args:?}: {text}");
    }
    desk.printed(&["verify"]);

    let mut screen = desk.open(&[], SIZE);
    screen.wait_for_words("I would add as I go.");
    send_back(&mut screen, "constraint", "Add as you go");
    let call = author.call("author-1", "Write the constraint now");
    for words in [
        "major line 3 - walks all of it again",
        "The human asked the critic: What exactly goes wrong",
        "The critic answered: The sum is made once a line.",
        "The author answered: It is; I would add as I go.",
    ] {
        assert!(call.prompt().contains(words), "{words:?} isn't in {}", call.prompt());
    }
    call.answer(&desk.reply("author-constraint.2"));
    critic.call("critic-1", "Write the findings now").answer("No findings.");
    let second = await_decision(&screen, "constraint");
    assert!(!second.says("once a line"), "{second}");
    read_all(&mut screen);
    approve(&mut screen, "constraint");
    leave(&mut screen);
    assert!(author.is_idle() && critic.is_idle());
}

#[test]
fn an_answer_that_comes_while_the_sheet_is_open_is_looked_at_first() {
    let (desk, author, critic) = desk_with_models();
    let mut screen = desk.open(&["new", "Fewer steps"], SIZE);
    reviewed(&desk, &mut screen, &author, &critic);
    read_all(&mut screen);
    screen.press("3");
    ask(&mut screen, "ask critic", "");
    let call = critic.call("critic-1", "Answer the human's question now");
    press_for(&mut screen, "decide");
    screen.wait_for("an armed sheet", |frame| key(frame, "approve").is_some());
    call.answer("It was wrong.");
    let frame = screen.wait_for_words("changed under you: the findings");
    assert!(frame.says("It was wrong.") && footer_key(&frame, "decide").is_some(), "{frame}");
    leave(&mut screen);
    assert_eq!(desk.json(&["show", "1", "--json"])["open_stage"], "constraint");
}

#[test]
fn findings_are_asked_about_in_lines_too() {
    let (desk, author, critic) = desk_with_models();
    let mut screen = desk.open(&["new", "Fewer steps"], SIZE);
    reviewed(&desk, &mut screen, &author, &critic);
    leave(&mut screen);

    let mut lines = desk.open(&["--plain"], (200, 60));
    lines.wait_for_words("CONSTRAINT AWAITS YOUR DECISION");
    lines.text("explain 1\r");
    lines.wait_for_words("Ask the critic, far/critic-1, about: walks all of it again");
    lines.text("\r");
    critic.call("critic-1", "Answer the human's question now").answer("The sum is made once a line.");
    lines.wait_for_words("critic: The sum is made once a line.");
    lines.wait_for_words("Finding 1 has its answer.");
    lines.text("findings\r");
    lines.wait_for_words("asked the critic: What exactly goes wrong");
    lines.text("quit\r");
    assert!(lines.end().success());
    assert_eq!(thread(&desk)[0]["answer"], "The sum is made once a line.");

    // Recorded, it is answered again without any model.
    let file = desk.home().join("one.jsonl");
    desk.printed(&["record", "-o", file.to_str().unwrap()]);
    let mut fresh = Desk::new();
    fresh.furnish("");
    let provider = |name: &str| format!("[providers.{name}]\nkind = \"script\"\ncassette = {file:?}\n");
    fresh.write_own_config(&(provider("near") + &provider("far")));
    fresh.set("WINDLASS_AUTHOR", "near/author-1");
    fresh.set("WINDLASS_CRITIC", "far/critic-1");
    let mut screen = fresh.open(&["new", "Fewer steps"], SIZE);
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    screen.press("3");
    ask(&mut screen, "ask critic", "");
    screen.wait_for_words("The sum is made once a line.");
    leave(&mut screen);
}
