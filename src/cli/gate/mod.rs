//! `windlass gate`: gates by hand and in CI, with the rules of a review; proposals of gates; what a gate is.

mod add;
mod explain;
mod report;
mod run;

use std::io::Write;

use clap::{Args, Subcommand};

use super::arguments::Common;
use super::failure::Failure;

/// What `gate` does.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GateSub {
    /// Run gates on a commit, as a review would; exit code 0 if all that count are satisfied, 4 if not
    #[command(after_long_help = "\
The gates are those of the checkout's .windlass/config.toml, never of the commit that is judged. They run in a worktree \
of their own, in the sandbox of a review; what a gate needs runs with it. No earlier answer is taken over, and the record \
stays as it is. Advisory gates are shown and don't count.

Without trust (windlass trust) nothing runs. In CI, where nobody is there to give it, --trust-config says that these \
commands may run. It needs --base, and is refused where that has another .windlass/config.toml, for then the change would choose its \
own judges.

JSON: one object. tree, base (commits), files (how many differ), look_at (what the change is worth a second look for), \
satisfied, gates: name, kind, enforcement, verdict (pass, fail, error, timeout, cancelled, skipped, not-applicable, \
inconclusive, flaky), satisfied, summary, value, unit, threshold, baseline (null where there is no number), attempts, \
spots (path, first, last, text), started (RFC 3339), duration_ms, protection, tool, output (its end).

JUnit: what counts and isn't satisfied is a failure, or an error where there is no answer. What doesn't apply, and an \
advisory gate that isn't satisfied, is skipped, with its verdict as the message.")]
    Run(RunArgs),
    /// Propose gates for what the repository has, and write them into .windlass/config.toml
    #[command(after_help = "Looks for Cargo, npm, pnpm, yarn, go, pytest, unittest, make, pre-commit and lefthook. \
                            Nothing that is there is changed; nothing runs before somebody trusts it.")]
    Add {
        /// Write them without asking
        #[arg(long)]
        yes: bool,
    },
    /// What a gate is, which line says so, what it needs, and what it said last
    Explain {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// What `gate run` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// Gates; every one without any
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The commit to judge
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    tree: String,
    /// What it is compared with, from where the two part; its parent without this
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Let the commands of the checkout's configuration run though nobody has trusted them: for CI
    // Against a parent alone, a change of two commits could bring its own judges in the first.
    #[arg(long, requires = "base")]
    trust_config: bool,
    /// As JSON
    #[arg(long, group = "form")]
    json: bool,
    /// As a JUnit report
    #[arg(long, group = "form")]
    junit: bool,
    /// As a SARIF log
    #[arg(long, group = "form")]
    sarif: bool,
}

/// Does what the arguments say.
pub(super) fn run(common: &Common, command: GateSub, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        GateSub::Run(args) => run::run(common, &args, out),
        GateSub::Add { yes } => add::run(common, yes, out),
        GateSub::Explain { name } => explain::run(common, &name, out),
    }
}
