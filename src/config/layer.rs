//! One layer of configuration: what a user file or a repository file says, before the layers are laid over each other.

use std::collections::BTreeMap;
use std::path::Path;

use super::document::{Document, Fields, Located};
use super::gate::{self, Schedule};
use super::load::{Access, BUILTIN_GATES, Probe, REPOSITORY_FILE};
use super::prices::{self, Prices};
use super::problem::{Place, Problem, suggestion};
use super::provider;
use crate::domain::{Budget, CommandSpec, Enforcement, GateDef, ModelId, ProviderSpec, Reach};

/// A value that is judged only after the layers are merged, with its place.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) providers: BTreeMap<String, ProviderSpec>,
    pub(super) author: Option<Placed<ModelId>>,
    pub(super) change_author: Option<Placed<ModelId>>,
    pub(super) critic: Option<Placed<ModelId>>,
    pub(super) theme: Option<String>,
    pub(super) keymap: Option<String>,
    pub(super) editor: Option<String>,
    pub(super) sandbox: Option<bool>,
    pub(super) access: Access,
    pub(super) reveals_after_reading: Option<bool>,
    pub(super) workflow: Option<Placed<String>>,
    pub(super) gates: Vec<GateDef>,
    pub(super) schedule: Schedule,
    pub(super) probes: Vec<Probe>,
    pub(super) rounds: Option<u32>,
    pub(super) context_tokens: Option<u64>,
    pub(super) context_files: Vec<String>,
    pub(super) boundary_allow: Vec<String>,
    pub(super) boundary_deny: Vec<String>,
    pub(super) prices: Prices,
    pub(super) budget: Budget,
}

const USER: &[&str] = &["budget", "editor", "prices", "providers", "review", "roles", "sandbox", "ui"];
const REPOSITORY: &[&str] =
    &["boundary", "budget", "context", "gate", "measure", "probe", "review", "roles", "schedule", "workflow"];
/// Where a model is reached, with which key, and how a person works: never a repository's to say.
const PERSONAL: &[&str] = &[
    "api_key",
    "api_key_cmd",
    "api_key_env",
    "api_key_file",
    "base_url",
    "editor",
    "keymap",
    "prices",
    "providers",
    "theme",
    "ui",
];
/// Never a repository's to say, whatever it offers in exchange.
const NEVER: &[&str] = &["sandbox", "telemetry"];

/// Reads the person's file.
pub(super) fn user(path: &Path, text: &str) -> (Layer, Vec<Problem>) {
    let doc = Document::new(path.display().to_string(), text);
    let mut layer = Layer::default();
    if let Some(table) = doc.parse() {
        let top = Fields::top(&doc, &table);
        keys(&top, USER, |key| {
            REPOSITORY
                .contains(&key)
                .then(|| format!("{key:?} belongs to a repository; move it to the repository's {REPOSITORY_FILE}"))
        });
        layer.providers = provider::read(&top, path.parent().unwrap_or(Path::new("")));
        roles(&top, &mut layer);
        if let Some(ui) = top.table("ui") {
            ui.only(&["theme", "keymap", "plain", "ascii", "reduced_motion", "mouse"]);
            layer.theme = ui.text("theme").map(|theme| theme.value);
            layer.keymap = ui.text("keymap").map(|keymap| keymap.value);
            let truth = |key| ui.truth(key).unwrap_or_default();
            layer.access = Access {
                plain: truth("plain"),
                ascii: truth("ascii"),
                reduced_motion: truth("reduced_motion"),
                mouse: truth("mouse"),
            };
        }
        layer.prices = prices::read(&top);
        layer.budget = prices::budget(&top);
        layer.editor = top.text("editor").map(|editor| editor.value);
        layer.sandbox = sandbox(&top);
        layer.reveals_after_reading = review(&top);
    }
    (layer, doc.into_problems())
}

