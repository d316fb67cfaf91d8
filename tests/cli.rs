//! The program from outside: what each subcommand prints, and how bad input ends. The real binary, real repositories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;
use tempfile::TempDir;

use windlass::config::workflow;
use windlass::domain::{
    ArtifactKind, Budget, Critique, Digest, End, ExchangeId, GateRun, LoopId, ModelId, Origin, Person, Price,
    PromptRef, Quote, Role, RunId, StageIndex, Subject, Timestamp, Timings, Usage, Verdict,
};
use windlass::engine::{self, Command as Order, Setup, State};
use windlass::journal::{Journal, ReceivedChunk, ReceivedResponse, SentRequest, WireKind, WireRow};
use windlass::repo::Repo;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass");

/// Variables of the machine that would change what the program finds.
const UNWANTED: &[&str] = &[
    "WINDLASS_AUTHOR",
    "WINDLASS_CRITIC",
    "WINDLASS_THEME",
    "WINDLASS_KEYMAP",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "XAI_API_KEY",
    "DEEPSEEK_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "TMUX",
    "COLORTERM",
    "NO_COLOR",
];

const PROVIDERS: &str = "\
[providers.local]
kind = \"openai-chat\"
base_url = \"http://127.0.0.1:9/v1\"
[providers.far]
kind = \"openai-chat\"
base_url = \"https://far.invalid/v1\"
api_key_env = \"FAR_KEY\"
";

/// How a run ended, and what it said.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A person with a repository of one commit.
struct Desk {
    dir: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let variables = vec![
            ("HOME", text(dir.path())),
            ("XDG_CONFIG_HOME", text(&dir.path().join("xdg"))),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("TZ", "UTC".to_owned()),
        ];
        let desk = Self { dir, variables };
        fs::create_dir(desk.repo()).unwrap();
        desk.git(&["-c", "init.defaultBranch=main", "init", "-q"]);
        desk.git(&["config", "user.name", "Ada"]);
        desk.git(&["config", "user.email", "ada@example.org"]);
        desk.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
        desk
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn user_file(&self) -> PathBuf {
        self.dir.path().join("xdg/windlass/config.toml")
    }

    fn git(&self, args: &[&str]) {
        let mut git = Command::new("git");
        git.args(args).current_dir(self.repo()).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        assert!(git.status().unwrap().success());
    }

