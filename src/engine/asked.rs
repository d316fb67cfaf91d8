//! Threads about findings: who may be asked about what, what an answer changes, and that it opens and approves nothing.

use crate::domain::{Answer, Digest, ExchangeId, Finding, Gap, Role, Unread, usual_question};

use super::testing::{ALL_READ, FIRST, Machine, PLAN, me, model};
use super::{Command, Effect, Event, Phase, Recorded, Refusal, Setup, apply, gaps, obstacles};

const FINDINGS: &str = "blocker line 2 - it moves\nminor line 3 - vague";

/// A plan under review, with two findings.
fn reviewed() -> Machine {
    let mut machine = Machine::at(PLAN);
    machine.work("");
    machine.must(Command::Draft { id: FIRST });
    let draft = machine.to_do.remove(0);
    for report in machine.reports(&draft, "as planned") {
        machine.must(report);
    }
    let critique = machine.to_do.iter().position(|effect| matches!(effect, Effect::Critique { .. })).unwrap();
    let critique = machine.to_do.remove(critique);
    let mut reports = machine.reports(&critique, "");
    reports.pop();
    for report in reports {
        machine.must(report);
    }
    machine.must(machine.critiqued(FINDINGS));
    machine.work("");
    assert_eq!(machine.phase(), Phase::Awaiting);
    machine
}

fn question(machine: &Machine, finding: usize, to: Role, question: &str) -> Command {
    let revision = machine.stage().current.unwrap();
    Command::Question { id: FIRST, revision, finding, to, question: question.to_owned(), by: me() }
}

fn finding(machine: &Machine, index: usize) -> &Finding {
    &machine.stage().critique.as_ref().unwrap().findings[index]
}

fn answers(machine: &Machine, index: usize) -> Vec<&Answer> {
    finding(machine, index).thread.iter().map(|turn| &turn.answer).collect()
}

#[test]
fn both_are_asked_in_calls_of_their_own_and_nothing_about_the_finding_changes() {
    let mut machine = reviewed();
    let before = (machine.phase(), obstacles(machine.one(), PLAN), finding(&machine, 0).disposition.clone());
    let calls = (machine.stage().author_calls, machine.stage().critic_calls);
    for (to, typed, put) in [
        (Role::Critic, " where to? ", "where to?"),
        (Role::Author, "", usual_question(Role::Author)),
        (Role::Critic, "\n", usual_question(Role::Critic)),
    ] {
        machine.must(question(&machine, 0, to, typed));
        machine.work("to the merge");
        let turn = finding(&machine, 0).thread.last().unwrap();
        assert_eq!((turn.to, turn.question.as_str(), turn.given()), (to, put, Some("to the merge")));
        let call = &machine.state.exchanges[&turn.exchange.unwrap()];
        assert_eq!((call.role, call.finding), (to, Some(0)));
    }
    assert_eq!(before, (machine.phase(), obstacles(machine.one(), PLAN), finding(&machine, 0).disposition.clone()));
    assert_eq!(calls, (machine.stage().author_calls, machine.stage().critic_calls), "a draft counts by itself");
    assert!(finding(&machine, 1).thread.is_empty());
    assert_eq!(machine.state.next_call(FIRST, PLAN, Role::Critic, Some(0)), 3);
    assert_eq!(machine.state.next_call(FIRST, PLAN, Role::Critic, None), 2);
}

#[test]
fn one_question_at_a_time_about_a_finding_of_the_revision_under_review() {
    let mut machine = reviewed();
    let old = question(&machine, 0, Role::Critic, "");
    machine.must(old.clone());
    assert_eq!(machine.give(question(&machine, 0, Role::Author, "")), Err(Refusal::AnswerAwaited));
    // Another finding is another thread.
    machine.must(question(&machine, 1, Role::Author, ""));
    assert_eq!(machine.give(question(&machine, 2, Role::Author, "")), Err(Refusal::NoFinding));
    // A new critique would take the findings away.
    assert!(matches!(machine.give(Command::Recritique { id: FIRST }), Err(Refusal::NotNow { .. })));
    machine.work("yes");
    machine.send_back("make it smaller");
    assert!(matches!(machine.give(old.clone()), Err(Refusal::NotNow { .. })), "it was sent back");
    machine.work("smaller");
    assert_eq!(machine.give(old), Err(Refusal::NoFinding), "it is a finding of an earlier revision");
}

#[test]
fn an_answer_is_evidence_and_a_question_is_not() {
    let mut machine = reviewed();
    machine.must(Command::Dismiss {
        id: FIRST,
        revision: machine.stage().current.unwrap(),
        finding: 0,
        reason: "measured, it does not".to_owned(),
        by: me(),
    });
    let seen = machine.approval();
    machine.must(question(&machine, 0, Role::Critic, ""));
    let Command::Approve(approval) = &seen else { panic!() };
    assert!(approval.evidence.changed(&machine.seen()).is_empty(), "only asked");
    machine.work("it does move");
    assert_eq!(machine.give(seen), Err(Refusal::ChangedUnderYou(vec!["the findings".to_owned()])));
    // Whoever has seen the answer may decide.
    machine.must(machine.approval());
}

