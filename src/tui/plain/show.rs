//! What there is to read, as lines: where the work stands, parts of the artifact, findings with their places, gates,
//! readings, and what a decision rests on.

use super::words::{WORDS, word_for};
use crate::app::doc::{Doc, Kind, Unit};
use crate::app::remarks;
use crate::app::tell::{self, gate_run, open_findings, plural};
use crate::app::{Model, Sheet};
use crate::domain::{Anchor, Answer, Criterion, Disposition, Enforcement, Finding, Gap, Spread, Turn, Verdict};
use crate::engine::{Obstacle, Phase, Stage, Status};
use crate::gate::table::{number, ratio};

/// Where the work stands, and what can be done.
pub(super) fn status(model: &Model) -> Vec<String> {
    let Some(one) = model.current() else {
        let mut lines = vec!["No loop yet.".to_owned()];
        lines.extend(model.host.advice.iter().cloned());
        lines.push(offer(model));
        return lines;
    };
    let mut lines = vec![format!("Loop {}, {}. Its goal: {}", one.id, one.status.name(), one.goal)];
    match &one.status {
        Status::Landed { commit, left } => {
            let left = left.as_ref().map(|left| format!(" {left}")).unwrap_or_default();
            lines.push(format!("LANDED as {commit}.{left}"));
            lines.extend(one.next_constraint().map(|next| format!("The next constraint: {next}")));
        }
        Status::Landing(landing) => {
            let failed = landing.failed.as_ref().map(|why| format!("Landing failed: {why}"));
            lines.push(failed.unwrap_or_else(|| "The approved tree is being made a commit.".to_owned()));
        }
        _ => {}
    }
    if let Some(stage) = model.stage() {
        let (at, of) = (model.stage_index().number(), one.stages.len());
        lines.push(format!("Stage {at} of {of}, {}: {}.", stage.spec.id, stage.phase.name()));
        lines.extend(stage.trouble.as_ref().map(|trouble| format!("There is no draft. {}", tell::reason(trouble))));
        lines.extend(tell::awaits(stage).map(|awaits| format!("{awaits}: {}.", standing(model, stage))));
    }
    lines.push(offer(model));
    lines
}

/// The words that lead on from here.
pub(super) fn offer(model: &Model) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in model.hints().into_iter().filter_map(word_for) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.truncate(5);
    if model.stage().is_some_and(|stage| stage.phase == Phase::Ready) {
        words.push("context");
    }
    words.extend(["help", "quit"]);
    words.dedup();
    format!("You can type: {}.", words.join(", "))
}

/// Everything that can be typed.
pub(super) fn help() -> Vec<String> {
    let mut lines = vec!["Type a word and Enter:".to_owned()];
    lines.extend(WORDS.iter().map(|word| {
        let takes = if word.takes.is_empty() { String::new() } else { format!(" {}", word.takes) };
        format!("  {}{takes}: {}", word.word, word.doc)
    }));
    lines
}

/// How the stage under decision stands.
pub(super) fn standing(model: &Model, stage: &Stage) -> String {
    let (good, required) = tally(model, stage);
    let unread = model.unread();
    let mut parts = vec![open_findings(stage), format!("{good} of {required} required gates satisfied")];
    if unread.total > 0 {
        parts.push(format!("read {} of {}", unread.seen, plural(unread.total as usize, "part")));
    }
    parts.join("; ")
}

fn tally(model: &Model, stage: &Stage) -> (usize, usize) {
    let gates = model.current().map(|one| one.gates(model.stage_index())).unwrap_or_default();
    let required: Vec<_> = gates.iter().filter(|gate| gate.enforcement == Enforcement::Required).collect();
    let good = required.iter().filter(|gate| {
        stage.fresh_run(gate).is_some_and(|run| run.verdict.satisfies()) || stage.fresh_override(&gate.name).is_some()
    });
    (good.count(), required.len())
}

/// The context, numbered.
pub(super) fn context(model: &Model) -> Vec<String> {
    let items = model.stage().map(|stage| stage.context.as_slice()).unwrap_or_default();
    if items.is_empty() {
        return vec!["No context is gathered.".to_owned()];
    }
    let row = |(index, item): (usize, &crate::domain::ContextItem)| {
        let sent = if item.included { "sent" } else { "not sent" };
        format!("{}. {}, {} bytes, about {} tokens, {sent}", index + 1, item.name, item.bytes, item.tokens)
    };
    items.iter().enumerate().map(row).collect()
}

