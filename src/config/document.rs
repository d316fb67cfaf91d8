//! A strict reader of TOML files: every key is known or reported, and every problem knows its line and column.
//!
//! It walks the parsed document by hand, because a derived deserializer stops at the first problem and points at the
//! table around it. Key files and themes are read by the same means.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem, suggestion};

/// One TOML file under reading, and what was found wrong with it so far.
#[derive(Debug)]
pub struct Document<'t> {
    file: String,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

/// A value and where in the text it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Byte offset in the document.
    pub offset: usize,
}

impl<'t> Document<'t> {
    /// A document with this text; `file` is how messages name it.
    pub fn new(file: impl Into<String>, text: &'t str) -> Self {
        Self { file: file.into(), text, problems: RefCell::default() }
    }

    /// The document's top table; none when it isn't TOML, which is then among the problems.
    pub fn parse(&self) -> Option<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let mut last_line = 0;
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            // The parser stumbles on after a mistake; what it says of the same line is an echo.
            let line = self.position(offset).0;
            if line != last_line {
                self.problem(offset, format!("not valid TOML: {}", error.message().replace('\n', ", ")));
            }
            last_line = line;
        }
        errors.is_empty().then(|| table.into_inner())
    }

    /// Records what is wrong at a byte offset.
    pub fn problem(&self, offset: usize, message: impl Into<String>) {
        self.push(self.place(offset).problem(message));
    }

    /// Records a problem whose place is known already.
    pub fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// The place of a byte offset.
    pub fn place(&self, offset: usize) -> Place {
        Place { source: self.file.clone(), at: Some(self.position(offset)) }
    }

    /// Everything recorded, in the order of the text.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place.at);
        problems
    }

    fn position(&self, offset: usize) -> (u32, u32) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let column = before.chars().rev().take_while(|c| *c != '\n').count();
        let counted = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
        (counted(line), counted(column))
    }
}

/// One table of a document. Reading a key of the wrong type records a problem and gives none.
#[derive(Debug, Clone)]
pub struct Fields<'a, 't> {
    doc: &'a Document<'t>,
    /// How messages name the table: `[[gate]]`; empty for the top.
    title: String,
    offset: usize,
    table: &'a DeTable<'t>,
}

impl<'a, 't> Fields<'a, 't> {
    /// The top table.
    pub fn top(doc: &'a Document<'t>, table: &'a DeTable<'t>) -> Self {
        Self { doc, title: String::new(), offset: 0, table }
    }

    /// The document it belongs to.
    pub fn document(&self) -> &'a Document<'t> {
        self.doc
    }

    /// Where the table begins.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Records every key that isn't one of `known`.
    pub fn only(&self, known: &[&str]) {
        for key in self.keys().filter(|key| !known.contains(&key.value)) {
            let hint = suggestion(key.value, known.iter().copied());
            self.doc.problem(key.offset, format!("unknown key {:?}{}; {hint}", key.value, self.within()));
        }
    }

