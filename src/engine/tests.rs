//! The machine as transition tables: what can be done when, what blocks an approval, what comes too late.

use crate::domain::{
    Budget, Change, CommandSpec, ContextItem, Decision, Digest, Disposition, End, Enforcement, ExchangeId, Gap,
    GateKind, ItemKind, LoopId, ModelId, Money, Origin, Override, Price, PromptRef, Quote, Revision, Role, Severity,
    StageIndex, Subject, Timestamp, Timings, Unread, Usage, Verb, Verdict,
};

use super::testing::{
    ALL_READ, CHANGE, CONSTRAINT, FIRST, Machine, OUTCOME, PLAN, begin, change_of, command_gate, commit, me, model,
    patch_trouble, setup, trust,
};
use super::{
    Command, Effect, Event, Loop, Obstacle, Phase, Recorded, Refusal, Setup, State, Status, Trouble, apply, decide,
    evidence, gaps, obstacles,
};

const REASON: &str = "a good enough reason";

/// The change stage in every phase, and the loop in every status.
fn places() -> Vec<(&'static str, Machine)> {
    let at = |name, prepare: fn(&mut Machine)| {
        let mut machine = Machine::at(CHANGE);
        prepare(&mut machine);
        (name, machine)
    };
    let landing = |name, prepare: fn(&mut Machine)| {
        let mut machine = Machine::awaiting(OUTCOME, "faster");
        let approval = machine.approval();
        machine.must(approval);
        prepare(&mut machine);
        (name, machine)
    };
    vec![
        at("preparing", |_| {}),
        at("ready", |m| m.work("x")),
        at("sent-back", |m| send_back(m, "x")),
        at("drafting", |m| {
            m.work("x");
            m.must(Command::Draft { id: FIRST });
        }),
        at("applying", |m| {
            m.work("x");
            m.must(Command::Write { id: FIRST, text: "by hand".into(), by: me() });
        }),
        at("reviewing", |m| {
            m.review("x");
            m.must(Command::Rerun { id: FIRST, gate: None });
        }),
        at("reviewed", |m| {
            m.review("x");
            m.must(Command::Recritique { id: FIRST });
        }),
        at("awaiting", |m| m.review("x")),
        at("parked", |m| m.must(Command::Park { id: FIRST, by: me() })),
        landing("landing", |_| {}),
        landing("not-landed", |m| m.must(Command::LandingFailed { id: FIRST, why: "disk full".into() })),
        landing("landed", |m| m.work("")),
        at("abandoned", |m| m.must(Command::Abandon { id: FIRST, reason: REASON.into(), by: me() })),
    ]
}

/// Has `text` drafted and sent back, and nothing come of that.
fn send_back(machine: &mut Machine, text: &str) {
    machine.review(text);
    let id = machine.one().id;
    machine.must(Command::Revise { id, evidence: machine.seen(), reason: "smaller".into(), by: me() });
    machine.forget();
    let trouble = Trouble::Stopped("cancelled".into());
    machine.must(Command::DraftFailed { id, stage: machine.one().open, trouble });
}

/// Every command a human has, as it would be given now.
fn human(machine: &Machine) -> Vec<(&'static str, Command)> {
    let (id, by) = (FIRST, me());
    let (one, stage) = (machine.one(), machine.stage());
    let revision = stage.current.unwrap_or_else(|| Digest::of(b"none"));
    let other = command_gate("other", "other", Enforcement::Advisory);
    let reason = || REASON.to_owned();
    vec![
        ("choose", Command::Choose { id, name: "src/a.rs".into(), included: true }),
        ("draft", Command::Draft { id }),
        ("write", Command::Write { id, text: "mine".into(), by: by.clone() }),
        ("take", Command::TakeWorktree { id, by: by.clone() }),
        ("approve", machine.approval()),
        ("revise", Command::Revise { id, evidence: machine.seen(), reason: reason(), by: by.clone() }),
        ("take-back", Command::TakeBack { id }),
        ("abandon", Command::Abandon { id, reason: reason(), by: by.clone() }),
        ("dismiss", Command::Dismiss { id, revision, finding: 0, reason: reason(), by: by.clone() }),
        ("override", Command::Override { id, gate: "lint".into(), reason: reason(), by: by.clone() }),
        ("rerun", Command::Rerun { id, gate: None }),
        ("recritique", Command::Recritique { id }),
        ("cancel", Command::Cancel { id }),
        ("reopen", Command::Reopen { id, stage: CONSTRAINT, reason: reason(), by: by.clone() }),
        ("park", Command::Park { id, by: by.clone() }),
        ("resume", Command::Resume { id, by }),
        ("land", Command::Land { id }),
        ("configure", Command::Configure { id, setup: Setup { gates: vec![other], ..one.setup.clone() } }),
        ("begin", begin("another goal")),
    ]
}

#[test]
fn what_can_be_done_when() {
    // Dismissing wants a finding and overriding a gate that failed; both have their own tests.
    let table = "
        preparing   abandon cancel reopen park configure
        ready       choose draft write take abandon reopen park configure
        sent-back   choose draft write take take-back abandon reopen park configure
        drafting    abandon cancel reopen park configure
        applying    abandon cancel reopen park configure
        reviewing   abandon cancel reopen park configure
        reviewed    abandon rerun cancel reopen park configure
        awaiting    write take approve revise abandon rerun recritique reopen park configure
        parked      abandon resume configure begin
        landing
        not-landed  abandon land
        landed      begin
        abandoned   begin";
    for (row, (name, machine)) in table.lines().skip(1).zip(places()) {
        let mut words = row.split_whitespace();
        assert_eq!(words.next(), Some(name));
        let possible: Vec<&str> = human(&machine)
            .into_iter()
            .filter(|(_, command)| decide(&machine.state, command.clone(), Timestamp(0)).is_ok())
            .map(|(command, _)| command)
            .collect();
        assert_eq!(possible, words.collect::<Vec<_>>(), "while {name}");
    }
}

#[test]
fn a_loop_goes_from_its_first_stage_to_a_commit() {
    let mut machine = Machine::awaiting(OUTCOME, "faster");
    let approval = machine.approval();
    machine.must(approval);
    assert!(matches!(machine.to_do.as_slice(), [Effect::Land(approved)] if approved.stage() == OUTCOME));
    let approved = machine.journal.iter().rfind(|one| matches!(one.event, Event::Decided { .. })).unwrap().seq;
    machine.work("");
    assert_eq!(machine.one().decided, approved, "what lands names the approval's place in the journal");
    assert_eq!(machine.one().status, Status::Landed { commit: commit(b'c'), left: None });
    assert_eq!(machine.effects.last(), Some(&vec![Effect::CleanUp { id: FIRST }]));
    assert!(machine.one().stages.iter().all(|stage| matches!(stage.phase, Phase::Approved(_))));
}

#[test]
fn drafting_sends_nothing_that_was_not_listed() {
    let mut machine = Machine::at(CHANGE);
    machine.work("x");
    machine.must(Command::Choose { id: FIRST, name: "src/a.rs".into(), included: true });
    assert_eq!(machine.phase(), Phase::Preparing);
    assert!(matches!(machine.give(Command::Draft { id: FIRST }), Err(Refusal::NotNow { .. })));
    let item = ContextItem {
        kind: ItemKind::File,
        name: "src/a.rs".into(),
        digest: Digest::of(b"a"),
        bytes: 1,
        tokens: 1,
        included: true,
    };
    machine.must(Command::Prepared {
        id: FIRST,
        stage: CHANGE,
        items: vec![item],
        measurement: None,
        unmeasured: None,
    });
    machine.must(Command::Choose { id: FIRST, name: "src/a.rs".into(), included: false });
    assert_eq!(machine.phase(), Phase::Ready, "what is listed is dropped without gathering it again");
    assert!(machine.stage().context.iter().all(|item| !item.included));
}

#[test]
fn a_measurement_is_taken_again_only_while_nothing_rests_on_it() {
    let again = || Command::Rerun { id: FIRST, gate: None };
    let mut machine = Machine::at(CONSTRAINT);
    machine.work("x");
    assert!(machine.stage().measurement.is_some());
    machine.must(again());
    assert_eq!((machine.phase(), &machine.stage().measurement), (Phase::Preparing, &None));
    assert_eq!(machine.to_do, [Effect::Prepare { id: FIRST, stage: CONSTRAINT }]);
    machine.review("x");
    machine.must(again());
    assert!(machine.stage().measurement.is_some(), "under review, the gates run again");
    machine.work("x");

    let mut machine = Machine::at(PLAN);
    machine.work("x");
    assert!(matches!(machine.give(again()), Err(Refusal::NotNow { .. })), "a plan measures nothing");
}

