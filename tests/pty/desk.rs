//! A person's desk: a home of their own, a repository in it, and the program at hand.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{DEADLINE, Terminal};

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass");

/// What the program gets of the machine's environment; everything else might change what it does.
const KEPT: &[&str] = &["PATH", "LLVM_PROFILE_FILE"];

pub(crate) struct Desk {
    dir: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// A home, and a repository that is still empty.
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let temporary = dir.path().join("tmp");
        let mut variables = vec![
            ("HOME", text(dir.path())),
            ("XDG_CONFIG_HOME", text(&dir.path().join("config"))),
            ("TMPDIR", text(&temporary)),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
        ];
        let kept = KEPT.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?)));
        variables.extend(kept);
        fs::create_dir(&temporary).unwrap();
        let desk = Self { dir, variables };
        fs::create_dir(desk.repo()).unwrap();
        desk.git(&["-c", "init.defaultBranch=main", "init", "-q"]);
        desk.git(&["config", "user.name", "Ada"]);
        desk.git(&["config", "user.email", "ada@example.org"]);
        desk
    }

    pub(crate) fn home(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.home().join("repo")
    }

    /// Windlass's own directory beside the repository.
    pub(crate) fn private(&self) -> PathBuf {
        self.repo().join(".git/windlass")
    }

    /// Sets a variable for all further runs.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.repo().join(path), text);
    }

    /// Writes the person's own configuration.
    pub(crate) fn write_own_config(&self, text: &str) {
        write(&self.home().join("config/windlass/config.toml"), text);
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// What git prints.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo(), args)
    }

    /// What git prints of another repository.
    #[track_caller]
    pub(crate) fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        printed(git.args(args).current_dir(dir).output().unwrap(), args)
    }

    /// Runs the program without a terminal.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.repo()).stdin(Stdio::null());
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    }

    /// Runs the program without a terminal, with this on its standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.repo()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().unwrap();
        // A program that doesn't read has closed the pipe already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What the program prints without a terminal.
    #[track_caller]
    pub(crate) fn printed(&self, args: &[&str]) -> String {
        printed(self.run(args), args)
    }

    /// The same, as JSON.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.printed(args)).unwrap()
    }

    /// Asserts that nothing runs any more that was started here; what was killed just now is given the time to go.
    #[track_caller]
    pub(crate) fn assert_nothing_runs(&self) {
        let until = Instant::now() + DEADLINE;
        let mut running = self.running();
        while !running.is_empty() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
            running = self.running();
        }
        assert!(running.is_empty(), "still running: {running:?}");
    }

    /// Asserts that none of these keys is in anything that was written down or shown.
    #[track_caller]
    pub(crate) fn assert_nowhere(&self, keys: &[&str], screen: &Terminal) {
        let mut files = Vec::new();
        below(&self.private(), &mut files);
        assert!(files.iter().any(|path| path.ends_with("journal.sqlite3")), "{files:?}");
        for key in keys {
            let holds = |bytes: &[u8]| bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!holds(&screen.bytes()), "a key was on the screen");
            let bad: Vec<_> = files.iter().filter(|path| holds(&fs::read(path).unwrap())).collect();
            assert!(bad.is_empty(), "a key is in {bad:?}");
        }
    }

    /// The command lines of the processes whose home is here. Empty on systems without `/proc`.
    fn running(&self) -> Vec<String> {
        let home = format!("HOME={}", self.home().display());
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ours = entries.filter(|entry| {
            // The environment of what is gone or another's can't be read.
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == home.as_bytes())
        });
        let line = |path: PathBuf| fs::read(path.join("cmdline")).unwrap_or_default();
        ours.map(|entry| String::from_utf8_lossy(&line(entry.path())).replace('\0', " ")).collect()
    }

    /// The program in a terminal of this many columns and rows.
    pub(crate) fn open(&self, args: &[&str], size: (u16, u16)) -> Terminal {
        self.open_after_typing(args, size, "")
    }

    /// Another program in a terminal, which is told where ours is by its first argument.
    pub(crate) fn open_under(&self, program: &Path, args: &[&str], size: (u16, u16)) -> Terminal {
        let mut command = CommandBuilder::new(program);
        command.arg(PROGRAM);
        command.args(args);
        command.cwd(self.repo());
        command.env_clear();
        self.variables.iter().for_each(|(name, value)| command.env(name, value));
        Terminal::open(command, size, "")
    }

    /// Runs the program under another one, without a terminal.
    pub(crate) fn run_under(&self, program: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.arg(PROGRAM).args(args).current_dir(self.repo()).stdin(Stdio::null());
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    }

    /// The same, after something was typed there.
    pub(crate) fn open_after_typing(&self, args: &[&str], size: (u16, u16), typed: &str) -> Terminal {
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        command.cwd(self.repo());
        command.env_clear();
        self.variables.iter().for_each(|(name, value)| command.env(name, value));
        Terminal::open(command, size, typed)
    }

    /// Makes the repository a small project with models that read from a script, and a provider for them.
    pub(crate) fn furnish(&self, gates: &str) {
        for (path, text) in PROJECT {
            self.write(path, text);
        }
        self.write(".windlass/config.toml", &format!("{CONFIG}{gates}"));
        self.write(".gitignore", "/ignored\n");
        self.commit("A sum");
        self.replies(1);
        let dir = self.home().join("replies");
        self.write_own_config(&format!("[providers.script]\nkind = \"script\"\ndir = {dir:?}\n"));
    }

    /// A scripted reply, such as `author-plan.1`.
    pub(crate) fn reply(&self, name: &str) -> String {
        fs::read_to_string(self.home().join(format!("replies/{name}.md"))).unwrap()
    }

    /// Writes the scripted replies of a loop, whose change writes this number into `round.txt`.
    pub(crate) fn replies(&self, round: usize) {
        let change = format!("One more, try {{nth}}.\n\n```text path=round.txt\n{round}\n```\n");
        let author = [("constraint", CONSTRAINT), ("plan", PLAN), ("change", &change), ("outcome", OUTCOME)];
        for (stage, text) in author {
            for nth in 1..=CALLS {
                // No two drafts are the same.
                let text = text.replace("{nth}", &nth.to_string());
                write(&self.home().join(format!("replies/author-{stage}.{nth}.md")), &text);
                write(&self.home().join(format!("replies/critic-{stage}.{nth}.md")), "No findings.\n");
            }
        }
    }
}

