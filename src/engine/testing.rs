//! What the engine's tests stand on: a workflow, a setup, and a machine with a well-behaved driver beside it.

use crate::domain::{
    ArtifactKind, Budget, Change, CommandSpec, CommitId, Critique, Details, Digest, End, Enforcement, ExchangeId,
    GateDef, GateKind, GateRules, GateRun, LoopId, Measure, Measurement, ModelId, Origin, Person, PromptRef, Quote,
    Reach, Reading, Role, RunId, Sample, Side, StageIndex, StageSpec, Timestamp, Timings, Unread, Usage, Verdict,
    Workflow,
};

use super::{
    Approval, Command, Effect, Event, Evidence, Loop, Phase, Recorded, Refusal, Setup, Stage, State, Trouble, apply,
    decide, evidence,
};

pub(super) const CONSTRAINT: StageIndex = StageIndex(0);
pub(super) const PLAN: StageIndex = StageIndex(1);
pub(super) const CHANGE: StageIndex = StageIndex(2);
pub(super) const OUTCOME: StageIndex = StageIndex(3);
pub(super) const FIRST: LoopId = LoopId(1);
pub(super) const ALL_READ: Unread = Unread { seen: 3, total: 3 };

pub(super) fn me() -> Person {
    Person("Ada <ada@example.org>".to_owned())
}

pub(super) fn commit(digit: u8) -> CommitId {
    char::from(digit).to_string().repeat(40).parse().unwrap()
}

pub(super) fn model(name: &str) -> ModelId {
    ModelId(name.to_owned())
}

fn spec(artifact: ArtifactKind, gates: &[&str]) -> StageSpec {
    StageSpec {
        id: artifact.name().to_owned(),
        artifact,
        drafts: String::new(),
        asks: String::new(),
        means: String::new(),
        sections: vec!["Claim".to_owned()],
        criteria: vec!["holds".to_owned()],
        gates: gates.iter().map(|&gate| gate.to_owned()).collect(),
        runs_commands: artifact == ArtifactKind::Change,
        measure: match artifact {
            ArtifactKind::Constraint => Measure::Base,
            ArtifactKind::Outcome => Measure::BaseAndChange,
            _ => Measure::Nothing,
        },
        budget_lines: 100,
        lands: artifact == ArtifactKind::Outcome,
    }
}

/// Four stages, as in the `scale` workflow.
pub(super) fn scale() -> Workflow {
    let stages = vec![
        spec(ArtifactKind::Constraint, &["sections", "numbers"]),
        spec(ArtifactKind::Plan, &["sections"]),
        spec(ArtifactKind::Change, &["files"]),
        spec(ArtifactKind::Outcome, &["sections"]),
    ];
    Workflow::new("scale".to_owned(), stages).unwrap()
}

pub(super) fn command_gate(name: &str, argument: &str, enforcement: Enforcement) -> GateDef {
    let argv = vec!["make".to_owned(), argument.to_owned()];
    let spec = CommandSpec { argv, dir: String::new(), timeout_s: 60, env: Vec::new(), reach: Reach::default() };
    GateDef { name: name.to_owned(), kind: GateKind::Command(spec), enforcement, rules: GateRules::default() }
}

/// Two models and two commands, from a configuration that has to be trusted.
pub(super) fn setup() -> Setup {
    Setup {
        author: Some(model("one/author")),
        change_author: None,
        critic: Some(model("two/critic")),
        gates: vec![
            command_gate("test", "test", Enforcement::Required),
            command_gate("lint", "lint", Enforcement::Advisory),
        ],
        config: Some(Digest::of(b"config")),
    }
}

pub(super) fn begin(goal: &str) -> Command {
    Command::Begin {
        goal: goal.to_owned(),
        hint: None,
        workflow: scale(),
        base: commit(b'b'),
        branch: Some("main".to_owned()),
        setup: setup(),
        by: me(),
    }
}

pub(super) fn trust() -> Command {
    Command::Trust { config: Digest::of(b"config"), by: me() }
}

pub(super) fn change_of(text: &str) -> Change {
    let tree: String = Digest::of(text.as_bytes()).to_string().chars().take(40).collect();
    Change {
        base: commit(b'b'),
        tree: tree.parse().unwrap(),
        patch: format!("+{text}").into(),
        files: Vec::new(),
        flags: Vec::new(),
    }
}

pub(super) fn patch_trouble() -> Trouble {
    Trouble::Patch { text: "reply".to_owned(), problems: vec!["hunk 1 does not apply".to_owned()] }
}