#[test]
fn why_nothing_was_measured_is_on_record_until_something_is() {
    let mut machine = Machine::at(CONSTRAINT);
    let why = || Some("the probes wait for trust".to_owned());
    let skipped =
        |stage| Command::Prepared { id: FIRST, stage, items: Vec::new(), measurement: None, unmeasured: why() };
    machine.must(skipped(CONSTRAINT));
    assert_eq!((&machine.stage().unmeasured, &machine.stage().measurement), (&why(), &None));
    machine.forget();
    machine.must(Command::Rerun { id: FIRST, gate: None });
    machine.review("x");
    assert_eq!(machine.stage().unmeasured, None);
    assert!(machine.stage().measurement.is_some());
}

#[test]
fn what_was_drafted_without_readings_is_measured_before_it_is_drafted_again() {
    let unmeasured = || {
        let mut machine = Machine::at(CONSTRAINT);
        let why = Some("the probes wait for trust".to_owned());
        machine.must(Command::Prepared {
            id: FIRST,
            stage: CONSTRAINT,
            items: Vec::new(),
            measurement: None,
            unmeasured: why,
        });
        machine.forget();
        machine.review("x");
        machine.forget();
        machine.send_back("now with the readings");
        assert_eq!(machine.to_do, [Effect::Prepare { id: FIRST, stage: CONSTRAINT }]);
        machine.forget();
        machine
    };
    let mut machine = unmeasured();
    machine.must(machine.prepared(FIRST, CONSTRAINT));
    assert_eq!(machine.to_do, [Effect::Draft { id: FIRST, stage: CONSTRAINT }]);
    assert_eq!(machine.stage().feedback.as_ref().unwrap().reasons, ["now with the readings"]);
    machine.review("y");
    machine.forget();
    machine.send_back("again");
    assert_eq!(
        machine.to_do,
        [Effect::Draft { id: FIRST, stage: CONSTRAINT }],
        "what is measured is not measured again"
    );

    let mut machine = unmeasured();
    machine.must(Command::Cancel { id: FIRST });
    machine.forget();
    machine.must(machine.prepared(FIRST, CONSTRAINT));
    assert_eq!((machine.phase(), &machine.to_do[..]), (Phase::Ready, &[][..]), "who cancels wants no draft either");
}

// ---- approval -------------------------------------------------------------------------------------------------------

/// The change stage under review, its gate `test` of this enforcement having said this.
fn judged(enforcement: Enforcement, verdict: Verdict) -> Machine {
    let mut machine = Machine::at(CHANGE);
    let gates = vec![command_gate("test", "test", enforcement)];
    machine.must(Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } });
    machine.review("x");
    machine.must(Command::Rerun { id: FIRST, gate: Some("test".into()) });
    machine.forget();
    let run = machine.ran(FIRST, CHANGE, "test", verdict);
    machine.must(run);
    machine
}

#[test]
fn every_verdict_of_a_required_gate_but_pass_and_not_applicable_blocks() {
    for enforcement in [Enforcement::Advisory, Enforcement::Required] {
        for verdict in Verdict::ALL {
            let mut machine = judged(enforcement, verdict);
            let passes = matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
            let approval = machine.approval();
            if enforcement == Enforcement::Advisory || passes {
                machine.must(approval);
                continue;
            }
            let refusal = Refusal::Gate { gate: "test".into(), state: format!("says {}", verdict.name()) };
            assert_eq!(machine.give(approval), Err(refusal));
            // No reason on the sheet goes past it either; only an override does, and it is named as a gap.
            let with_reason = machine.approval_of(machine.seen(), ALL_READ, Some(REASON));
            assert!(matches!(machine.give(with_reason), Err(Refusal::Gate { .. })));
            machine.must(Command::Override { id: FIRST, gate: "test".into(), reason: REASON.into(), by: me() });
            let gap = Gap::Gate { gate: "test".into(), verdict: Some(verdict) };
            assert_eq!(gaps(machine.one(), CHANGE, ALL_READ, ALL_READ), [gap]);
            let approval = machine.approval();
            machine.must(approval);
        }
    }
}

#[test]
fn a_required_gate_that_has_not_run_blocks() {
    let mut machine = Machine::default();
    machine.must(begin("goal"));
    for _ in [CONSTRAINT, PLAN] {
        machine.review("x");
        let approval = machine.approval();
        machine.must(approval);
    }
    machine.review("x");
    let unrun = vec![Obstacle::Gate { gate: "test".into(), verdict: None }];
    assert_eq!(obstacles(machine.one(), CHANGE), unrun, "its commands wait for trust");
    let rerun = |gate: &str| Command::Rerun { id: FIRST, gate: Some(gate.into()) };
    assert_eq!(machine.give(rerun("test")), Err(Refusal::NotTrusted));
    assert_eq!(machine.give(rerun("tset")), Err(Refusal::NoGate("tset".into())));
    machine.must(rerun("files"));
    machine.work("x");
    machine.must(trust());
    assert_eq!(machine.give(rerun("test")), Err(Refusal::GateRunning("test".into())));
    machine.must(Command::Rerun { id: FIRST, gate: None });
    let Some(Event::RerunAsked { gates, .. }) = machine.journal.last().map(|last| &last.event) else { panic!("one") };
    assert_eq!(gates, &["files"], "of all gates, those run again that aren't running");
    machine.to_do.retain(|effect| !matches!(effect, Effect::RunGate { gate, .. } if gate == "files"));
    let run = machine.ran(FIRST, CHANGE, "files", Verdict::Pass);
    machine.must(run);
    let runs = |gate: &str| Effect::RunGate { id: FIRST, stage: CHANGE, gate: gate.into() };
    assert_eq!(machine.to_do, [runs("test"), runs("lint")]);
    machine.work("x");
    let approval = machine.approval();
    machine.must(approval);
}

#[test]
fn only_what_stands_in_the_way_is_overridden() {
    let mut machine = Machine::awaiting(CHANGE, "x");
    let over =
        |gate: &str, reason: &str| Command::Override { id: FIRST, gate: gate.into(), reason: reason.into(), by: me() };
    assert!(matches!(machine.give(over("test", REASON)), Err(Refusal::NotNow { .. })), "it passes");
    assert_eq!(machine.give(over("none", REASON)), Err(Refusal::NoGate("none".into())));
    let mut machine = judged(Enforcement::Required, Verdict::Fail);
    assert!(matches!(machine.give(over("test", " too short  ")), Err(Refusal::ReasonNeeded { .. })));
}

#[test]
fn no_reason_goes_past_a_mandatory_gate() {
    for verdict in [Verdict::Fail, Verdict::Flaky, Verdict::Inconclusive, Verdict::Error] {
        let mut machine = judged(Enforcement::Mandatory, verdict);
        let over = Command::Override { id: FIRST, gate: "test".into(), reason: REASON.into(), by: me() };
        assert_eq!(machine.give(over), Err(Refusal::Mandatory("test".into())));
        let obstacle = Obstacle::Gate { gate: "test".into(), verdict: Some(verdict) };
        assert_eq!(obstacles(machine.one(), CHANGE), [obstacle]);
    }
}

#[test]
fn no_reason_goes_past_what_a_gate_is_firm_about() {
    let firm = |firm: bool| {
        let mut machine = judged(Enforcement::Required, Verdict::Fail);
        machine.must(Command::Rerun { id: FIRST, gate: Some("test".into()) });
        machine.forget();
        let Command::GateFinished { id, stage, mut run } = machine.ran(FIRST, CHANGE, "test", Verdict::Fail) else {
            panic!("a run")
        };
        (run.summary, run.details.firm) = ("split it".to_owned(), firm);
        machine.must(Command::GateFinished { id, stage, run });
        machine
    };
    let over = || Command::Override { id: FIRST, gate: "test".into(), reason: REASON.into(), by: me() };
    let mut machine = firm(true);
    let refusal = Refusal::Firm { gate: "test".into(), summary: "split it".into() };
    assert_eq!(refusal.to_string(), "no reason goes past gate test here: split it");
    assert_eq!(machine.give(over()), Err(refusal));
    // Nor does an override that stands in the journal all the same.
    let subject = machine.one().stages[CHANGE.0].subject().unwrap().digest();
    let by = Override { gate: "test".into(), subject, reason: REASON.into(), by: me() };
    let seq = machine.journal.last().unwrap().seq + 1;
    let forged = Recorded { seq, at: Timestamp(0), event: Event::Overridden { id: FIRST, stage: CHANGE, by } };
    assert!(apply(&mut machine.state.clone(), &forged).is_err());
    let mut machine = firm(false);
    machine.must(over());
    assert_eq!(obstacles(machine.one(), CHANGE), []);
}

