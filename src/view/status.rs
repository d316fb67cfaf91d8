//! The foot of the screen: what was decided, what is waited for, and the keys that work now.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::figures::{duration, plural, seconds, short_count};
use super::paint::{bar, clip, span, width, wrapped};
use super::{Scene, gates};
use crate::app::action::Action;
use crate::app::layout::{Area, Form};
use crate::app::{DWELL_MS, GONE, Model};
use crate::domain::{Disposition, Role, Severity, Verb};
use crate::engine::{Phase, Stage, Status};
use crate::theme::{Scope, Sign};

/// The most rows that a message takes.
const MOST_ROWS: u16 = 6;

/// How many keys stand before anything else in the last row.
const FIRST_KEYS: usize = 5;

/// Columns that the keys keep at least beside what the loop has cost.
const LEAST_FOR_KEYS: usize = 30;

/// What was decided so far, newest last; a notice takes its place until the next key.
pub(super) fn timeline(scene: &Scene<'_>, buf: &mut Buffer, area: Area) {
    let theme = scene.theme;
    if notice(scene, buf, area) {
        return;
    }
    let muted = theme.style(Scope::Muted);
    let mut parts: Vec<(String, Scope)> = Vec::new();
    if let Some(one) = scene.model.current() {
        for stage in &one.stages {
            for decision in stage.rulings.iter().map(|ruling| &ruling.decision) {
                let reason =
                    decision.reason.as_deref().map(|reason| format!(" ({})", clip(&reason.replace('\n', "; "), 40)));
                let (word, scope) = match decision.verb {
                    Verb::Approve => (format!("{} approved", theme.sign(Sign::Good)), Scope::StageApproved),
                    Verb::Revise => ("~ sent back".to_owned(), Scope::StageAwaiting),
                    Verb::Abandon => (format!("{} abandoned", theme.sign(Sign::Bad)), Scope::StageRejected),
                };
                parts.push((format!("{} {word}{}", stage.spec.id, reason.unwrap_or_default()), scope));
            }
        }
    }
    // The newest decisions matter most, so the line is filled from its end.
    let room = usize::from(area.width).saturating_sub(12);
    let mut used = 0;
    let mut kept: Vec<Span<'static>> = Vec::new();
    for (text, scope) in parts.iter().rev() {
        used += width(text) + 3;
        if used > room {
            kept.push(Span::styled(".. ", muted));
            break;
        }
        kept.push(span(&format!("{text}   "), theme.style(*scope)));
    }
    kept.push(Span::styled(if parts.is_empty() { " nothing decided yet" } else { " decided: " }, muted));
    kept.reverse();
    bar(buf, area, &Line::from(kept), &Line::default(), theme.style(Scope::Text));
}

fn notice(scene: &Scene<'_>, buf: &mut Buffer, area: Area) -> bool {
    let Some(notice) = &scene.model.notice else { return false };
    let scope = if notice.is_error { Scope::DecisionDanger } else { Scope::StageAwaiting };
    upwards(scene, buf, area, &notice.text, scope);
    true
}

/// A text whose last row is `area` and which grows upwards, over what is there: a next step must be readable to its end.
fn upwards(scene: &Scene<'_>, buf: &mut Buffer, area: Area, text: &str, scope: Scope) {
    let style = scene.theme.style(scope);
    let rows = wrapped(text, usize::from(area.width).saturating_sub(2), 0, style);
    let most = usize::from(area.y.min(MOST_ROWS - 1)) + 1;
    let shown = rows.get(..rows.len().min(most)).unwrap_or_default();
    let above = u16::try_from(shown.len().saturating_sub(1)).unwrap_or(0);
    for (row, mut line) in (area.y - above..).zip(shown.iter().cloned()) {
        line.spans.insert(0, Span::styled(" ", style));
        bar(buf, Area { y: row, ..area }, &line, &Line::default(), style);
    }
}

/// What the human is waited for, or what is running.
pub(super) fn decision(scene: &Scene<'_>, buf: &mut Buffer, area: Area, carries_notice: bool) {
    if carries_notice && notice(scene, buf, area) {
        return;
    }
    let (text, scope) = state(scene);
    let style = scene.theme.style(scope);
    let landing =
        scene.model.current().is_some_and(|one| matches!(one.status, Status::Landed { .. } | Status::Landing(_)));
    // Somebody else's words, which tell what to do.
    if landing || scene.model.is_waiting() {
        return upwards(scene, buf, area, &text, scope);
    }
    let left = span(&format!(" {}", clip(&text, usize::from(area.width).saturating_sub(2))), style);
    bar(buf, area, &left.into(), &Line::default(), style);
}

