//! The laws of approval. An [`Approved`] is proof that a human decided on the current evidence of the open stage, with
//! nothing in the way; it can be made in this file only, and nothing opens a stage or lands a tree without one.

use crate::domain::{
    Decision, Digest, DigestBuilder, Disposition, Finding, Gap, GateDef, LoopId, Measurement, Reading, Severity, Side,
    StageIndex, TreeId, Unread, Verb, Verdict,
};

use super::{Loop, Phase, Refusal, Stage};

/// The least characters of a reason for a gap.
pub(super) const REASON_LEAST: usize = 12;

/// Everything a decision rests on, part by part, so that a change can be named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    parts: Vec<(String, Digest)>,
}

impl Evidence {
    /// The evidence digest: over every part.
    pub fn digest(&self) -> Digest {
        let builder = DigestBuilder::new("evidence");
        self.parts.iter().fold(builder, |builder, (name, digest)| builder.digest(name, digest)).finish()
    }

    /// The names of the parts in which `now` differs from this.
    pub fn changed(&self, now: &Self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (name, digest) in &now.parts {
            match self.parts.iter().find(|(known, _)| known == name) {
                None => names.push(format!("new: {name}")),
                Some((_, known)) if known != digest => names.push(name.clone()),
                Some(_) => {}
            }
        }
        let gone = self.parts.iter().filter(|(name, _)| !now.parts.iter().any(|(other, _)| other == name));
        names.extend(gone.map(|(name, _)| format!("gone: {name}")));
        names
    }
}

/// Proof of an approval. Made in this file alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    id: LoopId,
    stage: StageIndex,
    evidence: Digest,
}

impl Approved {
    /// The loop.
    pub const fn loop_id(&self) -> LoopId {
        self.id
    }

    /// The stage that was approved.
    pub const fn stage(&self) -> StageIndex {
        self.stage
    }

    /// The evidence it rests on.
    pub const fn evidence(&self) -> Digest {
        self.evidence
    }
}

/// Something that no reason on the decision sheet goes past: it has to be dealt with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A required gate isn't satisfied on the current revision, and not overridden.
    Gate {
        /// Its name.
        gate: String,
        /// What it said of the current revision; none if it hasn't run on it.
        verdict: Option<Verdict>,
    },
    /// An open blocker.
    Blocker {
        /// Its text.
        text: String,
    },
}

/// The evidence of a stage as it is now.
pub fn evidence(one: &Loop, index: StageIndex) -> Evidence {
    let Some(stage) = one.stage(index) else { return Evidence::default() };
    let mut parts = vec![
        ("the stage's definition".to_owned(), stage.spec.digest()),
        ("the base commit".to_owned(), Digest::of(one.base.as_str().as_bytes())),
        (
            "the acceptance criteria".to_owned(),
            DigestBuilder::new("criteria").list("criteria", one.criteria()).finish(),
        ),
    ];
    for earlier in one.stages.iter().take(index.0) {
        if let Phase::Approved(digest) = earlier.phase {
            parts.push((format!("the approved {}", earlier.spec.id), digest));
        }
    }
    if let Some(revision) = stage.revision() {
        parts.push(("the revision".to_owned(), revision.id));
    }
    if let Some(measurement) = &stage.measurement {
        parts.push(("the measurement".to_owned(), measurement_digest(measurement)));
    }
    if let Some(critique) = stage.current_critique() {
        let said = DigestBuilder::new("critique").text("model", &critique.model.0).text("text", &critique.text);
        parts.push(("the critique".to_owned(), said.finish()));
        parts.push(("the findings".to_owned(), findings_digest(&critique.findings)));
    }
    let mut gates = one.gates(index);
    // The order in which a configuration lists its gates changes nothing that was judged.
    gates.sort_by(|one, other| one.name.cmp(&other.name));
    for gate in gates {
        let mut builder = DigestBuilder::new("gate-evidence").digest("definition", &gate.digest());
        if let Some(run) = stage.fresh_run(&gate) {
            builder = builder.digest("run", &run.digest());
        }
        if let Some(over) = stage.fresh_override(&gate.name) {
            builder = builder.text("override", &over.reason).text("by", &over.by.0);
        }
        parts.push((format!("gate {}", gate.name), builder.finish()));
    }
    Evidence { parts }
}