#[test]
fn an_override_does_not_outlive_what_it_was_given_for() {
    let overridden = || {
        let mut machine = judged(Enforcement::Required, Verdict::Fail);
        machine.must(Command::Override { id: FIRST, gate: "test".into(), reason: REASON.into(), by: me() });
        assert_eq!(obstacles(machine.one(), CHANGE), []);
        machine
    };
    let blocks = |machine: &Machine| !obstacles(machine.one(), CHANGE).is_empty();

    let mut machine = overridden();
    let gates = vec![command_gate("test", "another", Enforcement::Required)];
    machine.must(Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } });
    assert!(blocks(&machine), "another command");

    for (text, what) in [("y", "another tree"), ("x", "another draft of the same")] {
        let mut machine = overridden();
        machine.must(Command::Write { id: FIRST, text: text.into(), by: me() });
        machine.work(text);
        machine.must(Command::Rerun { id: FIRST, gate: Some("test".into()) });
        let run = machine.ran(FIRST, CHANGE, "test", Verdict::Fail);
        machine.must(run);
        assert!(blocks(&machine), "{what}");
    }
}

#[test]
fn a_blocker_blocks_until_it_is_dismissed_for_a_reason() {
    let mut machine = Machine::awaiting(PLAN, "x");
    machine.must(Command::Recritique { id: FIRST });
    let critique = machine.critiqued("note whole - fine\nblocker line 2 - moves the bottleneck");
    machine.must(critique);
    let revision = machine.stage().current.unwrap();
    let dismiss = |finding: usize, reason: &str| Command::Dismiss {
        id: FIRST,
        revision,
        finding,
        reason: reason.into(),
        by: me(),
    };
    let blocker = || Refusal::Blocker("moves the bottleneck".into());
    let approval = machine.approval();
    assert_eq!(machine.give(approval), Err(blocker()));
    assert_eq!(machine.give(dismiss(2, REASON)), Err(Refusal::NoFinding));
    assert!(matches!(machine.give(dismiss(1, "no")), Err(Refusal::ReasonNeeded { least: 12, .. })));

    // Asking again and getting no answer is no way around it.
    machine.must(Command::Recritique { id: FIRST });
    machine.must(Command::CritiqueFailed { id: FIRST, stage: PLAN, revision, why: "cancelled".into() });
    let approval = machine.approval_of(machine.seen(), ALL_READ, Some(REASON));
    assert_eq!(machine.give(approval), Err(blocker()));

    machine.must(dismiss(1, REASON));
    let gap = Gap::Blocker { text: "moves the bottleneck".into() };
    assert_eq!(gaps(machine.one(), PLAN, ALL_READ, ALL_READ), [gap]);
    let approval = machine.approval();
    machine.must(approval);
}

#[test]
fn what_was_not_read_and_what_nobody_reviewed_need_a_reason() {
    let unread = Unread { seen: 1, total: 3 };
    let mut machine = Machine::awaiting(PLAN, "x");
    for (reason, accepted) in
        [(None, false), (Some("           "), false), (Some("eleven char"), false), (Some("twelve chars"), true)]
    {
        let approval = machine.approval_of(machine.seen(), unread, reason);
        match machine.give(approval) {
            Ok(_) => assert!(accepted, "{reason:?}"),
            Err(Refusal::ReasonNeeded { least: 12, gaps }) => {
                assert!(!accepted, "{reason:?}");
                assert_eq!(gaps, "2 of 3 parts were never on screen");
            }
            Err(other) => panic!("{other}"),
        }
    }
    // Once more in the next stage: the same words are no reason twice, except where none is needed.
    machine.review("y");
    let again = machine.approval_of(machine.seen(), unread, Some(" twelve chars"));
    assert_eq!(machine.give(again), Err(Refusal::ReasonRepeated));
    let all_read = machine.approval_of(machine.seen(), ALL_READ, Some("twelve chars"));
    machine.must(all_read);

    for critique in [None, Some("looks good to me!")] {
        let mut machine = Machine::awaiting(PLAN, "x");
        let text = "y";
        machine.must(Command::Write { id: FIRST, text: text.into(), by: me() });
        machine.forget();
        for command in [
            machine.ran(FIRST, PLAN, "sections", Verdict::Pass),
            match critique {
                Some(text) => machine.critiqued(text),
                None => Command::CritiqueFailed {
                    id: FIRST,
                    stage: PLAN,
                    revision: machine.stage().current.unwrap(),
                    why: "503".into(),
                },
            },
        ] {
            machine.must(command);
        }
        let approval = machine.approval();
        assert!(matches!(machine.give(approval), Err(Refusal::ReasonNeeded { .. })), "{critique:?}");
    }
}

#[test]
fn landing_needs_the_name_typed_and_a_tree() {
    let mut machine = Machine::awaiting(OUTCOME, "faster");
    for typed in [None, Some(""), Some("y"), Some("Outcome"), Some("change")] {
        let Command::Approve(mut approval) = machine.approval() else { panic!("an approval") };
        approval.typed = typed.map(str::to_owned);
        let refused = machine.give(Command::Approve(approval));
        assert_eq!(refused, Err(Refusal::TypeTheName("outcome".into())), "{typed:?}");
    }
    let mut treeless = Machine::at(OUTCOME);
    treeless.work("");
    treeless.must(Command::Write { id: FIRST, text: "it is faster".into(), by: me() });
    treeless.forget();
    let origin = Origin::Human { name: "Ada".into() };
    treeless.must(Command::Drafted { id: FIRST, stage: OUTCOME, text: "faster".into(), change: None, origin });
    treeless.to_do = treeless.effects.last().cloned().unwrap();
    treeless.work("");
    let approval = treeless.approval();
    assert_eq!(treeless.give(approval), Err(Refusal::NoTree));
}

#[test]
fn only_the_open_stage_is_approved_and_only_while_it_waits() {
    for (name, machine) in places() {
        let result = decide(&machine.state, machine.approval(), Timestamp(0));
        assert_eq!(result.is_ok(), name == "awaiting", "{name}: {result:?}");
    }
    let machine = Machine::awaiting(CHANGE, "x");
    for stage in [CONSTRAINT, PLAN, OUTCOME, StageIndex(7)] {
        let Command::Approve(mut approval) = machine.approval() else { panic!("an approval") };
        approval.stage = stage;
        approval.evidence = evidence(machine.one(), stage);
        let result = decide(&machine.state, Command::Approve(approval), Timestamp(0));
        assert!(matches!(result, Err(Refusal::ChangedUnderYou(_))), "{stage:?}: {result:?}");
    }
}

// ---- what an approval covers ----------------------------------------------------------------------------------------

