//! What is put around a command before it runs: said beforehand, kept with the result, and never silently nothing.

use std::path::{Path, PathBuf};

use crate::domain::Reach;
use crate::process::sandbox::{self, Protection, Sandbox};

/// How a person does without, in one line.
const WITHOUT: &str = "to run commands without one, write sandbox = \"off\" in your own config.toml";

/// What stands around the commands of gates and probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The sandbox that this machine has.
    Sandbox(Protection),
    /// The person said that there is to be none.
    Off,
    /// There is to be one, and this machine has none: nothing runs.
    Missing(Protection),
}

impl Guard {
    /// The guard on this machine, where the person asked for a sandbox or for none.
    pub fn new(wanted: bool) -> Self {
        if !wanted {
            return Self::Off;
        }
        let protection = sandbox::available();
        if protection.is_sandbox() { Self::Sandbox(protection) } else { Self::Missing(protection) }
    }

    /// What a command that may reach this far is kept to, in a few words for its line.
    pub fn words(self, reach: &Reach) -> String {
        if let Some(elsewhere) = reach.elsewhere() {
            return elsewhere;
        }
        match self {
            Self::Off => "NO SANDBOX, your config.toml says so".to_owned(),
            Self::Missing(protection) => format!("NO SANDBOX on this machine ({protection}): {WITHOUT}"),
            Self::Sandbox(protection) if reach.writable.is_empty() => protection.words(reach.network),
            Self::Sandbox(protection) => {
                format!("{}; also writes in {}", protection.words(reach.network), reach.writable.join(", "))
            }
        }
    }

    /// What protects the machine, in full, for the record.
    pub fn evidence(self, reach: &Reach) -> String {
        match self {
            _ if reach.elsewhere().is_some() => self.words(reach),
            Self::Off | Self::Missing(_) => "no sandbox".to_owned(),
            Self::Sandbox(protection) => format!("{} ({protection})", self.words(reach)),
        }
    }

    /// The sandbox of a command in the worktree `root`; none where the person wants none.
    ///
    /// # Errors
    /// If there is to be one and can't be, in words for the summary.
    pub(super) fn around(self, reach: &Reach, root: &Path) -> Result<Option<Sandbox>, String> {
        match self {
            Self::Off => Ok(None),
            Self::Missing(protection) => Err(format!("this machine has no sandbox ({protection}): {WITHOUT}")),
            Self::Sandbox(protection) => {
                let mut writable = vec![root.to_owned()];
                for path in &reach.writable {
                    writable.push(at_home(path)?);
                }
                Ok(Some(Sandbox { writable, network: reach.network, apart: protection.is_apart() }))
            }
        }
    }
}

/// The directory that a configured path means.
fn at_home(path: &str) -> Result<PathBuf, String> {
    let path = match path.strip_prefix("~/") {
        None => PathBuf::from(path),
        Some(rest) => std::env::home_dir().ok_or("\"~\" in \"writable\" needs HOME, which isn't set")?.join(rest),
    };
    if path.is_dir() { Ok(path) } else { Err(format!("{} in \"writable\" is no directory: make it", path.display())) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Guard;
    use crate::domain::Reach;
    use crate::process::sandbox::Protection;

    #[test]
    fn no_sandbox_is_said_and_nothing_runs_until_the_person_has_answered() {
        let (missing, reach) = (Guard::Missing(Protection::NONE), Reach::default());
        assert!(missing.words(&reach).starts_with("NO SANDBOX on this machine"));
        let why = missing.around(&reach, Path::new("/")).unwrap_err();
        assert!(why.contains("no sandbox") && why.contains("sandbox = \"off\""), "{why}");
        assert_eq!(Guard::new(false), Guard::Off);
        assert_eq!(Guard::Off.around(&reach, Path::new("/")), Ok(None));
        assert!(Guard::Off.words(&reach).contains("NO SANDBOX") && Guard::Off.evidence(&reach) == "no sandbox");
    }

    #[test]
    fn what_runs_elsewhere_says_where_and_that_nothing_of_ours_protects_it() {
        let runner = ["ssh", "build-host"].map(str::to_owned).to_vec();
        let reach = Reach { runner, ..Reach::default() };
        for guard in [Guard::Off, Guard::Missing(Protection::NONE), Guard::new(true)] {
            assert_eq!(guard.words(&reach), "on: ssh build-host; no sandbox of ours there");
            assert_eq!(guard.evidence(&reach), guard.words(&reach));
        }
    }

    #[test]
    fn a_missing_writable_directory_is_named() {
        let reach = Reach { writable: vec!["/no/such/place".to_owned()], ..Reach::default() };
        let why = Guard::Sandbox(Protection::NONE).around(&reach, Path::new("/")).unwrap_err();
        assert_eq!(why, "/no/such/place in \"writable\" is no directory: make it");
    }
}
