//! The critique in its pane: which rows the findings and what was said of them take, which of them are in sight, and how
//! much was read. Drawing, scrolling and read-tracking share the answer.
//!
//! A finding is read as a hunk is: all of its text, and of the answers about it, stood still in the focused pane. What a
//! human asked or decided themselves needn't be read.

use std::cell::RefCell;
use std::ops::Range;

use super::doc::Doc;
use super::layout::Pane;
use super::model::Model;
use super::scroll::Scroll;
use super::wrap;
use crate::domain::{Answer, Critique, Digest, DigestBuilder, Disposition, Finding, Role, Turn, Unread, visible_line};

/// Columns by which the text of a finding is indented, and an answer twice.
const INDENT: usize = 2;

/// The most rows of an answer on its way: its end stays in sight.
const ARRIVING_MOST: usize = 6;

/// What there is to read of a critique: a part for each finding, and for each answer about one.
#[derive(Debug, Clone, Default)]
pub(super) struct Objections {
    doc: Doc,
    /// The finding of each part.
    of: Vec<usize>,
    /// Where its lines break at the width asked for last: a finding may be a megabyte long.
    broken: RefCell<Broken>,
}

/// The rows of every line at a width; none of a line that nobody has asked for.
#[derive(Debug, Clone, Default)]
struct Broken {
    width: usize,
    lines: Vec<Vec<Range<usize>>>,
}

/// What a row of the pane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingPart {
    /// Severity and anchor.
    Head,
    /// What the finding says.
    Text,
    /// Why it was set aside.
    Aside,
    /// What was asked about it.
    Question,
    /// What was answered.
    Answer,
    /// That there is no answer, and why.
    Failure,
    /// Who answers now, or is waited for.
    Awaited,
    /// What has come of the answer on its way.
    Arriving,
    /// Nothing.
    Blank,
}

impl FindingPart {
    /// Columns left free before it.
    const fn indent(self) -> usize {
        match self {
            Self::Head | Self::Blank => 0,
            Self::Text | Self::Aside | Self::Question => INDENT,
            Self::Answer | Self::Failure | Self::Awaited | Self::Arriving => 2 * INDENT,
        }
    }
}

/// A row of the critique pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// The finding it belongs to.
    pub finding: usize,
    /// What it is.
    pub part: FindingPart,
    /// What it says, indented; nothing for the head, which the view writes, and for what is read, see
    /// [`Model::row_text`].
    text: String,
    /// The line to be read, and the part of it in this row.
    read: Option<(usize, Range<usize>)>,
}

impl Objections {
    /// What there is to read of `critique`.
    pub(super) fn of(critique: Option<&Critique>) -> Self {
        let mut parts: Vec<(Digest, &str)> = Vec::new();
        let mut of = Vec::new();
        for (index, finding) in critique.iter().flat_map(|critique| critique.findings.iter().enumerate()) {
            for text in texts(finding) {
                let same = parts.iter().filter(|(_, known)| *known == text).count();
                parts.push((digest_of(finding, text, same), text));
                of.push(index);
            }
        }
        Self { doc: Doc::of_parts(&parts), of, broken: RefCell::default() }
    }

    /// Where a line breaks that is indented by so much in a pane of this width.
    fn rows(&self, width: usize, line: usize, indent: usize) -> Vec<Range<usize>> {
        let mut broken = self.broken.borrow_mut();
        if broken.width != width || broken.lines.len() != self.doc.len() {
            *broken = Broken { width, lines: vec![Vec::new(); self.doc.len()] };
        }
        let Some(rows) = broken.lines.get_mut(line) else { return Vec::new() };
        if rows.is_empty() {
            let text = self.doc.line(line).map(|line| line.text).unwrap_or_default();
            *rows = wrap::rows(&text, width.saturating_sub(indent).max(1), 0);
        }
        rows.clone()
    }

    /// What there is to read, a part for each text.
    pub(super) const fn doc(&self) -> &Doc {
        &self.doc
    }
}

/// What is to be read of a finding: its text, then the answers.
fn texts(finding: &Finding) -> impl Iterator<Item = &str> {
    std::iter::once(finding.text.as_str()).chain(finding.thread.iter().filter_map(Turn::given))
}

/// Findings are known by what they say: in the next revision, what was read and says the same is read.
fn digest_of(finding: &Finding, text: &str, same: usize) -> Digest {
    let builder = DigestBuilder::new("finding-part").text("severity", finding.severity.name());
    let builder = builder.text("anchor", &finding.anchor.to_string()).text("finding", &finding.text);
    builder.text("text", text).field("same", &(same as u64).to_le_bytes()).finish()
}

impl Model {
    /// The critique that is shown, if it has findings and none is on its way.
    pub fn shown_critique(&self) -> Option<&Critique> {
        let critique = self.stage()?.current_critique().filter(|critique| !critique.findings.is_empty())?;
        (self.live.critic.is_none() && !self.hides_findings()).then_some(critique)
    }

