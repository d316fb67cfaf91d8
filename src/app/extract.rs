//! An extract of the record: the review of one stage as a document: constraint, artifact, findings, gates, decisions, change. The same for the
//! clipboard, for Markdown and for HTML. Everything in it is visible text; keys are masked.

use crate::domain::{
    Answer, ArtifactKind, Disposition, Finding, Gap, GateRun, LoopId, Origin, StageIndex, visible, visible_line,
    without_keys,
};
use crate::engine::{Loop, Ruling, Stage};

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    /// The loop.
    pub id: LoopId,
    /// The stage's name.
    pub stage: String,
    /// The effort's goal.
    pub goal: String,
    /// What is known of it at a glance, by name.
    pub facts: Vec<(&'static str, String)>,
    /// Its parts, in the order in which they are read.
    pub parts: Vec<Part>,
}

/// A part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub heading: String,
    /// What is in it.
    pub body: Body,
}

/// What is in a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Text whose lines are numbered: findings point at them.
    Text(String),
    /// A unified diff.
    Diff(String),
    /// A list.
    Items(Vec<Item>),
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// What kind of thing it is: a severity, a verdict, a verb.
    pub word: String,
    /// Where it points: `line 12`, `src/cart.rs:40`.
    pub place: Option<String>,
    /// What it says.
    pub text: String,
    /// More about it, a line each.
    pub more: Vec<String>,
}

impl Extract {
    /// The review of the stage at `index`; none if the loop has no such stage.
    pub fn of(one: &Loop, index: StageIndex) -> Option<Self> {
        let stage = one.stage(index)?;
        let mut parts = Vec::new();
        let mut part = |heading: String, body: Body| parts.push(Part { heading, body });
        if stage.spec.artifact != ArtifactKind::Constraint
            && let Some(constraint) = one.artifact(ArtifactKind::Constraint)
        {
            part("Constraint".to_owned(), Body::Text(text(&constraint.text)));
        }
        if let Some(revision) = stage.revision() {
            part(
                format!("{}, revision {}", capital(&stage.spec.id), revision.ordinal),
                Body::Text(text(&revision.text)),
            );
        }
        if let Some(critique) = stage.current_critique() {
            let items = critique.findings.iter().map(|one| finding(stage, one)).collect();
            part(format!("Findings of {}", line(&critique.model.0)), Body::Items(items));
        }
        let gates = one.gates(index);
        if !gates.is_empty() {
            let item = |gate: &crate::domain::GateDef| {
                let over = stage.fresh_override(&gate.name);
                let mut item = stage.fresh_run(gate).map_or_else(
                    || Item { word: "not run".to_owned(), text: line(&gate.name), ..Item::default() },
                    ran,
                );
                item.more
                    .extend(over.map(|over| format!("overridden by {}: {}", line(&over.by.0), line(&over.reason))));
                item
            };
            part("Gates".to_owned(), Body::Items(gates.iter().map(item).collect()));
        }
        if !stage.rulings.is_empty() {
            let items = stage.rulings.iter().map(|ruling| decided(stage, ruling)).collect();
            part("Decisions".to_owned(), Body::Items(items));
        }
        if let Some(change) = stage.revision().and_then(|revision| revision.change.as_ref()) {
            let stat = |file: &crate::domain::FileStat| Item {
                word: format!("+{} -{}", file.added, file.removed),
                text: line(&file.path),
                ..Item::default()
            };
            part("Files".to_owned(), Body::Items(change.files.iter().map(stat).collect()));
            part("Diff".to_owned(), Body::Diff(text(&change.patch)));
        }
        Some(Self {
            id: one.id,
            stage: line(&stage.spec.id),
            goal: line(&one.goal),
            facts: facts(one, index, stage),
            parts,
        })
    }

    /// As Markdown. What models and tools wrote stands in fences or is escaped, so that it stays text there, too.
    pub fn markdown(&self) -> String {
        let mut md = format!("# {} of loop {}\n\n{}\n\n", capital(&self.stage), self.id, escaped(&self.goal));
        for (name, value) in &self.facts {
            md.push_str(&format!("- {name}: {}\n", escaped(value)));
        }
        for part in &self.parts {
            md.push_str(&format!("\n## {}\n\n", escaped(&part.heading)));
            match &part.body {
                Body::Text(text) => md.push_str(&fenced("text", &numbered(text))),
                Body::Diff(text) => md.push_str(&fenced("diff", text)),
                Body::Items(items) if items.is_empty() => md.push_str("None.\n"),
                Body::Items(items) => items.iter().for_each(|item| md.push_str(&bullet(item))),
            }
        }
        md
    }
}

fn facts(one: &Loop, index: StageIndex, stage: &Stage) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("stage", format!("{} of {}, {}", index.number(), one.stages.len(), stage.phase.name())),
        ("base", one.base.to_string()),
    ];
    if let Some(revision) = stage.revision() {
        let by = match &revision.origin {
            Origin::Model { model, exchange } => format!("{} in exchange {exchange}", line(&model.0)),
            Origin::Human { name } => format!("{}, by hand", line(name)),
        };
        facts.push(("revision", format!("{} by {by}, {}", revision.ordinal, revision.id)));
        facts.extend(revision.tree().map(|tree| ("tree", tree.to_string())));
    }
    facts.push(("evidence", crate::engine::evidence(one, index).digest().to_string()));
    facts.push(("to approve means", line(&stage.spec.means)));
    facts
}

