//! A screen on a stand: the real model, keymap and engine, with a driver that answers at once from given texts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui_textarea::{Input, Key as Typed};

use crate::app::action::Action;
use crate::app::{Host, Model, Msg, Request, Waiting, update};
use crate::config::workflow;
use crate::domain::{
    ArtifactKind, Budget, Change, CommandSpec, ContextItem, Critique, Details, Digest, End, Enforcement, FileStat,
    GateDef, GateKind, GateRules, GateRun, ItemKind, LoopId, Measure, Measurement, ModelId, Origin, Person, Price,
    PromptRef, Quote, Reach, Reading, Role, RunId, Sample, Side, StageIndex, Timestamp, Timings, Usage, Verdict,
    tokens_of,
};
use crate::engine::{Command, Effect, Event, Recorded, Refusal, Setup, Stage, State, apply, decide};
use crate::keymap::{Key, Keymap, Menu, Step};
use crate::theme::{Depth, Theme};
use crate::view::{Scene, Syntax, draw};

pub(super) const PLAN: &str = include_str!("../../../assets/demo/replies/author-plan.1.md");
pub(super) const PLAN_CRITIQUE: &str = include_str!("../../../assets/demo/replies/critic-plan.1.md");
pub(super) const CONSTRAINT: &str = "## Constraint\n\nFinding repeated deliveries limits the report: `is_counted` in \
    `lib/orders.awk` walks **every** order counted so far.\n\n## Evidence\n\n- comparisons: 6521328 ids\n- report_ms: \
    405 ms\n\n## Target\n\nWork in proportion to the deliveries.\n\n## Acceptance criteria\n\n- comparisons <= 0.01x\n\
    - report_ms <= 0.5x\n";
pub(super) const PATCH: &str = "diff --git a/lib/orders.awk b/lib/orders.awk\nindex 1..2 100644\n--- a/lib/orders.awk\n\
    +++ b/lib/orders.awk\n@@ -4,7 +4,4 @@\n # Whether an order with this id has been counted.\n-function is_counted(id,    i) \
    {\n-    for (i = 1; i <= counted; i++) {\n-        if (ids[i] == id)\n-            return 1\n-    }\n+function \
    is_counted(id) {\n+    return id in ids\n }\n@@ -20,3 +17,3 @@\n function count(id) {\n-    ids[counted] = id\n+    \
    ids[id] = 1\n }\n";

fn gate(name: &str, enforcement: Enforcement) -> GateDef {
    let argv = vec!["sh".to_owned(), format!("tests/{name}.sh")];
    let spec = CommandSpec { argv, dir: String::new(), timeout_s: 60, env: Vec::new(), reach: Reach::default() };
    GateDef { name: name.to_owned(), kind: GateKind::Command(spec), enforcement, rules: GateRules::default() }
}

pub(super) fn setup() -> Setup {
    Setup {
        author: Some(ModelId("openai/writer-2".to_owned())),
        change_author: None,
        critic: Some(ModelId("local/reader-9b".to_owned())),
        gates: vec![gate("tests", Enforcement::Required), gate("lint", Enforcement::Advisory)],
        config: Some(Digest::of(b"config")),
    }
}

pub(super) struct Stand {
    pub(super) model: Model,
    pub(super) keymap: Keymap,
    pub(super) theme: Theme,
    /// What asked for an approval, and the loop's open stage then.
    pub(super) approvals: usize,
    pending: Vec<Key>,
    menu: Option<Menu>,
    seq: u64,
    now: i64,
    driven: State,
}

impl Stand {
    pub(super) fn new(size: (u16, u16)) -> Self {
        let host = Host {
            repository: "shop".to_owned(),
            branch: Some("main".to_owned()),
            person: "Ada <ada@example.org>".to_owned(),
            setup: setup(),
            commands: Some("[[gate]]\nname = \"tests\"\nargv = [\"sh\", \"tests/run.sh\"]\n".to_owned()),
            protection: "sandbox: writes in the worktree only, no network".to_owned(),
            ..Host::default()
        };
        let keymap = Keymap::load("vim", None).0;
        let mut model = Model::new(State::default(), 0, host, size, Timestamp(0));
        model.keys = keymap.rows();
        Self {
            model,
            keymap,
            theme: Theme::load("default-dark", None, Depth::True).0,
            approvals: 0,
            pending: Vec::new(),
            menu: None,
            seq: 0,
            now: 0,
            driven: State::default(),
        }
    }