/// A state with its history, and a driver that does what it is told: nothing until it is asked.
#[derive(Default)]
pub(super) struct Machine {
    pub(super) state: State,
    pub(super) journal: Vec<Recorded>,
    /// The effects of each event, in step with the journal.
    pub(super) effects: Vec<Vec<Effect>>,
    /// Effects not yet done.
    pub(super) to_do: Vec<Effect>,
}

impl Machine {
    /// A machine whose first loop stands at the beginning of `stage`, its configuration trusted.
    pub(super) fn at(stage: StageIndex) -> Self {
        let mut machine = Self::default();
        machine.must(trust());
        machine.must(begin("10x checkout traffic"));
        while machine.one().open < stage {
            machine.review("as planned");
            machine.must(machine.approval());
        }
        machine
    }

    /// The same, with `text` under review and everything about it well.
    pub(super) fn awaiting(stage: StageIndex, text: &str) -> Self {
        let mut machine = Self::at(stage);
        machine.review(text);
        machine
    }

    /// Decides and, if there is no refusal, applies.
    pub(super) fn give(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let at = Timestamp(i64::try_from(self.journal.len()).unwrap());
        let events = decide(&self.state, command, at)?;
        for event in &events {
            let recorded = Recorded { seq: self.journal.len() as u64 + 1, at, event: event.clone() };
            let effects = apply(&mut self.state, &recorded).expect("what was decided can be applied");
            self.journal.push(recorded);
            if effects.iter().any(|effect| matches!(effect, Effect::Cancel { .. })) {
                self.to_do.clear();
            }
            self.to_do.extend(effects.iter().cloned());
            self.effects.push(effects);
        }
        Ok(events)
    }

    pub(super) fn must(&mut self, command: Command) {
        let asked = format!("{command:?}");
        self.give(command).unwrap_or_else(|refusal| panic!("{asked} is refused: {refusal}"));
    }

    /// The last loop.
    pub(super) fn one(&self) -> &Loop {
        self.state.loops.values().next_back().expect("a loop")
    }

    pub(super) fn stage(&self) -> &Stage {
        self.one().open_stage().expect("a stage")
    }

    pub(super) fn phase(&self) -> Phase {
        self.stage().phase
    }

    pub(super) fn seen(&self) -> Evidence {
        evidence(self.one(), self.one().open)
    }

    /// The approval of what is on the screen now, everything read.
    pub(super) fn send_back(&mut self, reason: &str) {
        let evidence = self.seen();
        self.must(Command::Revise { id: self.one().id, evidence, reason: reason.to_owned(), by: me() });
    }

    pub(super) fn approval(&self) -> Command {
        self.approval_of(self.seen(), ALL_READ, None)
    }

    pub(super) fn approval_of(&self, evidence: Evidence, unread: Unread, reason: Option<&str>) -> Command {
        Command::Approve(Box::new(Approval {
            id: self.one().id,
            stage: self.one().open,
            evidence,
            unread,
            findings: ALL_READ,
            reason: reason.map(str::to_owned),
            typed: Some(self.stage().spec.id.clone()),
            by: me(),
        }))
    }

    /// Opens and drafts the open stage with this text, and does its review until it waits for the human.
    pub(super) fn review(&mut self, text: &str) {
        if self.phase() == Phase::Preparing {
            self.work(text);
        }
        if self.phase() == Phase::Ready {
            self.must(Command::Draft { id: self.one().id });
        }
        self.work(text);
        assert_eq!(self.phase(), Phase::Awaiting);
    }

    /// Does everything there is to do; authors write `text`, critics have no findings, gates pass.
    pub(super) fn work(&mut self, text: &str) {
        while !self.to_do.is_empty() {
            let effect = self.to_do.remove(0);
            for report in self.reports(&effect, text) {
                self.must(report);
            }
        }
    }

    /// Drops what is to be done: the driver has been cancelled, or killed.
    pub(super) fn forget(&mut self) {
        self.to_do.clear();
    }

    fn ask(&self, role: Role, id: LoopId, stage: StageIndex, finding: Option<usize>) -> Vec<Command> {
        let name = if role == Role::Author { "one/author" } else { "two/critic" };
        let prompt = PromptRef { name: role.name().to_owned(), version: "1".to_owned(), digest: Digest::of(b"prompt") };
        let exchange = self.state.next_exchange();
        let answer =
            Command::Answer { exchange, end: End::Complete, usage: Usage::default(), timings: Timings::default() };
        vec![
            Command::Ask {
                id,
                stage,
                role,
                finding,
                model: model(name),
                prompt,
                quote: Quote::default(),
                budget: Budget::default(),
            },
            answer,
        ]
    }

