//! Where a gate is written, setting by setting.

use super::document::{Document, Fields};
use super::load::REPOSITORY_FILE;
use super::paths::{self, Paths};
use super::problem::Place;

/// A key, its value as written, and where it stands.
pub type Written = (String, String, Place);

/// The settings of the gate called `name`; none if it can't be found there any more.
pub fn gate_source(paths: &Paths, name: &str) -> Option<Vec<Written>> {
    let text = String::from_utf8(paths::read(&paths.repository_file()?).ok()??).ok()?;
    let doc = Document::new(REPOSITORY_FILE, &text);
    let table = doc.parse()?;
    let gates = Fields::top(&doc, &table).tables("gate");
    let gate = gates.iter().find(|gate| gate.text("name").is_some_and(|found| found.value == name))?;
    let owned = |(key, value, place): (&str, &str, Place)| (key.to_owned(), value.to_owned(), place);
    Some(gate.written().into_iter().map(owned).collect())
}