fn state(scene: &Scene<'_>) -> (String, Scope) {
    let model = scene.model;
    let (Some(one), Some(stage)) = (model.current(), model.stage()) else {
        let key = scene.key(Action::LoopNew).unwrap_or_default();
        return (format!("no loop yet: {key} begins one"), Scope::Banner);
    };
    match &one.status {
        Status::Landed { commit, left } => {
            let next = one.next_constraint().map(|next| format!("; next constraint: {next}")).unwrap_or_default();
            let how = left.as_ref().map(|left| format!(", {left}")).unwrap_or_default();
            return (format!("LANDED as {}{how}{next}", commit.short()), Scope::DecisionSafe);
        }
        Status::Landing(landing) => {
            return match &landing.failed {
                Some(why) => (format!("landing failed: {why}; {} tries again", retry(scene)), Scope::DecisionDanger),
                None => ("landing the approved tree".to_owned(), Scope::GateRunning),
            };
        }
        Status::Parked => {
            let key = scene.key(Action::LoopList).unwrap_or_default();
            return (
                format!("loop {} is parked; {key} lists the loops, Enter there goes on with it", one.id),
                Scope::Banner,
            );
        }
        Status::Finished => return (format!("loop {} is finished", one.id), Scope::DecisionSafe),
        Status::Abandoned => return (format!("loop {} was abandoned; nothing landed", one.id), Scope::Banner),
        Status::Active => {}
    }
    if !model.is_live() {
        let open = one.open_stage().map_or("", |stage| stage.spec.id.as_str());
        let key = scene.key(Action::Back).unwrap_or_default();
        return (format!("looking at {}; {open} is open; {key} goes back to it", stage.spec.id), Scope::Banner);
    }
    let id = stage.spec.id.to_uppercase();
    if model.driver_gone {
        return (format!("{id}: {GONE}"), Scope::Banner);
    }
    if model.host.reads_only {
        return (format!("{id}: {}; another windlass drives", stage.phase.name()), Scope::Muted);
    }
    let key = |action| scene.key(action).unwrap_or_default();
    match stage.phase {
        Phase::Preparing => {
            let progress = model.live.progress.clone().unwrap_or_else(|| "gathering the context".to_owned());
            (format!("{id}: {progress}"), Scope::GateRunning)
        }
        Phase::Ready if stage.trouble.is_some() => {
            (format!("{id}: no draft; {} tries again", key(Action::DraftSend)), Scope::DecisionDanger)
        }
        Phase::Ready if model.model_of(Role::Author).is_none() => {
            (format!("{id}: no author is configured; {} writes it by hand", key(Action::DraftWrite)), Scope::Banner)
        }
        Phase::Ready if model.form == Form::Single => {
            (format!("{id}: ready; {} sends it", key(Action::DraftSend)), Scope::Banner)
        }
        Phase::Ready if stage.can_be_taken_back() => {
            let (draft, back) = (key(Action::DraftSend), key(Action::DraftTakeBack));
            let text = format!("{id}: ready; {draft} sends the list to the author, {back} goes back to the last draft");
            (text, Scope::Banner)
        }
        Phase::Ready => {
            (format!("{id}: ready; {} sends the list to the author", key(Action::DraftSend)), Scope::Banner)
        }
        Phase::Drafting { attempt } => {
            if let Some(waits) = waits(scene, Role::Author) {
                return (format!("{id}: {waits}"), Scope::StageAwaiting);
            }
            let again = if attempt > 1 { format!(", try {attempt}") } else { String::new() };
            let who = if attempt == 0 { "your change is being applied" } else { "the author is drafting" };
            (format!("{id}: {who}{again}; {} cancels", key(Action::RunCancel)), Scope::GateRunning)
        }
        Phase::Reviewing => (format!("{id}: {}", under_way(scene, stage)), Scope::GateRunning),
        // Where there is little room, what stands in the way matters more than whole words.
        Phase::Awaiting if model.form == Form::Single => {
            (format!("{id} awaits you: {}", standing(model, stage)), Scope::Banner)
        }
        Phase::Awaiting => (format!("{id} AWAITS YOUR DECISION: {}", standing(model, stage)), Scope::Banner),
        Phase::Closed | Phase::Approved(_) | Phase::Stale => (format!("{id}: {}", stage.phase.name()), Scope::Muted),
    }
}

fn retry(scene: &Scene<'_>) -> String {
    scene.key(Action::LoopLand).unwrap_or_default()
}

/// That a call waits between two attempts: how long, what can be done, and last the words of whoever refused it.
fn waits(scene: &Scene<'_>, role: Role) -> Option<String> {
    let waiting = scene.model.waiting(role)?;
    let tick = scene.model.tick_ms().unsigned_abs();
    let left = seconds(waiting.until.0.abs_diff(scene.model.now.0).div_ceil(tick) * tick / 1000);
    let key = |action| scene.key(action).unwrap_or_default();
    let (now, cancel) = (key(Action::CallRetryNow), key(Action::RunCancel));
    Some(format!("the {} is asked again in {left}; {now} asks now, {cancel} cancels. {}", role.name(), waiting.why))
}

fn under_way(scene: &Scene<'_>, stage: &Stage) -> String {
    let model = scene.model;
    let mut parts = Vec::new();
    let waits = waits(scene, Role::Critic);
    if stage.pending.critique && waits.is_none() {
        parts.push("the critic reads".to_owned());
    }
    let running = stage.pending.gates.len();
    if running > 0 {
        let (good, all) = gates::tally(model);
        parts.push(format!("{} still running, {good} of {all} satisfied", plural(running, "gate")));
    }
    parts.extend(waits);
    parts.join("; ")
}

