//! The decision sheet: everything that one approval rests on, on one screen.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::figures::plural;
use super::overlay::{field, popup};
use super::paint::{below, lines, span, wrapped};
use super::{Scene, gates};
use crate::app::action::{Action, Context};
use crate::app::layout::Area;
use crate::app::remarks::Tally;
use crate::app::{Field, Sheet};
use crate::domain::{Disposition, Gap, Severity, Unread};
use crate::engine::{Loop, Obstacle, Stage};
use crate::theme::{Scope, Sign};

/// Adds a row: its sign and how that looks, its label, its text.
type Add<'a> = dyn FnMut(Option<Sign>, Style, &str, &str) + 'a;

/// Columns of the labels.
const LABEL: usize = 12;

/// Draws the sheet and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, sheet: &Sheet) -> Option<(u16, u16)> {
    let one = scene.model.state.loops.get(&sheet.id)?;
    let stage = one.stage(sheet.stage)?;
    let theme = scene.theme;
    let armed = sheet.arming.is_armed(scene.model.now);
    let title = format!("Decide: {} of loop {}", stage.spec.id, sheet.id);
    let inside_width = usize::from(scene.model.size.0.min(78).saturating_sub(2));
    let mut all = summary(scene, sheet, one, stage, inside_width);
    all.push(Line::default());
    all.extend(consequence(scene, sheet, stage, inside_width));
    let mut label = None;
    if let Some(field) = sheet.field {
        let text = match field {
            Field::Reason => "Why approve all the same?".to_owned(),
            Field::Name => format!("Approving lands. Type {} to confirm:", sheet.lands.as_deref().unwrap_or_default()),
        };
        label = Some(text);
    }
    let fields: u16 = if label.is_some() { 3 } else { 0 };
    let error = sheet.error.as_ref().map(|why| {
        wrapped(&format!("{} {why}", theme.sign(Sign::Bad)), inside_width, 2, theme.style(Scope::DecisionDanger))
    });
    let errors = error.as_ref().map_or(0, |rows| u16::try_from(rows.len()).unwrap_or(1));
    let wanted = u16::try_from(all.len()).unwrap_or(u16::MAX).saturating_add(2 + fields + errors);
    let mut keys = foot(scene, sheet, armed);
    if wanted > scene.model.size.1 {
        let down = scene.key_in(&[Context::Confirm], Action::ScrollDown).unwrap_or_default();
        keys.insert(0, (down, "more"));
    }
    let inside = popup(scene, buf, (78, wanted), &title, &keys);
    // What is typed and what went wrong come first where there is little room.
    let room = inside.height.saturating_sub(fields + errors);
    let hidden = all.len().saturating_sub(usize::from(room));
    let from = usize::from(sheet.scroll).min(hidden);
    let shown = all.get(from..(from + usize::from(room)).min(all.len())).unwrap_or_default();
    lines(buf, Area { height: room, ..inside }, shown);
    let mut rest = below(inside, u16::try_from(shown.len()).unwrap_or(0));
    let mut cursor = None;
    if let (Some(label), Some(kind)) = (label, sheet.field) {
        lines(buf, below(rest, 1), &[Line::styled(label, theme.style(Scope::StageAwaiting))]);
        let area = match kind {
            Field::Reason => &sheet.reason,
            Field::Name => &sheet.name,
        };
        let place = below(rest, 2);
        cursor = field(scene, buf, area, Area { height: 1.min(place.height), ..place });
        rest = below(rest, 3);
    }
    if let Some(error) = error {
        lines(buf, rest, &error);
    }
    cursor
}

/// The keys, once they do something.
fn foot(scene: &Scene<'_>, sheet: &Sheet, armed: bool) -> Vec<(String, &'static str)> {
    let key = |context, action| scene.key_in(&[context], action).unwrap_or_default();
    if sheet.field.is_some() {
        return vec![("Enter".to_owned(), "done"), (key(Context::Text, Action::Back), "back")];
    }
    if !armed {
        return vec![("..".to_owned(), "a moment: keys count once this was on the screen")];
    }
    if sheet.remarks.asks_for_revision() {
        // There is only one way on that says what the human has said already.
        return vec![
            (key(Context::Confirm, Action::DecisionRevise), "request revision"),
            (key(Context::Confirm, Action::DecisionAbandon), "abandon"),
            (key(Context::Confirm, Action::Back), "close"),
        ];
    }
    vec![
        // The rest fits where it fits; help has it all.
        (key(Context::Confirm, Action::StageApprove), "approve"),
        (key(Context::Confirm, Action::DecisionRevise), "send back"),
        (key(Context::Confirm, Action::DecisionAbandon), "abandon"),
        (key(Context::Confirm, Action::Back), "close"),
    ]
}

