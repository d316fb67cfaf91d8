//! What each action does.

use tui_textarea::TextArea;

use crate::domain::{ArtifactKind, Role};
use crate::engine::{Command, Obstacle, Status, Trouble};

use super::action::Action;
use super::casting;
use super::entry;
use super::extract::Extract;
use super::files;
use super::front;
use super::help::{self, Help};
use super::layout::{self, Pane};
use super::model::{Live, Model, Notice};
use super::models;
use super::msg::Request;
use super::overlay::{Ask, Overlay, Purpose, Source, Trust};
use super::picker::{self, Picker};
use super::remarks::{self, Opinion};
use super::review;
use super::scroll::Scroll;
use super::sheet::Sheet;
use super::sight::Sight;
use super::themes;
use super::threads;
use super::timeline;
use super::travel;

/// The longest text that is edited on the screen, in bytes.
const EDIT_MOST: usize = 500_000;

/// Does an action.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Request> {
    if !model.overlays.is_empty() {
        return in_front(model, action);
    }
    if let Some(why) = model.unavailable(action) {
        model.notice = Some(Notice { text: format!("not now: {why}"), is_error: true });
        return Vec::new();
    }
    let by = model.person();
    if let Some(id) = model.current().map(|one| one.id) {
        let command = match action {
            Action::DraftSend => Some(Command::Draft { id }),
            Action::DraftTakeBack => Some(Command::TakeBack { id }),
            Action::RunCancel => Some(Command::Cancel { id }),
            Action::CritiqueRerun => Some(Command::Recritique { id }),
            Action::GateRerunAll => Some(Command::Rerun { id, gate: None }),
            Action::GateRerun => selected_gate(model).map(|gate| Command::Rerun { id, gate: Some(gate) }),
            Action::LoopPark => Some(Command::Park { id, by }),
            Action::LoopLand => Some(Command::Land { id }),
            Action::ContextToggle => model
                .stage()
                .and_then(|stage| stage.context.get(model.item))
                .map(|item| Command::Choose { id, name: item.name.clone(), included: !item.included }),
            _ => None,
        };
        if let Some(command) = command {
            return vec![command.into()];
        }
    }
    match action {
        Action::DecisionOpen => {
            open_sheet(model);
            // What a landing will do depends on the checkout as it is now.
            return if model.stage().is_some_and(|stage| stage.spec.lands) {
                vec![Request::LookAround]
            } else {
                Vec::new()
            };
        }
        Action::CallRetryNow => return ask_now(model),
        Action::DraftWrite | Action::PlanEditInline => edit(model),
        Action::PlanEditExternal => return edit_outside(model),
        Action::ContextAdd => {
            model.overlays.push(Overlay::Pick(Box::new(Picker::awaiting("Add a file to the context"))));
            return vec![Request::ListFiles];
        }
        Action::ModelChoose => {
            if let Some(role) = model.open_role() {
                model.overlays.push(Overlay::Pick(Box::new(models::picker(role))));
                return vec![Request::ListModels];
            }
        }
        Action::GateLog => {
            if let Some(gate) = selected_gate(model) {
                let scroll = if model.has_evidence(&gate) { Scroll::default() } else { Scroll::at_end() };
                model.overlays.push(Overlay::Text { source: Source::Gate(gate), scroll, found: None });
            }
        }
        Action::ReplyShow => {
            model.overlays.push(Overlay::text(Source::Reply));
        }
        Action::GateOverride => {
            if let Some(gate) = selected_gate(model) {
                let title = format!("Go on despite gate {gate}?");
                ask(model, Purpose::Override(gate), &title, "Why is it right to go on? It is kept in the record.");
            }
        }
        Action::FindingNext => travel::move_finding(model, 1),
        Action::FindingPrev => travel::move_finding(model, -1),
        Action::FindingJump => threads::jump(model),
        Action::FindingExplain => question(model, Role::Critic),
        Action::FindingAnswer => question(model, Role::Author),
        Action::PlaceBack => model.go_back(),
        Action::FindingShow => {
            model.overlays.push(Overlay::text(Source::Finding(model.finding)));
        }
        Action::FindingDismiss => dismiss(model),
        Action::HunkAccept => review::accept(model),
        Action::HunkReject => remark(model, true),
        Action::HunkComment => remark(model, false),
        Action::HunkNext => travel::to_unit(model, false, |_, _| true),
        Action::HunkPrev => travel::to_unit(model, true, |_, _| true),
        Action::HunkNextUnread => to_unread(model),
        Action::FileNext => travel::to_unit(model, false, travel::begins_file),
        Action::FilePrev => travel::to_unit(model, true, travel::begins_file),
        Action::FocusNext | Action::FocusPrev => {
            let step = if action == Action::FocusNext { 1 } else { Pane::ALL.len() - 1 };
            let next = Pane::ALL
                .into_iter()
                .cycle()
                .skip(model.focus as usize + step)
                .find(|pane| travel::is_reachable(model, *pane));
            model.focus = next.unwrap_or(model.focus);
        }
        Action::FocusConstraint => model.focus = Pane::Constraint,
        Action::FocusPlan => model.focus = Pane::Plan,
        Action::FocusCritique => model.focus = Pane::Critique,
        Action::FocusGates => model.focus = Pane::Gates,
        Action::ZoomToggle => model.zoomed = !model.zoomed,
        Action::WrapToggle => {
            let scroll = model.scroll_mut(model.focus);
            (scroll.wrap, scroll.left) = (!scroll.wrap, 0);
        }
        Action::SearchOpen => {
            if model.doc(model.focus).is_none() {
                let text = "there is no text to search in this pane".to_owned();
                model.notice = Some(Notice { text, is_error: false });
                return Vec::new();
            }
            front::ask(model);
        }
        Action::SearchNext => return model.jumping(|model| travel::search(model, false)),
        Action::SearchPrev => return model.jumping(|model| travel::search(model, true)),
        Action::StageViewPrev => travel::look(model, -1),
        Action::StageViewNext => travel::look(model, 1),
        Action::StageReopen => {
            let stage = model.stage_index();
            let name = model.stage().map(|stage| stage.spec.id.clone()).unwrap_or_default();
            let title = format!("Go back to {name}? Later stages become stale; nothing is deleted.");
            ask(model, Purpose::Reopen(stage), &title, "Why? It goes to the author with the next draft.");
        }
        Action::LoopNew => {
            let hint = model
                .current()
                .filter(|one| matches!(one.status, Status::Landed { .. }))
                .and_then(|one| one.next_constraint());
            let goal = model.current().map(|one| one.goal.clone()).unwrap_or_default();
            let what = match &hint {
                Some(hint) => format!("The last loop named this next constraint: {hint}"),
                None => "One sentence: what does the team want to reach? (\"10x checkout traffic\")".to_owned(),
            };
            let begun = model.drafts.get(&model.draft_key(&Purpose::Goal(None))).cloned().unwrap_or(goal);
            let question = Ask::new(Purpose::Goal(hint), "What is the goal of this effort?", &what, &begun);
            model.overlays.push(Overlay::Ask(Box::new(question)));
        }
        Action::LoopAbandon => {
            ask(model, Purpose::Abandon, "Abandon this loop?", "Why? The record stays; nothing lands.")
        }
        Action::LoopList => {
            let rows = picker::loops(model);
            model.overlays.push(Overlay::Pick(Box::new(Picker::new("Loops", rows))));
        }
        Action::CallsOpen => {
            let rows = picker::calls(model);
            model.overlays.push(Overlay::Pick(Box::new(Picker::of_calls(CALLS, rows))));
        }
        Action::PaletteOpen => {
            let rows = picker::commands(model);
            model.overlays.push(Overlay::Pick(Box::new(Picker::new("Commands", rows))));
        }
        Action::HelpOpen => model.overlays.push(Overlay::Help(Box::default())),
        Action::NextExplain => model.notice = Some(Notice { text: model.next_step(), is_error: false }),
        Action::ThemePick => themes::open(model),
        Action::TrustOpen => {
            if let (Some(config), Some(text)) = (model.host.setup.config, &model.host.commands) {
                model.overlays.push(Overlay::Trust(Box::new(Trust::new(config, text, model.now))));
            }
        }
        Action::Back => {
            if model.search.take().is_none() && model.review.range.take().is_none() {
                model.zoomed = false;
                if model.looking_at.take().is_some() || model.reading_loop.take().is_some() {
                    model.refresh();
                    model.focus = model.wide_pane();
                }
                (model.mark, model.review.range) = (None, None);
            }
        }
        Action::RolesOpen => return casting::open(model),
        Action::ReviewCopy => {
            let review = model.current().and_then(|one| Extract::of(one, model.stage_index()));
            let copy = |review: Extract| {
                // A stage's name may be anything; a file's may not.
                let stage = review.stage.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
                let name = format!("review-loop-{}-{stage}.md", review.id);
                Request::Copy { name, text: review.markdown() }
            };
            return review.map(copy).into_iter().collect();
        }
        Action::ConfigReload => return vec![Request::Reload],
        Action::Suspend => return vec![Request::Suspend],
        Action::Quit => return vec![Request::Quit],
        Action::AwayShow => model.overlays.push(Overlay::text(Source::Away)),
        Action::TimelineOpen => {
            let rows = timeline::rows(model);
            model.overlays.push(Overlay::Pick(Box::new(Picker::new("Revisions of the loop, the newest first", rows))));
        }
        Action::FilesOpen => {
            let rows = files::rows(model);
            model.overlays.push(Overlay::Pick(Box::new(Picker::new("Files of the change", rows))));
        }
        _ => match review::act(model, action) {
            Some(requests) => return requests,
            None => travel::scroll(model, action),
        },
    }
    Vec::new()
}

