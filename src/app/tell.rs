//! Events as sentences: what has just happened, and what it leads to.

use crate::domain::{Disposition, End, GateRun, Role, Severity, StageIndex, Verb};
use crate::engine::{Event, Loop, Phase, Recorded, Stage, State, Status, Trouble};

/// What to say of an event, given the state that it has led to. What the screen would show as a notice isn't said here.
pub fn event(state: &State, recorded: &Recorded) -> Vec<String> {
    let one = recorded.event.loop_id().and_then(|id| state.loops.get(&id));
    let name = |stage: &StageIndex| one.and_then(|one| one.stage(*stage)).map_or("stage", |stage| &stage.spec.id);
    match &recorded.event {
        Event::Trusted { .. } => vec!["The repository's commands are trusted, exactly as they are now.".to_owned()],
        Event::Begun { id, goal, .. } => {
            let mut lines = vec![format!("Loop {id} begins. Its goal: {goal}")];
            lines.extend(one.and_then(opened));
            lines
        }
        Event::Prepared { stage, unmeasured, measurement, .. } => {
            let mut lines = Vec::new();
            if measurement.is_some() {
                lines.push("The system was measured; readings prints the figures.".to_owned());
            }
            lines.extend(unmeasured.iter().map(|why| format!("It was not measured: {why}")));
            lines.extend(one.and_then(|one| Some(ready(one, one.stage(*stage)?))));
            lines
        }
        Event::ContextChosen { name, included, .. } => {
            let what = if *included { "will be sent" } else { "will not be sent" };
            vec![format!("{name} {what}.")]
        }
        Event::ModelChosen { role, model, .. } => {
            vec![format!("For this stage, the {} is {model}.", role.name())]
        }
        Event::Asked { role, finding, model, exchange, .. } => {
            let about = finding.map_or_else(String::new, |finding| format!(" about finding {}", finding + 1));
            vec![format!("The {} is asked{about}: {model}, call {exchange}.", role.name())]
        }
        Event::Answered { exchange, end, usage, .. } => {
            let call = state.exchanges.get(exchange);
            let role = call.map_or("model", |call| call.role.name());
            let how = match end {
                End::Complete => "has answered".to_owned(),
                End::Truncated(why) => format!("stopped early: {why}"),
                End::Failed(why) => format!("failed: {why}"),
                End::Cancelled => "was cancelled".to_owned(),
                End::Interrupted => "was interrupted".to_owned(),
            };
            let tokens = usage.output.map(|output| format!(", {output} tokens")).unwrap_or_default();
            let cost = call.and_then(|call| call.cost()).map(|cost| format!(", {cost}")).unwrap_or_default();
            vec![format!("The {role} {how}{tokens}{cost}.")]
        }
        Event::Drafted { stage, revision, .. } => {
            let by = revision.origin.writer();
            let mut text = format!("Revision {} of the {} is there, by {by}.", revision.ordinal, name(stage));
            if let Some(stage) = one.and_then(|one| one.stage(*stage)).filter(|stage| !stage.pending.is_empty()) {
                let mut who: Vec<String> = stage.pending.gates.iter().map(|gate| format!("gate {gate}")).collect();
                if stage.pending.critique {
                    who.insert(0, "the critic".to_owned());
                }
                text.push_str(&format!(" It is reviewed by {}.", who.join(", ")));
            }
            vec![text]
        }
        Event::DraftFailed { stage, trouble, .. } => {
            let mut lines = vec![format!("There is no draft of the {}. {}", name(stage), reason(trouble))];
            if matches!(trouble, Trouble::Malformed { .. } | Trouble::Patch { .. }) {
                lines.push("reply prints what came.".to_owned());
            }
            lines
        }
        Event::Critiqued { critique, stage, .. } => {
            let Some(stage) = one.and_then(|one| one.stage(*stage)) else { return Vec::new() };
            let mut lines = vec![format!("The critique is there: {}.", open_findings(stage))];
            lines.extend(critique.findings.is_empty().then(|| "No findings.".to_owned()));
            lines
        }
        Event::CritiqueFailed { why, .. } => vec![format!("There is no critique: {why}")],
        Event::GateFinished { run, .. } => vec![gate_run(run)],
        Event::RerunAsked { gates, critique, .. } => {
            let mut what: Vec<String> = gates.iter().map(|gate| format!("gate {gate}")).collect();
            what.extend(critique.then(|| "the critic".to_owned()));
            if what.is_empty() {
                vec!["It is measured again.".to_owned()]
            } else {
                vec![format!("Again: {}.", what.join(", "))]
            }
        }
        Event::Dismissed { finding, reason, .. } => {
            vec![format!("Finding {} is set aside: {reason}", finding + 1)]
        }
        // What is asked about it is said with the call.
        Event::Questioned { .. } => Vec::new(),
        Event::Replied { finding, .. } => {
            vec![format!("Finding {} has its answer. findings prints it; it changes nothing by itself.", finding + 1)]
        }
        Event::ReplyFailed { finding, .. } => {
            vec![format!("Finding {} has no answer; it can be asked again.", finding + 1)]
        }
        Event::Overridden { by, .. } => vec![format!("Gate {} is overridden: {}", by.gate, by.reason)],
        Event::Decided { stage, decision, .. } => {
            let verb = match decision.verb {
                Verb::Approve => "is approved",
                Verb::Revise => "goes back to its author",
                Verb::Abandon => "is abandoned, and the loop with it",
            };
            let mut lines = vec![format!("The {} {verb}, by {}.", name(stage), decision.by.0)];
            if decision.verb == Verb::Approve {
                lines.extend(one.and_then(|one| match one.status {
                    Status::Landing(_) => Some("The approved tree is being made a commit.".to_owned()),
                    _ => opened(one),
                }));
            }
            lines
        }
        Event::TakenBack { stage, .. } => {
            vec![format!("The {} that was sent back is up for decision again.", name(stage))]
        }
        Event::CancelAsked { .. } => vec!["What was running is told to stop.".to_owned()],
        Event::Reopened { stage, .. } => vec![format!("The {} is open again; later stages are stale.", name(stage))],
        Event::Parked { id, .. } => vec![format!("Loop {id} rests. loops lists it, to go on with it.")],
        Event::Resumed { id, .. } => {
            let mut lines = vec![format!("Loop {id} goes on.")];
            lines.extend(one.and_then(opened));
            lines
        }
        Event::Landed { .. } => {
            let next = one.and_then(Loop::next_constraint);
            next.map(|next| format!("The next constraint: {next}")).into_iter().collect()
        }
        Event::LandingRetried { .. } => vec!["The landing is tried again.".to_owned()],
        Event::Written { .. } | Event::WorktreeTaken { .. } => vec!["Your change is applied.".to_owned()],
        Event::Configured { .. } | Event::DraftBegun { .. } | Event::LandingFailed { .. } | Event::Recovered => {
            Vec::new()
        }
    }
}

