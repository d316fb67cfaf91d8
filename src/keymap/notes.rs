//! What works in a key file and may surprise nevertheless: keys that take the place of others, keys that don't arrive.

use super::key::{Key, spelled};
use super::{Binding, Keymap};
use crate::app::action::Context;
use crate::config::Problem;

/// The prefix that tmux has when nobody changed it.
const USUAL_PREFIX: &str = "C-b";

impl Keymap {
    /// What may surprise, in the order of the files. `prefix` is the prefix key of the tmux that runs around us.
    pub fn notes(&self, prefix: Option<Key>) -> Vec<Problem> {
        let mut notes: Vec<Problem> =
            self.bindings.iter().filter_map(|one| Some(one.place.problem(self.note(one, prefix)?))).collect();
        notes.sort_by(|one, other| (&one.place.source, one.place.at).cmp(&(&other.place.source, other.place.at)));
        notes
    }

    fn note(&self, binding: &Binding, prefix: Option<Key>) -> Option<String> {
        binding.action?;
        let (keys, context) = (spelled(&binding.keys), binding.context.name());
        if let Some((key, caution)) = binding.keys.iter().find_map(|key| Some((key, key.caution()?))) {
            return Some(format!("{:?} {caution}; bind another key as well", key.to_string()));
        }
        let behind = |prefix: &str| binding.keys.iter().any(|key| key.to_string() == prefix);
        match prefix.map(|key| key.to_string()) {
            Some(prefix) if behind(&prefix) => {
                return Some(format!(
                    "{prefix:?} is the prefix key of this tmux and has to be pressed twice; bind another"
                ));
            }
            None if behind(USUAL_PREFIX) => {
                let what = "is the prefix key of tmux, where it has to be pressed twice; bind another as well";
                return Some(format!("{USUAL_PREFIX:?} {what}"));
            }
            _ => {}
        }
        if binding.overrides {
            return None;
        }
        if let Some((before, place)) = &binding.replaces {
            let was = format!("takes the place of {:?}, inherited from {}", before.info().name, at(place));
            return Some(format!("{keys:?} in [keys.{context}] {was}; set override = true if that is meant"));
        }
        let hidden = self.hidden_by(binding)?;
        let what = format!("{:?} ({}) of [keys.global], {}", spelled(&hidden.keys), hidden.does(), at(&hidden.place));
        Some(format!("{keys:?} in [keys.{context}] hides {what}; set override = true if that is meant"))
    }

    /// What can't be typed any more in a pane for this binding of the pane's own.
    fn hidden_by(&self, binding: &Binding) -> Option<&Binding> {
        use Context::{Constraint, Critique, Diff, Gates, Plan};
        if !matches!(binding.context, Constraint | Plan | Diff | Critique | Gates) || binding.when.is_some() {
            return None;
        }
        self.bindings.iter().find(|outer| {
            let starts = outer.keys.starts_with(&binding.keys) || binding.keys.starts_with(&outer.keys);
            // "] u" in a pane leaves "] h" from everywhere alone; "]" alone would not.
            outer.context == Context::Global && outer.action.is_some() && outer.action != binding.action && starts
        })
    }
}

fn at(place: &crate::config::Place) -> String {
    place.at.map_or_else(|| place.source.clone(), |(line, _)| format!("{}:{line}", place.source))
}
