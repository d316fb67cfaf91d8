//! Runs one short, trusted command to its end and keeps what it wrote. No shell, no limit of time: for git, not for gates.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// What a finished command left behind.
#[derive(Debug)]
pub struct Captured {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it wrote to standard output.
    pub stdout: Vec<u8>,
    /// Everything it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// A command line that is about to run.
pub struct Capture {
    command: Command,
    stdin: Vec<u8>,
}

impl Capture {
    /// `program`, looked up in `PATH`, to be run in `dir`. Standard input is empty until [`stdin`](Self::stdin) says otherwise.
    pub fn new(program: &str, dir: &Path) -> Self {
        let mut command = Command::new(program);
        command.current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, stdin: Vec::new() }
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Keeps the inherited variables that begin with `prefix` away from the command, all but `kept`.
    pub fn without_env(mut self, prefix: &str, kept: &[&str]) -> Self {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with(prefix) && !kept.contains(&text.as_ref()) {
                self.command.env_remove(&name);
            }
        }
        self
    }

    /// The bytes the command reads from standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs the command to its end.
    ///
    /// # Errors
    /// If the program can't be started (not found, not executable, no such directory) or a pipe breaks in the middle.
    /// A command that ends before it has read its input is not an error: its status tells.
    pub fn run(mut self) -> io::Result<Captured> {
        let mut child = self.command.spawn()?;
        let pipe = child.stdin.take();
        // Written beside the reading: a command that answers while it reads would otherwise fill both pipes and hang.
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| match pipe {
                Some(mut pipe) => pipe.write_all(&self.stdin),
                None => Ok(()),
            });
            let output = child.wait_with_output()?;
            match writer.join() {
                Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                Ok(_) => {}
                Err(_) => return Err(io::Error::other("the thread that writes standard input died")),
            }
            Ok(Captured { status: output.status, stdout: output.stdout, stderr: output.stderr })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Capture;
    use std::io::ErrorKind;
    use std::path::Path;

    #[test]
    fn input_larger_than_any_pipe_comes_back_whole() {
        let input = vec![b'x'; 3 << 20];
        let captured = Capture::new("cat", Path::new("/")).stdin(input.clone()).run().unwrap();
        assert!(captured.status.success());
        assert!(captured.stdout == input);
    }

    #[test]
    fn status_and_standard_error_are_kept() {
        let captured = Capture::new("sh", Path::new("/")).args(["-c", "echo out; echo err >&2; exit 3"]).run().unwrap();
        assert_eq!(captured.status.code(), Some(3));
        assert_eq!((captured.stdout.as_slice(), captured.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    }

    #[test]
    fn a_command_that_ignores_its_input_is_no_error() {
        let captured = Capture::new("true", Path::new("/")).stdin(vec![0; 1 << 20]).run().unwrap();
        assert!(captured.status.success());
    }

    #[test]
    fn variables_are_set_and_kept_away() {
        let captured = Capture::new("env", Path::new("/"))
            .without_env("PATH_THAT_IS_NOT_SET", &[])
            .without_env("HOM", &[])
            .env("WINDLASS_TEST", "a b")
            .run()
            .unwrap();
        let text = String::from_utf8_lossy(&captured.stdout);
        assert!(text.lines().any(|line| line == "WINDLASS_TEST=a b"));
        assert!(!text.lines().any(|line| line.starts_with("HOME=")));
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let error = Capture::new("no-such-program-anywhere", Path::new("/")).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
