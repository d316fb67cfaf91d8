//! What keeps a command from doing harm: what is asked, what this machine has, and how it is put up.
//!
//! Linux: Landlock for files, signals and other processes' secrets; namespaces for network and processes where users may
//! make them; a system call filter against sockets where they may not. macOS: seatbelt. The helper process puts it up
//! around itself before it starts the command, and starts nothing if it can't: what is announced is what there is.

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
pub(super) mod namespaces;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "macos")]
pub(super) mod seatbelt;

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

#[cfg(target_os = "linux")]
use caps::{CapSet, Capability};

use super::helper;

/// What a command is kept to. It may read what its user may, terminals apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Directories it may write in, beside a temporary one of its own; each must exist.
    pub writable: Vec<PathBuf>,
    /// Whether it may reach the network and the services of this machine.
    pub network: bool,
    /// Whether it gets namespaces of its own. For machines that have them, see [`available`].
    pub apart: bool,
}

/// What keeps files safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Landlock of this version; before the third, a file elsewhere can still be emptied.
    Landlock(u8),
    /// macOS's sandbox.
    Seatbelt,
    /// Nothing.
    Open,
}

/// What keeps the network out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A network namespace, with a loopback of its own and nothing else.
    Namespace,
    /// No sockets at all.
    Filter,
    /// macOS's sandbox.
    Seatbelt,
    /// Nothing.
    Open,
}

/// What ends a command's descendants, wherever they hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processes {
    /// A process namespace: the kernel ends all of them.
    Namespace,
    /// The helper, which inherits every orphan.
    Helper,
    /// The process group alone.
    Group,
}

/// What this machine can put around a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// Files.
    pub files: Files,
    /// Network.
    pub network: Network,
    /// Processes.
    pub processes: Processes,
}

impl Protection {
    /// None at all.
    pub const NONE: Self = Self { files: Files::Open, network: Network::Open, processes: Processes::Group };

    /// Whether commands can have namespaces of their own.
    pub fn is_apart(self) -> bool {
        self.processes == Processes::Namespace
    }

    /// Whether commands can be kept to their directories, without a network. Less is no sandbox.
    pub fn is_sandbox(self) -> bool {
        self.files != Files::Open && self.network != Network::Open
    }

    /// What a command with or without the network has of it, in a few words for its line.
    pub fn words(self, network: bool) -> String {
        if !self.is_sandbox() {
            return "NO SANDBOX".to_owned();
        }
        let emptied = if matches!(self.files, Files::Landlock(1 | 2)) { " (it can still empty others)" } else { "" };
        let reach = match self.network {
            _ if network => "network allowed",
            Network::Namespace => "no network but a loopback of its own",
            _ => "no network",
        };
        format!("sandbox: writes in the worktree only{emptied}, {reach}")
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.files {
            Files::Landlock(version @ 1..=2) => {
                write!(f, "files: Landlock {version}, which can't keep files from being emptied")?;
            }
            Files::Landlock(version) if self.is_apart() => {
                write!(f, "files: Landlock {version} and read-only mounts")?;
            }
            Files::Landlock(version) => {
                write!(f, "files: Landlock {version}, which can't keep modes and times from being changed")?;
            }
            Files::Seatbelt => f.write_str("files: seatbelt (untried)")?,
            Files::Open => f.write_str("files: NOT PROTECTED")?,
        }
        f.write_str(match self.network {
            Network::Namespace => "; network: a namespace of its own",
            Network::Filter => "; network: no sockets, a system call filter",
            Network::Seatbelt => "; network: seatbelt (untried)",
            Network::Open => "; network: NOT PROTECTED",
        })?;
        f.write_str(match self.processes {
            Processes::Namespace => "; processes: a namespace of their own",
            Processes::Helper => "; processes: a helper that inherits orphans",
            Processes::Group => "; processes: their group",
        })
    }
}