/// The critic's findings, numbered, each with the line it points at.
pub(super) fn findings(model: &Model) -> Vec<String> {
    let Some(stage) = model.stage() else { return vec!["There is no loop yet.".to_owned()] };
    let Some(critique) = stage.current_critique() else {
        let why = stage.critique_failed.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        return vec![format!("No critic has reviewed this revision{why}.")];
    };
    if critique.findings.is_empty() {
        let lead = if critique.is_readable() {
            "No findings. The critic,"
        } else {
            "The reply has no finding in it. The critic,"
        };
        let mut lines = vec![format!("{lead} {}, wrote:", critique.model)];
        lines.extend(critique.text.trim().lines().map(str::to_owned));
        return lines;
    }
    let mut lines =
        vec![format!("The critic, {}, has {}:", critique.model, plural(critique.findings.len(), "finding"))];
    for (index, finding) in critique.findings.iter().enumerate() {
        lines.push(format!("{}. {}", index + 1, one_finding(finding)));
        lines.extend(anchored(&model.artifact, &finding.anchor).map(|text| format!("   there: {text}")));
        lines.extend(finding.thread.iter().flat_map(turn));
    }
    lines
}

/// What was asked about a finding, and what came of it.
fn turn(turn: &Turn) -> Vec<String> {
    let whom = turn.to.name();
    let mut lines = vec![format!("   asked the {whom}: {}", turn.question)];
    match &turn.answer {
        Answer::Given(text) => lines.extend(text.lines().map(|line| format!("   {whom}: {line}"))),
        Answer::Failed(why) => lines.push(format!("   no answer: {why}")),
        Answer::Awaited => lines.push("   The answer has not come yet.".to_owned()),
    }
    lines
}

fn one_finding(finding: &Finding) -> String {
    let aside = match &finding.disposition {
        Disposition::Open => String::new(),
        Disposition::Dismissed(reason) => format!(" (set aside: {reason})"),
    };
    format!("{}, {}: {}{aside}", finding.severity.name(), finding.anchor, finding.text)
}