    fn write(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Sets a variable for all further runs.
    fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    fn write_user_file(&self, text: &str) {
        fs::create_dir_all(self.user_file().parent().unwrap()).unwrap();
        fs::write(self.user_file(), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.repo()).stdin(Stdio::null());
        for name in UNWANTED {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program without a terminal.
    fn run(&self, args: &[&str]) -> Ended {
        let output = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs the program at a terminal. Something is typed before it starts, and an answer when `prompt` appears.
    fn run_at_terminal(&self, args: &[&str], before: &str, prompt: &str, answer: &str) -> Ended {
        let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 200, ..PtySize::default() }).unwrap();
        let (mut reader, mut keys) = (pty.master.try_clone_reader().unwrap(), pty.master.take_writer().unwrap());
        keys.write_all(before.as_bytes()).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        command.cwd(self.repo());
        UNWANTED.iter().for_each(|name| command.env_remove(name));
        self.variables.iter().for_each(|(name, value)| command.env(name, value));
        let mut child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let (bytes, arrived) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            // At the end of the program a terminal gives an error or nothing.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                bytes.send(buffer[..length].to_vec()).unwrap();
            }
        });
        let (mut out, mut asked) = (String::new(), false);
        while let Ok(more) = arrived.recv_timeout(Duration::from_secs(60)) {
            out.push_str(&String::from_utf8_lossy(&more));
            if !asked && out.contains(prompt) {
                asked = true;
                keys.write_all(answer.as_bytes()).unwrap();
            }
        }
        let code = i32::try_from(child.wait().unwrap().exit_code()).unwrap();
        Ended { code, out, err: String::new() }
    }

    /// Records a loop whose constraint waits for the human: two exchanges, one of them with bytes that aren't text.
    fn record(&self) {
        let mut pen = Pen::new(self);
        let author = ModelId("script/a".to_owned());
        let critic = ModelId("script/b".to_owned());
        let setup = Setup { author: Some(author.clone()), critic: Some(critic.clone()), ..Setup::default() };
        let (base, branch) = (pen.repo.head().unwrap(), pen.repo.branch().unwrap());
        let (id, stage) = (LoopId(1), StageIndex(0));
        let goal = "ten \u{1b}[31mtimes".to_owned();
        let workflow = workflow("scale").unwrap();
        pen.add(Order::Begin { goal, hint: None, workflow, base, branch, setup, by: Person("Ada".to_owned()) });
        pen.add(Order::Prepared { id, stage, items: Vec::new(), measurement: None, unmeasured: None });
        pen.add(Order::Draft { id });

        pen.ask(Role::Author, &author);
        let chunk = |elapsed_ns, bytes: &[u8]| WireKind::Chunk(ReceivedChunk { elapsed_ns, bytes: bytes.to_vec() });
        pen.wire(1, WireKind::Request(request("{\"say\":\"\u{202e}\"}".as_bytes())));
        pen.wire(1, WireKind::Response(ReceivedResponse { status: 200, headers: vec![("a".into(), "b".into())] }));
        pen.wire(1, chunk(1_000, b"# Cons"));
        pen.wire(1, chunk(2_000, b"traint\x1b[2J"));
        pen.answer(1, End::Complete);
        let origin = Origin::Model { model: author, exchange: ExchangeId(1) };
        pen.add(Order::Drafted { id, stage, text: "# Constraint\x1b[2J\n".to_owned(), change: None, origin });

        pen.ask(Role::Critic, &critic);
        pen.wire(2, WireKind::Request(request(b"\xff\x00")));
        pen.answer(2, End::Complete);
        let open = &pen.state.loops[&id];
        let revision = open.open_stage().unwrap().revision().unwrap().id;
        let gates = open.gates(stage);
        let text = "blocker line 1 - clears the screen\nminor whole - short\n".to_owned();
        let critique = Critique::read(revision, critic, ExchangeId(2), text);
        pen.add(Order::Critiqued { id, stage, critique });
        for (index, gate) in gates.iter().enumerate() {
            let run = GateRun {
                id: RunId(0),
                gate: gate.name.clone(),
                definition: gate.digest(),
                subject: Subject { revision, tree: None },
                verdict: if index == 0 { Verdict::Fail } else { Verdict::Pass },
                summary: "as told".to_owned(),
                tail: String::new(),
                spilled: None,
                started: Timestamp(0),
                duration_ms: 7,
                details: windlass::domain::Details::default(),
                protection: "sandbox".to_owned(),
            };
            pen.add(Order::GateFinished { id, stage, run });
        }
    }
}

fn request(body: &[u8]) -> SentRequest {
    let headers = vec![("authorization".to_owned(), "***".to_owned())];
    SentRequest { method: "POST".to_owned(), url: "http://here/v1".to_owned(), headers, body: body.to_vec() }
}

/// Writes a journal as the driver does.
struct Pen {
    repo: Repo,
    journal: Journal,
    state: State,
    at: i64,
}

impl Pen {
    fn new(desk: &Desk) -> Self {
        let repo = Repo::open(&desk.repo()).unwrap();
        let (journal, events) = Journal::open(&repo.private_dir().unwrap()).unwrap();
        assert_eq!(events, []);
        Self { repo, journal, state: State::default(), at: 1_700_000_000_000 }
    }

    fn add(&mut self, command: Order) {
        self.at += 1_000;
        let at = Timestamp(self.at);
        let events = engine::decide(&self.state, command, at).unwrap();
        for recorded in self.journal.append(at, events).unwrap() {
            engine::apply(&mut self.state, &recorded).unwrap();
        }
    }

    fn ask(&mut self, role: Role, model: &ModelId) {
        let name = format!("{}-{}", role.name(), ArtifactKind::Constraint.name());
        let prompt = PromptRef { name, version: "1".to_owned(), digest: Digest::of(b"prompt") };
        let price = Price { input: 1_250, cached: 125, output: 10_000 };
        let quote = Quote { input: 1_800, output: 4_000, price: Some(price) };
        self.add(Order::Ask {
            id: LoopId(1),
            stage: StageIndex(0),
            finding: None,
            role,
            model: model.clone(),
            prompt,
            quote,
            budget: Budget::default(),
        });
    }

