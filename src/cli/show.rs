//! `windlass show`: a loop with everything that was made and decided in it, or an exchange.

use std::io::Write;

use serde::Serialize;

use crate::domain::{
    Answer, Critique, Disposition, ExchangeId, Finding, LoopId, Revision, StageIndex, Turn, visible, visible_line,
};
use crate::engine::{Loop, Ruling, Stage, Status};

use super::arguments::Common;
use super::failure::Failure;
use super::record::Record;
use super::words::{duration, local, utc};
use super::{curl, exchange, json, open};

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Curl,
}

/// What a person can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    Loop(LoopId),
    Exchange(ExchangeId),
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    number: u32,
    goal: &'a str,
    hint: Option<&'a str>,
    status: &'static str,
    begun: String,
    base: String,
    branch: Option<&'a str>,
    author: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_author: Option<&'a str>,
    critic: Option<&'a str>,
    open_stage: &'a str,
    commit: Option<String>,
    left: Option<&'a str>,
    stages: Vec<ShownStage<'a>>,
}

#[derive(Debug, Serialize)]
struct ShownStage<'a> {
    name: &'a str,
    artifact: &'static str,
    phase: &'static str,
    revisions: Vec<ShownRevision<'a>>,
    critique: Option<ShownCritique<'a>>,
    gates: Vec<ShownGate<'a>>,
    decisions: Vec<ShownDecision<'a>>,
}

#[derive(Debug, Serialize)]
struct ShownRevision<'a> {
    ordinal: u32,
    id: String,
    by: &'a str,
    text: &'a str,
    tree: Option<&'a str>,
    patch: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ShownCritique<'a> {
    model: &'a str,
    exchange: u64,
    text: &'a str,
    findings: Vec<ShownFinding<'a>>,
}

#[derive(Debug, Serialize)]
struct ShownFinding<'a> {
    severity: &'static str,
    anchor: String,
    text: &'a str,
    dismissed: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thread: Vec<ShownTurn<'a>>,
}

/// A question about a finding, and what came of it.
#[derive(Debug, Serialize)]
struct ShownTurn<'a> {
    to: &'static str,
    question: &'a str,
    exchange: Option<u64>,
    answer: Option<&'a str>,
    failed: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ShownGate<'a> {
    name: &'a str,
    enforcement: Option<&'static str>,
    verdict: &'static str,
    summary: &'a str,
    tail: &'a str,
    spilled: Option<&'a str>,
    duration_ms: u64,
    /// What the machine was protected by while it ran; empty where it ran no command.
    protection: &'a str,
}

#[derive(Debug, Serialize)]
struct ShownDecision<'a> {
    verb: &'static str,
    /// What it was about.
    revision: Option<u32>,
    /// What the critic had found that no human had dismissed.
    open: Vec<ShownFinding<'a>>,
    by: &'a str,
    at: String,
    evidence: String,
    reason: Option<&'a str>,
}

/// Prints what `id` names.
pub(super) fn print(common: &Common, id: &str, form: Form, out: &mut dyn Write) -> Result<(), Failure> {
    let wanted = read_id(id).ok_or_else(|| Failure::Id(id.to_owned()))?;
    let repo = open::repo(common)?;
    let record = Record::read(&repo)?;
    match wanted {
        Id::Exchange(id) if form == Form::Curl => curl::print(common, &repo, &record, id, out),
        Id::Exchange(id) => exchange::print(&record, id, form == Form::Json, out),
        Id::Loop(id) if form == Form::Curl => {
            Err(Failure::NoCurl { what: format!("loop {id}"), why: "only an exchange has a request" })
        }
        Id::Loop(id) => match record.state.loops.get(&id) {
            None => Err(Failure::Nothing { what: "loop", number: id.0.into() }),
            Some(one) if form == Form::Json => json::print(&Shown::of(one), out),
            Some(one) => Ok(write(one, out)?),
        },
    }
}

/// What these words name; a number may stand in a word of its own.
pub(super) fn read_ids(words: &[String]) -> Result<Vec<Id>, Failure> {
    let (mut ids, mut words) = (Vec::new(), words.iter());
    while let Some(word) = words.next() {
        let has_number = word.contains(|c: char| c.is_ascii_digit());
        let number = if has_number { None } else { words.next() };
        let text = number.map_or_else(|| word.clone(), |number| format!("{word} {number}"));
        ids.push(read_id(&text).ok_or(Failure::Id(text))?);
    }
    Ok(ids)
}

fn read_id(text: &str) -> Option<Id> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (word, number) = text.split_at_checked(digits)?;
    match word.trim_end() {
        "" | "loop" => Some(Id::Loop(LoopId(number.parse().ok()?))),
        "x" | "exchange" => Some(Id::Exchange(ExchangeId(number.parse().ok()?))),
        _ => None,
    }
}