/// Over the list of calls.
const CALLS: &str = "Calls of models, the newest first; /TEXT finds those that sent or said it";

/// Actions while something stands in front.
fn in_front(model: &mut Model, action: Action) -> Vec<Request> {
    let now = model.now;
    model.notice = None;
    let page = isize::try_from(model.size.1 / 2).unwrap_or(1);
    let step = match action {
        Action::ScrollDown => 1,
        Action::ScrollUp => -1,
        Action::ScrollHalfDown => page,
        Action::ScrollHalfUp => -page,
        Action::ScrollTop => isize::MIN / 2,
        Action::ScrollBottom => isize::MAX / 2,
        _ => 0,
    };
    match model.overlays.last_mut() {
        Some(Overlay::Sheet(_)) => return on_sheet(model, action),
        _ if action == Action::TextSubmit => return entry::finish(model),
        Some(Overlay::Ask(ask)) if action == Action::Back => {
            let (purpose, text) = (ask.purpose.clone(), ask.text());
            model.overlays.pop();
            model.keep_draft(&purpose, text);
        }
        Some(Overlay::Help(help)) => {
            let mut next: Help = (**help).clone();
            if action == Action::Back && next.back() {
                model.overlays.pop();
                return Vec::new();
            }
            help::act(model, &mut next, action, step);
            if let Some(Overlay::Help(help)) = model.overlays.last_mut() {
                **help = next;
            }
        }
        Some(Overlay::Pick(_)) if action == Action::Back => {
            if let Some(Overlay::Pick(picker)) = model.overlays.pop() {
                return themes::restore(model, &picker);
            }
        }
        _ if action == Action::Back => {
            model.overlays.pop();
        }
        Some(Overlay::Trust(trust)) => {
            let takes = trust.arming.takes(now);
            let (width, height) = layout::text_room(model.size);
            let sight = Sight::plain(&trust.text, width, height);
            match trust.next_unseen().filter(|_| action == Action::ScrollBottom) {
                // Nothing is passed over on the way to the end.
                Some(line) => trust.scroll = Scroll { line, ..Scroll::default() }.shown(&sight),
                None => trust.scroll.by(&sight, step.clamp(-100_000, 100_000)),
            }
            if action == Action::TrustGive && takes {
                if trust.unseen() == 0 {
                    let config = trust.config;
                    model.overlays.pop();
                    return vec![Request::Trust(config)];
                }
                let text = format!("read them to their end first: {} lines were not shown yet", trust.unseen());
                model.notice = Some(Notice { text, is_error: true });
            }
        }
        Some(Overlay::Text { .. }) => front::act(model, action, step),
        _ => {}
    }
    Vec::new()
}

