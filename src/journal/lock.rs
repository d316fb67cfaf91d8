//! Who drives: an advisory lock on a file beside the journal. The system lets go of it however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::OpenError;

const NAME: &str = "driver.lock";

/// A reader that looks who drives holds the lock for an instant, and a child that is about to be another program holds
/// on to its parent's until then: neither is a driver.
const TRIES: u32 = 6;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Makes this process the driver for as long as it lives.
pub(super) struct DriverLock {
    /// Locked; closing it unlocks.
    _file: File,
}

/// The lock file can't be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use the lock {}: {source}; check that you may write to its directory", path.display())]
pub struct LockError {
    path: PathBuf,
    source: io::Error,
}

/// Takes the lock of the journal in `dir`, unless another process has it.
pub(super) fn take(dir: &Path) -> Result<DriverLock, OpenError> {
    let path = dir.join(NAME);
    let failed = |source| LockError { path: path.clone(), source };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    if !locks(&file).map_err(failed)? {
        return Err(OpenError::Driven { by: content(&mut file).map_err(failed)? });
    }
    sign(&mut file).map_err(failed)?;
    Ok(DriverLock { _file: file })
}

/// The process that drives the journal in `dir`, if one does.
pub(super) fn holder(dir: &Path) -> Result<Option<String>, LockError> {
    let path = dir.join(NAME);
    try_holder(&path).map_err(|source| LockError { path, source })
}

fn locks(file: &File) -> io::Result<bool> {
    for left in (0..TRIES).rev() {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if left > 0 => thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// Says in the locked file which process this is and since when it drives.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    let host = nix::unistd::gethostname().map_err(io::Error::from)?;
    write!(file, "pid {} on {}", process::id(), host.to_string_lossy())?;
    // The file's own time of writing is the time: this room has no clock.
    let since = Timestamp::try_from(file.metadata()?.modified()?).map_err(io::Error::other)?;
    writeln!(file, " since {}", since.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

fn try_holder(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => content(&mut file).map(Some),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn content(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(1024).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok(if text.is_empty() { "it hasn't said who it is".to_owned() } else { text })
}