    fn answer(&mut self, exchange: u64, end: End) {
        let usage = Usage { input: Some(1200), output: Some(34), ..Usage::default() };
        let timings = Timings { first_byte: Some(80), first_text: Some(90), total: 1_500 };
        self.add(Order::Answer { exchange: ExchangeId(exchange), end, usage, timings });
    }

    fn wire(&mut self, exchange: u64, kind: WireKind) {
        self.journal.wire(Timestamp(self.at), &[WireRow { exchange: ExchangeId(exchange), kind }]).unwrap();
    }
}

/// No byte that a terminal obeys, and nothing that reorders text.
fn assert_harmless(text: &str) {
    let bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(bad), "{text:?}");
}

#[test]
fn bad_input_names_the_place_and_the_remedy() {
    let gate = "[[gate]]\nname = \"a\"\nargv = [\"x\"]\n";
    let unknown_key = format!("{gate}timout_s = 3\n");
    for (config, args, code, said) in [
        ("", &["-C", "../nowhere"][..], 1, &["/nowhere\n", "hint: ", "windlass -C"][..]),
        ("", &["-C", ".."], 1, &["is not in a git repository. Make it one: git init", "hint: ", "windlass demo"]),
        ("", &["-C", "../empty"], 1, &["has no commit yet", "git commit --allow-empty"]),
        (&unknown_key, &[], 1, &["error: .windlass/config.toml:4:1: unknown key \"timout_s\"", "\"timeout_s\"?"]),
        (&unknown_key, &["new", "goal"], 1, &["unknown key \"timout_s\""]),
        (
            "[roles]\nauthor = \"local/m\"\ncritic = \"local/m\"\n",
            &[],
            1,
            &["error: .windlass/config.toml:3:10: law 3", "choose another critic"],
        ),
        ("", &["--author", "m"], 1, &["error: --author: \"m\" is not a model; write provider/model"]),
        ("", &["statos"], 2, &["statos", "status"]),
        ("", &["new"], 2, &["<GOAL>"]),
        ("", &["new", " "], 2, &["a goal is needed"]),
        (
            "",
            &["show", "y", "3"],
            2,
            &["error: \"y 3\" is neither a loop nor an exchange", "hint: ", "windlass show x 12"],
        ),
        ("", &["show", "3"], 1, &["error: there is no loop 3", "hint: `windlass log`"]),
        ("", &["show", "x", "3"], 1, &["error: there is no exchange 3", "hint: `windlass calls`"]),
        ("", &["log", "--loop", "3"], 1, &["error: there is no loop 3"]),
        ("", &["verify"], 1, &["error: there is no journal at ", "hint: ", "windlass new"]),
        ("", &["demo"], 3, &["error: the demo needs a terminal", "hint: run it in a terminal"]),
        ("", &["new", "goal"], 3, &["error: a new loop needs a terminal"]),
        (gate, &["trust"], 3, &["error: trusting commands needs a terminal"]),
    ] {
        let desk = Desk::new();
        fs::create_dir_all(desk.dir.path().join("empty")).unwrap();
        Command::new("git").args(["init", "-q"]).current_dir(desk.dir.path().join("empty")).status().unwrap();
        desk.write_user_file(PROVIDERS);
        desk.write(".windlass/config.toml", config);
        let ended = desk.run(args);
        assert_eq!(ended.code, code, "{args:?}: {ended:?}");
        let missing: Vec<_> = said.iter().filter(|part| !ended.err.contains(**part)).collect();
        assert!(missing.is_empty(), "{args:?}: {missing:?} are not in {}", ended.err);
        assert!(!desk.repo().join(".git/windlass/journal.sqlite3").exists(), "{args:?} began a journal");
    }
}

#[test]
fn a_file_that_is_no_journal_is_named() {
    let desk = Desk::new();
    desk.write(".git/windlass/journal.sqlite3", "I am a text, and not a short one at that, as one can see.");
    for args in [&[][..], &["status"], &["log"], &["calls"], &["verify"], &["show", "1"]] {
        let ended = desk.run(args);
        assert_eq!(ended.code, 1, "{args:?}: {ended:?}");
        assert!(
            ended.err.contains("journal.sqlite3 is not a windlass journal: move it away"),
            "{args:?}: {}",
            ended.err
        );
    }
}

