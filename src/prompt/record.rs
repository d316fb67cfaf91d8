//! The decision record of a loop, in the form of MADR 4.0.0 (<https://adr.github.io/madr/>), and its file name.
//!
//! The record is part of the tree whose landing it describes, so it ends with the decisions before the last one; the
//! decision that lands it is in the commit's trailers.

use crate::domain::{Change, Decision, Finding, Gap, GateRun, Origin, Person, Revision, Verb, sections};

/// Longest slug, in bytes.
const MAX_SLUG: usize = 60;

/// One decision of the loop, with what it was about.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// The stage's name.
    pub stage: &'a str,
    /// The revision it was made on.
    pub revision: &'a Revision,
    /// The decision.
    pub decision: &'a Decision,
    /// What the critic had found by then that no human had dismissed.
    pub open: &'a [Finding],
    /// When it was made, as a person reads it (`2026-11-21 12:30 UTC`).
    pub when: &'a str,
}

/// Everything a record is made from.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// `yyyy-mm-dd`.
    pub date: &'a str,
    /// What was decided, in a few words.
    pub title: &'a str,
    /// The effort's goal.
    pub goal: &'a str,
    /// Who decided.
    pub people: &'a [Person],
    /// The approved constraint.
    pub constraint: &'a str,
    /// The approved plan.
    pub plan: &'a Revision,
    /// The approved change.
    pub change: &'a Change,
    /// Who wrote the change.
    pub written_by: &'a Origin,
    /// The outcome under decision.
    pub outcome: &'a str,
    /// The decisions so far, oldest first.
    pub steps: &'a [Step<'a>],
    /// The gate runs that judged the change.
    pub gates: &'a [GateRun],
    /// The readings, as a Markdown table.
    pub readings: &'a str,
    /// Who objected.
    pub critic: &'a str,
}

/// The record's Markdown.
pub fn record(of: &Record) -> String {
    let mut out = Writer(String::new());
    out.front_matter(of);
    out.block(&format!("# {}", one_line(of.title)));

    out.block("## Context and Problem Statement");
    out.block(&format!("Goal: {}", one_line(of.goal)));
    out.block(section(of.constraint, "Constraint"));
    out.block(section(of.constraint, "Evidence"));

    out.block("## Decision Drivers");
    out.block(section(of.constraint, "Target"));
    out.block(section(of.constraint, "Acceptance criteria"));

    let chosen = format!("plan {}: {}", of.plan.ordinal, gist(&of.plan.text));
    out.block("## Considered Options");
    out.list(sent_back(of.steps).chain([format!("{chosen} (chosen)")]));

    out.block("## Decision Outcome");
    out.block(&format!("Chosen: {chosen}"));
    out.block(section(&of.plan.text, "Change"));
    out.list(of.change.files.iter().map(|f| format!("`{}` (+{} -{})", one_line(&f.path), f.added, f.removed)));

    out.block("### Consequences");
    out.block(section(of.outcome, "Downstream"));
    out.labelled("Risks", section(&of.plan.text, "Risks"));
    out.labelled("Rollback", section(&of.plan.text, "Rollback"));
    out.labelled("Next constraint", section(of.outcome, "Next constraint"));

    out.block("### Confirmation");
    out.block(section(of.outcome, "Result"));
    out.block(of.readings);
    out.list(
        of.gates
            .iter()
            .map(|run| format!("gate `{}`: {}, {}", one_line(&run.gate), run.verdict.name(), one_line(&run.summary))),
    );

    out.block("## More Information");
    out.block(&format!(
        "Plan by {}, change by {}, reviewed by `{}`. Decisions before landing:",
        writer(&of.plan.origin),
        writer(of.written_by),
        one_line(of.critic)
    ));
    out.list(of.steps.iter().map(decision));
    out.0
}

/// Blocks of Markdown, one blank line apart; empty ones are left out.
struct Writer(String);

impl Writer {
    fn front_matter(&mut self, of: &Record) {
        let people: Vec<String> = of.people.iter().map(|Person(name)| yaml_string(name)).collect();
        self.0.push_str(&format!(
            "---\nstatus: accepted\ndate: {}\ndecision-makers: [{}]\n---\n",
            one_line(of.date),
            people.join(", ")
        ));
    }

