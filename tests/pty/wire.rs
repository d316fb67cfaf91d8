//! The loop with two models behind real sockets, from `windlass init` to the landed commit; and how calls go wrong.

use std::fs;

use serde_json::json;

use crate::demo::approved_tree;
use crate::desk::Desk;
use crate::hands::{approve, await_decision, draft, footer_key, land, leave, read_all, send_back, state, told, trust};
use crate::harness::Terminal;
use crate::server::{Reserved, Server};

const AUTHOR_KEY: &str = "near-5e8b1c0d9f2a4376";
const CRITIC_KEY: &str = "far-77c1d2e3f4051627";

/// One pane, and high enough for a whole artifact.
const TALL: (u16, u16) = (90, 60);

const PROJECT: &[(&str, &str)] = &[
    (
        "sum.sh",
        "# Adds 1 to 40.\nawk 'BEGIN {\n    for (i = 1; i <= 40; i++) { sum += i; steps++ }\n    print sum, steps\n}'\n",
    ),
    ("test.sh", "sh sum.sh | grep -q '^820 '\n"),
    ("probe.sh", "sh sum.sh | awk '{ print \"steps\", $2, \"additions\" }'\n"),
];

const COMMANDS: &str = r#"
[roles]
author = "near/author-1"
critic = "far/critic-1"

[[gate]]
name = "sum"
argv = ["sh", "test.sh"]

[[probe]]
name = "steps"
argv = ["sh", "probe.sh"]
"#;

const CONSTRAINT: [&str; 2] = [
    "## Constraint\n\nThe walk in `sum.sh` limits the sum: one addition for each number.\n",
    "\n## Evidence\n\n- steps: 40 additions.\n\n## Target\n\nOne.\n\n## Acceptance criteria\n\n- steps <= 0.1x\n",
];

const PLAN_TOO_BIG: &str = "\
## Change

Add up in four processes side by side.

## Files

- `sum.sh` - starts four processes
- `part.sh` (new) - adds a quarter

## Expected effect

- steps: a quarter for each.

## Risks

Four times the processes.

## Rollback

Revert the commit.

## Downstream

Somebody must add up the four sums.
";

const PLAN: &str = "\
## Change

Use the closed form: half of 40 times 41.

## Files

- `sum.sh` - the walk goes

## Expected effect

- steps: one.

## Risks

None that the test doesn't see.

## Rollback

Revert the commit.

## Downstream

Nothing gets more to do.
";

const CHANGE: &str = "\
The closed form takes one step.

```diff
--- a/sum.sh
+++ b/sum.sh
@@ -1,5 +1,4 @@
 # Adds 1 to 40.
 awk 'BEGIN {
-    for (i = 1; i <= 40; i++) { sum += i; steps++ }
-    print sum, steps
+    print 40 * 41 / 2, 1
 }'
```
";

const OUTCOME: &str = "\
## Result

- `steps <= 0.1x`: met. 40 additions before, 1 additions after.

## Prediction

It held.

## Downstream

Nothing got worse.

## Next constraint

Starting awk.
";

/// A repository with a configuration as `windlass init` and a person make it.
fn desk(near: &Reserved, far: &Reserved) -> Desk {
    let mut desk = Desk::new();
    desk.set("NEAR_KEY", AUTHOR_KEY);
    desk.set("FAR_KEY", CRITIC_KEY);
    for (path, text) in PROJECT {
        desk.write(path, text);
    }
    desk.commit("A sum");
    let init = desk.printed(&["init"]);
    assert!(init.contains("Wrote .windlass/config.toml") && init.contains("windlass new"), "{init}");
    let path = desk.repo().join(".windlass/config.toml");
    let starter = fs::read_to_string(&path).unwrap();
    let mine = starter.replace("rounds = 5 ", "rounds = 1 ");
    assert_ne!(mine, starter);
    desk.write(".windlass/config.toml", &format!("{mine}{COMMANDS}"));
    desk.commit("Windlass");
    let provider = |name: &str, variable: &str, at: &Reserved| {
        let url = at.base_url();
        format!("[providers.{name}]\nkind = \"openai-chat\"\nbase_url = {url:?}\napi_key_env = {variable:?}\n")
    };
    desk.write_own_config(&(provider("near", "NEAR_KEY", near) + &provider("far", "FAR_KEY", far)));
    desk
}

#[track_caller]
fn review(critic: &Server, findings: &str) -> (Vec<u8>, Vec<u8>) {
    let call = critic.call("critic-1", "Write the findings now");
    assert_eq!(call.header("authorization"), Some(format!("Bearer {CRITIC_KEY}").as_str()));
    (call.body.clone(), call.answer(findings))
}