    /// A loop at the beginning of this stage, trusted and with everything before it approved.
    pub(super) fn at(size: (u16, u16), stage: usize) -> Self {
        let mut stand = Self::new(size);
        stand.must(Command::Trust { config: Digest::of(b"config"), by: me() });
        stand.must(Command::Begin {
            goal: "Ten times the orders in the nightly report".to_owned(),
            hint: None,
            workflow: workflow("scale").unwrap(),
            base: "b".repeat(40).parse().unwrap(),
            branch: Some("main".to_owned()),
            setup: setup(),
            by: me(),
        });
        for _ in 0..stage {
            stand.review("no findings");
            stand.read();
            stand.approve();
        }
        stand
    }

    pub(super) fn awaiting(size: (u16, u16), stage: usize, critique: &str) -> Self {
        let mut stand = Self::at(size, stage);
        stand.review(critique);
        stand
    }

    pub(super) fn must(&mut self, command: Command) {
        let asked = format!("{command:?}");
        self.give(command).unwrap_or_else(|refusal| panic!("{asked}: {refusal}"));
    }

    /// Decides, and does what a driver does of itself: preparing and landing.
    fn give(&mut self, command: Command) -> Result<(), Refusal> {
        let mut commands = vec![command];
        while !commands.is_empty() {
            let command = commands.remove(0);
            for event in decide(&self.driven, command, Timestamp(self.now))? {
                commands.extend(self.record(event));
            }
        }
        Ok(())
    }

    fn record(&mut self, event: Event) -> Vec<Command> {
        self.seq += 1;
        let recorded = Recorded { seq: self.seq, at: Timestamp(self.now), event };
        let effects = apply(&mut self.driven, &recorded).expect("decided events apply");
        self.tell(Msg::Event(Box::new(recorded)));
        effects.into_iter().filter_map(|effect| self.answer(&effect)).collect()
    }

    fn answer(&self, effect: &Effect) -> Option<Command> {
        match effect {
            Effect::Prepare { id, stage } => Some(self.prepared(*id, *stage)),
            Effect::OpenStage(proof) => Some(self.prepared(proof.loop_id(), proof.stage().next())),
            Effect::Land(proof) => {
                let commit = "c0ffee".repeat(7).chars().take(40).collect::<String>().parse().unwrap();
                Some(Command::Landed { id: proof.loop_id(), commit, left: None })
            }
            _ => None,
        }
    }

    fn prepared(&self, id: LoopId, index: StageIndex) -> Command {
        let stage = self.driven.loops[&id].stage(index).unwrap();
        let sized = |kind, name: &str, bytes: u64| ContextItem {
            kind,
            name: name.to_owned(),
            digest: Digest::of(name.as_bytes()),
            bytes,
            tokens: tokens_of(bytes),
            included: true,
        };
        let items = vec![
            sized(ItemKind::Goal, "goal", 63),
            sized(ItemKind::Conventions, "AGENTS.md", 572),
            sized(ItemKind::Map, "files of the repository", 2840),
            sized(ItemKind::File, "lib/orders.awk", 14_930),
        ];
        let measured = stage.spec.measure != Measure::Nothing;
        let measurement = measured.then(|| measurement(stage.spec.measure));
        Command::Prepared { id, stage: index, items, measurement, unmeasured: None }
    }

    pub(super) fn ask(&mut self, role: Role) {
        let (id, stage) = self.place();
        let setup = setup();
        let model = if role == Role::Author { setup.author } else { setup.critic };
        let prompt = PromptRef { name: "p".to_owned(), version: "1".to_owned(), digest: Digest::of(b"p") };
        let price = Price { input: 1_250, cached: 125, output: 10_000 };
        let quote = Quote { input: 1_800, output: 4_000, price: Some(price) };
        let budget = Budget::default();
        self.must(Command::Ask { id, stage, role, finding: None, model: model.unwrap(), prompt, quote, budget });
    }

