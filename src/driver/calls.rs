//! Calls of models: prompt, exchange, and what becomes of the reply.

use std::fs;

use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{
    ArtifactKind, Critique, Digest, EXPECTED_OUTPUT, End, ExchangeId, LoopId, ModelId, Origin, Quote, Role, StageIndex,
    Timestamp, tokens_of,
};
use crate::engine::{self, Command, Loop, Refusal, Stage, Trouble};
use crate::journal::{ReceivedChunk, ReceivedResponse, SentChunk, SentRequest, WireKind, WireRow};
use crate::prompt::{self, Template, Values};
use crate::provider::{Call, Observer, Provider, Request, Retry, finding_place};
use crate::repo::{ApplyError, parse_answer};

use super::agent::Left;
use super::threads::About;
use super::{Driver, DriverError, Home, Job, Report, Task, context, now};

/// Sends home what goes over the wire and what is said.
struct Listener {
    home: UnboundedSender<Home>,
    exchange: ExchangeId,
    id: LoopId,
    stage: StageIndex,
    role: Role,
    finding: Option<usize>,
}

impl Listener {
    fn wire(&self, kind: WireKind) {
        let _ = self.home.send(Home::Wire(WireRow { exchange: self.exchange, kind }));
    }

    fn say(&self, text: &str, reasoning: bool) {
        let Self { id, stage, role, finding, .. } = *self;
        let delta = Report::Delta { id, stage, role, finding, text: text.to_owned(), reasoning };
        let _ = self.home.send(Home::Report(delta));
    }
}

