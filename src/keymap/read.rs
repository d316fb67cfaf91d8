//! Reading one key file over what it inherits. A binding that can't stand is left out and reported; the rest works.

use toml::de::DeValue;

use super::key::{Key, spelled};
use super::when::When;
use super::{Binding, Group};
use crate::app::action::{ACTIONS, Action, Context};
use crate::config::{Document, Fields, Located, Problem, Sheet, kind, suggestion};

/// The bindings and groups of the files read so far.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) bindings: Vec<Binding>,
    pub(super) groups: Vec<Group>,
}

/// A binding as written, before it is held against the others.
struct Written {
    binding: Binding,
    offset: usize,
}

impl Table {
    /// Lays one file over what is there.
    pub(super) fn read(&mut self, sheet: &Sheet) -> Vec<Problem> {
        let doc = Document::new(sheet.file.as_str(), &sheet.text);
        if let Some(table) = doc.parse() {
            let top = Fields::top(&doc, &table);
            top.only(&["schema", "name", "inherits", "clear", "groups", "keys"]);
            if top.require("schema") {
                top.number("schema", 1..=1);
            }
            top.text("name");
            self.clear(&top);
            self.groups(&top);
            let mut written = written(&top);
            // What a file unbinds is out of the way before its own bindings are held against what it inherits.
            written.sort_by_key(|written| (written.binding.action.is_some(), written.offset));
            let inherited = std::mem::take(&mut self.bindings);
            self.lay_over(&doc, inherited, written);
        }
        doc.into_problems()
    }

    fn clear(&mut self, top: &Fields<'_, '_>) {
        for Located { value: name, offset } in top.texts("clear").map(|list| list.value).unwrap_or_default() {
            if let Some(context) = context(top, &name, offset) {
                self.bindings.retain(|binding| binding.context != context);
            }
        }
    }

    fn groups(&mut self, top: &Fields<'_, '_>) {
        let Some(groups) = top.table("groups") else { return };
        for Located { value: name, offset } in groups.keys() {
            match (sequence(name), groups.text(name)) {
                (Ok(keys), Some(title)) => {
                    self.groups.retain(|group| group.keys != keys);
                    self.groups.push(Group { keys, title: title.value });
                }
                (Err(wrong), _) => top.document().problem(offset, wrong),
                (Ok(_), None) => {}
            }
        }
    }

    fn lay_over(&mut self, doc: &Document<'_>, mut inherited: Vec<Binding>, written: Vec<Written>) {
        let mut own: Vec<Binding> = Vec::new();
        for Written { mut binding, offset } in written {
            if let Some(other) = own.iter().find(|other| binding.is_at(other) && binding.when == other.when) {
                let (context, keys) = (binding.context.name(), spelled(&binding.keys));
                let message = format!("{keys:?} is bound twice in [keys.{context}], first in line {}", line(other));
                doc.problem(offset, format!("{message}; remove one, or give one a \"when\""));
                continue;
            }
            if let Some(other) = own.iter().find(|other| binding.clashes(other)) {
                let message = format!("{} in line {}; rebind one", binding.conflict(other), line(other));
                doc.problem(offset, message);
                continue;
            }
            // The person's keys win over inherited ones, also over those that a later version adds.
            for other in inherited.iter().filter(|other| binding.clashes(other)) {
                let from = format!("inherited from {}:{}", other.place.source, line(other));
                let message = format!("{}, {from}, which is lost", binding.conflict(other));
                doc.problem(offset, format!("{message}; rebind one, or set run = \"none\" for it"));
            }
            // A conditional binding stands before the inherited one; an unconditional one takes its place.
            let gives_way =
                |other: &Binding| binding.is_at(other) && (binding.when.is_none() || binding.when == other.when);
            let before = inherited.iter().find(|other| gives_way(other) && other.action != binding.action);
            let replaces = before.and_then(|other| Some((other.action?, other.place.clone())));
            inherited.retain(|other| !binding.clashes(other) && !gives_way(other));
            binding.replaces = replaces;
            own.push(binding);
        }
        inherited.extend(own);
        self.bindings = inherited;
    }
}

fn line(binding: &Binding) -> u32 {
    binding.place.at.map_or(0, |(line, _)| line)
}

impl Binding {
    /// Whether it has the same keys in the same context.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.context == other.context && self.keys == other.keys
    }

    /// Whether one sequence is the start of the other, in one context, and both do something.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        let starts = self.keys.starts_with(&other.keys) || other.keys.starts_with(&self.keys);
        let live = self.action.is_some() && other.action.is_some();
        self.context == other.context && self.keys != other.keys && starts && live
    }

    fn conflict(&self, other: &Self) -> String {
        let (own, others) = (spelled(&self.keys), spelled(&other.keys));
        let relation = if self.keys.len() < other.keys.len() { "is also the start of" } else { "begins with" };
        format!("conflict in [keys.{}]: {own:?} {relation} {others:?} ({})", self.context.name(), other.does())
    }
}

fn context(top: &Fields<'_, '_>, name: &str, offset: usize) -> Option<Context> {
    let found = Context::ALL.into_iter().find(|context| context.name() == name);
    if found.is_none() {
        let hint = suggestion(name, Context::ALL.map(Context::name));
        top.document().problem(offset, format!("unknown context {name:?}; {hint}"));
    }
    found
}

