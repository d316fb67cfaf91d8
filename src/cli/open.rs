//! Opening a repository: its configuration, its journal, and everything the screen begins with.

use std::cell::OnceCell;
use std::env;
use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

use crate::app::{Host, Offered};
use crate::config::{self, Config, ConfigError, Loaded, Paths, Problem};
use crate::domain::{Digest, Reach};
use crate::engine::Setup;
use crate::gate::guard::Guard;
use crate::journal::{self, Journal, Reader};
use crate::keymap::Keymap;
use crate::provider::Provider;
use crate::repo::Repo;
use crate::theme::{self, Background, Depth, Theme};
use crate::tui::{self, Record, Settings, Start, TuiError};

use super::advice;
use super::arguments::Common;
use super::face;
use super::failure::Failure;
use super::terminal;

/// A variable of the environment; none if it is unset or not text.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// The repository that the arguments mean.
pub(super) fn repo(common: &Common) -> Result<Repo, Failure> {
    let named = &common.directory;
    let here = env::current_dir();
    let here =
        here.map_err(|source| Failure::File { doing: "find the current directory", path: named.clone(), source })?;
    // Joined with ".", the current directory would be named with a dot at its end.
    let dir = if named.as_os_str() == "." { here } else { here.join(named) };
    if dir.is_dir() { Ok(Repo::open(&dir)?) } else { Err(Failure::NoDirectory(dir)) }
}

/// Where configuration is, and what it says.
pub(super) fn config(common: &Common, repo: &Repo) -> Result<(Paths, Loaded), ConfigError> {
    let paths = Paths::find(&variable, Some(repo.top()));
    let loaded = config::load(&paths, &variable, &common.flags())?;
    Ok((paths, loaded))
}

/// Everything the screen begins with; `again` reads what is configured another time.
pub(super) fn begin(
    repo: Repo,
    settings: Settings,
    again: impl Fn(&Repo) -> Result<Settings, Failure> + 'static,
) -> Result<Start, Failure> {
    start(record(&repo)?, repo, settings, again)
}

/// The same, to look on only, whoever drives.
pub(super) fn watch(
    repo: Repo,
    settings: Settings,
    again: impl Fn(&Repo) -> Result<Settings, Failure> + 'static,
) -> Result<Start, Failure> {
    let reader = Reader::open(&repo.private_dir()?)?.ok_or(Failure::NothingToWatch)?;
    let who = reader.driver()?;
    start(Record::Reading { reader, who }, repo, settings, again)
}

fn start(
    record: Record,
    repo: Repo,
    settings: Settings,
    again: impl Fn(&Repo) -> Result<Settings, Failure> + 'static,
) -> Result<Start, Failure> {
    let same = repo.clone();
    let reload = Box::new(move || again(&same).map_err(|failure| failure.to_string()));
    Ok(Start { repo, record, settings, reload, first: None, first_run: false, goal: None, decide: false })
}

/// The terminal's background, asked for once, and only if nobody has chosen a theme: later on keys are read.
#[derive(Default)]
pub(super) struct Asked(OnceCell<Option<Background>>);

impl Asked {
    fn background(&self, config: &Config, depth: Depth) -> Result<Option<Background>, Failure> {
        if let Some(known) = self.0.get() {
            return Ok(*known);
        }
        let is_drawn_on = terminal::can_ask() && face::is_screen(config.access.plain, &variable);
        let wanted = config.theme.is_none() && matches!(depth, Depth::True | Depth::C256) && is_drawn_on;
        let told =
            if wanted { tui::background(env::var_os("TMUX").is_some()).map_err(TuiError::Terminal)? } else { None };
        Ok(*self.0.get_or_init(|| told))
    }
}

/// What is configured; `paths` are where themes and key files are looked for.
pub(super) fn settings(repo: &Repo, paths: &Paths, loaded: Loaded, asked: &Asked) -> Result<Settings, Failure> {
    let Loaded { config, warnings: problems } = loaded;
    let mut warnings = lines(&problems);
    let depth = theme::depth(&variable, false);
    let name = theme::choose(config.theme.as_deref(), asked.background(&config, depth)?, &variable, depth);
    let themes = paths.themes();
    let (theme, problems) = Theme::load(&name, themes.as_deref(), depth);
    warnings.extend(lines(&problems));
    let theme = theme.in_ascii(config.access.ascii || face::shows_ascii_only(&variable));
    let (keymap, problems) = Keymap::load(&config.keymap, paths.keymaps().as_deref());
    warnings.extend(lines(&problems));
    let mut host = host(repo, &config)?;
    warnings.append(&mut host.warnings);
    host.warnings = warnings;
    host.theme = theme.name().to_owned();
    host.themes = if depth == Depth::Mono { Vec::new() } else { offered(themes.as_deref()) };
    host.config_file = paths.user_file().map(|path| path.display().to_string());
    Ok(Settings { config, host, theme, depth, themes, keymap })
}