#[test]
fn a_call_that_fails_or_cannot_be_made_says_so_and_can_be_made_again() {
    let mut machine = reviewed();
    let revision = machine.stage().current.unwrap();
    let failed = |exchange, why: &str| Command::ReplyFailed {
        id: FIRST,
        stage: PLAN,
        revision,
        finding: 0,
        exchange,
        why: why.to_owned(),
    };
    machine.must(question(&machine, 0, Role::Critic, ""));
    machine.forget();
    machine.must(failed(None, "over budget"));
    machine.must(question(&machine, 0, Role::Critic, ""));
    let reply = machine.to_do.remove(0);
    let call = machine.state.next_exchange();
    machine.must(machine.reports(&reply, "").remove(0));
    assert_eq!(machine.give(failed(Some(ExchangeId(1)), "of another call")), Err(Refusal::Stale));
    machine.must(failed(Some(call), "503"));
    let why = |text: &str| Answer::Failed(text.to_owned());
    assert_eq!(answers(&machine, 0), [&why("over budget"), &why("503")]);
    machine.must(question(&machine, 0, Role::Critic, ""));
    machine.work("at last");
    assert_eq!(finding(&machine, 0).thread[2].given(), Some("at last"));
}

#[test]
fn nobody_waits_for_an_answer_after_a_cancel_a_decision_an_edit_or_a_restart() {
    let cancelled =
        |machine: &Machine| machine.effects.last().unwrap().iter().any(|e| matches!(e, Effect::Cancel { .. }));
    // It can be cancelled though the stage only waits.
    let mut machine = reviewed();
    assert!(machine.give(Command::Cancel { id: FIRST }).is_err());
    machine.must(question(&machine, 0, Role::Critic, ""));
    machine.must(Command::Cancel { id: FIRST });
    assert!(cancelled(&machine));

    // The author of the next draft gets what was answered, and the call for what was not is stopped.
    let mut machine = reviewed();
    machine.must(question(&machine, 0, Role::Author, "is it so?"));
    machine.work("it is");
    machine.must(question(&machine, 1, Role::Critic, ""));
    machine.send_back("make it smaller");
    assert!(cancelled(&machine));
    let feedback = machine.stage().feedback.as_ref().unwrap();
    assert_eq!(feedback.findings[0].thread[0].given(), Some("it is"));
    assert!(!machine.stage().awaits_answer());

    let mut machine = reviewed();
    machine.must(question(&machine, 1, Role::Critic, ""));
    machine.must(Command::Write { id: FIRST, text: "# Claim\nmine".to_owned(), by: me() });
    assert!(cancelled(&machine) && machine.stage().critique.is_none());

    // A question that was put, and whose call was never made.
    for is_parked in [false, true] {
        let mut machine = reviewed();
        machine.must(question(&machine, 0, Role::Critic, ""));
        machine.forget();
        let ends = if is_parked { Command::Park { id: FIRST, by: me() } } else { Command::Recover };
        machine.must(ends);
        assert_eq!(answers(&machine, 0), [&Answer::Failed("it was interrupted".to_owned())]);
    }
}

#[test]
fn the_one_who_is_asked_must_be_there_and_may_not_have_written_it() {
    let mut machine = reviewed();
    let setup = Setup { critic: None, ..machine.one().setup.clone() };
    machine.must(Command::Configure { id: FIRST, setup });
    assert_eq!(machine.give(question(&machine, 0, Role::Critic, "")), Err(Refusal::NoModel("critic")));
    let setup = Setup { author: None, critic: Some(model("one/author")), ..machine.one().setup.clone() };
    machine.must(Command::Configure { id: FIRST, setup });
    assert_eq!(machine.give(question(&machine, 0, Role::Author, "")), Err(Refusal::NoModel("author")));
    assert_eq!(machine.give(question(&machine, 0, Role::Critic, "")), Err(Refusal::NoModel("critic")));
}

#[test]
fn a_forged_answer_is_found_out() {
    let machine = reviewed();
    let revision = machine.stage().current.unwrap();
    let replied = |revision, finding, exchange| Event::Replied {
        id: FIRST,
        stage: PLAN,
        revision,
        finding,
        exchange: ExchangeId(exchange),
        text: "approve it".to_owned(),
    };
    for event in [replied(revision, 0, 3), replied(revision, 9, 3), replied(Digest::of(b"other"), 0, 3)] {
        let mut state = machine.state.clone();
        let recorded = Recorded { seq: 99, at: Default::default(), event };
        assert!(apply(&mut state, &recorded).is_err() && state == machine.state);
    }
}

#[test]
fn findings_that_were_never_on_screen_need_a_reason() {
    let mut machine = reviewed();
    let unread = Unread { seen: 1, total: 2 };
    machine.must(Command::Dismiss {
        id: FIRST,
        revision: machine.stage().current.unwrap(),
        finding: 0,
        reason: "measured, it does not".to_owned(),
        by: me(),
    });
    let approval = |reason: Option<&str>| {
        let Command::Approve(mut approval) = machine.approval_of(machine.seen(), ALL_READ, reason) else { panic!() };
        approval.findings = unread;
        Command::Approve(approval)
    };
    let (without, with) = (approval(None), approval(Some("the rest is style only")));
    let Err(Refusal::ReasonNeeded { gaps: words, .. }) = machine.give(without) else { panic!() };
    assert_eq!(words, "1 of 2 findings were never on screen");
    assert_eq!(gaps(machine.one(), PLAN, ALL_READ, unread)[0], Gap::UnreadFindings(unread));
    machine.must(with);
    let decision = &machine.one().stages[PLAN.0].rulings[0].decision;
    assert!(decision.gaps.contains(&Gap::UnreadFindings(unread)));
}
