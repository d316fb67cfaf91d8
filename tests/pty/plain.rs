//! The linear mode: a person who only hears lines and only types words.

use crate::demo::{approved_tree, project};
use crate::desk::Desk;
use crate::harness::Terminal;

/// The program, and how far its words were listened to.
struct Ear {
    terminal: Terminal,
    heard: usize,
}

impl Ear {
    fn open(desk: &Desk, args: &[&str], typed: &str) -> Self {
        Self { terminal: desk.open_after_typing(args, (100, 40), typed), heard: 0 }
    }

    /// Listens until these words come.
    #[track_caller]
    fn hear(&mut self, words: &str) {
        self.hear_any(&[words]);
    }

    /// Listens until one of these comes, and says which.
    #[track_caller]
    fn hear_any(&mut self, any: &[&str]) -> usize {
        let (which, heard) = self.terminal.wait_for_text(self.heard, any);
        self.heard = heard;
        which
    }

    /// Types a line.
    fn say(&mut self, line: &str) {
        self.terminal.text(&format!("{line}\n"));
    }

    /// What was said up to now, after these words.
    fn since(&self, words: &str) -> String {
        let bytes = self.terminal.bytes();
        let all = String::from_utf8_lossy(&bytes[..self.heard]).into_owned();
        all[all.rfind(words).unwrap_or(0)..].to_owned()
    }

    /// Begins a loop and trusts its commands.
    #[track_caller]
    fn begin(&mut self, goal: &str) {
        self.say("new");
        self.hear("What is the goal of this effort?");
        self.say(goal);
        self.hear("Loop 1 begins.");
        self.say("trust");
        self.hear("Type trust to trust exactly this, or back.");
        self.say("trust");
        self.hear("The repository's commands are trusted");
    }

    /// Has a stage drafted, up to where it waits.
    #[track_caller]
    fn draft(&mut self, stage: &str) {
        self.hear(&format!("{}: ready;", stage.to_uppercase()));
        self.say("draft");
        self.hear(&format!("{} AWAITS YOUR DECISION", stage.to_uppercase()));
    }

    /// Reads every part and says so.
    #[track_caller]
    fn read_all(&mut self) {
        self.say("read");
        while self.hear_any(&["Enter: read, go on.", "All of it is read"]) == 0 {
            self.say("");
        }
    }

    /// Opens the decision, and answers it once it is asked.
    #[track_caller]
    fn decide(&mut self, answer: &str) {
        self.say("decide");
        self.hear("Type approve, revise, abandon or back.");
        self.say(answer);
    }

    #[track_caller]
    fn leave(&mut self) {
        self.say("quit");
        let status = self.terminal.end();
        assert!(status.success(), "{status:?}");
    }
}

#[test]
fn the_demo_lands_by_typed_words_alone() {
    let desk = Desk::new();
    let mut ear = Ear::open(&desk, &["demo", "--plain", "--pace", "100000"], "");
    ear.hear("No loop yet.");
    ear.begin("");
    ear.draft("constraint");
    ear.read_all();
    ear.decide("approve");
    ear.hear("The constraint is approved, by ");

    ear.draft("plan");
    assert!(ear.since("The critique is there").contains("blocker, "), "{}", ear.since("The critique is there"));
    // What stands in the way is said, and approving it is refused.
    ear.decide("approve");
    ear.hear("! a blocker is open");
    ear.hear("Type approve, revise, abandon or back.");
    ear.say("revise");
    ear.hear("Send it back to the author");
    ear.say("It moves the bottleneck; drop the walk itself");
    ear.hear("The plan goes back to its author");
    ear.hear("PLAN AWAITS YOUR DECISION: 1 note open");
    // Nothing was read of this revision, so approving it asks why; the way back is open.
    ear.decide("approve");
    ear.hear("Why approve all the same?");
    ear.say("no");
    ear.hear("a reason has at least 12 characters");
    ear.hear("Why approve all the same?");
    ear.terminal.press("C-c");
    ear.hear("Type approve, revise, abandon or back.");
    ear.say("back");
    ear.hear("You can type:");
    ear.read_all();
    ear.decide("approve");
    ear.hear("The plan is approved, by ");

    ear.draft("change");
    ear.read_all();
    ear.decide("approve");
    ear.hear("The change is approved, by ");

    ear.draft("outcome");
    ear.read_all();
    ear.decide("approve");
    ear.hear("Type outcome to confirm");
    ear.say("outcom");
    ear.hear("type outcome to confirm");
    ear.hear("Type outcome to confirm");
    ear.say("outcome");
    ear.hear("landed as ");
    ear.hear("The next constraint: ");
    ear.leave();
    let after = ear.terminal.frame();
    assert!(after.says("The demo's repository is ") && ear.terminal.is_cooked(), "{after}");

    // Nothing but lines was written: no cursor moved, no screen was taken.
    let bytes = String::from_utf8(ear.terminal.bytes()).unwrap();
    let bytes = bytes.replace("\x1b[?2004h", "").replace("\x1b[?2004l", "").replace("^C", "");
    assert!(!bytes.contains('\x1b'), "{:?}", bytes.split('\x1b').nth(1));

    let project = project(&desk);
    let (at, project) = (project.clone(), project.to_str().unwrap());
    let shown = desk.json(&["-C", project, "show", "1", "--json"]);
    assert_eq!(shown["status"], "landed");
    assert_eq!(desk.git_in(&at, &["rev-parse", "HEAD^{tree}"]).trim(), approved_tree(&shown));
    desk.printed(&["-C", project, "verify"]);
}