impl<'a> Shown<'a> {
    fn of(one: &'a Loop) -> Self {
        let (commit, left) = match &one.status {
            Status::Landed { commit, left } => (Some(commit.to_string()), left.as_deref()),
            _ => (None, None),
        };
        let stages = one.stages.iter().enumerate();
        Self {
            number: one.id.0,
            goal: &one.goal,
            hint: one.hint.as_deref(),
            status: one.status.name(),
            begun: utc(one.begun),
            base: one.base.to_string(),
            branch: one.branch.as_deref(),
            author: one.setup.author.as_ref().map(|model| model.0.as_str()),
            change_author: one.setup.change_author.as_ref().map(|model| model.0.as_str()),
            critic: one.setup.critic.as_ref().map(|model| model.0.as_str()),
            open_stage: one.open_stage().map_or("", |stage| &stage.spec.id),
            commit,
            left,
            stages: stages.map(|(index, stage)| ShownStage::of(one, StageIndex(index), stage)).collect(),
        }
    }
}

impl<'a> ShownStage<'a> {
    fn of(one: &Loop, index: StageIndex, stage: &'a Stage) -> Self {
        let definitions = one.gates(index);
        let enforcement =
            |name: &str| definitions.iter().find(|gate| gate.name == name).map(|gate| gate.enforcement.name());
        Self {
            name: &stage.spec.id,
            artifact: stage.spec.artifact.name(),
            phase: stage.phase.name(),
            revisions: stage.revisions.iter().map(ShownRevision::of).collect(),
            critique: stage.critique.as_ref().map(ShownCritique::of),
            gates: stage
                .runs
                .values()
                .map(|run| ShownGate {
                    name: &run.gate,
                    enforcement: enforcement(&run.gate),
                    verdict: run.verdict.name(),
                    summary: &run.summary,
                    tail: &run.tail,
                    spilled: run.spilled.as_deref(),
                    duration_ms: run.duration_ms,
                    protection: &run.protection,
                })
                .collect(),
            decisions: stage.rulings.iter().map(|ruling| ShownDecision::of(stage, ruling)).collect(),
        }
    }
}

impl<'a> ShownRevision<'a> {
    fn of(revision: &'a Revision) -> Self {
        Self {
            ordinal: revision.ordinal,
            id: revision.id.to_string(),
            by: revision.origin.writer(),
            text: &revision.text,
            tree: revision.tree().map(|tree| tree.as_str()),
            patch: revision.change.as_ref().map(|change| &*change.patch),
        }
    }
}

impl<'a> ShownCritique<'a> {
    fn of(critique: &'a Critique) -> Self {
        Self {
            model: &critique.model.0,
            exchange: critique.exchange.0,
            text: &critique.text,
            findings: critique.findings.iter().map(ShownFinding::of).collect(),
        }
    }
}

impl<'a> ShownFinding<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            severity: finding.severity.name(),
            anchor: finding.anchor.to_string(),
            text: &finding.text,
            dismissed: match &finding.disposition {
                Disposition::Open => None,
                Disposition::Dismissed(reason) => Some(reason),
            },
            thread: finding.thread.iter().map(ShownTurn::of).collect(),
        }
    }
}

impl<'a> ShownTurn<'a> {
    fn of(turn: &'a Turn) -> Self {
        Self {
            to: turn.to.name(),
            question: &turn.question,
            exchange: turn.exchange.map(|exchange| exchange.0),
            answer: turn.given(),
            failed: match &turn.answer {
                Answer::Failed(why) => Some(why),
                Answer::Given(_) | Answer::Awaited => None,
            },
        }
    }
}

impl<'a> ShownDecision<'a> {
    fn of(stage: &'a Stage, ruling: &'a Ruling) -> Self {
        let decision = &ruling.decision;
        Self {
            verb: decision.verb.name(),
            revision: stage.revision_of(ruling).map(|revision| revision.ordinal),
            open: ruling.open.iter().map(ShownFinding::of).collect(),
            by: &decision.by.0,
            at: utc(decision.at),
            evidence: decision.evidence.to_string(),
            reason: decision.reason.as_deref(),
        }
    }
}

