//! A document in a pane: numbers and marks at the left, prose or a diff at the right, long lines wrapped but never cut.

use std::collections::HashMap;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::Scene;
use super::figures::plural;
use super::paint::{clip, line, row, span, styled, tint};
use crate::app::Face;
use crate::app::doc::{Doc, DocLine, Kind};
use crate::app::layout::{Area, Pane};
use crate::app::remarks::Opinion;
use crate::app::scroll::{Scroll, hang};
use crate::app::sight::{Piece, Row, Sight, gutter};
use crate::domain::{Anchor, Severity};
use crate::engine::Stage;
use crate::theme::{Scope, Sign};

/// Draws the document of `pane` and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, pane: Pane, area: Area) -> Option<(u16, u16)> {
    let model = scene.model;
    let sight = model.sight(pane)?;
    let is_artifact = pane == model.wide_pane() && model.face() == Face::Artifact;
    let look = Look {
        marks: if is_artifact { marks(scene, sight.doc) } else { HashMap::new() },
        cursor: model.cursor().filter(|_| is_artifact),
        part: model.part().filter(|_| is_artifact && pane == model.focus).map(|part| part.from),
        range: model.range().filter(|_| is_artifact),
        tracks_reading: is_artifact,
        searches: pane == model.focus,
        gutter: true,
        commands: false,
    };
    rows(scene, buf, &sight, model.scroll(pane), area, &look)
}

/// How a document is to be shown beside its text.
pub(super) struct Look {
    /// The lines that findings point at, with the worst severity of each.
    marks: HashMap<usize, Severity>,
    /// The line that keys act on.
    cursor: Option<usize>,
    /// The first line of the part at the cursor.
    part: Option<usize>,
    /// The lines that are marked.
    range: Option<(usize, usize)>,
    tracks_reading: bool,
    searches: bool,
    gutter: bool,
    commands: bool,
}

impl Look {
    /// Plain output: no numbers, no marks.
    pub(super) fn output() -> Self {
        Self {
            marks: HashMap::new(),
            cursor: None,
            part: None,
            range: None,
            tracks_reading: false,
            searches: false,
            gutter: false,
            commands: false,
        }
    }

    /// A diff beside what is reviewed: numbers, and no marks.
    pub(super) fn diff() -> Self {
        Self { gutter: true, ..Self::output() }
    }

    /// The same with what is searched for standing out.
    pub(super) fn searched(self) -> Self {
        Self { searches: true, ..self }
    }

    /// A configuration: its commands stand out, its comments step back.
    pub(super) fn commands() -> Self {
        Self { commands: true, ..Self::output() }
    }
}