/// The line of the artifact that an anchor points at.
fn anchored(doc: &Doc, anchor: &Anchor) -> Option<String> {
    let index = match anchor {
        Anchor::Line(number) => doc.find_text_line(*number),
        Anchor::File { path, line } => doc.find_file_line(path, *line),
        Anchor::Whole => None,
    };
    doc.line(index?).map(|line| line.text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The gates of the stage, numbered.
pub(super) fn gates(model: &Model) -> Vec<String> {
    let (Some(one), Some(stage)) = (model.current(), model.stage()) else {
        return vec!["There is no loop yet.".to_owned()];
    };
    let gates = one.gates(model.stage_index());
    if gates.is_empty() {
        return vec!["This stage has no gates.".to_owned()];
    }
    let row = |(index, gate): (usize, &crate::domain::GateDef)| {
        let said = match stage.fresh_run(gate) {
            Some(run) => gate_run(run),
            None if stage.pending.gates.contains(&gate.name) => format!("Gate {}: runs.", gate.name),
            None if model.state.waits_for_trust(one, gate) => format!("Gate {}: waits for trust.", gate.name),
            None => format!("Gate {}: has not run on this revision.", gate.name),
        };
        let over = stage.fresh_override(&gate.name).map(|over| format!(" Overridden: {}", over.reason));
        format!("{}. {said} {}.{}", index + 1, gate.enforcement.name(), over.unwrap_or_default())
    };
    gates.iter().enumerate().map(row).collect()
}

/// What was measured, and what became of the criteria.
pub(super) fn readings(model: &Model) -> Vec<String> {
    let one = model.current();
    let earlier =
        || one.into_iter().flat_map(|one| one.stages.iter().rev()).find_map(|stage| stage.measurement.as_ref());
    let measured = model.stage().and_then(|stage| stage.measurement.as_ref()).or_else(earlier);
    let Some(measurement) = measured else { return vec!["Nothing was measured.".to_owned()] };
    let compared = measurement.comparisons();
    let figure = |side: Option<Spread>| side.map_or_else(|| "nothing".to_owned(), |side| number(side.median));
    let mut lines: Vec<String> = compared
        .iter()
        .map(|one| match (one.after, one.ratio()) {
            (None, _) => format!("{}: {} {}", one.name, figure(one.before), one.unit),
            (after, value) => {
                let value = value.map(|value| format!(", {}", ratio(value))).unwrap_or_default();
                format!("{}: {} before, {} after {}{value}", one.name, figure(one.before), figure(after), one.unit)
            }
        })
        .collect();
    lines.extend(measurement.failures.iter().map(|failure| format!("failed: {failure}")));
    for line in one.map(crate::engine::Loop::criteria).unwrap_or_default() {
        let judged = Criterion::read(&line).and_then(|criterion| {
            let found = compared.iter().find(|one| one.name == criterion.name && one.after.is_some())?;
            criterion.met_by(found)
        });
        let judged = match judged {
            Some(true) => ": met",
            Some(false) => ": NOT met",
            None => "",
        };
        lines.push(format!("criterion: {line}{judged}"));
    }
    lines
}

/// A part of the artifact, every line of it.
pub(super) fn part(doc: &Doc, unit: &Unit) -> Vec<String> {
    let lines = doc.lines_from(unit.from).take(unit.to - unit.from);
    let shown = lines.map(|(_, line)| match line.kind {
        Kind::File => format!("File {}", line.text),
        Kind::Plus => format!("+{}", line.text),
        Kind::Minus => format!("-{}", line.text),
        Kind::Context => format!(" {}", line.text),
        _ => line.text.into_owned(),
    });
    shown.collect()
}

/// How a part is announced.
pub(super) fn part_title(doc: &Doc, index: usize, unit: &Unit) -> String {
    format!("Part {} of {}, {}:", index + 1, doc.units().len(), remarks::place(doc, unit))
}

/// Everything that a decision rests on.
pub(super) fn sheet(model: &Model, sheet: &Sheet) -> Vec<String> {
    let Some(stage) = model.state.loops.get(&sheet.id).and_then(|one| one.stage(sheet.stage)) else {
        return Vec::new();
    };
    let digest = sheet.evidence.digest().to_string();
    let digest = digest.get(..16).unwrap_or(&digest);
    let mut lines = vec![format!("Decide: {} of loop {}.", stage.spec.id, sheet.id)];
    if let Some(revision) = stage.revision() {
        lines.push(format!("Revision {} by {}, evidence {digest}.", revision.ordinal, revision.origin.writer()));
    }
    let unread = sheet.unread;
    lines.push(if unread.seen < unread.total {
        format!("Read: {} of {} parts.", unread.seen, unread.total)
    } else {
        format!("Read: all of it ({}).", plural(unread.total as usize, "part"))
    });
    let (good, required) = tally(model, stage);
    lines.push(format!("Gates: {good} of {required} required ones satisfied."));
    lines.push(format!("Critique: {}.", open_findings(stage)));
    let remarks = sheet.remarks;
    if remarks.asks_for_revision() {
        let (rejected, commented) = (remarks.rejected, remarks.commented);
        lines.push(format!("Yours: {rejected} rejected, {commented} commented on; revise takes them to the author."));
    }
    match &sheet.changed {
        Some(changed) if changed.is_empty() => lines.push("Nothing changed since your last look.".to_owned()),
        Some(changed) => lines.push(format!("Changed since your last look: {}.", changed.join(", "))),
        None => {}
    }
    lines.extend(sheet.obstacles.iter().map(obstacle));
    lines.extend(sheet.gaps.iter().map(gap));
    lines.push(format!("To approve means: {}.", stage.spec.means.trim_end_matches('.')));
    if sheet.lands.is_some() {
        let branch = model.current().and_then(|one| one.branch.clone()).unwrap_or_else(|| "a new commit".to_owned());
        let dirty = if model.host.dirty.is_empty() {
            ""
        } else {
            " Your checkout has changes: the branch will be left, and you are told the command."
        };
        lines.push(format!("It makes the commit and moves {branch}.{dirty}"));
    }
    lines
}

fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Gate { gate, verdict } => {
            let said = verdict.map_or("has not run", Verdict::name);
            format!("In the way: gate {gate} is required ({said}). Mend it, rerun it, or override it.")
        }
        Obstacle::Blocker { text } => format!("In the way: a blocker is open: {text}"),
    }
}

fn gap(gap: &Gap) -> String {
    match gap {
        Gap::Unread(unread) => {
            format!("Gap: {} of {} parts are unread.", unread.total.saturating_sub(unread.seen), unread.total)
        }
        Gap::UnreadFindings(unread) => {
            let left = unread.total.saturating_sub(unread.seen);
            format!("Gap: {left} of {} findings are unread; findings prints them.", unread.total)
        }
        Gap::Gate { gate, .. } => format!("Gap: gate {gate} was overridden."),
        Gap::Blocker { text } => format!("Gap: a blocker was set aside: {text}"),
        Gap::NoCritique => "Gap: no second model has reviewed this revision.".to_owned(),
    }
}