/// How the stage under decision stands, shortest first.
fn standing(model: &Model, stage: &Stage) -> String {
    let mut parts = Vec::new();
    let findings = stage.current_critique().map_or(&[][..], |critique| &critique.findings);
    let open = |severity: Severity| {
        findings.iter().filter(|f| f.severity == severity && f.disposition == Disposition::Open).count()
    };
    for severity in [Severity::Blocker, Severity::Major] {
        let count = open(severity);
        if count > 0 {
            parts.push(plural(count, severity.name()));
        }
    }
    if stage.current_critique().is_none() {
        parts.push("no critique".to_owned());
    }
    let (good, all) = gates::tally(model);
    if all > 0 {
        parts.push(format!("gates {good}/{all}"));
    }
    if model.unusable().is_some() {
        parts.push("your last edit could not be used".to_owned());
    }
    let unread = model.unread();
    if unread.total > 0 {
        let why = if model.review.hurried && unread.seen < unread.total {
            format!(" (some stood less than {}.{} s)", DWELL_MS / 1000, DWELL_MS % 1000 / 100)
        } else {
            String::new()
        };
        let findings = model.unread_findings();
        let findings = if findings.seen < findings.total && model.form != Form::Single {
            format!(" + {}/{}", findings.seen, findings.total)
        } else {
            String::new()
        };
        parts.push(format!("read {}/{}{findings}{why}", unread.seen, unread.total));
    }
    parts.join(", ")
}

/// The keys that work now, and what the loop has cost.
pub(super) fn footer(scene: &Scene<'_>, buf: &mut Buffer, area: Area) {
    let theme = scene.theme;
    let (key_style, desc) = (theme.style(Scope::FooterKey), theme.style(Scope::FooterDesc));
    let mut room = usize::from(area.width);
    // What is done next comes before what it has cost.
    let first = scene
        .model
        .hints()
        .into_iter()
        .take(FIRST_KEYS)
        .filter_map(|action| Some(scene.key(action)?.len() + action.info().short.len() + 3));
    let keys = LEAST_FOR_KEYS.max(if scene.model.overlays.is_empty() { first.sum::<usize>() + 8 } else { 0 });
    let costs = cost(scene.model);
    let fits = |room: usize| costs.iter().find(|cost| width(cost) + room <= usize::from(area.width)).cloned();
    let cost = fits(keys).or_else(|| costs.last().filter(|cost| width(cost) + LEAST_FOR_KEYS <= room).cloned());
    let right = Line::styled(cost.unwrap_or_default(), theme.style(Scope::CostOk));
    let help = scene.key(Action::HelpOpen).map(|key| (key, "help"));
    let help_room = help.as_ref().map_or(0, |(key, what)| key.len() + what.len() + 4);
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1 + help_room;
    if room >= 80 {
        room = room.saturating_sub(right.width());
    }
    // With something in front, its own keys are at its foot.
    let hints = if scene.model.overlays.is_empty() { scene.model.hints() } else { Vec::new() };
    for action in hints {
        let Some(key) = scene.key(action) else { continue };
        let text = action.info().short;
        let needed = key.len() + text.len() + 3;
        if used + needed > room {
            break;
        }
        used += needed;
        spans.push(Span::styled(key, key_style));
        spans.push(Span::styled(format!(" {text}  "), desc));
    }
    if let Some((key, what)) = help {
        spans.push(Span::styled(key, key_style));
        spans.push(Span::styled(format!(" {what} "), desc));
    }
    bar(buf, area, &Line::from(spans), &right, theme.style(Scope::Text));
}

/// Tokens, money and time that the loop's calls took, and the money alone for where there is less room. A call that
/// still runs isn't counted yet.
fn cost(model: &Model) -> Vec<String> {
    let Some(one) = model.current() else { return Vec::new() };
    let calls: Vec<_> = model.state.exchanges.values().filter(|call| call.id == one.id && call.end.is_some()).collect();
    if calls.is_empty() {
        return Vec::new();
    }
    let sum =
        |of: fn(&crate::domain::Usage) -> Option<u64>| calls.iter().filter_map(|call| of(&call.usage)).sum::<u64>();
    let (input, output) = (sum(|usage| usage.input), sum(|usage| usage.output));
    let ms: u64 = calls.iter().map(|call| call.timings.total).sum();
    let tokens = if input + output > 0 {
        format!(", {} in, {} out", short_count(input), short_count(output))
    } else {
        String::new()
    };
    let money = super::figures::cost(calls.iter().copied());
    let (calls, time) = (plural(calls.len(), "call"), duration(ms));
    let also = money.as_ref().map(|money| format!(", {money}")).unwrap_or_default();
    std::iter::once(format!("{calls}{tokens}{also}, {time} "))
        .chain(money.map(|money| money.replace(" and ", " + ").replace(" of unknown cost", "?") + " "))
        .collect()
}
