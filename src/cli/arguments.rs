//! The arguments: the one table behind parsing and help.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::demo::PACE;
use super::export::Export;
use super::gate::GateSub;
use crate::config::{Access, Flags};
use crate::domain::ProviderSpec;

use super::costs::By;

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
    /// Say everything in lines and take typed words: for screen readers and dumb terminals
    #[arg(long, global = true)]
    plain: bool,
    /// Show nothing but ASCII; done unasked where the locale is not UTF-8, and on the Linux console
    #[arg(long, global = true)]
    ascii: bool,
    /// Nothing moves by itself: clocks go by tens of seconds
    #[arg(long, global = true)]
    reduced_motion: bool,
    /// Colours: one of `windlass theme list`
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
    /// Providers of a recording that is played
    #[arg(skip)]
    providers: BTreeMap<String, ProviderSpec>,
}

impl Common {
    /// What they say of configuration.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            theme: self.theme.clone(),
            keymap: self.keymap.clone(),
            author: self.author.clone(),
            critic: self.critic.clone(),
            providers: self.providers.clone(),
            access: Access { plain: self.plain, ascii: self.ascii, reduced_motion: self.reduced_motion, mouse: false },
        }
    }

    /// Author and critic as they are given, else these.
    pub(super) fn roles_or(&self, author: String, critic: String) -> (String, String) {
        (self.author.clone().unwrap_or(author), self.critic.clone().unwrap_or(critic))
    }

    /// The same with these providers and models.
    pub(super) fn playing(&self, providers: BTreeMap<String, ProviderSpec>, author: String, critic: String) -> Self {
        Self { providers, author: Some(author), critic: Some(critic), ..self.clone() }
    }
}

/// Something else than the screen.
#[derive(Debug, Subcommand)]
pub(super) enum Sub {
    /// Run the whole loop offline on a bundled project: scripted models, real gates, a real commit
    #[command(after_help = "Everything happens in a new temporary directory, which is named when the demo ends.")]
    Demo {
        /// How fast the scripted models write, in characters per second
        #[arg(long, value_name = "N", default_value_t = PACE, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
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
    /// Open the decision that is awaited, and nothing else
    #[command(
        after_help = "For a popup of tmux: bind-key D display-popup -E -w 80 -h 24 'windlass decide'. Closing it leaves. Where another windlass drives in a pane of the same tmux, that pane comes in front."
    )]
    Decide,
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
    /// Every call of a model: tokens, times, how it ended; or one of them
    #[command(after_long_help = "\
JSON: an array of objects. exchange, loop, stage, role, model, prompt (name, version, digest), asked (RFC 3339), \
ended (complete, truncated, failed, cancelled, interrupted; null while it runs), why, tokens (input, output, cached, \
reasoning; null where the server didn't say), cost_nanodollars (null while it is unknown), first_byte_ms, first_text_ms, \
total_ms (null while it runs). With --grep also found: in (prompt or reply), text (the first line with it).

JSON of one call: that of `windlass show x N`. JSON of --diff: a and b as above, prompt and reply (unified diffs).")]
    Calls {
        /// One call, as `windlass show x N` shows it
        #[arg(value_name = "ID", num_args = 0..=2, conflicts_with_all = ["grep", "diff"])]
        id: Vec<String>,
        /// Only calls with this text in their prompt or reply, in upper or lower case
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        grep: Option<String>,
        /// Two calls: what is another in their prompts, their replies, and what they took
        #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "grep")]
        diff: Option<Vec<u64>>,
        /// The body of a call as it went over the wire, byte for byte: what came, or what was sent
        #[arg(
            long,
            value_name = "SIDE",
            value_enum,
            num_args = 0..=1,
            require_equals = true,
            default_missing_value = "received",
            requires = "id",
            conflicts_with = "json"
        )]
        raw: Option<Side>,
        /// The request of a call as a curl command
        #[arg(long, requires = "id", conflicts_with_all = ["json", "raw"])]
        curl: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What calls of models cost; what nobody can price is counted, and is not 0
    #[command(after_long_help = "\