type Tampering = (&'static str, fn(&mut Loop));

fn new_revision(one: &mut Loop, text: &str, change: Option<Change>) {
    let stage = &mut one.stages[one.open.0];
    let old = stage.revision().unwrap().clone();
    let new = Revision::new(stage.spec.artifact, 2, text.to_owned(), change, old.origin);
    // Everything else stays as fresh as it was, so that the revision alone differs.
    stage.current = Some(new.id);
    if let Some(critique) = &mut stage.critique {
        critique.revision = new.id;
    }
    let subject = Subject { revision: new.id, tree: new.tree().cloned() };
    for run in stage.runs.values_mut() {
        run.subject = subject.clone();
    }
    stage.revisions.push(new);
}

fn patched(one: &mut Loop, tamper: fn(&mut Change)) {
    let old = one.open_stage().unwrap().revision().unwrap().clone();
    let mut change = old.change.unwrap();
    tamper(&mut change);
    new_revision(one, &old.text, Some(change));
}

fn command(one: &mut Loop, tamper: fn(&mut CommandSpec)) {
    let GateKind::Command(spec) = &mut one.setup.gates[0].kind else { panic!("a command") };
    tamper(spec);
}

/// One byte of each thing a decision rests on, and the part that is named when it changes.
const COVERED: &[Tampering] = &[
    ("the base commit", |one| one.base = commit(b'd')),
    ("the acceptance criteria", |one| {
        let stage = &mut one.stages[0];
        let id = stage.current;
        let revision = stage.revisions.iter_mut().find(|revision| Some(revision.id) == id).unwrap();
        revision.text = revision.text.replace("0.5x", "0.6x");
    }),
    ("the approved constraint", |one| one.stages[0].phase = Phase::Approved(Digest::of(b"other"))),
    ("the approved plan", |one| one.stages[1].phase = Phase::Approved(Digest::of(b"other"))),
    ("gone: the approved plan", |one| one.stages[1].phase = Phase::Stale),
    ("the stage's definition", |one| one.stages[2].spec.criteria[0].push('!')),
    ("the stage's definition", |one| one.stages[2].spec.sections[0].push('!')),
    ("the stage's definition", |one| one.stages[2].spec.budget_lines += 1),
    ("the revision", |one| {
        let old = one.stages[2].revision().unwrap().clone();
        new_revision(one, &format!("{}!", old.text), old.change);
    }),
    ("the revision", |one| patched(one, |change| change.patch = format!("{}!", change.patch).into())),
    ("the revision", |one| patched(one, |change| change.tree = change_of("!").tree)),
    ("the revision", |one| patched(one, |change| change.base = commit(b'd'))),
    ("the revision", |one| patched(one, |change| change.flags.push("edits .windlass".into()))),
    ("the measurement", |one| one.stages[2].measurement.as_mut().unwrap().samples[0].readings[0].value += 1e-12),
    ("the measurement", |one| one.stages[2].measurement.as_mut().unwrap().samples[0].readings[0].unit.push('!')),
    ("the measurement", |one| one.stages[2].measurement.as_mut().unwrap().failures.push("!".into())),
    ("the measurement", |one| {
        let measurement = one.stages[2].measurement.as_mut().unwrap();
        let mut digits = measurement.tree.as_ref().unwrap().as_str().to_owned();
        let last = if digits.ends_with('0') { '1' } else { '0' };
        digits.pop();
        digits.push(last);
        measurement.tree = Some(digits.parse().unwrap());
    }),
    ("gone: the measurement", |one| one.stages[2].measurement = None),
    ("the critique", |one| one.stages[2].critique.as_mut().unwrap().text.push('!')),
    ("the critique", |one| one.stages[2].critique.as_mut().unwrap().model = model("third/model")),
    ("gone: the critique", |one| one.stages[2].critique = None),
    ("the findings", |one| {
        let finding = &mut one.stages[2].critique.as_mut().unwrap().findings[0];
        finding.disposition = Disposition::Dismissed(REASON.into());
    }),
    ("the findings", |one| {
        one.stages[2].critique.as_mut().unwrap().findings[0].severity = Severity::Note;
    }),
    ("the findings", |one| one.stages[2].critique.as_mut().unwrap().findings[0].text.push('!')),
    ("gate test", |one| command(one, |spec| spec.argv[1].push('!'))),
    ("gate test", |one| command(one, |spec| spec.dir.push('!'))),
    ("gate test", |one| command(one, |spec| spec.timeout_s += 1)),
    ("gate test", |one| command(one, |spec| spec.env.push("HOME".into()))),
    ("gate test", |one| one.setup.gates[0].enforcement = Enforcement::Advisory),
    ("gate lint", |one| one.setup.gates[1].enforcement = Enforcement::Required),
    ("gone: gate test", |one| drop(one.setup.gates.remove(0))),
    ("new: gate more", |one| one.setup.gates.push(command_gate("more", "more", Enforcement::Advisory))),
    ("gate test", |one| one.stages[2].runs.get_mut("test").unwrap().verdict = Verdict::NotApplicable),
    ("gate test", |one| one.stages[2].runs.get_mut("test").unwrap().summary.push('!')),
    ("gate test", |one| one.stages[2].runs.get_mut("test").unwrap().tail.push('!')),
    ("gate test", |one| drop(one.stages[2].runs.remove("test"))),
    ("gate lint", |one| one.stages[2].overrides.get_mut("lint").unwrap().reason.push('!')),
    ("gate lint", |one| one.stages[2].overrides.get_mut("lint").unwrap().by.0.push('!')),
    ("gate lint", |one| drop(one.stages[2].overrides.remove("lint"))),
];

/// A change under review with something in every part of its evidence.
fn rich() -> Machine {
    let mut machine = Machine::awaiting(CHANGE, "x");
    machine.must(Command::Rerun { id: FIRST, gate: Some("lint".into()) });
    let run = machine.ran(FIRST, CHANGE, "lint", Verdict::Fail);
    machine.must(run);
    machine.must(Command::Override { id: FIRST, gate: "lint".into(), reason: REASON.into(), by: me() });
    machine.must(Command::Recritique { id: FIRST });
    let critique = machine.critiqued("major line 1 - slow");
    machine.must(critique);
    let tree = machine.stage().revision().unwrap().tree().cloned();
    let mut measurement = machine.one().stages[0].measurement.clone().unwrap();
    measurement.tree = tree;
    machine.state.loops.get_mut(&FIRST).unwrap().stages[2].measurement = Some(measurement);
    machine
}

#[test]
fn no_approval_survives_a_change_of_anything_it_covers() {
    for (number, (part, tamper)) in COVERED.iter().enumerate() {
        let mut machine = rich();
        let approval = machine.approval();
        decide(&machine.state, approval.clone(), Timestamp(0)).expect("unchanged, it is approved");
        tamper(machine.state.loops.get_mut(&FIRST).unwrap());
        match machine.give(approval) {
            Err(Refusal::ChangedUnderYou(parts)) => {
                assert!(parts.iter().any(|named| named == part), "{number}: {part} is not among {parts:?}");
            }
            other => panic!("{number}: {part}: {other:?}"),
        }
    }
}

#[test]
fn a_decision_on_other_evidence_is_corrupt_in_replay_too() {
    for (part, tamper) in COVERED {
        let mut machine = rich();
        let events = decide(&machine.state, machine.approval(), Timestamp(0)).unwrap();
        tamper(machine.state.loops.get_mut(&FIRST).unwrap());
        let recorded = Recorded { seq: 7, at: Timestamp(0), event: events[0].clone() };
        let corrupt = apply(&mut machine.state, &recorded).expect_err(part);
        assert_eq!(corrupt.seq, 7);
        assert!(corrupt.why.contains("changed under you"), "{corrupt}");
    }
}

#[test]
fn an_approval_on_record_names_all_that_it_goes_past() {
    let mut machine = Machine::awaiting(PLAN, "x");
    machine.must(Command::Configure { id: FIRST, setup: Setup { critic: None, ..setup() } });
    machine.must(Command::Write { id: FIRST, text: "y".into(), by: me() });
    machine.work("y");
    let unread = Unread { seen: 1, total: 3 };
    let approval = machine.approval_of(machine.seen(), unread, Some(REASON));
    let events = decide(&machine.state, approval, Timestamp(0)).unwrap();
    let Some(Event::Decided { id, stage, decision }) = events.first().cloned() else { panic!("a decision") };
    assert_eq!(decision.gaps, [Gap::Unread(unread), Gap::NoCritique]);
    let record = |gaps: Vec<Gap>, reason: Option<&str>| {
        let decision = Decision { gaps, reason: reason.map(str::to_owned), ..decision.clone() };
        Recorded { seq: 1, at: Timestamp(0), event: Event::Decided { id, stage, decision } }
    };
    for (gaps, reason, fits) in [
        (decision.gaps.clone(), Some(REASON), true),
        (vec![Gap::NoCritique], Some(REASON), true),
        (decision.gaps.clone(), None, false),
        (vec![Gap::Unread(unread)], Some(REASON), false),
        (vec![Gap::Unread(Unread { seen: 3, total: 1 }), Gap::NoCritique], Some(REASON), false),
        (Vec::new(), None, false),
    ] {
        let applied = apply(&mut machine.state.clone(), &record(gaps.clone(), reason));
        assert_eq!(applied.is_ok(), fits, "{gaps:?}, {reason:?}: {applied:?}");
    }
}

#[test]
fn the_order_of_gates_in_the_configuration_changes_nothing() {
    let mut machine = Machine::awaiting(CHANGE, "x");
    let approval = machine.approval();
    let gates = setup().gates.into_iter().rev().collect();
    machine.must(Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } });
    machine.must(approval);
}

#[test]
fn an_approved_stage_is_open_again_once_its_gates_are_others() {
    let gates = vec![command_gate("test", "test-more", Enforcement::Required)];
    let reconfigured = Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } };
    let mut machine = Machine::awaiting(OUTCOME, "faster");
    machine.must(reconfigured.clone());
    assert_eq!(machine.one().open, CHANGE);
    assert_eq!(machine.phase(), Phase::Reviewing);
    assert_eq!(machine.one().stages[3].phase, Phase::Stale);
    let run = Effect::RunGate { id: FIRST, stage: CHANGE, gate: "test".into() };
    assert_eq!(machine.to_do, [Effect::Cancel { id: FIRST }, run.clone()]);

    let mut parked = Machine::awaiting(OUTCOME, "faster");
    parked.must(Command::Park { id: FIRST, by: me() });
    parked.must(reconfigured);
    assert_eq!((parked.one().open, &parked.one().status), (CHANGE, &Status::Parked));
    parked.forget();
    parked.must(Command::Resume { id: FIRST, by: me() });
    assert_eq!(parked.to_do, [run]);

    // Other models are no reason: nothing that was approved rests on them.
    let mut machine = Machine::awaiting(OUTCOME, "faster");
    let other = Setup { author: Some(model("third/model")), ..setup() };
    machine.must(Command::Configure { id: FIRST, setup: other });
    assert_eq!((machine.one().open, machine.phase()), (OUTCOME, Phase::Awaiting));
}

