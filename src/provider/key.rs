//! A provider's key: from the environment, from a command that prints it, or from a file that nobody else can read.
//!
//! It is never part of a command line, and its `Debug` is `***`.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::SetupError;
use super::scratch::{Scratch, parent_variables};
use crate::domain::KeySource;
use crate::process::supervise::{self, Ending, GRACE, Spec, Stream};

/// How long a command may take to print a key: it may ask its owner for a passphrase or a finger first.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most bytes of a key.
const LONGEST: u64 = 16 * 1024;

/// A key, or how to get it.
pub(super) struct Key {
    source: KeySource,
    /// None if a command prints it: that is asked anew for each call, so that a key can expire.
    value: Option<SecretString>,
}

impl Key {
    /// The key of this source. A command isn't run yet.
    pub(super) fn new(
        provider: &str,
        source: &KeySource,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SetupError> {
        let provider = || provider.to_owned();
        let text = match source {
            KeySource::Command(_) => return Ok(Self { source: source.clone(), value: None }),
            KeySource::Env(variable) => env(variable)
                .filter(|value| !value.trim().is_empty())
                .ok_or_else(|| SetupError::MissingKey { provider: provider(), variable: variable.clone() })?,
            KeySource::File(path) => read(path).map_err(|problem| SetupError::KeyFile {
                provider: provider(),
                path: path.clone(),
                problem,
            })?,
        };
        let malformed = || SetupError::MalformedKey { provider: provider(), place: source.to_string() };
        let value = checked(&text).ok_or_else(malformed)?;
        Ok(Self { source: source.clone(), value: Some(value) })
    }

    /// Where it is from.
    pub(super) fn source(&self) -> &KeySource {
        &self.source
    }

    /// The key itself; its command is run if there is one. None if that was cancelled.
    ///
    /// # Errors
    /// Why the command gave no key, and what to do.
    pub(super) async fn fetch(&self, cancel: &CancellationToken) -> Result<Option<SecretString>, String> {
        match (&self.value, &self.source) {
            (None, KeySource::Command(argv)) => run(argv, cancel).await,
            (value, _) => Ok(value.clone()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*** of {}", self.source)
    }
}

/// A key without the white space around it; none if it holds what no header can.
fn checked(text: &str) -> Option<SecretString> {
    let key = text.trim();
    (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())).then(|| SecretString::from(key))
}

/// What a key file holds, or what is wrong with it.
fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("can't be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    // Of the open file, so that no other can take its place in between.
    let found = file.metadata().map_err(unreadable)?;
    if !found.is_file() {
        return Err("is not a file".to_owned());
    }
    if found.mode() & 0o077 != 0 {
        return Err(format!("can be read by others (mode {:o}): run chmod 600 on it", found.mode() & 0o777));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// What `argv` prints on standard output.
async fn run(argv: &[String], cancel: &CancellationToken) -> Result<Option<SecretString>, String> {
    let command = argv.join(" ");
    let failed =
        |why: String| format!("failed to get the key: `{command}` {why}\nCorrect api_key_cmd, or run it once.");
    let scratch = Scratch::new(None).map_err(|error| failed(format!("has no directory to run in: {error}")))?;
    let spec = Spec {
        argv: argv.to_vec(),
        cwd: scratch.path(),
        env: parent_variables(),
        vars: Vec::new(),
        sandbox: None,
        limit: PATIENCE,
        grace: GRACE,
        spill: scratch.spill(),
    };
    let (mut printed, mut said) = (Vec::new(), Vec::new());
    let finished = supervise::run(&spec, cancel, |stream, bytes| {
        let (kept, room) = match stream {
            Stream::Out => (&mut printed, LONGEST),
            Stream::Err => (&mut said, 1024),
        };
        let room = usize::try_from(room).unwrap_or_default().saturating_sub(kept.len());
        kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    })
    .await;
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    match finished.ending {
        Ending::Cancelled => Ok(None),
        // A helper may leave an agent running; its key is as good.
        Ending::Exit(0) | Ending::Leak { code: 0 } => match checked(&String::from_utf8_lossy(&printed)) {
            Some(key) => Ok(Some(key)),
            None => Err(failed("printed something that is no key: it should print the key alone".to_owned())),
        },
        Ending::Exit(code) | Ending::Leak { code } => Err(failed(format!("ended with exit code {code}: {said}"))),
        Ending::Signal(signal) => Err(failed(format!("was killed by signal {signal}: {said}"))),
        Ending::Timeout => Err(failed(format!("took longer than {} s", PATIENCE.as_secs()))),
        Ending::NotStarted(why) | Ending::Lost(why) => Err(failed(format!("did not run: {why}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;
    use tokio_util::sync::CancellationToken;

    use super::Key;
    use crate::domain::KeySource;
    use crate::provider::SetupError;

    fn shell(script: &str) -> Key {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        Key::new("p", &KeySource::Command(argv), |_| None).unwrap()
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "sk-canary-0123\n").unwrap();
        let source = KeySource::File(path.clone());
        for (mode, expected) in [
            (0o644, Err("can be read by others (mode 644): run chmod 600 on it")),
            (0o640, Err("mode 640")),
            (0o604, Err("mode 604")),
            (0o600, Ok("sk-canary-0123")),
            (0o400, Ok("sk-canary-0123")),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match (Key::new("p", &source, |_| None), expected) {
                (Ok(key), Ok(value)) => assert_eq!(key.value.unwrap().expose_secret(), value),
                (Err(error), Err(words)) => {
                    let message = error.to_string();
                    assert!(message.contains(words) && message.contains("/key"), "{message}");
                    assert!(!message.contains("canary"), "{message}");
                }
                (key, _) => panic!("{mode:o}: {key:?}"),
            }
        }
        for path in [dir.path().to_owned(), dir.path().join("none")] {
            let error = Key::new("p", &KeySource::File(path), |_| None).unwrap_err();
            assert!(matches!(error, SetupError::KeyFile { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn a_command_prints_the_key_and_its_troubles_are_told() {
        let never = CancellationToken::new();
        let key = shell("echo sk-canary-0123; echo noise >&2");
        assert_eq!(key.fetch(&never).await.unwrap().unwrap().expose_secret(), "sk-canary-0123");
        assert_eq!(format!("{key:?}"), "*** of the output of `sh -c echo sk-canary-0123; echo noise >&2`");
        for (script, expected) in [
            ("echo sk-canary-0123; echo the vault is locked >&2; exit 3", "exit code 3: the vault is locked"),
            ("echo two words", "printed something that is no key"),
            ("true", "printed something that is no key"),
            ("kill -9 $$", "killed by signal 9"),
        ] {
            let why = shell(script).fetch(&never).await.unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
        let missing = KeySource::Command(vec!["no-such-program".to_owned()]);
        let why = Key::new("p", &missing, |_| None).unwrap().fetch(&never).await.unwrap_err();
        assert!(why.contains("command not found") && why.contains("api_key_cmd"), "{why}");

        let cancelled = CancellationToken::new();
        cancelled.cancel();
        assert!(shell("sleep 60").fetch(&cancelled).await.unwrap().is_none());
    }
}
