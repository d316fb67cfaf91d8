//! The laws of approval under random histories: whatever the human, the driver and a forger do, in whatever order, one
//! stage is open, and none is approved but by a human's decision on exactly what is there.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{TestCaseError, TestRunner};
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::domain::{
    Decision, Digest, End, Enforcement, ExchangeId, LoopId, Origin, Revision, Role, StageIndex, Timings, Unread, Usage,
    Verb, Verdict,
};

use super::testing::{
    ALL_READ, CHANGE, Machine, OUTCOME, begin, change_of, command_gate, commit, me, model, patch_trouble, setup, trust,
};
use super::{
    Approval, Command, Effect, Event, Evidence, Loop, Phase, Recorded, Setup, Stage, State, Status, Trouble, apply,
    decide, evidence, obstacles,
};

type Outcome = Result<(), TestCaseError>;

/// Random bytes that choose what happens next.
type Dice = (u8, u8, u8);

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::default() }
}

fn one_of<T: Copy>(choices: &[T], die: u8) -> T {
    choices[usize::from(die) % choices.len()]
}

const REASONS: [&str; 4] = ["", "too short", "a good enough reason", "quite another reason"];
const MODELS: [&str; 2] = ["one/author", "two/critic"];
const TEXTS: [&str; 3] = ["one", "two", "three"];
const REPLIES: [&str; 4] = ["no findings", "blocker whole - it breaks", "minor line 1 - a typo", "I like it"];

fn setups(die: u8) -> Setup {
    let test = |argument, enforcement| command_gate("test", argument, enforcement);
    let with = |gates| Setup { gates, ..setup() };
    match die % 7 {
        0 | 1 => setup(),
        2 => with(vec![test("other", Enforcement::Required)]),
        3 => with(vec![test("test", Enforcement::Advisory), command_gate("more", "more", Enforcement::Required)]),
        4 => Setup { author: setup().critic, critic: setup().author, ..setup() },
        5 => Setup { critic: None, config: Some(Digest::of(b"untrusted")), ..setup() },
        _ => Setup { critic: setup().author, ..setup() },
    }
}

// ---- what must hold -------------------------------------------------------------------------------------------------

/// Everything that an approval of a stage covers, written out.
fn covered(one: &Loop, index: StageIndex) -> String {
    let stage = one.stage(index).expect("a stage");
    let mut gates: Vec<String> = one.gates(index).iter().map(|gate| format!("{gate:?}")).collect();
    gates.sort();
    let Revision { text, change, .. } = stage.revision().expect("a revision");
    // What was only asked is no evidence, and a decision ends it.
    let mut critique = stage.critique.clone();
    for finding in critique.iter_mut().flat_map(|critique| &mut critique.findings) {
        finding.thread.retain(|turn| turn.given().is_some());
    }
    let judged = (critique, &stage.runs, &stage.overrides, &stage.measurement);
    format!("{:?} {:?} {gates:?} {text:?} {change:?} {judged:?}", one.base, stage.spec)
}

/// What a decision to approve needs, found without the engine's own judge.
fn may_be_approved(state: &State, id: LoopId, index: StageIndex, decision: &Decision) -> Outcome {
    let one = &state.loops[&id];
    prop_assert_eq!(&one.status, &Status::Active);
    prop_assert_eq!(one.open, index);
    let stage = one.stage(index).expect("a stage");
    prop_assert_eq!(stage.phase, Phase::Awaiting);
    prop_assert_eq!(decision.evidence, evidence(one, index).digest());
    prop_assert_eq!(obstacles(one, index), Vec::new());
    let revision = stage.revision().expect("an approval without a revision");
    for gate in one.gates(index) {
        let run = stage.runs.get(&gate.name).filter(|run| {
            run.definition == gate.digest()
                && run.subject.revision == revision.id
                && run.subject.tree.as_ref() == revision.tree()
        });
        let passes = run.is_some_and(|run| matches!(run.verdict, Verdict::Pass | Verdict::NotApplicable));
        let overridden = gate.enforcement == Enforcement::Required && stage.overrides.contains_key(&gate.name);
        let needed = gate.enforcement != Enforcement::Advisory && !overridden;
        prop_assert!(passes || !needed, "gate {} stands in the way", gate.name);
    }
    prop_assert!(!stage.spec.lands || revision.tree().is_some(), "nothing lands without a tree");
    Ok(())
}