/// The lines that findings point at, and gates that aren't satisfied, with the worst severity of each.
fn marks(scene: &Scene<'_>, doc: &Doc) -> HashMap<usize, Severity> {
    let mut found: HashMap<usize, Severity> = HashMap::new();
    let Some(stage) = scene.model.stage() else { return found };
    let findings = scene.model.shown_critique().map_or(&[][..], |critique| &critique.findings);
    let said = findings.iter().filter_map(|finding| {
        let at = match &finding.anchor {
            Anchor::Line(number) => doc.find_text_line(*number),
            Anchor::File { path, line } => doc.find_file_line(path, *line),
            Anchor::Whole => None,
        };
        Some((at?, finding.severity))
    });
    for (at, severity) in said.chain(spots(scene, stage, doc)) {
        found.entry(at).and_modify(|known| *known = (*known).max(severity)).or_insert(severity);
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

/// Draws a document from a place in it, without a gutter unless `look` has one.
pub(super) fn lines(
    scene: &Scene<'_>,
    buf: &mut Buffer,
    doc: &Doc,
    scroll: Scroll,
    area: Area,
    look: &Look,
) -> Option<(u16, u16)> {
    let gutter = if look.gutter { gutter(doc) } else { 1 };
    let sight = Sight::plain(doc, usize::from(area.width.saturating_sub(gutter)), usize::from(area.height));
    rows(scene, buf, &sight, scroll, area, look)
}

fn rows(
    scene: &Scene<'_>,
    buf: &mut Buffer,
    sight: &Sight<'_>,
    scroll: Scroll,
    area: Area,
    look: &Look,
) -> Option<(u16, u16)> {
    let mut cursor = None;
    let mut drawn: Option<(usize, DocLine<'_>, Style, Runs)> = None;
    for (at, one) in scroll.screen(sight).into_iter().enumerate() {
        let Some(place) = row(area, at) else { break };
        let mut side = |buf: &mut Buffer, place: Area, piece: &Piece, column: Column| {
            // A wrapped line comes row by row; a kept one on both sides.
            if drawn.as_ref().is_none_or(|(line, ..)| *line != piece.line) {
                let one = sight.doc.line(piece.line)?;
                let (base, runs) = styles(scene, sight.doc, piece.line, &one, look);
                drawn = Some((piece.line, one, base, runs));
            }
            let (_, one, base, runs) = drawn.as_ref()?;
            let part = Part { doc: sight.doc, one, piece, base: *base, runs, column };
            draw_piece(scene, buf, place, &part, look, scroll.wrap);
            Some(())
        };
        let led = match &one {
            Row::Whole(piece) => {
                side(buf, place, piece, Column::Whole);
                piece.is_first.then_some(piece.line)
            }
            Row::Sides(old, new) => {
                let half = area.width / 2;
                let left = Area { width: half, ..place };
                let right = Area { x: area.x + half + 1, width: area.width.saturating_sub(half + 1), ..place };
                if let Some(piece) = old {
                    side(buf, left, piece, Column::Old);
                }
                if let Some(piece) = new {
                    side(buf, right, piece, Column::New);
                    if old.is_none() {
                        margin(scene, buf, left, sight.doc, piece, look);
                    }
                }
                old.as_ref().or(new.as_ref()).filter(|piece| piece.is_first).map(|piece| piece.line)
            }
            Row::Folded(lines) => {
                folded(scene, buf, place, sight.doc, lines, look);
                Some(lines.start)
            }
            Row::Words(_, text) => {
                let style = scene.theme.style(Scope::HunkChanged);
                let indent = " ".repeat(usize::from(gutter(sight.doc)));
                tint(buf, place, scene.theme.style(Scope::Popup));
                line(buf, place, &Line::from(vec![Span::raw(indent), Span::styled("\" ", style), span(text, style)]));
                None
            }
        };
        let Some(led) = led else { continue };
        if look.part == Some(led) || look.range.is_some_and(|(from, to)| (from..to).contains(&led)) {
            tint(buf, place, scene.theme.style(Scope::Selection));
        }
        let is_cursor = look.cursor.map_or(cursor.is_none(), |mark| sight.leading(mark) == led);
        if is_cursor {
            cursor = Some((place.x, place.y));
        }
    }
    cursor
}

/// What of a line stands in one row.
struct Part<'a> {
    doc: &'a Doc,
    one: &'a DocLine<'a>,
    piece: &'a Piece,
    base: Style,
    runs: &'a Runs,
    column: Column,
}

/// Which column it stands in: the only one, or that of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Whole,
    Old,
    New,
}

fn draw_piece(scene: &Scene<'_>, buf: &mut Buffer, place: Area, part: &Part<'_>, look: &Look, wrapped: bool) {
    let Part { doc, one, piece, base, runs, column } = *part;
    if matches!(one.kind, Kind::Plus | Kind::Minus | Kind::File) {
        tint(buf, place, base);
    }
    let counted = if column == Column::Old { one.old.or(one.number) } else { one.number };
    let number = number(scene, doc, counted, one, piece);
    let mut spans = match (look.gutter, column) {
        (true, Column::New) => vec![number, Span::raw(" "), sign(scene, one, piece)],
        (true, _) => gutter_of(scene, doc, number, one, piece, look),
        (false, _) => vec![Span::raw(" ")],
    };
    let indent = hang(one);
    if wrapped && !piece.is_first && indent + 8 <= usize::from(place.width) {
        spans.push(Span::styled(" ".repeat(indent), base));
    }
    spans.extend(styled(&one.text, piece.range.clone(), base, runs));
    line(buf, place, &Line::from(spans));
}

/// A row for what is folded away: what it is, and that it is not read.
fn folded(scene: &Scene<'_>, buf: &mut Buffer, place: Area, doc: &Doc, lines: &Range<usize>, look: &Look) {
    let file = doc.file_at(lines.start).filter(|file| file.from == lines.start && file.to == lines.end);
    let text = match file {
        Some(file) => format!("{}  +{} -{}, folded", doc.path(file), file.added, file.removed),
        None => format!("{} differ in white space only", plural(lines.len(), "line")),
    };
    let style = scene.theme.style(if file.is_some() { Scope::PaneTitle } else { Scope::Muted });
    tint(buf, place, style);
    let width = usize::from(gutter(doc));
    let cursor =
        if look.cursor.is_some_and(|cursor| lines.contains(&cursor)) { scene.theme.mark(Sign::Here) } else { " " };
    let text = clip(&text, usize::from(place.width).saturating_sub(width));
    let before = Span::styled(" ".repeat(width.saturating_sub(3)), style);
    let mark = Span::styled(cursor, scene.theme.style(Scope::Cursor));
    line(buf, place, &Line::from(vec![before, mark, Span::styled("+ ", style), Span::styled(text, style)]));
}

fn number(scene: &Scene<'_>, doc: &Doc, number: Option<u32>, one: &DocLine<'_>, piece: &Piece) -> Span<'static> {
    let digits = usize::from(doc.digits());
    let muted = scene.theme.style(Scope::DiffGutter);
    match number {
        Some(number) if piece.is_first && !one.continues => Span::styled(format!("{number:>digits$}"), muted),
        None if piece.is_first && !one.continues => Span::styled(" ".repeat(digits), muted),
        _ => Span::styled(format!("{:>digits$}", "\\"), muted.add_modifier(Modifier::DIM)),
    }
}