// ---- roles ----------------------------------------------------------------------------------------------------------

#[test]
fn the_critic_is_another_model() {
    let same = || Setup { critic: Some(model("one/author")), ..setup() };
    let refused = Err(Refusal::SameModel("one/author".into()));
    let Command::Begin { goal, hint, workflow, base, branch, by, .. } = begin("goal") else { panic!("a begin") };
    let begun = Command::Begin { goal, hint, workflow, base, branch, setup: same(), by };
    assert_eq!(Machine::default().give(begun), refused);
    let mut machine = Machine::awaiting(PLAN, "x");
    assert_eq!(machine.give(Command::Configure { id: FIRST, setup: same() }), refused);
    // Nor may whoever makes the changes.
    let changes = Setup { change_author: setup().critic, ..setup() };
    let refusal = Refusal::SameModel(setup().critic.unwrap().to_string());
    assert_eq!(machine.give(Command::Configure { id: FIRST, setup: changes }), Err(refusal));

    // The roles are swapped while the author drafts: it is not asked to review itself.
    let mut machine = Machine::at(PLAN);
    machine.work("x");
    machine.must(Command::Draft { id: FIRST });
    let swapped = Setup { author: setup().critic, critic: setup().author, ..setup() };
    machine.must(Command::Configure { id: FIRST, setup: swapped });
    machine.work("x");
    assert_eq!(gaps(machine.one(), PLAN, ALL_READ, ALL_READ), [Gap::NoCritique]);
    assert_eq!(machine.give(Command::Recritique { id: FIRST }), refused);

    // And what it says of itself doesn't count.
    let mut machine = Machine::awaiting(PLAN, "x");
    machine.must(Command::Recritique { id: FIRST });
    let Command::Critiqued { id, stage, mut critique } = machine.critiqued("no findings") else { panic!("one") };
    critique.model = model("one/author");
    let events = machine.give(Command::Critiqued { id, stage, critique }).unwrap();
    assert!(matches!(events.as_slice(), [Event::CritiqueFailed { .. }]));
}

#[test]
fn without_a_model_a_human_does_its_part() {
    let nobody = Setup { author: None, critic: None, ..setup() };
    let mut machine = Machine::at(PLAN);
    machine.must(Command::Configure { id: FIRST, setup: nobody });
    machine.work("x");
    assert_eq!(machine.give(Command::Draft { id: FIRST }), Err(Refusal::NoModel("author")));
    machine.must(Command::Write { id: FIRST, text: "my plan".into(), by: me() });
    machine.work("x");
    assert_eq!(machine.give(Command::Recritique { id: FIRST }), Err(Refusal::NoModel("critic")));
    let sent_back = Command::Revise { id: FIRST, evidence: machine.seen(), reason: "x".into(), by: me() };
    assert_eq!(machine.give(sent_back), Err(Refusal::NoModel("author")));
    let approval = machine.approval_of(machine.seen(), ALL_READ, Some("I wrote it myself"));
    machine.must(approval);
}

#[test]
fn two_gates_of_one_name_are_refused() {
    for name in ["test", "files"] {
        let mut gates = setup().gates;
        gates.push(command_gate(name, "again", Enforcement::Advisory));
        let configured = Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } };
        assert_eq!(Machine::at(PLAN).give(configured), Err(Refusal::GateTwice(name.into())));
    }
}

// ---- what comes too late --------------------------------------------------------------------------------------------

/// Every report a driver could still have about the stage as it is.
fn reports(machine: &Machine) -> Vec<Command> {
    let (id, stage) = (FIRST, machine.one().open);
    let author = |exchange| Origin::Model { model: model("one/author"), exchange };
    let mut reports = vec![
        machine.prepared(id, stage),
        machine.drafted(id, stage, "late", author(ExchangeId(1))),
        machine.drafted(id, stage, "late", author(machine.state.next_exchange())),
        machine.drafted(id, stage, "late", Origin::Human { name: "Ada".into() }),
        Command::DraftFailed { id, stage, trouble: patch_trouble() },
        Command::Landed { id, commit: commit(b'c'), left: None },
        Command::LandingFailed { id, why: "late".into() },
    ];
    if machine.stage().current.is_some() {
        reports.extend([
            machine.critiqued("no findings"),
            machine.ran(id, stage, "files", Verdict::Pass),
            machine.ran(id, stage, "test", Verdict::Pass),
        ]);
    }
    reports
}

#[test]
fn reports_are_taken_only_by_what_waits_for_them() {
    // Beside each phase, which of the reports above fit it.
    let table: &[(&str, &[&str])] = &[
        ("preparing", &["Prepared"]),
        ("ready", &[]),
        ("sent-back", &[]),
        ("drafting", &["DraftFailed"]),
        ("applying", &["Drafted", "DraftFailed"]),
        ("reviewing", &["GateFinished", "GateFinished"]),
        ("reviewed", &["Critiqued"]),
        ("awaiting", &[]),
        ("parked", &[]),
        ("landing", &["Landed", "LandingFailed"]),
        ("not-landed", &["Landed", "LandingFailed"]),
        ("landed", &[]),
        ("abandoned", &[]),
    ];
    for ((name, fitting), (place, machine)) in table.iter().zip(places()) {
        assert_eq!(*name, place);
        let taken: Vec<String> = reports(&machine)
            .into_iter()
            .filter(|report| match decide(&machine.state, report.clone(), Timestamp(0)) {
                Ok(_) => true,
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::Stale, "{name}: {report:?}");
                    false
                }
            })
            .map(|report| format!("{report:?}").chars().take_while(char::is_ascii_alphanumeric).collect())
            .collect();
        assert_eq!(taken, *fitting, "while {name}");
    }
}

/// A review in full swing, and the reports of everything in it.
fn in_review() -> (Machine, Vec<Command>) {
    let mut machine = Machine::at(CHANGE);
    machine.work("x");
    machine.must(Command::Draft { id: FIRST });
    let draft = machine.to_do.remove(0);
    for report in machine.reports(&draft, "x") {
        machine.must(report);
    }
    assert_eq!(machine.phase(), Phase::Reviewing);
    let late = machine.to_do.iter().filter_map(|effect| machine.reports(effect, "x").pop()).collect();
    machine.forget();
    (machine, late)
}

#[test]
fn results_on_an_earlier_revision_are_out_of_date() {
    let (mut machine, late) = in_review();
    assert_eq!(late.len(), 4);
    for report in &late {
        machine.must(report.clone());
    }
    let revised = Command::Revise { id: FIRST, evidence: machine.seen(), reason: "smaller".into(), by: me() };
    machine.must(revised);
    for report in &late {
        assert_eq!(machine.give(report.clone()), Err(Refusal::Stale), "while drafting: {report:?}");
    }
    let draft = machine.to_do.remove(0);
    for report in machine.reports(&draft, "y") {
        machine.must(report);
    }
    assert_eq!(machine.phase(), Phase::Reviewing);
    for report in &late {
        assert_eq!(machine.give(report.clone()), Err(Refusal::Stale), "of the next revision: {report:?}");
    }
}

#[test]
fn results_after_park_and_reopen_are_out_of_date() {
    for stop in [
        Command::Park { id: FIRST, by: me() },
        Command::Reopen { id: FIRST, stage: PLAN, reason: REASON.into(), by: me() },
        Command::Abandon { id: FIRST, reason: REASON.into(), by: me() },
    ] {
        let (mut machine, late) = in_review();
        machine.must(stop);
        assert_eq!(machine.to_do.first(), Some(&Effect::Cancel { id: FIRST }));
        for report in late {
            assert_eq!(machine.give(report.clone()), Err(Refusal::Stale), "{report:?}");
        }
    }
}