fn has_ended(one: &Loop) -> bool {
    matches!(one.status, Status::Landed { .. } | Status::Finished | Status::Abandoned)
}

/// Watches one state, event by event.
#[derive(Default)]
struct Watch {
    /// What each approval that stands covered when it was made, and its evidence.
    approved: BTreeMap<(LoopId, StageIndex), (Digest, String)>,
}

impl Watch {
    /// Applies an event, and sees to it that the laws hold before and after.
    fn apply(&mut self, state: &mut State, recorded: &Recorded) -> Result<bool, TestCaseError> {
        let before = state.clone();
        if apply(state, recorded).is_err() {
            prop_assert!(*state == before, "a corrupt event changed the state: {recorded:?}");
            return Ok(false);
        }
        if let Event::Decided { id, stage, decision } = &recorded.event
            && decision.verb == Verb::Approve
        {
            may_be_approved(&before, *id, *stage, decision)?;
            self.approved.insert((*id, *stage), (decision.evidence, covered(&before.loops[id], *stage)));
        }
        if let Event::TakenBack { id, stage: index } = &recorded.event {
            let (then, now) = (&before.loops[id].stages[index.0], &state.loops[id].stages[index.0]);
            prop_assert_eq!(then.phase, Phase::Ready);
            prop_assert!(matches!(now.phase, Phase::Reviewing | Phase::Awaiting), "it is not under review");
            prop_assert_eq!(evidence(&before.loops[id], *index), evidence(&state.loops[id], *index));
        }
        for (id, one) in before.loops.iter().filter(|(_, one)| has_ended(one)) {
            prop_assert!(state.loops[id] == *one, "a loop that has ended changes: {recorded:?}");
        }
        self.look(state)?;
        Ok(true)
    }

    fn look(&mut self, state: &State) -> Outcome {
        let going = |one: &&Loop| matches!(one.status, Status::Active | Status::Landing(_));
        prop_assert!(state.loops.values().filter(going).count() <= 1, "two loops are active");
        for one in state.loops.values() {
            self.look_at(one)?;
        }
        Ok(())
    }

    fn look_at(&mut self, one: &Loop) -> Outcome {
        let open = one.stages.iter().filter(|stage| stage.phase.is_open()).count();
        let decided = matches!(one.status, Status::Landing(_) | Status::Landed { .. } | Status::Finished);
        prop_assert!(open == usize::from(!decided) || one.status == Status::Abandoned, "{open} open stages");
        for (number, stage) in one.stages.iter().enumerate() {
            let index = StageIndex(number);
            let place = (one.id, index);
            match stage.phase {
                Phase::Approved(digest) => {
                    let (evidence, then) = self.approved.get(&place).expect("approved without a decision");
                    prop_assert_eq!(*evidence, digest);
                    prop_assert_eq!(then, &covered(one, index), "an approval outlived what it covers");
                    // A loop can still be abandoned when its landing has failed.
                    let mut last = stage.rulings.iter().map(|ruling| &ruling.decision);
                    let last = last.rfind(|one| one.verb != Verb::Abandon).expect("a decision");
                    prop_assert_eq!((last.verb, last.evidence), (Verb::Approve, digest));
                }
                _ => drop(self.approved.remove(&place)),
            }
            let approved = matches!(stage.phase, Phase::Approved(_));
            prop_assert!(index >= one.open || approved, "stage {number} is passed without approval");
            let later = matches!(stage.phase, Phase::Closed | Phase::Stale);
            prop_assert!(index <= one.open || later, "stage {number} is {:?} before its turn", stage.phase);
        }
        Ok(())
    }
}

/// Applied again from nothing, a journal gives the same state and the same effects.
fn replays(machine: &Machine) -> Outcome {
    let mut state = State::default();
    for (recorded, effects) in machine.journal.iter().zip(&machine.effects) {
        let again = apply(&mut state, recorded);
        prop_assert_eq!(again.as_ref(), Ok(effects));
    }
    prop_assert!(state == machine.state, "replay gives another state");
    Ok(())
}

// ---- random histories -----------------------------------------------------------------------------------------------