#[test]
fn two_models_behind_sockets_and_one_revise_round() {
    let (near, far) = (Reserved::new(), Reserved::new());
    let desk = desk(&near, &far);
    let (author, critic) = (near.serve(), far.serve());
    let base = desk.git(&["rev-parse", "HEAD"]);
    let mut screen = desk.open(&["new", "Sum up faster"], TALL);
    trust(&mut screen);
    let mut wire: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();

    // What a model says is on the screen while the server still holds the rest.
    draft(&mut screen, "constraint");
    let mut call = author.call("author-1", "Write the constraint now");
    assert_eq!(call.header("authorization"), Some(format!("Bearer {AUTHOR_KEY}").as_str()));
    assert!(call.prompt().contains("Sum up faster") && call.prompt().contains("| steps | 40 |"), "{}", call.prompt());
    call.begin();
    call.say(CONSTRAINT[0]);
    let streaming = screen.wait_for_words("one addition for each number.");
    assert!(!streaming.says("Evidence") && state(&streaming).contains("the author is drafting"), "{streaming}");
    assert!(critic.is_idle());
    call.say(CONSTRAINT[1]);
    wire.push((call.body.clone(), call.finish()));
    wire.push(review(&critic, "note line 7 - a count, so it is the same everywhere\n"));
    await_decision(&screen, "constraint");
    read_all(&mut screen);
    approve(&mut screen, "constraint");

    draft(&mut screen, "plan");
    let call = author.call("author-1", "Write the plan now");
    wire.push((call.body.clone(), call.answer(PLAN_TOO_BIG)));
    wire.push(review(&critic, "blocker line 3 - moves the bottleneck to whoever adds the four sums\n"));
    let refused = await_decision(&screen, "plan");
    assert!(refused.says("1 blocker"), "{refused}");
    send_back(&mut screen, "plan", "No processes: is there a formula?");
    let call = author.call("author-1", "Write the plan now");
    for told in ["No processes: is there a formula?", "moves the bottleneck to whoever adds", "four processes"] {
        assert!(call.prompt().contains(told), "{told:?} isn't in {}", call.prompt());
    }
    wire.push((call.body.clone(), call.answer(PLAN)));
    wire.push(review(&critic, "No findings.\n"));
    await_decision(&screen, "plan");
    read_all(&mut screen);
    approve(&mut screen, "plan");

    draft(&mut screen, "change");
    let call = author.call("author-1", "Write the change now");
    wire.push((call.body.clone(), call.answer(CHANGE)));
    wire.push(review(&critic, "note sum.sh:3 - 40 stands there twice\n"));
    await_decision(&screen, "change");
    read_all(&mut screen);
    approve(&mut screen, "change");

    draft(&mut screen, "outcome");
    let call = author.call("author-1", "Write the outcome now");
    wire.push((call.body.clone(), call.answer(OUTCOME)));
    wire.push(review(&critic, "No findings.\n"));
    await_decision(&screen, "outcome");
    read_all(&mut screen);
    let landed = land(&mut screen, "outcome");
    assert!(state(&landed).contains("next constraint: Starting awk."), "{landed}");

    // A call is found by what was said in it, and tells when what of it came.
    screen.press("Space k");
    screen.wait_for_words("Calls of models, the newest first");
    screen.text("/closed FORM: half");
    screen.wait_for_words("Enter searches what was sent and said");
    screen.press("Enter");
    let found = screen.wait_for_words("Calls that sent or said it");
    assert!(found.says("5 loop 1 plan: author near/author-1") && !found.says("1 loop 1 constraint"), "{found}");
    screen.text("5 loop");
    screen.press("Enter");
    screen.wait_for_words("Call 5, as it went over the wire first byte after");
    // A key right behind Esc would be one key with it.
    screen.press("Esc");
    screen.wait_for("the loop", |frame| !frame.says("Call 5, as it went"));
    leave(&mut screen);
    assert!(author.is_idle() && critic.is_idle());

    let shown = desk.json(&["show", "1", "--json"]);
    assert_eq!(desk.git(&["rev-parse", "HEAD^"]), base);
    assert_eq!(desk.git(&["rev-parse", "HEAD^{tree}"]).trim(), approved_tree(&shown));
    assert_eq!(
        fs::read_to_string(desk.repo().join("sum.sh")).unwrap().lines().nth(2),
        Some("    print 40 * 41 / 2, 1")
    );
    assert!(desk.git(&["log", "-1", "--format=%B"]).contains("Windlass-Author: near/author-1"));
    desk.printed(&["verify"]);

    // Every exchange can be read back byte for byte, and no key is in any.
    let calls = desk.json(&["calls", "--json"]);
    assert_eq!(calls.as_array().unwrap().len(), wire.len());
    for (number, (sent, received)) in (1..).zip(&wire) {
        let id = format!("{number}");
        let exchange = desk.json(&["show", "x", &id, "--json"]);
        assert_eq!(exchange["request"]["body"].as_str().unwrap().as_bytes(), sent, "exchange {id}");
        assert_eq!(exchange["response"]["body"].as_str().unwrap().as_bytes(), received, "exchange {id}");
        assert_eq!((&exchange["ended"], &exchange["tokens"]["output"]), (&json!("complete"), &json!(34)), "{exchange}");
        let text = desk.printed(&["show", "x", &id]);
        assert!(!text.contains(AUTHOR_KEY) && !text.contains(CRITIC_KEY) && text.contains("authorization: "), "{text}");
    }
    desk.assert_nowhere(&[AUTHOR_KEY, CRITIC_KEY], &screen);

    // A reply that came word by word is found as it reads, and a request can be made again by hand.
    let found = desk.json(&["calls", "--grep", "CLOSED FORM: half", "--json"]);
    let reply = json!({"in": "reply", "text": "Use the closed form: half of 40 times 41."});
    assert_eq!((&found[0]["exchange"], &found[0]["found"][0]), (&json!(5), &reply), "{found}");
    assert_eq!((&found[1]["exchange"], &found[1]["found"][0]["in"]), (&json!(6), &json!("prompt")), "{found}");
    let curl = desk.printed(&["show", "x", "5", "--curl"]);
    assert!(curl.contains("'authorization: Bearer '\"$NEAR_KEY\" ") && !curl.contains(AUTHOR_KEY), "{curl}");
}