#[test]
fn without_a_terminal_the_status_is_printed_and_a_human_awaited() {
    let mut desk = Desk::new();
    let ended = desk.run(&[]);
    assert_eq!((ended.code, ended.err.lines().next()), (3, Some(NO_TERMINAL)));
    assert_eq!(ended.out, "repo, on branch main\nnext: no loop is active; begin one: windlass new \"GOAL\"\n");
    desk.record();
    let ended = desk.run(&[]);
    assert_eq!(ended.code, 3);
    assert_eq!(
        ended.out,
        "repo, on branch main\n\
         loop 1, stage 1 of 4, constraint: awaiting decision\n\
         goal: ten \\e[31mtimes\n\
         revision 1 by script/a; open findings: 1 blocker, 1 minor\n\
         3 gates: sections fail, readings-quoted pass, size-budget pass\n\
         next: decide on the constraint in windlass\n"
    );

    // A terminal that can't be drawn on is talked to in lines; the screen's keys mean nothing there.
    desk.set("TERM", "dumb");
    assert_eq!(desk.run_at_terminal(&[], "", "You can type:", "a\ny\nquit\n").code, 0);
    assert!(!desk.run(&["log"]).out.contains("decided"));
}

const NO_TERMINAL: &str = "error: the screen needs a terminal as standard input and output";

#[test]
fn status_for_programs_and_status_bars() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["status", "--format", "tmux"]).out, "");
    assert_eq!(desk.run(&["status", "--json"]).json()["loop"], Value::Null);
    desk.record();
    assert_eq!(desk.run(&["status", "--format", "tmux"]).out, "loop 1 constraint 1/4 awaiting decision!\n");
    let status = desk.run(&["status", "--json"]);
    assert_harmless(&status.out);
    let status = status.json();
    assert_eq!((&status["awaits_human"], &status["driver"]), (&Value::Bool(true), &Value::Null));
    let one = &status["loop"];
    assert_eq!(one["goal"], "ten \u{1b}[31mtimes");
    assert_eq!(
        (&one["stage"], &one["phase"], &one["revision"]),
        (&"constraint".into(), &"awaiting decision".into(), &1.into())
    );
    assert_eq!(one["findings"]["blocker"], 1);
    assert_eq!(
        one["gates"][0],
        serde_json::json!({
            "name": "sections", "enforcement": "required", "verdict": "fail", "overridden": false
        })
    );

    // A broken configuration doesn't hide the record.
    desk.write(".windlass/config.toml", "[roles]\nauthr = \"x\"\n");
    let status = desk.run(&["status"]);
    assert_eq!(status.code, 1);
    assert!(status.out.contains("loop 1, stage 1 of 4"), "{}", status.out);
    assert!(status.err.contains("error: .windlass/config.toml:2:1: unknown key \"authr\""), "{}", status.err);
}

#[test]
fn who_drives_is_told_and_reading_goes_on() {
    let desk = Desk::new();
    desk.record();
    desk.write(".windlass/config.toml", "[[gate]]\nname = \"a\"\nargv = [\"x\"]\n");
    let repo = Repo::open(&desk.repo()).unwrap();
    let driving = Journal::open(&repo.private_dir().unwrap()).unwrap();
    let here = format!("pid {} on ", std::process::id());
    let status = desk.run(&["status"]);
    assert!(status.out.contains(&format!("open in another windlass: {here}")), "{}", status.out);
    assert!(desk.run(&["status", "--json"]).json()["driver"].as_str().unwrap().starts_with(&here));
    assert!(desk.run(&["log"]).out.lines().count() > 5);
    let trust = desk.run_at_terminal(&["trust"], "", "Trust exactly these?", "trust\n");
    assert_eq!(trust.code, 1);
    assert!(trust.out.contains("error: another windlass drives this repository (pid"), "{}", trust.out);
    assert!(trust.out.contains("hint: use that one, or end it"), "{}", trust.out);
    drop(driving);
}

#[test]
fn a_missing_key_is_named_with_its_variable() {
    let mut desk = Desk::new();
    desk.write_user_file(PROVIDERS);
    desk.write(".windlass/config.toml", "[roles]\nauthor = \"far/m\"\ncritic = \"local/m\"\n");
    let missing = "takes its key from the environment variable FAR_KEY, which is not set: export FAR_KEY=";
    let ended = desk.run(&[]);
    assert!(ended.out.contains(&format!("warning: provider \"far\" {missing}")), "{ended:?}");
    desk.set("FAR_KEY", "hunter2");
    let ended = desk.run(&["status"]);
    assert!(!ended.out.contains("warning"), "{ended:?}");
}