/// A machine in random hands: it remembers what was on the screen and what was reported, and brings it up late.
#[derive(Default)]
struct Play {
    machine: Machine,
    watch: Watch,
    watched: State,
    seen: Vec<(LoopId, StageIndex, Evidence)>,
    reported: Vec<Command>,
    approvals: usize,
    taken_back: usize,
    answered: usize,
}

impl Play {
    /// A play that begins where a loop's `stage` does; watched from the first event.
    fn from(stage: usize) -> Self {
        let mut play = Self { machine: Machine::at(StageIndex(stage)), ..Self::default() };
        for recorded in &play.machine.journal {
            play.watch.apply(&mut play.watched, recorded).expect("the laws hold");
        }
        play
    }

    fn step(&mut self, dice: Dice) -> Outcome {
        if let Some(one) = self.machine.state.loops.values().next_back() {
            self.seen.push((one.id, one.open, evidence(one, one.open)));
        }
        for command in self.commands(dice) {
            self.give(command)?;
        }
        Ok(())
    }

    fn give(&mut self, command: Command) -> Outcome {
        let from = self.machine.journal.len();
        // Refused or not: a decision must neither panic nor be corrupt when it is applied, which `Machine::give` checks.
        let _ = self.machine.give(command);
        for recorded in &self.machine.journal[from..] {
            let fits = self.watch.apply(&mut self.watched, recorded)?;
            prop_assert!(fits, "what was decided is corrupt: {recorded:?}");
            let approves = matches!(&recorded.event, Event::Decided { decision, .. } if decision.verb == Verb::Approve);
            self.approvals += usize::from(approves);
            self.taken_back += usize::from(matches!(recorded.event, Event::TakenBack { .. }));
            self.answered += usize::from(matches!(recorded.event, Event::Replied { .. }));
        }
        Ok(())
    }

    /// Mostly what carries a loop on, now and then anything else.
    fn commands(&mut self, (kind, a, b): Dice) -> Vec<Command> {
        let Some(one) = self.machine.state.active().or_else(|| self.machine.state.loops.values().next_back()) else {
            return vec![begin("goal")];
        };
        match kind {
            0..=79 => self.driver(a, b),
            80..=109 if a > 127 && one.open_stage().is_some_and(Stage::can_be_taken_back) => {
                vec![Command::TakeBack { id: one.id }]
            }
            80..=109 if one.open_stage().is_some_and(|stage| stage.phase == Phase::Ready) => {
                vec![Command::Draft { id: one.id }]
            }
            80..=109 => vec![self.approve(one, a, b)],
            110..=119 => self.reported.get(usize::from(a) % self.reported.len().max(1)).cloned().into_iter().collect(),
            120..=139 => vec![self.report(one, a, b)],
            _ => vec![self.human(one, a, b)],
        }
    }

    /// The driver does the first thing it has to do: well, or badly.
    fn driver(&mut self, a: u8, b: u8) -> Vec<Command> {
        if self.machine.to_do.is_empty() {
            return Vec::new();
        }
        let effect = self.machine.to_do.remove(usize::from(a & 1) % self.machine.to_do.len());
        let reports = self.reports(&effect, b);
        self.reported.extend(reports.iter().cloned());
        reports
    }

    fn reports(&self, effect: &Effect, b: u8) -> Vec<Command> {
        // An effect of a stage that was left meanwhile may have no revision to report on.
        let subject = |id: &LoopId, stage: &StageIndex| self.machine.state.loops[id].stages[stage.0].subject();
        match effect {
            Effect::RunGate { id, stage, .. } | Effect::Critique { id, stage, .. } if subject(id, stage).is_none() => {
                Vec::new()
            }
            Effect::RunGate { id, stage, gate } if b > 200 => {
                vec![self.machine.ran(*id, *stage, gate, one_of(&Verdict::ALL, b))]
            }
            Effect::Critique { id, stage, revision } if b > 100 => {
                let critique = self.machine.critique(*revision, ExchangeId(0), "minor line 1 - a\nmajor line 2 - b");
                vec![Command::Critiqued { id: *id, stage: *stage, critique }]
            }
            Effect::Reply { id, stage, revision, finding } if b > 200 => {
                let (id, stage, revision, finding) = (*id, *stage, *revision, *finding);
                vec![Command::ReplyFailed { id, stage, revision, finding, exchange: None, why: "no".to_owned() }]
            }
            Effect::Draft { id, stage } if b > 200 => {
                let stopped = Trouble::Stopped("cancelled".to_owned());
                let trouble = if b > 225 { stopped } else { patch_trouble() };
                vec![Command::DraftFailed { id: *id, stage: *stage, trouble }]
            }
            Effect::Land(approved) if b > 128 => {
                vec![Command::LandingFailed { id: approved.loop_id(), why: "no".to_owned() }]
            }
            _ => self.machine.reports(effect, one_of(&TEXTS, b)),
        }
    }

