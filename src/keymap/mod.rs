//! Key files resolved into one table: dispatch, footer, which-key and help all read it.

mod explain;
mod key;
mod notes;
mod read;
mod when;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use self::explain::{Bound, Meaning};
pub use self::key::Key;
use self::key::spelled;
use self::read::Table;
use self::when::When;
use crate::app::action::{ACTIONS, Action, Context};
use crate::app::{Fact, KeyRow};
use crate::config::{Library, Place, Problem};

const BUILT_IN: &[(&str, &str)] = &[
    ("common", include_str!("../../keymaps/common.toml")),
    ("vim", include_str!("../../keymaps/vim.toml")),
    ("emacs", include_str!("../../keymaps/emacs.toml")),
];

/// Without these a person is stuck: each must have a key, wherever a key file puts it.
const ESSENTIAL: [(Context, Action); 9] = [
    (Context::Global, Action::DecisionOpen),
    (Context::Global, Action::HelpOpen),
    (Context::Global, Action::Quit),
    (Context::Text, Action::TextSubmit),
    (Context::Text, Action::Back),
    (Context::Confirm, Action::StageApprove),
    (Context::Confirm, Action::Back),
    (Context::Trust, Action::TrustGive),
    (Context::Trust, Action::Back),
];

/// A resolved keymap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    name: String,
    bindings: Vec<Binding>,
    groups: Vec<Group>,
}

/// What the moment is like, for the conditions of bindings.
pub type Facts<'a> = &'a dyn Fn(Fact) -> u64;

/// Some keys and what they do in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binding {
    context: Context,
    /// Never empty.
    keys: Vec<Key>,
    /// None when the keys do nothing here, whatever outer contexts say.
    action: Option<Action>,
    desc: Option<String>,
    when: Option<When>,
    /// Whether the file says that it means to take the place of what it inherits, or hides.
    overrides: bool,
    /// What the keys did before, in a file it inherits, and where that stands.
    replaces: Option<(Action, Place)>,
    place: Place,
}

/// The title of the keys that go on from these.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    keys: Vec<Key>,
    title: String,
}

/// What a key led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Do this; the keys so far are used up.
    Run(Action),
    /// Wait for more.
    Pending(Menu),
    /// Nothing: in a text field, a key with nothing pending is text; else what was pending is forgotten.
    None,
}

/// The keys that can follow the ones pressed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// The keys so far, and what the key file calls them: `Space  Menu`.
    pub title: String,
    /// The keys that go on, with what each does.
    pub choices: Vec<(Key, String)>,
}

impl Keymap {
    /// The keymap of this name, the person's before the built-in one. Always gives a keymap that works; what is wrong
    /// with the files, and which bindings were left out for it, is in the problems. What may surprise although nothing
    /// is wrong, [`Keymap::notes`] tells.
    pub fn load(name: &str, user_dir: Option<&Path>) -> (Self, Vec<Problem>) {
        let (chain, mut problems) = library(user_dir).chain(name);
        let mut table = Table::default();
        for sheet in &chain {
            problems.extend(table.read(sheet));
        }
        let last = chain.last();
        let name = last.map_or_else(|| name.to_owned(), |sheet| sheet.name.clone());
        let mut keymap = Self { name, bindings: table.bindings, groups: table.groups };
        let place = Place::of(last.map_or("", |sheet| sheet.file.as_str()));
        for (context, action) in ESSENTIAL {
            if keymap.keys_for(context, action).is_empty() {
                let help = keymap.stand_in(context, action);
                let (context, action) = (context.name(), action.info().name);
                let message =
                    format!("no key is left for {action:?} in [keys.{context}]{help}; bind one, or inherit \"vim\"");
                problems.push(place.problem(message));
            }
        }
        (keymap, problems)
    }

    /// Gives an action the key that it has in the built-in keymap, so that nobody is stuck; says so for a message.
    fn stand_in(&mut self, context: Context, action: Action) -> String {
        let mut table = Table::default();
        for sheet in library(None).chain("vim").0 {
            table.read(&sheet);
        }
        let fits = |one: &Binding| {
            let taken = |other: &Binding| one.is_at(other) || one.clashes(other);
            one.context == context && one.action == Some(action) && !self.bindings.iter().any(taken)
        };
        let Some(binding) = table.bindings.into_iter().find(fits) else { return String::new() };
        let told = format!(", so {:?} does it", spelled(&binding.keys));
        self.bindings.push(binding);
        told
    }

    /// Every name that can be loaded.
    pub fn names(user_dir: Option<&Path>) -> Vec<String> {
        library(user_dir).names()
    }