    /// The model that was asked about a finding is called.
    pub(super) fn call_about(&mut self, role: Role, finding: usize) {
        let (id, stage) = self.place();
        let setup = setup();
        let model = if role == Role::Author { setup.author } else { setup.critic }.unwrap();
        let prompt = PromptRef { name: "p".to_owned(), version: "1".to_owned(), digest: Digest::of(b"p") };
        let (quote, budget, finding) = (Quote::default(), Budget::default(), Some(finding));
        self.must(Command::Ask { id, stage, role, finding, model, prompt, quote, budget });
    }

    pub(super) fn say_about(&mut self, role: Role, finding: usize, text: &str) {
        let (id, stage) = self.place();
        self.tell(Msg::Delta { id, stage, role, finding: Some(finding), text: text.to_owned(), reasoning: false });
    }

    /// The answer about a finding has come.
    pub(super) fn replied(&mut self, finding: usize, text: &str) {
        let ((id, stage), revision) = (self.place(), self.stage().current.unwrap());
        let exchange = *self.driven.exchanges.keys().next_back().unwrap();
        self.answered(Usage { input: Some(2300), output: Some(60), ..Usage::default() });
        self.must(Command::Replied { id, stage, revision, finding, exchange, text: text.to_owned() });
    }

    pub(super) fn reply_failed(&mut self, finding: usize, why: &str) {
        let ((id, stage), revision) = (self.place(), self.stage().current.unwrap());
        let exchange = self.driven.exchanges.keys().next_back().copied();
        self.must(Command::ReplyFailed { id, stage, revision, finding, exchange, why: why.to_owned() });
    }

    pub(super) fn answered(&mut self, usage: Usage) {
        let exchange = *self.driven.exchanges.keys().next_back().unwrap();
        let timings = Timings { first_byte: Some(300), first_text: Some(400), total: 4200 };
        self.must(Command::Answer { exchange, end: End::Complete, usage, timings });
    }

    pub(super) fn say(&mut self, role: Role, text: &str) {
        let (id, stage) = self.place();
        self.tell(Msg::Delta { id, stage, role, finding: None, text: text.to_owned(), reasoning: false });
    }

    /// An attempt was refused, and the next one is made after so many milliseconds.
    pub(super) fn waits(&mut self, role: Role, ms: i64) {
        let (id, stage) = self.place();
        let why = "https://models.example/v1/chat/completions answered 429 Too Many Requests: slow down".to_owned();
        let waiting = Waiting { why, until: Timestamp(self.now + ms) };
        self.tell(Msg::Waiting { id, stage, role, finding: None, waiting });
    }

    /// Drafts the open stage and reviews it with this critique, every gate passing.
    pub(super) fn review(&mut self, critique: &str) {
        self.draft();
        self.pass(critique);
    }

    pub(super) fn draft(&mut self) {
        let id = self.place().0;
        self.must(Command::Draft { id });
        let (text, change) = match self.stage().spec.artifact {
            ArtifactKind::Constraint => (CONSTRAINT, None),
            ArtifactKind::Plan => (PLAN, None),
            ArtifactKind::Change => ("Ids are keys now, so that no list is walked.\n", Some(change(PATCH))),
            ArtifactKind::Outcome => (
                "## Result\n\nIt holds.\n\n## Prediction\n\nIt was right.\n\n## Downstream\n\nNothing.\n\n## Next \
                 constraint\n\nThe walk through the register.\n",
                Some(change(PATCH)),
            ),
        };
        self.drafted(text, change);
    }

    /// Drafts the open stage with this text and change.
    pub(super) fn draft_as(&mut self, text: &str, patch: Option<&str>) {
        let id = self.place().0;
        self.must(Command::Draft { id });
        self.drafted(text, patch.map(change));
    }

    /// Sends the change back with what was said of its parts, and drafts this one.
    pub(super) fn redraft_as(&mut self, text: &str, patch: &str) {
        self.open_sheet();
        self.press(&["r", "Enter"]);
        self.drafted(text, Some(change(patch)));
    }

    pub(super) fn drafted(&mut self, text: &str, change: Option<Change>) {
        let (id, stage) = self.place();
        self.ask(Role::Author);
        self.answered(Usage { input: Some(1830), output: Some(412), ..Usage::default() });
        let exchange = *self.driven.exchanges.keys().next_back().unwrap();
        let origin = Origin::Model { model: setup().author.unwrap(), exchange };
        self.must(Command::Drafted { id, stage, text: text.to_owned(), change, origin });
    }

