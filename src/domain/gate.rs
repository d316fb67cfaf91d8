//! Gates: deterministic checks that belong to the human, and their runs.

use super::{Digest, DigestBuilder, RunId, Timestamp, TreeId};

/// What a gate's failure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// Shown; stops nothing.
    Advisory,
    /// Stops approval unless overridden with a reason.
    Required,
}

impl Enforcement {
    /// The lower-case word used in files and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Required => "required",
        }
    }
}

/// A command as an argument vector; there is no shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// Program and arguments; never empty.
    pub argv: Vec<String>,
    /// Directory inside the worktree, relative; empty for its top.
    pub dir: String,
    /// Limit in seconds, after which it is told to end.
    pub timeout_s: u64,
    /// Names of environment variables passed on, beyond the built-in allow-list.
    pub env: Vec<String>,
    /// How far it may reach out of its sandbox.
    pub reach: Reach,
}

/// How far a command may reach beyond its worktree; by default not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// To the network, and to the services of this machine.
    pub network: bool,
    /// Directories that it may write in; absolute, or below the home directory with a `~/`.
    pub writable: Vec<String>,
}

/// How a gate judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateKind {
    /// Windlass's own check of an artifact, by name.
    Builtin,
    /// One of the project's commands, judged by its exit code.
    Command(CommandSpec),
}

/// A gate as the human defined and trusted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateDef {
    /// Its name.
    pub name: String,
    /// How it judges.
    pub kind: GateKind,
    /// What its failure does.
    pub enforcement: Enforcement,
}

impl GateDef {
    /// Digest over the whole definition.
    pub fn digest(&self) -> Digest {
        let builder = DigestBuilder::new("gate").text("name", &self.name).text("enforcement", self.enforcement.name());
        match &self.kind {
            GateKind::Builtin => builder.text("is", "builtin").finish(),
            GateKind::Command(spec) => {
                let builder = builder
                    .text("is", "command")
                    .list("argv", &spec.argv)
                    .text("dir", &spec.dir)
                    .field("timeout", &spec.timeout_s.to_le_bytes())
                    .list("env", &spec.env);
                let Reach { network, writable } = &spec.reach;
                // Definitions from before there was any keep their digests.
                if spec.reach == Reach::default() {
                    return builder.finish();
                }
                builder.field("network", &[u8::from(*network)]).list("writable", writable).finish()
            }
        }
    }
}

/// The outcome of one gate run. Only pass and not-applicable satisfy a required gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The check holds.
    Pass,
    /// The check doesn't hold.
    Fail,
    /// No answer: the command could not be started, died of a signal, or its report could not be read.
    Error,
    /// The limit passed.
    Timeout,
    /// A human stopped it.
    Cancelled,
    /// Not run, and why is in the summary.
    Skipped,
    /// The check doesn't concern this content.
    NotApplicable,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 7] =
        [Self::Pass, Self::Fail, Self::Error, Self::Timeout, Self::Cancelled, Self::Skipped, Self::NotApplicable];

    /// Whether a required gate is content with this.
    pub const fn satisfies(self) -> bool {
        matches!(self, Self::Pass | Self::NotApplicable)
    }

    /// The lower-case word used in files and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// What a gate ran on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The revision under review.
    pub revision: Digest,
    /// The tree it makes, for a change or an outcome.
    pub tree: Option<TreeId>,
}

impl Subject {
    /// Digest of both parts.
    pub fn digest(&self) -> Digest {
        let builder = DigestBuilder::new("subject").digest("revision", &self.revision);
        match &self.tree {
            None => builder.finish(),
            Some(tree) => builder.text("tree", tree.as_str()).finish(),
        }
    }
}

/// One execution of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRun {
    /// Its number in the journal.
    pub id: RunId,
    /// The gate's name.
    pub gate: String,
    /// Digest of the definition it ran under.
    pub definition: Digest,
    /// What it ran on.
    pub subject: Subject,
    /// What it said.
    pub verdict: Verdict,
    /// One line a person reads ("exit 1", "3 sections missing").
    pub summary: String,
    /// The end of its output, at most a few KiB.
    pub tail: String,
    /// Where the whole output is kept, if it was long.
    pub spilled: Option<String>,
    /// When it started.
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What protected the machine from its command; empty for a built-in gate, and where it wasn't recorded.
    pub protection: String,
}

impl GateRun {
    /// Digest over what a person can read of it, timings apart.
    pub fn digest(&self) -> Digest {
        let builder = DigestBuilder::new("gate-run")
            .field("id", &self.id.0.to_le_bytes())
            .text("gate", &self.gate)
            .digest("definition", &self.definition)
            .digest("subject", &self.subject.digest())
            .text("verdict", self.verdict.name())
            .text("summary", &self.summary)
            .text("tail", &self.tail);
        // Runs from before it was recorded keep their digests.
        if self.protection.is_empty() {
            builder.finish()
        } else {
            builder.text("protection", &self.protection).finish()
        }
    }
}
