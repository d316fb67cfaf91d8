//! Where Windlass works: git and the checkout, what protects the machine, the record, the configuration.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::arguments::Common;
use super::super::failure::Failure;
use super::super::open;
use super::super::record::Record;
use super::super::words::count;
use super::{Check, Mark};
use crate::config::{self, Config, ConfigError, Loaded, Paths};
use crate::journal;
use crate::keymap::Keymap;
use crate::process::capture::Capture;
use crate::process::sandbox;
use crate::repo::Repo;
use crate::theme::{self, Theme};

const GIT: &str = "git";
const RECORD: &str = "record";
const CONFIGURATION: &str = "configuration";

/// git, and the repository if there is one to work in.
pub(super) fn git(common: &Common) -> (Vec<Check>, Option<Repo>) {
    let mut checks = Vec::new();
    let asked = |args: &[&str]| -> Option<String> {
        let asked = Capture::new("git", &common.directory).args(args).run().ok()?;
        asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).trim().to_owned())
    };
    if let Some(version) = asked(&["--version"]) {
        checks.push(Check::ok(GIT, version));
    }
    let repo = match open::repo(common) {
        Ok(repo) => repo,
        Err(failure) => {
            checks.push(Check::said(GIT, Mark::Wrong, failure.to_string()));
            return (checks, None);
        }
    };
    checks.push(match repo.person().0.as_str() {
        "unknown" => Check::warning(
            GIT,
            "it does not know who you are: decisions are recorded as by \"unknown\"",
            "git config --global user.name \"Your Name\" && git config --global user.email you@example.org",
        ),
        person => Check::ok(GIT, format!("you are {person}")),
    });
    checks.push(match repo.branch() {
        Ok(Some(branch)) => Check::ok(GIT, format!("{}, on branch {branch}", repo.top().display())),
        Ok(None) => Check::warning(
            GIT,
            format!("{}, on no branch: what lands is left as a commit", repo.top().display()),
            "git switch <branch>",
        ),
        Err(error) => Check::said(GIT, Mark::Wrong, error.to_string()),
    });
    checks.push(match repo.dirty() {
        Ok(dirty) if dirty.is_empty() => Check::ok(GIT, "the checkout is clean"),
        Ok(dirty) => {
            let text = format!("{} changed in the checkout: loops start from HEAD and leave them alone", dirty.len());
            Check::ok(GIT, format!("{text}, and landing leaves the branch to you"))
        }
        Err(error) => Check::said(GIT, Mark::Wrong, error.to_string()),
    });
    let dir = asked(&["rev-parse", "--absolute-git-dir"]).unwrap_or_default();
    for (file, what, next) in [
        ("MERGE_HEAD", "a merge", "git merge --continue, or git merge --abort"),
        ("rebase-merge", "a rebase", "git rebase --continue, or git rebase --abort"),
        ("rebase-apply", "a rebase", "git rebase --continue, or git rebase --abort"),
    ] {
        if Path::new(&dir).join(file).exists() {
            checks.push(Check::warning(GIT, format!("{what} is under way in the checkout"), next));
        }
    }
    checks.push(match asked(&["worktree", "list", "--porcelain"]) {
        Some(_) => Check::ok(GIT, "linked worktrees work"),
        None => Check::wrong(GIT, "git worktree does not work here", "git worktree list"),
    });
    let hooks = asked(&["rev-parse", "--git-path", "hooks"]).map(|path| hooks(&common.directory.join(path)));
    if let Some(hooks) = hooks.filter(|hooks| !hooks.is_empty()) {
        let text = format!("hooks ({}) are not run by Windlass; name what they check as [[gate]]", hooks.join(", "));
        checks.push(Check::ok(GIT, text));
    }
    (checks, Some(repo))
}

