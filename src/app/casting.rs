//! Casting: who drafts and who objects, chosen from what was found on this machine, tried out, and written down.
//!
//! Every step is a list to pick from; leaving writes nothing.

use crate::domain::{ModelId, Money, ProviderSpec, Role, Timestamp};

use super::arming::Arming;
use super::model::{Model, Notice};
use super::msg::Request;
use super::overlay::Overlay;
use super::picker::{Choice, Picker, Row};

/// A model that could be asked, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The model.
    pub model: ModelId,
    /// How it is reached.
    pub spec: ProviderSpec,
    /// Where it was found.
    pub why: String,
    /// What trying it out may cost; none if nobody knows.
    pub trial: Option<Money>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// Models that could be asked.
    pub candidates: Vec<Candidate>,
    /// What else there is to say: what was looked for, and what to do if nothing was found.
    pub notes: Vec<String>,
    /// The file that would be written.
    pub file: String,
}

/// What came of trying a model out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The model.
    pub model: ModelId,
    /// How it answered, or why it did not.
    pub result: Result<String, String>,
}

/// Where the person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Keys, servers and programs are being looked for.
    Looking,
    /// Nothing was found.
    Nothing,
    /// Who drafts?
    Author,
    /// Who objects?
    Critic,
    /// Trying them out can cost: may they be asked?
    MayAsk,
    /// They are being asked.
    Trying,
    /// Something is wrong with at least one of them, or with the file.
    Failed,
}

/// What can be picked beside models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Try both out, and write them down if they answer.
    Try,
    /// Write them down as they are.
    Write,
    /// Choose others.
    Again,
    /// Nobody objects.
    NoCritic,
    /// Look once more.
    Look,
    /// See the demo.
    Demo,
    /// Leave it: a human writes everything.
    ByHand,
}

/// The choice of the two models.
#[derive(Debug, Clone)]
pub struct Casting {
    /// Where the person is.
    pub step: Step,
    /// What was found.
    pub found: Findings,
    /// Who drafts.
    pub author: Option<Candidate>,
    /// Who objects.
    pub critic: Option<Candidate>,
    /// What came of trying them out.
    pub tried: Vec<Tried>,
    /// The list of this step.
    pub picker: Picker,
    /// Whether it takes keys that can cost or write: only once its question was on the screen.
    pub(super) arming: Arming,
}

/// Opens it, and has somebody look.
pub(super) fn open(model: &mut Model) -> Vec<Request> {
    let casting = Casting {
        step: Step::Looking,
        found: Findings::default(),
        author: None,
        critic: None,
        tried: Vec::new(),
        picker: Picker::awaiting(title(Step::Looking)),
        arming: Arming::begun(model.now),
    };
    model.overlays.push(Overlay::Casting(Box::new(casting)));
    vec![Request::LookForModels]
}

const fn title(step: Step) -> &'static str {
    match step {
        Step::Looking => "Looking for models",
        Step::Nothing => "No model was found",
        Step::Author => "Who drafts? (1 of 2)",
        Step::Critic => "Who objects? Another model (2 of 2)",
        Step::MayAsk => "Try them out?",
        Step::Trying => "Trying them out",
        Step::Failed => "That did not work",
    }
}

impl Casting {
    /// The models that were chosen.
    pub fn chosen(&self) -> Vec<(Role, &Candidate)> {
        let roles = [(Role::Author, &self.author), (Role::Critic, &self.critic)];
        roles.into_iter().filter_map(|(role, one)| Some((role, one.as_ref()?))).collect()
    }

    /// What trying out the chosen ones may cost; none if nobody knows.
    fn cost(&self) -> Option<Money> {
        self.chosen().into_iter().map(|(_, one)| one.trial).sum()
    }

    fn go(&mut self, step: Step) {
        let rows = match step {
            Step::Looking | Step::Trying => Vec::new(),
            Step::Nothing => [Way::Look, Way::Demo, Way::ByHand].map(|way| self.row(way)).into(),
            Step::Author => self.models(),
            Step::Critic => self.models().into_iter().chain([self.row(Way::NoCritic)]).collect(),
            Step::MayAsk => [Way::Try, Way::Write, Way::Again].map(|way| self.row(way)).into(),
            Step::Failed => [Way::Again, Way::Try, Way::Write].map(|way| self.row(way)).into(),
        };
        self.step = step;
        self.picker = Picker::new(title(step), rows);
        self.picker.loading = matches!(step, Step::Looking | Step::Trying);
        self.picker.takes_typed = matches!(step, Step::Author | Step::Critic);
    }

    fn models(&self) -> Vec<Row> {
        let row = |one: &Candidate| Row {
            choice: Choice::Model(one.model.clone()),
            label: one.model.to_string(),
            detail: one.why.clone(),
            disabled: self.author.as_ref().filter(|author| author.is_same(one)).map(|_| SAME),
        };
        self.found.candidates.iter().map(row).collect()
    }

    fn row(&self, way: Way) -> Row {
        let cost = || self.cost().map_or_else(|| "nobody knows the price".to_owned(), |cost| format!("up to {cost}"));
        let (label, detail) = match way {
            Way::Try => ("Ask each one small question, and write them down if they answer", cost()),
            Way::Write => ("Write them down untried", self.found.file.clone()),
            Way::Again => ("Choose others", String::new()),
            Way::NoCritic => ("Nobody: each decision will ask for a reason", String::new()),
            Way::Look => ("Look again", String::new()),
            Way::Demo => ("See the demo: scripted models, real gates, a real commit", "offline".to_owned()),
            Way::ByHand => ("Go on without a model: you write every artifact", String::new()),
        };
        Row { choice: Choice::Way(way), label: label.to_owned(), detail, disabled: None }
    }

