//! `windlass calls`: one line for every call of a model.

use std::io::Write;

use serde::Serialize;

use crate::domain::{ExchangeId, Money, visible_line};
use crate::engine::{ExchangeInfo, State};
use crate::journal::{self, Found};
use crate::prompt;

use super::arguments::{Common, Side};
use super::failure::Failure;
use super::record::Record;
use super::words::{duration, end, stage, utc};
use super::{exchange, json, open, show};

/// What the record says of an exchange, its bytes apart.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    pub(super) exchange: u64,
    #[serde(rename = "loop")]
    number: u32,
    stage: Option<String>,
    role: &'static str,
    model: String,
    prompt: Prompt,
    asked: String,
    ended: Option<&'static str>,
    why: Option<String>,
    tokens: Tokens,
    /// In nanodollars, so that sums are exact; null while the price or the count is unknown.
    cost_nanodollars: Option<u64>,
    #[serde(skip)]
    cost: Option<Money>,
    first_byte_ms: Option<u64>,
    first_text_ms: Option<u64>,
    total_ms: Option<u64>,
    /// What this record can't tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// An agent asks models by itself.
const BY_AGENT: &str = "an agent's own calls of models, and what they cost, are not visible here";

#[derive(Debug, Serialize)]
struct Prompt {
    name: String,
    version: String,
    digest: String,
}

#[derive(Debug, Serialize)]
struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
}

impl Call {
    pub(super) fn of(id: ExchangeId, info: &ExchangeInfo, state: &State) -> Self {
        let (ended, why) = info.end.as_ref().map(end).unzip();
        Self {
            exchange: id.0,
            number: info.id.0,
            stage: stage(state, info.id, info.stage).map(str::to_owned),
            role: info.role.name(),
            model: info.model.0.clone(),
            prompt: Prompt {
                name: info.prompt.name.clone(),
                version: info.prompt.version.clone(),
                digest: info.prompt.digest.to_string(),
            },
            asked: utc(info.asked),
            ended,
            why: why.flatten().map(str::to_owned),
            tokens: Tokens {
                input: info.usage.input,
                output: info.usage.output,
                cached: info.usage.cached,
                reasoning: info.usage.reasoning,
            },
            cost_nanodollars: info.cost().map(|cost| cost.0),
            cost: info.cost(),
            first_byte_ms: info.timings.first_byte,
            first_text_ms: info.timings.first_text,
            total_ms: ended.map(|_| info.timings.total),
            note: (info.prompt.name == prompt::BY_AGENT).then_some(BY_AGENT),
        }
    }

    /// For a table: number, loop and stage, role, model, prompt, tokens in and out, cost, first byte, total, end.
    fn cells(&self) -> [String; 11] {
        let tokens = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let time = |ms: Option<u64>| ms.map_or_else(|| "-".to_owned(), duration);
        let why = self.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        [
            format!("x {}", self.exchange),
            format!("{} {}", self.number, self.stage.as_deref().unwrap_or("?")),
            self.role.to_owned(),
            self.model.clone(),
            format!("{}@{}", self.prompt.name, self.prompt.version),
            tokens(self.tokens.input),
            tokens(self.tokens.output),
            self.cost.map_or_else(|| "?".to_owned(), |cost| cost.to_string()),
            time(self.first_byte_ms),
            time(self.total_ms),
            format!("{}{why}", self.ended.unwrap_or("running")),
        ]
    }

    /// What two calls are compared by.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let time = |ms: Option<u64>| ms.map_or_else(|| "-".to_owned(), duration);
        let [_, place, role, model, prompt, input, output, cost, first, total, ended] = self.cells();
        vec![
            ("model", model),
            ("role", role),
            ("loop", place),
            ("prompt", prompt),
            ("asked", self.asked.clone()),
            ("tokens in", input),
            ("tokens out", output),
            ("cost", cost),
            ("first byte", first),
            ("first text", time(self.first_text_ms)),
            ("total", total),
            ("ended", ended),
        ]
    }

    /// The tokens of the reply, where the server counted them.
    pub(super) const fn output_tokens(&self) -> Option<u64> {
        self.tokens.output
    }

    /// The same for people, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let [id, place, role, model, prompt, input, output, cost, first, total, ended] = self.cells();
        let mut lines = vec![
            format!("exchange {}: {role} {model}, loop {place}", id.trim_start_matches("x ")),
            format!("prompt: {prompt}, {}", self.prompt.digest),
            format!("asked: {}", self.asked),
            format!("ended: {ended}"),
            format!("tokens: {input} in, {output} out; cost {cost}; first byte after {first}, end after {total}"),
        ];
        lines.extend(self.note.map(|note| format!("note: {note}")));
        lines
    }
}

/// A call in a list, and where the text was found that was searched for.
#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    call: Call,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found: Vec<Found>,
}

/// Prints one call, or a side of it to the byte. A number alone is a call here.
pub(super) fn one(
    common: &Common,
    words: &[String],
    raw: Option<Side>,
    form: show::Form,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let text = words.join(" ");
    let number = text.strip_prefix("exchange").or_else(|| text.strip_prefix('x')).unwrap_or(&text);
    let id = number.trim().parse().map(ExchangeId).map_err(|_| Failure::OneCall(text.clone()))?;
    match raw {
        Some(side) => exchange::raw(&Record::read(&open::repo(common)?)?, id, side, out),
        None => show::print(common, &format!("x {id}"), form, out),
    }
}

const TITLES: [&str; 11] =
    ["call", "loop", "role", "model", "prompt", "in", "out", "cost", "first byte", "total", "ended"];

/// Prints every call, or those that have a text in their prompt or reply.
pub(super) fn print(common: &Common, wanted: Option<&str>, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let record = Record::read(&open::repo(common)?)?;
    let mut calls = Vec::new();
    let listed = match wanted {
        Some(wanted) => record.may_have(wanted)?,
        None => record.state.exchanges.keys().copied().collect(),
    };
    for (id, info) in listed.iter().filter_map(|id| Some((id, record.state.exchanges.get(id)?))) {
        let found = match wanted {
            Some(wanted) => journal::find(&record.stored(*id)?, wanted),
            None => Vec::new(),
        };
        if wanted.is_none() || !found.is_empty() {
            calls.push(Listed { call: Call::of(*id, info, &record.state), found });
        }
    }
    if as_json {
        return json::print(&calls, out);
    }
    if calls.is_empty() {
        match wanted {
            Some(wanted) => writeln!(out, "No call has {wanted:?} in its prompt or reply.")?,
            None => writeln!(out, "No model has been called yet.")?,
        }
        return Ok(());
    }
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(calls.iter().map(|one| one.call.cells().map(|cell| visible_line(&cell).into_owned())));
    let mut widths = [0; TITLES.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let found = std::iter::once(&[][..]).chain(calls.iter().map(|one| one.found.as_slice()));
    for (row, found) in rows.iter().zip(found) {
        let line: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
        for Found { side, text } in found {
            writeln!(out, "     {side}: {}", visible_line(text))?;
        }
    }
    if let Some(note) = calls.iter().find_map(|one| one.call.note) {
        writeln!(out, "\nA cost of ? is unknown, not 0; {note}.")?;
    }
    Ok(())
}
