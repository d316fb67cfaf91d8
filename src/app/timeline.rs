//! The timeline of a loop: every revision of every stage with what became of it. One can be read, any two compared.

use similar::TextDiff;

use crate::domain::{ArtifactKind, Digest, Revision, StageIndex, Verb};
use crate::engine::{Loop, Phase, Stage};

use super::doc::Doc;
use super::model::Model;
use super::msg::Request;
use super::overlay::{Overlay, Source};
use super::picker::{Choice, Picker, Row};

/// A revision in the loop on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Its stage.
    pub stage: StageIndex,
    /// Its number in the stage, counted from 1.
    pub ordinal: u32,
}

impl Past {
    fn find(self, one: &Loop) -> Option<(&Stage, &Revision)> {
        let stage = one.stage(self.stage)?;
        Some((stage, stage.revisions.iter().find(|revision| revision.ordinal == self.ordinal)?))
    }

    fn name(self, stage: &Stage) -> String {
        format!("{} revision {}", stage.spec.id, self.ordinal)
    }
}

/// Every revision of the loop, the newest first.
pub(super) fn rows(model: &Model) -> Vec<Row> {
    listed(model, Choice::Revision, |_| true)
}

/// Lists what can be done with a revision: reading it, or comparing it with any other.
pub(super) fn open(model: &mut Model, past: Past) {
    let read = Row {
        choice: Choice::Compare(past, None),
        label: "Read it as it is".to_owned(),
        detail: String::new(),
        disabled: None,
    };
    let mut rows = vec![read];
    rows.extend(
        listed(model, |other| Choice::Compare(past, Some(other)), |other| other != past)
            .into_iter()
            .map(|row| Row { label: format!("Compare with {}", row.label), ..row }),
    );
    model.overlays.push(Overlay::Pick(Box::new(Picker::new("This revision", rows))));
}

/// Reads a revision, or what the earlier of two and the later one differ in.
pub(super) fn show(model: &mut Model, past: Past, other: Option<Past>) -> Vec<Request> {
    let Some(one) = model.current() else { return Vec::new() };
    let Some(other) = other else {
        let Some((stage, revision)) = past.find(one) else { return Vec::new() };
        let title = format!("{} by {}", past.name(stage), revision.origin.writer());
        let doc = match (&revision.change, stage.spec.artifact) {
            (Some(change), ArtifactKind::Change) => Doc::of_change(&revision.text, change),
            _ => Doc::prose(&revision.text),
        };
        put(model, title, doc);
        return Vec::new();
    };
    let (from, to) =
        if (past.stage, past.ordinal) < (other.stage, other.ordinal) { (past, other) } else { (other, past) };
    let (Some((from_stage, old)), Some((to_stage, new))) = (from.find(one), to.find(one)) else { return Vec::new() };
    let title = format!("From {} to {}", from.name(from_stage), to.name(to_stage));
    compare(model, to_stage.spec.artifact, (&old.clone(), &new.clone()), title)
}

/// What two revisions differ in: their files where both have a change, their words otherwise.
pub(super) fn compare(
    model: &mut Model,
    kind: ArtifactKind,
    (old, new): (&Revision, &Revision),
    note: String,
) -> Vec<Request> {
    let trees = old.tree().zip(new.tree()).filter(|_| kind == ArtifactKind::Change);
    if let Some((from, to)) = trees {
        return vec![Request::Compare { from: from.clone(), to: to.clone(), note }];
    }
    let name = kind.name();
    let diff = TextDiff::from_lines(&old.text, &new.text);
    let patch = format!("diff --git a/{name} b/{name}\n{}", diff.unified_diff());
    let is_same = old.text == new.text;
    show_compared(model, &note, if is_same { "" } else { &patch });
    Vec::new()
}

/// Puts a comparison in front.
pub(super) fn show_compared(model: &mut Model, note: &str, patch: &str) {
    let note = if patch.is_empty() { format!("{note}: they are the same") } else { note.to_owned() };
    put(model, "Compared".to_owned(), Doc::of_patch(&note, patch));
}

fn put(model: &mut Model, title: String, doc: Doc) {
    model.live.past = Some((title, doc));
    model.overlays.push(Overlay::text(Source::Past));
}

fn listed(model: &Model, choice: impl Fn(Past) -> Choice, fits: impl Fn(Past) -> bool) -> Vec<Row> {
    let Some(one) = model.current() else { return Vec::new() };
    let mut rows = Vec::new();
    for (index, stage) in one.stages.iter().enumerate() {
        for revision in &stage.revisions {
            let past = Past { stage: StageIndex(index), ordinal: revision.ordinal };
            if fits(past) {
                let label = format!("{} by {}", past.name(stage), revision.origin.writer());
                rows.push(Row { choice: choice(past), label, detail: fate(stage, revision.id), disabled: None });
            }
        }
    }
    rows.reverse();
    rows
}

/// What became of a revision.
fn fate(stage: &Stage, revision: Digest) -> String {
    let rulings = stage.rulings.iter().filter(|ruling| ruling.on == Some(revision));
    let mut parts: Vec<String> = rulings
        .map(|ruling| {
            let reason = ruling.decision.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            let verb = match ruling.decision.verb {
                Verb::Approve => "approved",
                Verb::Revise => "sent back",
                Verb::Abandon => "abandoned",
            };
            format!("{verb}{reason}")
        })
        .collect();
    match stage.phase {
        Phase::Reviewing | Phase::Awaiting if stage.current == Some(revision) => parts.push("under review".to_owned()),
        Phase::Stale if stage.current == Some(revision) => parts.push("stale".to_owned()),
        _ if parts.is_empty() => parts.push("replaced".to_owned()),
        _ => {}
    }
    parts.join("; ")
}
