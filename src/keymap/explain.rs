//! What keys do, context by context, and which line of which file says so.

use super::key::spelled;
use super::{Key, Keymap};
use crate::app::action::{Action, Context};

/// A binding, for listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Where the keys work.
    pub context: Context,
    /// The keys, as key files write them.
    pub keys: String,
    /// What they do; none if the file took them away.
    pub action: Option<Action>,
    /// In words.
    pub desc: String,
    /// The condition, if there is one.
    pub when: Option<String>,
    /// The file: its path, or `vim.toml` for a built-in one.
    pub file: String,
    /// The line.
    pub line: u32,
}

/// What keys mean in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// They are bound there; the first whose condition holds counts.
    Bound(Vec<Bound>),
    /// They begin these.
    Begins(Vec<Bound>),
    /// They are text.
    Text,
}

impl Keymap {
    /// Every binding, context by context, in the order of the files.
    pub fn bound(&self) -> Vec<Bound> {
        let of = |context| self.bindings.iter().filter(move |binding| binding.context == context).map(told);
        Context::ALL.into_iter().flat_map(of).collect()
    }

    /// What these keys mean in each context where they mean anything by themselves. In a pane, what isn't listed for it
    /// is as everywhere.
    pub fn explain(&self, keys: &[Key]) -> Vec<(Context, Meaning)> {
        let written = spelled(keys);
        let begins = format!("{written} ");
        let all = self.bound();
        let meaning = |context: Context| {
            let here = || all.iter().filter(|bound| bound.context == context);
            let mut exact: Vec<Bound> = here().filter(|bound| bound.keys == written).cloned().collect();
            exact.sort_by_key(|bound| bound.when.is_none());
            let longer: Vec<Bound> =
                here().filter(|b| b.keys.starts_with(&begins) && b.action.is_some()).cloned().collect();
            let is_text = context == Context::Text && keys.first().is_some_and(|key| key.is_printable());
            match (is_text, exact.is_empty(), longer.is_empty()) {
                (true, ..) => Some(Meaning::Text),
                (_, false, _) => Some(Meaning::Bound(exact)),
                (.., false) => Some(Meaning::Begins(longer)),
                _ => None,
            }
        };
        Context::ALL.into_iter().filter_map(|context| Some((context, meaning(context)?))).collect()
    }

    /// The keys that a sequence names.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn sequence(written: &str) -> Result<Vec<Key>, String> {
        super::read::sequence(written)
    }
}

fn told(binding: &super::Binding) -> Bound {
    let info = binding.action.map(Action::info);
    let own = info.map_or("does nothing here", |info| info.doc);
    Bound {
        context: binding.context,
        keys: spelled(&binding.keys),
        action: binding.action,
        desc: binding.desc.clone().unwrap_or_else(|| own.to_owned()),
        when: binding.when.as_ref().map(|when| when.text.clone()),
        file: binding.place.source.clone(),
        line: binding.place.at.map_or(0, |(line, _)| line),
    }
}