#[test]
fn the_log_tells_each_event_in_a_line() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["log"]).out, "Nothing has happened yet.\n");
    desk.record();
    let log = desk.run(&["log"]);
    assert_harmless(&log.out);
    let lines: Vec<&str> = log.out.lines().collect();
    assert!(
        lines[0].starts_with(
            "    1  2023-11-14 22:13:21  1              begun            \"ten \\u{1b}[31mtimes\" on main"
        )
    );
    assert!(
        lines.iter().any(|line| line.contains("1 constraint   answered         exchange 1: complete")),
        "{}",
        log.out
    );
    assert!(lines.iter().any(|line| line.contains("gate-finished    sections: fail, as told")), "{}", log.out);
    let json = desk.run(&["log", "--json", "--loop", "1"]).json();
    assert_eq!(json.as_array().unwrap().len(), lines.len());
    assert_eq!(json[0]["at"], "2023-11-14T22:13:21Z");
    assert_eq!((&json[0]["seq"], &json[0]["loop"], &json[0]["stage"]), (&1.into(), &1.into(), &Value::Null));
    assert_eq!((&json[3]["event"], &json[3]["stage"]), (&"asked".into(), &"constraint".into()));
}

#[test]
fn calls_and_their_exact_bytes() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["calls"]).out, "No model has been called yet.\n");
    desk.record();
    let calls = desk.run(&["calls"]).out;
    let row: Vec<&str> =
        calls.lines().nth(1).unwrap().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let expected = [
        "x 1",
        "1 constraint",
        "author",
        "script/a",
        "author-constraint@1",
        "1200",
        "34",
        "$0.0018",
        "80 ms",
        "1.5 s",
        "complete",
    ];
    assert_eq!(row, expected);
    let json = desk.run(&["calls", "--json"]).json();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!((&json[1]["role"], &json[1]["tokens"]["input"]), (&"critic".into(), &1200.into()));

    let shown = desk.run(&["show", "x", "1", "--json"]);
    assert_harmless(&shown.out);
    let shown = shown.json();
    assert_eq!((&shown["exchange"], &shown["request"]["url"]), (&1.into(), &"http://here/v1".into()));
    assert_eq!(shown["request"]["body"], "{\"say\":\"\u{202e}\"}");
    assert_eq!(shown["response"]["body"], "# Constraint\u{1b}[2J");
    assert_eq!(shown["response"]["chunks"][1], serde_json::json!({ "elapsed_ns": 2000, "bytes": 10 }));
    let other = desk.run(&["show", "exchange", "2", "--json"]).json();
    assert_eq!((&other["request"]["body_hex"], &other["response"]), (&"ff00".into(), &Value::Null));

    let text = desk.run(&["show", "x1"]).out;
    assert_harmless(&text);
    for part in ["POST http://here/v1", "authorization: ***", "--- response 200, 2 chunks", "# Constraint\\e[2J"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn calls_are_found_by_what_was_sent_and_said() {
    let desk = Desk::new();
    desk.record();
    let found = desk.run(&["calls", "--grep", "# CONSTRAINT"]);
    assert_harmless(&found.out);
    let lines: Vec<&str> = found.out.lines().collect();
    assert!(lines.len() == 3 && lines[1].starts_with("x 1 "), "{}", found.out);
    assert_eq!(lines[2], "     reply: # Constraint\\e[2J");
    let json = desk.run(&["calls", "--grep", "\u{202e}", "--json"]).json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    let expected = serde_json::json!([{ "in": "prompt", "text": "\u{202e}" }]);
    assert_eq!((&json[0]["exchange"], &json[0]["found"]), (&1.into(), &expected));
    let nothing = desk.run(&["calls", "--grep", "no\u{1b}[1m such"]);
    assert_eq!(nothing.out, "No call has \"no\\u{1b}[1m such\" in its prompt or reply.\n");
    assert_eq!(desk.run(&["calls", "--grep", "no such", "--json"]).json(), serde_json::json!([]));
    assert_eq!(desk.run(&["calls", "--grep", ""]).code, 2);
}

#[test]
fn a_request_is_a_curl_command_that_names_where_the_key_is() {
    let mut desk = Desk::new();
    desk.record();
    let url = "kind = \"openai-chat\"\nbase_url = \"http://here/v1\"\n";
    desk.write_user_file(&format!("[providers.script]\n{url}api_key_env = \"FAR_KEY\"\n"));
    desk.set("FAR_KEY", "hunter2's  *");
    let shown = desk.run(&["show", "x", "1", "--curl"]);
    assert_harmless(&shown.out);
    assert!(shown.code == 0 && !shown.out.contains("hunter2") && shown.out.contains("$FAR_KEY"), "{shown:?}");

    // A shell makes the same request of it, with the key.
    let bin = desk.dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("curl"), "#!/bin/sh\nprintf '<%s>\\n' \"$@\"\ncat\n").unwrap();
    fs::set_permissions(bin.join("curl"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let ran =
        Command::new("sh").args(["-c", &shown.out]).env("PATH", path).env("FAR_KEY", "hunter2's  *").output().unwrap();
    let ran = String::from_utf8(ran.stdout).unwrap();
    let (arguments, body) = ran.split_once("<@->\n").unwrap();
    assert_eq!(arguments, "<-sS>\n<-N>\n<http://here/v1>\n<-H>\n<authorization: hunter2's  *>\n<--data-binary>\n");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), serde_json::json!({ "say": "\u{202e}" }));

    desk.write_user_file(&format!("[providers.script]\n{url}"));
    let without = desk.run(&["show", "x", "1", "--curl"]).out;
    assert!(without.starts_with("# KEY: the key of provider script") && without.contains("\"$KEY\""), "{without}");
    for (args, why) in [
        (&["show", "x", "2", "--curl"][..], "there is no curl command of exchange 2: its body is not JSON"),
        (&["show", "1", "--curl"], "there is no curl command of loop 1: only an exchange has a request"),
        (&["show", "x", "3", "--curl"], "there is no exchange 3"),
    ] {
        let ended = desk.run(args);
        assert!(ended.code == 1 && ended.err.contains(why) && ended.err.contains("hint: "), "{ended:?}");
    }
}