    /// Whether the findings wait until the artifact was read, as the person has configured.
    pub fn hides_findings(&self) -> bool {
        let unread = self.unread();
        let shown = self.stage().and_then(|stage| stage.current);
        self.host.reveals_after_reading
            && self.is_live()
            && unread.seen < unread.total
            && self.review.revealed != shown
            && !self.is_plain
    }

    /// How many findings were read.
    pub fn unread_findings(&self) -> Unread {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let total = self.stage().and_then(|stage| stage.current_critique()).map_or(0, |one| one.findings.len());
        let seen = (0..total).filter(|finding| self.is_finding_read(*finding)).count();
        Unread { seen: count(seen), total: count(total) }
    }

    /// Whether all of a finding was read, or a human set it aside.
    pub fn is_finding_read(&self, finding: usize) -> bool {
        let critique = self.stage().and_then(|stage| stage.current_critique());
        let aside = critique.and_then(|critique| critique.findings.get(finding));
        let units = self.objections.doc.units().iter().zip(&self.objections.of);
        aside.is_some_and(|finding| finding.disposition != Disposition::Open)
            || units.filter(|(_, of)| **of == finding).all(|(unit, _)| self.reading.is_seen(&unit.digest))
    }

    /// The rows of the critique pane in this width.
    pub fn finding_rows(&self, width: usize) -> Vec<FindingRow> {
        let Some(critique) = self.shown_critique() else { return Vec::new() };
        let mut rows = Rows { all: Vec::new(), finding: 0, width };
        let mut unit = 0;
        for (index, finding) in critique.findings.iter().enumerate() {
            rows.finding = index;
            rows.push(FindingPart::Head, String::new(), None);
            rows.readable(&self.objections, unit, FindingPart::Text);
            unit += 1;
            if let Disposition::Dismissed(reason) = &finding.disposition {
                rows.said(FindingPart::Aside, &format!("set aside: {reason}"));
            }
            for turn in &finding.thread {
                let question = format!("to the {}: {}", turn.to.name(), turn.question);
                rows.said(FindingPart::Question, &question);
                match &turn.answer {
                    Answer::Given(_) => {
                        rows.readable(&self.objections, unit, FindingPart::Answer);
                        unit += 1;
                    }
                    Answer::Failed(why) => rows.said(FindingPart::Failure, &format!("no answer: {why}")),
                    Answer::Awaited => self.awaited(&mut rows, index, turn.to),
                }
            }
            rows.push(FindingPart::Blank, String::new(), None);
        }
        rows.all
    }

    /// An answer on its way.
    fn awaited(&self, rows: &mut Rows, finding: usize, to: Role) {
        let Some(stream) = self.live.answers.get(&finding) else {
            rows.said(FindingPart::Awaited, &format!("the {} is being asked", to.name()));
            return;
        };
        let name = stream.model.as_ref().map_or_else(|| to.name().to_owned(), ToString::to_string);
        let waiting = stream.waiting.as_ref().filter(|waiting| waiting.until > self.now);
        let said = match waiting {
            Some(waiting) => format!("{name} is asked again soon: {}", waiting.why),
            None if stream.doc.is_empty() && stream.reasoning > 0 => format!("{name} is thinking"),
            None => format!("{name} answers"),
        };
        rows.said(FindingPart::Awaited, &said);
        let width = rows.room(FindingPart::Arriving.indent());
        let mut last: Vec<String> = Vec::new();
        for (_, line) in stream.doc.lines_from(0).rev() {
            let wrapped = wrap::rows(&line.text, width, 0);
            last.extend(wrapped.into_iter().rev().filter_map(|range| line.text.get(range)).map(str::to_owned));
            if last.len() >= ARRIVING_MOST {
                break;
            }
        }
        last.truncate(ARRIVING_MOST);
        for text in last.iter().rev() {
            let indent = FindingPart::Arriving.indent();
            rows.push(FindingPart::Arriving, format!("{:indent$}{text}", ""), None);
        }
    }

    /// What a row says, indented.
    pub fn row_text(&self, row: &FindingRow) -> String {
        let Some((line, range)) = &row.read else { return row.text.clone() };
        let text = self.objections.doc.line(*line).map(|line| line.text).unwrap_or_default();
        let indent = row.part.indent();
        format!("{:indent$}{}", "", text.get(range.clone()).unwrap_or_default().trim_end())
    }

    /// Columns and rows of the critique pane's inside.
    pub fn critique_room(&self) -> (usize, usize) {
        let area = self.screen().pane(Pane::Critique).unwrap_or_default();
        (usize::from(area.width.saturating_sub(2)), usize::from(area.height.saturating_sub(1)))
    }

    /// The first row in sight: the selected finding is, as far as there is room; its end, while an answer about it comes.
    pub fn critique_top(&self, rows: &[FindingRow], height: usize) -> usize {
        let scroll = self.scroll(Pane::Critique);
        if scroll.follow {
            return extent(rows, self.finding).end.saturating_sub(height);
        }
        top(rows, self.finding, scroll.line, height)
    }