fn record(repo: &Repo) -> Result<Record, Failure> {
    let dir = repo.private_dir()?;
    match Journal::open(&dir) {
        Ok((journal, events)) => Ok(Record::Driving { journal, events }),
        Err(journal::OpenError::Driven { by: who }) => match Reader::open(&dir)? {
            Some(reader) => Ok(Record::Reading { reader, who: Some(who) }),
            // The other process has the lock and hasn't made the file yet.
            None => Err(journal::OpenError::Driven { by: who }.into()),
        },
        Err(error) => Err(error.into()),
    }
}

fn host(repo: &Repo, config: &Config) -> Result<Host, Failure> {
    let (commands, changed) = commands(repo, config)?;
    let mut warnings = unusable(config);
    warnings.extend(changed);
    // What is asked of git and of the machine takes a process each, and the first paint waits for all of them. Without
    // commands nobody asks for a sandbox.
    let (branch, dirty, person, guard) = thread::scope(|scope| {
        let branch = scope.spawn(|| repo.branch());
        let person = scope.spawn(|| repo.person());
        let guard = scope.spawn(|| Guard::new(config.sandbox && config.commands_digest.is_some()));
        (done(branch), repo.dirty(), done(person), done(guard))
    });
    if matches!(guard, Guard::Missing(_)) {
        warnings.push(guard.words(&Reach::default()));
    }
    Ok(Host {
        repository: name(repo),
        branch: branch?,
        dirty: dirty?,
        person: person.0,
        demo: false,
        reads_only: false,
        setup: Setup {
            author: config.author.clone(),
            change_author: config.change_author.clone(),
            critic: config.critic.clone(),
            gates: config.gates.clone(),
            config: config.commands_digest,
        },
        price: config.author.as_ref().and_then(|author| config.prices.of(author)),
        change_price: config.change_author.as_ref().or(config.author.as_ref()).and_then(|one| config.prices.of(one)),
        budget: config.budget,
        commands,
        calm: config.access.reduced_motion,
        reveals_after_reading: config.reveals_after_reading,
        protection: if config.commands_digest.is_some() { guard.words(&Reach::default()) } else { String::new() },
        warnings,
        advice: advice::lines(config),
        ..Host::default()
    })
}

/// What a thread came to; its panic goes on here.
fn done<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The themes to choose from.
fn offered(dir: Option<&Path>) -> Vec<Offered> {
    let about = |theme: &theme::Listed| {
        let ground = theme.variant.as_deref().unwrap_or("can't be read");
        format!("{ground}{}", if theme.is_own { ", yours" } else { "" })
    };
    Theme::list(dir).into_iter().map(|theme| Offered { about: about(&theme), name: theme.name }).collect()
}

/// What people call the repository: its directory.
pub(super) fn name(repo: &Repo) -> String {
    repo.top().file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The text of the repository's configuration, exactly the one that was loaded; else why it isn't there.
fn commands(repo: &Repo, config: &Config) -> Result<(Option<String>, Option<String>), Failure> {
    let Some(digest) = config.commands_digest else { return Ok((None, None)) };
    let path = repo.top().join(".windlass").join("config.toml");
    let bytes = fs::read(&path).map_err(|source| Failure::File { doing: "read", path, source })?;
    if Digest::of(&bytes) != digest {
        let warning = ".windlass/config.toml was changed this instant: start windlass again to use and trust it";
        return Ok((None, Some(warning.to_owned())));
    }
    Ok((String::from_utf8(bytes).ok(), None))
}

/// Why the models of the roles can't be called as configured, such as a missing key. Nothing is called.
pub(super) fn unusable(config: &Config) -> Vec<String> {
    let mut names: Vec<&str> =
        [&config.author, &config.change_author, &config.critic].into_iter().flatten().map(|id| id.provider()).collect();
    names.dedup();
    let used = names.into_iter().filter_map(|name| Some((name, config.providers.get(name)?)));
    used.filter_map(|(name, provider)| Some(Provider::new(name, provider).err()?.to_string())).collect()
}

/// A line for each problem.
pub(super) fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}