/// For how many calls of a role in one stage there are replies.
const CALLS: usize = 30;

const PROJECT: &[(&str, &str)] = &[
    ("sum.sh", "# Adds 1 to 40.\nawk 'BEGIN { for (i = 1; i <= 40; i++) sum += i; print sum }'\n"),
    ("round.txt", "0\n"),
    ("test.sh", "test \"$(sh sum.sh)\" = 820\n"),
    ("probe.sh", "echo steps 40 additions\n"),
];

const CONFIG: &str = r#"[roles]
author = "script/a"
critic = "script/b"

[measure]
rounds = 1

[[probe]]
name = "steps"
argv = ["sh", "probe.sh"]

[[gate]]
name = "test"
argv = ["sh", "test.sh"]
"#;

const CONSTRAINT: &str = "\
## Constraint

The walk in `sum.sh` limits the sum (try {nth}).

## Evidence

- steps: 40 additions.

## Target

No more steps than now.

## Acceptance criteria

- steps <= 1x
";

const PLAN: &str = "\
## Change

Count a round (try {nth}).

## Files

- `round.txt` - the next number

## Expected effect

- steps: as before.

## Risks

None that a test doesn't see.

## Rollback

Revert the commit.

## Downstream

Nothing gets more to do.
";

const OUTCOME: &str = "\
## Result

- `steps <= 1x`: met. 40 additions before, 40 additions after.

## Prediction

It held (try {nth}).

## Downstream

Nothing got worse.

## Next constraint

The same walk.
";

fn below(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { below(&path, files) } else { files.push(path) }
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[track_caller]
fn printed(output: Output, args: &[&str]) -> String {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{args:?}: {}\n{out}{err}", output.status);
    out
}