    fn block(&mut self, text: &str) {
        let text = text.trim_matches('\n').trim_end();
        if !text.is_empty() {
            self.0.push('\n');
            self.0.push_str(text);
            self.0.push('\n');
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        if !text.trim().is_empty() {
            // A list begins on a line of its own, or it is none.
            let gap = if text.trim_start().starts_with(['-', '*', '+', '1']) { "\n\n" } else { " " };
            self.block(&format!("**{label}.**{gap}{}", text.trim()));
        }
    }

    fn list(&mut self, items: impl Iterator<Item = String>) {
        self.block(&items.map(|item| format!("* {item}\n")).collect::<String>());
    }
}

fn sent_back<'a>(steps: &'a [Step<'a>]) -> impl Iterator<Item = String> + 'a {
    steps.iter().filter(|step| step.decision.verb == Verb::Revise).map(|step| {
        format!(
            "{} {}: {} (sent back: {})",
            one_line(step.stage),
            step.revision.ordinal,
            gist(&step.revision.text),
            one_line(step.decision.reason.as_deref().unwrap_or("no reason recorded"))
        )
    })
}

fn decision(step: &Step) -> String {
    let Decision { verb, evidence, by, reason, gaps, .. } = step.decision;
    let mut line = format!(
        "{} {}: {} by {}, {}, evidence `{evidence}`",
        one_line(step.stage),
        step.revision.ordinal,
        verb.name(),
        one_line(&by.0),
        one_line(step.when)
    );
    if let Some(reason) = reason {
        line.push_str(&format!(". Reason: {}", one_line(reason)));
    }
    for gap in gaps {
        line.push_str(&format!(". Despite: {}", gap_words(gap)));
    }
    for Finding { severity, anchor, text, .. } in step.open {
        line.push_str(&format!("\n  * open: {} {anchor}, {}", severity.name(), one_line(text)));
    }
    line
}

fn writer(origin: &Origin) -> String {
    match origin {
        Origin::Model { model, .. } => format!("`{}`", one_line(&model.0)),
        Origin::Human { name } => format!("{}, by hand", one_line(name)),
    }
}

fn gap_words(gap: &Gap) -> String {
    match gap {
        Gap::Unread(unread) => format!("{} of {} parts read", unread.seen, unread.total),
        Gap::UnreadFindings(unread) => format!("{} of {} findings read", unread.seen, unread.total),
        Gap::Gate { gate, verdict: Some(verdict) } => format!("gate `{}` said {}", one_line(gate), verdict.name()),
        Gap::Gate { gate, verdict: None } => format!("gate `{}` never ran on this content", one_line(gate)),
        Gap::Blocker { text } => format!("blocker dismissed: {}", one_line(text)),
        Gap::NoCritique => "no critique of this revision".to_owned(),
    }
}

fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    sections(text).into_iter().find(|section| section.is(heading)).map_or("", |section| section.body)
}

/// The first paragraph of a text, headings passed over, as one line.
fn gist(text: &str) -> String {
    let lines = text.lines().map(str::trim).skip_while(|line| line.is_empty() || line.starts_with('#'));
    one_line(&lines.take_while(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>().join(" "))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A YAML double-quoted scalar: what YAML cannot hold literally is escaped by code point.
fn yaml_string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in one_line(text).chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || c == '\u{feff}' => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// `title` as part of a file name: lower-case ASCII letters and digits with dashes between, at most 60 bytes, never
/// empty.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for word in title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let dash = usize::from(!slug.is_empty());
        if slug.len() + dash + word.len() > MAX_SLUG {
            if slug.is_empty() {
                slug.extend(word.chars().take(MAX_SLUG));
            }
            break;
        }
        if dash == 1 {
            slug.push('-');
        }
        slug.push_str(word);
    }
    slug.make_ascii_lowercase();
    if slug.is_empty() { "decision".to_owned() } else { slug }
}

/// The number after the greatest of those that begin the file names in `existing` (`0007-title.md`); 1 if there is none.
pub fn next_number(existing: &[String]) -> u32 {
    let numbers = existing.iter().filter_map(|name| {
        let (number, _) = name.strip_suffix(".md")?.split_once('-')?;
        number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse::<u32>().ok()).flatten()
    });
    numbers.max().unwrap_or(0).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Anchor, ArtifactKind, Details, Digest, Disposition, ExchangeId, FileStat, ModelId, RunId, Severity, Subject,
        Timestamp, Unread, Verdict,
    };

    fn plan(ordinal: u32, text: &str) -> Revision {
        Revision::new(ArtifactKind::Plan, ordinal, text.into(), None, Origin::Human { name: "Ada".into() })
    }

    fn decided(verb: Verb, reason: Option<&str>, gaps: Vec<Gap>) -> Decision {
        let by = Person("Ada <ada@example.org>".into());
        let reason = reason.map(str::to_owned);
        Decision { verb, evidence: Digest::of(b"evidence"), by, at: Timestamp(0), reason, gaps }
    }

    #[test]
    fn a_record_holds_the_whole_story() {
        let (first, second) =
            (plan(1, "# Plan\n\nShard it.\n"), plan(2, "## Change\nIndex\nby key.\n\n## Risks\nFew.\n"));
        let back = decided(Verb::Revise, Some("moves the\nbottleneck"), vec![]);
        let unread = Gap::Unread(Unread { seen: 2, total: 3 });
        let fine = decided(Verb::Approve, Some("small"), vec![unread, Gap::NoCritique]);
        let objection = Finding {
            severity: Severity::Blocker,
            anchor: Anchor::Whole,
            text: "the register\nis next".into(),
            disposition: Disposition::Open,
            thread: Vec::new(),
        };
        let step =
            |revision, decision, open| Step { stage: "plan", revision, decision, open, when: "2026-11-21 12:30 UTC" };
        let change = Change {
            base: "0".repeat(40).parse().unwrap(),
            tree: "1".repeat(40).parse().unwrap(),
            patch: "".into(),
            files: vec![FileStat { path: "lib/orders.awk".into(), added: 4, removed: 6 }],
            flags: vec![],
        };
        let run = GateRun {
            id: RunId(1),
            gate: "tests".into(),
            definition: Digest::of(b""),
            subject: Subject { revision: Digest::of(b""), tree: None },
            verdict: Verdict::Pass,
            summary: "exit 0".into(),
            tail: String::new(),
            spilled: None,
            started: Timestamp(0),
            duration_ms: 1,
            details: Details::default(),
            protection: String::new(),
        };
        let text = record(&Record {
            date: "2026-11-21",
            title: "Orders are indexed\nby id",
            goal: "ten times the orders",
            people: &[Person("Ada \"A\" <ada@example.org>".into())],
            constraint: "## Constraint\nThe scan.\n## Acceptance criteria\n- `t` <= 0.5x\n",
            plan: &second,
            change: &change,
            written_by: &Origin::Model { model: ModelId("a/x".into()), exchange: ExchangeId(1) },
            outcome: "## Result\nFaster.\n## Downstream\nNothing moved.\n## Next constraint\nThe register.\n",
            steps: &[step(&first, &back, &[objection]), step(&second, &fine, &[])],
            gates: &[run],
            readings: "| reading | before |\n|---|---|\n| t | 9 |\n",
            critic: "b/y",
        });
        assert!(text.starts_with(
            "---\nstatus: accepted\ndate: 2026-11-21\ndecision-makers: [\"Ada \\\"A\\\" <ada@example.org>\"]\n---\n\n\
             # Orders are indexed by id\n\n## Context and Problem Statement\n\nGoal: ten times the orders\n\nThe scan.\n"
        ));
        for expected in [
            "## Decision Drivers\n\n- `t` <= 0.5x\n",
            "* plan 1: Shard it. (sent back: moves the bottleneck)\n* plan 2: Index by key. (chosen)\n",
            "* `lib/orders.awk` (+4 -6)\n",
            "### Consequences\n\nNothing moved.\n\n**Risks.** Few.\n\n**Next constraint.** The register.\n",
            "### Confirmation\n\nFaster.\n\n| reading | before |\n|---|---|\n| t | 9 |\n\n* gate `tests`: pass, exit 0\n",
            "Plan by Ada, by hand, change by `a/x`, reviewed by `b/y`.",
            "Reason: moves the bottleneck\n  * open: blocker whole, the register is next\n* plan 2: approve by",
            "Reason: small. Despite: 2 of 3 parts read. Despite: no critique of this revision\n",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
        assert!(!text.contains("\n\n\n"));
    }

    #[test]
    fn slugs_are_safe_file_names() {
        for (title, expected) in [
            ("Orders are indexed by id", "orders-are-indexed-by-id"),
            ("  ../../etc/passwd  ", "etc-passwd"),
            ("10x: p95 < 3ms!", "10x-p95-3ms"),
            ("", "decision"),
            ("한글", "decision"),
        ] {
            assert_eq!(slug(title), expected, "{title:?}");
        }
        assert_eq!(slug(&"word ".repeat(40)).len(), 59);
        assert_eq!(slug(&"w".repeat(99)).len(), 60);
    }

    #[test]
    fn numbers_go_on_after_the_greatest() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(next_number(&[]), 1);
        assert_eq!(next_number(&names(&["0007-x.md", "0002-y.md", "README.md", "99-notes.txt", "-1-x.md"])), 8);
    }
}