    /// The name of the file in use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `key` leads to after `pending`, in these contexts, innermost first. Nothing is looked up further out than
    /// a text field or the decision sheet.
    pub fn feed(&self, contexts: &[Context], facts: Facts<'_>, pending: &[Key], key: Key) -> Step {
        let contexts = reachable(contexts);
        if pending.is_empty() && contexts.first() == Some(&Context::Text) && key.is_printable() {
            return Step::None;
        }
        // Escape is never part of a sequence.
        if !pending.is_empty() && key.is_escape() {
            return Step::None;
        }
        let keys = [pending, &[key]].concat();
        for (index, context) in contexts.iter().enumerate() {
            let exact = self.exact(*context, facts, &keys);
            if let Some(action) = exact.and_then(|binding| binding.action) {
                return Step::Run(action);
            }
            if self.longer(*context, facts, &keys).next().is_some() {
                return Step::Pending(self.menu(contexts.get(index..).unwrap_or_default(), facts, &keys));
            }
            if exact.is_some() {
                return Step::None;
            }
        }
        Step::None
    }

    /// The keys of an action in a context, in the order of the files; the first is the one to show.
    pub fn keys_for(&self, context: Context, action: Action) -> Vec<String> {
        self.spelled_for(context, action, |_| true)
    }

    /// The key to show for an action now: of the first of these contexts that has one.
    pub fn key_for(&self, contexts: &[Context], facts: Facts<'_>, action: Action) -> Option<String> {
        let holds = |binding: &Binding| binding.holds(facts);
        contexts.iter().find_map(|context| self.spelled_for(*context, action, holds).into_iter().next())
    }

    fn spelled_for(&self, context: Context, action: Action, is_live: impl Fn(&Binding) -> bool) -> Vec<String> {
        let bound = self.bindings.iter().filter(|b| b.context == context && b.action == Some(action) && is_live(b));
        let mut keys: Vec<(bool, String)> =
            bound.map(|b| (b.place.source == "common.toml", spelled(&b.keys))).collect();
        // The keymap's own keys before those it shares with every other: "j" before "Down".
        keys.sort_by_key(|(common, _)| *common);
        keys.into_iter().map(|(_, keys)| keys).collect()
    }

    /// Everything that is bound, context by context, in the order of the actions: what help shows.
    pub fn rows(&self) -> Vec<KeyRow> {
        let places = Context::ALL.into_iter().flat_map(|context| ACTIONS.iter().map(move |row| (context, row)));
        places
            .filter_map(|(context, info)| {
                let keys = self.keys_for(context, info.action);
                let mut bound = self.bindings.iter().filter(|b| b.context == context && b.action == Some(info.action));
                let desc = bound.find_map(|b| b.desc.clone()).unwrap_or_else(|| info.doc.to_owned());
                (!keys.is_empty()).then_some(KeyRow { context, keys, action: info.action, desc })
            })
            .collect()
    }

    /// The binding that these keys have now: one whose condition holds before one without a condition.
    fn exact(&self, context: Context, facts: Facts<'_>, keys: &[Key]) -> Option<&Binding> {
        let live = || self.bindings.iter().filter(|b| b.context == context && b.keys == keys && b.holds(facts));
        live().find(|binding| binding.when.is_some()).or_else(|| live().next())
    }

    /// The live bindings of a context that go on from `keys`.
    fn longer(&self, context: Context, facts: Facts<'_>, keys: &[Key]) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| {
            let longer = binding.keys.len() > keys.len() && binding.keys.starts_with(keys);
            binding.context == context && binding.action.is_some() && longer && binding.holds(facts)
        })
    }

    /// The keys that go on from `keys`, each once: what an inner context says of a key hides the outer ones.
    fn menu(&self, contexts: &[Context], facts: Facts<'_>, keys: &[Key]) -> Menu {
        let mut choices: Vec<(Key, String)> = Vec::new();
        for binding in contexts.iter().flat_map(|context| self.longer(*context, facts, keys)) {
            let Some(next) = binding.keys.get(keys.len()) else { continue };
            if choices.iter().all(|(key, _)| key != next) {
                choices.push((*next, self.label(binding, keys.len() + 1)));
            }
        }
        let title = self.group(keys).map_or_else(|| spelled(keys), |group| format!("{}  {group}", spelled(keys)));
        Menu { title, choices }
    }

    /// What a popup says of the first `length` keys of a binding.
    fn label(&self, binding: &Binding, length: usize) -> String {
        if binding.keys.len() > length {
            let group = binding.keys.get(..length).and_then(|keys| self.group(keys));
            return group.unwrap_or("...").to_owned();
        }
        let own = binding.action.map_or("", |action| action.info().short);
        binding.desc.clone().unwrap_or_else(|| own.to_owned())
    }

    fn group(&self, keys: &[Key]) -> Option<&str> {
        self.groups.iter().find(|group| group.keys == keys).map(|group| group.title.as_str())
    }
}

impl Binding {
    fn holds(&self, facts: Facts<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(facts))
    }

    /// The name of what it does, for messages.
    fn does(&self) -> &'static str {
        self.action.map_or("none", |action| action.info().name)
    }
}

fn library(user_dir: Option<&Path>) -> Library<'_> {
    Library { what: "keymap", built_in: BUILT_IN, fallback: "vim", user_dir }
}

/// The contexts up to and including a text field or the decision sheet.
fn reachable(contexts: &[Context]) -> &[Context] {
    let closed = contexts.iter().position(|context| matches!(context, Context::Text | Context::Confirm));
    closed.and_then(|index| contexts.get(..=index)).unwrap_or(contexts)
}