    fn approve(&self, one: &Loop, a: u8, b: u8) -> Command {
        let (id, stage, evidence) = match a {
            0..=199 => (one.id, one.open, evidence(one, one.open)),
            _ => self.seen[usize::from(a) * 7 % self.seen.len()].clone(),
        };
        let typed = one.stages[stage.0].spec.id.clone();
        Command::Approve(Box::new(Approval {
            id,
            stage,
            evidence,
            unread: if b.is_multiple_of(5) { Unread { seen: u32::from(b), total: 60 } } else { ALL_READ },
            findings: if b.is_multiple_of(11) { Unread { seen: 0, total: 2 } } else { ALL_READ },
            reason: Some(one_of(&REASONS, b).to_owned()).filter(|_| b.is_multiple_of(3)),
            typed: Some(typed).filter(|_| !b.is_multiple_of(7)),
            by: me(),
        }))
    }

    /// A report that nobody may have asked for.
    fn report(&self, one: &Loop, a: u8, b: u8) -> Command {
        let (id, stage) =
            (one_of(&[one.id, one.id, LoopId(1), LoopId(9)], b), one_of(&[one.open, one.open, CHANGE], b / 4));
        let known = self.machine.state.loops.get(&id).and_then(|one| one.stage(stage)).is_some();
        let (id, stage) = if known { (id, stage) } else { (one.id, one.open) };
        let revision = one.open_stage().and_then(|stage| stage.current).unwrap_or_else(|| Digest::of(b"none"));
        let exchange = ExchangeId(u64::from(b) % 8);
        let subject = self.machine.state.loops[&id].stages[stage.0].subject();
        match a % 13 {
            0 => self.machine.prepared(id, stage),
            1 => {
                let origin = Origin::Model { model: model(one_of(&MODELS, b)), exchange };
                self.machine.drafted(id, stage, one_of(&TEXTS, b), origin)
            }
            2 => self.machine.drafted(id, stage, one_of(&TEXTS, b), Origin::Human { name: "Ada".to_owned() }),
            3 => Command::DraftFailed { id, stage, trouble: Trouble::Stopped("cancelled".to_owned()) },
            4 | 5 => {
                let mut critique = self.machine.critique(revision, exchange, one_of(&REPLIES, b));
                critique.model = model(one_of(&MODELS, b / 4));
                Command::Critiqued { id, stage, critique }
            }
            6 => Command::CritiqueFailed { id, stage, revision, why: "503".to_owned() },
            7 | 8 if subject.is_some() => self.machine.ran(
                id,
                stage,
                one_of(&["test", "lint", "files", "sections"], b),
                one_of(&Verdict::ALL, b / 4),
            ),
            10 => {
                let (text, finding) = (one_of(&TEXTS, b).to_owned(), usize::from(b % 2));
                Command::Replied { id, stage, revision, finding, exchange, text }
            }
            11 => {
                let exchange = Some(exchange).filter(|_| b > 99);
                Command::ReplyFailed { id, stage, revision, finding: 0, exchange, why: "503".to_owned() }
            }
            9 => Command::Answer { exchange, end: End::Complete, usage: Usage::default(), timings: Timings::default() },
            _ => Command::Landed { id, commit: commit(b'c'), left: None },
        }
    }