impl Protection {
    /// How a helper tells it: three words.
    pub(super) fn report(self) -> String {
        let files = match self.files {
            Files::Landlock(version) => version.to_string(),
            Files::Seatbelt => "seatbelt".to_owned(),
            Files::Open => "open".to_owned(),
        };
        let network = match self.network {
            Network::Namespace => "namespace",
            Network::Filter => "filter",
            Network::Seatbelt => "seatbelt",
            Network::Open => "open",
        };
        let processes = match self.processes {
            Processes::Namespace => "namespace",
            Processes::Helper => "helper",
            Processes::Group => "group",
        };
        format!("{files} {network} {processes}")
    }

    /// What such a report says, if it is one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [files, network, processes] = words.as_slice() else { return None };
        let files = match *files {
            "seatbelt" => Files::Seatbelt,
            "open" => Files::Open,
            version => Files::Landlock(version.parse().ok()?),
        };
        let network = match *network {
            "namespace" => Network::Namespace,
            "filter" => Network::Filter,
            "seatbelt" => Network::Seatbelt,
            "open" => Network::Open,
            _ => return None,
        };
        let processes = match *processes {
            "namespace" => Processes::Namespace,
            "helper" => Processes::Helper,
            "group" => Processes::Group,
            _ => return None,
        };
        Some(Self { files, network, processes })
    }
}

/// What this machine can put around a command, tried out once by a helper. [`Protection::NONE`] if no helper can be
/// started: nothing could then be run either.
pub fn available() -> Protection {
    static TRIED: OnceLock<Protection> = OnceLock::new();
    *TRIED.get_or_init(|| helper::probe().unwrap_or(Protection::NONE))
}

/// Tries everything out on the calling process, which is of no use for anything else afterwards.
#[cfg(target_os = "linux")]
pub(super) fn try_out() -> Protection {
    let apart = namespaces::enter(true).is_ok() && helper::settles();
    let files = files::confine(&[], false).map_or(Files::Open, Files::Landlock);
    let (network, processes) = match apart {
        true => (Network::Namespace, Processes::Namespace),
        false if network::forbid_sockets().is_ok() => (Network::Filter, Processes::Helper),
        false => (Network::Open, Processes::Helper),
    };
    Protection { files, network, processes }
}

/// Puts the sandbox up around the calling process and all it will start. `apart` says that it is in namespaces of its
/// own already.
///
/// # Errors
/// If a part of it can't be had; in words.
#[cfg(target_os = "linux")]
pub(super) fn confine(writable: &[PathBuf], network: bool, apart: bool) -> Result<(), String> {
    if !apart {
        drop_powers()?;
    }
    files::confine(writable, apart)?;
    if network || apart { Ok(()) } else { network::forbid_sockets() }
}

/// Makes root as powerless as anybody: some of its capabilities are ways around Landlock. In a user namespace they reach
/// no further than that.
#[cfg(target_os = "linux")]
fn drop_powers() -> Result<(), String> {
    let sets = [CapSet::Bounding, CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted];
    // Only who has the power to change it can change the bound, and only they need to.
    let mighty = caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap_or(false);
    for set in sets.into_iter().filter(|set| mighty || !matches!(set, CapSet::Bounding)) {
        caps::clear(None, set).map_err(|error| format!("failed to drop capabilities: {error}"))?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
pub(super) mod tests;

#[cfg(test)]
mod words {
    use super::{Files, Network, Processes, Protection};

    #[test]
    fn what_a_helper_says_is_understood() {
        for files in [Files::Landlock(7), Files::Seatbelt, Files::Open] {
            for network in [Network::Namespace, Network::Filter, Network::Seatbelt, Network::Open] {
                for processes in [Processes::Namespace, Processes::Helper, Processes::Group] {
                    let one = Protection { files, network, processes };
                    assert_eq!(Protection::read(&one.report()), Some(one));
                }
            }
        }
        assert!(Protection::read("").is_none() && Protection::read("x y z").is_none());
    }

    #[test]
    fn what_is_missing_is_said_loudly() {
        assert_eq!(Protection::NONE.words(false), "NO SANDBOX");
        assert!(Protection::NONE.to_string().contains("files: NOT PROTECTED; network: NOT PROTECTED"));
        let old = Protection { files: Files::Landlock(1), network: Network::Filter, processes: Processes::Helper };
        assert!(old.words(false).contains("can still empty others") && old.to_string().contains("emptied"));
    }
}
