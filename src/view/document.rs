//! A document in a pane: numbers and marks at the left, prose or a diff at the right, long lines wrapped but never cut.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::Scene;
use super::paint::{line, row, styled, tint};
use crate::app::doc::{Doc, DocLine, Kind};
use crate::app::layout::{Area, Pane};
use crate::app::remarks::Opinion;
use crate::app::scroll::{GUTTER, Scroll, hang};
use crate::app::{Face, wrap};
use crate::domain::{Anchor, Severity};
use crate::engine::Stage;
use crate::theme::{Scope, Sign};

/// Draws the document of `pane` and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, pane: Pane, area: Area) -> Option<(u16, u16)> {
    let model = scene.model;
    let doc = model.doc(pane)?;
    let is_artifact = pane == model.wide_pane() && model.face() == Face::Artifact;
    let marks = if is_artifact { marks(scene, doc) } else { Vec::new() };
    let look = Look {
        marks: &marks,
        mark: model.mark.filter(|_| is_artifact),
        part: model.part().filter(|_| is_artifact && pane == model.focus).map(|part| part.from),
        tracks_reading: is_artifact,
        searches: pane == model.focus,
        gutter: true,
        commands: false,
    };
    lines(scene, buf, doc, model.scroll(pane), area, &look)
}

/// How a document is to be shown beside its text.
pub(super) struct Look<'a> {
    marks: &'a [(usize, Severity)],
    mark: Option<usize>,
    /// The first line of the part at the cursor.
    part: Option<usize>,
    tracks_reading: bool,
    searches: bool,
    gutter: bool,
    commands: bool,
}

impl Look<'_> {
    /// Plain output: no numbers, no marks.
    pub(super) const OUTPUT: Look<'static> = Look {
        marks: &[],
        mark: None,
        part: None,
        tracks_reading: false,
        searches: false,
        gutter: false,
        commands: false,
    };

    /// A configuration: its commands stand out, its comments step back.
    pub(super) const COMMANDS: Look<'static> = Look { commands: true, ..Self::OUTPUT };
}

/// The lines that findings point at, with the worst severity of each.
fn marks(scene: &Scene<'_>, doc: &Doc) -> Vec<(usize, Severity)> {
    let Some(stage) = scene.model.stage() else { return Vec::new() };
    let findings = stage.current_critique().map_or(&[][..], |critique| &critique.findings);
    let said = findings.iter().filter_map(|finding| {
        let at = match &finding.anchor {
            Anchor::Line(number) => doc.find_text_line(*number),
            Anchor::File { path, line } => doc.find_file_line(path, *line),
            Anchor::Whole => None,
        };
        Some((at?, finding.severity))
    });
    let mut found: Vec<(usize, Severity)> = Vec::new();
    for (at, severity) in said.chain(spots(scene, stage, doc)) {
        match found.iter_mut().find(|(line, _)| *line == at) {
            Some((_, known)) => *known = severity.max(*known),
            None => found.push((at, severity)),
        }
    }
    found
}

/// The lines that gates point at which aren't satisfied.
fn spots(scene: &Scene<'_>, stage: &Stage, doc: &Doc) -> Vec<(usize, Severity)> {
    let gates = scene.model.current().map(|one| one.gates(scene.model.stage_index())).unwrap_or_default();
    let mut found = Vec::new();
    for gate in &gates {
        let severity = if gate.enforcement.stops() { Severity::Major } else { Severity::Minor };
        let run = stage.fresh_run(gate).filter(|run| !run.verdict.satisfies());
        let spots = run.map_or(&[][..], |run| &run.details.spots);
        let lines = spots.iter().filter_map(|spot| doc.find_file_line(&spot.path, spot.lines.map(|(first, _)| first)));
        found.extend(lines.map(|line| (line, severity)));
    }
    found
}