    /// What a well-behaved driver reports of an effect.
    pub(super) fn reports(&self, effect: &Effect, text: &str) -> Vec<Command> {
        match effect {
            Effect::Prepare { id, stage } => vec![self.prepared(*id, *stage)],
            Effect::OpenStage(approved) => vec![self.prepared(approved.loop_id(), approved.stage().next())],
            Effect::Draft { id, stage } => {
                let origin = Origin::Model { model: model("one/author"), exchange: self.state.next_exchange() };
                let mut reports = self.ask(Role::Author, *id, *stage, None);
                reports.push(self.drafted(*id, *stage, text, origin));
                reports
            }
            Effect::Build { id, stage, text, by } => {
                vec![self.drafted(*id, *stage, text, Origin::Human { name: by.clone() })]
            }
            Effect::TakeWorktree { id, stage, by } => {
                vec![self.drafted(*id, *stage, text, Origin::Human { name: by.clone() })]
            }
            Effect::Critique { id, stage, revision } => {
                let exchange = self.state.next_exchange();
                let mut reports = self.ask(Role::Critic, *id, *stage, None);
                let critique = self.critique(*revision, exchange, "no findings");
                reports.push(Command::Critiqued { id: *id, stage: *stage, critique });
                reports
            }
            Effect::Reply { id, stage, revision, finding } => {
                let asked = self.state.loops[id].stage(*stage).and_then(|stage| stage.finding(*revision, *finding));
                let Some(to) = asked.and_then(|finding| finding.thread.last()).map(|turn| turn.to) else {
                    return Vec::new();
                };
                let exchange = self.state.next_exchange();
                let mut reports = self.ask(to, *id, *stage, Some(*finding));
                let (id, stage, revision, finding) = (*id, *stage, *revision, *finding);
                reports.push(Command::Replied { id, stage, revision, finding, exchange, text: text.to_owned() });
                reports
            }
            Effect::RunGate { id, stage, gate } => vec![self.ran(*id, *stage, gate, Verdict::Pass)],
            Effect::Land(approved) => {
                vec![Command::Landed { id: approved.loop_id(), commit: commit(b'c'), left: None }]
            }
            Effect::Cancel { .. } | Effect::CleanUp { .. } => Vec::new(),
        }
    }

    pub(super) fn critique(&self, revision: Digest, exchange: ExchangeId, text: &str) -> Critique {
        Critique::read(revision, model("two/critic"), exchange, text.to_owned())
    }

    /// A critique of the current revision.
    pub(super) fn critiqued(&self, text: &str) -> Command {
        let revision = self.stage().current.expect("a revision");
        let critique = self.critique(revision, ExchangeId(99), text);
        Command::Critiqued { id: self.one().id, stage: self.one().open, critique }
    }

    pub(super) fn prepared(&self, id: LoopId, stage: StageIndex) -> Command {
        let one = &self.state.loops[&id];
        let measurement = one.stage(stage).filter(|stage| stage.spec.measure != Measure::Nothing).map(|_| {
            let readings = vec![Reading { name: "t".to_owned(), value: 100.0, unit: "ms".to_owned() }];
            Measurement {
                tree: one.artifact(ArtifactKind::Change).and_then(|revision| revision.tree().cloned()),
                samples: vec![Sample { probe: "time".to_owned(), side: Side::Before, round: 1, readings }],
                failures: Vec::new(),
            }
        });
        Command::Prepared { id, stage, items: Vec::new(), measurement, unmeasured: None }
    }

    pub(super) fn drafted(&self, id: LoopId, stage: StageIndex, text: &str, origin: Origin) -> Command {
        let makes_tree = self
            .state
            .loops
            .get(&id)
            .and_then(|one| one.stage(stage))
            .is_some_and(|stage| matches!(stage.spec.artifact, ArtifactKind::Change | ArtifactKind::Outcome));
        let text = format!("# Claim\n{text}\n## Acceptance criteria\n- t <= 0.5x\n");
        Command::Drafted { id, stage, change: makes_tree.then(|| change_of(&text)), text, origin }
    }

    /// A run of a gate of the open stage, on the current revision, under the gate's current definition.
    pub(super) fn ran(&self, id: LoopId, stage: StageIndex, gate: &str, verdict: Verdict) -> Command {
        let one = &self.state.loops[&id];
        let definition = one.gates(stage).iter().find(|def| def.name == gate).map(GateDef::digest);
        let run = GateRun {
            id: RunId(0),
            gate: gate.to_owned(),
            definition: definition.unwrap_or_else(|| Digest::of(b"gone")),
            subject: one.stage(stage).and_then(Stage::subject).expect("a subject"),
            verdict,
            summary: verdict.name().to_owned(),
            tail: String::new(),
            spilled: None,
            started: Timestamp(0),
            duration_ms: 1,
            details: Details::default(),
            protection: String::new(),
        };
        Command::GateFinished { id, stage, run }
    }
}
