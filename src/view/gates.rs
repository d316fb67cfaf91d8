//! What the gates say, the measurement beside the criteria, and what protects the machine meanwhile.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::figures::duration;
use super::paint::{clip, indented, list, span, wrapped};
use super::ready::note;
use super::{Scene, readings};
use crate::app::Model;
use crate::app::action::Action;
use crate::app::layout::{Area, Pane};
use crate::domain::{Enforcement, GateDef, GateKind, GateRun, Reach, Verdict};
use crate::engine::{Phase, Stage};
use crate::theme::{Scope, Sign};

/// Rows of a running gate's output shown under it.
const TAIL_ROWS: usize = 3;

/// Required gates that are satisfied on the revision under review, or overridden; and how many are required.
pub(super) fn tally(model: &Model) -> (usize, usize) {
    let (Some(one), Some(stage)) = (model.current(), model.stage()) else { return (0, 0) };
    let required: Vec<GateDef> =
        one.gates(model.stage_index()).into_iter().filter(|gate| gate.enforcement.stops()).collect();
    let good = required.iter().filter(|gate| {
        stage.fresh_run(gate).is_some_and(|run| run.verdict.satisfies()) || stage.fresh_override(&gate.name).is_some()
    });
    (good.count(), required.len())
}

/// Required gates that were run on the revision under review, and aren't satisfied nor overridden.
pub(super) fn failed(model: &Model) -> usize {
    let (Some(one), Some(stage)) = (model.current(), model.stage()) else { return 0 };
    let gates = one.gates(model.stage_index());
    let unsatisfied = gates.iter().filter(|gate| {
        gate.enforcement.stops()
            && stage.fresh_override(&gate.name).is_none()
            && stage.fresh_run(gate).is_some_and(|run| !run.verdict.satisfies())
    });
    unsatisfied.count()
}

/// Draws the gates pane and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, area: Area) -> Option<(u16, u16)> {
    let model = scene.model;
    let (one, stage) = (model.current()?, model.stage()?);
    let gates = one.gates(model.stage_index());
    if gates.is_empty() && stage.measurement.is_none() {
        return note(scene, buf, area, "This stage has no gates.");
    }
    let mut items: Vec<Vec<Line<'static>>> = gates.iter().map(|def| gate(scene, stage, def, area.width)).collect();
    let trusted = model.state.is_trusted(one);
    let commands = gates.iter().any(|gate| gate.kind != GateKind::Builtin);
    let muted = scene.theme.style(Scope::Muted);
    let room = usize::from(area.width);
    if commands || stage.measurement.is_some() || !trusted {
        let key = scene.key(Action::TrustOpen).unwrap_or_default();
        let mut rows = vec![Line::default()];
        if trusted {
            let text = format!("commands run as you: {}", model.host.protection);
            rows.extend(wrapped(&text, room, 0, muted));
        } else {
            let text = format!(
                "{} the repository's commands wait for your trust: {key} shows them",
                scene.theme.sign(Sign::Warn)
            );
            rows.extend(wrapped(&text, room, 2, scene.theme.style(Scope::StageAwaiting)));
        }
        items.push(rows);
    }
    if let Some(measurement) = &stage.measurement {
        items.push(readings::beside_criteria(scene, measurement, &one.criteria(), room));
    }
    let selected = (model.focus == Pane::Gates && !gates.is_empty()).then_some(model.gate);
    list(buf, area, &items, selected, scene.theme.style(Scope::Selection))
}

/// For how long a gate has run, and how long it usually takes; none while it waits its turn.
fn runs_for(model: &Model, def: &GateDef) -> Option<String> {
    let Some(begun) = model.live.begun.get(&def.name) else {
        // Who only reads along isn't told when gates begin.
        return model.host.reads_only.then(|| "runs".to_owned());
    };
    let seconds = u64::try_from(model.now.0.saturating_sub(begun.0)).unwrap_or_default() / 1000;
    let usual = model.state.usual_ms(def).map(|usual| format!(" of about {}", duration(usual)));
    Some(format!("runs {}{}", duration(seconds * 1000), usual.unwrap_or_default()))
}