/// The names of the hooks that git would run.
fn hooks(dir: &Path) -> Vec<String> {
    // A directory that isn't there, or can't be read, holds no hook that git would run.
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let runs = |path: &Path| {
        path.extension().is_none()
            && path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let found = entries.filter(|entry| runs(&entry.path()));
    let mut names: Vec<String> = found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What keeps a gate's command from the rest of the machine.
pub(super) fn protection() -> Check {
    let there = sandbox::available();
    if there.is_sandbox() {
        return Check::ok("sandbox", format!("{}; {there}", there.words(false)));
    }
    let says = "none: this system gives none that Windlass knows, so no gate and no probe runs";
    Check::warning("sandbox", says, "sandbox = \"off\" in your own config.toml lets them run as you, unprotected")
}

/// The record: whether it is whole, how large it is, and who drives.
pub(super) fn journal(repo: &Repo) -> Vec<Check> {
    let read = || -> Result<Vec<Check>, Failure> {
        let dir = repo.private_dir()?;
        if journal::Reader::open(&dir)?.is_none() {
            return Ok(vec![Check::ok(RECORD, "none yet; it is made with the first loop")]);
        }
        let verified = journal::verify(&dir)?;
        let files = fs::read_dir(&dir)?.flatten().filter_map(|entry| entry.metadata().ok());
        let bytes: u64 = files.filter(fs::Metadata::is_file).map(|file| file.len()).sum();
        let size = format!("{} KiB in {}", bytes.div_ceil(1024), dir.display());
        let mut checks =
            vec![Check::ok(RECORD, format!("{} rows, every one as it was written; {size}", verified.rows))];
        let driver = Record::read(repo)?.driver;
        checks.push(match driver {
            Some(who) => Check::ok(RECORD, format!("driven by another windlass: {who}")),
            None => Check::ok(RECORD, "nobody drives now"),
        });
        Ok(checks)
    };
    read().unwrap_or_else(|failure| {
        let says = format!("{failure}");
        vec![Check::wrong(RECORD, says, "windlass verify says where; restore it from a copy, or move it away")]
    })
}

/// The configuration: every problem with its place. Without a repository, the person's own.
pub(super) fn configuration(common: &Common, repo: Option<&Repo>) -> (Vec<Check>, Option<Config>) {
    let paths = Paths::find(&open::variable, repo.map(Repo::top));
    let Loaded { config, warnings } = match config::load(&paths, &open::variable, &common.flags()) {
        Ok(loaded) => loaded,
        Err(ConfigError { problems, unreported }) => {
            let mut checks: Vec<Check> =
                problems.iter().map(|problem| Check::said(CONFIGURATION, Mark::Wrong, problem.to_string())).collect();
            if unreported > 0 {
                checks.push(Check::said(CONFIGURATION, Mark::Wrong, format!("... and {unreported} more")));
            }
            return (checks, None);
        }
    };
    let mut checks = Vec::new();
    if config.sources.is_empty() {
        let file = paths.user_file().map_or_else(|| "your config.toml".to_owned(), |path| path.display().to_string());
        let says = format!("there is none: neither {file} nor .windlass/config.toml");
        checks.push(Check::warning(CONFIGURATION, says, "windlass init"));
    } else {
        let names: Vec<String> = config.sources.iter().map(|path| path.display().to_string()).collect();
        checks.push(Check::ok(CONFIGURATION, format!("read: {}", names.join(", "))));
    }
    let depth = theme::depth(&open::variable, false);
    let name = theme::choose(config.theme.as_deref(), None, &open::variable, depth);
    let (_, theme) = Theme::load(&name, paths.themes().as_deref(), depth);
    let (_, keymap) = Keymap::load(&config.keymap, paths.keymaps().as_deref());
    let problems = warnings.iter().chain(&theme).chain(&keymap);
    checks.extend(problems.map(|problem| Check::said(CONFIGURATION, Mark::Warning, problem.to_string())));
    if let (Some(repo), Some(digest)) = (repo, config.commands_digest) {
        let commands = format!("{}, {}", count(config.gates.len(), "gate"), count(config.probes.len(), "probe"));
        checks.push(match Record::read(repo) {
            Ok(record) if record.state.trusted.contains(&digest) => {
                Check::ok(CONFIGURATION, format!("the repository's commands are trusted as they are: {commands}"))
            }
            // What is wrong with the record was said above; without it nothing is trusted.
            _ => Check::warning(
                CONFIGURATION,
                format!("the repository's commands are not trusted as they are: {commands}"),
                "windlass trust",
            ),
        });
    }
    (checks, Some(config))
}