#[test]
fn the_draft_of_a_cancelled_call_is_not_the_next_ones() {
    let mut machine = Machine::at(PLAN);
    machine.work("x");
    machine.must(Command::Draft { id: FIRST });
    let first = machine.reports(&Effect::Draft { id: FIRST, stage: PLAN }, "first");
    machine.must(first[0].clone());
    machine.must(Command::Cancel { id: FIRST });
    let stopped = Trouble::Stopped("cancelled".into());
    machine.must(Command::DraftFailed { id: FIRST, stage: PLAN, trouble: stopped });
    assert_eq!(machine.phase(), Phase::Ready);
    machine.must(Command::Draft { id: FIRST });
    assert_eq!(machine.give(first[2].clone()), Err(Refusal::Stale));
    machine.work("second");
    assert!(machine.stage().revision().unwrap().text.contains("second"));
}

#[test]
fn a_run_of_a_gate_that_was_redefined_meanwhile_does_not_count() {
    let (mut machine, late) = in_review();
    let old = late.iter().find(|report| matches!(report, Command::GateFinished { run, .. } if run.gate == "test"));
    let gates = vec![command_gate("test", "more", Enforcement::Required)];
    machine.must(Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } });
    let again = vec![Effect::RunGate { id: FIRST, stage: CHANGE, gate: "test".into() }];
    assert_eq!(machine.to_do, again, "it runs again, and nobody waits for lint any more");
    assert!(!machine.stage().pending.gates.contains("lint"));
    assert_eq!(machine.give(old.unwrap().clone()), Err(Refusal::Stale));
    let run = machine.ran(FIRST, CHANGE, "test", Verdict::Pass);
    machine.must(run);
}

#[test]
fn a_measurement_of_another_tree_is_out_of_date() {
    let mut machine = Machine::at(OUTCOME);
    let Command::Prepared { id, stage, items, measurement, unmeasured } = machine.prepared(FIRST, OUTCOME) else {
        panic!("one")
    };
    let mut measurement = measurement.unwrap();
    measurement.tree = Some(change_of("another").tree);
    let late = Command::Prepared { id, stage, items, measurement: Some(measurement), unmeasured };
    assert_eq!(machine.give(late), Err(Refusal::Stale));
    machine.work("x");
    assert_eq!(machine.phase(), Phase::Ready);
}

#[test]
fn a_stage_opened_anew_is_judged_anew() {
    let mut machine = Machine::awaiting(CHANGE, "same");
    machine.must(Command::Reopen { id: FIRST, stage: PLAN, reason: REASON.into(), by: me() });
    assert_eq!(machine.one().stages[2].phase, Phase::Stale);
    assert_eq!(machine.one().stages[2].revisions.len(), 1, "nothing is deleted");
    machine.work("x");
    let approval = machine.approval();
    machine.must(approval);
    machine.work("same");
    machine.must(Command::Draft { id: FIRST });
    let draft = machine.to_do.remove(0);
    for report in machine.reports(&draft, "same") {
        machine.must(report);
    }
    machine.must(Command::Park { id: FIRST, by: me() });
    machine.must(Command::Resume { id: FIRST, by: me() });
    assert_eq!(machine.stage().pending.gates.len(), 3, "no run of the earlier opening counts");
}

// ---- troubles, interruptions, recovery ------------------------------------------------------------------------------

#[test]
fn a_refused_patch_goes_back_twice_and_then_to_the_human() {
    let mut machine = Machine::at(CHANGE);
    machine.work("x");
    machine.must(Command::Draft { id: FIRST });
    let failed = Command::DraftFailed { id: FIRST, stage: CHANGE, trouble: patch_trouble() };
    let draft = vec![Effect::Draft { id: FIRST, stage: CHANGE }];
    for attempt in [2, 3] {
        machine.must(failed.clone());
        assert_eq!(machine.phase(), Phase::Drafting { attempt });
        assert_eq!(machine.effects.last(), Some(&draft));
    }
    machine.must(failed);
    assert_eq!(machine.phase(), Phase::Ready);
    assert_eq!(machine.effects.last(), Some(&Vec::new()));
    assert_eq!(machine.stage().trouble, Some(patch_trouble()));
    assert_eq!(machine.stage().feedback.as_ref().unwrap().problems, ["hunk 1 does not apply"]);
}

#[test]
fn other_troubles_go_to_the_human_at_once() {
    for trouble in [
        Trouble::Call("503".into()),
        Trouble::Stopped("cancelled".into()),
        Trouble::Malformed { text: "hm".into(), missing: vec!["# Claim".into()] },
    ] {
        let mut machine = Machine::at(CHANGE);
        machine.work("x");
        machine.must(Command::Draft { id: FIRST });
        machine.must(Command::DraftFailed { id: FIRST, stage: CHANGE, trouble });
        assert_eq!(machine.phase(), Phase::Ready);
    }
}

#[test]
fn an_edit_by_hand_that_came_to_nothing_leaves_the_draft_where_it_was() {
    let edits =
        [Command::Write { id: FIRST, text: "mine".into(), by: me() }, Command::TakeWorktree { id: FIRST, by: me() }];
    for edit in edits {
        let mut machine = Machine::awaiting(CHANGE, "x");
        let before = (machine.stage().current, machine.seen());
        machine.must(edit.clone());
        assert_eq!(machine.phase(), Phase::Drafting { attempt: 0 });
        machine.must(Command::DraftFailed { id: FIRST, stage: CHANGE, trouble: patch_trouble() });
        assert_eq!(machine.phase(), Phase::Awaiting);
        assert_eq!((machine.stage().current, machine.seen()), before);
        assert_eq!(machine.stage().trouble, Some(patch_trouble()));
        assert_eq!(machine.stage().feedback, None, "the author is not told what is wrong with somebody else's edit");
        // It is said until something else is done about the stage.
        let mut other = Machine { state: machine.state.clone(), ..Machine::default() };
        let approval = other.approval();
        other.must(approval);
        assert_eq!(other.one().stages[2].trouble, None, "approved");
        let mut other = Machine { state: machine.state.clone(), ..Machine::default() };
        let revise = Command::Revise { id: FIRST, evidence: other.seen(), reason: "smaller".into(), by: me() };
        other.must(revise);
        assert_eq!(other.stage().trouble, None, "sent back");

        // The same when Windlass ended in the middle of it, and when there was no draft yet.
        machine.must(edit.clone());
        assert_eq!(machine.stage().trouble, None, "another edit");
        machine.must(Command::Recover);
        assert_eq!(machine.phase(), Phase::Awaiting);
        let mut machine = Machine::at(CHANGE);
        machine.work("x");
        machine.must(edit);
        machine.must(Command::DraftFailed { id: FIRST, stage: CHANGE, trouble: patch_trouble() });
        assert_eq!(machine.phase(), Phase::Ready);
    }
}

#[test]
fn gates_added_during_an_edit_run_when_it_comes_to_nothing() {
    let mut machine = Machine::awaiting(CHANGE, "x");
    machine.must(Command::TakeWorktree { id: FIRST, by: me() });
    let gates = vec![command_gate("new", "new", Enforcement::Required)];
    machine.must(Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } });
    machine.must(Command::DraftFailed { id: FIRST, stage: CHANGE, trouble: patch_trouble() });
    assert_eq!(machine.effects.last(), Some(&vec![Effect::RunGate { id: FIRST, stage: CHANGE, gate: "new".into() }]));
}

#[test]
fn what_was_in_flight_is_picked_up_again() {
    let expected: &[(&str, &str, &[&str])] = &[
        ("preparing", "preparing", &["Prepare"]),
        ("ready", "ready", &[]),
        ("sent-back", "ready", &[]),
        ("drafting", "ready", &[]),
        ("applying", "ready", &[]),
        ("reviewing", "reviewing", &[]),
        ("reviewed", "reviewing", &[]),
        ("awaiting", "awaiting decision", &[]),
        ("parked", "preparing", &[]),
        ("landing", "approved", &["Land"]),
        ("not-landed", "approved", &[]),
        ("landed", "approved", &[]),
        ("abandoned", "preparing", &[]),
    ];
    for ((name, phase, effects), (place, mut machine)) in expected.iter().zip(places()) {
        assert_eq!(*name, place);
        machine.forget();
        let events = machine.give(Command::Recover).unwrap();
        let busy = matches!(*name, "preparing" | "drafting" | "applying" | "reviewing" | "reviewed" | "landing");
        assert_eq!(events.len(), usize::from(busy), "{name}");
        // A rerun's earlier results are still fresh: the review is over, not repeated.
        let phase = if *phase == "reviewing" { "awaiting decision" } else { phase };
        assert_eq!(machine.phase().name(), phase, "{name}");
        let done: Vec<String> = machine
            .to_do
            .iter()
            .map(|effect| format!("{effect:?}").chars().take_while(char::is_ascii_alphanumeric).collect())
            .collect();
        assert_eq!(done, *effects, "{name}");
    }
}