/// Over every reading, to the last bit, and the tree they were taken on.
fn measurement_digest(measurement: &Measurement) -> Digest {
    let tree = measurement.tree.as_ref().map_or("", TreeId::as_str);
    let mut builder =
        DigestBuilder::new("measurement").text("tree", tree).list("failures", measurement.failures.as_slice());
    for sample in &measurement.samples {
        let side: &[u8] = match sample.side {
            Side::Before => b"before",
            Side::After => b"after",
        };
        builder = builder.text("probe", &sample.probe).field("side", side).field("round", &sample.round.to_le_bytes());
        for Reading { name, value, unit } in &sample.readings {
            builder = builder.text("name", name).field("value", &value.to_bits().to_le_bytes()).text("unit", unit);
        }
    }
    builder.finish()
}

/// Over what each finding says, what was answered about it, and what became of it.
fn findings_digest(findings: &[Finding]) -> Digest {
    let mut builder = DigestBuilder::new("findings");
    for Finding { severity, anchor, text, disposition, thread } in findings {
        builder = builder.text("severity", severity.name()).text("anchor", &anchor.to_string()).text("text", text);
        if let Disposition::Dismissed(reason) = disposition {
            builder = builder.text("dismissed", reason);
        }
        // What was answered is evidence; what was only asked isn't yet.
        for (turn, answer) in thread.iter().filter_map(|turn| Some((turn, turn.given()?))) {
            builder = builder.text("asked", turn.to.name()).text("question", &turn.question).text("answer", answer);
        }
    }
    builder.finish()
}

fn is_satisfied(stage: &Stage, gate: &GateDef) -> bool {
    stage.fresh_run(gate).is_some_and(|run| run.verdict.satisfies())
}

/// Whether a human goes on despite a gate. What it said since may take no override.
fn is_overridden(stage: &Stage, gate: &GateDef) -> bool {
    stage.fresh_override(&gate.name).is_some() && !stage.is_firm(gate)
}

/// What stands in the way of approving a stage.
pub fn obstacles(one: &Loop, index: StageIndex) -> Vec<Obstacle> {
    let Some(stage) = one.stage(index) else { return Vec::new() };
    let gates = one
        .gates(index)
        .into_iter()
        .filter(|gate| gate.enforcement.stops() && !is_satisfied(stage, gate) && !is_overridden(stage, gate));
    let gates = gates.map(|gate| {
        let verdict = stage.fresh_run(&gate).map(|run| run.verdict);
        Obstacle::Gate { gate: gate.name, verdict }
    });
    let findings = stage.current_critique().map_or(&[][..], |critique| &critique.findings);
    let blockers = findings.iter().filter(|f| f.blocks()).map(|f| Obstacle::Blocker { text: f.text.clone() });
    gates.chain(blockers).collect()
}

/// What an approval of a stage would go past, with so much read of its artifact and of its findings.
pub fn gaps(one: &Loop, index: StageIndex, unread: Unread, findings: Unread) -> Vec<Gap> {
    let Some(stage) = one.stage(index) else { return Vec::new() };
    let mut gaps = Vec::new();
    if unread.seen < unread.total {
        gaps.push(Gap::Unread(unread));
    }
    if findings.seen < findings.total {
        gaps.push(Gap::UnreadFindings(findings));
    }
    for gate in one.gates(index) {
        if gate.enforcement.stops() && !is_satisfied(stage, &gate) && is_overridden(stage, &gate) {
            let verdict = stage.fresh_run(&gate).map(|run| run.verdict);
            gaps.push(Gap::Gate { gate: gate.name, verdict });
        }
    }
    // A reply in which neither a finding nor "no findings" can be read has reviewed nothing.
    match stage.current_critique().filter(|critique| critique.is_readable()) {
        None => gaps.push(Gap::NoCritique),
        Some(critique) => {
            let dismissed = critique
                .findings
                .iter()
                .filter(|f| f.severity == Severity::Blocker && matches!(f.disposition, Disposition::Dismissed(_)));
            gaps.extend(dismissed.map(|f| Gap::Blocker { text: f.text.clone() }));
        }
    }
    gaps
}

