//! `windlass demo`: the whole loop, offline, in a temporary repository. The models are scripted; everything else is real.

mod files;
mod stage;

use std::io::Write;
use std::path::Path;

use crate::config::{self, Config, ConfigError, Flags, Loaded, Paths};
use crate::engine::{State, Status};
use crate::repo::Repo;
use crate::tui::{self, Settings, Start};

use self::stage::Stage;
use super::arguments::Common;
use super::failure::Failure;
use super::open::{self, variable};
use super::record::Record;
use super::terminal;

/// What the first loop's question is prefilled with; the replies speak of it.
const GOAL: &str = "Ten times the orders in the nightly report, on the same machine";

/// Sets the stage, opens the screen on it, and says afterwards where everything is.
pub(super) fn run(common: &Common, pace: u32, out: &mut dyn Write) -> Result<(), Failure> {
    if !terminal::is_there() {
        return Err(Failure::NoTerminal("the demo"));
    }
    let stage = Stage::set(pace)?;
    let ended = start(&stage, &common.flags()).and_then(|start| Ok(tui::run(start)?));
    let told = leave(&stage, out);
    ended.and(told)
}

fn start(stage: &Stage, flags: &Flags) -> Result<Start, Failure> {
    let repo = stage.repo()?;
    let (home, flags) = (stage.config_home(), flags.clone());
    let again = move |repo: &Repo| settings(repo, &home, &flags);
    let mut start = open::begin(repo.clone(), again(&repo)?, again)?;
    start.goal = Some(GOAL.to_owned());
    Ok(start)
}

fn settings(repo: &Repo, home: &Path, flags: &Flags) -> Result<Settings, Failure> {
    let (taste, complaint) = taste(flags);
    let flags = match &taste {
        // A theme that isn't chosen by anybody is left to the terminal.
        Some(config) => Flags { theme: config.theme.clone(), keymap: Some(config.keymap.clone()), ..flags.clone() },
        None => flags.clone(),
    };
    let paths = Paths { user: Some(home.join("windlass")), repository: Some(repo.top().to_owned()) };
    // Roles come from the demo's project; the environment's are for real work.
    let mut loaded: Loaded = config::load(&paths, &|_| None, &flags)?;
    loaded.config.editor = taste.and_then(|config| config.editor);
    let mut settings = open::settings(repo, &Paths::find(&variable, None), loaded)?;
    settings.host.demo = true;
    settings.host.warnings.extend(complaint);
    Ok(settings)
}

/// The person's own configuration, for colours, keys and editor; if it is broken, that is no reason not to have a demo.
fn taste(flags: &Flags) -> (Option<Config>, Option<String>) {
    let paths = Paths::find(&variable, None);
    let flags = Flags { author: None, critic: None, ..flags.clone() };
    let env = |name: &str| variable(name).filter(|_| !matches!(name, "WINDLASS_AUTHOR" | "WINDLASS_CRITIC"));
    match config::load(&paths, &env, &flags) {
        Ok(loaded) => (Some(loaded.config), None),
        Err(ConfigError { problems, .. }) => {
            let first = problems.first().map_or_else(String::new, ToString::to_string);
            (None, Some(format!("your own configuration is not used here: {first}")))
        }
    }
}

/// Says where the repository is, or removes it if nothing was begun in it.
fn leave(stage: &Stage, out: &mut dyn Write) -> Result<(), Failure> {
    let State { loops, .. } = Record::read(&stage.repo()?)?.state;
    let (dir, project) = (quoted(stage.dir()), quoted(&stage.project()));
    if loops.is_empty() {
        stage.strike()?;
        writeln!(out, "No loop was begun, so the demo's directory {dir} was removed. Nothing else was touched.")?;
        return Ok(());
    }
    writeln!(out, "The demo's repository is {project}; nothing outside {dir} was touched.")?;
    if loops.values().any(|one| matches!(one.status, Status::Landed { .. })) {
        writeln!(out, "What landed:    git -C {project} show --stat")?;
    } else {
        writeln!(out, "Nothing landed.")?;
    }
    let home = quoted(&stage.config_home());
    writeln!(out, "Look back:      windlass -C {project} log")?;
    writeln!(out, "Go on with it:  XDG_CONFIG_HOME={home} windlass -C {project}")?;
    writeln!(out, "Remove it:      rm -rf {dir}")?;
    Ok(())
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::workflow;
    use crate::domain::{ModelId, Timestamp};
    use crate::engine::{Command, decide};
    use crate::tui::Record as Opened;

    fn left(stage: &Stage) -> String {
        let mut out = Vec::new();
        leave(stage, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_opens_with_scripted_models_and_a_goal() {
        let parent = tempfile::tempdir().unwrap();
        let stage = Stage::set_in(parent.path(), 900).unwrap();
        let first = start(&stage, &Flags::default()).unwrap();
        assert!(first.settings.host.demo && first.settings.host.commands.is_some() && first.goal.is_some());
        assert_eq!((first.settings.host.dirty, first.settings.host.advice), (vec![], vec![]));
        assert_eq!(first.settings.host.setup.author, Some(ModelId("script/author-demo".to_owned())));
        assert!(matches!(first.record, Opened::Driving { .. }));
        // A second screen on it reads only, and says who drives.
        let second = start(&stage, &Flags::default()).unwrap();
        assert!(matches!(second.record, Opened::Reading { who: Some(who), .. } if who.starts_with("pid ")));
    }

    #[test]
    fn a_demo_without_a_loop_is_removed_and_any_other_is_kept() {
        let parent = tempfile::tempdir().unwrap();
        let stage = Stage::set_in(parent.path(), 900).unwrap();
        assert!(left(&stage).contains(&format!("directory {} was removed", stage.dir().display())));
        assert!(!stage.dir().exists());

        let stage = Stage::set_in(parent.path(), 900).unwrap();
        let started = start(&stage, &Flags::default()).unwrap();
        let Opened::Driving { mut journal, .. } = started.record else { panic!() };
        let (workflow, setup, by) = (workflow("scale").unwrap(), started.settings.host.setup, started.repo.person());
        let (goal, base) = (GOAL.to_owned(), started.repo.head().unwrap());
        let begin = Command::Begin { goal, hint: None, workflow, base, branch: None, setup, by };
        journal.append(Timestamp(0), decide(&State::default(), begin, Timestamp(0)).unwrap()).unwrap();
        drop(journal);
        let told = left(&stage);
        assert!(stage.project().is_dir());
        assert!(told.contains("Nothing landed.") && told.contains("XDG_CONFIG_HOME="), "{told}");
    }

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/tmp/windlass-demo-1-0")), "/tmp/windlass-demo-1-0");
        assert_eq!(quoted(Path::new("/tmp/it's here")), r"'/tmp/it'\''s here'");
    }
}