#[test]
fn a_review_cut_short_goes_on_with_what_is_missing() {
    let (mut machine, late) = in_review();
    let passed =
        late.into_iter().find(|report| matches!(report, Command::GateFinished { run, .. } if run.gate == "test"));
    machine.must(passed.unwrap());
    machine.must(Command::Ask {
        finding: None,
        id: FIRST,
        stage: CHANGE,
        role: Role::Critic,
        model: ModelId("two/critic".into()),
        prompt: machine.state.exchanges[&ExchangeId(1)].prompt.clone(),
        quote: Quote::default(),
        budget: Budget::default(),
    });
    machine.must(Command::Recover);
    let open = machine.state.exchanges.values().next_back().unwrap();
    assert_eq!(open.end, Some(End::Interrupted));
    let revision = machine.stage().current.unwrap();
    let gate = |gate: &str| Effect::RunGate { id: FIRST, stage: CHANGE, gate: gate.into() };
    let critique = Effect::Critique { id: FIRST, stage: CHANGE, revision };
    assert_eq!(machine.to_do, [gate("files"), gate("lint"), critique]);
    machine.work("");
    assert_eq!(machine.phase(), Phase::Awaiting);
}

#[test]
fn a_landing_that_failed_is_tried_again_or_given_up() {
    let mut machine = Machine::awaiting(OUTCOME, "faster");
    let approval = machine.approval();
    machine.must(approval);
    let land = machine.to_do.clone();
    machine.forget();
    assert_eq!(machine.give(begin("next")), Err(Refusal::AnotherActive(FIRST)));
    machine.must(Command::LandingFailed { id: FIRST, why: "disk full".into() });
    let refusal = machine.give(begin("next")).unwrap_err().to_string();
    assert_eq!(refusal, "loop 1 has failed to land: try the landing again, or abandon it, first");
    machine.must(Command::Land { id: FIRST });
    assert_eq!(machine.to_do, land);
    machine.must(Command::LandingFailed { id: FIRST, why: "disk full".into() });
    machine.must(Command::Abandon { id: FIRST, reason: REASON.into(), by: me() });
    assert_eq!(machine.to_do, [Effect::Cancel { id: FIRST }, Effect::CleanUp { id: FIRST }]);
    assert_eq!(machine.one().status, Status::Abandoned);
    assert!(matches!(machine.give(Command::Land { id: FIRST }), Err(Refusal::NotActive { .. })), "it lands no more");
    machine.must(begin("next"));
}

#[test]
fn what_was_sent_back_can_be_decided_on_after_all() {
    let mut machine = rich();
    let before = machine.seen();
    let stage = machine.stage().clone();
    let sent_back = Command::Revise { id: FIRST, evidence: machine.seen(), reason: "smaller".into(), by: me() };
    let failed = Command::DraftFailed { id: FIRST, stage: CHANGE, trouble: Trouble::Call("503".into()) };
    machine.must(sent_back);
    assert!(matches!(machine.give(Command::TakeBack { id: FIRST }), Err(Refusal::NotNow { .. })), "the author works");
    machine.forget();
    machine.must(failed.clone());
    machine.must(Command::TakeBack { id: FIRST });
    assert_eq!((machine.phase(), machine.effects.last()), (Phase::Awaiting, Some(&Vec::new())), "nothing runs again");
    assert_eq!(machine.seen(), before);
    let now = machine.stage();
    assert_eq!((&now.critique, &now.runs, &now.overrides), (&stage.critique, &stage.runs, &stage.overrides));
    assert_eq!((&now.trouble, &now.feedback), (&None, &None), "it was not sent back after all");
    let approval = machine.approval();
    machine.must(approval);
    assert!(matches!(machine.give(Command::TakeBack { id: FIRST }), Err(Refusal::NotNow { .. })), "it is approved");

    // What is no longer known of it is found out before it can be decided on.
    let mut machine = Machine::at(CHANGE);
    send_back(&mut machine, "x");
    let gates = vec![command_gate("test", "another", Enforcement::Required)];
    machine.must(Command::Configure { id: FIRST, setup: Setup { gates, ..setup() } });
    machine.must(Command::TakeBack { id: FIRST });
    assert_eq!(machine.to_do, [Effect::RunGate { id: FIRST, stage: CHANGE, gate: "test".into() }]);
    machine.work("");
    let approval = machine.approval();
    machine.must(approval);
}

#[test]
fn what_was_sent_back_is_judged_anew_by_readings_taken_since() {
    let mut machine = Machine::at(CONSTRAINT);
    send_back(&mut machine, "x");
    machine.must(Command::Rerun { id: FIRST, gate: None });
    machine.work("");
    machine.must(Command::TakeBack { id: FIRST });
    let gate = |gate: &str| Effect::RunGate { id: FIRST, stage: CONSTRAINT, gate: gate.into() };
    let critique = Effect::Critique { id: FIRST, stage: CONSTRAINT, revision: machine.stage().current.unwrap() };
    assert_eq!(machine.to_do, [gate("sections"), gate("numbers"), critique]);
}

#[test]
fn the_author_hears_why_the_human_went_back_and_what_to_change() {
    let mut machine = Machine::awaiting(OUTCOME, "faster");
    let reasons = |machine: &Machine| machine.stage().feedback.clone().map(|feedback| feedback.reasons);
    let revise = |machine: &mut Machine, reason: &str| {
        let evidence = machine.seen();
        machine.must(Command::Revise { id: FIRST, evidence, reason: reason.into(), by: me() });
    };
    machine.must(Command::Reopen { id: FIRST, stage: PLAN, reason: REASON.into(), by: me() });
    machine.work("");
    revise(&mut machine, "smaller");
    assert_eq!(reasons(&machine), Some(vec![REASON.into(), "smaller".into()]));

    // Taken back and sent back again: only the words that were withdrawn are gone.
    machine.forget();
    machine.must(Command::DraftFailed { id: FIRST, stage: PLAN, trouble: Trouble::Call("503".into()) });
    machine.must(Command::TakeBack { id: FIRST });
    revise(&mut machine, "simpler");
    assert_eq!(reasons(&machine), Some(vec![REASON.into(), "simpler".into()]));
    machine.work("y");
    assert_eq!(reasons(&machine), None, "answered");
    revise(&mut machine, "once more");
    assert_eq!(reasons(&machine), Some(vec!["once more".into()]));
}

#[test]
fn loops_take_turns() {
    let mut machine = Machine::awaiting(PLAN, "x");
    assert_eq!(machine.give(begin("second")), Err(Refusal::AnotherActive(FIRST)));
    machine.must(Command::Park { id: FIRST, by: me() });
    machine.must(begin("second"));
    assert_eq!(machine.give(Command::Resume { id: FIRST, by: me() }), Err(Refusal::AnotherActive(LoopId(2))));
    machine.must(Command::Park { id: LoopId(2), by: me() });
    machine.must(Command::Resume { id: FIRST, by: me() });
    assert_eq!(machine.state.loops[&FIRST].stages[1].phase, Phase::Awaiting);
    assert_eq!(machine.give(Command::Draft { id: LoopId(9) }), Err(Refusal::NoLoop(LoopId(9))));
}

#[test]
fn words_are_needed_where_words_are_asked_for() {
    assert_eq!(Machine::default().give(begin(" \n")), Err(Refusal::NoGoal));
    let mut machine = Machine::awaiting(PLAN, "x");
    assert_eq!(machine.give(Command::Write { id: FIRST, text: " ".into(), by: me() }), Err(Refusal::NoText));
    let revise = Command::Revise { id: FIRST, evidence: machine.seen(), reason: " ".into(), by: me() };
    assert!(matches!(machine.give(revise), Err(Refusal::ReasonNeeded { least: 1, .. })));
    let short = || "too short".to_owned();
    for command in [
        Command::Abandon { id: FIRST, reason: short(), by: me() },
        Command::Reopen { id: FIRST, stage: CONSTRAINT, reason: short(), by: me() },
    ] {
        assert!(matches!(machine.give(command), Err(Refusal::ReasonNeeded { least: 12, .. })));
    }
    for stage in [PLAN, CHANGE, StageIndex(9)] {
        let reopen = Command::Reopen { id: FIRST, stage, reason: REASON.into(), by: me() };
        assert_eq!(machine.give(reopen), Err(Refusal::NotApproved(stage)));
    }
}