JSON: an array of objects. name, calls, input_tokens, output_tokens (as far as servers counted them), cost_nanodollars \
(of the calls whose cost is known), unknown (calls whose cost is not known), played (calls played from a file, which \
cost nothing). An engineer is who had last worked on the loop when the call was made, as git knows them.")]
    Costs {
        /// What they are put together by
        #[arg(long, value_enum, default_value = "loop")]
        by: By,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write calls of models into a file that can be played again, without keys
    #[command(after_help = "\
The file is a cassette: JSON lines with every byte and when it came. It is played by `windlass replay`, or by a provider \
with kind = \"script\" and cassette = \"FILE\". What looks like a key is masked.")]
    Record {
        /// Loops (3, loop 3) and exchanges (x 12); everything without any
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// The file, which must not exist yet
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Open the screen with models that are played from a recording: nothing is sent, nothing is paid
    #[command(after_help = "\
The rest is real: your keys, the gates, the commit. To leave a repository as it is, play in a clone of it.")]
    Replay {
        /// What `windlass record` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// As slowly as it was recorded
        #[arg(long)]
        timed: bool,
    },
    /// Take the review of a stage elsewhere, as Markdown, page or picture; or calls to other programs
    #[command(subcommand, after_help = "What looks like a key is masked. Nothing that a model wrote is markup there.")]
    Export(Export),
    /// Check what Windlass needs here: terminal, tmux, git, record, configuration, and each model by one small question
    #[command(after_long_help = "\
A model is asked one question of a few words, which is not part of the record. Where that can cost, it is asked for \
first; without a terminal nothing that can cost is sent, unless --spend says so. Exit code 1 if anything is marked as \
wrong.

JSON: one object. ok, checks: about, mark (ok, warning, wrong), says, next (what to do, line by line).")]
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Ask the models without asking first, also where that costs
        #[arg(long)]
        spend: bool,
    },
    /// Gates by hand, or in CI: run them on a commit, have some proposed, ask what one is
    #[command(subcommand)]
    Gate(GateSub),
    /// Check the record: every row, the chain of hashes, the laws
    Verify,
    /// Read this repository's commands, and let Windlass run them
    Trust,
    /// Keys: list them, check a key file, ask what keys do
    Keymap {
        #[command(subcommand)]
        command: KeymapSub,
    },
    /// Colours: list the themes, check one, import a base16 scheme
    Theme {
        #[command(subcommand)]
        command: ThemeSub,
    },
}

/// What `keymap` does.
#[derive(Debug, Subcommand)]
pub(super) enum KeymapSub {
    /// Every key of the keymap in use, with the file and line that say so
    #[command(after_long_help = "\
JSON: an array of objects. context, keys, action (null where the keys were taken away), desc, when (null without a \
condition), file, line.")]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What is wrong with a key file, with line and remedy; exit code 1 if anything is
    Check {
        /// The file; without it, the keymap in use
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// What these keys do in each place, and which line of which file says so
    Explain {
        /// Keys as key files write them: g g, "Space q", C-d
        #[arg(value_name = "KEYS", required = true)]
        keys: Vec<String>,
    },
}

/// What `theme` does.
#[derive(Debug, Subcommand)]
pub(super) enum ThemeSub {
    /// Every theme, with the background it is made for and its licence
    #[command(
        after_long_help = "JSON: an array of objects. name, variant (dark, light, any; null if broken), license, own."
    )]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What is wrong with a theme, with line and remedy, and what is hard to read; exit code 1 if anything is wrong
    Check {
        /// The file; without it, the theme that is configured
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Make a theme of a base16 scheme
    Import {
        /// The scheme's YAML file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Write it to this file, or without a name among your own themes; else it is printed
        #[arg(short, long, value_name = "OUT", num_args = 0..=1)]
        output: Option<Option<PathBuf>>,
    },
}

/// The sides of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Side {
    /// What came from the model
    Received,
    /// What was sent to it
    Sent,
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