fn summary(scene: &Scene<'_>, sheet: &Sheet, one: &Loop, stage: &Stage, width: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let (good, bad) = (theme.style(Scope::DecisionSafe), theme.style(Scope::DecisionDanger));
    let (warn, muted) = (theme.style(Scope::StageAwaiting), theme.style(Scope::Muted));
    let mut rows = Vec::new();
    let mut add = |sign: Option<Sign>, style: Style, label: &str, text: &str| {
        rows.extend(labelled(scene, (sign, style), label, text, width))
    };
    let digest = sheet.evidence.digest().to_string();
    let digest = digest.get(..16).unwrap_or(&digest).to_owned();
    if let Some(revision) = stage.revision() {
        add(None, muted, "artifact", &format!("revision {}, evidence {digest}", revision.ordinal));
    }
    let unread = sheet.unread;
    let read_label = format!("{} read", scene.model.wide_pane().number());
    if unread.seen < unread.total {
        add(
            Some(Sign::Warn),
            warn,
            &read_label,
            &format!("{} of {} parts were on the screen long enough", unread.seen, unread.total),
        );
    } else {
        add(Some(Sign::Good), good, &read_label, &format!("all of it ({})", plural(unread.total as usize, "part")));
    }
    let (satisfied, required) = gates::tally(scene.model);
    let gates: Vec<String> = sheet.obstacles.iter().filter_map(gate_in_the_way).collect();
    if gates.is_empty() {
        let over: Vec<&str> = sheet
            .gaps
            .iter()
            .filter_map(|gap| if let Gap::Gate { gate, .. } = gap { Some(gate.as_str()) } else { None })
            .collect();
        let note = if over.is_empty() { String::new() } else { format!(", {} overridden", over.join(", ")) };
        let sign = if over.is_empty() { (Some(Sign::Good), good) } else { (Some(Sign::Warn), warn) };
        add(sign.0, sign.1, "4 gates", &format!("{satisfied} of {required} satisfied{note}"));
    } else {
        add(Some(Sign::Bad), bad, "4 gates", &format!("{satisfied} of {required} satisfied: {}", gates.join(", ")));
    }
    add_findings(stage, &mut add, (good, warn, bad));
    let Unread { seen, total } = sheet.findings;
    if seen < total {
        let left = total - seen;
        add(
            Some(Sign::Warn),
            warn,
            "3 unread",
            &format!("{left} of {} never on the screen", plural(total as usize, "finding")),
        );
    }
    let Tally { accepted, rejected, commented } = sheet.remarks;
    if sheet.remarks.asks_for_revision() {
        let also = if accepted > 0 { format!(", {accepted} accepted") } else { String::new() };
        let text = format!("{rejected} rejected, {commented} commented on{also}: a revision is what you ask for");
        add(Some(Sign::Bad), bad, "yours", &text);
    } else if accepted > 0 {
        add(Some(Sign::Good), good, "yours", &format!("{} accepted", plural(accepted, "part")));
    }
    match &sheet.changed {
        Some(changed) if changed.is_empty() => add(None, muted, "since then", "nothing changed since your last look"),
        Some(changed) => {
            add(Some(Sign::Warn), warn, "since then", &format!("changed since your last look: {}", changed.join(", ")))
        }
        None => {}
    }
    let calls: Vec<_> = scene.model.state.exchanges.values().filter(|call| call.id == one.id).collect();
    if !calls.is_empty() {
        let tokens: u64 = calls.iter().map(|c| c.usage.input.unwrap_or(0) + c.usage.output.unwrap_or(0)).sum();
        let ms: u64 = calls.iter().map(|call| call.timings.total).sum();
        let tokens = if tokens > 0 { format!(", {} tokens", super::figures::count(tokens)) } else { String::new() };
        let money = super::figures::cost(calls.iter().copied()).map(|money| format!(", {money}")).unwrap_or_default();
        let time = super::figures::duration(ms);
        add(None, muted, "cost", &format!("{}{tokens}{money}, {time} of models' time", plural(calls.len(), "call")));
    }
    rows
}