fn written(top: &Fields<'_, '_>) -> Vec<Written> {
    let Some(keys) = top.table("keys") else { return Vec::new() };
    let mut written = Vec::new();
    for Located { value: name, offset } in keys.keys() {
        let Some(context) = context(top, name, offset) else { continue };
        for table in keys.tables(name) {
            written.extend(bindings(&table, context));
        }
    }
    written
}

/// The bindings of one `[[keys.<context>]]` table: one for each alternative of `on`.
fn bindings(table: &Fields<'_, '_>, context: Context) -> Vec<Written> {
    table.only(&["on", "run", "desc", "when", "override"]);
    let doc = table.document();
    let run = table.required_text("run");
    let desc = table.text("desc").map(|desc| desc.value);
    let overrides = table.truth("override").unwrap_or_default();
    let sequences = if table.require("on") { sequences(table) } else { Vec::new() };
    let when = match table.text("when").map(|when| (When::parse(&when.value), when.offset)) {
        None => None,
        Some((Ok(when), _)) => Some(when),
        // Without its condition it would do what its author did not mean.
        Some((Err(wrong), offset)) => {
            doc.problem(offset, wrong);
            return Vec::new();
        }
    };
    let Some(run) = run else { return Vec::new() };
    let action = match run.value.as_str() {
        "none" => None,
        name => match Action::from_name(name) {
            Some(action) => Some(action),
            None => {
                doc.problem(run.offset, unknown_action(name));
                return Vec::new();
            }
        },
    };
    let mut written = Vec::new();
    for Located { value: keys, offset } in sequences {
        if let Some(wrong) = refusal(context, &keys, action) {
            doc.problem(offset, wrong);
            continue;
        }
        let (desc, when, place) = (desc.clone(), when.clone(), doc.place(offset));
        let binding = Binding { context, keys, action, desc, when, overrides, replaces: None, place };
        written.push(Written { binding, offset });
    }
    written
}

fn unknown_action(name: &str) -> String {
    if name.contains("approve") {
        return format!(
            "there is no action {name:?}: a key approves one stage, with \"stage.approve\" in [keys.confirm]"
        );
    }
    format!("unknown action {name:?}; {}", suggestion(name, ACTIONS.iter().map(|row| row.name)))
}

/// Why these keys can't have this action in this context, if they can't.
fn refusal(context: Context, keys: &[Key], action: Option<Action>) -> Option<String> {
    let spelled = spelled(keys);
    let first = keys.first()?;
    if keys.len() > 1 && keys.iter().any(|key| key.is_escape()) {
        return Some(format!("{spelled:?}: Esc always cancels and can't be part of a sequence; bind another"));
    }
    if context == Context::Text && first.is_printable() {
        return Some(format!(
            "{spelled:?} begins with a key that is text in [keys.text]; use Ctrl, Alt or a named key"
        ));
    }
    let action = action?;
    let name = action.info().name;
    if action.is_guarded() && context != Context::Confirm {
        return Some(format!("{name:?} can be bound in [keys.confirm] only, where the evidence is on screen"));
    }
    if action == Action::TrustGive && context != Context::Trust {
        return Some(format!("{name:?} can be bound in [keys.trust] only, where the commands are on screen"));
    }
    if action.is_guarded() && keys.len() > 1 {
        return Some(format!("{name:?} can't be bound to a sequence; bind one key"));
    }
    if (action.is_guarded() || matches!(action, Action::GateOverride | Action::TrustGive))
        && keys.iter().any(|key| key.is_habitual())
    {
        return Some(format!("{name:?} can't be bound to {spelled:?}, which is pressed by habit; bind another key"));
    }
    None
}

/// The sequences under `on`: `"g g"`, `["g", "g"]`, or an array of such arrays or strings as alternatives.
fn sequences(table: &Fields<'_, '_>) -> Vec<Located<Vec<Key>>> {
    let Some(Located { value, offset }) = table.value("on") else { return Vec::new() };
    let doc = table.document();
    let single = |value: &DeValue<'_>, offset| {
        match words(value).and_then(|words| sequence(&words)) {
            Ok(keys) => return Some(Located { value: keys, offset }),
            Err(wrong) => doc.problem(offset, wrong),
        }
        None
    };
    let nested = value.as_array().filter(|array| array.iter().any(|item| item.get_ref().is_array()));
    match nested {
        Some(alternatives) => {
            alternatives.iter().filter_map(|item| single(item.get_ref(), item.span().start)).collect()
        }
        None => single(value, offset).into_iter().collect(),
    }
}

/// A sequence's keys with spaces between them.
fn words(value: &DeValue<'_>) -> Result<String, String> {
    let wrong = |value| format!("\"on\" must be keys such as \"g g\" or [\"g\", \"g\"], not {}", kind(value));
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Array(array) => {
            let words = array.iter().map(|item| item.get_ref().as_str().ok_or_else(|| wrong(item.get_ref())));
            Ok(words.collect::<Result<Vec<_>, _>>()?.join(" "))
        }
        value => Err(wrong(value)),
    }
}

pub(super) fn sequence(words: &str) -> Result<Vec<Key>, String> {
    let keys: Vec<Key> = words.split_whitespace().map(Key::parse).collect::<Result<_, _>>()?;
    match keys.len() {
        0 => Err("\"on\" names no key; write one such as \"g g\"".to_owned()),
        1..=4 => Ok(keys),
        _ => Err(format!("{words:?} is longer than four keys; shorten it")),
    }
}