    fn human(&self, one: &Loop, a: u8, b: u8) -> Command {
        let (id, by) = (one_of(&[one.id, one.id, one.id, LoopId(1), LoopId(2)], b), me());
        let stage = StageIndex(usize::from(b) % 5);
        let reason = one_of(&REASONS, b).to_owned();
        let revision = one.open_stage().and_then(|stage| stage.current).unwrap_or_else(|| Digest::of(b"none"));
        match a % 29 {
            0 => begin(one_of(&TEXTS, b)),
            1 | 2 => trust(),
            3 => Command::Configure { id, setup: setups(b) },
            4 => Command::Choose { id, name: one_of(&TEXTS, b).to_owned(), included: b > 99 },
            5 => Command::Draft { id },
            6 | 7 => Command::Write { id, text: one_of(&TEXTS, b).to_owned(), by },
            8 => Command::TakeWorktree { id, by },
            9 | 10 => Command::Revise { id, evidence: evidence(one, one.open), reason, by },
            11 if b > 220 => Command::Abandon { id, reason, by },
            12 | 13 => Command::Dismiss { id, revision, finding: usize::from(b % 2), reason, by },
            14 | 15 => Command::Override {
                id,
                gate: one_of(&["test", "lint", "files", "sections"], b / 4).to_owned(),
                reason,
                by,
            },
            26..=28 => {
                let to = one_of(&[Role::Author, Role::Critic], b / 2);
                Command::Question { id, revision, finding: usize::from(b % 2), to, question: reason, by }
            }
            16 => {
                Command::Rerun { id, gate: Some(one_of(&["test", "files", "none"], b).to_owned()).filter(|_| b > 99) }
            }
            17 => Command::Recritique { id },
            18 => Command::Cancel { id },
            19 => Command::Reopen { id, stage, reason, by },
            20 => Command::Park { id, by },
            21 | 22 => Command::Resume { id, by },
            23 => Command::Land { id },
            24 => Command::TakeBack { id },
            25 if b > 99 => {
                let role = one_of(&[Role::Author, Role::Critic], b);
                let name = one_of(&["one/author", "two/critic", "three/other"], b / 2);
                Command::ChooseModel { id, role, model: model(name), by }
            }
            _ => Command::Recover,
        }
    }
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn the_laws_hold_over_random_histories(start in 0usize..4, dice in vec(any::<Dice>(), 1..220)) {
        let mut play = Play::from(start);
        for dice in dice {
            play.step(dice)?;
        }
        prop_assert!(play.watched == play.machine.state);
        replays(&play.machine)?;
    }

    /// What was on the screen a while ago approves only if it is still so, to the last byte.
    #[test]
    fn an_old_screen_never_approves(start in 0usize..4, dice in vec(any::<Dice>(), 1..120)) {
        let mut play = Play::from(start);
        for dice in dice {
            play.step(dice)?;
            let Some(one) = play.machine.state.active() else { continue };
            let now = evidence(one, one.open).digest();
            for (id, stage, seen) in play.seen.iter().rev().take(20) {
                let approval = Approval {
                    id: *id,
                    stage: *stage,
                    evidence: seen.clone(),
                    unread: ALL_READ,
                    findings: ALL_READ,
                    reason: Some("because I looked at it".to_owned()),
                    typed: Some("outcome".to_owned()),
                    by: me(),
                };
                let decided = decide(&play.machine.state, Command::Approve(Box::new(approval)), Default::default());
                if decided.is_ok() {
                    prop_assert_eq!((*id, *stage, seen.digest()), (one.id, one.open, now));
                }
            }
        }
    }

    /// Events of true histories, in random order, some of them altered: what the laws forbid is corrupt.
    #[test]
    fn a_forged_journal_approves_nothing(
        start in 0usize..4,
        dice in vec(any::<Dice>(), 40..160),
        forged in vec(any::<(u16, u8, u8)>(), 1..200),
    ) {
        let mut play = Play::from(start);
        for dice in dice {
            play.step(dice)?;
        }
        let mut pool = play.machine.journal;
        pool.extend(Machine::awaiting(OUTCOME, "one").journal);
        let (mut state, mut watch) = (State::default(), Watch::default());
        let mut next = 0;
        for (pick, how, what) in forged {
            // Often the event that is due, so that the forger gets somewhere; else any.
            let place = if how < 180 { next } else { usize::from(pick) };
            let mut recorded = pool[place % pool.len()].clone();
            if how.is_multiple_of(3) {
                forge(&mut recorded.event, &state, what);
            }
            if watch.apply(&mut state, &recorded)? || how < 180 {
                next = place + 1;
            }
        }
    }

