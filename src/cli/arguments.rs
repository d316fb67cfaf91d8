//! The arguments: the one table behind parsing and help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Flags;

const AFTER: &str = "\
Exit codes: 0 done, 1 error, 2 usage, 3 awaits a human at a terminal, 4 a gate failed.
Without a terminal nothing is asked and nothing is approved.";

/// What the person wrote behind `windlass`.
#[derive(Debug, Parser)]
#[command(
    name = "windlass",
    version,
    about = "Models draft, a second model objects, gates check, and you turn the crank: one stage, one decision at a time.",
    after_help = AFTER,
    max_term_width = 110
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    /// Without a command, the screen opens on the repository of this directory.
    #[command(subcommand)]
    pub(super) command: Option<Sub>,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Common {
    /// Work in this directory instead of the current one
    #[arg(short = 'C', value_name = "DIR", global = true, default_value = ".", hide_default_value = true)]
    pub(super) directory: PathBuf,
    /// Colours: default-dark, default-light, ansi, mono, or one of yours
    #[arg(long, value_name = "NAME", global = true)]
    theme: Option<String>,
    /// Keys: vim, emacs, or one of yours
    #[arg(long, value_name = "NAME", global = true)]
    keymap: Option<String>,
    /// The model that drafts, this time
    #[arg(long, value_name = "PROVIDER/MODEL", global = true)]
    author: Option<String>,
    /// The model that objects, this time
    #[arg(long, value_name = "PROVIDER/MODEL", global = true)]
    critic: Option<String>,
}

impl Common {
    /// What they say of configuration.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            theme: self.theme.clone(),
            keymap: self.keymap.clone(),
            author: self.author.clone(),
            critic: self.critic.clone(),
        }
    }
}

/// Something else than the screen.
#[derive(Debug, Subcommand)]
pub(super) enum Sub {
    /// Run the whole loop offline on a bundled project: scripted models, real gates, a real commit
    #[command(after_help = "Everything happens in a new temporary directory, which is named when the demo ends.")]
    Demo {
        /// How fast the scripted models write, in characters per second
        #[arg(long, value_name = "N", default_value_t = 900, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        pace: u32,
    },
    /// Write a starter configuration, and look for models: keys in the environment, servers on this machine
    #[command(after_help = "Nothing that exists is overwritten. Keys are only looked for, never read out or used.")]
    Init {
        /// Add the providers that were found to your own configuration without asking
        #[arg(long)]
        yes: bool,
    },
    /// Begin a loop with this goal
    New {
        /// What the effort is for, such as "10x checkout traffic"
        #[arg(value_parser = goal)]
        goal: String,
    },
    /// Look on while another windlass drives: your own size, scroll and theme, and no way to decide
    #[command(
        after_help = "Goes on when the one that drives ends, and follows the next one. Only the same user on this machine can watch live."
    )]
    Watch,
    /// Where the work stands, and what it waits for
    #[command(after_long_help = "\
JSON: one object. repository, branch, driver (the process that drives, or null), trusted (true, false, or null \
where there are no commands), loop (the active loop, else the last one, or null), awaits_human, next, warnings. \
loop: number, goal, status, base, branch, stage, stage_number, stages, phase, revision, by, findings (how many are \
open, by severity), gates (name, enforcement, verdict or null, overridden), commit, left.

tmux: one short line, empty while no loop is active. In tmux.conf:
  set -g status-right '#(windlass -C #{q:pane_current_path} status --format tmux 2>/dev/null)'")]
    Status {
        /// As JSON
        #[arg(long, conflicts_with = "format")]
        json: bool,
        /// In another form
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
    /// What happened, event by event
    #[command(after_long_help = "\
JSON: an array of objects. seq (the place in the journal), at (RFC 3339), loop, stage, event, text; loop and stage \
are null where an event has none.")]
    Log {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Only this loop
        #[arg(long = "loop", value_name = "N")]
        number: Option<u32>,
    },
    /// A loop with its artifacts and decisions, or exactly what went over the wire in an exchange
    #[command(after_long_help = "\
JSON of a loop: one object. number, goal, hint, status, begun, base, branch, author, critic, open_stage, commit, left, \
stages: name, artifact, phase, revisions (ordinal, id, by, text, tree, patch), critique (model, exchange, text, \
findings), gates (name, enforcement, verdict, summary, tail, spilled, duration_ms), decisions (verb, by, at, evidence, \
reason).

JSON of an exchange: one object. exchange and the fields of `windlass calls`, request (method, url, headers, body), \
response (status, headers, body, chunks: elapsed_ns, bytes), earlier (the attempts that failed before, if any: request, \
response). A body that is not UTF-8 has body_hex instead of body. Keys were masked before anything was recorded.

curl: the last request as a command for a shell, with the variable that holds the key in place of the key. What no \
terminal shows is written as a JSON escape, and what looks like a key is masked.")]
    Show {
        /// A loop (3, loop 3) or an exchange (x 12, exchange 12)
        #[arg(value_name = "ID", required = true, num_args = 1..=2)]
        id: Vec<String>,
        /// As JSON
        #[arg(long, conflicts_with = "curl")]
        json: bool,
        /// An exchange's request as a curl command
        #[arg(long)]
        curl: bool,
    },
    /// Every call of a model: tokens, times, how it ended
    #[command(after_long_help = "\
JSON: an array of objects. exchange, loop, stage, role, model, prompt (name, version, digest), asked (RFC 3339), \
ended (complete, truncated, failed, cancelled, interrupted; null while it runs), why, tokens (input, output, cached, \
reasoning; null where the server didn't say), cost_nanodollars (null while it is unknown), first_byte_ms, first_text_ms, \
total_ms (null while it runs). With --grep also found: in (prompt or reply), text (the first line with it).")]
    Calls {
        /// Only calls with this text in their prompt or reply, in upper or lower case
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        grep: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Check the record: every row, the chain of hashes, the laws
    Verify,
    /// Read this repository's commands, and let Windlass run them
    Trust,
}

/// Forms of `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One line for a status bar.
    Tmux,
}

fn goal(text: &str) -> Result<String, String> {
    let goal = text.trim();
    if goal.is_empty() {
        return Err("a goal is needed, such as \"10x checkout traffic\"".to_owned());
    }
    Ok(goal.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_table_is_sound() {
        Arguments::command().debug_assert();
    }
}