#[test]
fn a_loop_is_shown_with_what_was_made_and_found() {
    let desk = Desk::new();
    desk.record();
    let text = desk.run(&["show", "1"]).out;
    assert_harmless(&text);
    for part in [
        "loop 1, active, begun 2023-11-14 22:13:21",
        "author: script/a, critic: script/b",
        "=== constraint: awaiting decision",
        "# Constraint\\e[2J",
        "finding: blocker line 1 - clears the screen",
        "gate: sections fail, as told, 7 ms",
        "=== outcome: closed",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let json = desk.run(&["show", "loop", "1", "--json"]).json();
    assert_eq!(json["open_stage"], "constraint");
    assert_eq!(json["stages"][0]["revisions"][0]["text"], "# Constraint\u{1b}[2J\n");
    assert_eq!(json["stages"][0]["critique"]["findings"][0]["severity"], "blocker");
}

#[test]
fn verify_finds_an_altered_row() {
    let desk = Desk::new();
    desk.record();
    let verified = desk.run(&["verify"]);
    assert_eq!((verified.code, verified.err.as_str()), (0, ""));
    assert!(verified.out.contains(" rows, every one as it was written; the last is "), "{}", verified.out);
    let journal = rusqlite::Connection::open(desk.repo().join(".git/windlass/journal.sqlite3")).unwrap();
    journal.execute("UPDATE record SET at = at + 1 WHERE seq = 3", []).unwrap();
    drop(journal);
    let verified = desk.run(&["verify"]);
    assert_eq!(verified.code, 1);
    assert!(verified.err.contains("error: row 3 was altered"), "{}", verified.err);
    assert!(verified.err.contains("hint: restore the journal from a copy"), "{}", verified.err);
}

#[test]
fn trust_is_a_humans_word_at_a_terminal() {
    let desk = Desk::new();
    assert!(desk.run(&["trust"]).out.contains("there is nothing to trust"));
    desk.write(
        ".windlass/config.toml",
        "[[gate]]\nname = \"tests\"\nargv = [\"make\", \"a b\\u001b[1m\"]\ndir = \"sub\"\nenv = [\"PATH\"]\n\
         [[probe]]\nname = \"latency\"\nargv = [\"./p.sh\"]\n",
    );
    let shown = desk.run(&["trust"]);
    assert_harmless(&shown.out);
    assert!(
        shown.out.contains("gate tests: make \"a b\\u{1b}[1m\", in sub, given PATH, at most 600 s\n"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("probe latency: ./p.sh, at most 120 s\n"), "{}", shown.out);
    let told = "the repository's commands are not trusted as they are now";
    assert!(desk.run(&["status"]).out.contains(told));

    // What was typed before the question was there is no answer to it.
    let prompt = "Type \"trust\" to do so:";
    let refused = desk.run_at_terminal(&["trust"], "trust\n", prompt, "no\n");
    assert!(refused.out.contains("Nothing was trusted."), "{}", refused.out);
    assert_eq!(desk.run(&["status", "--json"]).json()["trusted"], false);
    let trusted = desk.run_at_terminal(&["trust"], "", prompt, "trust\n");
    assert!(trusted.code == 0 && trusted.out.contains("Trusted, until the file changes."), "{}", trusted.out);
    assert_eq!(desk.run(&["status", "--json"]).json()["trusted"], true);
    assert!(desk.run(&["log"]).out.contains("by Ada <ada@example.org>"));
    assert!(desk.run(&["trust"]).out.contains("It is trusted already."));

    desk.write(".windlass/config.toml", "[[gate]]\nname = \"tests\"\nargv = [\"make\"]\n");
    assert!(desk.run(&["status"]).out.contains(told));
}

#[test]
fn a_broken_configuration_is_an_error_of_status_too() {
    let desk = Desk::new();
    desk.record();
    desk.write(".windlass/config.toml", "\n[rolse]\n");
    for args in [&["status"][..], &["status", "--json"]] {
        let ended = desk.run(args);
        assert_eq!(ended.code, 1, "{ended:?}");
        // The record is told all the same.
        assert!(ended.out.contains("constraint"), "{ended:?}");
        assert!(ended.err.starts_with("error: .windlass/config.toml:2:2: unknown key \"rolse\""), "{ended:?}");
    }
}

#[test]
fn doctor_says_what_is_missing_and_what_to_do() {
    let mut desk = Desk::new();
    let bare = desk.run(&["doctor"]);
    assert_eq!(bare.code, 0, "{bare:?}");
    for part in [
        "terminal\n  ✓ 256 colours (TERM=xterm-256color, COLORTERM unset)",
        "✓ you are Ada <ada@example.org>",
        "on branch main",
        "✓ linked worktrees work",
        "record\n  ✓ none yet",
        "configuration\n  ⚠ there is none: neither ",
        "providers\n  ⚠ none is configured",
    ] {
        assert!(bare.out.contains(part), "{part:?} is not in {}", bare.out);
    }

    // A key that isn't there, a model that may cost, one that isn't there, and a price that nobody knows.
    desk.record();
    desk.write_user_file(&format!(
        "{PROVIDERS}[providers.pay]\nkind = \"openai-chat\"\nbase_url = \"http://127.0.0.1:9/v1\"\n\
         api_key_env = \"PAY_KEY\"\n[roles]\nauthor = \"local/m\"\ncritic = \"pay/gpt-5\"\n"
    ));
    desk.set("PAY_KEY", "hunter2");
    let sick = desk.run(&["doctor"]);
    assert_eq!((sick.code, sick.err.lines().count()), (1, 2), "{sick:?}");
    assert!(sick.err.starts_with("error: 2 of what Windlass needs here are wrong"), "{sick:?}");
    for part in [
        "✓ 17 rows, every one as it was written",
        "✗ provider \"far\" takes its key from the environment variable FAR_KEY, which is not set",
        "✓ pay: openai-chat at http://127.0.0.1:9/v1, key from PAY_KEY",
        "✗ local/m does not answer: ",
        "✓ author local/m: free, it is a server of this machine",
        "✓ critic pay/gpt-5: its price is known (the shipped prices are of 20",
        "⚠ pay/gpt-5 was not asked: that can cost\n      windlass doctor --spend asks it",
    ] {
        assert!(sick.out.contains(part), "{part:?} is not in {}", sick.out);
    }
    assert!(!sick.out.contains("hunter2"));
    let json = desk.command(&["doctor", "--json", "--spend"]).output().unwrap();
    let told: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json.status.code(), &told["ok"]), (Some(1), &Value::Bool(false)));
    let wrong = told["checks"].as_array().unwrap().iter().filter(|check| check["mark"] == "wrong");
    let wrong: Vec<&str> = wrong.map(|check| check["says"].as_str().unwrap()).collect();
    assert!(wrong.iter().any(|says| says.starts_with("pay/gpt-5 does not answer: ")), "{wrong:?}");

    desk.write(".windlass/config.toml", "x = 1\ny = 2\n");
    let broken = desk.run(&["doctor"]);
    assert!(broken.code == 1 && broken.out.contains("✗ .windlass/config.toml:2:1: unknown key \"y\""), "{broken:?}");
}

