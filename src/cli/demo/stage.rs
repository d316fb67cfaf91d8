//! Setting the demo's stage: a git repository of the project, the replies, and a configuration, in a directory of their own.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;

use crate::config::{Additions, write_user_providers};
use crate::domain::ProviderSpec;
use crate::process::capture::Capture;
use crate::repo::{OpenError, Repo, RepoError};

use super::super::failure::Failure;
use super::files::{PROJECT, REPLIES};

/// How often a directory that is taken is passed over.
const TRIES: u32 = 100;

/// Settings of the demo's own repository. The person's may sign, rewrite line ends, ignore, filter, or run hooks.
const SETTINGS: &[(&str, &str)] = &[
    ("user.name", "Windlass Demo"),
    ("user.email", "demo@windlass.invalid"),
    ("commit.gpgSign", "false"),
    ("core.autocrlf", "false"),
    ("core.eol", "lf"),
    ("core.hooksPath", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
];

/// The demo's directory.
#[derive(Debug)]
pub(super) struct Stage {
    dir: PathBuf,
}

impl Stage {
    /// Makes everything in a new directory of the system's temporary one.
    pub(super) fn set(pace: u32) -> Result<Self, Failure> {
        Self::set_in(&env::temp_dir(), pace)
    }

    /// The same in a new directory of `parent`.
    pub(super) fn set_in(parent: &Path, pace: u32) -> Result<Self, Failure> {
        let stage = Self { dir: new_dir(parent)? };
        if let Err(failure) = stage.furnish(pace) {
            // The first failure is the one to tell.
            let _ = fs::remove_dir_all(&stage.dir);
            return Err(failure);
        }
        Ok(stage)
    }

    /// Everything is in here.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The project's checkout.
    pub(super) fn project(&self) -> PathBuf {
        self.dir.join("orders")
    }

    /// What stands in for the person's configuration home.
    pub(super) fn config_home(&self) -> PathBuf {
        self.dir.join("config")
    }

    /// Removes everything.
    pub(super) fn strike(&self) -> Result<(), Failure> {
        fs::remove_dir_all(&self.dir).map_err(failed("remove", &self.dir))
    }

    fn furnish(&self, pace: u32) -> Result<(), Failure> {
        let (project, replies) = (self.project(), self.dir.join("replies"));
        write_all(PROJECT, &project)?;
        write_all(REPLIES, &replies)?;
        let script = ProviderSpec::Script { dir: replies, chars_per_second: Some(pace) };
        let additions = Additions { providers: vec![("script".to_owned(), script)], ..Additions::default() };
        write_user_providers(&self.config_home().join("windlass").join("config.toml"), &additions)?;

        git(&project, &["-c", "init.defaultBranch=main", "init", "-q", "--template="])?;
        for (name, value) in SETTINGS {
            git(&project, &["config", "--local", name, value])?;
        }
        git(&project, &["add", "--all", "--force"])?;
        git(&project, &["commit", "-q", "-m", "The nightly report of a small shop"])
    }

    /// The project, open.
    pub(super) fn repo(&self) -> Result<Repo, Failure> {
        Ok(Repo::open(&self.project())?)
    }
}

/// A directory that wasn't there before, for this user alone.
fn new_dir(parent: &Path) -> Result<PathBuf, Failure> {
    let mut number = 0;
    loop {
        let dir = parent.join(format!("windlass-demo-{}-{number}", process::id()));
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < TRIES => number += 1,
            made => return made.map(|()| dir.clone()).map_err(failed("create", &dir)),
        }
    }
}

fn write_all(files: &[(&str, &str)], dir: &Path) -> Result<(), Failure> {
    for (name, text) in files {
        let path = dir.join(name);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(failed("create", parent))?;
        fs::write(&path, text).map_err(failed("write", &path))?;
    }
    Ok(())
}

/// Runs git with no configuration but the repository's own.
fn git(dir: &Path, args: &[&str]) -> Result<(), Failure> {
    let captured = Capture::new("git", dir)
        .without_env("GIT_", &["GIT_EXEC_PATH"])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .args(args)
        .run();
    let captured = captured.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::Repository(OpenError::GitMissing),
        _ => RepoError::Run(error).into(),
    })?;
    if captured.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&captured.stderr).trim().to_owned();
    Err(RepoError::Git { doing: "make the demo's repository".to_owned(), said }.into())
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |source| Failure::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flags, Paths, load};

    #[test]
    fn the_stage_is_a_clean_repository_with_a_sound_configuration() {
        let parent = tempfile::tempdir().unwrap();
        let stage = Stage::set_in(parent.path(), 1234).unwrap();
        let repo = stage.repo().unwrap();
        assert_eq!(repo.dirty().unwrap(), [""; 0]);
        assert_eq!(repo.branch().unwrap().as_deref(), Some("main"));
        assert_eq!(repo.person().0, "Windlass Demo <demo@windlass.invalid>");
        let files = repo.files(&repo.tree_of(&repo.head().unwrap()).unwrap()).unwrap();
        let committed: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let mut embedded: Vec<&str> = PROJECT.iter().map(|(name, _)| *name).collect();
        embedded.sort_unstable();
        assert_eq!(committed, embedded);

        let paths = Paths { user: Some(stage.config_home().join("windlass")), repository: Some(stage.project()) };
        let loaded = load(&paths, &|_| None, &Flags::default()).unwrap();
        assert_eq!(loaded.warnings, []);
        let ProviderSpec::Script { dir, chars_per_second } = &loaded.config.providers["script"] else { panic!() };
        assert_eq!(*chars_per_second, Some(1234));
        assert_eq!(fs::read_dir(dir).unwrap().count(), REPLIES.len());

        let second = Stage::set_in(parent.path(), 1).unwrap();
        assert_ne!(second.dir(), stage.dir());
        stage.strike().unwrap();
        assert!(!stage.dir().exists() && second.project().exists());
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let error = Stage::set_in(Path::new("/no/such/place"), 1).unwrap_err();
        assert!(error.to_string().starts_with("failed to create /no/such/place/windlass-demo-"), "{error}");
    }
}