impl Observer for Listener {
    fn request(&mut self, request: &Request) {
        self.wire(WireKind::Request(SentRequest {
            method: request.method.to_owned(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.to_vec(),
        }));
    }

    fn retry(&mut self, retry: &Retry) {
        let Self { id, stage, role, finding, .. } = *self;
        let _ = self.home.send(Home::Waits { id, job: job_of(role, finding), skip: retry.skip.clone() });
        // The next step that stands below is for a call that has failed for good.
        let why = retry.why.lines().next().unwrap_or_default().to_owned();
        let wait = i64::try_from(retry.wait.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp(now().0.saturating_add(wait));
        let _ = self.home.send(Home::Report(Report::Waiting { id, stage, role, finding, why, until }));
    }

    fn response(&mut self, status: u16, headers: &[(String, String)]) {
        self.wire(WireKind::Response(ReceivedResponse { status, headers: headers.to_vec() }));
    }

    fn sent(&mut self, elapsed_ns: u64, bytes: &[u8]) {
        self.wire(WireKind::Sent(SentChunk { elapsed_ns, bytes: bytes.to_vec() }));
    }

    fn chunk(&mut self, elapsed_ns: u64, bytes: &[u8]) {
        self.wire(WireKind::Chunk(ReceivedChunk { elapsed_ns, bytes: bytes.to_vec() }));
    }

    fn text(&mut self, delta: &str) {
        self.say(delta, false);
    }

    fn reasoning(&mut self, delta: &str) {
        self.say(delta, true);
    }
}

impl Driver {
    /// Calls the model that was asked about a finding.
    pub(super) fn reply(&mut self, about: About) -> Result<Vec<Command>, DriverError> {
        let found = self.found(about.id, about.stage);
        let finding = found.and_then(|(_, stage)| stage.finding(about.revision, about.finding));
        match finding.and_then(|finding| finding.thread.last()).map(|turn| turn.to) {
            Some(to) => self.call(about.id, about.stage, to, Some(about)),
            None => Ok(Vec::new()),
        }
    }

    /// Calls a model for a stage, or about a finding. What can't even be sent fails at once, in the record.
    pub(super) fn call(
        &mut self,
        id: LoopId,
        index: StageIndex,
        role: Role,
        about: Option<About>,
    ) -> Result<Vec<Command>, DriverError> {
        let Some((one, stage)) = self.found(id, index) else { return Ok(Vec::new()) };
        let revision = stage.current;
        let finding = about.map(|about| about.finding);
        let not_made = |why| match (about, role, revision) {
            (Some(about), ..) => about.failed(None, why),
            (None, Role::Critic, Some(revision)) => Command::CritiqueFailed { id, stage: index, revision, why },
            _ => Command::DraftFailed { id, stage: index, trouble: Trouble::Call(why) },
        };
        let ready = self.ready(one, index, role, finding);
        let (provider, model, template, call) = match ready {
            Ok(ready) => ready,
            Err(why) => return Ok(vec![not_made(why)]),
        };
        // An agent goes on from the revision that was sent back, or begins at the base.
        let base = one.base.clone();
        let tree = match provider.is_agent().then(|| self.tree_to_edit(one)).transpose() {
            Ok(tree) => tree,
            Err(error) => return Ok(vec![not_made(error.to_string())]),
        };
        let ask = Command::Ask {
            id,
            stage: index,
            role,
            finding,
            model: model.clone(),
            prompt: template.reference(),
            quote: self.quote(&model, &call),
            budget: self.config.budget,
        };
        let refused = engine::decide(&self.state, ask.clone(), now());
        if let Err(refusal @ (Refusal::OverBudget { .. } | Refusal::PriceUnknown(_))) = refused {
            return Ok(vec![not_made(refusal.to_string())]);
        }
        let exchange = self.state.next_exchange();
        self.decide(ask)?;
        if !self.state.exchanges.contains_key(&exchange) {
            return Ok(Vec::new());
        }
        let errand = tree.map(|tree| self.errand(id, base, tree));
        let (home, cancel, task) = (self.home.clone(), self.cancel(id), self.begin(id, job_of(role, finding)));
        let mut listener = Listener { home: home.clone(), exchange, id, stage: index, role, finding };
        tokio::spawn(async move {
            let (reply, left) = match errand {
                Some(errand) => errand.run(&provider, &call, &mut listener, &cancel).await,
                None => (provider.call(&call, &mut listener, &cancel).await, Left::default()),
            };
            let (usage, timings) = (reply.usage, reply.timings);
            let answer = Command::Answer { exchange, end: reply.end.clone(), usage, timings };
            let _ = home.send(Home::Command(answer));
            let (end, text) = (reply.end, reply.text);
            let answered = Answered { task, id, stage: index, role, model, about, exchange, revision, end, text, left };
            let _ = home.send(Home::Answered(answered));
        });
        Ok(Vec::new())
    }

    /// Everything a call needs, or why it can't be made.
    fn ready(
        &self,
        one: &Loop,
        index: StageIndex,
        role: Role,
        finding: Option<usize>,
    ) -> Result<(Provider, ModelId, Template, Call), String> {
        let stage = one.stage(index).ok_or("the stage is not there")?;
        let model = one.model(index, role).cloned();
        let model = model.ok_or_else(|| format!("no {} is configured", role.name()))?;
        let name = model.provider();
        let provider = self.config.providers.get(name).ok_or_else(|| {
            format!("no provider {name:?} is configured: add [providers.{name}] to your own config.toml")
        })?;
        let provider = Provider::new(name, provider).map_err(|error| error.to_string())?.owned_by(&self.private);
        let by_agent = provider.is_agent();
        let makes_change = (role, stage.spec.artifact, finding) == (Role::Author, ArtifactKind::Change, None);
        if by_agent && !makes_change {
            // Configuration refuses it, but a provider can become an agent under a running loop.
            return Err(format!("{model} is an agent, which can only make changes: name a model as {}", role.name()));
        }
        let template = self.template(role, stage, by_agent, finding.is_some())?;
        let pieces = context::pieces(&self.repo, &self.config, one, stage, role).map_err(|error| error.to_string())?;
        let asked_about = finding.and_then(|finding| stage.current_critique()?.findings.get(finding));
        let values = Values { spec: &stage.spec, artifact: stage.revision(), finding: asked_about };
        let prompt = prompt::assemble(&template, &values, &pieces);
        let (place, nth) = match finding {
            // A recording is played by these names.
            Some(finding) => {
                (finding_place(&stage.spec.id, finding), self.state.next_call(one.id, index, role, Some(finding)))
            }
            None if role == Role::Author => (stage.spec.id.clone(), stage.author_calls + 1),
            None => (stage.spec.id.clone(), stage.critic_calls + 1),
        };
        let call = Call {
            model: model.0.split_once('/').map_or(model.0.as_str(), |(_, model)| model).to_owned(),
            system: prompt.system,
            prompt: prompt.user,
            max_output: None,
            role,
            number: one.id.0,
            stage: place,
            nth,
        };
        Ok((provider, model, template, call))
    }

    /// What a call is expected to take.
    fn quote(&self, model: &ModelId, call: &Call) -> Quote {
        let input = tokens_of((call.system.len() + call.prompt.len()) as u64);
        Quote { input, output: EXPECTED_OUTPUT, price: self.config.prices.of(model) }
    }

    /// The team's own template, or the built-in one.
    fn template(&self, role: Role, stage: &Stage, by_agent: bool, answers: bool) -> Result<Template, String> {
        let file = match (answers, by_agent) {
            (true, _) => format!("{}.md", prompt::about_finding_name(role)),
            (_, true) => format!("{}.md", prompt::BY_AGENT),
            _ => format!("{}-{}.md", role.name(), stage.spec.artifact.name()),
        };
        let path = self.repo.top().join(".windlass/prompts").join(&file);
        match fs::read_to_string(&path) {
            Ok(text) => prompt::parse(&file, &text).map_err(|error| error.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let builtin = match (answers, by_agent) {
                    (true, _) => prompt::about_finding(role),
                    (_, true) => prompt::for_agent(),
                    _ => prompt::builtin(role, &stage.spec),
                };
                builtin.map_err(|error| error.to_string())
            }
            Err(error) => Err(format!("failed to read {}: {error}", path.display())),
        }
    }

    /// What follows from a reply.
    pub(super) fn answered(&mut self, answered: Answered) -> Vec<Command> {
        let Answered { task: _, id, stage, role, model, about, exchange, revision, end, text, left } = answered;
        if let Some(about) = about {
            return vec![about.answered(exchange, end, &text)];
        }
        let failed = match &end {
            End::Complete => None,
            End::Truncated(why) => Some(Trouble::Call(format!("the reply is cut off: {why}"))),
            End::Failed(why) => Some(Trouble::Call(why.clone())),
            End::Cancelled | End::Interrupted => Some(Trouble::Stopped("it was cancelled".to_owned())),
        };
        match (role, revision, failed) {
            (Role::Critic, Some(revision), Some(Trouble::Call(why) | Trouble::Stopped(why))) => {
                vec![Command::CritiqueFailed { id, stage, revision, why }]
            }
            (Role::Critic, Some(revision), _) => {
                let critique = Critique::read(revision, model, exchange, prompt::unwrap_reply(&text).to_owned());
                if critique.is_readable() {
                    return vec![Command::Critiqued { id, stage, critique }];
                }
                let why = "the critic's reply has no finding in the form \"severity anchor - text\"".to_owned();
                vec![Command::CritiqueFailed { id, stage, revision, why }]
            }
            (Role::Critic, None, _) => Vec::new(),
            (Role::Author, _, Some(trouble)) => {
                let trouble = left.explain(trouble);
                vec![Command::DraftFailed { id, stage, trouble }]
            }
            (Role::Author, _, None) if left.made.is_some() => match left.made {
                Some(Err(trouble)) => vec![Command::DraftFailed { id, stage, trouble }],
                made => {
                    let (change, origin) = (made.and_then(Result::ok), Origin::Model { model, exchange });
                    vec![Command::Drafted { id, stage, text: text.trim().to_owned(), change, origin }]
                }
            },
            (Role::Author, _, None) => self.build(id, stage, &text, Origin::Model { model, exchange }),
        }
    }

    /// Makes a draft of an answer: sections checked, edits vetted and applied.
    pub(super) fn build(&mut self, id: LoopId, index: StageIndex, answer: &str, origin: Origin) -> Vec<Command> {
        let Some((one, stage)) = self.found(id, index) else { return Vec::new() };
        let text = prompt::unwrap_reply(answer).to_owned();
        let trouble = |trouble| vec![Command::DraftFailed { id, stage: index, trouble }];
        let missing = prompt::missing(&stage.spec, &text);
        if !missing.is_empty() {
            return trouble(Trouble::Malformed { text, missing });
        }
        let patch = |problems: Vec<String>| Trouble::Patch { text: text.clone(), problems };
        let mut said = None;
        let change = match stage.spec.artifact {
            ArtifactKind::Constraint | ArtifactKind::Plan => None,
            ArtifactKind::Change => {
                let edits = match parse_answer(&text) {
                    Ok(answer) => {
                        // The edits are shown, and judged, as the diff they make; the exchange has them as they came.
                        said = Some(answer.prose.trim().to_owned());
                        answer.edits
                    }
                    Err(error) => return trouble(patch(vec![error.to_string()])),
                };
                let made = self.repo.tree_of(&one.base).map_err(ApplyError::from);
                let made = made.and_then(|base| self.repo.apply(&base, &edits, &self.boundary()));
                match made.and_then(|tree| Ok(self.repo.change(&one.base, &tree, Vec::new())?)) {
                    Ok(change) => Some(change),
                    Err(ApplyError::Repo(error)) => return trouble(Trouble::Call(error.to_string())),
                    Err(error) => return trouble(patch(vec![error.to_string()])),
                }
            }
            ArtifactKind::Outcome => match self.with_record(one, stage, &text) {
                Ok(change) => change,
                Err(error) => return trouble(Trouble::Call(error.to_string())),
            },
        };
        vec![Command::Drafted { id, stage: index, text: said.unwrap_or(text), change, origin }]
    }
}

/// The job of a call: answers about different findings can be on their way at once.
const fn job_of(role: Role, finding: Option<usize>) -> Job {
    match (finding, role) {
        (Some(finding), _) => Job::Reply(finding),
        (None, Role::Author) => Job::Author,
        (None, Role::Critic) => Job::Critic,
    }
}

/// A reply, and what it was about.
pub(super) struct Answered {
    pub(super) task: Task,
    pub(super) id: LoopId,
    pub(super) stage: StageIndex,
    pub(super) role: Role,
    pub(super) model: ModelId,
    /// The finding it was asked about.
    pub(super) about: Option<About>,
    pub(super) exchange: ExchangeId,
    pub(super) revision: Option<Digest>,
    pub(super) end: End,
    pub(super) text: String,
    pub(super) left: Left,
}