/// Draws a document from a place in it.
pub(super) fn lines(
    scene: &Scene<'_>,
    buf: &mut Buffer,
    doc: &Doc,
    scroll: Scroll,
    area: Area,
    look: &Look<'_>,
) -> Option<(u16, u16)> {
    let gutter = if look.gutter { usize::from(GUTTER) } else { 1 };
    let width = usize::from(area.width).saturating_sub(gutter);
    let place = scroll.shown(doc, width, usize::from(area.height));
    let mut at = 0;
    let mut cursor = None;
    let mut skip = place.row;
    'lines: for (index, one) in doc.lines().iter().enumerate().skip(place.line) {
        let (base, runs) = styles(scene, doc, index, one, look);
        let indent = hang(one);
        let parts: Vec<Range<usize>> = if scroll.wrap {
            wrap::rows(&one.text, width, indent)
        } else {
            std::iter::once(0..one.text.len()).collect()
        };
        for (number, part) in parts.into_iter().enumerate().skip(skip) {
            let Some(place) = row(area, at) else { break 'lines };
            at += 1;
            if is_filled(one.kind) {
                tint(buf, place, base);
            }
            let mut spans =
                if look.gutter { gutter_of(scene, doc, index, one, number == 0, look) } else { vec![Span::raw(" ")] };
            if number > 0 && indent + 8 <= width {
                spans.push(Span::styled(" ".repeat(indent), base));
            }
            let part = if scroll.wrap { part } else { range_of(&one.text, scroll.left, width) };
            spans.extend(styled(&one.text, part, base, &runs));
            line(buf, place, &Line::from(spans));
            if look.part == Some(index) {
                tint(buf, place, scene.theme.style(Scope::Selection));
            }
            let is_cursor = look.mark.map_or(cursor.is_none(), |mark| mark == index && number == 0);
            if is_cursor {
                cursor = Some((place.x, place.y));
            }
        }
        skip = 0;
    }
    cursor
}

fn range_of(text: &str, left: usize, width: usize) -> Range<usize> {
    let shown = wrap::window(text, left, width);
    // The window is a part of the text itself, so its distance from the beginning is its place.
    let from = (shown.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    if shown.is_empty() { 0..0 } else { from..from + shown.len() }
}

const fn is_filled(kind: Kind) -> bool {
    matches!(kind, Kind::Plus | Kind::Minus | Kind::File)
}

fn gutter_of(
    scene: &Scene<'_>,
    doc: &Doc,
    index: usize,
    one: &DocLine,
    is_first: bool,
    look: &Look<'_>,
) -> Vec<Span<'static>> {
    let theme = scene.theme;
    let muted = theme.style(Scope::DiffGutter);
    let number = match one.number {
        Some(number) if is_first => format!("{:>4} ", number % 10_000),
        None if is_first => "     ".to_owned(),
        _ => "   \\ ".to_owned(),
    };
    let sign = match one.kind {
        Kind::Plus if is_first => Span::styled("+", theme.style(Scope::DiffPlus)),
        Kind::Minus if is_first => Span::styled("-", theme.style(Scope::DiffMinus)),
        Kind::Plus => Span::styled(" ", theme.style(Scope::DiffPlus)),
        Kind::Minus => Span::styled(" ", theme.style(Scope::DiffMinus)),
        _ => Span::raw(" "),
    };
    let severity = look.marks.iter().find(|(line, _)| *line == index).map(|(_, severity)| *severity);
    let unread =
        look.tracks_reading && doc.units().get(one.unit).is_some_and(|unit| !scene.model.reading.is_seen(&unit.digest));
    let remark = doc
        .units()
        .get(one.unit)
        .filter(|unit| look.tracks_reading && is_first && unit.from == index)
        .and_then(|unit| scene.model.remarks.of(&unit.digest));
    let mark = match severity {
        _ if remark.is_some() => match remark.and_then(|remark| remark.opinion) {
            Some(Opinion::Accepted) => Span::styled(theme.mark(Sign::Good), theme.style(Scope::HunkAccepted)),
            Some(Opinion::Rejected) => Span::styled(theme.mark(Sign::Bad), theme.style(Scope::HunkRejected)),
            None => Span::styled("\"", theme.style(Scope::HunkChanged)),
        },
        _ if look.mark == Some(index) && is_first => Span::styled(theme.mark(Sign::Here), theme.style(Scope::Cursor)),
        Some(severity) if is_first => {
            Span::styled(super::critique::mark(theme, severity), theme.style(super::critique::scope(severity)))
        }
        _ if unread => Span::styled("|", theme.style(Scope::HunkUnread)),
        _ => Span::raw(" "),
    };
    let number_style = if is_first { muted } else { muted.add_modifier(Modifier::DIM) };
    vec![Span::styled(number, number_style), mark, sign]
}

