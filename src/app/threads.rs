//! Asking about findings: the question to the critic or the author, and going between findings and what they point at.

use super::layout::Pane;
use super::model::{Model, Notice, Stream};
use super::overlay::Purpose;
use super::travel;
use crate::domain::{Anchor, Digest, Finding, Role, Timestamp, usual_question};
use crate::engine::{Event, Recorded, Stage};

impl Model {
    /// The finding that is selected, with its revision.
    fn selected_finding(&self) -> Option<(Digest, &Finding)> {
        let critique = self.stage()?.current_critique()?;
        Some((critique.revision, critique.findings.get(self.finding)?))
    }

    /// Why the selected finding can't be asked about now; none if it can.
    pub(super) fn cant_ask(&self, to: Role) -> Option<&'static str> {
        let Some((_, finding)) = self.selected_finding() else { return Some("there are no findings") };
        let can = self.is_live() && self.stage().is_some_and(Stage::can_be_asked);
        match (can, self.model_of(to), to) {
            (false, ..) => Some("the finding's revision is not under review"),
            (_, None, Role::Author) => Some("no author is configured"),
            (_, None, Role::Critic) => Some("no critic is configured"),
            _ if self.hides_findings() => Some("the findings are shown when you have read the artifact"),
            _ if finding.awaits_answer() => Some("an answer about this finding is on its way"),
            _ => None,
        }
    }

    /// The question to put, with what to say of it.
    pub(super) fn question(&self, to: Role) -> Option<(Purpose, String, String)> {
        let (revision, finding) = self.selected_finding()?;
        let purpose = Purpose::Question { revision, finding: self.finding, to };
        let who = self.model_of(to).map_or_else(|| to.name().to_owned(), ToString::to_string);
        let title = format!("Ask the {}, {who}, about: {}", to.name(), finding.text);
        let hint =
            format!("Empty asks: \"{}\" It is a call like any other, and it decides nothing.", usual_question(to));
        Some((purpose, title, hint))
    }

    /// The line of the artifact that a finding points at.
    pub(super) fn line_of(&self, anchor: &Anchor) -> Option<usize> {
        match anchor {
            Anchor::Line(number) => self.artifact.find_text_line(*number),
            Anchor::File { path, line } => self.artifact.find_file_line(path, *line),
            Anchor::Whole => Some(0),
        }
    }
}

/// Goes where the selected finding points; from the artifact, to the finding that points at the cursor, or at its part.
pub(super) fn jump(model: &mut Model) {
    if model.focus == Pane::Critique && model.hides_findings() {
        model.review.revealed = model.stage().and_then(|stage| stage.current);
        return;
    }
    if model.focus == model.wide_pane() {
        return to_finding(model);
    }
    let Some((_, finding)) = model.selected_finding() else { return };
    let anchor = finding.anchor.clone();
    match model.line_of(&anchor) {
        Some(line) => model.jumping(|model| {
            model.focus = model.wide_pane();
            travel::go_to_line(model, line);
        }),
        None => {
            let text = format!("{anchor} is not in this revision");
            model.notice = Some(Notice { text, is_error: true });
        }
    }
}

fn to_finding(model: &mut Model) {
    let cursor = model.cursor().unwrap_or(0);
    let part = model.part().map_or(cursor..cursor + 1, |part| part.from..part.to);
    let findings = model.shown_critique().map_or(&[][..], |critique| &critique.findings);
    let pointing = findings.iter().enumerate().filter(|(_, finding)| finding.anchor != Anchor::Whole);
    let lines = pointing.filter_map(|(index, finding)| Some((index, model.line_of(&finding.anchor)?)));
    let near = lines.filter(|(_, line)| part.contains(line)).min_by_key(|(_, line)| line.abs_diff(cursor));
    match near {
        Some((index, _)) => model.jumping(|model| {
            model.focus = Pane::Critique;
            model.finding = index;
        }),
        None => {
            let text = "no finding points at this part".to_owned();
            model.notice = Some(Notice { text, is_error: false });
        }
    }
}

/// Goes to the next finding that wasn't read; false if all were.
pub(super) fn to_unread(model: &mut Model) -> bool {
    let count = model.shown_critique().map_or(0, |critique| critique.findings.len());
    let unread = |index: &usize| !model.is_finding_read(*index);
    let here = if model.focus == Pane::Critique { model.finding + 1 } else { 0 };
    let Some(next) = (here..count).find(unread).or_else(|| (0..count).find(unread)) else { return false };
    model.jumping(|model| {
        model.focus = Pane::Critique;
        model.finding = next;
    });
    true
}

/// Keeps the answers on their way in step with the record.
pub(super) fn event(model: &mut Model, recorded: &Recorded) {
    match &recorded.event {
        Event::Questioned { finding, .. } if *finding == model.finding => {
            model.scroll_mut(Pane::Critique).follow = true;
        }
        Event::Asked { finding: Some(finding), model: name, .. } => {
            let stream = Stream { model: Some(name.clone()), since: recorded.at, ..Stream::default() };
            model.live.answers.insert(*finding, stream);
        }
        Event::Replied { finding, .. } => drop(model.live.answers.remove(finding)),
        Event::ReplyFailed { finding, why, .. } => {
            model.live.answers.remove(finding);
            let text = format!("no answer about finding {}: {why}", finding + 1);
            model.notice = Some(Notice { text, is_error: true });
        }
        Event::Drafted { .. } | Event::Decided { .. } | Event::Critiqued { .. } | Event::Reopened { .. } => {
            model.live.answers.clear();
        }
        _ => {}
    }
}

impl Model {
    /// Whether an answer waits for its next attempt.
    pub(super) fn answers_wait(&self, now: Timestamp) -> bool {
        let mut waiting = self.live.answers.values().filter_map(|stream| stream.waiting.as_ref());
        waiting.any(|waiting| waiting.until > now)
    }
}
