//! SIGKILL at two hundred random moments: what was acknowledged stands, what was begun is whole or not there, and one
//! start clears up.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use serde_json::Value;

use crate::demo::approved_tree;
use crate::desk::Desk;
use crate::hands::{footer_key, key, leave, state, trust};
use crate::harness::{Frame, Terminal};

const KILLS: usize = 200;

/// Repositories killed in at the same time: most of a run is waiting, for a sheet to take keys or a gate to end.
const REPOSITORIES: usize = 4;

/// The most keys pressed before a kill.
const KEYS: u64 = 8;

/// The longest wait for the moment after the last key.
const PAUSE: u64 = 300;

/// The same for a key that lands.
const LANDING: u64 = 100;

/// The most bytes that are written until the moment after the last key.
const BYTES: u64 = 3000;

/// How long a key may take to change what is on the screen.
const PATIENCE: Duration = Duration::from_secs(2);

/// Set to a number, it repeats the choices of the run that printed it; the machine's own timing stays its own.
const SEED: &str = "WINDLASS_KILL_SEED";

/// One pane, and high enough for a whole artifact.
const TALL: (u16, u16) = (90, 60);

/// A gate that takes a moment, and would leave a process behind if its end were missed.
const GATE: &str = r#"
[[gate]]
name = "slow"
argv = ["sh", "-c", "sleep 100 & sleep 0.1; kill $!"]
"#;

#[test]
fn two_hundred_kills_lose_nothing() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() & 0xffff_ffff;
    let seed = env::var(SEED).map_or_else(|_| now(), |text| text.parse().unwrap());
    println!("{SEED}={seed}");
    let seeds = (0..REPOSITORIES).map(|number| u64::try_from(seed).unwrap() + number as u64);
    let victims: Vec<_> = seeds.map(|seed| thread::spawn(move || Victim::new(seed).suffer())).collect();
    let landed: Vec<u64> = victims.into_iter().map(|victim| victim.join().expect("a kill lost something")).collect();
    println!("{KILLS} kills, and meanwhile these many landings in each repository: {landed:?}");
    assert!(landed.iter().all(|landed| *landed > 0), "the kills hardly let anything happen: {landed:?}");
}

/// What can be done at the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scene {
    NoLoop,
    Goal,
    Ready,
    Awaiting,
    Sheet,
    Why,
    Name,
    SendBack,
}

fn scene(frame: &Frame) -> Option<Scene> {
    let state = state(frame);
    let armed = key(frame, "approve").is_some();
    Some(match () {
        () if frame.says("What is the goal of this effort?") => Scene::Goal,
        () if frame.says("What should be different?") => Scene::SendBack,
        () if frame.says("Why approve all the same?") => Scene::Why,
        () if frame.says("Type outcome to confirm:") => Scene::Name,
        () if frame.says("Decide:") => return armed.then_some(Scene::Sheet),
        () if state.starts_with("no loop yet") || state.starts_with("LANDED as") => Scene::NoLoop,
        () if state.contains(": ready;") || state.contains(": no draft;") => Scene::Ready,
        () if state.contains("AWAITS YOUR DECISION") => Scene::Awaiting,
        () => return None,
    })
}

/// A repository in which windlass is killed again and again.
struct Victim {
    desk: Desk,
    dice: Dice,
    /// The events of the record when it was last looked at.
    events: Vec<Value>,
    /// How many reasons were given; no two are the same.
    reasons: u64,
}

impl Victim {
    fn new(seed: u64) -> Self {
        let desk = Desk::new();
        desk.furnish(GATE);
        let mut screen = desk.open(&["new", "Count"], TALL);
        trust(&mut screen);
        leave(&mut screen);
        Self { desk, dice: Dice(seed), events: Vec::new(), reasons: 0 }
    }

    /// Gives the number of loops that landed.
    fn suffer(mut self) -> u64 {
        for _ in 0..KILLS / REPOSITORIES {
            let seen = self.work_and_die();
            self.check_the_record(&seen);
            let mut screen = self.desk.open(&[], TALL);
            screen.wait_for("the screen", |frame| footer_key(frame, "help").is_some());
            leave(&mut screen);
            self.check_for_leftovers();
        }
        self.events.iter().filter(|event| event["event"] == "landed").count() as u64
    }