type Runs = Vec<(Range<usize>, Style)>;

/// The style of a line, and of parts of it.
fn styles(scene: &Scene<'_>, doc: &Doc, index: usize, one: &DocLine, look: &Look<'_>) -> (Style, Runs) {
    let theme = scene.theme;
    let base = theme.style(match one.kind {
        Kind::Heading if look.commands => Scope::Muted,
        _ if look.commands && one.text.trim_start().starts_with("argv") => Scope::StageAwaiting,
        Kind::Text | Kind::Item | Kind::Table => Scope::Text,
        Kind::Heading => Scope::MarkupHeading,
        Kind::Quote => Scope::MarkupQuote,
        Kind::Fence | Kind::Code => Scope::MarkupRaw,
        Kind::File => Scope::PaneTitle,
        Kind::Meta => Scope::Muted,
        Kind::Hunk => Scope::DiffGutterEmph,
        Kind::Plus => Scope::DiffPlus,
        Kind::Minus => Scope::DiffMinus,
        Kind::Context => Scope::DiffContext,
        Kind::Note => Scope::StageAwaiting,
    });
    let mut runs: Runs = match one.kind {
        Kind::Text | Kind::Item | Kind::Quote | Kind::Table if look.gutter => inline(scene, one),
        Kind::Plus | Kind::Minus | Kind::Context => {
            let mut runs = scene.syntax.runs(theme, doc, index);
            let scope = if one.kind == Kind::Plus { Scope::DiffPlusEmph } else { Scope::DiffMinusEmph };
            let style = Style { fg: None, ..theme.style(scope) };
            runs.extend(scene.syntax.emphasised(doc, index).into_iter().map(|range| (range, style)));
            runs
        }
        _ => Vec::new(),
    };
    if let Some(search) = scene.model.search.as_ref().filter(|_| look.searches) {
        let style = theme.style(Scope::Match);
        runs.extend(search.matches(&one.text).into_iter().map(|(from, to)| (from..to, style)));
    }
    (base, runs)
}

/// Emphasis, code and list markers. The marks stay: what is approved is the text as it stands.
fn inline(scene: &Scene<'_>, one: &DocLine) -> Runs {
    let theme = scene.theme;
    let text = &one.text;
    let mut runs = Runs::new();
    if one.kind == Kind::Item {
        let indent = text.len() - text.trim_start().len();
        let marker = text.trim_start().find(' ').unwrap_or(0);
        runs.push((indent..indent + marker, theme.style(Scope::MarkupList)));
    }
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(['`', '*'])) {
        let at = from + found;
        let rest = text.get(at..).unwrap_or_default();
        let (mark, scope) = if rest.starts_with('`') {
            ("`", Scope::MarkupRaw)
        } else if rest.starts_with("**") {
            ("**", Scope::MarkupBold)
        } else {
            ("*", Scope::MarkupItalic)
        };
        let inside = rest.get(mark.len()..).unwrap_or_default();
        let closes = inside.find(mark).filter(|end| *end > 0 && !inside.starts_with(' '));
        from = match closes {
            Some(end) => {
                let to = at + mark.len() + end + mark.len();
                runs.push((at..to, theme.style(scope)));
                to
            }
            None => at + mark.len(),
        };
    }
    runs
}