    /// The keys, and where they stand.
    pub fn keys(&self) -> impl Iterator<Item = Located<&'a str>> + use<'a, 't> {
        self.table.keys().map(|key| Located { value: &**key.get_ref(), offset: key.span().start })
    }

    /// The value of a key, whatever its type, and where it stands.
    pub fn value(&self, key: &str) -> Option<Located<&'a DeValue<'t>>> {
        self.table.get(key).map(|value| Located { value: value.get_ref(), offset: value.span().start })
    }

    /// Every key with its value as it is written, and its place, in the order of the text.
    pub fn written(&self) -> Vec<(&'a str, &'t str, Place)> {
        let mut keys: Vec<_> = self.table.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        let text = |span| self.doc.text.get(span).unwrap_or_default();
        keys.into_iter()
            .map(|(key, value)| (&**key.get_ref(), text(value.span()), self.doc.place(key.span().start)))
            .collect()
    }

    /// A string that isn't empty.
    pub fn text(&self, key: &str) -> Option<Located<String>> {
        let Located { value, offset } = self.value(key)?;
        match value.as_str() {
            Some("") => {
                self.wrong(offset, format!("{key:?}{} is empty; write its value or leave it out", self.within()))
            }
            Some(text) => Some(Located { value: text.to_owned(), offset }),
            None => self.wrong_type(key, "a string", value, offset),
        }
    }

    /// Like [`Self::text`], but the key must be there.
    pub fn required_text(&self, key: &str) -> Option<Located<String>> {
        self.require(key).then(|| self.text(key)).flatten()
    }

    /// A whole number in `range`.
    pub fn number(&self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let Located { value, offset } = self.value(key)?;
        let Some(integer) = value.as_integer() else {
            return self.wrong_type(key, "a whole number", value, offset);
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        number.filter(|number| range.contains(number)).or_else(|| {
            let (least, most) = (range.start(), range.end());
            self.wrong(offset, format!("{key:?}{} must be from {least} to {most}, not {integer}", self.within()))
        })
    }

    /// A number, whole or not.
    pub fn amount(&self, key: &str) -> Option<Located<f64>> {
        let Located { value, offset } = self.value(key)?;
        let written = match value {
            DeValue::Integer(number) => Some(number.as_str()),
            DeValue::Float(number) => Some(number.as_str()),
            _ => None,
        };
        match written.and_then(|written| written.replace('_', "").parse().ok()) {
            Some(number) => Some(Located { value: number, offset }),
            None => self.wrong_type(key, "a number", value, offset),
        }
    }

    /// `true` or `false`.
    pub fn truth(&self, key: &str) -> Option<bool> {
        let Located { value, offset } = self.value(key)?;
        value.as_bool().or_else(|| self.wrong_type(key, "true or false", value, offset))
    }

    /// An array of strings.
    pub fn texts(&self, key: &str) -> Option<Located<Vec<Located<String>>>> {
        let Located { value, offset } = self.value(key)?;
        let Some(array) = value.as_array() else { return self.wrong_type(key, "an array of strings", value, offset) };
        let texts: Option<Vec<_>> = array.iter().map(|item| self.item(key, item)).collect();
        Some(Located { value: texts?, offset })
    }

    /// A table.
    pub fn table(&self, key: &str) -> Option<Fields<'a, 't>> {
        let Located { value, offset } = self.value(key)?;
        let title = self.titled(key);
        match value.as_table() {
            Some(table) => Some(Fields { doc: self.doc, title: format!("[{title}]"), offset, table }),
            None => self.wrong(offset, format!("{key:?} must be a table, not {}: write [{title}]", kind(value))),
        }
    }

    /// An array of tables; empty when the key is missing.
    pub fn tables(&self, key: &str) -> Vec<Fields<'a, 't>> {
        let Some(Located { value, offset }) = self.value(key) else { return Vec::new() };
        let title = format!("[[{}]]", self.titled(key));
        let not_tables = |value: &DeValue<'_>, offset| {
            self.doc.problem(offset, format!("{key:?} must be tables, not {}: write {title} above each", kind(value)));
        };
        let Some(array) = value.as_array() else {
            not_tables(value, offset);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            let offset = item.span().start;
            match item.get_ref().as_table() {
                Some(table) => tables.push(Fields { doc: self.doc, title: title.clone(), offset, table }),
                None => not_tables(item.get_ref(), offset),
            }
        }
        tables
    }

    /// Whether the key is there; its absence is recorded.
    pub fn require(&self, key: &str) -> bool {
        let present = self.table.contains_key(key);
        if !present {
            self.doc.problem(self.offset, format!("missing key {key:?}{}; add it", self.within()));
        }
        present
    }

    /// ` in [[gate]]`, for messages; nothing at the top.
    pub fn within(&self) -> String {
        if self.title.is_empty() { String::new() } else { format!(" in {}", self.title) }
    }

    fn item(&self, key: &str, item: &Spanned<DeValue<'t>>) -> Option<Located<String>> {
        let (value, offset) = (item.get_ref(), item.span().start);
        let Some(text) = value.as_str() else {
            let within = self.within();
            return self.wrong(offset, format!("{key:?}{within} must hold strings only, not {}", kind(value)));
        };
        Some(Located { value: text.to_owned(), offset })
    }

    fn titled(&self, key: &str) -> String {
        match self.title.trim_matches(['[', ']']) {
            "" => key.to_owned(),
            parent => format!("{parent}.{key}"),
        }
    }

    fn wrong_type<T>(&self, key: &str, wanted: &str, value: &DeValue<'_>, offset: usize) -> Option<T> {
        self.wrong(offset, format!("{key:?}{} must be {wanted}, not {}", self.within(), kind(value)))
    }

    fn wrong<T>(&self, offset: usize, message: String) -> Option<T> {
        self.doc.problem(offset, message);
        None
    }
}

/// The type of a value, in words for messages.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
