//! Texts that are begun and not finished: each is kept under what it was for, until it has arrived.

use std::collections::BTreeMap;

use super::model::Model;
use super::overlay::{Overlay, Purpose};

impl Model {
    /// Sets what the question for a first loop's goal begins with.
    pub fn suggest_goal(&mut self, goal: String) {
        self.drafts.insert(self.draft_key(&Purpose::Goal(None)), goal);
    }

    /// The name under which a text for `purpose` is kept while it is not finished: its loop, its stage, what it is for.
    pub(super) fn draft_key(&self, purpose: &Purpose) -> String {
        let purpose = purpose.key();
        match self.current().filter(|_| purpose != Purpose::Goal(None).key()) {
            Some(one) => format!("loop {} stage {} {purpose}", one.id, one.open.number()),
            None => purpose,
        }
    }

    /// Keeps a text that isn't finished; an empty one is forgotten.
    pub(super) fn keep_draft(&mut self, purpose: &Purpose, text: String) {
        if *purpose == Purpose::Search {
            return;
        }
        let key = self.draft_key(purpose);
        if text.trim().is_empty() {
            self.drafts.remove(&key);
        } else {
            self.drafts.insert(key, text);
        }
    }

    /// Every text that isn't finished, the one being typed included: what must survive whatever happens.
    pub fn unfinished(&self) -> BTreeMap<String, String> {
        let mut all = self.drafts.clone();
        for overlay in &self.overlays {
            if let Overlay::Ask(ask) = overlay
                && ask.purpose != Purpose::Search
                && !ask.text().trim().is_empty()
            {
                all.insert(self.draft_key(&ask.purpose), ask.text());
            }
        }
        all
    }
}
