//! `windlass costs`: what calls of models took, by day, engineer, loop, stage or model. What nobody can price is counted
//! as unknown, and what was played from a file as played: neither is 0.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;

use crate::domain::{ExchangeId, LoopId, Money, Person, visible_line};
use crate::engine::{Event, ExchangeInfo, Recorded};

use super::arguments::Common;
use super::failure::Failure;
use super::record::Record;
use super::words::{columns, stage, utc};
use super::{json, open};

/// What calls are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// The day on which they were asked, in UTC
    Day,
    /// Who worked on the loop, as git knows them
    Engineer,
    /// The loop
    Loop,
    /// The stage, over all loops
    Stage,
    /// The model
    Model,
}

/// What the calls of one kind took.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Sum {
    name: String,
    /// All of them, those played included.
    calls: u64,
    /// What the server counted, where it did.
    input_tokens: u64,
    output_tokens: u64,
    /// In nanodollars, of the calls whose cost is known.
    cost_nanodollars: u64,
    /// Calls whose price or count nobody knows.
    unknown: u64,
    /// Calls that were played from a file: no model was asked.
    played: u64,
}

/// Prints the sums, and what they come to.
pub(super) fn print(common: &Common, by: By, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let record = Record::read(&open::repo(common)?)?;
    let sums = sums(&record, by, &record.played()?);
    if as_json {
        return json::print(&sums, out);
    }
    if sums.is_empty() {
        return Ok(writeln!(out, "No model has been called yet.")?);
    }
    let mut total = Sum { name: "all".to_owned(), ..Sum::default() };
    sums.iter().for_each(|sum| total.add(sum));
    let title = by.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let mut rows = vec![["calls", "in", "out", "cost", "unknown", "played"].map(str::to_owned).to_vec()];
    rows.extend(sums.iter().chain([&total]).map(Sum::cells));
    let names = std::iter::once(title.as_str()).chain(sums.iter().chain([&total]).map(|sum| sum.name.as_str()));
    for (row, name) in rows.iter_mut().zip(names) {
        row.insert(0, visible_line(name).into_owned());
    }
    Ok(columns(&rows, out)?)
}

fn sums(record: &Record, by: By, played: &BTreeSet<ExchangeId>) -> Vec<Sum> {
    let engineers = engineers(&record.events);
    let mut sums: BTreeMap<(u32, String), Sum> = BTreeMap::new();
    for (id, info) in &record.state.exchanges {
        let name = match by {
            By::Day => utc(info.asked).chars().take(10).collect(),
            By::Engineer => engineers.get(id).map_or_else(|| "?".to_owned(), |person| person.0.clone()),
            By::Loop => {
                let goal = record.state.loops.get(&info.id).map_or("", |one| &one.goal);
                format!("{} {}", info.id, goal.lines().next().unwrap_or_default())
            }
            By::Stage => stage(&record.state, info.id, info.stage).unwrap_or("?").to_owned(),
            By::Model => info.model.0.clone(),
        };
        // Loops in the order of their numbers, the stages in that of their workflow.
        let order = match by {
            By::Loop => info.id.0,
            By::Stage => u32::try_from(info.stage.0).unwrap_or(u32::MAX),
            By::Day | By::Engineer | By::Model => 0,
        };
        let sum = sums.entry((order, name.clone())).or_insert_with(|| Sum { name, ..Sum::default() });
        sum.add(&Sum::of(info, played.contains(id)));
    }
    sums.into_values().collect()
}

impl Sum {
    fn of(info: &ExchangeInfo, played: bool) -> Self {
        let cost = info.cost().filter(|_| !played);
        Self {
            name: String::new(),
            calls: 1,
            input_tokens: info.usage.input.unwrap_or_default(),
            output_tokens: info.usage.output.unwrap_or_default(),
            cost_nanodollars: cost.map_or(0, |cost| cost.0),
            unknown: u64::from(cost.is_none() && !played),
            played: u64::from(played),
        }
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cost_nanodollars = self.cost_nanodollars.saturating_add(other.cost_nanodollars);
        self.unknown += other.unknown;
        self.played += other.played;
    }

    /// Calls, tokens in and out, the known cost, and how many calls it leaves out.
    fn cells(&self) -> Vec<String> {
        let some = |count: u64| if count == 0 { "-".to_owned() } else { count.to_string() };
        let priced = self.calls - self.unknown - self.played;
        let cost = match (priced, self.unknown) {
            (0, 0) => "-".to_owned(),
            (0, _) => "?".to_owned(),
            _ => Money(self.cost_nanodollars).to_string(),
        };
        vec![
            self.calls.to_string(),
            self.input_tokens.to_string(),
            self.output_tokens.to_string(),
            cost,
            some(self.unknown),
            some(self.played),
        ]
    }
}

/// Who had worked on the loop last when a call of it was made.
fn engineers(events: &[Recorded]) -> BTreeMap<ExchangeId, Person> {
    let (mut last, mut engineers) = (BTreeMap::<LoopId, Person>::new(), BTreeMap::new());
    for recorded in events {
        match &recorded.event {
            Event::Asked { exchange, id, .. } => {
                if let Some(person) = last.get(id) {
                    engineers.insert(*exchange, person.clone());
                }
            }
            event => {
                if let (Some(id), Some(person)) = (event.loop_id(), person_of(event)) {
                    last.insert(id, person.clone());
                }
            }
        }
    }
    engineers
}

/// Who did this, where it is on record.
fn person_of(event: &Event) -> Option<&Person> {
    match event {
        Event::Begun { by, .. }
        | Event::Written { by, .. }
        | Event::WorktreeTaken { by, .. }
        | Event::Dismissed { by, .. }
        | Event::Reopened { by, .. }
        | Event::Parked { by, .. }
        | Event::Resumed { by, .. } => Some(by),
        Event::Overridden { by, .. } => Some(&by.by),
        Event::Decided { decision, .. } => Some(&decision.by),
        _ => None,
    }
}
