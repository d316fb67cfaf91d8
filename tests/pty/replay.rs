//! A session with models behind sockets, recorded and played again in a fresh copy of the repository: same revisions,
//! same findings, same screens.

use std::fs;

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::format::Format;
use crate::hands::{approve, await_decision, begin, draft, footer_key, land, leave, read_all, send_back, trust};
use crate::harness::{Frame, Terminal};
use crate::server::{Reserved, Server};

const GOAL: &str = "Fewer steps";
const KEY: &str = "key-5e8b1c0d9f2a4376";
const SIZE: (u16, u16) = (100, 40);

/// Who answers while the person works.
struct Models {
    author: Server,
    critic: Server,
}

impl Models {
    /// Answers a call of the author, and the review that follows from it.
    fn answer(&self, desk: &Desk, stage: &str, nth: usize, findings: &str) {
        let call = self.author.call("author-1", &format!("Write the {stage} now"));
        if nth == 2 {
            // One attempt fails: it is on the cassette, too.
            call.refuse("503 Service Unavailable", &json!({"error": {"message": "the model is loading"}}));
            let call = self.author.call("author-1", &format!("Write the {stage} now"));
            call.answer(&desk.reply(&format!("author-{stage}.{nth}")));
        } else {
            call.answer(&desk.reply(&format!("author-{stage}.{nth}")));
        }
        self.critic.call("critic-1", "Write the findings now").answer(findings);
    }
}

/// Works through a loop by keys alone, and keeps what each decision was made on.
fn work(desk: &Desk, screen: &mut Terminal, models: Option<&Models>) -> Vec<Frame> {
    let mut frames = Vec::new();
    let answer = |stage: &str, nth: usize, findings: &str| {
        if let Some(models) = models {
            models.answer(desk, stage, nth, findings);
        }
    };
    begin(screen, if models.is_some() { GOAL } else { "" });
    trust(screen);
    let mut look = |screen: &mut Terminal, stage: &str| {
        await_decision(screen, stage);
        read_all(screen);
        let last = |frame: &Frame| frame.says("read ");
        frames.push(screen.wait_for("the decision", last));
        screen.press("3");
        // There is nothing to comment on in that pane.
        let is_there = |frame: &Frame| last(frame) && footer_key(frame, "comment").is_none();
        frames.push(screen.wait_for("the critique", is_there));
        screen.press("1");
    };
    for (stage, findings) in [
        ("constraint", "note line 3 - only a walk, é 🦀\n"),
        ("plan", "blocker line 3 - moves the bottleneck\nminor line 7 - a typo\n"),
        ("change", "No findings.\n"),
    ] {
        draft(screen, stage);
        answer(stage, 1, findings);
        look(screen, stage);
        if stage == "plan" {
            send_back(screen, stage, "Is there less?");
            answer(stage, 2, "No findings.\n");
            look(screen, stage);
        }
        approve(screen, stage);
    }
    draft(screen, "outcome");
    answer("outcome", 1, "minor line 3 - says little\n");
    look(screen, "outcome");
    land(screen, "outcome");
    leave(screen);
    frames
}

/// A desk with a repository that is a copy of this one, and none of its configuration.
fn copy(of: &Desk) -> Desk {
    let desk = Desk::new();
    fs::remove_dir_all(desk.repo()).unwrap();
    let from = of.repo();
    desk.git_in(desk.home(), &["clone", "-q", from.to_str().unwrap(), "repo"]);
    desk.git(&["config", "user.name", "Ada"]);
    desk.git(&["config", "user.email", "ada@example.org"]);
    desk
}

/// What was made and found in a stage, without what is another every time.
fn made(shown: &Value) -> Value {
    let stages = shown["stages"].as_array().unwrap().iter().map(|stage| {
        let revisions = stage["revisions"].as_array().unwrap().iter();
        // The outcome's tree holds the decision record, which tells by the minute when things were decided.
        let is_timeless = stage["name"] != "outcome";
        let revisions = revisions.map(|one| {
            let content = is_timeless.then(|| [&one["id"], &one["tree"]]);
            json!([one["ordinal"], content, one["by"], one["text"]])
        });
        let revisions: Vec<Value> = revisions.collect();
        let critique = &stage["critique"];
        let gates = stage["gates"].as_array().unwrap().iter();
        let gates: Vec<Value> = gates.map(|gate| json!([gate["name"], gate["verdict"], gate["summary"]])).collect();
        let found = json!([critique["model"], critique["exchange"], critique["text"], critique["findings"]]);
        json!([stage["name"], stage["phase"], revisions, found, gates])
    });
    stages.collect()
}

/// What the record says of every call.
fn called(desk: &Desk) -> Vec<Value> {
    let calls = desk.json(&["calls", "--json"]);
    let mut calls: Vec<Value> = calls.as_array().unwrap().clone();
    calls.iter_mut().for_each(|call| call["asked"] = Value::Null);
    calls
}