/// Reads a repository's file; `user_file` is where its messages send what isn't a repository's to say.
pub(super) fn repository(text: &str, user_file: Option<&Path>) -> (Layer, Vec<Problem>) {
    let doc = Document::new(REPOSITORY_FILE, text);
    let mut layer = Layer::default();
    if let Some(table) = doc.parse() {
        let top = Fields::top(&doc, &table);
        let user_file = user_file.map_or("your own config.toml".to_owned(), |path| path.display().to_string());
        keys(&top, REPOSITORY, |key| {
            if PERSONAL.contains(&key) {
                Some(format!("a repository can't set {key:?}; move it to {user_file}"))
            } else {
                NEVER.contains(&key).then(|| format!("a repository can't set {key:?}, now or ever; remove it"))
            }
        });
        roles(&top, &mut layer);
        layer.reveals_after_reading = review(&top);
        layer.workflow = top.text("workflow").map(|name| placed(&doc, name));
        layer.gates = gate::gates(&top);
        layer.schedule = gate::schedule(&top);
        layer.probes = probes(&top);
        layer.budget = prices::budget(&top);
        if let Some(measure) = top.table("measure") {
            measure.only(&["rounds"]);
            layer.rounds = measure.number("rounds", 1..=100).and_then(|rounds| u32::try_from(rounds).ok());
        }
        if let Some(context) = top.table("context") {
            context.only(&["tokens", "files"]);
            layer.context_tokens = context.number("tokens", 1_000..=10_000_000);
            layer.context_files = checked(&context, "files", inside);
        }
        if let Some(boundary) = top.table("boundary") {
            boundary.only(&["allow", "deny"]);
            layer.boundary_allow = checked(&boundary, "allow", inside);
            layer.boundary_deny = checked(&boundary, "deny", inside);
        }
    }
    (layer, doc.into_problems())
}

/// Records the keys of the top table that this file can't have: `refusal` says why, or the key is unknown.
fn keys(top: &Fields<'_, '_>, known: &[&str], refusal: impl Fn(&str) -> Option<String>) {
    for Located { value: key, offset } in top.keys().filter(|key| !known.contains(&key.value)) {
        let unknown = || format!("unknown key {key:?}; {}", suggestion(key, known.iter().copied()));
        top.document().problem(offset, refusal(key).unwrap_or_else(unknown));
    }
}

fn sandbox(top: &Fields<'_, '_>) -> Option<bool> {
    let Located { value, offset } = top.text("sandbox")?;
    match value.as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => {
            top.document().problem(offset, format!("\"sandbox\" is \"on\" or \"off\", not {value:?}"));
            None
        }
    }
}

/// Whether findings wait until the artifact was read.
fn review(top: &Fields<'_, '_>) -> Option<bool> {
    let review = top.table("review")?;
    review.only(&["reveal"]);
    let Located { value, offset } = review.text("reveal")?;
    match value.as_str() {
        "after-reading" => Some(true),
        "at-once" => Some(false),
        _ => {
            let message = format!("\"reveal\" is \"after-reading\" or \"at-once\", not {value:?}");
            top.document().problem(offset, message);
            None
        }
    }
}

fn placed<T>(doc: &Document<'_>, located: Located<T>) -> Placed<T> {
    Placed { place: doc.place(located.offset), value: located.value }
}

fn roles(top: &Fields<'_, '_>, layer: &mut Layer) {
    let Some(roles) = top.table("roles") else { return };
    roles.only(&["author", "change_author", "critic"]);
    let model = |key| {
        let Located { value, offset } = roles.text(key)?;
        match model_id(&value) {
            Ok(model) => Some(placed(top.document(), Located { value: model, offset })),
            Err(message) => {
                top.document().problem(offset, message);
                None
            }
        }
    };
    layer.author = model("author");
    layer.change_author = model("change_author");
    layer.critic = model("critic");
}

/// The model of this `provider/model`, or what is wrong with it.
pub(super) fn model_id(text: &str) -> Result<ModelId, String> {
    let parts = text.split_once('/').is_some_and(|(provider, model)| !provider.is_empty() && !model.is_empty());
    if parts && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Ok(ModelId(text.to_owned()))
    } else {
        Err(format!("{text:?} is not a model; write provider/model, such as \"openai/gpt-5\""))
    }
}

fn probes(top: &Fields<'_, '_>) -> Vec<Probe> {
    let mut probes: Vec<Probe> = Vec::new();
    for table in top.tables("probe") {
        table.only(&["name", "argv", "dir", "timeout_s", "env", "network", "writable"]);
        let taken = |name: &str| probes.iter().any(|probe| probe.name == name);
        if let (Some(name), Some(spec)) = (name(&table, "probe", taken), command(&table, 120)) {
            probes.push(Probe { name, spec });
        }
    }
    probes
}

pub(super) fn name(table: &Fields<'_, '_>, what: &str, taken: impl Fn(&str) -> bool) -> Option<String> {
    let Located { value, offset } = table.required_text("name")?;
    let wrong = if !provider::is_name(&value) {
        format!("{value:?} can't name a {what}: use letters, digits, \"-\", \"_\" and \".\", at most 64")
    } else if taken(&value) {
        format!("there is a {what} called {value:?} already; give this one another name")
    } else if what == "gate" && BUILTIN_GATES.contains(&value.as_str()) {
        format!("{value:?} is the name of a built-in gate; give this one another name")
    } else {
        return Some(value);
    };
    table.document().problem(offset, wrong);
    None
}