fn finding(stage: &Stage, finding: &Finding) -> Item {
    let mut more: Vec<String> = quoted(stage, finding).into_iter().collect();
    if let Disposition::Dismissed(reason) = &finding.disposition {
        more.push(format!("set aside: {}", line(reason)));
    }
    for turn in &finding.thread {
        more.push(format!("asked the {}: {}", turn.to.name(), line(&turn.question)));
        match &turn.answer {
            Answer::Given(text) => {
                let mut lines = text.lines().filter(|text| !text.trim().is_empty()).map(line);
                more.extend(lines.next().map(|first| format!("the {} answered: {first}", turn.to.name())));
                more.extend(lines);
            }
            Answer::Failed(why) => more.push(format!("no answer: {}", line(why))),
            Answer::Awaited => more.push("the answer has not come yet".to_owned()),
        }
    }
    let place = Some(line(&finding.anchor.to_string()));
    Item { word: finding.severity.name().to_owned(), place, text: line(&finding.text), more }
}

/// The line of the artifact's text that a finding points at.
fn quoted(stage: &Stage, finding: &Finding) -> Option<String> {
    let crate::domain::Anchor::Line(number) = finding.anchor else { return None };
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    stage.revision()?.text.lines().nth(at).map(|text| format!("there: {}", line(text.trim())))
}

fn ran(run: &GateRun) -> Item {
    let mut more = Vec::new();
    if !run.verdict.satisfies() {
        more.extend(run.tail.lines().map(line));
    }
    let text = format!("{}: {}, {} ms", line(&run.gate), line(&run.summary), run.duration_ms);
    Item { word: run.verdict.name().to_owned(), place: None, text, more }
}

fn decided(stage: &Stage, ruling: &Ruling) -> Item {
    let decision = &ruling.decision;
    let revision =
        stage.revision_of(ruling).map_or_else(String::new, |revision| format!("revision {} ", revision.ordinal));
    let mut more: Vec<String> = decision.reason.iter().flat_map(|reason| reason.lines()).map(line).collect();
    more.extend(decision.gaps.iter().map(gap));
    let text = format!("{revision}by {}, on evidence {}", line(&decision.by.0), decision.evidence);
    Item { word: decision.verb.name().to_owned(), place: None, text, more }
}

fn gap(gap: &Gap) -> String {
    match gap {
        Gap::Unread(unread) => format!("gap: {} of {} parts were read", unread.seen, unread.total),
        Gap::UnreadFindings(unread) => format!("gap: {} of {} findings were read", unread.seen, unread.total),
        Gap::Gate { gate, .. } => format!("gap: gate {} was overridden", line(gate)),
        Gap::Blocker { text } => format!("gap: a blocker was set aside: {}", line(text)),
        Gap::NoCritique => "gap: no second model has reviewed the revision".to_owned(),
    }
}

fn line(text: &str) -> String {
    visible_line(&without_keys(text)).into_owned()
}

fn text(text: &str) -> String {
    visible(&without_keys(text.trim_end())).into_owned()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn numbered(text: &str) -> String {
    let wide = text.lines().count().to_string().len();
    text.lines().zip(1..).map(|(line, number)| format!("{number:>wide$} {line}").trim_end().to_owned() + "\n").collect()
}

/// A fence that nothing inside can end.
fn fenced(info: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{info}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

fn bullet(item: &Item) -> String {
    let place = item.place.as_ref().map(|place| format!(" `{}`", place.replace('`', "'"))).unwrap_or_default();
    let mut md = format!("- **{}**{place} {}\n", escaped(&item.word), escaped(&item.text));
    for more in &item.more {
        md.push_str(&format!("  - {}\n", escaped(more)));
    }
    md
}

/// Text that is no markup: no element, no image, no link.
fn escaped(text: &str) -> String {
    let mut md = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '<' | '[' | ']' | '*' | '_' | '`' | '\\' | '|' | '&') {
            md.push('\\');
        }
        md.push(c);
    }
    md
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_wrote_stays_text() {
        let text = "a\n````\n<img src=x>";
        assert_eq!(fenced("text", text), format!("`````text\n{text}\n`````\n"));
        assert_eq!(escaped("![x](http://y) <b>"), "!\\[x\\](http://y) \\<b>");
        let item = Item { word: "note".into(), place: Some("a`b".into()), text: "*t*".into(), more: vec!["m".into()] };
        assert_eq!(bullet(&item), "- **note** `a'b` \\*t\\*\n  - m\n");
        let key = format!("key sk-ant-{}\u{1b}", "A".repeat(30));
        assert_eq!(line(&key), "key sk-ant-***\\e");
    }
}
