//! The stored form of events: JSON in types of its own, so that the engine's may change and old journals still read.
//!
//! A form, once released, is never edited: a changed one gets the next version number, and `decode` reads both.

mod event;
mod gate;
mod review;
#[cfg(test)]
mod tests;
mod values;
mod words;

use crate::engine;

/// The word of the `kind` column for events.
pub(super) const KIND: &str = "event";

/// The version of the form written here.
pub(super) const VERSION: i64 = 3;

/// The first version. The later ones only added to it, so all are read alike.
const FIRST: i64 = 1;

/// A body is not an event of a form known here.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoredError {
    #[error("its form has version {0}, which this windlass does not know")]
    Version(i64),
    #[error("it is not an event: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Value(String),
}

impl StoredError {
    /// For values that the domain doesn't take.
    fn value(error: impl ToString) -> Self {
        Self::Value(error.to_string())
    }
}

/// The body of an event.
pub(super) fn encode(event: &engine::Event) -> Result<Vec<u8>, StoredError> {
    Ok(serde_json::to_vec(&event::Event::from(event))?)
}

/// The event of a body.
pub(super) fn decode(version: i64, body: &[u8]) -> Result<engine::Event, StoredError> {
    if !(FIRST..=VERSION).contains(&version) {
        return Err(StoredError::Version(version));
    }
    serde_json::from_slice::<event::Event>(body)?.try_into()
}

/// Converts each item.
fn each<'a, T: 'a, U: From<&'a T>>(items: &'a [T]) -> Vec<U> {
    items.iter().map(U::from).collect()
}

/// Converts each item back.
fn back<T: Into<U>, U>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(T::into).collect()
}
