//! Help: every key of the resolved table, the signs of the screen, and what is wrong with the person's files. Lines are
//! wrapped, never cut, and narrow down as one types.

use tui_textarea::{Input, Key, TextArea};
use unicode_width::UnicodeWidthStr;

use super::action::{Action, Context};
use super::model::Model;
use super::wrap;
use crate::domain::visible_line;

/// Help in front.
#[derive(Debug, Clone, Default)]
pub struct Help {
    /// What lines must hold.
    pub filter: TextArea<'static>,
    /// Whether keys go there.
    pub typing: bool,
    /// The first row shown.
    pub scroll: usize,
}

/// One row of help, as wide as the screen allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpLine {
    /// The keys or the sign, with its indentation.
    pub keys: String,
    /// What follows.
    pub text: String,
    /// What it is.
    pub kind: HelpKind,
}

/// What a row of help is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpKind {
    /// The name of a place.
    Heading,
    /// Keys and what they do, or a sign and what it means.
    Entry,
    /// Something is wrong.
    Problem,
}

/// Every sign that stands for something in the margins and bars.
pub const SIGNS: &[(&str, &str)] = &[
    ("✓", "passes, is approved, is accepted"),
    ("✗", "fails; a blocker; rejected"),
    ("⚠", "waits for you; a major finding; overridden"),
    ("►", "under way; the line that a finding points at; what runs"),
    ("~", "stale: it judged something that has changed since; sent back"),
    ("-", "a minor finding, or a removed line"),
    ("i", "a note of the critic"),
    ("+", "an added line"),
    ("|", "not read yet"),
    ("\"", "you commented on this part"),
    ("\\", "the line before goes on here"),
    ("*", "the checkout has changes that are not committed"),
];

impl Help {
    /// Its rows for a width, those that match the filter.
    pub fn lines(&self, model: &Model, width: usize) -> Vec<HelpLine> {
        let filter = self.filter.lines().join(" ").to_lowercase();
        let words: Vec<&str> = filter.split_whitespace().collect();
        let matches = |parts: &[&str]| {
            let hay = parts.join(" ").to_lowercase();
            words.iter().all(|word| hay.contains(word))
        };
        let mut sections: Vec<(&str, Vec<HelpLine>)> = Vec::new();
        let problems = model.host.warnings.iter().filter(|text| matches(&[text]));
        let problems = problems.flat_map(|text| rows("  ⚠ ", text, 4, width, HelpKind::Problem));
        sections.push(("What is wrong, and what to do", problems.collect()));
        let column = if width < 60 { 10 } else { 18 };
        for context in Context::ALL {
            let here = model.keys.iter().filter(|row| row.context == context);
            let here = here.filter(|row| matches(&[&row.keys.join(", "), &row.desc, row.action.info().name]));
            let entries = here.flat_map(|row| {
                let keys = format!("  {} ", visible_line(&row.keys.join(", ")));
                rows(&keys, &row.desc, column, width, HelpKind::Entry)
            });
            sections.push((context.title(), entries.collect()));
        }
        let signs = SIGNS.iter().filter(|(sign, means)| matches(&[sign, means]));
        let signs = signs.flat_map(|(sign, means)| rows(&format!("  {sign} "), means, column, width, HelpKind::Entry));
        sections.push(("Signs", signs.collect()));
        let mut all: Vec<HelpLine> = Vec::new();
        for (title, entries) in sections.into_iter().filter(|(_, entries)| !entries.is_empty()) {
            if !all.is_empty() {
                all.extend(rows("", "", 0, width, HelpKind::Entry));
            }
            all.extend(rows("", title, 0, width, HelpKind::Heading));
            all.extend(entries);
        }
        all
    }

    /// Whether something is filtered out.
    pub fn is_filtered(&self) -> bool {
        self.filter.lines().iter().any(|line| !line.is_empty())
    }

    /// A key while the filter is typed.
    pub(super) fn input(&mut self, input: Input) {
        match input.key {
            Key::Enter => self.typing = false,
            _ => {
                self.filter.input(input);
                self.scroll = 0;
            }
        }
    }

    /// Steps back: out of the filter, then out of help. True if help is to be closed.
    pub(super) fn back(&mut self) -> bool {
        if !self.typing && !self.is_filtered() {
            return true;
        }
        *self = Self::default();
        false
    }
}

/// Does an action in help.
pub(super) fn act(model: &Model, help: &mut Help, action: Action, step: isize) {
    if action == Action::SearchOpen {
        help.typing = true;
        return;
    }
    let (width, height) = super::layout::help_room(model.size);
    let last = help.lines(model, width).len().saturating_sub(height.saturating_sub(1));
    help.scroll = help.scroll.min(last).saturating_add_signed(step).min(last);
}

/// An entry broken into rows: its head in the first, its text in a column of its own.
fn rows(head: &str, text: &str, column: usize, width: usize, kind: HelpKind) -> Vec<HelpLine> {
    let shown = visible_line(text);
    let (mut head, used) = (head.to_owned(), head.width());
    // Many keys: the text begins on a row of its own.
    let mut all = Vec::new();
    if used > column {
        for range in wrap::rows(&head, width, 2) {
            let indent = if all.is_empty() { "" } else { "  " };
            let keys = format!("{indent}{}", head.get(range).unwrap_or_default().trim_end());
            all.push(HelpLine { keys, text: String::new(), kind });
        }
        head = String::new();
    }
    let pad = column.saturating_sub(head.width());
    for (index, range) in wrap::rows(&shown, width.saturating_sub(column), 0).into_iter().enumerate() {
        let keys = if index == 0 { format!("{head}{:pad$}", "") } else { " ".repeat(column) };
        all.push(HelpLine { keys, text: shown.get(range).unwrap_or_default().trim_end().to_owned(), kind });
    }
    all
}
