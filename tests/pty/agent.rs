//! A change that an agent makes in its worktree, over the Agent Client Protocol: what it asks for is answered and shown,
//! what it leaves is the draft, and it is ended with everything it began.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::hands::{
    approve, await_decision, draft, land, leave, pass_to_the_change, press_for, read_all, state, trust,
};
use crate::harness::Terminal;

/// One pane, and high enough for a whole artifact.
const TALL: (u16, u16) = (90, 60);

/// The agent that stands beside the tests; cargo builds it with them.
fn program() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_windlass")).with_file_name("examples").join("agent");
    assert!(path.exists(), "{} is not there: run `cargo build --example agent` first", path.display());
    path
}

/// A desk whose changes are made by the agent that does this.
fn desk(does: &str) -> Desk {
    let desk = Desk::new();
    desk.furnish("");
    let (program, replies) = (program(), desk.home().join("replies"));
    desk.write_own_config(&format!(
        "[roles]\nchange_author = \"hand/steady\"\n\
         [providers.script]\nkind = \"script\"\ndir = {replies:?}\n\
         [providers.hand]\nkind = \"acp\"\nargv = [{program:?}, {does:?}, \"--model\", \"{{model}}\"]\n"
    ));
    desk
}

/// A loop whose change is about to be drafted.
fn at_the_change(desk: &Desk) -> Terminal {
    let mut screen = desk.open(&["new", "Fewer steps"], TALL);
    trust(&mut screen);
    pass_to_the_change(&mut screen);
    screen.wait_for_words("To hand/steady");
    draft(&mut screen, "change");
    screen
}

#[test]
fn a_change_made_by_an_agent_lands_and_what_it_may_not_have_is_refused() {
    let desk = desk("make");
    let outside = desk.home().join("outside.txt");
    let mut screen = at_the_change(&desk);

    // Everything it asks for is on the screen while it is at work.
    let live = screen.wait_for_words("I wait for a word.");
    for words in [
        "> read round.txt: done",
        &format!("> write {}: refused, it is outside the worktree", outside.display()),
        "> write ../../../config: refused, it has a `..` component",
        "> write .git: refused, it goes into git's own directory",
        "> asks: Edit the notes: refused, ",
        "> asks: Run `curl`: refused, it is not about reading or editing files",
        "> asks: Edit the number: allowed once",
    ] {
        assert!(live.says(words), "{words:?}\n{live}");
    }
    assert!(!outside.exists());
    fs::write(desk.home().join("go"), "").unwrap();

    // What it left is the draft, and whoever decides sees what it wanted besides.
    let frame = await_decision(&screen, "change");
    for words in ["revision 1 by hand/steady", "The number is one more now.", "the agent wanted more: write "] {
        assert!(frame.says(words), "{words:?}\n{frame}");
    }
    read_all(&mut screen);
    approve(&mut screen, "change");
    draft(&mut screen, "outcome");
    await_decision(&screen, "outcome");
    read_all(&mut screen);
    land(&mut screen, "outcome");
    leave(&mut screen);
    assert_eq!(desk.git(&["show", "HEAD:round.txt"]), "1\n");
    assert!(!outside.exists());
    assert!(desk.git(&["log", "-1", "--format=%B"]).contains("Windlass-Author: script/a, hand/steady"));

    // The record has what both sides said, to the byte, and says what it can't know.
    let shown = desk.json(&["show", "x", "5", "--json"]);
    let read = |name: &str| fs::read_to_string(desk.home().join(name)).unwrap();
    assert_eq!(shown["request"]["body"], read("agent-heard"));
    assert_eq!(shown["response"]["body"], read("agent-said"));
    let command = format!("acp:{} make --model steady", program().display());
    assert_eq!((&shown["request"]["method"], &shown["request"]["url"]), (&json!("RUN"), &json!(command)));
    assert_eq!((&shown["ended"], &shown["cost_nanodollars"]), (&json!("complete"), &Value::Null));
    let text = desk.printed(&["show", "x", "5"]);
    for words in ["own calls of models, and what they cost, are not visible here", "--- received", "refused: "] {
        assert!(text.contains(words), "{words:?}\n{text}");
    }
    let calls = desk.printed(&["calls"]);
    assert!(calls.contains("A cost of ? is unknown, not 0; an agent's own calls"), "{calls}");
    desk.printed(&["verify"]);
    desk.assert_nothing_runs();
}

#[test]
fn cancelling_an_agent_ends_everything_it_began_and_takes_nothing() {
    let desk = desk("stay");
    let mut screen = at_the_change(&desk);
    screen.wait_for_words("I am here to stay.");
    press_for(&mut screen, "cancel");
    screen.wait_for("no draft", |frame| state(frame).starts_with("CHANGE: no draft"));
    screen.wait_for_words("What it changed until then is not taken");

    // It was told first, and then ended, with those that don't listen and those that went their own way.
    let heard = fs::read_to_string(desk.home().join("agent-heard")).unwrap();
    assert!(heard.lines().last().unwrap().contains("session/cancel"), "{heard}");
    let pids = fs::read_to_string(desk.home().join("pids")).unwrap();
    assert_eq!(pids.lines().count(), 3, "{pids}");
    for pid in pids.lines() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{pid} is alive: {stat}");
    }
    leave(&mut screen);
    let shown = desk.json(&["show", "1", "--json"]);
    assert_eq!(shown["stages"][2]["revisions"], json!([]));
    assert_eq!(desk.json(&["show", "x", "5", "--json"])["ended"], "cancelled");
    desk.printed(&["verify"]);
    desk.assert_nothing_runs();
}