    /// Reviews the draft: no findings, every gate passes.
    pub(super) fn pass(&mut self, critique: &str) {
        self.critique(critique);
        let (id, stage) = self.place();
        let names: Vec<String> = self.driven.loops[&id].gates(stage).into_iter().map(|gate| gate.name).collect();
        for name in names {
            self.ran(&name, Verdict::Pass, "");
        }
    }

    pub(super) fn critique(&mut self, text: &str) {
        self.ask(Role::Critic);
        self.answered(Usage { input: Some(2210), output: Some(96), ..Usage::default() });
        self.critique_only(text);
    }

    /// The critic's answer has come.
    pub(super) fn critique_only(&mut self, text: &str) {
        let (id, stage) = self.place();
        let exchange = *self.driven.exchanges.keys().next_back().unwrap();
        let revision = self.stage().current.unwrap();
        let critique = Critique::read(revision, setup().critic.unwrap(), exchange, text.to_owned());
        self.must(Command::Critiqued { id, stage, critique });
    }

    pub(super) fn ran(&mut self, gate: &str, verdict: Verdict, summary: &str) {
        self.ran_with(gate, verdict, summary, Details::default());
    }

    pub(super) fn ran_with(&mut self, gate: &str, verdict: Verdict, summary: &str, details: Details) {
        let (id, stage) = self.place();
        let def = self.driven.loops[&id].gates(stage).into_iter().find(|def| def.name == gate).unwrap();
        let run = GateRun {
            id: RunId(0),
            gate: gate.to_owned(),
            definition: def.digest(),
            subject: self.stage().subject().unwrap(),
            verdict,
            summary: summary.to_owned(),
            tail: String::new(),
            spilled: None,
            started: Timestamp(self.now),
            duration_ms: if def.kind == GateKind::Builtin { 0 } else { 1240 },
            details,
            protection: String::new(),
        };
        self.must(Command::GateFinished { id, stage, run });
    }

    /// Reads the artifact to its end, then the findings, standing still on every page.
    pub(super) fn read(&mut self) {
        self.read_artifact();
        let (focus, finding) = (self.model.focus, self.model.finding);
        self.tell(Msg::Act(Action::FocusCritique));
        self.page_through(Action::ScrollDown);
        (self.model.focus, self.model.finding) = (focus, finding);
        self.tell(Msg::Woken);
    }

    pub(super) fn read_artifact(&mut self) {
        self.model.focus = self.model.wide_pane();
        self.page_through(Action::ScrollHalfDown);
    }

    fn page_through(&mut self, step: Action) {
        self.tell(Msg::Act(Action::ScrollTop));
        for _ in 0..60 {
            self.wait(700);
            self.tell(Msg::Woken);
            self.tell(Msg::Act(step));
        }
        self.tell(Msg::Act(Action::ScrollTop));
    }

    pub(super) fn open_sheet(&mut self) {
        self.tell(Msg::Act(Action::DecisionOpen));
        self.tell(Msg::Painted);
        self.wait(1000);
    }

    pub(super) fn approve(&mut self) {
        self.open_sheet();
        self.tell(Msg::Act(Action::StageApprove));
        assert!(self.model.overlays.is_empty(), "{:?}", self.model.overlays);
    }

    pub(super) fn wait(&mut self, ms: i64) {
        self.now += ms;
    }

    /// Presses keys as key files name them, a typed letter each for the rest.
    pub(super) fn press(&mut self, keys: &[&str]) {
        for name in keys {
            self.key(Key::parse(name).unwrap());
        }
    }