#[test]
fn every_failing_call_is_told_in_the_servers_words_with_a_next_step() {
    let (near, far) = (Reserved::new(), Reserved::new());
    let desk = desk(&near, &far);
    let url = near.base_url();
    let mut screen = desk.open(&["new", "Sum up faster"], TALL);
    trust(&mut screen);

    // Nobody answers at the address.
    draft(&mut screen, "constraint");
    told(&screen, &[&format!("failed to reach {url}/chat/completions: Connection refused"), "Is the server running?"]);
    let (author, critic) = (near.serve(), far.serve());
    let ask = |screen: &mut Terminal| {
        screen.press(&footer_key(&screen.frame(), "draft").unwrap());
        author.call("author-1", "Write the constraint now")
    };

    // A wrong key, which the server even repeats.
    let error = |words: &str| json!({"error": {"message": words, "type": "invalid_request_error"}});
    let call = ask(&mut screen);
    call.refuse("401 Unauthorized", &error(&format!("Incorrect API key provided: {AUTHOR_KEY}.")));
    told(
        &screen,
        &[
            "answered 401 Unauthorized: Incorrect API key provided: [key removed by windlass].",
            "Check the key in NEAR_KEY.",
        ],
    );

    // A model that isn't there.
    ask(&mut screen).refuse("404 Not Found", &error("The model `author-1` does not exist"));
    let list = format!("the server lists its models at {url}/models");
    told(&screen, &["404 Not Found: The model `author-1` does not exist", "Check the model's name", &list]);

    // A stream that is cut, and one in which the server gives up.
    let mut call = ask(&mut screen);
    call.begin();
    call.say(CONSTRAINT[0]);
    screen.wait_for_words("one addition for each number.");
    drop(call);
    told(&screen, &["the connection broke"]);
    let mut call = ask(&mut screen);
    call.begin();
    call.say(CONSTRAINT[0]);
    call.fail("the model crashed: out of memory");
    told(&screen, &["the model crashed: out of memory"]);

    // Asked once more, it works. Then the critic fails, and works when it is asked again.
    ask(&mut screen).answer(&CONSTRAINT.concat());
    // A server that is busy is asked again, four times in all.
    for _ in 0..4 {
        let call = critic.call("critic-1", "Write the findings now");
        call.refuse("503 Service Unavailable", &json!({"detail": "the model is loading"}));
    }
    let frame = await_decision(&screen, "constraint");
    assert!(frame.says("no critique"), "{frame}");
    screen.press("3");
    screen.wait_for_words("503 Service Unavailable: the model is loading");
    screen.wait_for_words("ask again later");
    screen.press("R");
    review(&critic, "No findings.\n");
    screen.wait_for("a critique", |frame| state(frame).contains("AWAITS") && !frame.says("no critique"));
    screen.press("1");
    read_all(&mut screen);
    approve(&mut screen, "constraint");
    leave(&mut screen);

    let calls = desk.json(&["calls", "--json"]);
    let ends: Vec<&str> = calls.as_array().unwrap().iter().map(|call| call["ended"].as_str().unwrap()).collect();
    assert_eq!(ends, ["failed", "failed", "failed", "failed", "failed", "complete", "failed", "complete"], "{calls}");
    desk.assert_nowhere(&[AUTHOR_KEY, CRITIC_KEY], &screen);
    desk.printed(&["verify"]);
}
