//! Everything the screen is drawn from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::{
    Answer, ArtifactKind, Budget, Digest, Disposition, ExchangeId, GateKind, LoopId, ModelId, Offer, Person, Price,
    Role, StageIndex, Timestamp, Unread,
};
use crate::engine::{Evidence, Loop, Phase, Setup, Stage, State, Trouble};

use super::action::Context;
use super::away::Away;
use super::critique::Objections;
use super::doc::Doc;
use super::keys::KeyRow;
use super::layout::{self, Form, Pane, Screen};
use super::overlay::{Overlay, Source};
use super::places::Place;
use super::reading::Reading;
use super::remarks::Remarks;
use super::review::Review;
use super::scroll::Scroll;
use super::search::Search;
use super::sight::Sight;
use super::themes::Offered;

/// The most lines kept of a gate's output for the screen; the rest is in its file.
const OUTPUT_LINES: usize = 2000;

/// What is known of the checkout and the person, beside the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Host {
    /// The repository's name: its directory.
    pub repository: String,
    /// The branch; none when detached.
    pub branch: Option<String>,
    /// Paths that are changed or untracked in the checkout.
    pub dirty: Vec<String>,
    /// Who is at the keyboard, as git has it.
    pub person: String,
    /// Whether this is the demo, with scripted models.
    pub demo: bool,
    /// Whether another process drives, so that nothing can be changed from here.
    pub reads_only: bool,
    /// Roles and gates as configured now.
    pub setup: Setup,
    /// What the author charges; none if nobody knows.
    pub price: Option<Price>,
    /// What the one who makes changes charges.
    pub change_price: Option<Price>,
    /// What may be spent.
    pub budget: Budget,
    /// The repository's configuration, to be read before it is trusted.
    pub commands: Option<String>,
    /// What protects the machine from a gate's command.
    pub protection: String,
    /// Whether nothing on the screen is to move by itself: clocks go by tens of seconds.
    pub calm: bool,
    /// Whether findings are shown only once the artifact was read, or the human asks for them.
    pub reveals_after_reading: bool,
    /// What the human should know: warnings of the configuration.
    pub warnings: Vec<String>,
    /// What to do when no model is configured: providers and servers that were found, and the next step.
    pub advice: Vec<String>,
    /// The theme in use.
    pub theme: String,
    /// The themes that can be chosen; none on a terminal without colours.
    pub themes: Vec<Offered>,
    /// The person's configuration file, where a choice can be kept.
    pub config_file: Option<String>,
}

/// A reply on its way.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Who is speaking.
    pub model: Option<ModelId>,
    /// What was said so far.
    pub doc: Doc,
    /// Findings in what was said so far (a critic's).
    pub text: String,
    /// Characters of reasoning so far.
    pub reasoning: usize,
    /// When it was asked.
    pub since: Timestamp,
    /// What it waits for, after an attempt that failed.
    pub waiting: Option<Waiting>,
}

/// A call between two attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What went wrong.
    pub why: String,
    /// When it is made again.
    pub until: Timestamp,
}

/// What runs now and isn't in the record yet.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The author's reply.
    pub author: Option<Stream>,
    /// The critic's reply.
    pub critic: Option<Stream>,
    /// Answers about findings, by the finding's place.
    pub answers: BTreeMap<usize, Stream>,
    /// Output of gates, by name: of the last run since Windlass was opened.
    pub gates: BTreeMap<String, Doc>,
    /// Since when gates run, by name; a gate that isn't here waits its turn.
    pub begun: BTreeMap<String, Timestamp>,
    /// How a preparation is getting on.
    pub progress: Option<String>,
    /// The call that was last read, with what went over the wire.
    pub call: Option<(ExchangeId, Doc)>,
    /// The past revision that was read last, or what two differ in, under its title.
    pub past: Option<(String, Doc)>,
}

/// A line for the human, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// Whether something went wrong.
    pub is_error: bool,
}

