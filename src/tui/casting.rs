//! Looking for models, trying them out, and writing the chosen ones down.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::app::{Candidate, Findings, Msg, Tried};
use crate::config::{Additions, Config, Paths, write_user_providers};
use crate::domain::{KeySource, ModelId, Money, ProviderSpec, Role, ServerSpec, visible_line};
use crate::provider::{Found, LOCAL_SERVERS, Provider, agents, discover, is_free, is_on_path, quote, usual_models};

/// How long a server may take to list its models.
const LISTING: Duration = Duration::from_secs(4);

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn user_file() -> Option<PathBuf> {
    Paths::find(&variable, None).user_file()
}

/// Looks for models beside everything else; what was found comes back as a message.
pub(super) fn look(config: &Config, back: UnboundedSender<Msg>) {
    let config = config.clone();
    tokio::spawn(async move {
        let listing = async |name: &String, spec: &ProviderSpec| match Provider::new(name, spec) {
            Ok(made) => made.models(LISTING).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let lists = config.providers.iter().map(async |(name, spec)| (name, spec, listing(name, spec).await));
        let (lists, found) = tokio::join!(join_all(lists), discover(variable, &LOCAL_SERVERS));
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut add = |name: &str, model: &str, spec: &ProviderSpec, why: String| {
            let odd = model.is_empty() || model.contains(|c: char| c.is_whitespace() || c.is_control());
            // An embedding model lists itself like any other and answers no question.
            if !odd && !model.to_lowercase().contains("embed") {
                let model = ModelId(format!("{name}/{model}"));
                let trial = trial_cost(&config, &model, spec);
                candidates.push(Candidate { model, spec: spec.clone(), why, trial });
            }
        };
        for (name, spec, models) in lists {
            models.iter().for_each(|model| add(name, model, spec, "configured".to_owned()));
        }
        let new = |name: &str| !config.providers.contains_key(name);
        for one in found.iter().filter(|one| new(one.name)) {
            let key = one.api_key_env.map(|variable| KeySource::Env(variable.to_owned()));
            let server = ServerSpec { format: one.format, base_url: one.base_url.clone(), key };
            let spec = ProviderSpec::Server(server);
            for model in usual_models(one.name) {
                add(one.name, model, &spec, one.what.clone());
            }
            one.models.iter().for_each(|model| add(one.name, model, &spec, one.what.clone()));
        }
        for agent in agents().into_iter().filter(|agent| new(agent.name)) {
            let spec = ProviderSpec::Command { argv: agent.argv.iter().map(|word| (*word).to_owned()).collect() };
            for model in agent.models {
                add(agent.name, model, &spec, format!("runs {}", agent.argv.join(" ")));
            }
        }
        let file = user_file().map_or_else(|| "your config.toml".to_owned(), |path| path.display().to_string());
        let notes = notes(&found, candidates.is_empty(), &file);
        // Nobody looks any more once the screen is gone.
        let _ = back.send(Msg::Found(Box::new(Findings { candidates, notes, file })));
    });
}

/// What trying a model out may cost; none if nobody knows.
fn trial_cost(config: &Config, model: &ModelId, spec: &ProviderSpec) -> Option<Money> {
    if is_free(spec) { Some(Money::default()) } else { quote(config.prices.of(model)).expected() }
}

fn notes(found: &[Found], nothing: bool, file: &str) -> Vec<String> {
    let ollama = is_on_path("ollama") && !found.iter().any(|one| one.name == "ollama");
    let ollama = ollama.then(|| "ollama is installed, and its server does not answer: run `ollama serve`".to_owned());
    let mut notes = vec![];
    if nothing {
        let ports: Vec<String> = LOCAL_SERVERS.iter().map(|one| format!("{} on {}", one.title, one.port)).collect();
        notes.push(format!(
            "There is no key in the environment, no model server on this machine ({}), and neither claude, codex, gemini \
             nor llm on PATH. Do one of these:",
            ports.join(", ")
        ));
        notes.push(
            "- leave, export OPENAI_API_KEY=<your key> (or ANTHROPIC_API_KEY, GEMINI_API_KEY, OPENROUTER_API_KEY, \
                    XAI_API_KEY, DEEPSEEK_API_KEY), and start windlass again"
                .to_owned(),
        );
        notes.push("- start a model server, and look again".to_owned());
        notes.push(format!("- say where your models are in {file}: `windlass init` prints the lines"));
    } else {
        notes.push(
            "Type to narrow the list. Another model of a provider in it: type provider/model, and Enter.".to_owned(),
        );
    }
    notes.extend(ollama);
    notes
}

/// Asks each of them one small question, side by side.
pub(super) fn try_out(models: Vec<Candidate>, cancel: CancellationToken, back: UnboundedSender<Msg>) {
    tokio::spawn(async move {
        let asked = models.into_iter().map(async |Candidate { model, spec, .. }| {
            let result = ask(&model, &spec, &cancel).await;
            Tried { model, result }
        });
        let tried = join_all(asked).await;
        // Nobody waits for it any more once the screen is gone.
        let _ = back.send(Msg::Tried(tried));
    });
}

async fn ask(model: &ModelId, spec: &ProviderSpec, cancel: &CancellationToken) -> Result<String, String> {
    let made = Provider::new(model.provider(), spec).map_err(|error| error.to_string())?;
    let name = model.0.split_once('/').map_or(model.0.as_str(), |(_, name)| name);
    let reply = made.try_out(name, cancel).await;
    match reply.trouble() {
        Some(why) => Err(visible_line(&why.lines().collect::<Vec<_>>().join(" ")).into_owned()),
        None => Ok(format!("answered in {} ms", reply.timings.total)),
    }
}

/// Writes the chosen models and their providers into the person's file; says what was done.
pub(super) fn write(chosen: &[(Role, Candidate)]) -> Result<String, String> {
    let file = user_file().ok_or("there is no home directory to write to: set XDG_CONFIG_HOME")?;
    let of = |wanted: Role| chosen.iter().find(|(role, _)| *role == wanted).map(|(_, one)| one.model.clone());
    let mut additions = Additions { author: of(Role::Author), critic: of(Role::Critic), ..Additions::default() };
    for (_, one) in chosen {
        let name = one.model.provider().to_owned();
        if !additions.providers.iter().any(|(known, _)| *known == name) {
            additions.providers.push((name, one.spec.clone()));
        }
    }
    write_user_providers(&file, &additions).map_err(|error| error.to_string())?;
    Ok(format!("written to {}", file.display()))
}