fn on_sheet(model: &mut Model, action: Action) -> Vec<Request> {
    let now = model.now;
    let Some(Overlay::Sheet(sheet)) = model.overlays.last_mut() else { return Vec::new() };
    let takes = sheet.arming.takes(now);
    if action == Action::Back {
        // Closing never decides, so it needs no arming.
        if sheet.field.take().is_none() {
            close_sheet(model);
        }
        return Vec::new();
    }
    if action == Action::TextSubmit {
        return entry::finish(model);
    }
    // Sending back is no danger: it asks for words first. What approves or ends a loop waits until the sheet was seen.
    if !takes && action == Action::StageApprove && !sheet.sent {
        sheet.error = Some("that came before this could be read: wait a moment, then press it again".to_owned());
    }
    if (!takes && action != Action::DecisionRevise) || sheet.sent {
        return Vec::new();
    }
    sheet.error = None;
    match action {
        Action::ScrollDown => sheet.scroll = sheet.scroll.saturating_add(1),
        Action::ScrollUp => sheet.scroll = sheet.scroll.saturating_sub(1),
        Action::FocusConstraint | Action::FocusPlan | Action::FocusCritique | Action::FocusGates => {
            let goes_on = action == Action::FocusCritique && sheet.findings.seen < sheet.findings.total;
            close_sheet(model);
            if goes_on && threads::to_unread(model) {
                return Vec::new();
            }
            return act(model, action);
        }
        Action::StageApprove => {
            if sheet.remarks.asks_for_revision() {
                sheet.error =
                    Some("you have rejected or commented on parts: send them back, or take them back".to_owned());
                return Vec::new();
            }
            if let Some(obstacle) = sheet.obstacles.first() {
                sheet.error = Some(match obstacle {
                    Obstacle::Gate { gate, .. } => {
                        format!("gate {gate} stands in the way: mend it, rerun it, or override it in the gates pane")
                    }
                    Obstacle::Blocker { .. } => {
                        "a blocker is open: send it back, or dismiss it in the critique pane".to_owned()
                    }
                });
                return Vec::new();
            }
            if let Some(field) = sheet.missing() {
                sheet.field = Some(field);
                return Vec::new();
            }
            // It stays until the answer comes: a refusal is shown on it, and nothing typed is lost.
            sheet.sent = true;
            let approval = sheet.clone().approval(model);
            return vec![approval.into()];
        }
        Action::DecisionRevise => {
            let hint = "What should be different? Open findings go along.";
            let bundle = model.remarks.bundle(&model.artifact);
            let begun = model
                .drafts
                .get(&model.draft_key(&Purpose::Revise))
                .cloned()
                .filter(|begun| begun.starts_with(&bundle));
            // What is typed stands on a line of its own.
            let begun = begun.unwrap_or_else(|| if bundle.is_empty() { bundle } else { format!("{bundle}\n") });
            let question = Ask::new(Purpose::Revise, "Send it back to the author", hint, &begun);
            model.overlays.push(Overlay::Ask(Box::new(question)));
        }
        Action::DecisionAbandon => {
            ask(model, Purpose::Abandon, "Abandon this loop?", "Why? The record stays; nothing lands.");
        }
        _ => {}
    }
    Vec::new()
}

