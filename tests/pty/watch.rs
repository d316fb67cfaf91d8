//! Looking on: others follow live at their own size, decide nothing by any key, and stay when the driver is killed.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::desk::Desk;
use crate::hands::{await_decision, draft, footer_key, leave, press_for, send_back, state, trust};
use crate::harness::Terminal;
use crate::server::desk_with_models;

/// Everything on a keyboard that isn't a way to leave.
const KEYS: &str = "A y Y r R D d U u i e a x c C O o W + ! K n N p J T t E s S v V f F b B m M Enter Tab C-c C-d C-u";

#[test]
fn watchers_follow_decide_nothing_and_outlive_the_driver() {
    let (desk, author, critic) = desk_with_models();

    let mut driver = desk.open(&["new", "Fewer steps"], (120, 35));
    trust(&mut driver);
    let mut early = desk.open(&["watch"], (80, 24));
    early.wait_for("the loop", |frame| frame.says("read only") && state(frame).starts_with("CONSTRAINT: ready"));
    driver.wait_for_words("watched by Ada");
    draft(&mut driver, "constraint");
    let mut call = author.call("author-1", "Write the constraint now");
    call.begin();
    call.say_whole("The first words");
    early.wait_for_words("The first words");
    // Who comes in the middle sees what was said before.
    let mut late = desk.open(&["watch"], (200, 50));
    late.wait_for_words("The first words");
    driver.wait_for_words("watched by Ada, Ada");
    let mut slowest = Duration::ZERO;
    for word in ["second", "third", "fourth"] {
        call.say(&format!(" and the {word}"));
        slowest = slowest.max(seen_by_all(&driver, [&early, &late], word));
    }
    call.say("\n\n");
    call.say(&desk.reply("author-constraint.1"));
    call.finish();
    critic.call("critic-1", "Write the findings now").answer(&desk.reply("critic-constraint.1"));
    await_decision(&driver, "constraint");
    let began = Instant::now();
    let awaits = "CONSTRAINT: awaiting decision; another windlass drives";
    for watcher in [&early, &late] {
        watcher.wait_for(awaits, |frame| state(frame) == awaits);
    }
    slowest = slowest.max(began.elapsed());
    println!("the slowest of what both watchers saw came {} ms after the driver's own screen", slowest.as_millis());

    let recorded = desk.json(&["log", "--json"]);
    for watcher in [&mut early, &mut late] {
        for key in KEYS.split(' ') {
            watcher.press(key);
            watcher.press("Esc");
        }
        // One after the other, so that what comes after the last key's screen came after all of them.
        watcher.press("1");
        watcher.wait_for(awaits, |frame| state(frame) == awaits);
    }
    assert_eq!(desk.json(&["log", "--json"]), recorded, "a watcher's key is in the record");
    send_back(&mut driver, "constraint", "Which step is it, then?");
    author.call("author-1", "Which step is it, then?");
    let drafting = |frame: &crate::harness::Frame| state(frame).starts_with("CONSTRAINT: drafting");
    for watcher in [&early, &late] {
        watcher.wait_for("the draft", drafting);
    }

    driver.signal(Signal::SIGKILL);
    driver.end();
    for watcher in [&early, &late] {
        watcher.wait_for_words("nobody drives any more");
    }
    // They follow the next one, too.
    let mut driver = desk.open(&[], (120, 35));
    driver.wait_for("the loop", |frame| footer_key(frame, "take back").is_some());
    driver.wait_for_words("watched by Ada, Ada");
    press_for(&mut driver, "take back");
    for watcher in [&mut early, &mut late] {
        watcher.wait_for("the review", |frame| {
            ["CONSTRAINT: reviewing", "CONSTRAINT: awaiting"].iter().any(|begin| state(frame).starts_with(begin))
        });
        leave(watcher);
    }
    driver.wait_for("nobody", |frame| !frame.says("watched by"));
    driver.kill();
}

#[test]
fn there_is_nothing_to_watch_before_a_loop() {
    let desk = Desk::new();
    desk.furnish("");
    let mut screen = desk.open(&["watch"], (80, 24));
    screen.wait_for_words("there is nothing to watch");
    assert_eq!(screen.end().exit_code(), 1);
}

/// Waits until a word is on the driver's screen and then on both others; how long these took.
fn seen_by_all(driver: &Terminal, watchers: [&Terminal; 2], word: &str) -> Duration {
    driver.wait_for_words(word);
    let began = Instant::now();
    for watcher in watchers {
        watcher.wait_for_words(word);
    }
    began.elapsed()
}