#[test]
fn init_writes_what_is_missing_and_names_what_it_found() {
    let mut desk = Desk::new();
    desk.write("Cargo.toml", "");
    desk.set("OPENAI_API_KEY", "hunter2");
    desk.set("ANTHROPIC_API_KEY", "hunter3");
    let first = desk.run(&["init"]);
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    let config = fs::read_to_string(desk.repo().join(".windlass/config.toml")).unwrap();
    assert!(config.contains("name = \"cargo-test\""));
    for part in [
        "Wrote .windlass/config.toml",
        "OPENAI_API_KEY is set; can be provider \"openai\"",
        "ANTHROPIC_API_KEY is set; can be provider \"anthropic\"",
        "    [providers.openai]\n",
        "    api_key_env = \"OPENAI_API_KEY\"\n",
        "Nothing was added. Add them yourself, or run: windlass init --yes",
        "choose two different models",
        "windlass new",
    ] {
        assert!(first.out.contains(part), "{part:?} is not in {}", first.out);
    }
    assert!(!first.out.contains("hunter") && !desk.user_file().exists());

    desk.write(".windlass/config.toml", "# mine\n");
    let second = desk.run(&["init", "--yes"]);
    assert!(second.out.contains("it was left as it is") && second.out.contains("Added."), "{}", second.out);
    assert_eq!(fs::read_to_string(desk.repo().join(".windlass/config.toml")).unwrap(), "# mine\n");
    let own = fs::read_to_string(desk.user_file()).unwrap();
    assert!(own.contains("[providers.openai]") && !own.contains("hunter"), "{own}");
    let third = desk.run(&["init"]);
    assert!(third.out.contains("OPENAI_API_KEY is set; configured as provider \"openai\""), "{}", third.out);
}