#[test]
fn what_is_typed_ahead_pasted_or_piped_decides_nothing() {
    let desk = Desk::new();
    desk.furnish("");
    // A model that would like to have the terminal.
    let reply = desk.home().join("replies/author-constraint.1.md");
    let hostile = "\x1b[2J\x1b]52;c;aGk=\x07 \u{202e}evil\u{9b}31m\n";
    std::fs::write(&reply, desk.reply("author-constraint.1") + hostile).unwrap();
    let mut ear = Ear::open(&desk, &["--plain"], "approve\n");
    ear.hear("not now: there is no loop yet");
    ear.begin("Fewer steps");
    ear.draft("constraint");
    ear.read_all();
    let decided = || desk.json(&["show", "1", "--json"])["stages"][0]["decisions"].as_array().unwrap().len();

    // Typed in one breath: the second word was there before the question.
    ear.say("decide\napprove\napprove");
    ear.hear("it doesn't count");
    ear.hear("Type approve, revise, abandon or back.");
    // Pasted as the answer.
    ear.say("\x1b[200~approve\x1b[201~");
    ear.hear("Pasted text doesn't decide: type it.");
    ear.hear("Type approve, revise, abandon or back.");
    // A script that answers faster than anybody can.
    ear.say("what?\napprove\napprove");
    ear.hear("Type approve, revise, abandon or back.");
    ear.say("back");
    ear.hear("You can type:");
    assert_eq!(decided(), 0);
    ear.leave();
    let written = String::from_utf8(ear.terminal.bytes()).unwrap();
    assert_eq!(written.matches("\\e[2J\\e]52;c;aGk=^G <U+202E>evil<U+009B>31m").count(), 2, "as it came, and as read");
    for raw in ["\x1b[2J", "\x1b]52", "\u{202e}", "\u{9b}"] {
        assert!(!written.contains(raw), "{raw:?}");
    }

    // Without a terminal nothing is asked, whatever is piped.
    for args in [&["--plain"][..], &["demo", "--plain"], &["new", "More", "--plain"]] {
        let output = desk.run_with_input(args, "decide\napprove\n");
        assert_eq!(output.status.code(), Some(3), "{output:?}");
    }
    assert_eq!(decided(), 0);

    // It goes on where it stopped, in a dumb terminal too, and only a typed word decides.
    let mut desk = desk;
    desk.set("TERM", "dumb");
    let mut ear = Ear::open(&desk, &[], "approve\n");
    ear.hear("CONSTRAINT AWAITS YOUR DECISION");
    ear.hear("Type approve, revise, abandon or back.");
    ear.say("approve");
    // What an earlier run has read stays read.
    ear.hear("The constraint is approved, by ");
    ear.leave();
    assert!(!ear.terminal.bytes().contains(&0x1b));
    assert_eq!(desk.json(&["show", "1", "--json"])["stages"][0]["decisions"].as_array().unwrap().len(), 1);
}

#[test]
fn an_interrupt_stops_what_runs_and_the_program_stays() {
    let desk = Desk::new();
    desk.furnish("");
    let mut ear = Ear::open(&desk, &["demo", "--plain", "--pace", "5"], "");
    ear.begin("");
    ear.hear("CONSTRAINT: ready;");
    ear.say("draft");
    ear.hear("The author is asked:");
    ear.terminal.press("C-c");
    ear.hear("There is no draft of the constraint.");
    ear.terminal.press("C-c");
    ear.hear("nothing is running");
    ear.say("drft");
    ear.hear("is it draft?");
    ear.leave();
}
