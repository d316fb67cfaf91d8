//! Gates: deterministic checks that belong to the human, and their runs.

use super::{Check, Details, Digest, DigestBuilder, RunId, Timestamp, TreeId};

/// What a gate's failure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// Shown; stops nothing.
    Advisory,
    /// Stops approval unless overridden with a reason.
    Required,
    /// Stops approval, and no reason goes past it.
    Mandatory,
}

impl Enforcement {
    /// Every enforcement.
    pub const ALL: [Self; 3] = [Self::Required, Self::Advisory, Self::Mandatory];

    /// Whether approval waits for it.
    pub const fn stops(self) -> bool {
        matches!(self, Self::Required | Self::Mandatory)
    }

    /// The lower-case word used in files and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Required => "required",
            Self::Mandatory => "mandatory",
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
    /// The command that gives it a shell elsewhere, such as `ssh build-host`; empty if it runs here.
    pub runner: Vec<String>,
}

impl Reach {
    /// Where it runs, if it runs elsewhere, for its line.
    pub fn elsewhere(&self) -> Option<String> {
        (!self.runner.is_empty()).then(|| format!("on: {}; no sandbox of ours there", self.runner.join(" ")))
    }
}

/// How a gate judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateKind {
    /// Windlass's own check of an artifact, by name.
    Builtin,
    /// One of the project's commands, judged by its exit code.
    Command(CommandSpec),
    /// What a report, the two trees, or the network say, judged by one of the kinds Windlass knows.
    Check(Check),
}

/// When a gate runs, and how long what it said is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRules {
    /// It concerns changes to paths these patterns cover; every change when empty.
    pub applies_if: Vec<String>,
    /// The gates that must be satisfied before it starts.
    pub needs: Vec<String>,
    /// How often it is tried again after it failed.
    pub retries: u32,
    /// How many of the places that gates share it takes.
    pub weight: u32,
    /// For how many seconds a result that rests on the network may be used again.
    pub ttl_s: Option<u64>,
    /// The command that tells the tool's version. A result is used again only where this says the same.
    pub version: Vec<String>,
}

impl Default for GateRules {
    fn default() -> Self {
        Self { applies_if: Vec::new(), needs: Vec::new(), retries: 0, weight: 1, ttl_s: None, version: Vec::new() }
    }
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
    /// When it runs, and how long its result is good for.
    pub rules: GateRules,
}

impl GateDef {
    /// The command it runs, if it runs one.
    pub const fn command(&self) -> Option<&CommandSpec> {
        match &self.kind {
            GateKind::Builtin => None,
            GateKind::Command(spec) => Some(spec),
            GateKind::Check(check) => check.command.as_ref(),
        }
    }

    /// Digest over the whole definition.
    pub fn digest(&self) -> Digest {
        let builder = DigestBuilder::new("gate").text("name", &self.name).text("enforcement", self.enforcement.name());
        let builder = match &self.kind {
            GateKind::Builtin => builder.text("is", "builtin"),
            GateKind::Command(spec) => spec.digested(builder.text("is", "command")),
            GateKind::Check(check) => check.digested(builder.text("is", "check")),
        };
        self.rules.digested(builder).finish()
    }
}

impl CommandSpec {
    /// Adds it to a digest.
    pub(super) fn digested(&self, builder: DigestBuilder) -> DigestBuilder {
        let builder = builder
            .list("argv", &self.argv)
            .text("dir", &self.dir)
            .field("timeout", &self.timeout_s.to_le_bytes())
            .list("env", &self.env);
        let Reach { network, writable, runner } = &self.reach;
        // Definitions from before there was any keep their digests.
        if self.reach == Reach::default() {
            return builder;
        }
        let builder = builder.field("network", &[u8::from(*network)]).list("writable", writable);
        if runner.is_empty() { builder } else { builder.list("runner", runner) }
    }
}

impl GateRules {
    /// Adds them to a digest; the default rules, which gates had before there were others, add nothing.
    fn digested(&self, builder: DigestBuilder) -> DigestBuilder {
        if *self == Self::default() {
            return builder;
        }
        let builder = builder
            .list("applies-if", &self.applies_if)
            .list("needs", &self.needs)
            .field("retries", &self.retries.to_le_bytes())
            .field("weight", &self.weight.to_le_bytes())
            .list("version", &self.version);
        match self.ttl_s {
            None => builder,
            Some(ttl) => builder.field("ttl", &ttl.to_le_bytes()),
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
    /// It ran, and its numbers don't decide it.
    Inconclusive,
    /// Attempts on one and the same tree disagree.
    Flaky,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 9] = [
        Self::Pass,
        Self::Fail,
        Self::Error,
        Self::Timeout,
        Self::Cancelled,
        Self::Skipped,
        Self::NotApplicable,
        Self::Inconclusive,
        Self::Flaky,
    ];

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
            Self::Inconclusive => "inconclusive",
            Self::Flaky => "flaky",
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
#[derive(Debug, Clone, PartialEq)]
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
    /// What is behind it: figures, places, and what it rests on.
    pub details: Details,
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
        let builder = self.details.digested(builder);
        // Runs from before it was recorded keep their digests.
        if self.protection.is_empty() {
            builder.finish()
        } else {
            builder.text("protection", &self.protection).finish()
        }
    }
}