/// The screen's state.
#[derive(Debug, Clone)]
pub struct Model {
    /// The record, as far as it has reached the screen.
    pub state: State,
    /// The place of the last event applied.
    pub seq: u64,
    /// The checkout and the person.
    pub host: Host,
    /// Columns and rows.
    pub size: (u16, u16),
    /// How the panes share the screen.
    pub form: Form,
    /// The pane with the focus.
    pub focus: Pane,
    /// Whether it has the screen to itself.
    pub zoomed: bool,
    /// The stage looked at, when it isn't the open one.
    pub looking_at: Option<StageIndex>,
    /// The loop looked at, when it isn't the active one.
    pub reading_loop: Option<LoopId>,
    /// What the constraint pane shows.
    pub constraint: Doc,
    /// What the artifact pane shows.
    pub artifact: Doc,
    /// The places in both, and in critique and gates, in the order of [`Pane::ALL`].
    pub scrolls: [Scroll; 4],
    /// The selected finding, gate and context item.
    pub finding: usize,
    /// The selected gate.
    pub gate: usize,
    /// The selected context item.
    pub item: usize,
    /// The line of the artifact that a jump led to; see [`Model::cursor`].
    pub mark: Option<usize>,
    /// What is in front, the last one foremost.
    pub overlays: Vec<Overlay>,
    /// Whether this one only reads, and the windlass that drove has ended.
    pub driver_gone: bool,
    /// What happened while nobody was at the keyboard.
    pub away: Away,
    /// Who looks on from another terminal.
    pub watchers: Vec<String>,
    /// A line for the human.
    pub notice: Option<Notice>,
    /// What runs now.
    pub live: Live,
    /// What was read.
    pub reading: Reading,
    /// What the human thinks of the parts.
    pub remarks: Remarks,
    /// How the artifact is being reviewed.
    pub review: Review,
    /// The evidence at the last look at each stage's decision sheet.
    pub last_look: BTreeMap<(LoopId, StageIndex), Evidence>,
    /// The search in the focused pane.
    pub search: Option<Search>,
    /// Where it was found last.
    pub(super) found: Option<(Pane, usize)>,
    /// What there is to read of the critique on the screen.
    pub(super) objections: Objections,
    /// The places that jumps have left.
    pub(super) places: Vec<Place>,
    /// Texts that were begun and not sent, by what they were for.
    pub drafts: BTreeMap<String, String>,
    /// Every key there is, as the key files have it.
    pub keys: Vec<KeyRow>,
    /// Models that could have a role, as far as they were listed.
    pub offers: Vec<Offer>,
    /// Whether there are only lines, no screen: nothing counts as seen but what the human says they have read.
    pub is_plain: bool,
    /// The moment of the last message.
    pub now: Timestamp,
    /// What the docs were built from, so that they are built once.
    pub(super) shown: Option<Shown>,
}

/// What the docs on the screen were built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    id: LoopId,
    stage: StageIndex,
    artifact: Option<Digest>,
    constraint: Option<Digest>,
    trouble: bool,
}

/// What the pane of the open artifact shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// There is no loop.
    Welcome,
    /// The stage isn't open yet.
    Closed,
    /// Context is being gathered and measured.
    Preparing,
    /// The context is listed.
    Ready,
    /// The author's words as they come.
    Draft,
    /// The artifact.
    Artifact,
}

impl Model {
    /// A model of this record, in a window of this size.
    pub fn new(state: State, seq: u64, host: Host, size: (u16, u16), now: Timestamp) -> Self {
        let mut model = Self {
            state,
            seq,
            host,
            size,
            form: layout::form_for(size.0, size.1, None),
            focus: Pane::Plan,
            zoomed: false,
            looking_at: None,
            reading_loop: None,
            constraint: Doc::default(),
            artifact: Doc::default(),
            scrolls: [Scroll::default(); 4],
            finding: 0,
            gate: 0,
            item: 0,
            mark: None,
            overlays: Vec::new(),
            driver_gone: false,
            away: Away::default(),
            watchers: Vec::new(),
            notice: None,
            live: Live::default(),
            reading: Reading::default(),
            remarks: Remarks::default(),
            review: Review::default(),
            last_look: BTreeMap::new(),
            search: None,
            found: None,
            objections: Objections::default(),
            places: Vec::new(),
            drafts: BTreeMap::new(),
            keys: Vec::new(),
            offers: Vec::new(),
            is_plain: false,
            now,
            shown: None,
        };
        model.refresh();
        model.focus = model.wide_pane();
        model
    }

