//! The reader: the elements that runners agree on, and those of Surefire for tests that were tried again.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::gate::case::one_line;

/// How much of a failure's text is looked at for its first line, in bytes.
const REASON: usize = 4096;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It didn't run.
    Skipped,
    /// It passed after it had failed.
    Flaky,
    /// It failed, or broke.
    Failed,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Class and name.
    pub name: String,
    /// The class.
    pub class: String,
    /// Its source, if the runner says.
    pub file: Option<String>,
    /// The line there.
    pub line: Option<u32>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed, in a line.
    pub message: String,
}

/// Everything in a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suite {
    /// The tests, in the report's order.
    pub tests: Vec<Test>,
    /// Failures and errors that suites count in their heads, whether or not they show a test for each.
    pub claimed_failures: u64,
}

/// Reads a report.
///
/// # Errors
/// What is wrong with it: it must be whole.
pub fn read(bytes: &[u8]) -> Result<Suite, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut reading = Reading::default();
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        match event.map_err(|error| format!("at byte {at}: {error}"))? {
            Event::Start(element) => reading.begin(&element).map_err(|why| format!("at byte {at}: {why}"))?,
            Event::Empty(element) => {
                reading.begin(&element).map_err(|why| format!("at byte {at}: {why}"))?;
                reading.end();
            }
            Event::End(_) => reading.end(),
            Event::Text(text) => reading.say(&text),
            Event::CData(text) => reading.say(&text),
            Event::GeneralRef(entity) => match entity.resolve_char_ref() {
                Ok(Some(character)) => reading.say(character.encode_utf8(&mut [0; 4])),
                _ => reading.say(resolve_predefined_entity(&entity).unwrap_or("?")),
            },
            Event::Eof => break,
            _ => {}
        }
    }
    match reading.open.last() {
        Some(name) => Err(format!("it ends inside <{name}>: it was cut off")),
        None if !reading.begun => Err("it is empty".to_owned()),
        None => {
            let claimed = reading.whole.unwrap_or(reading.parts);
            Ok(Suite { tests: reading.tests, claimed_failures: claimed })
        }
    }
}

/// A report half read.
#[derive(Default)]
struct Reading {
    tests: Vec<Test>,
    /// The elements around, the innermost last.
    open: Vec<String>,
    /// The test around.
    test: Option<Test>,
    /// The failure's own text, which says why where its attribute doesn't.
    reason: String,
    begun: bool,
    /// Failures that the top element counts.
    whole: Option<u64>,
    /// Failures that the suites right below count.
    parts: u64,
}

impl Reading {
    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let name = element.name();
        let name = name.as_ref();
        let depth = self.open.len();
        if depth == 0 && (self.begun || !matches!(name, "testsuites" | "testsuite")) {
            return Err(format!("its top element is <{name}>, not one <testsuites>"));
        }
        self.begun = true;
        match name {
            "testsuites" | "testsuite" if depth < 2 => {
                let number = |key| attribute(element, key).map(|text| text.and_then(|text| text.trim().parse().ok()));
                let (failures, errors): (Option<u64>, Option<u64>) = (number("failures")?, number("errors")?);
                if failures.is_some() || errors.is_some() {
                    let sum = failures.unwrap_or(0).saturating_add(errors.unwrap_or(0));
                    match depth {
                        0 => self.whole = Some(sum),
                        _ => self.parts = self.parts.saturating_add(sum),
                    }
                }
            }
            "testcase" => {
                let class = attribute(element, "classname")?.unwrap_or_default();
                let own = attribute(element, "name")?.unwrap_or_default();
                let name = if class.is_empty() { own } else { format!("{class} {own}") };
                let file = attribute(element, "file")?;
                let line = attribute(element, "line")?.and_then(|line| line.parse().ok());
                self.test = Some(Test { name, class, file, line, outcome: Outcome::Passed, message: String::new() });
            }
            "failure" | "error" => self.mark(element, Outcome::Failed)?,
            // Tried again: beside a failure it failed to the end, else it passed at last.
            "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => self.mark(element, Outcome::Flaky)?,
            "skipped" => self.mark(element, Outcome::Skipped)?,
            _ => {}
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    fn mark(&mut self, element: &BytesStart<'_>, outcome: Outcome) -> Result<(), String> {
        self.reason.clear();
        let Some(test) = &mut self.test else { return Ok(()) };
        test.outcome = test.outcome.max(outcome);
        if test.message.is_empty() {
            test.message = one_line(&attribute(element, "message")?.unwrap_or_default());
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        let explains = self.test.as_ref().is_some_and(|test| test.message.is_empty())
            && self.open.last().is_some_and(|name| matches!(name.as_str(), "failure" | "error" | "flakyFailure"));
        if explains && self.reason.len() < REASON {
            self.reason.push_str(text);
        }
    }

    fn end(&mut self) {
        let ended = self.open.pop();
        if let Some(test) = self.test.as_mut().filter(|test| test.message.is_empty()) {
            test.message = one_line(&std::mem::take(&mut self.reason));
        }
        if ended.as_deref() == Some("testcase") {
            self.tests.extend(self.test.take());
        }
    }
}

fn attribute(element: &BytesStart<'_>, key: &str) -> Result<Option<String>, String> {
    let found = element.try_get_attribute(key).map_err(|error| error.to_string())?;
    let value = found.map(|found| found.normalized_value(XmlVersion::Implicit1_0).map(|value| value.into_owned()));
    value.transpose().map_err(|error| error.to_string())
}
