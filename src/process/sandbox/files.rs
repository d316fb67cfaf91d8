//! Files, by Landlock: written only where it is allowed, terminals not even read. It also keeps the processes outside
//! from being traced, signalled, or asked for their environment.

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

/// The newest version whose rights are known here; an older kernel gives what it has.
const KNOWN: ABI = ABI::V7;

/// Devices that every program expects and that lead nowhere.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Devices of a process that has mounts of its own: the terminals there are its own, too.
const OWN_DEVICES: [&str; 3] = ["/dev/pts", "/dev/ptmx", "/dev/shm"];

/// Confines the calling thread and all it starts; says which version of Landlock does it. `apart` says that it has
/// mounts of its own.
///
/// # Errors
/// If a directory can't be opened or the kernel has no Landlock; in words.
pub(super) fn confine(writable: &[PathBuf], apart: bool) -> Result<u8, String> {
    let failed = |error: RulesetError| format!("failed to set up Landlock: {error}");
    let mut rules = begun().map_err(failed)?;
    for directory in writable {
        let opened = PathFd::new(directory).map_err(|error| format!("failed to open a writable directory: {error}"))?;
        rules = rules.add_rule(PathBeneath::new(opened, AccessFs::from_all(KNOWN))).map_err(failed)?;
    }
    let own: &[&str] = if apart { &OWN_DEVICES } else { &[] };
    for device in DEVICES.iter().chain(own) {
        rules = allow(rules, Path::new(device), AccessFs::from_all(KNOWN)).map_err(failed)?;
    }
    rules = allow(rules, Path::new("/dev"), AccessFs::ReadDir | AccessFs::Execute).map_err(failed)?;
    // Landlock knows no exceptions below what it allows, so everything but /dev is allowed one by one.
    let top = fs::read_dir("/").map_err(|error| format!("failed to read /: {error}"))?;
    for entry in top.flatten().filter(|entry| entry.file_name() != "dev") {
        rules = allow(rules, &entry.path(), AccessFs::from_read(KNOWN)).map_err(failed)?;
    }
    rules = allow(rules, Path::new("/dev/shm"), AccessFs::from_read(KNOWN)).map_err(failed)?;
    let status = rules.restrict_self().map_err(failed)?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => Err("this kernel has no Landlock".to_owned()),
        (_, LandlockStatus::Available { effective_abi, .. }) => Ok(u8::try_from(effective_abi as i32).unwrap_or(1)),
        (_, other) => Err(format!("Landlock is not there: {other:?}")),
    }
}

fn begun() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::Signal)?
        .create()
}

/// Allows `access` below `path`, or to it if it is a file. What can't be opened needs no permission.
fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    let (Ok(opened), Ok(metadata)) = (PathFd::new(path), fs::metadata(path)) else { return Ok(rules) };
    let access = if metadata.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
    rules.add_rule(PathBeneath::new(opened, access))
}
