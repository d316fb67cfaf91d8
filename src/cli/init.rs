//! `windlass init`: a starter configuration for the repository, and providers for the person's own.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::config::{self, Additions, Config, Flags, Loaded, Paths, init_text, proposals, write_user_providers};
use crate::domain::{KeySource, ModelId, ProviderSpec, ServerSpec, visible_line};
use crate::provider::{Found, LOCAL_SERVERS};
use crate::repo::Repo;

use super::advice::{found, use_of};
use super::arguments::Common;
use super::failure::Failure;
use super::open::{self, variable};
use super::terminal;

/// Does both, and says what to do next.
pub(super) fn run(common: &Common, yes: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    if write_starter(repo.top())? {
        writeln!(
            out,
            "Wrote .windlass/config.toml: how this repository is worked on. Read it, correct it, commit it."
        )?;
    } else {
        writeln!(out, "There is a .windlass/config.toml already; it was left as it is.")?;
    }
    // A repository may name providers that this person lacks: to get them is what this is for.
    let paths = Paths::find(&variable, Some(repo.top()));
    let (config, is_whole) = match config::load(&paths, &variable, &common.flags()) {
        Ok(Loaded { config, .. }) => (config, true),
        // What is wrong with the repository's file is told at the end.
        Err(_) => {
            let own = Paths { repository: None, ..paths.clone() };
            (config::load(&own, &variable, &Flags::default())?.config, false)
        }
    };
    writeln!(out, "\nLooking for keys in the environment and for model servers on this machine:")?;
    out.flush()?;
    let found = found(&LOCAL_SERVERS)?;
    for found in &found {
        writeln!(out, "  {}; {}", found.what, use_of(found, &config))?;
        for model in &found.models {
            writeln!(out, "    {}/{}", found.name, visible_line(model))?;
        }
    }
    let mut additions = additions(&found, &config);
    if !is_whole {
        // The roles may well be the repository's.
        (additions.author, additions.critic) = (None, None);
    }
    if additions != Additions::default() {
        offer(&additions, &paths, yes, out)?;
    } else if found.is_empty() {
        nothing_found(&paths, out)?;
    }
    next_steps(&repo, common, out)
}

/// Writes the starter file; false if there is one.
fn write_starter(top: &Path) -> Result<bool, Failure> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File { doing, path, source }
    };
    let dir = top.join(".windlass");
    let path = dir.join("config.toml");
    fs::create_dir_all(&dir).map_err(failed("create", &dir))?;
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        opened => opened.map_err(failed("write", &path))?,
    };
    let text = init_text(&proposals(top));
    file.write_all(text.as_bytes()).map_err(failed("write", &path))?;
    Ok(true)
}

/// What to add to the person's file: providers that aren't there, and roles where servers list models and none is chosen.
fn additions(found: &[Found], config: &Config) -> Additions {
    let new = found.iter().filter(|found| !config.providers.contains_key(found.name));
    let providers = new.map(|found| {
        let key = found.api_key_env.map(|variable| KeySource::Env(variable.to_owned()));
        let server = ServerSpec { format: found.format, base_url: found.base_url.clone(), key };
        (found.name.to_owned(), ProviderSpec::Server(server))
    });
    let (author, critic) = match (&config.author, &config.critic) {
        (None, None) => proposed_roles(found),
        _ => (None, None),
    };
    Additions { providers: providers.collect(), author, critic }
}

/// Two different models of the servers found, of two servers where possible. None if there is only one.
fn proposed_roles(found: &[Found]) -> (Option<ModelId>, Option<ModelId>) {
    let models = found.iter().flat_map(|found| found.models.iter().map(move |model| (found.name, model.as_str())));
    // An embedding model lists itself like any other and answers no question; a name no file takes is no proposal.
    let models = models.filter(|(_, model)| !model.to_lowercase().contains("embed"));
    let models: Vec<_> = models.filter(|(_, m)| !m.contains(|c: char| c.is_whitespace() || c.is_control())).collect();
    let Some(author) = models.first() else { return (None, None) };
    let elsewhere = models.iter().find(|(server, _)| *server != author.0);
    let Some(critic) = elsewhere.or_else(|| models.iter().find(|other| *other != author)) else { return (None, None) };
    let id = |(server, model): &(&str, &str)| Some(ModelId(format!("{server}/{model}")));
    (id(author), id(critic))
}

fn offer(additions: &Additions, paths: &Paths, yes: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let file = paths.user_file();
    let place = file.as_ref().map_or_else(|| "your config.toml".to_owned(), |path| path.display().to_string());
    writeln!(out, "\nLines to add to {place}:\n")?;
    for line in additions.lines()?.lines() {
        writeln!(out, "    {}", visible_line(line))?;
    }
    writeln!(out)?;
    let Some(file) = file else {
        writeln!(out, "There is no home directory to put it in: set XDG_CONFIG_HOME, then run this again.")?;
        return Ok(());
    };
    if !yes && !terminal::can_ask() {
        writeln!(out, "Nothing was added. Add them yourself, or run: windlass init --yes")?;
        return Ok(());
    }
    if !yes && !matches!(terminal::ask("Add them? [y/n]", out)?.as_str(), "y" | "Y" | "yes") {
        writeln!(out, "Nothing was added.")?;
        return Ok(());
    }
    write_user_providers(&file, additions)?;
    writeln!(out, "Added.")?;
    Ok(())
}