    /// The candidate of this id: one of the list, or one that was typed for a provider of the list.
    fn candidate(&self, id: &ModelId) -> Option<Candidate> {
        if let Some(one) = self.found.candidates.iter().find(|one| one.model == *id) {
            return Some(one.clone());
        }
        let (_, name) = id.0.split_once('/')?;
        let sound = !name.is_empty() && !id.0.contains(|c: char| c.is_whitespace() || c.is_control());
        let of = self.found.candidates.iter().find(|one| one.model.provider() == id.provider()).filter(|_| sound)?;
        // What is free is so for every model there.
        let trial = of.trial.filter(|cost| *cost == Money::default());
        Some(Candidate { model: id.clone(), trial, why: "as typed".to_owned(), ..of.clone() })
    }
}

const SAME: &str = "it is the author, and the critic is another model";

impl Candidate {
    /// Whether both are one model: by name, or one name at one place.
    fn is_same(&self, other: &Self) -> bool {
        let name = |one: &Self| one.model.0.split_once('/').map(|(_, name)| name.to_owned());
        self.model == other.model || (self.spec == other.spec && name(self) == name(other))
    }
}

fn front(model: &mut Model) -> Option<&mut Casting> {
    match model.overlays.last_mut() {
        Some(Overlay::Casting(casting)) => Some(casting),
        _ => None,
    }
}

/// Takes what was found.
pub(super) fn found(model: &mut Model, found: Findings) {
    let Some(casting) = front(model).filter(|casting| casting.step == Step::Looking) else { return };
    let step = if found.candidates.is_empty() { Step::Nothing } else { Step::Author };
    casting.found = found;
    casting.go(step);
}

/// Takes what came of trying them out: they are written down if all of them answered.
pub(super) fn tried(model: &mut Model, tried: Vec<Tried>) -> Vec<Request> {
    let now = model.now;
    let Some(casting) = front(model).filter(|casting| casting.step == Step::Trying) else { return Vec::new() };
    let all = tried.iter().all(|one| one.result.is_ok());
    casting.tried = tried;
    // If the file can't be written, this is where the person finds themselves.
    casting.go(Step::Failed);
    casting.arming = Arming::begun(now);
    if all { write(casting) } else { Vec::new() }
}

/// Takes the selected row.
pub(super) fn pick(model: &mut Model) -> Vec<Request> {
    let now = model.now;
    let Some(casting) = front(model) else { return Vec::new() };
    let typed = ModelId(casting.picker.query.lines().join(" ").trim().to_owned());
    let refused = |model: &mut Model, text: String| {
        model.notice = Some(Notice { text, is_error: true });
        Vec::new()
    };
    if matches!(casting.step, Step::MayAsk | Step::Failed) && !casting.arming.takes(now) {
        return Vec::new();
    }
    let choice = match casting.picker.matching().get(casting.picker.selected) {
        Some(Row { disabled: Some(why), .. }) => {
            let text = format!("not now: {why}");
            return refused(model, text);
        }
        Some(row) => row.choice.clone(),
        None if casting.picker.takes_typed && !typed.0.is_empty() => Choice::Model(typed),
        None => return Vec::new(),
    };
    match choice {
        Choice::Model(id) => {
            let Some(one) = casting.candidate(&id) else {
                let text =
                    format!("{id} is no model of what was found: write provider/model, with a provider of the list");
                return refused(model, text);
            };
            if casting.step == Step::Author {
                casting.author = Some(one);
                casting.go(Step::Critic);
                return Vec::new();
            }
            if casting.author.as_ref().is_some_and(|author| author.is_same(&one)) {
                return refused(model, format!("not now: {SAME}"));
            }
            casting.critic = Some(one);
            cast(casting, now)
        }
        Choice::Way(way) => match way {
            Way::NoCritic => {
                casting.critic = None;
                cast(casting, now)
            }
            Way::Try => try_out(casting),
            Way::Write => write(casting),
            Way::Again => {
                (casting.author, casting.critic) = (None, None);
                casting.tried.clear();
                casting.go(Step::Author);
                Vec::new()
            }
            Way::Look => {
                casting.go(Step::Looking);
                vec![Request::LookForModels]
            }
            Way::Demo => vec![Request::Demo],
            Way::ByHand => {
                model.overlays.pop();
                Vec::new()
            }
        },
        _ => Vec::new(),
    }
}

/// Both are chosen. What costs nothing is not asked for.
fn cast(casting: &mut Casting, now: Timestamp) -> Vec<Request> {
    if casting.cost() == Some(Money::default()) {
        return try_out(casting);
    }
    casting.go(Step::MayAsk);
    casting.arming = Arming::begun(now);
    Vec::new()
}

fn try_out(casting: &mut Casting) -> Vec<Request> {
    casting.tried.clear();
    casting.go(Step::Trying);
    vec![Request::TryModels(casting.chosen().into_iter().map(|(_, one)| one.clone()).collect())]
}

fn write(casting: &Casting) -> Vec<Request> {
    vec![Request::Cast(casting.chosen().into_iter().map(|(role, one)| (role, one.clone())).collect())]
}