    /// Works for a number of keys, and is killed a little later. Gives what was on the screen then.
    fn work_and_die(&mut self) -> Seen {
        let mut screen = self.desk.open(&[], TALL);
        let (mut before, mut pause) = (None, PAUSE);
        for _ in 0..self.dice.up_to(KEYS) {
            // A key may have come a moment too early, and have been refused: then the same is to be done again.
            screen.stay(PATIENCE, |frame| scene(frame).is_some() && scene(frame) != before);
            let frame = screen.wait_for("something to do", |frame| scene(frame).is_some());
            let lands = (before, scene(&frame)) == (Some(Scene::Name), Some(Scene::Sheet));
            before = scene(&frame);
            self.act(&mut screen, &frame);
            // A landing is short, and the worst moment of all: half of them are not lived through.
            if lands && self.dice.up_to(1) == 0 {
                pause = LANDING;
                break;
            }
        }
        let pause = Duration::from_millis(self.dice.up_to(pause));
        if self.dice.up_to(1) == 0 {
            screen.stay(pause, |_| false);
        } else {
            let bytes = usize::try_from(self.dice.up_to(BYTES)).unwrap();
            screen.stay_until_written(pause, screen.written() + bytes);
        }
        let seen = Seen::on(&screen.frame());
        screen.kill();
        seen
    }

    fn act(&mut self, screen: &mut Terminal, frame: &Frame) {
        let reason = format!("reason number {}", self.reasons);
        self.reasons += 1;
        match scene(frame).unwrap() {
            Scene::NoLoop => {
                let round = self.desk.git(&["show", "HEAD:round.txt"]).trim().parse::<usize>().unwrap();
                self.desk.replies(round + 1);
                screen.press(&footer_key(frame, "new loop").unwrap());
            }
            Scene::Goal => screen.press("Enter"),
            Scene::Ready => screen.press(&footer_key(frame, "draft").unwrap()),
            Scene::Awaiting => screen.press(&footer_key(frame, "decide").unwrap()),
            Scene::Sheet => {
                let back = self.dice.up_to(6) == 0 && !frame.says("Decide: outcome");
                screen.press(&key(frame, if back { "send back" } else { "approve" }).unwrap());
            }
            Scene::Why | Scene::SendBack => screen.text(&format!("{reason}\r")),
            Scene::Name => screen.text("outcome"),
        }
    }

    /// Right after the kill: everything that was acknowledged is there, and the branch is before or after a landing.
    fn check_the_record(&mut self, seen: &Seen) {
        self.desk.printed(&["verify"]);
        let status = self.desk.json(&["status", "--json"]);
        assert_eq!(status["driver"], Value::Null, "the dead still drive: {status}");

        let events = self.desk.json(&["log", "--json"]);
        let events = events.as_array().unwrap();
        assert!(events.starts_with(&self.events), "the record has lost or changed events:\n{events:?}");
        self.events.clone_from(events);
        seen.assert_is_in(&self.desk);

        let shown = self.loop_now();
        let head = self.desk.git(&["rev-parse", "HEAD"]).trim().to_owned();
        if head != shown["base"].as_str().unwrap() {
            assert_eq!(self.desk.git(&["rev-parse", "HEAD^"]).trim(), shown["base"].as_str().unwrap());
            assert_eq!(self.desk.git(&["rev-parse", "HEAD^{tree}"]).trim(), approved_tree(&shown));
        }
        if shown["status"] == "landed" {
            assert_eq!(shown["commit"].as_str(), Some(head.as_str()));
        }
    }