pub(super) fn enforcement(table: &Fields<'_, '_>) -> Option<Enforcement> {
    if table.value("enforcement").is_none() {
        return Some(Enforcement::Required);
    }
    let Located { value, offset } = table.text("enforcement")?;
    let known = Enforcement::ALL;
    known.into_iter().find(|enforcement| enforcement.name() == value).or_else(|| {
        let hint = suggestion(&value, known.map(Enforcement::name));
        table.document().problem(offset, format!("unknown enforcement {value:?}; {hint}"));
        None
    })
}

pub(super) fn command(table: &Fields<'_, '_>, timeout_s: u64) -> Option<CommandSpec> {
    let dir = table.text("dir");
    if let Some(Located { value, offset }) = &dir
        && let Err(wrong) = inside(value)
    {
        table.document().problem(*offset, format!("{value:?} {wrong}"));
    }
    let timeout_s = table.number("timeout_s", 1..=86_400).unwrap_or(timeout_s);
    let env = checked(table, "env", variable);
    let reach = Reach {
        network: table.truth("network").unwrap_or(false),
        writable: checked(table, "writable", outside),
        runner: runner(table),
    };
    Some(CommandSpec {
        argv: argv(table, "argv", &["make", "test"])?,
        dir: dir.map(|dir| dir.value).unwrap_or_default(),
        timeout_s,
        env,
        reach,
    })
}

/// The command that runs another one elsewhere.
fn runner(table: &Fields<'_, '_>) -> Vec<String> {
    let Some(offset) = table.value("runner").map(|value| value.offset) else { return Vec::new() };
    let runner = argv(table, "runner", &["ssh", "build-host"]).unwrap_or_default();
    if let Some(program) = runner.first().filter(|program| program.contains('/') && !program.starts_with('/')) {
        let why = "is a path inside the tree under review; a runner is a program on PATH, or an absolute path";
        table.document().problem(offset, format!("{program:?} {why}"));
    }
    for key in ["network", "writable"] {
        if let Some(value) = table.value(key) {
            let why = "is about the sandbox here, and a \"runner\" runs the command elsewhere: take one of them away";
            table.document().problem(value.offset, format!("{key:?} {why}"));
        }
    }
    runner
}

/// The command under `key`, with an example of one for messages.
pub(super) fn argv(table: &Fields<'_, '_>, key: &str, example: &[&str]) -> Option<Vec<String>> {
    let written = table.value(key).and_then(|value| value.value.as_str().map(|text| (text, value.offset)));
    if let Some((text, offset)) = written {
        // The most likely slip: a shell line. Split as the person would, it shows the form wanted.
        let words: Vec<&str> = text.split_whitespace().collect();
        let message = format!("{key:?} must be an array, there is no shell: write {key} = {words:?}");
        table.document().problem(offset, message);
        return None;
    }
    if !table.require(key) {
        return None;
    }
    let Located { value, offset } = table.texts(key)?;
    let argv: Vec<String> = value.into_iter().map(|word| word.value).collect();
    if argv.first().is_none_or(|program| program.is_empty()) {
        let message = format!("{key:?}{} names no program; write {key} = {example:?}", table.within());
        table.document().problem(offset, message);
        return None;
    }
    if argv.iter().any(|word| word.contains('\0')) {
        table.document().problem(offset, format!("{key:?} holds a NUL character; no command can take it"));
        return None;
    }
    Some(argv)
}

/// The texts under `key`, each of which passes `check` or is recorded with what is wrong with it.
pub(super) fn checked(table: &Fields<'_, '_>, key: &str, check: fn(&str) -> Result<(), &'static str>) -> Vec<String> {
    let items = table.texts(key).map(|list| list.value).unwrap_or_default();
    for Located { value, offset } in &items {
        if let Err(wrong) = check(value) {
            table.document().problem(*offset, format!("{value:?} {wrong}"));
        }
    }
    items.into_iter().map(|item| item.value).collect()
}

pub(super) fn inside(path: &str) -> Result<(), &'static str> {
    let inside = !path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| part != "..");
    if inside { Ok(()) } else { Err("must be a path inside the repository, without \"..\"") }
}

fn outside(path: &str) -> Result<(), &'static str> {
    let below = path.strip_prefix("~/").or_else(|| path.strip_prefix('/')).unwrap_or("");
    let plain =
        below.split('/').any(|part| !part.is_empty() && part != ".") && below.split('/').all(|part| part != "..");
    let message = "must be a directory below \"/\" or \"~/\", without \"..\"; the worktree can be written in anyway";
    if plain { Ok(()) } else { Err(message) }
}

pub(super) fn variable(name: &str) -> Result<(), &'static str> {
    let message = "is not the name of an environment variable; \"env\" lists names to pass on, without values";
    if provider::is_variable(name) { Ok(()) } else { Err(message) }
}