/// The loop for people: what each stage has now, and how it came to be decided.
fn write(one: &Loop, out: &mut dyn Write) -> std::io::Result<()> {
    let shown = Shown::of(one);
    let Shown { number, status, base, .. } = &shown;
    let mut line = |text: String| writeln!(out, "{}", visible_line(&text));
    line(format!("loop {number}, {status}, begun {}", local(one.begun)))?;
    line(format!("goal: {}", shown.goal))?;
    line(format!("base: {base} on {}", shown.branch.unwrap_or("no branch")))?;
    let changes = shown.change_author.map_or_else(String::new, |author| format!(", changes by {author}"));
    line(format!("author: {}{changes}, critic: {}", shown.author.unwrap_or("none"), shown.critic.unwrap_or("none")))?;
    if let Some(commit) = &shown.commit {
        line(format!("commit: {commit}{}", shown.left.map_or_else(String::new, |left| format!("; {left}"))))?;
    }
    for (stage, shown) in one.stages.iter().zip(&shown.stages) {
        writeln!(out, "\n=== {}: {}", visible_line(shown.name), shown.phase)?;
        write_stage(stage, shown, out)?;
    }
    Ok(())
}

fn write_stage(stage: &Stage, shown: &ShownStage<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    for earlier in stage.revisions.iter().filter(|revision| Some(revision.id) != stage.current) {
        let (ordinal, by, id) = (earlier.ordinal, earlier.origin.writer(), earlier.id.short());
        writeln!(out, "revision {ordinal} by {}, {id} (`--json` has its text)", visible_line(by))?;
    }
    if let Some(revision) = stage.revision() {
        let by = revision.origin.writer();
        writeln!(out, "revision {} by {}, {}", revision.ordinal, visible_line(by), revision.id.short())?;
        writeln!(out, "\n{}\n", visible(revision.text.trim_end()))?;
        for file in revision.change.iter().flat_map(|change| &change.files) {
            writeln!(out, "+{} -{} {}", file.added, file.removed, visible_line(&file.path))?;
        }
    }
    let mut line = |text: String| writeln!(out, "{}", visible_line(&text));
    for ShownFinding { severity, anchor, text, dismissed, thread } in
        shown.critique.iter().flat_map(|critique| &critique.findings)
    {
        let dismissed = dismissed.map_or_else(String::new, |reason| format!(" (dismissed: {reason})"));
        line(format!("finding: {severity} {anchor} - {text}{dismissed}"))?;
        for ShownTurn { to, question, exchange, answer, failed } in thread {
            let call = exchange.map_or_else(String::new, |exchange| format!(" (exchange {exchange})"));
            line(format!("  asked the {to}{call}: {question}"))?;
            for text in answer.iter().flat_map(|text| text.lines()) {
                line(format!("    {text}"))?;
            }
            if let Some(why) = failed {
                line(format!("    no answer: {why}"))?;
            }
        }
    }
    for ShownGate { name, verdict, summary, duration_ms, protection, .. } in &shown.gates {
        line(format!("gate: {name} {verdict}, {summary}, {}", duration(*duration_ms)))?;
        if !protection.is_empty() {
            line(format!("  under: {protection}"))?;
        }
    }
    for (ruling, decided) in stage.rulings.iter().zip(&shown.decisions) {
        let ShownDecision { verb, revision, open, by, reason, .. } = decided;
        let revision = revision.map_or_else(String::new, |ordinal| format!(" revision {ordinal}"));
        let (at, evidence) = (local(ruling.decision.at), ruling.decision.evidence.short());
        line(format!("decision: {verb}{revision} by {by}, {at}, on evidence {evidence}"))?;
        for reason in reason.iter().flat_map(|reason| reason.lines()) {
            line(format!("  {reason}"))?;
        }
        for ShownFinding { severity, anchor, text, .. } in open {
            line(format!("  open: {severity} {anchor} - {text}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ExchangeId, Failure, Id, LoopId, read_id, read_ids};

    #[test]
    fn several_ids_stand_side_by_side() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (one, two) = (Id::Loop(LoopId(3)), Id::Exchange(ExchangeId(12)));
        assert_eq!(read_ids(&words("3 x 12 x12 loop 3")).ok().unwrap(), [one, two, two, one]);
        assert!(matches!(read_ids(&words("3 x")), Err(Failure::Id(text)) if text == "x"));
    }

    #[test]
    fn ids_are_read_as_people_write_them() {
        for (text, id) in [
            ("3", Some(Id::Loop(LoopId(3)))),
            ("loop 3", Some(Id::Loop(LoopId(3)))),
            ("x 12", Some(Id::Exchange(ExchangeId(12)))),
            ("x12", Some(Id::Exchange(ExchangeId(12)))),
            ("exchange 12", Some(Id::Exchange(ExchangeId(12)))),
            ("", None),
            ("loop", None),
            ("y 3", None),
            ("3x", None),
            ("-3", None),
            ("loop 99999999999999999999", None),
        ] {
            assert_eq!(read_id(text), id, "{text:?}");
        }
    }
}