/// Which stage is open now.
pub fn opened(one: &Loop) -> Option<String> {
    let stage = one.open_stage().filter(|_| one.status == Status::Active)?;
    let drafts = stage.spec.drafts.trim_end_matches('.');
    Some(format!("Stage {} of {}, {}, is open: {drafts}.", one.open.number(), one.stages.len(), stage.spec.id))
}

/// That a stage is ready to draft.
fn ready(one: &Loop, stage: &Stage) -> String {
    let sent: Vec<_> = stage.context.iter().filter(|item| item.included).collect();
    let tokens: u64 = sent.iter().map(|item| item.tokens).sum();
    let whom =
        one.setup.author.as_ref().map_or_else(|| "nobody: no author is configured".to_owned(), ToString::to_string);
    let items = plural(sent.len(), "item");
    format!("{}: ready; {items} of context, about {tokens} tokens, would go to {whom}.", stage.spec.id.to_uppercase())
}

/// That a stage waits for its human, if it does.
pub fn awaits(stage: &Stage) -> Option<String> {
    (stage.phase == Phase::Awaiting).then(|| format!("{} AWAITS YOUR DECISION", stage.spec.id.to_uppercase()))
}

/// Why there is no draft.
pub fn reason(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Call(why) | Trouble::Stopped(why) => why.clone(),
        Trouble::Malformed { missing, .. } => format!("The reply lacks what this stage needs: {}", missing.join("; ")),
        Trouble::Patch { problems, .. } => format!("The patch can't be used: {}", problems.join("; ")),
    }
}

/// That a call waits for its next attempt.
pub fn waits(role: Role, seconds: u64, why: &str) -> String {
    format!("The {} is asked again in {seconds} s: {why} now asks at once, cancel gives it up.", role.name())
}

/// `1 part`, `3 parts`.
pub fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// How many findings are open, by severity.
pub fn open_findings(stage: &Stage) -> String {
    let Some(critique) = stage.current_critique() else { return "no critique".to_owned() };
    let open = |severity: Severity| {
        let of = critique.findings.iter().filter(|finding| finding.severity == severity);
        of.filter(|finding| finding.disposition == Disposition::Open).count()
    };
    let named = Severity::ALL.into_iter().rev().filter(|severity| open(*severity) > 0);
    let named: Vec<String> = named.map(|severity| plural(open(severity), severity.name())).collect();
    if named.is_empty() { "no open findings".to_owned() } else { format!("{} open", named.join(", ")) }
}

/// What a gate said, in one line.
pub fn gate_run(run: &GateRun) -> String {
    let (seconds, tenths) = (run.duration_ms / 1_000, run.duration_ms % 1_000 / 100);
    format!("Gate {}: {}, {}, {seconds}.{tenths} s.", run.gate, run.verdict.name(), run.summary)
}