    /// A whole loop, with one byte of one of its drafts changed between the screen and the key.
    #[test]
    fn one_changed_byte_of_a_draft_refuses_the_approval(
        index in 0usize..4, text in "[a-z \n]{1,60}", place in any::<u16>(), flip in 1u8..128,
    ) {
        let mut machine = Machine::awaiting(StageIndex(index), &text);
        let approval = machine.approval();
        let one = machine.state.loops.values_mut().next().expect("a loop");
        let stage = &mut one.stages[index];
        let old = stage.revision().expect("a revision").clone();
        let mut bytes = old.text.into_bytes();
        let at = usize::from(place) % bytes.len();
        bytes[at] = (bytes[at] ^ flip) & 0x7f;
        let changed = String::from_utf8(bytes).expect("ASCII");
        let same = stage.revision().is_some_and(|revision| revision.text == changed);
        let revision = Revision::new(stage.spec.artifact, 2, changed, old.change, old.origin);
        stage.current = Some(revision.id);
        stage.revisions.push(revision);
        prop_assert_eq!(machine.give(approval).is_ok(), same);
    }
}

/// Alters an event the way a forger would: towards an approval that never was.
fn forge(event: &mut Event, state: &State, what: u8) {
    let open = state.active().map(|one| (one.id, one.open, evidence(one, one.open).digest()));
    match event {
        Event::Decided { id, stage, decision } => {
            match what % 6 {
                0 => decision.verb = Verb::Approve,
                1 => decision.evidence = Digest::of(&[what]),
                2 => decision.gaps.clear(),
                3 => decision.reason = None,
                _ => {}
            }
            if let (Some((now, at, evidence)), true) = (open, what > 99) {
                (*id, *stage) = (now, at);
                decision.evidence = evidence;
            }
        }
        Event::Drafted { revision, .. } => match what % 3 {
            0 => revision.text.push('!'),
            1 => revision.change = Some(change_of("forged")),
            _ => revision.origin = Origin::Human { name: "Mallory".to_owned() },
        },
        Event::GateFinished { run, .. } => match what % 3 {
            0 => run.verdict = Verdict::Pass,
            1 => run.definition = Digest::of(b"forged"),
            _ => run.gate = "test".to_owned(),
        },
        Event::Overridden { by, .. } => by.gate = "test".to_owned(),
        Event::Begun { id, .. } | Event::Parked { id, .. } | Event::Reopened { id, .. } => {
            *id = LoopId(u32::from(what) % 3)
        }
        Event::Prepared { .. } | Event::Critiqued { .. } => {
            *event = Event::Resumed { id: LoopId(u32::from(what) % 3), by: me() };
        }
        other => {
            if let Some((id, ..)) = open {
                *other = match what % 5 {
                    4 => Event::TakenBack { id, stage: StageIndex(usize::from(what) % 4) },
                    0 => Event::Landed { id, commit: commit(b'f'), left: None },
                    1 => Event::LandingFailed { id, why: String::new() },
                    2 => Event::Resumed { id, by: me() },
                    _ => Event::LandingRetried { id },
                };
            }
        }
    }
}

/// The histories above are worth nothing if they never get anywhere.
#[test]
fn random_histories_reach_every_status_and_phase() {
    let mut runner = TestRunner::deterministic();
    let (mut phases, mut approvals, mut taken_back, mut answered) = (BTreeSet::new(), 0, 0, 0);
    for round in 0..120 {
        let dice = vec(any::<Dice>(), 219).new_tree(&mut runner).expect("a tree").current();
        let mut play = Play::from(round % 4);
        for dice in dice {
            play.step(dice).expect("the laws hold");
            let one = play.machine.state.loops.values().next();
            phases.extend(
                one.into_iter()
                    .flat_map(|one| one.stages.iter().map(|stage| stage.phase.name()).chain([one.status.name()])),
            );
        }
        approvals += play.approvals;
        taken_back += play.taken_back;
        answered += play.answered;
    }
    for name in ["closed", "preparing", "ready", "drafting", "reviewing", "awaiting decision", "approved", "stale"] {
        assert!(phases.contains(name), "no history reaches {name}: {phases:?}");
    }
    for name in ["active", "parked", "landing", "landed", "abandoned"] {
        assert!(phases.contains(name), "no history reaches {name}: {phases:?}");
    }
    assert!(approvals > 60, "only {approvals} approvals");
    assert!(answered > 10, "only {answered} answers about findings");
    assert!(taken_back > 10, "only {taken_back} drafts taken back");
}