    /// After one start and end: nothing is half done, nothing lies about, nothing runs.
    fn check_for_leftovers(&mut self) {
        self.desk.assert_nothing_runs();
        let git = self.desk.repo().join(".git");
        let (shown, head) = (self.loop_now(), self.desk.git(&["rev-parse", "HEAD"]).trim().to_owned());
        let stands = match shown["status"].as_str().unwrap() {
            "landed" => &shown["commit"],
            "active" => &shown["base"],
            other => panic!("the loop is {other} after a start: {shown}"),
        };
        let dirt = self.desk.git(&["status", "--porcelain"]);
        assert!(dirt.is_empty() && *stands == head, "main is at {head} and not {stands}: {} {dirt:?}", shown["left"]);

        let prefix = format!("windlass-loop-{}-", shown["number"]);
        let ours = |name: &String| shown["status"] == "active" && name.starts_with(&prefix);
        for dir in [self.desk.private().join("worktrees"), git.join("worktrees")] {
            let names = names_in(&dir);
            assert!(names.iter().all(ours), "{} holds {names:?} while loop {}", dir.display(), shown["number"]);
        }
        let listed = self.desk.git(&["worktree", "list", "--porcelain"]);
        assert!(!listed.contains("prunable") && !listed.contains("locked"), "{listed}");
        assert_eq!(names_in(&self.desk.private().join("scratch")), [""; 0]);
        let mut locks = Vec::new();
        locks_below(&git, &mut locks);
        assert_eq!(locks, [""; 0]);
        assert_eq!(self.desk.json(&["status", "--json"])["driver"], Value::Null);
    }

    fn loop_now(&self) -> Value {
        let number = self.desk.json(&["status", "--json"])["loop"]["number"].to_string();
        self.desk.json(&["show", &number, "--json"])
    }
}

impl Drop for Victim {
    /// What happened, if something was lost.
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.desk.run(&["log"]).stdout;
            let log = String::from_utf8_lossy(&log);
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("The record's end:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// What the screen said was so.
#[derive(Debug)]
struct Seen {
    number: Option<u64>,
    approved: Vec<&'static str>,
    sent_back: usize,
    landed: Option<String>,
    revision: Option<usize>,
}

impl Seen {
    fn on(frame: &Frame) -> Self {
        let (top, words) = (frame.rows()[0].clone(), frame.words());
        let word_after =
            |text: &str, before: &str| Some(text.split_once(before)?.1.split([' ', ';']).next()?.to_owned());
        let stages = ["constraint", "plan", "change", "outcome"];
        Self {
            number: word_after(&top, " loop ").and_then(|number| number.parse().ok()),
            approved: stages.into_iter().filter(|stage| top.contains(&format!("✓ {stage}"))).collect(),
            sent_back: words.matches(" ~ sent back").count(),
            landed: word_after(&state(frame), "LANDED as "),
            revision: word_after(&words, " revision ").and_then(|ordinal| ordinal.parse().ok()),
        }
    }

    fn assert_is_in(&self, desk: &Desk) {
        let Some(number) = self.number else { return };
        let shown = desk.json(&["show", &number.to_string(), "--json"]);
        let stages = shown["stages"].as_array().unwrap();
        let count = |stage: &Value, what: &str| stage[what].as_array().unwrap().len();
        for stage in stages.iter().filter(|stage| self.approved.contains(&stage["name"].as_str().unwrap())) {
            let last = stage["decisions"].as_array().unwrap().last().map(|decision| decision["verb"].clone());
            assert_eq!(last, Some("approve".into()), "{self:?} is not in {stage}");
        }
        let verbs = stages.iter().flat_map(|stage| stage["decisions"].as_array().unwrap());
        let sent_back = verbs.filter(|decision| decision["verb"] == "revise").count();
        assert!(sent_back >= self.sent_back, "{self:?} is not in {shown}");
        if let Some(landed) = &self.landed {
            assert!(shown["commit"].as_str().unwrap().starts_with(landed.as_str()), "{self:?} is not in {shown}");
        }
        if let Some(revision) = self.revision {
            let most = stages.iter().map(|stage| count(stage, "revisions")).max().unwrap();
            assert!(most >= revision, "{self:?} is not in {shown}");
        }
    }
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The locks that git leaves when it is killed. The driver's own is held by a living process or by nobody.
fn locks_below(dir: &Path, found: &mut Vec<String>) {
    for name in names_in(dir) {
        let path = dir.join(&name);
        if path.is_dir() {
            locks_below(&path, found);
        } else if (name.ends_with(".lock") && name != "driver.lock") || name == "locked" {
            found.push(path.display().to_string());
        }
    }
}

/// Chance, from a seed: SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
struct Dice(u64);

impl Dice {
    /// A number from 0 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % (most + 1)
    }
}