#[test]
fn a_session_played_again_gives_the_same_revisions_findings_and_screens() {
    let (near, far) = (Reserved::new(), Reserved::new());
    let mut desk = Desk::new();
    desk.furnish("");
    desk.write(".windlass/config.toml", CONFIG);
    desk.commit("Models");
    let provider = |name: &str, format: Format, at: &Reserved| {
        let (kind, url) = (format.name(), at.base_url());
        format!("[providers.{name}]\nkind = {kind:?}\nbase_url = {url:?}\napi_key_env = \"A_KEY\"\n")
    };
    desk.set("A_KEY", KEY);
    desk.write_own_config(&format!(
        "{}{}{PRICES}",
        provider("near", Format::Messages, &near),
        provider("far", Format::Gemini, &far)
    ));
    // Cloned before anything lands.
    let again = copy(&desk);
    again.write_own_config(PRICES);

    let models = Models { author: near.serve(), critic: far.serve() };
    let mut screen = desk.open(&[], SIZE);
    let live = work(&desk, &mut screen, Some(&models));
    desk.assert_nowhere(&[KEY], &screen);
    drop(models);

    let cassette = desk.home().join("session.jsonl");
    let file = cassette.to_str().unwrap();
    let told = desk.printed(&["record", "-o", file]);
    assert!(told.starts_with("Recorded 10 calls of 1 loop in "), "{told}");
    assert!(!fs::read_to_string(&cassette).unwrap().contains(KEY));
    let twice = desk.run(&["record", "-o", file]);
    assert!(!twice.status.success() && String::from_utf8_lossy(&twice.stderr).contains("nothing is overwritten"));

    // Nobody serves any more, there is no provider, and no key.
    let mut screen = again.open(&["replay", file], SIZE);
    let played = work(&again, &mut screen, None);

    let loops = [&desk, &again].map(|desk| made(&desk.json(&["show", "1", "--json"])));
    assert_eq!(loops[0], loops[1]);
    assert_eq!(called(&desk), called(&again));
    let landed = |desk: &Desk| {
        let files = desk.git(&["ls-tree", "-r", "HEAD"]);
        files.lines().filter(|file| !file.contains("docs/decisions/")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(landed(&desk), landed(&again));
    assert_eq!(live.len(), played.len());
    for (live, played) in live.iter().zip(&played) {
        let (live, played) = (steady(live), steady(played));
        assert!(live == played, "recorded:\n{}\nplayed:\n{}", live.join("\n"), played.join("\n"));
    }

    // The record says that they were played, and has their bytes; one attempt had failed.
    for number in 1..=10 {
        let id = number.to_string();
        let [one, two] = [&desk, &again].map(|desk| desk.json(&["show", "x", &id, "--json"]));
        assert_eq!(one["response"], two["response"], "exchange {id}");
        let lengths = [&one, &two].map(|shown| shown["earlier"].as_array().map_or(0, Vec::len));
        assert_eq!(lengths[0], lengths[1]);
        assert_eq!(two["request"]["method"], "PLAY");
    }
    assert_eq!(again.json(&["show", "x", "5", "--json"])["earlier"][0]["response"]["status"], 503);
    again.printed(&["verify"]);
    let sums = [&desk, &again].map(|desk| desk.json(&["costs", "--json"]));
    assert_eq!((&sums[0][0]["played"], &sums[0][0]["unknown"]), (&json!(0), &json!(0)));
    assert_eq!((&sums[1][0]["played"], &sums[1][0]["cost_nanodollars"]), (&json!(10), &json!(0)));

    // The plan's two drafts side by side.
    let diff = again.printed(&["calls", "--diff", "3", "5"]);
    for part in ["-Count a round (try 1).", "+Count a round (try 2).", "+Is there less?", "tokens a second"] {
        assert!(diff.contains(part), "{part:?} isn't in {diff}");
    }
    assert_eq!(again.run(&["calls", "--diff", "3"]).status.code(), Some(2));

    // The same file serves a provider of the person's own.
    again.write_own_config(&format!("[providers.near]\nkind = \"script\"\ncassette = {file:?}\n"));
    let status = again.run(&["status"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("loop 1"), "{status:?}");
}

/// A screen without the minute of each decision and how long gates took.
fn steady(frame: &Frame) -> Vec<String> {
    let is_clock = |word: &str| word.len() == 5 && word.as_bytes()[2] == b':';
    let is_date = |word: &str| word.len() == 10 && word.bytes().all(|c| c.is_ascii_digit() || c == b'-');
    let is_time = |word: &str| word.ends_with("ms") || word == "s" || is_clock(word) || is_date(word);
    let mut rows = Vec::new();
    for row in frame.rows() {
        let words: Vec<&str> = row.split_whitespace().collect();
        let keep = words.iter().enumerate().filter(|(at, word)| {
            let before_unit = words.get(at + 1).is_some_and(|next| is_time(next));
            let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '.');
            !(is_time(word) || (before_unit && is_number))
        });
        rows.push(keep.map(|(_, word)| *word).collect::<Vec<_>>().join(" "));
    }
    rows
}

const PRICES: &str = "[prices]\n\"near/*\" = { input = 1, output = 10 }\n\"far/*\" = { input = 2, output = 20 }\n";

const CONFIG: &str = r#"[roles]
author = "near/author-1"
critic = "far/critic-1"

[measure]
rounds = 1

[[probe]]
name = "steps"
argv = ["sh", "probe.sh"]

[[gate]]
name = "test"
argv = ["sh", "test.sh"]
"#;
