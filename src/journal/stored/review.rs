//! Stored forms of what is said of a revision: critiques, gate runs, decisions, and how calls and drafts end.

use serde::{Deserialize, Serialize};

use crate::{domain, engine};

use super::gate::Details;
use super::words::{Hex, Severity, Verb, Verdict};
use super::{StoredError, back, each};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Critique {
    revision: Hex,
    model: String,
    exchange: u64,
    text: String,
    findings: Vec<Finding>,
}

impl From<&domain::Critique> for Critique {
    fn from(critique: &domain::Critique) -> Self {
        Self {
            revision: Hex(critique.revision),
            model: critique.model.0.clone(),
            exchange: critique.exchange.0,
            text: critique.text.clone(),
            findings: each(&critique.findings),
        }
    }
}

impl From<Critique> for domain::Critique {
    fn from(stored: Critique) -> Self {
        Self {
            revision: stored.revision.0,
            model: domain::ModelId(stored.model),
            exchange: domain::ExchangeId(stored.exchange),
            text: stored.text,
            findings: back(stored.findings),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    severity: Severity,
    anchor: Anchor,
    text: String,
    /// The reason for which it was dismissed; none while it is open.
    dismissed: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Anchor {
    Line(u32),
    File { path: String, line: Option<u32> },
    Whole,
}

impl From<&domain::Finding> for Finding {
    fn from(finding: &domain::Finding) -> Self {
        let anchor = match &finding.anchor {
            domain::Anchor::Line(line) => Anchor::Line(*line),
            domain::Anchor::File { path, line } => Anchor::File { path: path.clone(), line: *line },
            domain::Anchor::Whole => Anchor::Whole,
        };
        let dismissed = match &finding.disposition {
            domain::Disposition::Open => None,
            domain::Disposition::Dismissed(reason) => Some(reason.clone()),
        };
        Self { severity: finding.severity.into(), anchor, text: finding.text.clone(), dismissed }
    }
}

impl From<Finding> for domain::Finding {
    fn from(stored: Finding) -> Self {
        let anchor = match stored.anchor {
            Anchor::Line(line) => domain::Anchor::Line(line),
            Anchor::File { path, line } => domain::Anchor::File { path, line },
            Anchor::Whole => domain::Anchor::Whole,
        };
        let disposition = stored.dismissed.map_or(domain::Disposition::Open, domain::Disposition::Dismissed);
        Self { severity: stored.severity.into(), anchor, text: stored.text, disposition, thread: Vec::new() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateRun {
    id: u64,
    gate: String,
    definition: Hex,
    subject: Subject,
    verdict: Verdict,
    summary: String,
    tail: String,
    spilled: Option<String>,
    started: i64,
    duration_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    protection: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    revision: Hex,
    tree: Option<String>,
}

impl From<&domain::GateRun> for GateRun {
    fn from(run: &domain::GateRun) -> Self {
        let subject = Subject {
            revision: Hex(run.subject.revision),
            tree: run.subject.tree.as_ref().map(|tree| tree.as_str().to_owned()),
        };
        Self {
            id: run.id.0,
            gate: run.gate.clone(),
            definition: Hex(run.definition),
            subject,
            verdict: run.verdict.into(),
            summary: run.summary.clone(),
            tail: run.tail.clone(),
            spilled: run.spilled.clone(),
            started: run.started.0,
            duration_ms: run.duration_ms,
            details: (run.details != domain::Details::default()).then(|| Details::from(&run.details)),
            protection: run.protection.clone(),
        }
    }
}

impl TryFrom<GateRun> for domain::GateRun {
    type Error = StoredError;

    fn try_from(stored: GateRun) -> Result<Self, StoredError> {
        let tree = stored.subject.tree.map(|tree| tree.parse()).transpose().map_err(StoredError::value)?;
        Ok(Self {
            id: domain::RunId(stored.id),
            gate: stored.gate,
            definition: stored.definition.0,
            subject: domain::Subject { revision: stored.subject.revision.0, tree },
            verdict: stored.verdict.into(),
            summary: stored.summary,
            tail: stored.tail,
            spilled: stored.spilled,
            started: domain::Timestamp(stored.started),
            duration_ms: stored.duration_ms,
            details: stored.details.map(domain::Details::try_from).transpose()?.unwrap_or_default(),
            protection: stored.protection,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    gate: String,
    subject: Hex,
    reason: String,
    by: String,
}

impl From<&domain::Override> for Override {
    fn from(over: &domain::Override) -> Self {
        Self { gate: over.gate.clone(), subject: Hex(over.subject), reason: over.reason.clone(), by: over.by.0.clone() }
    }
}

impl From<Override> for domain::Override {
    fn from(stored: Override) -> Self {
        Self { gate: stored.gate, subject: stored.subject.0, reason: stored.reason, by: domain::Person(stored.by) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    verb: Verb,
    evidence: Hex,
    by: String,
    at: i64,
    reason: Option<String>,
    gaps: Vec<Gap>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Gap {
    Unread { seen: u32, total: u32 },
    UnreadFindings { seen: u32, total: u32 },
    Gate { gate: String, verdict: Option<Verdict> },
    Blocker { text: String },
    NoCritique,
}

impl From<&domain::Decision> for Decision {
    fn from(decision: &domain::Decision) -> Self {
        Self {
            verb: decision.verb.into(),
            evidence: Hex(decision.evidence),
            by: decision.by.0.clone(),
            at: decision.at.0,
            reason: decision.reason.clone(),
            gaps: each(&decision.gaps),
        }
    }
}

impl From<Decision> for domain::Decision {
    fn from(stored: Decision) -> Self {
        Self {
            verb: stored.verb.into(),
            evidence: stored.evidence.0,
            by: domain::Person(stored.by),
            at: domain::Timestamp(stored.at),
            reason: stored.reason,
            gaps: back(stored.gaps),
        }
    }
}

impl From<&domain::Gap> for Gap {
    fn from(gap: &domain::Gap) -> Self {
        match gap {
            domain::Gap::Unread(unread) => Self::Unread { seen: unread.seen, total: unread.total },
            domain::Gap::UnreadFindings(unread) => Self::UnreadFindings { seen: unread.seen, total: unread.total },
            domain::Gap::Gate { gate, verdict } => {
                Self::Gate { gate: gate.clone(), verdict: verdict.map(Verdict::from) }
            }
            domain::Gap::Blocker { text } => Self::Blocker { text: text.clone() },
            domain::Gap::NoCritique => Self::NoCritique,
        }
    }
}

impl From<Gap> for domain::Gap {
    fn from(stored: Gap) -> Self {
        match stored {
            Gap::Unread { seen, total } => Self::Unread(domain::Unread { seen, total }),
            Gap::UnreadFindings { seen, total } => Self::UnreadFindings(domain::Unread { seen, total }),
            Gap::Gate { gate, verdict } => Self::Gate { gate, verdict: verdict.map(domain::Verdict::from) },
            Gap::Blocker { text } => Self::Blocker { text },
            Gap::NoCritique => Self::NoCritique,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PromptRef {
    name: String,
    version: String,
    digest: Hex,
}

impl From<&domain::PromptRef> for PromptRef {
    fn from(prompt: &domain::PromptRef) -> Self {
        Self { name: prompt.name.clone(), version: prompt.version.clone(), digest: Hex(prompt.digest) }
    }
}

impl From<PromptRef> for domain::PromptRef {
    fn from(stored: PromptRef) -> Self {
        Self { name: stored.name, version: stored.version, digest: stored.digest.0 }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum End {
    Complete,
    Truncated(String),
    Failed(String),
    Cancelled,
    Interrupted,
}

impl From<&domain::End> for End {
    fn from(end: &domain::End) -> Self {
        match end {
            domain::End::Complete => Self::Complete,
            domain::End::Truncated(why) => Self::Truncated(why.clone()),
            domain::End::Failed(why) => Self::Failed(why.clone()),
            domain::End::Cancelled => Self::Cancelled,
            domain::End::Interrupted => Self::Interrupted,
        }
    }
}

impl From<End> for domain::End {
    fn from(stored: End) -> Self {
        match stored {
            End::Complete => Self::Complete,
            End::Truncated(why) => Self::Truncated(why),
            End::Failed(why) => Self::Failed(why),
            End::Cancelled => Self::Cancelled,
            End::Interrupted => Self::Interrupted,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Usage {
    input: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
}

impl From<&domain::Usage> for Usage {
    fn from(usage: &domain::Usage) -> Self {
        Self { input: usage.input, output: usage.output, cached: usage.cached, reasoning: usage.reasoning }
    }
}

impl From<Usage> for domain::Usage {
    fn from(stored: Usage) -> Self {
        Self { input: stored.input, output: stored.output, cached: stored.cached, reasoning: stored.reasoning }
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Quote {
    input: u64,
    output: u64,
    price: Option<Price>,
}

/// In nanodollars per token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    input: u64,
    cached: u64,
    output: u64,
}

impl From<&domain::Quote> for Quote {
    fn from(quote: &domain::Quote) -> Self {
        let price = quote.price.map(|price| Price { input: price.input, cached: price.cached, output: price.output });
        Self { input: quote.input, output: quote.output, price }
    }
}

impl From<Quote> for domain::Quote {
    fn from(stored: Quote) -> Self {
        let price =
            stored.price.map(|price| domain::Price { input: price.input, cached: price.cached, output: price.output });
        Self { input: stored.input, output: stored.output, price }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Timings {
    first_byte: Option<u64>,
    first_text: Option<u64>,
    total: u64,
}

impl From<&domain::Timings> for Timings {
    fn from(timings: &domain::Timings) -> Self {
        Self { first_byte: timings.first_byte, first_text: timings.first_text, total: timings.total }
    }
}

impl From<Timings> for domain::Timings {
    fn from(stored: Timings) -> Self {
        Self { first_byte: stored.first_byte, first_text: stored.first_text, total: stored.total }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Trouble {
    Call(String),
    Stopped(String),
    Malformed { text: String, missing: Vec<String> },
    Patch { text: String, problems: Vec<String> },
}

impl From<&engine::Trouble> for Trouble {
    fn from(trouble: &engine::Trouble) -> Self {
        match trouble {
            engine::Trouble::Call(why) => Self::Call(why.clone()),
            engine::Trouble::Stopped(why) => Self::Stopped(why.clone()),
            engine::Trouble::Malformed { text, missing } => {
                Self::Malformed { text: text.clone(), missing: missing.clone() }
            }
            engine::Trouble::Patch { text, problems } => Self::Patch { text: text.clone(), problems: problems.clone() },
        }
    }
}

impl From<Trouble> for engine::Trouble {
    fn from(stored: Trouble) -> Self {
        match stored {
            Trouble::Call(why) => Self::Call(why),
            Trouble::Stopped(why) => Self::Stopped(why),
            Trouble::Malformed { text, missing } => Self::Malformed { text, missing },
            Trouble::Patch { text, problems } => Self::Patch { text, problems },
        }
    }
}