    /// Moves through the critique by rows where the selected finding goes on, else by findings.
    pub(super) fn scroll_critique(&mut self, steps: isize) {
        let (width, height) = self.critique_room();
        let rows = self.finding_rows(width);
        let count = rows.last().map_or(0, |row| row.finding + 1);
        let mut place = self.critique_top(&rows, height);
        for _ in 0..steps.unsigned_abs().min(rows.len()) {
            let here = extent(&rows, self.finding);
            if steps > 0 && here.end > place + height {
                place += 1;
            } else if steps < 0 && here.start < place {
                place -= 1;
            } else {
                let next = self.finding.saturating_add_signed(steps.signum()).min(count.saturating_sub(1));
                if next == self.finding {
                    break;
                }
                self.finding = next;
                place = top(&rows, next, place, height);
            }
        }
        let scroll = self.scroll_mut(Pane::Critique);
        *scroll = Scroll { line: place, follow: false, ..*scroll };
    }

    /// What is in sight of what is to be read: each line with the part of its text, in bytes.
    pub(super) fn critique_parts(&self) -> Vec<(usize, Range<usize>)> {
        let (width, height) = self.critique_room();
        let rows = self.finding_rows(width);
        let from = self.critique_top(&rows, height);
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        for (line, range) in rows.iter().skip(from).take(height).filter_map(|row| row.read.clone()) {
            match parts.last_mut().filter(|(known, _)| *known == line) {
                Some((_, known)) => known.end = range.end,
                None => parts.push((line, range)),
            }
        }
        parts
    }

    /// Whether the findings are in the focused pane with nothing in front.
    pub(super) fn is_reading_findings(&self) -> bool {
        !self.is_plain
            && self.overlays.is_empty()
            && self.focus == Pane::Critique
            && self.is_reachable(Pane::Critique)
            && self.shown_critique().is_some()
    }

    fn is_reachable(&self, pane: Pane) -> bool {
        self.screen().pane(pane).is_some()
    }

    /// Notes that a human says they have read every finding.
    pub fn say_findings_read(&mut self) {
        for unit in self.objections.doc.units() {
            self.reading.say_read(unit.digest);
        }
    }
}

/// The rows of a finding, the blank one after it apart.
fn extent(rows: &[FindingRow], finding: usize) -> Range<usize> {
    let from = rows.partition_point(|row| row.finding < finding);
    let to = rows.partition_point(|row| row.finding <= finding);
    from..to.saturating_sub(1).max(from)
}

/// The first row in sight nearest to `place` with which the finding is in sight, as far as there is room.
fn top(rows: &[FindingRow], finding: usize, place: usize, height: usize) -> usize {
    let here = extent(rows, finding);
    let last = here.end.saturating_sub(height);
    if here.len() <= height { place.min(here.start).max(last) } else { place.clamp(here.start, last) }
}

/// Rows in the making.
struct Rows {
    all: Vec<FindingRow>,
    finding: usize,
    width: usize,
}

impl Rows {
    fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent).max(1)
    }

    fn push(&mut self, part: FindingPart, text: String, read: Option<(usize, Range<usize>)>) {
        self.all.push(FindingRow { finding: self.finding, part, text, read });
    }

    /// Words that needn't be read.
    fn said(&mut self, part: FindingPart, text: &str) {
        let indent = part.indent();
        for line in text.lines() {
            let shown = visible_line(line);
            for range in wrap::rows(&shown, self.room(indent), 0) {
                let text = shown.get(range).unwrap_or_default().trim_end();
                self.push(part, format!("{:indent$}{text}", ""), None);
            }
        }
    }

    /// A part of what is to be read.
    fn readable(&mut self, objections: &Objections, unit: usize, part: FindingPart) {
        let Some(unit) = objections.doc.units().get(unit) else { return };
        for line in unit.from..unit.to {
            for range in objections.rows(self.width, line, part.indent()) {
                self.push(part, String::new(), Some((line, range)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(heights: &[usize]) -> Vec<FindingRow> {
        let row = |finding, part| FindingRow { finding, part, text: String::new(), read: None };
        let of = |(finding, height): (usize, &usize)| {
            let mut rows = vec![row(finding, FindingPart::Text); *height];
            rows.push(row(finding, FindingPart::Blank));
            rows
        };
        heights.iter().enumerate().flat_map(of).collect()
    }

    #[test]
    fn the_selected_finding_is_in_sight_and_one_that_is_too_tall_is_scrolled_through() {
        let rows = rows(&[2, 3, 20, 2]);
        // Rows: 0..2, 3..6, 7..27, 28..30.
        assert_eq!(top(&rows, 0, 0, 8), 0);
        assert_eq!(top(&rows, 1, 0, 8), 0, "it is in sight already");
        assert_eq!(top(&rows, 2, 0, 8), 7, "its beginning comes first");
        assert_eq!(top(&rows, 2, 12, 8), 12, "and it can be scrolled through");
        assert_eq!(top(&rows, 2, 99, 8), 19, "to its end");
        assert_eq!(top(&rows, 3, 19, 8), 22);
        assert_eq!(top(&rows, 1, 22, 8), 3);
        assert_eq!(top(&[], 0, 5, 8), 0);
    }
}