fn open_sheet(model: &mut Model) {
    let Some(one) = model.current() else { return };
    let sheet = Sheet::new(one, model);
    model.overlays.push(Overlay::Sheet(Box::new(sheet)));
}

fn close_sheet(model: &mut Model) {
    if let Some(Overlay::Sheet(sheet)) = model.overlays.pop() {
        model.last_look.insert((sheet.id, sheet.stage), sheet.evidence);
    }
}

fn ask(model: &mut Model, purpose: Purpose, title: &str, hint: &str) {
    let begun = model.drafts.get(&model.draft_key(&purpose)).cloned().unwrap_or_default();
    model.overlays.push(Overlay::Ask(Box::new(Ask::new(purpose, title, hint, &begun))));
}

/// Asks for a word on the part at the cursor; a part that is rejected already is taken back.
fn remark(model: &mut Model, rejects: bool) {
    let Some(unit) = review::subject(model) else { return };
    let known = model.remarks.of(&unit.digest).cloned().unwrap_or_default();
    if rejects && known.opinion == Some(Opinion::Rejected) {
        model.remember();
        model.remarks.take_back(&unit.digest);
        return;
    }
    let place = remarks::place(&model.artifact, &unit);
    let is_rejected = known.opinion == Some(Opinion::Rejected);
    let (title, hint) = if is_rejected {
        (format!("Why {place} is rejected"), "Typing replaces what you said; an arrow key edits it.")
    } else if rejects {
        (format!("Reject {place}"), "What should be different? It goes to the author when you send the stage back.")
    } else {
        (format!("Comment on {place}"), "It goes to the author when you send the stage back. Empty takes it away.")
    };
    let purpose = Purpose::Remark { part: unit.digest, rejects };
    let draft = model.drafts.get(&model.draft_key(&purpose)).cloned();
    let mut question = Ask::new(purpose, &title, hint, draft.as_ref().unwrap_or(&known.text));
    if draft.is_none() {
        // Words that were said already are changed, not added to.
        question.area.select_all();
    }
    model.overlays.push(Overlay::Ask(Box::new(question)));
}

