//! The keys as the screen's state knows them: resolved elsewhere, so that help, palette and "what next" can name them.

use super::action::{Action, Context};
use super::model::Model;

/// One line of help: an action in a context, and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Where the keys work.
    pub context: Context,
    /// The keys, as key files write them; the first is the one shown elsewhere.
    pub keys: Vec<String>,
    /// What they do.
    pub action: Action,
    /// In words: the key file's, or the action's own.
    pub desc: String,
}

impl Model {
    /// The key to name for an action: everywhere's, else that of the first place that has one.
    pub(super) fn key_named(&self, action: Action) -> &str {
        let of_action = || self.keys.iter().filter(|row| row.action == action);
        let row = of_action().find(|row| row.context == Context::Global).or_else(|| of_action().next());
        row.and_then(|row| row.keys.first()).map_or(":", String::as_str)
    }
}
