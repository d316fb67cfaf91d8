//! Laying the layers over each other, and what can be judged only then: roles, providers, workflow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document::Document;
use super::gate::Schedule;
use super::layer::{self, Layer, Placed};
use super::paths::{self, Paths};
use super::prices::Prices;
use super::problem::{ConfigError, Place, Problem, suggestion};
use super::workflow::{workflow, workflow_names};
use crate::domain::{Budget, CommandSpec, Digest, GateDef, ModelId, ProviderSpec, Workflow};

/// Names of the gates Windlass itself runs; a command gate can't have one of them.
pub const BUILTIN_GATES: [&str; 7] =
    ["sections", "size-budget", "readings-quoted", "plan-files", "weakening", "criteria-met", "downstream"];

/// How messages name the repository's file.
pub(super) const REPOSITORY_FILE: &str = ".windlass/config.toml";

const DEFAULT_WORKFLOW: &str = "scale";

/// A command that measures the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Its name.
    pub name: String,
    /// How it runs.
    pub spec: CommandSpec,
}

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where models are served, by name; the part of a model id before its first slash.
    pub providers: BTreeMap<String, ProviderSpec>,
    /// Which model drafts; none until one is chosen.
    pub author: Option<ModelId>,
    /// Which model or agent makes changes, if another than the author.
    pub change_author: Option<ModelId>,
    /// Which model objects; never an author's.
    pub critic: Option<ModelId>,
    /// The stages of a loop.
    pub workflow: Workflow,
    /// The project's command gates, in the order of the file.
    pub gates: Vec<GateDef>,
    /// How gates share the machine.
    pub schedule: Schedule,
    /// The project's probes, in the order of the file.
    pub probes: Vec<Probe>,
    /// How often each side is measured.
    pub rounds: u32,
    /// Budget of a prompt's context, in estimated tokens.
    pub context_tokens: u64,
    /// Files that are offered as context first.
    pub context_files: Vec<String>,
    /// Patterns of paths a change may touch; all when empty.
    pub boundary_allow: Vec<String>,
    /// Patterns of paths a change may not touch.
    pub boundary_deny: Vec<String>,
    /// What models charge.
    pub prices: Prices,
    /// What may be spent: the stricter of the person's limits and the repository's.
    pub budget: Budget,
    /// The theme asked for; none to let the terminal decide.
    pub theme: Option<String>,
    /// The keymap.
    pub keymap: String,
    /// Whether commands run in a sandbox, and not at all where there is none.
    pub sandbox: bool,
    /// The editor, before `$VISUAL` and `$EDITOR`.
    pub editor: Option<String>,
    /// How the person can follow.
    pub access: Access,
    /// Whether findings are shown only once the artifact was read.
    pub reveals_after_reading: bool,
    /// Digest of the exact bytes of the repository's file, if it holds commands: what trust is bound to.
    pub commands_digest: Option<Digest>,
    /// The files that were read.
    pub sources: Vec<PathBuf>,
}

/// What a person's eyes, ears or terminal ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// Lines instead of the screen.
    pub plain: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// Nothing on the screen moves by itself more than every ten seconds.
    pub reduced_motion: bool,
    /// The wheel scrolls.
    pub mouse: bool,
}

impl Access {
    /// What either asks for.
    const fn or(self, other: Self) -> Self {
        Self {
            plain: self.plain || other.plain,
            ascii: self.ascii || other.ascii,
            reduced_motion: self.reduced_motion || other.reduced_motion,
            mouse: self.mouse || other.mouse,
        }
    }
}

/// What the command line says of configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    /// `--theme`.
    pub theme: Option<String>,
    /// `--keymap`.
    pub keymap: Option<String>,
    /// `--plain`, `--ascii`, `--reduced-motion`.
    pub access: Access,
    /// `--author`.
    pub author: Option<String>,
    /// `--critic`.
    pub critic: Option<String>,
    /// Providers that stand before the person's of the same names: a recording's.
    pub providers: BTreeMap<String, ProviderSpec>,
}

/// A usable configuration, and what the person should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is allowed but worth a line on the screen.
    pub warnings: Vec<Problem>,
}