    /// Looks at a stage of a loop.
    pub fn look_at(&mut self, id: LoopId, stage: StageIndex) {
        self.reading_loop = Some(id);
        self.looking_at = self.current().is_some_and(|one| one.open != stage).then_some(stage);
        self.refresh();
        self.focus = self.wide_pane();
    }

    /// Who is at the keyboard.
    pub fn person(&self) -> Person {
        Person(self.host.person.clone())
    }

    /// The loop on the screen: the one chosen from the list, else the active one, else the last.
    pub fn current(&self) -> Option<&Loop> {
        let chosen = self.reading_loop.and_then(|id| self.state.loops.get(&id));
        chosen.or_else(|| self.state.active()).or_else(|| self.state.loops.values().next_back())
    }

    /// The stage on the screen.
    pub fn stage_index(&self) -> StageIndex {
        let open = self.current().map(|one| one.open).unwrap_or_default();
        self.looking_at.unwrap_or(open)
    }

    /// The stage on the screen.
    pub fn stage(&self) -> Option<&Stage> {
        self.current()?.stage(self.stage_index())
    }

    /// Whether the stage on the screen is the open one of an active loop.
    pub fn is_live(&self) -> bool {
        self.current().is_some_and(|one| one.status == crate::engine::Status::Active && self.stage_index() == one.open)
    }

    /// The pane that holds the artifact of the stage on the screen.
    pub fn wide_pane(&self) -> Pane {
        match self.stage() {
            Some(stage) if stage.spec.artifact == ArtifactKind::Constraint => Pane::Constraint,
            _ => Pane::Plan,
        }
    }

    /// What the wide pane shows.
    pub fn face(&self) -> Face {
        let Some(stage) = self.stage() else { return Face::Welcome };
        match stage.phase {
            Phase::Closed => Face::Closed,
            Phase::Preparing => Face::Preparing,
            Phase::Ready => Face::Ready,
            Phase::Drafting { .. } => Face::Draft,
            Phase::Reviewing | Phase::Awaiting | Phase::Approved(_) => Face::Artifact,
            Phase::Stale if stage.current.is_some() => Face::Artifact,
            Phase::Stale => Face::Closed,
        }
    }

    /// The document in `pane`, if it shows one.
    pub fn doc(&self, pane: Pane) -> Option<&Doc> {
        let wide = pane == self.wide_pane();
        match (pane, self.face()) {
            (_, Face::Draft) if wide => self.live.author.as_ref().map(|stream| &stream.doc),
            (_, Face::Artifact) if wide => Some(&self.artifact),
            (Pane::Constraint, _) if !wide => Some(&self.constraint),
            _ => None,
        }
    }

