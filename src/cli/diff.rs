//! `windlass calls --diff A B`: two calls side by side, and what is another in their prompts and replies.

use std::io::Write;

use serde::Serialize;
use similar::TextDiff;

use crate::domain::{ExchangeId, visible, visible_line, without_keys};
use crate::driver::{Moments, reread};
use crate::journal::StoredExchange;

use super::arguments::Common;
use super::calls::Call;
use super::failure::Failure;
use super::record::Record;
use super::words::columns;
use super::{json, open};

/// Unchanged lines around each change.
const AROUND: usize = 3;

#[derive(Debug, Serialize)]
struct Difference {
    a: Call,
    b: Call,
    /// Unified diffs, empty where nothing is another.
    prompt: String,
    reply: String,
}

/// Prints how two calls differ.
pub(super) fn print(common: &Common, ids: &[u64], as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let &[a, b] = ids else { return Err(Failure::OneCall(format!("{ids:?}"))) };
    let record = Record::read(&open::repo(common)?)?;
    let side = |number| -> Result<Side, Failure> {
        let id = ExchangeId(number);
        let info = record.state.exchanges.get(&id).ok_or(Failure::Nothing { what: "exchange", number })?;
        Ok(Side::of(Call::of(id, info, &record.state), &record.stored(id)?))
    };
    let (one, other) = (side(a)?, side(b)?);
    let prompt = unified(&one.prompt, &other.prompt, a, b);
    let reply = unified(&one.reply, &other.reply, a, b);
    if as_json {
        return json::print(&Difference { a: one.call, b: other.call, prompt, reply }, out);
    }
    let mut rows = vec![vec![String::new(), format!("x {a}"), format!("x {b}")]];
    for ((what, one), (_, other)) in one.facts().into_iter().zip(other.facts()) {
        rows.push(vec![what.to_owned(), visible_line(&one).into_owned(), visible_line(&other).into_owned()]);
    }
    columns(&rows, out)?;
    for (what, diff) in [("prompt", prompt), ("reply", reply)] {
        if diff.is_empty() {
            writeln!(out, "\nThe same {what}.")?;
        } else {
            writeln!(out, "\n{what}:\n{}", visible(diff.trim_end()))?;
        }
    }
    Ok(())
}

/// One of the two.
struct Side {
    call: Call,
    moments: Moments,
    prompt: String,
    reply: String,
}

impl Side {
    fn of(call: Call, stored: &StoredExchange) -> Self {
        let read = reread(stored);
        let moments = Moments::of(&read, call.output_tokens());
        // A command's prompt, and what a server said instead of a reply, are the bytes themselves.
        let prompt = stored.last_prompt().join("\n\n");
        let said = if read.text.is_empty() { stored.replies().collect::<Vec<_>>().join("\n") } else { read.text };
        let safe = |text: &str| without_keys(text).into_owned();
        Self { call, moments, prompt: safe(&prompt), reply: safe(&said) }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = self.call.facts();
        let rate = self.moments.tokens_per_second.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"));
        facts.push(("tokens a second", rate));
        facts
    }
}

fn unified(one: &str, other: &str, a: u64, b: u64) -> String {
    let ended =
        |text: &str| if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let (one, other) = (ended(one), ended(other));
    let diff = TextDiff::from_lines(&one, &other);
    diff.unified_diff().context_radius(AROUND).header(&format!("x {a}"), &format!("x {b}")).to_string()
}
