//! The one place where the screen's state changes: a message comes in, requests go out.

use crate::domain::{Origin, Role, Timestamp, Verb};
use crate::engine::{self, Command, Event, Phase, Recorded, Status, Trouble};

use super::action::Action;
use super::doc::Doc;
use super::layout::{self, Form};
use super::model::{Live, Model, Notice, Stream};
use super::msg::{Msg, Request};
use super::overlay::{Overlay, Purpose, Source};
use super::scroll::Scroll;
use super::{act, away, casting, entry, models, picker, review, tell, threads, timeline, travel};

/// Changes `model` by one message and says what it asks of the world.
pub fn update(model: &mut Model, msg: Msg, now: Timestamp) -> Vec<Request> {
    model.now = now;
    let is_human =
        matches!(msg, Msg::Act(_) | Msg::Input(_) | Msg::Wheel { .. } | Msg::Stray | Msg::Paste(_) | Msg::Line(_));
    let requests = match msg {
        Msg::Resize(width, height) => {
            model.size = (width, height);
            model.form = layout::form_for(width, height, Some(model.form));
            // At another size it is another screen: it has to be drawn before it counts as seen.
            for overlay in &mut model.overlays {
                match overlay {
                    Overlay::Sheet(sheet) => sheet.arming.hidden(),
                    Overlay::Trust(trust) => trust.arming.hidden(),
                    Overlay::Casting(casting) => casting.arming.hidden(),
                    _ => {}
                }
            }
            Vec::new()
        }
        // Nothing is done unseen: a window that is too small shows nothing to act on.
        Msg::Act(action) if model.form == Form::TooSmall && action != Action::Quit => Vec::new(),
        Msg::Input(_) | Msg::Wheel { .. } | Msg::Paste(_) if model.form == Form::TooSmall => Vec::new(),
        Msg::Act(action) => {
            model.notice = None;
            act::act(model, action)
        }
        Msg::Input(input) => entry::input(model, input),
        Msg::Wheel { down } if model.overlays.is_empty() => {
            travel::wheel(model, down);
            Vec::new()
        }
        Msg::Wheel { down } => {
            let action = if down { Action::ScrollDown } else { Action::ScrollUp };
            (0..travel::WHEEL_ROWS).flat_map(|_| act::act(model, action)).collect()
        }
        Msg::Stray => {
            model.notice = None;
            match model.overlays.last_mut() {
                Some(Overlay::Sheet(sheet)) => {
                    sheet.arming.takes(now);
                }
                Some(Overlay::Trust(trust)) => {
                    trust.arming.takes(now);
                }
                _ => {}
            }
            Vec::new()
        }
        Msg::Paste(text) => entry::paste(model, &text),
        Msg::Line(text) => entry::line(model, &text),
        Msg::Read(unit) => {
            if let Some(unit) = model.artifact.units().get(unit) {
                model.reading.say_read(unit.digest);
            }
            Vec::new()
        }
        Msg::Painted => {
            match model.overlays.last_mut() {
                Some(Overlay::Sheet(sheet)) => sheet.arming.painted(now),
                Some(Overlay::Trust(trust)) => trust.painted(model.size, now),
                Some(Overlay::Casting(casting)) => casting.arming.painted(now),
                _ => {}
            }
            Vec::new()
        }
        Msg::Woken => Vec::new(),
        Msg::Event(recorded) => event(model, &recorded),
        Msg::Delta { id, stage, role, finding, text, reasoning } => {
            let current = model.state.active().is_some_and(|one| one.id == id && one.open == stage);
            if let Some(stream) = model.stream_of(role, finding).filter(|_| current) {
                if reasoning {
                    stream.reasoning += text.chars().count();
                } else {
                    stream.doc.push(&text);
                    stream.text.push_str(&text);
                }
            }
            if role == Role::Author && finding.is_none() {
                travel::follow(model);
            }
            Vec::new()
        }
        Msg::Waiting { id, stage, role, finding, waiting } => {
            let current = model.state.active().is_some_and(|one| one.id == id && one.open == stage);
            if let Some(stream) = model.stream_of(role, finding).filter(|_| current) {
                stream.waiting = Some(waiting);
            }
            Vec::new()
        }
        Msg::GateBegan { gate, at } => {
            model.live.begun.insert(gate, at);
            Vec::new()
        }
        Msg::GateOutput { gate, text } => {
            model.add_output(gate, &text);
            Vec::new()
        }
        Msg::Progress(text) => {
            model.live.progress = Some(text);
            Vec::new()
        }
        Msg::Live(live) => {
            let (call, past) = (model.live.call.take(), model.live.past.take());
            model.live = Live { call, past, ..*live };
            Vec::new()
        }
        Msg::Watchers(watchers) => {
            model.watchers = watchers;
            Vec::new()
        }
        Msg::Refused(text) => {
            if let Some(Overlay::Sheet(sheet)) = model.overlays.last_mut().filter(|overlay| overlay.is_sent()) {
                sheet.sent = false;
                sheet.error = Some(text);
                return Vec::new();
            }
            model.notice = Some(Notice { text, is_error: true });
            Vec::new()
        }
        Msg::Host(host) => {
            model.host = *host;
            Vec::new()
        }
        Msg::Files(paths) => {
            if let Some(Overlay::Pick(picker)) = model.overlays.last_mut()
                && picker.loading
                && !picker.takes_typed
            {
                picker.fill(picker::files(paths));
            }
            Vec::new()
        }
        Msg::FoundCalls { text, lines } => {
            entry::found(model, &text, &lines);
            Vec::new()
        }
        Msg::Models { offers, more } => {
            models::listed(model, offers, more);
            Vec::new()
        }
        Msg::Found(found) => {
            casting::found(model, *found);
            Vec::new()
        }
        Msg::Tried(tried) => casting::tried(model, tried),
        Msg::Cast(text) => {
            model.overlays.retain(|overlay| !matches!(overlay, Overlay::Casting(_)));
            model.notice = Some(Notice { text, is_error: false });
            Vec::new()
        }
        Msg::Call { exchange, text } => {
            model.live.call = Some((exchange, Doc::prose(&text)));
            model.overlays.push(Overlay::text(Source::Call(exchange)));
            Vec::new()
        }
        Msg::Compared { note, patch } => {
            timeline::show_compared(model, &note, &patch);
            Vec::new()
        }
        Msg::Edited { text } => entry::edited(model, text),
    };
    if !travel::is_reachable(model, model.focus) {
        model.focus = model.wide_pane();
    }
    if is_human {
        away::back(model);
    }
    observe(model);
    requests
}