    /// A text that has no pane: the reply that could not be used, or what a gate printed.
    pub fn text_of(&self, source: &Source) -> Option<Cow<'_, Doc>> {
        match source {
            Source::Gate(gate) => self.gate_output(gate),
            Source::Finding(index) => {
                let finding = self.stage()?.current_critique()?.findings.get(*index)?;
                let mut text = format!("{}, {}\n\n{}", finding.severity.name(), finding.anchor, finding.text);
                for turn in &finding.thread {
                    let answer = match &turn.answer {
                        Answer::Given(text) => text.clone(),
                        Answer::Failed(why) => format!("no answer: {why}"),
                        Answer::Awaited => "...".to_owned(),
                    };
                    text.push_str(&format!("\n\nto the {}: {}\n\n{answer}", turn.to.name(), turn.question));
                }
                let aside = match &finding.disposition {
                    Disposition::Open => String::new(),
                    Disposition::Dismissed(reason) => format!("\n\nset aside: {reason}"),
                };
                Some(Cow::Owned(Doc::prose(&(text + &aside))))
            }
            Source::Call(id) => {
                self.live.call.as_ref().filter(|(read, _)| read == id).map(|(_, doc)| Cow::Borrowed(doc))
            }
            Source::Past => self.live.past.as_ref().map(|(_, doc)| Cow::Borrowed(doc)),
            Source::Away => Some(Cow::Owned(self.away.told(self.now))),
            Source::Reply => self.unusable().map(|text| Cow::Owned(Doc::prose(text))),
        }
    }

    /// The author's last reply, if it could not be used.
    pub fn unusable(&self) -> Option<&str> {
        match &self.stage()?.trouble {
            Some(Trouble::Malformed { text, .. } | Trouble::Patch { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// Whether what is on record of a gate begins with the evidence for its verdict: it has judged, and not by an exit
    /// code alone.
    pub fn has_evidence(&self, gate: &str) -> bool {
        let (Some(one), Some(stage)) = (self.current(), self.stage()) else { return false };
        let def = one.gates(self.stage_index()).into_iter().find(|def| def.name == gate);
        !stage.pending.gates.contains(gate)
            && def.is_some_and(|def| !matches!(def.kind, GateKind::Command(_)) && stage.fresh_run(&def).is_some())
    }

    /// What is behind a gate's verdict; or all that it printed as far as it is kept, if it ran since Windlass was opened,
    /// else the end that is on record.
    fn gate_output(&self, gate: &str) -> Option<Cow<'_, Doc>> {
        let recorded = || {
            let run = self.stage()?.runs.get(gate).filter(|run| !run.tail.is_empty())?;
            Some(Cow::Owned(Doc::prose(&run.tail)))
        };
        if self.has_evidence(gate) {
            return recorded();
        }
        self.live.gates.get(gate).map(Cow::Borrowed).or_else(recorded)
    }

    /// Where everything stands.
    pub fn screen(&self) -> Screen {
        layout::screen(self.size, self.form, self.focus, self.wide_pane(), self.zoomed)
    }

    /// The document in `pane` as it stands there, title and gutter apart; none if it shows none.
    pub fn sight(&self, pane: Pane) -> Option<Sight<'_>> {
        let doc = self.doc(pane)?;
        let area = self.screen().pane(pane).unwrap_or_default();
        let sight = Sight::in_pane(doc, area.width, usize::from(area.height.saturating_sub(1)));
        if pane == self.wide_pane() && self.face() == Face::Artifact {
            return Some(sight.of_artifact(area.width, self.review.sides, &self.review.folds, &self.remarks));
        }
        Some(sight)
    }

    /// The place in `pane`.
    pub fn scroll(&self, pane: Pane) -> Scroll {
        let [constraint, plan, critique, gates] = self.scrolls;
        match pane {
            Pane::Constraint => constraint,
            Pane::Plan => plan,
            Pane::Critique => critique,
            Pane::Gates => gates,
        }
    }

    /// The place in `pane`, to be moved.
    pub(super) fn scroll_mut(&mut self, pane: Pane) -> &mut Scroll {
        let [constraint, plan, critique, gates] = &mut self.scrolls;
        match pane {
            Pane::Constraint => constraint,
            Pane::Plan => plan,
            Pane::Critique => critique,
            Pane::Gates => gates,
        }
    }

    /// How much of the artifact was read.
    pub fn unread(&self) -> Unread {
        self.reading.unread(&self.artifact)
    }

    /// Whether keys are text now.
    pub fn takes_text(&self) -> bool {
        self.overlays.last().is_some_and(Overlay::takes_text)
    }

    /// Where keys are looked up, innermost first.
    pub fn contexts(&self) -> Vec<Context> {
        if let Some(overlay) = self.overlays.last() {
            return vec![overlay.context()];
        }
        let inner = match self.focus {
            Pane::Constraint | Pane::Plan if self.focus == self.wide_pane() => match self.face() {
                Face::Artifact if self.artifact.has_diff() => Context::Diff,
                _ => Context::Plan,
            },
            Pane::Constraint => Context::Constraint,
            Pane::Plan => Context::Plan,
            Pane::Critique => Context::Critique,
            Pane::Gates => Context::Gates,
        };
        vec![inner, Context::Global]
    }

    /// When the screen wants to be woken without a key: to count what was read, to arm the decision sheet, to move a
    /// clock that is on the screen. None while nothing does: an idle screen costs nothing.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let sheet = self.overlays.last().and_then(|overlay| overlay.wake_at(self.now));
        let reading = if self.is_reading() {
            self.reading.wake_at(&self.artifact)
        } else {
            self.is_reading_findings().then(|| self.reading.wake_at(self.objections.doc())).flatten()
        };
        let clock = self.is_busy().then(|| Timestamp((self.now.0 / self.tick_ms() + 1) * self.tick_ms()));
        [sheet, reading, clock].into_iter().flatten().min()
    }

    /// The step of clocks on the screen, in milliseconds.
    pub const fn tick_ms(&self) -> i64 {
        if self.host.calm { 10_000 } else { 1_000 }
    }

    /// Whether a model, a gate or a preparation is at work.
    pub fn is_busy(&self) -> bool {
        self.state.active().and_then(Loop::open_stage).is_some_and(|stage| {
            let runs = matches!(stage.phase, Phase::Preparing | Phase::Drafting { .. } | Phase::Reviewing);
            runs || stage.awaits_answer()
        })
    }

    /// What the call in `role` waits for; none if it doesn't wait.
    pub fn waiting(&self, role: Role) -> Option<&Waiting> {
        let stream = match role {
            Role::Author => &self.live.author,
            Role::Critic => &self.live.critic,
        };
        stream.as_ref()?.waiting.as_ref().filter(|waiting| waiting.until > self.now && self.is_busy())
    }

    /// Whether any call waits for its next attempt.
    pub fn is_waiting(&self) -> bool {
        [Role::Author, Role::Critic].into_iter().any(|role| self.waiting(role).is_some()) || self.answers_wait(self.now)
    }

    /// Whether the artifact under review is in the focused pane with nothing in front.
    pub(super) fn is_reading(&self) -> bool {
        !self.is_plain && self.overlays.is_empty() && self.face() == Face::Artifact && self.focus == self.wide_pane()
    }

    /// Brings the documents up to date with the record.
    pub(super) fn refresh(&mut self) {
        self.objections = Objections::of(self.stage().and_then(|stage| stage.current_critique()));
        let Some(one) = self.current() else {
            self.shown = None;
            (self.artifact, self.constraint) = (Doc::default(), Doc::default());
            return;
        };
        let (id, index) = (one.id, self.stage_index());
        let Some(stage) = one.stage(index) else { return };
        let constraint = one.artifact(ArtifactKind::Constraint);
        let troubled = matches!(stage.trouble, Some(Trouble::Malformed { .. } | Trouble::Patch { .. }));
        let shown = Shown {
            id,
            stage: index,
            artifact: stage.current,
            constraint: constraint.map(|revision| revision.id),
            trouble: troubled,
        };
        if self.shown.as_ref() == Some(&shown) {
            return;
        }
        let mut artifact = match (&stage.trouble, stage.revision()) {
            (Some(Trouble::Malformed { text, .. } | Trouble::Patch { text, .. }), None) => Doc::prose(text),
            (_, Some(revision)) => match &revision.change {
                Some(change) => Doc::of_change(&revision.text, change),
                None => Doc::prose(&revision.text),
            },
            (_, None) => Doc::default(),
        };
        let constraint = constraint.map_or_else(Doc::default, |revision| Doc::prose(&revision.text));
        let moved = self.shown.as_ref().is_none_or(|before| (before.id, before.stage) != (id, index));
        let wide = self.wide_pane();
        self.leave(shown.artifact);
        artifact.cut(&self.review.cuts);
        (self.artifact, self.constraint) = (artifact, constraint);
        *self.scroll_mut(wide) = Scroll { wrap: self.scroll(wide).wrap, ..Scroll::default() };
        self.mark = None;
        self.finding = 0;
        if moved {
            (self.gate, self.item) = (0, 0);
        }
        self.shown = Some(shown);
    }

    /// Adds output of a gate, within bounds.
    pub(super) fn add_output(&mut self, gate: String, text: &str) {
        let doc = self.live.gates.entry(gate).or_default();
        doc.push(text);
        doc.keep_last(OUTPUT_LINES);
    }

    /// The reply on its way in `role`, about a finding or about none.
    pub(super) fn stream_of(&mut self, role: Role, finding: Option<usize>) -> Option<&mut Stream> {
        match finding {
            Some(finding) => self.live.answers.get_mut(&finding),
            None => self.stream_mut(role).as_mut(),
        }
    }

    /// The reply on its way in `role`.
    pub(super) fn stream_mut(&mut self, role: Role) -> &mut Option<Stream> {
        match role {
            Role::Author => &mut self.live.author,
            Role::Critic => &mut self.live.critic,
        }
    }
}
