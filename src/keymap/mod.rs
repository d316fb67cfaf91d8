//! Key files resolved into one table: dispatch, footer, which-key and help all read it.

mod key;
mod read;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::rc::Rc;

pub use self::key::Key;
use self::key::spelled;
use self::read::Table;
use crate::app::action::{ACTIONS, Action, Context};
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

/// Some keys and what they do in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binding {
    context: Context,
    /// Never empty.
    keys: Vec<Key>,
    /// None when the keys do nothing here, whatever outer contexts say.
    action: Option<Action>,
    desc: Option<String>,
    file: Rc<str>,
    line: u32,
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
    /// Wait for more; these keys go on, with what each does.
    Pending(Vec<(Key, String)>),
    /// Nothing: in a text field, a key with nothing pending is text; else what was pending is forgotten.
    None,
}

/// One line of help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where the keys work.
    pub context: Context,
    /// The keys, as key files write them; the first is the one shown elsewhere.
    pub keys: Vec<String>,
    /// What they do.
    pub action: Action,
    /// In words: the key file's, or the action's own.
    pub desc: String,
}

impl Keymap {
    /// The keymap of this name, the person's before the built-in one. Always gives a keymap that works; what is wrong
    /// with the files, and which bindings were left out for it, is in the problems.
    pub fn load(name: &str, user_dir: Option<&Path>) -> (Self, Vec<Problem>) {
        let library = Library { what: "keymap", built_in: BUILT_IN, fallback: "vim", user_dir };
        let (chain, mut problems) = library.chain(name);
        let mut table = Table::default();
        for sheet in &chain {
            problems.extend(table.read(sheet));
        }
        let last = chain.last();
        let name = last.map_or_else(|| name.to_owned(), |sheet| sheet.name.clone());
        let keymap = Self { name, bindings: table.bindings, groups: table.groups };
        let missing = ESSENTIAL.iter().filter(|(context, action)| keymap.keys_for(*context, *action).is_empty());
        for (context, action) in missing {
            let (context, action) = (context.name(), action.info().name);
            let message = format!("no key is left for {action:?} in [keys.{context}]; bind one, or inherit \"vim\"");
            problems.push(Place::of(last.map_or("", |sheet| sheet.file.as_str())).problem(message));
        }
        (keymap, problems)
    }

    /// Every name that can be loaded.
    pub fn names(user_dir: Option<&Path>) -> Vec<String> {
        Library { what: "keymap", built_in: BUILT_IN, fallback: "vim", user_dir }.names()
    }

    /// The name of the file in use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `key` leads to after `pending`, in these contexts, innermost first. Nothing is looked up further out than
    /// a text field or the decision sheet.
    pub fn feed(&self, contexts: &[Context], pending: &[Key], key: Key) -> Step {
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
            let exact = self.bindings.iter().find(|b| b.context == *context && b.keys == keys);
            if let Some(action) = exact.and_then(|binding| binding.action) {
                return Step::Run(action);
            }
            if self.longer(*context, &keys).next().is_some() {
                return Step::Pending(self.choices(contexts.get(index..).unwrap_or_default(), &keys));
            }
            if exact.is_some() {
                return Step::None;
            }
        }
        Step::None
    }

    /// The keys of an action in a context, in the order of the files; the first is the one to show.
    pub fn keys_for(&self, context: Context, action: Action) -> Vec<String> {
        let bound = self.bindings.iter().filter(|b| b.context == context && b.action == Some(action));
        let mut keys: Vec<(bool, String)> =
            bound.map(|b| (b.file.as_ref() == "common.toml", spelled(&b.keys))).collect();
        // The keymap's own keys before those it shares with every other: "j" before "Down".
        keys.sort_by_key(|(common, _)| *common);
        keys.into_iter().map(|(_, keys)| keys).collect()
    }

    /// Everything that is bound, context by context, in the order of the actions: what help shows.
    pub fn rows(&self) -> Vec<Row> {
        let places = Context::ALL.into_iter().flat_map(|context| ACTIONS.iter().map(move |row| (context, row)));
        places
            .filter_map(|(context, info)| {
                let keys = self.keys_for(context, info.action);
                let mut bound = self.bindings.iter().filter(|b| b.context == context && b.action == Some(info.action));
                let desc = bound.find_map(|b| b.desc.clone()).unwrap_or_else(|| info.doc.to_owned());
                (!keys.is_empty()).then_some(Row { context, keys, action: info.action, desc })
            })
            .collect()
    }

    /// The live bindings of a context that go on from `keys`.
    fn longer(&self, context: Context, keys: &[Key]) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| {
            let longer = binding.keys.len() > keys.len() && binding.keys.starts_with(keys);
            binding.context == context && binding.action.is_some() && longer
        })
    }

    /// The keys that go on from `keys`, each once: what an inner context says of a key hides the outer ones.
    fn choices(&self, contexts: &[Context], keys: &[Key]) -> Vec<(Key, String)> {
        let mut choices: Vec<(Key, String)> = Vec::new();
        for binding in contexts.iter().flat_map(|context| self.longer(*context, keys)) {
            let Some(next) = binding.keys.get(keys.len()) else { continue };
            if choices.iter().all(|(key, _)| key != next) {
                choices.push((*next, self.label(binding, keys.len() + 1)));
            }
        }
        choices
    }

    /// What a popup says of the first `length` keys of a binding.
    fn label(&self, binding: &Binding, length: usize) -> String {
        if binding.keys.len() > length {
            let group = self.groups.iter().find(|group| binding.keys.get(..length) == Some(&*group.keys));
            return group.map_or_else(|| "...".to_owned(), |group| group.title.clone());
        }
        let own = binding.action.map_or("", |action| action.info().short);
        binding.desc.clone().unwrap_or_else(|| own.to_owned())
    }
}

/// The contexts up to and including a text field or the decision sheet.
fn reachable(contexts: &[Context]) -> &[Context] {
    let closed = contexts.iter().position(|context| matches!(context, Context::Text | Context::Confirm));
    closed.and_then(|index| contexts.get(..=index)).unwrap_or(contexts)
}
