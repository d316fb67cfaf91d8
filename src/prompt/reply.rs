//! What is made of a reply: the artifact's text, what it lacks, and the words it is sent back with.

use super::thread::said_of;
use crate::domain::{ArtifactKind, Criterion, Disposition, Finding, StageSpec, sections};

/// The artifact in a reply. Two wrappings that models add are taken off, each only where it is unmistakable:
///
/// - `<think>...</think>` blocks at the very beginning (further down they may be part of a file);
/// - one fence marked `markdown` or `md` around the whole of what remains.
///
/// Anything else stays as it is and is shown, words before the first heading and unclosed wrappings included. The
/// exchange keeps the reply byte for byte.
pub fn unwrap_reply(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, after)) =
        rest.trim_start().strip_prefix("<think>").and_then(|thought| thought.split_once("</think>"))
    {
        rest = after.trim_start();
    }
    fenced_whole(rest).unwrap_or(rest)
}

/// The inside of the one Markdown fence that `text` consists of.
fn fenced_whole(text: &str) -> Option<&str> {
    let (first, rest) = text.trim().split_once('\n')?;
    let fence = first.get(..first.bytes().take_while(|b| *b == b'`').count())?;
    if fence.len() < 3 || !matches!(first.trim_start_matches('`').trim(), "markdown" | "md") {
        return None;
    }
    let mut inside_other = false;
    let mut offset = 0;
    for line in rest.split_inclusive('\n') {
        if let Some(info) = line.trim_end().strip_prefix(fence) {
            match (inside_other, info.trim_start_matches('`').is_empty()) {
                // The first bare fence outside another one closes ours; it must be the end of the reply.
                (false, true) => return if rest.len() == offset + line.len() { rest.get(..offset) } else { None },
                (true, true) => inside_other = false,
                (_, false) => inside_other = true,
            }
        }
        offset += line.len();
    }
    None
}

/// What an answer lacks to be an artifact of this stage, in words that can be sent back to its author.
pub fn missing(spec: &StageSpec, text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return vec!["The answer is empty.".to_owned()];
    }
    let found = sections(text);
    let level = |line: u32| {
        let line = text.lines().nth(line.saturating_sub(1) as usize).unwrap_or("");
        line.trim_start().bytes().take_while(|b| *b == b'#').count()
    };
    let mut lacks = Vec::new();
    for heading in &spec.sections {
        let Some(index) = found.iter().position(|section| section.is(heading)) else {
            lacks.push(format!("There is no section \"{heading}\": add the heading \"## {heading}\" and its text."));
            continue;
        };
        let mut from_here = found.iter().skip(index);
        let Some(section) = from_here.next() else { continue };
        let has_subsection = from_here.next().is_some_and(|next| level(next.line) > level(section.line));
        if section.body.trim().is_empty() && !has_subsection {
            lacks.push(format!("The section \"{heading}\" is empty."));
        }
    }
    let criteria = found.iter().find(|section| section.is("Acceptance criteria"));
    if spec.artifact == ArtifactKind::Constraint
        && criteria.is_some_and(|section| section.items().all(|item| Criterion::read(item).is_none()))
    {
        lacks.push(
            "The section \"Acceptance criteria\" has no measurable line: add one such as \"- reading_name <= 0.5x\"."
                .to_owned(),
        );
    }
    lacks
}