fn sign(scene: &Scene<'_>, one: &DocLine<'_>, piece: &Piece) -> Span<'static> {
    let shown = piece.is_first && !one.continues;
    match one.kind {
        Kind::Plus => Span::styled(if shown { "+" } else { " " }, scene.theme.style(Scope::DiffPlus)),
        Kind::Minus => Span::styled(if shown { "-" } else { " " }, scene.theme.style(Scope::DiffMinus)),
        _ => Span::raw(" "),
    }
}

fn gutter_of(
    scene: &Scene<'_>,
    doc: &Doc,
    number: Span<'static>,
    one: &DocLine<'_>,
    piece: &Piece,
    look: &Look,
) -> Vec<Span<'static>> {
    let mut spans = vec![number];
    spans.extend(marks_of(scene, doc, piece, look));
    spans.push(sign(scene, one, piece));
    spans
}

/// The left margin of a row whose left side is empty.
fn margin(scene: &Scene<'_>, buf: &mut Buffer, place: Area, doc: &Doc, piece: &Piece, look: &Look) {
    let mut spans = vec![Span::raw(" ".repeat(usize::from(doc.digits())))];
    spans.extend(marks_of(scene, doc, piece, look));
    line(buf, place, &Line::from(spans));
}

/// The cursor, and what there is to know of a line: what the human thinks of its part, a finding, that it is unread.
fn marks_of(scene: &Scene<'_>, doc: &Doc, piece: &Piece, look: &Look) -> [Span<'static>; 2] {
    let theme = scene.theme;
    let cursor = if look.cursor == Some(piece.line) && piece.is_first {
        Span::styled(theme.mark(Sign::Here), theme.style(Scope::Cursor))
    } else {
        Span::raw(" ")
    };
    let unit = doc.unit_at(piece.line).and_then(|unit| doc.units().get(unit)).filter(|_| look.tracks_reading);
    let heads = unit.filter(|unit| piece.is_first && unit.from == piece.line);
    let remark = heads.and_then(|unit| scene.model.remarks.of(&unit.digest));
    let severity = look.marks.get(&piece.line).copied().filter(|_| piece.is_first);
    let unread = unit.filter(|unit| !scene.model.reading.is_seen(&unit.digest));
    let mark = match (remark, severity, unread) {
        (Some(remark), ..) => match remark.opinion {
            Some(Opinion::Accepted) => Span::styled(theme.mark(Sign::Good), theme.style(Scope::HunkAccepted)),
            Some(Opinion::Rejected) => Span::styled(theme.mark(Sign::Bad), theme.style(Scope::HunkRejected)),
            None => Span::styled("\"", theme.style(Scope::HunkChanged)),
        },
        (None, Some(severity), _) => {
            Span::styled(super::critique::mark(theme, severity), theme.style(super::critique::scope(severity)))
        }
        (None, None, Some(unit)) if scene.model.is_changed(unit) => Span::styled("~", theme.style(Scope::HunkChanged)),
        (None, None, Some(_)) => Span::styled("|", theme.style(Scope::HunkUnread)),
        (None, None, None) => Span::raw(" "),
    };
    [cursor, mark]
}

type Runs = Vec<(Range<usize>, Style)>;

/// The style of a line, and of parts of it.
fn styles(scene: &Scene<'_>, doc: &Doc, index: usize, one: &DocLine<'_>, look: &Look) -> (Style, Runs) {
    let theme = scene.theme;
    let is_moved = matches!(one.kind, Kind::Plus | Kind::Minus) && doc.is_moved(index);
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
        Kind::Plus | Kind::Minus if is_moved => Scope::DiffMoved,
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
            if !is_moved {
                runs.extend(scene.syntax.emphasised(doc, index).into_iter().map(|range| (range, style)));
            }
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
fn inline(scene: &Scene<'_>, one: &DocLine<'_>) -> Runs {
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