fn nothing_found(paths: &Paths, out: &mut dyn Write) -> Result<(), Failure> {
    let file = paths.user_file();
    let place = file.map_or_else(|| "your config.toml".to_owned(), |path| path.display().to_string());
    let ports: Vec<String> =
        LOCAL_SERVERS.iter().map(|server| format!("{} on {}", server.title, server.port)).collect();
    writeln!(
        out,
        "  nothing. Either set a key, such as OPENAI_API_KEY, or start a model server ({}), and run this again;
  or write where your models are into {place}:

    [providers.mine]
    kind = \"openai-chat\"
    base_url = \"https://models.example.org/v1\"
    api_key_env = \"MY_KEY\"     # the variable's name; leave the line out where no key is needed

Without any model, `windlass demo` shows a whole loop offline.",
        ports.join(", ")
    )?;
    Ok(())
}

/// What is left to do, in order, as the configuration is now.
fn next_steps(repo: &Repo, common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
    let (_, Loaded { config, warnings }) = open::config(common, repo)?;
    for warning in open::lines(&warnings).iter().chain(&open::unusable(&config)) {
        writeln!(out, "warning: {}", visible_line(warning))?;
    }
    writeln!(out, "\nNext:")?;
    if config.author.is_none() || config.critic.is_none() {
        writeln!(
            out,
            "  - choose two different models under [roles] in .windlass/config.toml or in your own config.toml"
        )?;
    }
    if config.gates.is_empty() {
        writeln!(out, "  - name the commands that judge a change as [[gate]] in .windlass/config.toml")?;
    }
    if config.probes.is_empty() {
        writeln!(out, "  - name a command that measures the system as [[probe]] there")?;
    }
    writeln!(out, "  - read the commands and let them run: windlass trust")?;
    writeln!(out, "  - begin: windlass new \"10x checkout traffic\"")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load;
    use crate::domain::WireFormat;

    fn server(name: &'static str, models: &[&str]) -> Found {
        let models = models.iter().map(|model| (*model).to_owned()).collect();
        let base_url = format!("http://127.0.0.1/{name}/v1");
        Found { name, what: String::new(), format: WireFormat::OpenAiChat, base_url, api_key_env: None, models }
    }

    fn proposed(found: &[Found]) -> Option<(String, String)> {
        let (author, critic) = proposed_roles(found);
        Some((author?.0, critic?.0))
    }

    #[test]
    fn two_different_models_or_none_are_proposed() {
        let pair = |author: &str, critic: &str| Some((author.to_owned(), critic.to_owned()));
        let ollama = |models| server("ollama", models);
        assert_eq!(proposed(&[ollama(&["a", "b"])]), pair("ollama/a", "ollama/b"));
        assert_eq!(proposed(&[ollama(&["a", "b"]), server("vllm", &["c"])]), pair("ollama/a", "vllm/c"));
        assert_eq!(proposed(&[ollama(&["nomic-embed-text", "a", "b\u{1b}"])]), None);
        assert_eq!(proposed(&[ollama(&["a", "a"])]), None);
        assert_eq!(proposed(&[ollama(&[])]), None);
    }

    #[test]
    fn what_is_configured_is_not_offered_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        let paths = Paths { user: Some(dir.path().to_owned()), repository: None };
        let config = || load(&paths, &|_| None, &Flags::default()).unwrap().config;
        let key = Found { api_key_env: Some("OPENAI_API_KEY"), ..server("openai", &[]) };
        let other = Found { format: WireFormat::Anthropic, ..server("anthropic", &[]) };
        let found = [key, other, server("ollama", &["a", "b"])];

        let first = additions(&found, &config());
        let names: Vec<&str> = first.providers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["openai", "anthropic", "ollama"]);
        assert!(first.lines().unwrap().contains("[providers.anthropic]\nkind = \"anthropic\""));
        write_user_providers(&file, &first).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), first.lines().unwrap());
        assert_eq!(config().critic, Some(ModelId("ollama/b".to_owned())));
        assert_eq!(additions(&found, &config()), Additions::default());
    }

    #[test]
    fn the_starter_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("Cargo.toml"), "").unwrap();
        assert!(write_starter(dir.path()).unwrap());
        let path = dir.path().join(".windlass/config.toml");
        assert!(fs::read_to_string(&path).unwrap().contains("cargo-test"));
        fs::write(&path, "mine").unwrap();
        assert!(!write_starter(dir.path()).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert!(write_starter(Path::new("/no/such/place")).is_err());
    }
}