#[test]
fn init_asks_at_a_terminal() {
    let mut desk = Desk::new();
    desk.set("OPENAI_API_KEY", "hunter2");
    let refused = desk.run_at_terminal(&["init"], "y\n", "Add them? [y/n]", "n\n");
    assert!(refused.code == 0 && refused.out.contains("Nothing was added."), "{}", refused.out);
    assert!(!desk.user_file().exists());
    let added = desk.run_at_terminal(&["init"], "", "Add them? [y/n]", "y\n");
    assert!(added.code == 0 && added.out.contains("Added."), "{}", added.out);
    assert!(fs::read_to_string(desk.user_file()).unwrap().contains("[providers.openai]"));
}

#[test]
fn init_gets_the_provider_that_a_repository_asks_for() {
    let mut desk = Desk::new();
    desk.write_user_file(PROVIDERS);
    desk.write(".windlass/config.toml", "[roles]\nauthor = \"openai/m\"\n");
    let without = desk.run(&["init"]);
    assert_eq!(without.code, 1, "{without:?}");
    assert!(without.err.contains(".windlass/config.toml:2:10: there is no provider called \"openai\""), "{without:?}");
    desk.set("OPENAI_API_KEY", "k");
    let with = desk.run(&["init", "--yes"]);
    assert!(with.code == 0 && with.out.contains("Added."), "{with:?}");
    assert_eq!(desk.run(&["new", "goal"]).code, 3);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new();
    desk.record();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = desk.command(&["log"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn help_and_version_are_done() {
    let desk = Desk::new();
    for (args, said) in [
        (&["--help"][..], "Exit codes: 0 done, 1 error, 2 usage, 3 awaits"),
        (&["--version"], "windlass 0.1.0"),
        (&["help", "log"], "JSON: an array of objects"),
        (&["show", "--help"], "body_hex"),
    ] {
        let ended = desk.run(args);
        assert!(ended.code == 0 && ended.out.contains(said), "{args:?}: {ended:?}");
    }
}