/// Whether a gap needs a reason on the decision sheet itself. Overrides and dismissals carry their own.
const fn needs_reason(gap: &Gap) -> bool {
    matches!(gap, Gap::Unread(_) | Gap::UnreadFindings(_) | Gap::NoCritique)
}

/// The gaps of `decision` that need a reason there, in words.
pub(super) fn reasons_needed(gaps: &[Gap]) -> Option<String> {
    let words: Vec<String> = gaps
        .iter()
        .filter(|gap| needs_reason(gap))
        .map(|gap| match gap {
            Gap::Unread(unread) => {
                format!("{} of {} parts were never on screen", unread.total.saturating_sub(unread.seen), unread.total)
            }
            Gap::UnreadFindings(unread) => {
                let left = unread.total.saturating_sub(unread.seen);
                format!("{left} of {} findings were never on screen", unread.total)
            }
            _ => "no second model has reviewed this revision".to_owned(),
        })
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// Judges a decision to approve against the state: the only place where an [`Approved`] comes from.
///
/// Called when the command is decided and again whenever the event is applied, also in replay, so that a journal which
/// breaks a law is found out.
pub(super) fn judge(one: &Loop, index: StageIndex, decision: &Decision) -> Result<Approved, Refusal> {
    let stage = one.stage(index).filter(|_| index == one.open).ok_or(Refusal::Stale)?;
    if decision.verb != Verb::Approve || stage.phase != Phase::Awaiting {
        return Err(Refusal::NotNow {
            stage: stage.spec.id.clone(),
            phase: stage.phase.name(),
            needs: "it can be approved once critic and gates are done",
        });
    }
    let revision = stage.revision().ok_or(Refusal::Stale)?;
    let now = evidence(one, index).digest();
    if decision.evidence != now {
        return Err(Refusal::ChangedUnderYou(vec!["the evidence".to_owned()]));
    }
    if stage.spec.lands && revision.tree().is_none() {
        return Err(Refusal::NoTree);
    }
    if let Some(obstacle) = obstacles(one, index).into_iter().next() {
        return Err(match obstacle {
            Obstacle::Gate { gate, verdict } => {
                let state =
                    verdict.map_or_else(|| "has not run on this revision".to_owned(), |v| format!("says {}", v.name()));
                Refusal::Gate { gate, state }
            }
            Obstacle::Blocker { text } => Refusal::Blocker(text),
        });
    }
    // Only the human's screen knows what was unread; the other gaps follow from the evidence and must all be named.
    let parts = decision.gaps.iter().find_map(|gap| if let Gap::Unread(unread) = gap { Some(*unread) } else { None });
    let findings =
        decision.gaps.iter().find_map(|gap| if let Gap::UnreadFindings(unread) = gap { Some(*unread) } else { None });
    if decision.gaps != gaps(one, index, parts.unwrap_or_default(), findings.unwrap_or_default()) {
        return Err(Refusal::ChangedUnderYou(vec!["what the approval goes past".to_owned()]));
    }
    if let Some(gaps) = reasons_needed(&decision.gaps)
        && !decision.reason.as_deref().is_some_and(is_reason)
    {
        return Err(Refusal::ReasonNeeded { least: REASON_LEAST, gaps });
    }
    Ok(Approved { id: one.id, stage: index, evidence: now })
}

/// The approval that a loop's last stage has on record: a landing goes on after a restart, or is tried again.
pub(super) fn on_record(one: &Loop) -> Option<Approved> {
    match one.open_stage()?.phase {
        Phase::Approved(evidence) => Some(Approved { id: one.id, stage: one.open, evidence }),
        _ => None,
    }
}

/// Whether a text is long enough for a reason: at least twelve characters, white space at the ends aside.
pub(super) fn is_reason(text: &str) -> bool {
    text.trim().chars().count() >= REASON_LEAST
}