/// What an author is told when a draft comes back: the human's reason, the findings nobody has dismissed with what was
/// said of them, and what deterministic checks found. Empty parts are left out.
pub fn feedback(reason: &str, findings: &[Finding], problems: &[String]) -> String {
    let mut parts = Vec::new();
    if !reason.trim().is_empty() {
        parts.push(format!("The human sent this draft back, and this counts most:\n\n{}\n", reason.trim()));
    }
    let open = findings.iter().filter(|finding| finding.disposition == Disposition::Open);
    let open: String =
        open.map(|f| format!("- {} {} - {}\n{}", f.severity.name(), f.anchor, f.text, said_of(f))).collect();
    if !open.is_empty() {
        parts.push(format!("The critic's open findings (lines are those of the last draft):\n\n{open}"));
    }
    let problems: String = problems.iter().map(|problem| format!("- {}\n", problem.replace('\n', "\n  "))).collect();
    if !problems.is_empty() {
        parts.push(format!("Checks found:\n\n{problems}"));
    }
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Measure;

    #[test]
    fn only_unmistakable_wrappings_come_off() {
        for (reply, artifact) in [
            ("# Plan\n", "# Plan\n"),
            ("Sure, here it is:\n\n# Plan\n", "Sure, here it is:\n\n# Plan\n"),
            ("```markdown\n# Plan\n```", "# Plan\n"),
            ("\n```md\n# Plan\n```sh\nls\n```\nend\n```\n\n", "# Plan\n```sh\nls\n```\nend\n"),
            ("````markdown\n# Plan\n```\nls\n```\n````\n", "# Plan\n```\nls\n```\n"),
            ("<think>\nhm ```markdown\n</think>\n\n# Plan\n", "# Plan\n"),
            ("<think>a</think><think>b</think>```md\nx\n```", "x\n"),
            // Not one fence around the whole, not Markdown, or not closed: left alone.
            ("```markdown\na\n```\nb\n```sh\nc\n```", "```markdown\na\n```\nb\n```sh\nc\n```"),
            ("```diff\n-a\n```", "```diff\n-a\n```"),
            ("```markdown\n# Plan\n", "```markdown\n# Plan\n"),
            ("<think>never ends", "<think>never ends"),
            ("a <think>b</think>", "a <think>b</think>"),
            ("", ""),
        ] {
            assert_eq!(unwrap_reply(reply), artifact, "{reply:?}");
        }
    }

    #[test]
    fn what_is_missing_is_said_in_words_to_send_back() {
        let spec = StageSpec {
            id: "constraint".into(),
            artifact: ArtifactKind::Constraint,
            drafts: String::new(),
            asks: String::new(),
            means: String::new(),
            sections: ["Constraint", "Evidence", "Target", "Acceptance criteria"].map(String::from).to_vec(),
            criteria: vec![],
            gates: vec![],
            runs_commands: false,
            measure: Measure::Base,
            budget_lines: 120,
            lands: false,
        };
        let whole =
            "## Constraint\nc\n## evidence:\n### Readings\nr\n## Target\nt\n## Acceptance criteria\n- t <= 0.5x\n";
        assert_eq!(missing(&spec, whole), Vec::<String>::new());
        let broken = whole.replace("t\n## Acc", "\n## Acc").replace("## Constraint\n", "").replace("t <= 0.5x", "fast");
        let lacks = missing(&spec, &broken);
        assert_eq!(lacks.len(), 3, "{lacks:?}");
        assert!(lacks[0].contains("no section \"Constraint\""));
        assert_eq!(lacks[1], "The section \"Target\" is empty.");
        assert!(lacks[2].contains("no measurable line"));
        assert_eq!(missing(&spec, " \n"), ["The answer is empty."]);
    }

    #[test]
    fn feedback_leads_with_the_human_and_leaves_out_what_was_dismissed() {
        let mut findings: Vec<Finding> =
            ["blocker line 4 - moves it", "minor whole - long"].iter().filter_map(|line| line.parse().ok()).collect();
        findings[1].disposition = Disposition::Dismissed("fine".into());
        let text = feedback("Do less.", &findings, &["a.rs: hunk 1\ndoes not match".into()]);
        assert!(text.contains("\n\nDo less.\n"));
        assert!(text.contains("- blocker line 4 - moves it\n") && !text.contains("long"));
        assert!(text.ends_with("- a.rs: hunk 1\n  does not match\n"));
        assert_eq!(feedback(" ", &[], &[]), "");
    }
}