fn add_findings(stage: &Stage, add: &mut Add<'_>, (good, warn, bad): (Style, Style, Style)) {
    let Some(critique) = stage.current_critique() else {
        return add(Some(Sign::Warn), warn, "3 critique", "no second model has reviewed this revision");
    };
    let count = |severity: Severity, is_open: bool| {
        let of = critique.findings.iter().filter(|finding| finding.severity == severity);
        of.filter(|finding| (finding.disposition == Disposition::Open) == is_open).count()
    };
    let named: Vec<String> = [Severity::Blocker, Severity::Major, Severity::Minor, Severity::Note]
        .into_iter()
        .filter_map(|severity| {
            Some(plural(count(severity, true), severity.name())).filter(|_| count(severity, true) > 0)
        })
        .collect();
    let aside = critique.findings.iter().filter(|finding| finding.disposition != Disposition::Open).count();
    let aside = if aside > 0 { format!(", {aside} set aside") } else { String::new() };
    let text =
        if named.is_empty() { format!("nothing open{aside}") } else { format!("{} open{aside}", named.join(", ")) };
    let (sign, style) = match (count(Severity::Blocker, true), count(Severity::Major, true)) {
        (0, 0) => (Some(Sign::Good), good),
        (0, _) => (Some(Sign::Warn), warn),
        _ => (Some(Sign::Bad), bad),
    };
    add(sign, style, "3 critique", &text);
}

fn gate_in_the_way(obstacle: &Obstacle) -> Option<String> {
    match obstacle {
        Obstacle::Gate { gate, verdict: Some(verdict) } => Some(format!("{gate} says {}", verdict.name())),
        Obstacle::Gate { gate, verdict: None } => Some(format!("{gate} has not run")),
        Obstacle::Blocker { .. } => None,
    }
}

fn consequence(scene: &Scene<'_>, sheet: &Sheet, stage: &Stage, width: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let text = theme.style(Scope::Text);
    let mut rows = wrapped(&format!("To approve means: {}.", stage.spec.means.trim_end_matches('.')), width, 0, text);
    if sheet.lands.is_some() {
        let branch =
            scene.model.current().and_then(|one| one.branch.clone()).unwrap_or_else(|| "a new commit".to_owned());
        let dirty = if scene.model.host.dirty.is_empty() {
            ""
        } else {
            " (your checkout has changes: the branch will be left, and you are told the command)"
        };
        rows.extend(wrapped(&format!("It makes the commit and moves {branch}{dirty}."), width, 0, text));
    }
    if sheet.lands.is_some() && sheet.is_named() {
        let key = scene.key_in(&[Context::Confirm], Action::StageApprove).unwrap_or_default();
        rows.extend(wrapped(
            &format!("{} The name is typed: {key} lands it.", theme.sign(Sign::Good)),
            width,
            2,
            theme.style(Scope::DecisionSafe),
        ));
    }
    if !sheet.obstacles.is_empty() {
        let what = "It can't be approved as it stands: send it back, or deal with what stands in the way.";
        rows.extend(wrapped(what, width, 0, theme.style(Scope::DecisionDanger)));
    } else if sheet.needs_reason() {
        rows.extend(wrapped("Approving will ask for a reason.", width, 0, theme.style(Scope::StageAwaiting)));
    }
    rows
}

fn labelled(
    scene: &Scene<'_>,
    (sign, style): (Option<Sign>, Style),
    label: &str,
    text: &str,
    width: usize,
) -> Vec<Line<'static>> {
    let sign = sign.map_or(" ", |sign| scene.theme.sign(sign));
    // As wide as the widest sign, so that the labels stand below each other.
    let wide = scene.theme.sign(Sign::Good).chars().count() + 1;
    let rows = wrapped(text, width.saturating_sub(LABEL + wide), 0, scene.theme.style(Scope::Text));
    rows.into_iter()
        .enumerate()
        .map(|(index, mut line)| {
            let head = if index == 0 { format!("{label:<LABEL$}") } else { " ".repeat(LABEL) };
            let mark = if index == 0 { format!("{sign:<wide$}") } else { " ".repeat(wide) };
            line.spans.insert(0, span(&head, scene.theme.style(Scope::Muted)));
            line.spans.insert(0, Span::styled(mark, style));
            line
        })
        .collect()
}