#[test]
fn an_event_that_cannot_follow_is_corrupt_and_changes_nothing() {
    let (id, by) = (FIRST, me());
    let decision = |verb| Decision {
        verb,
        evidence: Digest::of(b"forged"),
        by: me(),
        at: Timestamp(0),
        reason: Some(REASON.into()),
        gaps: Vec::new(),
    };
    let begun = |id| {
        let Command::Begin { goal, hint, workflow, base, branch, setup, by } = begin("forged") else { panic!("one") };
        Event::Begun { id, goal, hint, workflow, base, branch, setup, by }
    };
    let chosen = |role, name| Event::ModelChosen { id, stage: CHANGE, role, model: model(name), by: me() };
    let decided = |verb| Event::Decided { id, stage: CHANGE, decision: decision(verb) };
    let events = [
        ("approved", decided(Verb::Approve)),
        ("revised", decided(Verb::Revise)),
        ("begun", begun(LoopId(2))),
        ("begun-again", begun(FIRST)),
        ("configured", Event::Configured { id, setup: setup() }),
        (
            "asked-nobody",
            Event::Answered {
                exchange: ExchangeId(999),
                end: End::Complete,
                usage: Usage::default(),
                timings: Timings::default(),
            },
        ),
        ("reopened", Event::Reopened { id, stage: PLAN, reason: REASON.into(), by: by.clone() }),
        ("reopened-later", Event::Reopened { id, stage: OUTCOME, reason: REASON.into(), by: by.clone() }),
        ("taken-back", Event::TakenBack { id, stage: CHANGE }),
        ("author-chosen", chosen(Role::Author, "three/other")),
        ("critic-chosen", chosen(Role::Critic, "three/other")),
        ("both-roles", chosen(Role::Author, "two/critic")),
        ("parked", Event::Parked { id, by: by.clone() }),
        ("resumed", Event::Resumed { id, by }),
        ("landed", Event::Landed { id, commit: commit(b'f'), left: None }),
        ("failed", Event::LandingFailed { id, why: "x".into() }),
        ("retried", Event::LandingRetried { id }),
    ];
    let table = "
        preparing   configured reopened parked
        ready       configured reopened author-chosen parked
        sent-back   configured reopened taken-back author-chosen parked
        drafting    configured reopened parked
        applying    configured reopened parked
        reviewing   configured reopened parked
        reviewed    configured reopened parked
        awaiting    configured reopened critic-chosen parked
        parked      begun configured resumed
        landing     landed failed
        not-landed  landed failed retried
        landed      begun
        abandoned   begun";
    for (row, (place, machine)) in table.lines().skip(1).zip(places()) {
        let mut words = row.split_whitespace();
        assert_eq!(words.next(), Some(place));
        let mut fitting = Vec::new();
        for (name, event) in &events {
            let mut state = machine.state.clone();
            let recorded = Recorded { seq: 1, at: Timestamp(0), event: event.clone() };
            match apply(&mut state, &recorded) {
                Ok(_) => fitting.push(*name),
                Err(_) => assert_eq!(state, machine.state, "{place}: {name}"),
            }
        }
        assert_eq!(fitting, words.collect::<Vec<_>>(), "while {place}");
    }
}

#[test]
fn another_model_has_a_role_for_one_stage_and_never_both() {
    let choose = |role, name| Command::ChooseModel { id: FIRST, role, model: model(name), by: me() };
    let both = |name: &str| Err(Refusal::SameModel(name.to_owned()));
    let mut machine = Machine::at(PLAN);
    machine.work("x");
    assert_eq!(machine.give(choose(Role::Author, "two/critic")), both("two/critic"));
    machine.must(choose(Role::Author, "three/other"));
    assert_eq!(machine.phase(), Phase::Ready, "nothing is sent before the human sends it");
    let model_of = |machine: &Machine, index, role| machine.one().model(index, role).unwrap().0.clone();
    assert_eq!(model_of(&machine, PLAN, Role::Author), "three/other");
    assert_eq!(model_of(&machine, CHANGE, Role::Author), "one/author");

    machine.review("x");
    assert_eq!(machine.give(choose(Role::Critic, "three/other")), both("three/other"));
    machine.effects.clear();
    machine.must(choose(Role::Critic, "four/other"));
    let asked = machine.effects.iter().flatten().any(|effect| matches!(effect, Effect::Critique { .. }));
    assert!(asked && machine.phase() == Phase::Reviewing, "{:?}", machine.effects);
    machine.work("no findings");

    // A configuration that names another model in the role, or this one in the other role, ends it.
    let mut again = machine.state.clone();
    let configure = |setup| Recorded { seq: 1, at: Timestamp(0), event: Event::Configured { id: FIRST, setup } };
    apply(&mut again, &configure(Setup { critic: Some(model("three/other")), ..setup() })).unwrap();
    assert_eq!(again.loops[&FIRST].model(PLAN, Role::Author), Some(&model("one/author")));
    assert_eq!(again.loops[&FIRST].model(PLAN, Role::Critic), Some(&model("three/other")));

    let approval = machine.approval();
    machine.must(approval);
    assert_eq!(model_of(&machine, CHANGE, Role::Author), "one/author");
    assert_eq!(model_of(&machine, CHANGE, Role::Critic), "two/critic");
}

#[test]
fn a_revision_under_a_false_name_is_corrupt() {
    let mut machine = Machine::at(PLAN);
    machine.work("x");
    machine.must(Command::Write { id: FIRST, text: "what was seen".into(), by: me() });
    let Some(Recorded { seq, at, event: Event::Drafted { id, stage, mut revision } }) = machine.journal.pop() else {
        panic!("a draft")
    };
    revision.text = "what was not".into();
    let mut state = State::default();
    for recorded in &machine.journal {
        apply(&mut state, recorded).unwrap();
    }
    let before = state.clone();
    let forged = Recorded { seq, at, event: Event::Drafted { id, stage, revision } };
    apply(&mut state, &forged).expect_err("its id is of other contents");
    assert_eq!(state, before);
}

/// A call of the author in the first stage, reckoned at 1,000 tokens of prompt and of reply, a dollar per million each.
fn priced(budget: Budget, price: Option<Price>) -> Command {
    let prompt = PromptRef { name: "p".into(), version: "1".into(), digest: Digest::of(b"p") };
    let quote = Quote { input: 1_000, output: 1_000, price };
    Command::Ask {
        id: FIRST,
        stage: CONSTRAINT,
        role: Role::Author,
        finding: None,
        model: model("one/author"),
        prompt,
        quote,
        budget,
    }
}

#[test]
fn a_call_over_any_limit_is_refused_before_it_is_made() {
    let dollar = Some(Price { input: 1_000, cached: 1_000, output: 1_000 });
    let limit = |dollars: f64| Money::dollars(dollars);
    let none = Budget::default();
    let drafting = || {
        let mut machine = Machine::at(CONSTRAINT);
        machine.work("");
        machine.must(Command::Draft { id: FIRST });
        machine
    };
    for (budget, price, refused) in [
        (none, None, false),
        (none, dollar, false),
        (Budget { call: limit(0.002), ..none }, dollar, false),
        (Budget { call: limit(0.0019), ..none }, dollar, true),
        (Budget { loop_: limit(0.0019), ..none }, dollar, true),
        (Budget { day: limit(0.0019), ..none }, dollar, true),
        (Budget { day: limit(5.0), ..none }, None, true),
        (Budget { call: limit(0.0), ..none }, Some(Price { input: 0, cached: 0, output: 0 }), false),
    ] {
        let mut machine = drafting();
        let result = machine.give(priced(budget, price));
        assert_eq!(result.is_err(), refused, "{budget:?} {price:?}: {result:?}");
    }

    // What was spent counts: as the server counted it, and as expected where it didn't.
    let mut machine = drafting();
    machine.must(priced(none, dollar));
    let asked = *machine.state.exchanges.keys().next_back().unwrap();
    assert_eq!(machine.state.spent_in(FIRST), Money(2_000_000), "on its way: as expected");
    let usage = Usage { input: Some(700), output: Some(300), ..Usage::default() };
    machine.must(Command::Answer { exchange: asked, end: End::Failed("x".into()), usage, timings: Timings::default() });
    assert_eq!(machine.state.spent_in(FIRST), Money(1_000_000));
    machine.must(Command::DraftFailed { id: FIRST, stage: CONSTRAINT, trouble: Trouble::Call("x".into()) });
    machine.must(Command::Draft { id: FIRST });
    let tight = Budget { loop_: limit(0.0029), ..none };
    let Err(refusal) = machine.give(priced(tight, dollar)) else { panic!("over the loop's limit") };
    let said = refusal.to_string();
    assert!(
        said.contains("$0.0020") && said.contains("$0.0010 is spent") && said.contains("one loop is $0.0029"),
        "{said}"
    );
    machine.must(priced(Budget { loop_: limit(0.003), ..none }, dollar));
}