/// Reads the configuration of a person in a repository.
///
/// # Errors
/// If a file is there but can't be read or isn't valid, or the layers contradict a law; all problems at once.
pub fn load(paths: &Paths, env: &dyn Fn(&str) -> Option<String>, flags: &Flags) -> Result<Loaded, ConfigError> {
    let mut found = Vec::new();
    let mut sources = Vec::new();
    let user_file = paths.user_file();
    let user = read(user_file.as_deref(), None, &mut sources, &mut found);
    let user = user.zip(user_file.as_deref()).map(|((text, _), path)| layer::user(path, &text));
    let repository = read(paths.repository_file().as_deref(), Some(REPOSITORY_FILE), &mut sources, &mut found);
    let digest = repository.as_ref().map(|(_, digest)| *digest);
    let repository = repository.map(|(text, _)| layer::repository(&text, user_file.as_deref()));
    let mut layer = |read: Option<(Layer, Vec<Problem>)>| {
        let (layer, problems) = read.unwrap_or_default();
        found.extend(problems);
        layer
    };
    let (mut user, repository) = (layer(user), layer(repository));
    user.providers.extend(flags.providers.clone());
    // What follows judges the layers together; a layer with holes in it would be misjudged.
    ConfigError::unless_empty(found)?;

    let (shipped, mut found) = Prices::built_in();
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    let mut role = |flag: Option<&String>, flag_name, variable, files: Option<Placed<ModelId>>| {
        let given = flag.cloned().map(|value| (value, flag_name));
        let Some((value, source)) = given.or_else(|| Some((env(variable)?, variable))) else { return files };
        let place = Place::of(source);
        match layer::model_id(&value) {
            Ok(value) => Some(Placed { value, place }),
            Err(wrong) => {
                found.push(place.problem(wrong));
                None
            }
        }
    };
    let author = role(flags.author.as_ref(), "--author", "WINDLASS_AUTHOR", repository.author.or(user.author));
    let critic = role(flags.critic.as_ref(), "--critic", "WINDLASS_CRITIC", repository.critic.or(user.critic));
    let change_author = repository.change_author.or(user.change_author);
    let roles = Roles { author: author.as_ref(), change_author: change_author.as_ref(), critic: critic.as_ref() };
    let warnings = judge_roles(&user.providers, &roles, &mut found);
    let workflow = match chosen_workflow(repository.workflow.as_ref()) {
        Ok(workflow) => workflow,
        Err(error) => {
            found.extend(error.problems);
            return Err(ConfigError::of(found));
        }
    };
    ConfigError::unless_empty(found)?;

    let has_commands = !repository.gates.is_empty() || !repository.probes.is_empty();
    let config = Config {
        providers: user.providers,
        author: author.map(|author| author.value),
        change_author: change_author.map(|author| author.value),
        critic: critic.map(|critic| critic.value),
        workflow,
        gates: repository.gates,
        schedule: repository.schedule,
        probes: repository.probes,
        rounds: repository.rounds.unwrap_or(5),
        context_tokens: repository.context_tokens.unwrap_or(24_000),
        context_files: repository.context_files,
        boundary_allow: repository.boundary_allow,
        boundary_deny: repository.boundary_deny,
        prices: user.prices.before(shipped),
        budget: user.budget.stricter(repository.budget),
        theme: flags.theme.clone().or_else(|| env("WINDLASS_THEME")).or(user.theme),
        keymap: flags.keymap.clone().or_else(|| env("WINDLASS_KEYMAP")).or(user.keymap).unwrap_or("vim".to_owned()),
        sandbox: user.sandbox.unwrap_or(true),
        editor: user.editor,
        access: user.access.or(flags.access),
        reveals_after_reading: repository.reveals_after_reading.or(user.reveals_after_reading).unwrap_or_default(),
        commands_digest: digest.filter(|_| has_commands),
        sources,
    };
    Ok(Loaded { config, warnings })
}

/// The text and digest of a file, if it is there; `label` is how messages name it when not by its path.
fn read(
    path: Option<&Path>,
    label: Option<&str>,
    sources: &mut Vec<PathBuf>,
    found: &mut Vec<Problem>,
) -> Option<(String, Digest)> {
    let path = path?;
    let label = label.map_or_else(|| path.display().to_string(), str::to_owned);
    let bytes = match paths::read(path) {
        Ok(bytes) => bytes?,
        Err(error) => {
            found.push(Place::of(label).problem(format!("failed to read it: {error}")));
            return None;
        }
    };
    let digest = Digest::of(&bytes);
    match String::from_utf8(bytes) {
        Ok(text) => {
            sources.push(path.to_owned());
            Some((text, digest))
        }
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let place = Document::new(label, &text).place(valid);
            found.push(place.problem("this is not UTF-8 text; save the file as UTF-8"));
            None
        }
    }
}