/// How long it took; or how old its answer is, if that was taken over.
fn took(model: &Model, run: &GateRun) -> Option<String> {
    if run.details.cached_from.is_some() {
        let age = u64::try_from(model.now.0.saturating_sub(run.started.0)).unwrap_or_default() / 1000;
        let age = match age {
            0..60 => "just now".to_owned(),
            60..3600 => format!("{} min ago", age / 60),
            3600..86_400 => format!("{} h ago", age / 3600),
            _ => format!("{} days ago", age / 86_400),
        };
        return Some(format!("cached, {age}"));
    }
    (run.duration_ms > 0).then(|| duration(run.duration_ms))
}

fn gate(scene: &Scene<'_>, stage: &Stage, def: &GateDef, width: u16) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let room = usize::from(width);
    let muted = theme.style(Scope::Muted);
    let enforcement = match def.enforcement {
        Enforcement::Required => "",
        Enforcement::Advisory => ", advisory",
        Enforcement::Mandatory => ", mandatory",
    };
    let run = stage.fresh_run(def);
    let over = stage.fresh_override(&def.name);
    let runs = stage.pending.gates.contains(&def.name) && stage.phase == Phase::Reviewing;
    let stale = stage.runs.contains_key(&def.name);
    let waits = scene.model.current().is_some_and(|one| scene.model.state.waits_for_trust(one, def));
    let (sign, word, scope) = match (run, over) {
        _ if runs => match runs_for(scene.model, def) {
            Some(words) => (theme.sign(Sign::Here), words, Scope::GateRunning),
            None => ("-", "waits its turn".to_owned(), Scope::GateSkip),
        },
        (_, Some(_)) => (theme.sign(Sign::Warn), "overridden".to_owned(), Scope::GateOverridden),
        (Some(run), None) => match run.verdict {
            Verdict::Pass => (theme.sign(Sign::Good), "pass".to_owned(), Scope::GatePass),
            Verdict::NotApplicable => ("-", "not applicable".to_owned(), Scope::GateSkip),
            Verdict::Inconclusive => ("?", "inconclusive".to_owned(), Scope::GateFail),
            Verdict::Skipped => ("-", "skipped".to_owned(), Scope::GateSkip),
            verdict => (theme.sign(Sign::Bad), verdict.name().to_owned(), Scope::GateFail),
        },
        (None, None) if waits => (theme.sign(Sign::Warn), "waits for trust".to_owned(), Scope::StageAwaiting),
        (None, None) if stale => ("~", "stale".to_owned(), Scope::GateStale),
        (None, None) => (" ", "not run yet".to_owned(), Scope::GateSkip),
    };
    let style = theme.style(scope);
    let time = run.filter(|_| !runs).and_then(|run| took(scene.model, run));
    let tail = format!(" {word}{enforcement}{}", time.map(|time| format!(", {time}")).unwrap_or_default());
    let name = clip(&def.name, room.saturating_sub(1 + sign.chars().count() + tail.len()).max(8));
    let mut rows = vec![Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(name, theme.style(Scope::Text)),
        Span::styled(tail, if scope == Scope::GatePass { muted } else { style }),
    ])];
    if let Some(spec) = def.command()
        && spec.reach != Reach::default()
    {
        rows.extend(indented(&reach(&spec.reach), room, theme.style(Scope::GateOverridden)));
    }
    if let Some(over) = over {
        rows.extend(indented(&over.reason, room, theme.style(Scope::GateOverridden)));
    }
    if let Some(run) = run.filter(|run| !runs && !run.summary.is_empty() && run.verdict != Verdict::Pass) {
        rows.extend(indented(&run.summary, room, muted));
    }
    if runs && let Some(doc) = scene.model.live.gates.get(&def.name) {
        let last =
            doc.lines_from(0).rev().map(|(_, line)| line).filter(|line| !line.text.trim().is_empty()).take(TAIL_ROWS);
        let last: Vec<_> = last.map(|line| line.text).collect();
        rows.extend(
            last.iter().rev().map(|text| Line::from(vec![Span::raw("  "), span(&clip(text, room - 2), muted)])),
        );
    }
    rows
}

/// How far the sandbox of a gate's command is open.
fn reach(reach: &Reach) -> String {
    if let Some(elsewhere) = reach.elsewhere() {
        return elsewhere;
    }
    let network = reach.network.then(|| "network allowed".to_owned());
    let writes = (!reach.writable.is_empty()).then(|| format!("also writes in {}", reach.writable.join(", ")));
    network.into_iter().chain(writes).collect::<Vec<_>>().join(", ")
}
