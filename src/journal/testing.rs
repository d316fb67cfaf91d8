//! What the tests of this room share: a sample of every event, and a session as a driver would record it.

use std::path::Path;

use crate::domain::{
    Anchor, ArtifactKind, Change, CommandSpec, CommitId, ContextItem, Critique, Decision, Details, Digest, Disposition,
    End, Enforcement, ExchangeId, FileStat, Finding, Gap, GateDef, GateKind, GateRules, GateRun, ItemKind, LoopId,
    Measure, Measurement, ModelId, Origin, Override, Person, Price, PromptRef, Quote, Reach, Reading, Revision, Role,
    RunId, Sample, Severity, Side, StageIndex, StageSpec, Subject, Timestamp, Timings, TreeId, Unread, Usage, Verb,
    Verdict, Workflow,
};
use crate::engine::{Event, Recorded, Setup, State, Trouble, apply, evidence};

use super::{Journal, ReceivedChunk, ReceivedResponse, SentRequest, WireKind, WireRow};

const ID: LoopId = LoopId(1);

pub(super) fn ada() -> Person {
    Person("Ada Lovelace <ada@example.org>".into())
}

fn commit() -> CommitId {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

fn tree() -> TreeId {
    "89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

fn author() -> ModelId {
    ModelId("openai/gpt-5".into())
}

fn critic() -> ModelId {
    ModelId("local/qwen3".into())
}

fn quote() -> Quote {
    Quote { input: 1_800, output: 4_000, price: Some(Price { input: 1_250, cached: 125, output: 10_000 }) }
}

fn setup() -> Setup {
    let command = CommandSpec {
        argv: vec!["cargo".into(), "test".into(), "--".into(), "a b\n\"c\"".into()],
        dir: "crates/cart".into(),
        timeout_s: 600,
        env: vec!["CARGO_HOME".into()],
        reach: Reach::default(),
    };
    let gate =
        |name: &str, kind, enforcement| GateDef { name: name.into(), kind, enforcement, rules: GateRules::default() };
    Setup {
        author: Some(author()),
        change_author: None,
        critic: Some(critic()),
        gates: vec![
            gate("tests", GateKind::Command(command), Enforcement::Required),
            gate("size", GateKind::Builtin, Enforcement::Advisory),
        ],
        config: Some(Digest::of(b"config")),
    }
}

fn stage(id: &str, artifact: ArtifactKind, measure: Measure, lands: bool) -> StageSpec {
    StageSpec {
        id: id.into(),
        artifact,
        drafts: format!("drafts the {id}"),
        asks: "is it so?".into(),
        means: "we agree".into(),
        sections: vec!["Claim".into()],
        criteria: vec!["`p95 <= 0.5x`".into()],
        gates: vec!["sections".into()],
        runs_commands: false,
        measure,
        budget_lines: 80,
        lands,
    }
}

fn workflow() -> Workflow {
    let stages = vec![
        stage("constraint", ArtifactKind::Constraint, Measure::Base, false),
        stage("plan", ArtifactKind::Plan, Measure::Nothing, false),
        stage("change", ArtifactKind::Change, Measure::Nothing, false),
        stage("outcome", ArtifactKind::Outcome, Measure::BaseAndChange, true),
    ];
    Workflow::new("scale".into(), stages).unwrap()
}

fn measurement() -> Measurement {
    let sample = |side, round, values: &[f64]| Sample {
        probe: "latency".into(),
        side,
        round,
        readings: values.iter().map(|value| Reading { name: "p95".into(), value: *value, unit: "ms".into() }).collect(),
    };
    let samples = vec![sample(Side::Before, 1, &[0.1 + 0.2, -0.0, 5e-324]), sample(Side::After, 1, &[f64::MAX, 3.0])];
    Measurement { tree: Some(tree()), samples, failures: vec!["memory: exit 1".into()] }
}

fn revision(kind: ArtifactKind, text: &str) -> Revision {
    let change = matches!(kind, ArtifactKind::Change | ArtifactKind::Outcome).then(|| Change {
        base: commit(),
        tree: tree(),
        patch: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\tb\u{202e}\n+c\r\n".into(),
        files: vec![FileStat { path: "x".into(), added: 1, removed: 1 }],
        flags: vec!["edits .windlass/config.toml".into()],
    });
    let origin = match kind {
        ArtifactKind::Plan => Origin::Human { name: ada().0 },
        _ => Origin::Model { model: author(), exchange: ExchangeId(1) },
    };
    Revision::new(kind, 1, text.into(), change, origin)
}

fn critique(revision: Digest) -> Critique {
    let text = "note whole - fine\nminor line 3 - vague\nmajor src/a.rs:40 - locked\n";
    let mut critique = Critique::read(revision, critic(), ExchangeId(2), text.into());
    critique.findings.push(Finding {
        severity: Severity::Blocker,
        anchor: Anchor::File { path: "src/b.rs".into(), line: None },
        text: "moves the bottleneck".into(),
        disposition: Disposition::Dismissed("measured, it does not".into()),
        thread: Vec::new(),
    });
    critique
}

fn gate_run(gate: &GateDef, subject: Subject, verdict: Verdict) -> GateRun {
    GateRun {
        id: RunId(1),
        gate: gate.name.clone(),
        definition: gate.digest(),
        subject,
        verdict,
        summary: "exit 0".into(),
        tail: "ok \x1b[32mgreen\x1b[0m\n".into(),
        spilled: Some("logs/1.log".into()),
        started: Timestamp(-1),
        duration_ms: 1234,
        details: Details::default(),
        protection: String::new(),
    }
}

fn prompt() -> PromptRef {
    PromptRef { name: "author-plan".into(), version: "3".into(), digest: Digest::of(b"prompt") }
}

pub(super) fn items() -> Vec<ContextItem> {
    let kinds = [
        ItemKind::Goal,
        ItemKind::Approved,
        ItemKind::Criteria,
        ItemKind::Readings,
        ItemKind::Feedback,
        ItemKind::Conventions,
        ItemKind::Map,
        ItemKind::File,
    ];
    let item = |kind| ContextItem {
        kind,
        name: format!("{kind:?}"),
        digest: Digest::of(b"item"),
        bytes: u64::MAX,
        tokens: 7,
        included: kind != ItemKind::Map,
    };
    kinds.into_iter().map(item).collect()
}

/// At least one event of every kind, with every value that an enum inside it can have.
pub(super) fn every_event() -> Vec<Event> {
    let (id, stage, by) = (ID, StageIndex(2), ada());
    let digest = Digest::of(b"x");
    let subject = Subject { revision: digest, tree: Some(tree()) };
    let exchange = ExchangeId(u64::MAX);
    let mut events = vec![
        Event::Trusted { config: digest, by: by.clone() },
        Event::Begun {
            id,
            goal: "10x checkout traffic".into(),
            hint: Some("the lock in cart".into()),
            workflow: workflow(),
            base: commit(),
            branch: Some("main".into()),
            setup: setup(),
            by: by.clone(),
        },
        Event::Configured { id, setup: Setup::default() },
        Event::Prepared { id, stage, items: items(), measurement: Some(measurement()), unmeasured: None },
        Event::Prepared { id, stage, items: Vec::new(), measurement: None, unmeasured: None },
        Event::Prepared { id, stage, items: Vec::new(), measurement: None, unmeasured: Some("no probes".into()) },
        Event::ContextChosen { id, stage, name: "src/ümlaut \"quoted\".rs".into(), included: true },
        Event::DraftBegun { id, stage },
        Event::Written { id, stage, text: "by hand\0\u{200b}".into(), by: by.clone() },
        Event::WorktreeTaken { id, stage, by: by.clone() },
        Event::Critiqued { id, stage, critique: critique(digest) },
        Event::CritiqueFailed { id, stage, revision: digest, why: "no terminator".into() },
        Event::RerunAsked { id, stage, gates: vec!["tests".into()], critique: true },
        Event::Dismissed {
            id,
            stage,
            revision: digest,
            finding: 3,
            reason: "measured, it does not".into(),
            by: by.clone(),
        },
        Event::Overridden {
            id,
            stage,
            by: Override { gate: "tests".into(), subject: digest, reason: "known flake".into(), by: by.clone() },
        },
        Event::TakenBack { id, stage },
        Event::ModelChosen { id, stage, role: Role::Critic, model: author(), by: by.clone() },
        Event::CancelAsked { id },
        Event::Reopened { id, stage, reason: "wrong problem".into(), by: by.clone() },
        Event::Parked { id, by: by.clone() },
        Event::Resumed { id, by: by.clone() },
        Event::Landed { id, commit: commit(), left: None },
        Event::Landed { id, commit: commit(), left: Some("git merge --ff-only x".into()) },
        Event::LandingFailed { id, why: "main has moved".into() },
        Event::LandingRetried { id },
        Event::Recovered,
    ];
    for role in [Role::Author, Role::Critic] {
        let finding = None;
        events.push(Event::Asked {
            exchange,
            id,
            stage,
            role,
            finding,
            model: author(),
            prompt: prompt(),
            quote: quote(),
        });
    }
    let ends = [
        End::Complete,
        End::Truncated("finish_reason: length".into()),
        End::Failed("502 Bad Gateway".into()),
        End::Cancelled,
        End::Interrupted,
    ];
    for end in ends {
        let usage = Usage { input: Some(1), output: Some(2), cached: None, reasoning: Some(4) };
        events.push(Event::Answered {
            exchange,
            end,
            usage,
            timings: Timings { first_byte: Some(1), first_text: None, total: 9 },
        });
    }
    for kind in [ArtifactKind::Constraint, ArtifactKind::Plan, ArtifactKind::Change, ArtifactKind::Outcome] {
        events.push(Event::Drafted { id, stage, revision: revision(kind, "# Claim\nit is the lock\n") });
    }
    let troubles = [
        Trouble::Call("401".into()),
        Trouble::Stopped("cancelled".into()),
        Trouble::Malformed { text: "hm".into(), missing: vec!["Claim".into()] },
        Trouble::Patch { text: "diff".into(), problems: vec!["hunk 1".into()] },
    ];
    events.extend(troubles.map(|trouble| Event::DraftFailed { id, stage, trouble }));
    // Those of version 1; what later versions added has tests of its own.
    for verdict in Verdict::ALL.into_iter().take(7) {
        let run = gate_run(&setup().gates[0], subject.clone(), verdict);
        events.push(Event::GateFinished { id, stage, run });
    }
    let gaps = vec![
        Gap::Unread(Unread { seen: 1, total: 2 }),
        Gap::Gate { gate: "tests".into(), verdict: Some(Verdict::Fail) },
        Gap::Gate { gate: "size".into(), verdict: None },
        Gap::Blocker { text: "slow".into() },
        Gap::NoCritique,
    ];
    for verb in [Verb::Approve, Verb::Revise, Verb::Abandon] {
        let decision = Decision {
            verb,
            evidence: digest,
            by: by.clone(),
            at: Timestamp(i64::MIN),
            reason: Some("it is so".into()),
            gaps: gaps.clone(),
        };
        events.push(Event::Decided { id, stage, decision });
    }
    for to in [Role::Author, Role::Critic] {
        let (revision, question) = (digest, "why\nso?".to_owned());
        events.push(Event::Questioned { id, stage, revision, finding: 3, to, question, by: by.clone() });
    }
    events.push(Event::Asked {
        exchange,
        id,
        stage,
        role: Role::Critic,
        finding: Some(3),
        model: author(),
        prompt: prompt(),
        quote: quote(),
    });
    events.push(Event::Replied { id, stage, revision: digest, finding: 3, exchange, text: "because".into() });
    for exchange in [None, Some(exchange)] {
        events.push(Event::ReplyFailed { id, stage, revision: digest, finding: 3, exchange, why: "503".into() });
    }
    events
}

/// A journal being written, and the state that its events make.
pub(super) struct Session {
    pub(super) journal: Journal,
    pub(super) state: State,
    pub(super) recorded: Vec<Recorded>,
    at: i64,
}

impl Session {
    /// Begins a journal in `dir`.
    pub(super) fn begin(dir: &Path) -> Self {
        let (journal, recorded) = Journal::open(dir).unwrap();
        assert!(recorded.is_empty());
        Self { journal, state: State::default(), recorded, at: 1_700_000_000_000 }
    }

    /// Records events and applies them.
    pub(super) fn record(&mut self, events: Vec<Event>) {
        self.at += 17;
        for recorded in self.journal.append(Timestamp(self.at), events).unwrap() {
            apply(&mut self.state, &recorded).unwrap();
            self.recorded.push(recorded);
        }
    }

    /// Records wire rows of one exchange.
    pub(super) fn wire(&mut self, exchange: u64, kinds: Vec<WireKind>) {
        self.at += 3;
        let row = |kind| WireRow { exchange: ExchangeId(exchange), kind };
        let rows: Vec<WireRow> = kinds.into_iter().map(row).collect();
        self.journal.wire(Timestamp(self.at), &rows).unwrap();
    }

    /// A first stage drafted, criticised, judged and approved; the second prepared.
    pub(super) fn approve_one_stage(&mut self) {
        let stage = StageIndex(0);
        let revision = revision(ArtifactKind::Constraint, "# Claim\nit is the lock\n");
        let subject = Subject { revision: revision.id, tree: None };
        let mut critique = critique(revision.id);
        critique.findings.truncate(3);
        self.record(vec![
            Event::Begun {
                id: ID,
                goal: "10x checkout traffic".into(),
                hint: None,
                workflow: workflow(),
                base: commit(),
                branch: None,
                setup: setup(),
                by: ada(),
            },
            Event::Trusted { config: Digest::of(b"config"), by: ada() },
            Event::Prepared {
                id: ID,
                stage,
                items: items(),
                measurement: Some(Measurement { tree: None, ..measurement() }),
                unmeasured: None,
            },
        ]);
        self.record(vec![Event::DraftBegun { id: ID, stage }]);
        self.exchange(1, Role::Author, stage);
        self.record(vec![Event::Drafted { id: ID, stage, revision }]);
        self.exchange(2, Role::Critic, stage);
        let gate = self.state.loops[&ID].gates(stage)[0].clone();
        let run = gate_run(&gate, subject, Verdict::Pass);
        self.record(vec![Event::Critiqued { id: ID, stage, critique }, Event::GateFinished { id: ID, stage, run }]);
        let evidence = evidence(&self.state.loops[&ID], stage).digest();
        let at = Timestamp(self.at);
        let decision = Decision { verb: Verb::Approve, evidence, by: ada(), at, reason: None, gaps: Vec::new() };
        self.record(vec![Event::Decided { id: ID, stage, decision }]);
        let (stage, items) = (StageIndex(1), items());
        self.record(vec![Event::Prepared { id: ID, stage, items, measurement: None, unmeasured: None }]);
    }

    /// Events and chunks in turn, until the journal has this many rows.
    pub(super) fn fill(&mut self, rows: u64) {
        let chosen = |n: u64| Event::ContextChosen {
            id: ID,
            stage: StageIndex(1),
            // A listed item: choosing another one would have the context listed anew.
            name: items()[0].name.clone(),
            included: n.is_multiple_of(2),
        };
        loop {
            let next = self.journal.head().seq;
            // Few transactions: each waits for the disk.
            let batch = next..rows.min(next + 10);
            if batch.is_empty() {
                return;
            }
            if next.is_multiple_of(3) {
                self.record(batch.map(chosen).collect());
            } else {
                self.wire(2, batch.map(chunk).collect());
            }
        }
    }

    fn exchange(&mut self, number: u64, role: Role, stage: StageIndex) {
        let exchange = ExchangeId(number);
        self.record(vec![Event::Asked {
            exchange,
            id: ID,
            stage,
            role,
            finding: None,
            model: author(),
            prompt: prompt(),
            quote: quote(),
        }]);
        self.wire(number, vec![request(), response()]);
        for n in 0..4 {
            self.wire(number, (10 * n..10 * (n + 1)).map(chunk).collect());
        }
        let (usage, timings) = (Usage::default(), Timings::default());
        self.record(vec![Event::Answered { exchange, end: End::Complete, usage, timings }]);
    }
}

pub(super) fn request() -> WireKind {
    WireKind::Request(SentRequest {
        method: "POST".into(),
        url: "http://127.0.0.1:8080/v1/chat/completions".into(),
        headers: vec![("authorization".into(), "***".into()), ("accept".into(), "text/event-stream".into())],
        body: b"{\"model\":\"x\"}\n\xff\x00".to_vec(),
    })
}

pub(super) fn response() -> WireKind {
    WireKind::Response(ReceivedResponse { status: 200, headers: vec![("server".into(), "\u{7f}x".into())] })
}

pub(super) fn chunk(n: u64) -> WireKind {
    let bytes = format!("data: {{\"n\":{n}}}\n\n\x1b[31m").into_bytes();
    WireKind::Chunk(ReceivedChunk { elapsed_ns: n * 1_000, bytes })
}