/// Who has which role.
struct Roles<'a> {
    author: Option<&'a Placed<ModelId>>,
    change_author: Option<&'a Placed<ModelId>>,
    critic: Option<&'a Placed<ModelId>>,
}

/// Records the roles that break a law or name nothing; gives what is allowed but worth knowing.
fn judge_roles(
    providers: &BTreeMap<String, ProviderSpec>,
    roles: &Roles<'_>,
    found: &mut Vec<Problem>,
) -> Vec<Problem> {
    let &Roles { author, change_author, critic } = roles;
    let mut warnings = Vec::new();
    for (role, name) in [(author, "author"), (critic, "critic")] {
        let Some(role) = role else { continue };
        if let Some(ProviderSpec::Agent { .. }) = providers.get(role.value.provider()) {
            let message = format!("{:?} is an agent (kind = \"acp\"), which can only make changes", role.value.0);
            let remedy = format!("name it as \"change_author\", and as {name} a model that answers in text");
            found.push(role.place.problem(format!("{message}: {remedy}")));
        }
    }
    for role in [author, change_author, critic]
        .into_iter()
        .flatten()
        .filter(|role| !providers.contains_key(role.value.provider()))
    {
        let name = role.value.provider();
        if providers.is_empty() {
            // A fresh clone on a fresh machine: what can be done about it is found out later, not refused here.
            let message = format!("{:?} needs a provider called {name:?}, and none is configured yet", role.value.0);
            warnings.push(role.place.problem(message));
        } else {
            let hint = suggestion(name, providers.keys().map(String::as_str));
            found.push(role.place.problem(format!("there is no provider called {name:?}; {hint}")));
        }
    }
    for author in [author, change_author].into_iter().flatten() {
        let Some(critic) = critic else { continue };
        if is_same(providers, &author.value, &critic.value) {
            let message = "law 3: the critic is another model; author and critic are the same";
            let remedy = format!("{message} ({}); choose another critic", author.value);
            found.push(critic.place.problem(remedy));
        } else if let Some(vendor) = common_vendor(providers, &author.value, &critic.value) {
            let message = format!("author and critic are both of {vendor:?}; another vendor's model objects to more");
            warnings.push(critic.place.problem(message));
        }
    }
    warnings
}

/// Whether two ids mean one model: by name, or by what is really asked under two names.
pub(super) fn is_same(providers: &BTreeMap<String, ProviderSpec>, author: &ModelId, critic: &ModelId) -> bool {
    let asked = |id: &ModelId| {
        let (provider, model) = id.0.split_once('/')?;
        match providers.get(provider)? {
            // One server may be spoken to in several formats, below several versions.
            ProviderSpec::Server(server) => {
                let place = server.base_url.trim_end_matches("/v1beta").trim_end_matches("/v1");
                Some(vec![place.to_owned(), model.to_owned()])
            }
            ProviderSpec::Command { argv } | ProviderSpec::Agent { argv, .. } => {
                Some(argv.iter().map(|word| word.replace("{model}", model)).collect())
            }
            ProviderSpec::Script { .. } | ProviderSpec::Cassette { .. } => None,
        }
    };
    author == critic || asked(author).is_some_and(|one| asked(critic) == Some(one))
}

/// The vendor of both models, if it is one: all but the last part, as in `openrouter/vendor/model`.
fn common_vendor<'a>(
    providers: &BTreeMap<String, ProviderSpec>,
    author: &'a ModelId,
    critic: &ModelId,
) -> Option<&'a str> {
    let vendor = author.0.rsplit_once('/')?.0;
    let scripted = providers.get(author.provider()).is_some_and(ProviderSpec::is_played);
    (!scripted && critic.0.rsplit_once('/')?.0 == vendor).then_some(vendor)
}

fn chosen_workflow(chosen: Option<&Placed<String>>) -> Result<Workflow, ConfigError> {
    let Some(chosen) = chosen else { return workflow(DEFAULT_WORKFLOW) };
    if workflow_names().any(|name| name == chosen.value) {
        return workflow(&chosen.value);
    }
    let hint = suggestion(&chosen.value, workflow_names());
    Err(ConfigError::of(vec![chosen.place.problem(format!("there is no workflow called {:?}; {hint}", chosen.value))]))
}
