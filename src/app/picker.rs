//! A list that narrows as one types: loops, commands, files.

use std::collections::BTreeMap;

use tui_textarea::{Input, Key, TextArea};

use crate::domain::{End, ExchangeId, LoopId, ModelId};
use crate::engine::ExchangeInfo;

use super::action::{ACTIONS, Action};
use super::casting::Way;
use super::fuzzy;
use super::model::Model;
use super::timeline::Past;

/// What is picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A command to run.
    Action(Action),
    /// A loop to look at, or go on with.
    Loop(LoopId),
    /// A line of the artifact to go to.
    Line(usize),
    /// A call to read.
    Call(ExchangeId),
    /// A model for the role that may be given away.
    Model(ModelId),
    /// A way on while the models are chosen.
    Way(Way),
    /// A file to add to the context.
    File(String),
    /// A theme to look like.
    Theme(String),
    /// A revision, to be read or compared.
    Revision(Past),
    /// A revision to be read, or compared with another.
    Compare(Past, Option<Past>),
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it stands for.
    pub choice: Choice,
    /// What it says.
    pub label: String,
    /// More about it.
    pub detail: String,
    /// Why it can't be picked now.
    pub disabled: Option<&'static str>,
}

/// A list that narrows as one types.
#[derive(Debug, Clone)]
pub struct Picker {
    /// What is asked.
    pub title: &'static str,
    /// What is typed.
    pub query: TextArea<'static>,
    /// The selected row, among those that match.
    pub selected: usize,
    rows: Vec<Row>,
    /// Whether rows are still on their way.
    pub loading: bool,
    /// Whether a query that begins with a slash is for what the rows stand for, not for their own words.
    searches: bool,
    /// Whether what is typed may be taken as it is, where no row matches.
    pub takes_typed: bool,
}

impl Picker {
    /// A picker of these rows.
    pub fn new(title: &'static str, rows: Vec<Row>) -> Self {
        Self {
            title,
            query: TextArea::default(),
            selected: 0,
            rows,
            loading: false,
            takes_typed: false,
            searches: false,
        }
    }

    /// A picker of calls, whose prompts and replies can be searched.
    pub fn of_calls(title: &'static str, rows: Vec<Row>) -> Self {
        Self { searches: true, ..Self::new(title, rows) }
    }

    /// What is to be searched for, if that is what is typed.
    pub fn wanted(&self) -> Option<String> {
        let query = self.query.lines().join(" ");
        self.searches.then(|| query.strip_prefix('/').map(|text| text.trim().to_owned())).flatten()
    }

    /// A picker whose rows come later.
    pub fn awaiting(title: &'static str) -> Self {
        Self { loading: true, ..Self::new(title, Vec::new()) }
    }

    /// Gives it its rows.
    pub fn fill(&mut self, rows: Vec<Row>) {
        self.rows = rows;
        self.loading = false;
    }

    /// Every row.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows that match what is typed, the best first: every word of it somewhere in label or detail, or its letters.
    pub fn matching(&self) -> Vec<&Row> {
        if self.wanted().is_some() {
            return Vec::new();
        }
        let query = self.query.lines().join(" ").to_lowercase();
        let fit = |row: &Row| fuzzy::fit_row(&query, &row.label.to_lowercase(), &row.detail.to_lowercase());
        let mut found: Vec<(i32, &Row)> = self.rows.iter().filter_map(|row| Some((fit(row)?, row))).collect();
        found.sort_by_key(|(fit, _)| -fit);
        found.into_iter().map(|(_, row)| row).collect()
    }

    /// Takes a key; true if it was Enter.
    pub fn input(&mut self, input: Input) -> bool {
        let count = self.matching().len();
        match (input.key, input.ctrl) {
            (Key::Enter, _) => return true,
            (Key::Down, _) | (Key::Char('n'), true) => self.selected = (self.selected + 1).min(count.saturating_sub(1)),
            (Key::Up, _) | (Key::Char('p'), true) => self.selected = self.selected.saturating_sub(1),
            _ => {
                if super::entry::type_in(&mut self.query, input) {
                    self.selected = 0;
                }
            }
        }
        false
    }
}

/// Every command, with why it can't be given now.
pub(super) fn commands(model: &Model) -> Vec<Row> {
    let rows = ACTIONS.iter().map(|info| Row {
        choice: Choice::Action(info.action),
        label: info.doc.to_owned(),
        detail: info.name.to_owned(),
        disabled: model.unavailable(info.action),
    });
    rows.collect()
}

/// Every loop.
pub(super) fn loops(model: &Model) -> Vec<Row> {
    let row = |one: &crate::engine::Loop| {
        let at = one.open_stage().map_or("", |stage| stage.spec.id.as_str());
        Row {
            choice: Choice::Loop(one.id),
            label: format!("{} {}", one.id, one.goal),
            detail: format!("{}, stage {} {at}", one.status.name(), one.open.number()),
            disabled: None,
        }
    };
    model.state.loops.values().rev().map(row).collect()
}

/// Every call, the newest first.
pub(super) fn calls(model: &Model) -> Vec<Row> {
    let row = |(id, call): (&ExchangeId, &ExchangeInfo)| {
        let stage = model.state.loops.get(&call.id).and_then(|one| one.stage(call.stage));
        let stage = stage.map_or("", |stage| stage.spec.id.as_str());
        let tokens = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let ended = match &call.end {
            None => "running",
            Some(End::Complete) => "complete",
            Some(End::Truncated(_)) => "cut off",
            Some(End::Failed(_)) => "failed",
            Some(End::Cancelled) => "cancelled",
            Some(End::Interrupted) => "interrupted",
        };
        let cost = call.cost().map(|cost| format!(", {cost}")).unwrap_or_default();
        let about = call.finding.map_or_else(String::new, |finding| format!(", on finding {}", finding + 1));
        let (input, output) = (tokens(call.usage.input), tokens(call.usage.output));
        Row {
            choice: Choice::Call(*id),
            label: format!("{id} loop {} {stage}: {} {}{about}", call.id, call.role.name(), call.model),
            detail: format!("{ended}, {input} in, {output} out{cost}, {} ms", call.timings.total),
            disabled: None,
        }
    };
    model.state.exchanges.iter().rev().map(row).collect()
}

/// The calls that have a text, the newest first, each with the line that has it.
pub(super) fn found(model: &Model, lines: &BTreeMap<ExchangeId, String>) -> Vec<Row> {
    let with_line = |row: Row| match &row.choice {
        Choice::Call(id) => lines.get(id).map(|line| Row { detail: line.clone(), ..row }),
        _ => None,
    };
    calls(model).into_iter().filter_map(with_line).collect()
}

/// Files to add.
pub(super) fn files(paths: Vec<String>) -> Vec<Row> {
    let row =
        |path: String| Row { choice: Choice::File(path.clone()), label: path, detail: String::new(), disabled: None };
    paths.into_iter().map(row).collect()
}