    pub(super) fn key(&mut self, key: Key) {
        let model = &self.model;
        match self.keymap.feed(&model.contexts(), &|fact| model.fact(fact), &self.pending, key) {
            Step::Run(action) => {
                self.forget();
                self.tell(Msg::Act(action));
            }
            Step::Pending(menu) => {
                self.pending.push(key);
                self.menu = Some(menu);
                self.tell(Msg::Stray);
            }
            Step::None => {
                let begun = !self.pending.is_empty();
                self.forget();
                let text = self.model.takes_text() && !begun;
                self.tell(if text { Msg::Input(typed(key)) } else { Msg::Stray });
            }
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.now
    }

    fn forget(&mut self) {
        self.pending.clear();
        self.menu = None;
    }

    pub(super) fn tell(&mut self, msg: Msg) {
        for request in update(&mut self.model, msg, Timestamp(self.now)) {
            match request {
                Request::Command(command) => {
                    self.approvals += usize::from(matches!(*command, Command::Approve(_)));
                    if let Err(refusal) = self.give(*command) {
                        self.tell(Msg::Refused(refusal.to_string()));
                    }
                }
                Request::Trust(config) => self.must(Command::Trust { config, by: me() }),
                _ => {}
            }
        }
    }

    /// What is asked of the world for these keys, the last of which is no letter.
    pub(super) fn requests(&mut self, keys: &[&str]) -> Vec<Request> {
        let Some((last, before)) = keys.split_last() else { return Vec::new() };
        self.press(before);
        update(&mut self.model, Msg::Input(typed(Key::parse(last).unwrap())), Timestamp(self.now))
    }

    fn place(&self) -> (LoopId, StageIndex) {
        let one = self.driven.active().expect("an active loop");
        (one.id, one.open)
    }

    pub(super) fn stage(&self) -> &Stage {
        self.driven.active().and_then(|one| one.open_stage()).expect("an open stage")
    }

    pub(super) fn approved(&self) -> usize {
        let rulings = self.driven.loops.values().flat_map(|one| &one.stages).flat_map(|stage| &stage.rulings);
        rulings.filter(|ruling| ruling.decision.verb == crate::domain::Verb::Approve).count()
    }

    pub(super) fn buffer(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let syntax = Syntax::default();
        let (model, theme, keymap) = (&self.model, &self.theme, &self.keymap);
        draw(&Scene { model, theme, keymap, syntax: &syntax, pending: self.menu.as_ref() }, &mut buf);
        buf
    }

    /// The screen as text.
    pub(super) fn screen(&self) -> String {
        let buf = self.buffer();
        let rows = (0..buf.area.height).map(|y| {
            let row: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
            row.trim_end().to_owned() + "\n"
        });
        rows.collect()
    }
}

/// Types a text, a key for every letter.
pub(super) fn typed_in(stand: &mut Stand, text: &str) {
    for letter in text.chars() {
        stand.press(&[if letter == ' ' { "Space".to_owned() } else { letter.to_string() }.as_str()]);
    }
}

/// The key as a text field takes it.
fn typed(key: Key) -> Input {
    let name = key.to_string();
    let key = match name.as_str() {
        "Enter" => Typed::Enter,
        "Esc" => Typed::Esc,
        "Tab" => Typed::Tab,
        "Space" => Typed::Char(' '),
        "Down" => Typed::Down,
        "Right" => Typed::Right,
        "PageDown" => Typed::PageDown,
        name => Typed::Char(name.chars().next_back().unwrap()),
    };
    Input { key, ctrl: name.starts_with("C-"), alt: name.starts_with("M-"), shift: false }
}

pub(super) fn me() -> Person {
    Person("Ada <ada@example.org>".to_owned())
}

fn change(patch: &str) -> Change {
    Change {
        base: "b".repeat(40).parse().unwrap(),
        tree: "d".repeat(40).parse().unwrap(),
        patch: patch.into(),
        files: vec![FileStat { path: "lib/orders.awk".to_owned(), added: 3, removed: 6 }],
        flags: Vec::new(),
    }
}

fn measurement(measure: Measure) -> Measurement {
    let sides: &[(Side, f64)] =
        if measure == Measure::Base { &[(Side::Before, 1.0)] } else { &[(Side::Before, 1.0), (Side::After, 0.05)] };
    let mut samples = Vec::new();
    for round in 1..=3_u32 {
        for (side, factor) in sides {
            let reading =
                |name: &str, value: f64, unit: &str| Reading { name: name.to_owned(), value, unit: unit.to_owned() };
            let readings = vec![
                reading("report_ms", (400.0 + f64::from(round) * 5.0) * factor, "ms"),
                reading("comparisons", if *side == Side::Before { 6_521_328.0 } else { 4_000.0 }, "ids"),
            ];
            samples.push(Sample { probe: "work".to_owned(), side: *side, round, readings });
        }
    }
    let tree = (measure == Measure::BaseAndChange).then(|| "d".repeat(40).parse().unwrap());
    Measurement { tree, samples, failures: Vec::new() }
}
