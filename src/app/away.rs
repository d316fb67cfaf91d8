//! What happened while the human was away: whoever comes back is told in a line, and can read all of it.

use crate::domain::Timestamp;

use super::action::Action;
use super::doc::Doc;
use super::model::{Model, Notice};

/// How long nobody may press a key before they count as away, in milliseconds.
const AWAY_MS: i64 = 5 * 60_000;

/// The most sentences kept.
const MOST: usize = 500;

/// What was said since the last key, and while the human was away the last time.
#[derive(Debug, Clone, Default)]
pub struct Away {
    /// When the last key came; none before the first.
    since: Option<Timestamp>,
    said: Vec<(Timestamp, String)>,
    missed: Vec<(Timestamp, String)>,
}

impl Away {
    /// Keeps what has happened.
    pub(super) fn say(&mut self, at: Timestamp, sentences: impl IntoIterator<Item = String>) {
        self.said.extend(sentences.into_iter().map(|sentence| (at, sentence)));
        self.said.drain(..self.said.len().saturating_sub(MOST));
    }

    /// Whether anything happened while the human was away the last time.
    pub(super) fn has_missed(&self) -> bool {
        !self.missed.is_empty()
    }

    /// What happened while the human was away, in sentences, each with how long ago that was.
    pub(super) fn told(&self, now: Timestamp) -> Doc {
        let line = |(at, sentence): &(Timestamp, String)| format!("{:>8}  {sentence}\n", ago(now.0 - at.0));
        Doc::prose(&self.missed.iter().map(line).collect::<String>())
    }
}

/// Notes that the human is at the keyboard; if they were away, they are told that something happened.
pub(super) fn back(model: &mut Model) {
    let now = model.now;
    let since = model.away.since.replace(now);
    let said = std::mem::take(&mut model.away.said);
    let Some(gone) = since.map(|since| now.0 - since.0).filter(|gone| *gone >= AWAY_MS && !said.is_empty()) else {
        return;
    };
    let (count, last) = (said.len(), said.last().map(|(_, sentence)| sentence.clone()).unwrap_or_default());
    model.away.missed = said;
    if model.notice.is_none() {
        let key = model.key_named(Action::AwayShow);
        let more = if count > 1 { format!(" ({key} tells all {count} things that happened)") } else { String::new() };
        let text = format!("while you were away, {}: {last}{more}", ago(gone));
        model.notice = Some(Notice { text, is_error: false });
    }
}

/// A time in the largest unit that says it.
fn ago(ms: i64) -> String {
    match ms / 1000 {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