/// Opens the artifact for editing, or a blank one with its headings.
fn edit(model: &mut Model) {
    let text = text_to_edit(model);
    if text.len() > EDIT_MOST {
        let text = "it is too long to be edited here; edit it in $EDITOR".to_owned();
        model.notice = Some(Notice { text, is_error: true });
        return;
    }
    let begun = model.drafts.get(&model.draft_key(&Purpose::Edit)).cloned().unwrap_or(text);
    let is_change = model.stage().is_some_and(|stage| stage.spec.artifact == ArtifactKind::Change);
    let hint = if is_change {
        "SEARCH/REPLACE blocks or a unified diff. It is vetted and applied like a model's."
    } else {
        "Your text becomes a new revision, marked as yours, and is reviewed like any other."
    };
    let question = Ask {
        area: TextArea::from(begun.split('\n').map(str::to_owned)),
        ..Ask::new(Purpose::Edit, "Write", hint, "")
    };
    model.overlays.push(Overlay::Ask(Box::new(question)));
}

fn edit_outside(model: &Model) -> Vec<Request> {
    let Some(one) = model.current() else { return Vec::new() };
    let is_change = model.stage().is_some_and(|stage| stage.spec.artifact == ArtifactKind::Change);
    if is_change { vec![Request::EditWorktree(one.id)] } else { vec![Request::Edit(text_to_edit(model))] }
}

fn text_to_edit(model: &Model) -> String {
    let Some(stage) = model.stage() else { return String::new() };
    // A text that could not be used is mended, not begun anew.
    match (stage.revision(), &stage.trouble) {
        (_, Some(Trouble::Malformed { text, .. } | Trouble::Patch { text, .. })) => text.clone(),
        (Some(revision), _) => match &revision.change {
            Some(change) if stage.spec.artifact == ArtifactKind::Change => {
                format!("{}\n\n```diff\n{}```\n", revision.text.trim(), change.patch)
            }
            _ => revision.text.clone(),
        },
        _ if stage.spec.artifact == ArtifactKind::Change => String::new(),
        _ => stage.spec.sections.iter().map(|heading| format!("## {heading}\n\n\n")).collect(),
    }
}

fn ask_now(model: &mut Model) -> Vec<Request> {
    let Live { author, critic, answers, .. } = &mut model.live;
    for stream in author.iter_mut().chain(critic).chain(answers.values_mut()) {
        stream.waiting = None;
    }
    model.current().map(|one| Request::AskNow(one.id)).into_iter().collect()
}

/// Asks what to ask about the selected finding.
fn question(model: &mut Model, to: Role) {
    if let Some((purpose, title, hint)) = model.question(to) {
        ask(model, purpose, &title, &hint);
    }
}

/// Goes on reading: the artifact first, then the findings.
fn to_unread(model: &mut Model) {
    let unread = model.unread();
    let of_artifact = unread.seen < unread.total;
    if of_artifact || !threads::to_unread(model) {
        model.jumping(travel::to_unread);
    }
}

fn selected_gate(model: &Model) -> Option<String> {
    model.current()?.gates(model.stage_index()).get(model.gate).map(|gate| gate.name.clone())
}

fn dismiss(model: &mut Model) {
    let critique = model.stage().and_then(|stage| stage.current_critique());
    let Some((revision, finding)) = critique.and_then(|c| Some((c.revision, c.findings.get(model.finding)?))) else {
        return;
    };
    let title = format!("Set this {} aside: {}", finding.severity.name(), finding.text);
    let purpose = Purpose::Dismiss { revision, finding: model.finding };
    ask(model, purpose, &title, "Why doesn't it matter here? It is kept in the record.");
}
