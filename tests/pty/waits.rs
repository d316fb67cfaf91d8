//! Calls that wait for their next attempt: the person sees how long and why, and need not wait.

use serde_json::json;

use crate::hands::{await_decision, draft, footer_key, leave, press_for, state, trust};
use crate::harness::Frame;
use crate::server::desk_with_models;

#[test]
fn a_long_wait_counts_down_and_one_key_ends_it() {
    let (desk, author, critic) = desk_with_models();
    let slow_down = json!({"error": {"message": "Rate limit reached for author-1"}});
    let waits = |frame: &Frame| footer_key(frame, "ask now").is_some();

    let mut screen = desk.open(&["new", "Fewer steps"], (90, 60));
    trust(&mut screen);
    draft(&mut screen, "constraint");
    let call = author.call("author-1", "Write the constraint now");
    call.refuse_for("429 Too Many Requests", "retry-after: 1800", &slow_down);
    let first = screen.wait_for("a wait", waits);
    let told = state(&first);
    for words in
        ["CONSTRAINT: the author is asked again in ", "! asks now, C-c cancels.", "429 Too Many Requests: Rate limit"]
    {
        assert!(told.contains(words), "{first}");
    }
    assert!(told.contains("in 30 min 00 s") || told.contains("in 29 min "), "{first}");
    let moved = screen.wait_for("a clock that moves", |frame| waits(frame) && state(frame) != told);
    assert!(state(&moved).contains("in 29 min "), "{moved}");
    assert!(author.is_idle());
    press_for(&mut screen, "ask now");
    author.call("author-1", "Write the constraint now").answer(&desk.reply("author-constraint.1"));

    // The critic's call waits, too, and is given up.
    let call = critic.call("critic-1", "Write the findings now");
    call.refuse_for("503 Service Unavailable", "retry-after: 600", &json!({"detail": "the model is loading"}));
    let frame = screen.wait_for("a wait", waits);
    assert!(state(&frame).contains("the critic is asked again in "), "{frame}");
    press_for(&mut screen, "cancel");
    let frame = await_decision(&screen, "constraint");
    assert!(frame.says("no critique") && footer_key(&frame, "ask now").is_none(), "{frame}");

    // More than an hour isn't waited for; it is said until when.
    screen.press("3 R");
    let call = critic.call("critic-1", "Write the findings now");
    call.refuse_for("429 Too Many Requests", "retry-after: 7200", &slow_down);
    screen.wait_for_words("The server asks to wait 2 hours: ask again after 20");
    await_decision(&screen, "constraint");
    leave(&mut screen);

    let drafted = desk.json(&["show", "x", "1", "--json"]);
    let status = |attempt: &serde_json::Value| attempt["response"]["status"].clone();
    assert_eq!((status(&drafted["earlier"][0]), status(&drafted)), (json!(429), json!(200)));
    assert_eq!(drafted["earlier"][0]["request"], drafted["request"]);
    desk.printed(&["verify"]);
}
