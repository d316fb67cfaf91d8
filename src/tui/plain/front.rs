//! What stands before the person, so that it is put to them once, and again when it has changed.

use crate::app::{Field, Model, Overlay};

/// What is in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Front {
    /// Nothing: words are awaited.
    Nothing,
    /// It was answered; whatever is in front now is to be put.
    Answered,
    /// The decision sheet.
    Sheet {
        /// What can be filled in now.
        field: Option<Field>,
        /// What was wrong with the last answer.
        error: Option<String>,
    },
    /// A question that is answered in words.
    Ask {
        /// What it asks.
        title: String,
        /// What was wrong with the last answer.
        error: Option<String>,
    },
    /// A list.
    Pick {
        /// What is asked.
        title: &'static str,
        /// What narrows it.
        query: String,
        /// Whether it is still on its way.
        loading: bool,
    },
    /// The repository's commands.
    Trust,
    /// A text.
    Text,
}

impl Front {
    /// What is in front of a model now.
    pub(super) fn of(model: &Model) -> Self {
        match model.overlays.last() {
            // No word leads to the choice of the models; `windlass init` makes it, in lines.
            None | Some(Overlay::Casting(_)) => Self::Nothing,
            Some(Overlay::Sheet(sheet)) => Self::Sheet { field: sheet.field, error: sheet.error.clone() },
            Some(Overlay::Ask(ask)) => Self::Ask { title: ask.title.clone(), error: ask.error.clone() },
            Some(Overlay::Pick(picker)) => {
                Self::Pick { title: picker.title, query: picker.query.lines().join(" "), loading: picker.loading }
            }
            Some(Overlay::Trust(_)) => Self::Trust,
            Some(Overlay::Text { .. } | Overlay::Help { .. }) => Self::Text,
        }
    }
}