/// Counts what is being read.
fn observe(model: &mut Model) {
    if model.is_reading_findings() {
        let parts = model.critique_parts();
        model.reading.observe(model.objections.doc(), parts, model.now);
        return;
    }
    if !model.is_reading() {
        model.reading.look_away();
        return;
    }
    let pane = model.wide_pane();
    let Some(sight) = model.sight(pane) else { return };
    let parts = model.scroll(pane).parts(&sight);
    model.reading.observe(&model.artifact, parts, model.now);
    model.note_look();
    let unread = model.unread();
    model.review.hurried &= unread.seen < unread.total;
}

fn event(model: &mut Model, recorded: &Recorded) -> Vec<Request> {
    if recorded.seq <= model.seq {
        return Vec::new();
    }
    if let Err(corrupt) = engine::apply(&mut model.state, recorded) {
        model.notice =
            Some(Notice { text: format!("the record is damaged: {corrupt}; run `windlass verify`"), is_error: true });
        return Vec::new();
    }
    model.seq = recorded.seq;
    model.away.say(recorded.at, tell::event(&model.state, recorded));
    match &recorded.event {
        Event::Begun { .. } | Event::Resumed { .. } => {
            model.reading_loop = None;
            model.looking_at = None;
            model.live = super::model::Live::default();
        }
        Event::Asked { role, finding: None, model: name, .. } => {
            let since = recorded.at;
            let stream = Stream { model: Some(name.clone()), since, ..Stream::default() };
            *model.stream_mut(*role) = Some(stream);
        }
        Event::DraftBegun { .. } => {
            model.live.author = None;
            let wide = model.wide_pane();
            *model.scroll_mut(wide) = Scroll { wrap: model.scroll(wide).wrap, ..Scroll::at_end() };
        }
        Event::Drafted { .. } => {
            model.live.author = None;
            model.live.critic = None;
            model.live.gates.clear();
            model.live.begun.clear();
        }
        Event::DraftFailed { id, stage, trouble } => {
            model.live.author = None;
            let place = model.state.loops.get(id).and_then(|one| one.stage(*stage));
            if place.is_some_and(|stage| stage.phase == Phase::Awaiting) {
                let what = match trouble {
                    Trouble::Call(why) | Trouble::Stopped(why) => why.clone(),
                    Trouble::Malformed { missing: all, .. } | Trouble::Patch { problems: all, .. } => all.join("; "),
                };
                let text = format!("your edit could not be used, the revision stays: {what}");
                model.notice = Some(Notice { text, is_error: true });
            }
        }
        Event::Critiqued { .. } | Event::CritiqueFailed { .. } => model.live.critic = None,
        Event::GateFinished { run, .. } => {
            model.live.begun.remove(&run.gate);
        }
        Event::Prepared { .. } => model.live.progress = None,
        Event::RerunAsked { gates, critique, .. } => {
            for gate in gates {
                model.live.gates.remove(gate);
            }
            if *critique {
                model.live.critic = None;
            }
        }
        Event::Decided { decision, .. } if decision.verb == Verb::Revise => model.remarks.sent(),
        Event::Landed { commit, left, .. } => {
            let text = match left {
                None => format!("landed as {}", commit.short()),
                Some(left) => format!("made commit {}; {left}", commit.short()),
            };
            model.notice = Some(Notice { text, is_error: false });
        }
        Event::LandingFailed { why, .. } => {
            model.notice = Some(Notice { text: format!("landing failed: {why}"), is_error: true });
        }
        _ => {}
    }
    if model.notice.as_ref().is_some_and(|notice| notice.text.starts_with("not now: ")) {
        model.notice = None;
    }
    threads::event(model, recorded);
    forget_drafts(model, &recorded.event);
    if matches!(recorded.event, Event::Decided { .. } | Event::Reopened { .. } | Event::Begun { .. }) {
        let decided = model.overlays.iter().position(|overlay| matches!(overlay, Overlay::Sheet(_)));
        model.overlays.truncate(decided.unwrap_or(model.overlays.len()));
        // The screen goes where the work is; the focus follows only because the human just decided.
        model.looking_at = None;
        model.refresh();
        model.focus = model.wide_pane();
        model.zoomed = false;
    }
    model.refresh();
    clamp(model);
    close_outdated_sheet(model);
    match &recorded.event {
        // Whoever has edited it sees what came of it.
        Event::Drafted { revision, .. }
            if matches!(revision.origin, Origin::Human { .. })
                && !(model.host.reads_only || model.is_plain)
                && model.overlays.is_empty() =>
        {
            review::edited(model)
        }
        _ => Vec::new(),
    }
}

