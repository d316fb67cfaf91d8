//! Sections of an artifact with all that stands below their heading, deeper headings included.

use super::{Evidence, Judgement, count};
use crate::domain::{Verdict, sections};

/// A line of text and its number in the artifact, counted from 1.
pub(super) type Line<'a> = (u32, &'a str);

/// The lines below each heading of that name, down to the next heading of the same or a higher level; the deeper
/// headings themselves left out. None if there is no such heading.
pub(super) fn lines_below<'a>(text: &'a str, heading: &str) -> Option<Vec<Line<'a>>> {
    let all: Vec<&str> = text.lines().collect();
    let level = |line: u32| {
        let line = all.get(line as usize - 1).unwrap_or(&"");
        line.trim_start().bytes().take_while(|byte| *byte == b'#').count()
    };
    let mut found = None;
    // The level of the wanted heading while inside of its part of the text.
    let mut inside: Option<usize> = None;
    for section in sections(text) {
        let own = level(section.line);
        if section.is(heading) {
            inside = Some(own);
        } else if inside.is_some_and(|outer| own <= outer) {
            inside = None;
        }
        if inside.is_some() {
            let lines: &mut Vec<Line<'a>> = found.get_or_insert_default();
            lines.extend((section.line + 1..).zip(section.body.lines()));
        }
    }
    found
}

pub(super) fn sections_present(evidence: &Evidence<'_>) -> Judgement {
    let wanted = &evidence.spec.sections;
    let mut problems = Vec::new();
    for heading in wanted {
        match lines_below(&evidence.revision.text, heading) {
            None => problems.push(format!("{heading} is missing")),
            Some(lines) if lines.iter().all(|(_, line)| line.trim().is_empty()) => {
                problems.push(format!("{heading} is empty"));
            }
            Some(_) => {}
        }
    }
    if problems.is_empty() {
        return (Verdict::Pass, format!("{} there", count(wanted.len(), "section")), String::new());
    }
    let remedy = format!("write each of these as a heading with text below: {}", wanted.join(", "));
    (Verdict::Fail, problems.join("; "), remedy)
}

/// `line` with its back-quoted code blanked out.
pub(super) fn without_code(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let after = from.trim_start_matches('`');
        let fence = from.strip_suffix(after).unwrap_or(from);
        match closing(after, fence) {
            Some(end) => {
                kept.push(' ');
                rest = end;
            }
            // A quote that nothing closes is a character like any other.
            None => {
                kept.push_str(fence);
                rest = after;
            }
        }
    }
    kept + rest
}

/// What follows the run of back quotes in `text` that is exactly as long as `fence`.
fn closing<'a>(text: &'a str, fence: &str) -> Option<&'a str> {
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let from = rest.split_at(start).1;
        let after = from.trim_start_matches('`');
        if from.len() - after.len() == fence.len() {
            return Some(after);
        }
        rest = after;
    }
    None
}

/// The lines that are prose: fenced code left out.
pub(super) fn prose<'a>(lines: Vec<Line<'a>>) -> impl Iterator<Item = Line<'a>> {
    let mut fenced = false;
    lines.into_iter().filter(move |(_, line)| {
        let fence = ["```", "~~~"].iter().any(|fence| line.trim_start().starts_with(fence));
        fenced ^= fence;
        !fenced && !fence
    })
}