/// Forgets the texts that have arrived; all others are kept.
fn forget_drafts(model: &mut Model, event: &Event) {
    let arrived = match event {
        Event::Begun { .. } => Purpose::Goal(None),
        Event::Decided { decision, .. } => match decision.verb {
            Verb::Revise => Purpose::Revise,
            Verb::Abandon => Purpose::Abandon,
            Verb::Approve => return,
        },
        Event::Dismissed { revision, finding, .. } => Purpose::Dismiss { revision: *revision, finding: *finding },
        Event::Questioned { revision, finding, to, .. } => {
            Purpose::Question { revision: *revision, finding: *finding, to: *to }
        }
        Event::Overridden { by, .. } => Purpose::Override(by.gate.clone()),
        Event::Reopened { stage, .. } => Purpose::Reopen(*stage),
        Event::Drafted { revision, .. } if matches!(revision.origin, Origin::Human { .. }) => Purpose::Edit,
        _ => return,
    };
    model.keep_draft(&arrived, String::new());
}

/// A sheet whose evidence is no longer so closes and says what changed.
fn close_outdated_sheet(model: &mut Model) {
    let Some(place) = model.overlays.iter().position(|overlay| matches!(overlay, Overlay::Sheet(_))) else { return };
    let Some(Overlay::Sheet(sheet)) = model.overlays.get(place) else { return };
    let (id, stage) = (sheet.id, sheet.stage);
    let now = model.state.loops.get(&id).filter(|one| one.status == Status::Active && one.open == stage);
    let changed = now.map(|one| sheet.evidence.changed(&engine::evidence(one, stage)));
    match changed {
        Some(changed) if changed.is_empty() => {}
        Some(changed) => {
            let text = format!("changed under you: {}; look again, then decide", changed.join(", "));
            model.overlays.truncate(place);
            model.notice = Some(Notice { text, is_error: true });
        }
        None => model.overlays.truncate(place),
    }
}

fn clamp(model: &mut Model) {
    let Some(stage) = model.stage() else { return };
    let findings = stage.current_critique().map_or(0, |critique| critique.findings.len());
    let items = stage.context.len();
    let gates = model.current().map_or(0, |one| one.gates(model.stage_index()).len());
    model.finding = model.finding.min(findings.saturating_sub(1));
    model.item = model.item.min(items.saturating_sub(1));
    model.gate = model.gate.min(gates.saturating_sub(1));
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        Self::Command(Box::new(command))
    }
}
