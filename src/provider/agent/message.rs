//! The messages of the protocol, as far as this client speaks it: read leniently, written strictly.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

/// The version spoken.
pub(super) const VERSION: u64 = 1;

/// Error codes of JSON-RPC and of the protocol.
pub(super) const NO_METHOD: i64 = -32601;
pub(super) const BAD_PARAMS: i64 = -32602;
pub(super) const FAILED: i64 = -32603;
pub(super) const LOGIN_NEEDED: i64 = -32000;
pub(super) const NOT_FOUND: i64 = -32002;

/// A message from the agent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) id: Option<Value>,
    pub(super) method: Option<String>,
    pub(super) params: Value,
    pub(super) result: Option<Value>,
    pub(super) error: Option<Value>,
}

/// `fs/read_text_file`.
#[derive(Debug, Deserialize)]
pub(super) struct ReadFile {
    pub(super) path: PathBuf,
    /// From 1.
    pub(super) line: Option<usize>,
    pub(super) limit: Option<usize>,
}

/// `fs/write_text_file`.
#[derive(Debug, Deserialize)]
pub(super) struct WriteFile {
    pub(super) path: PathBuf,
    pub(super) content: String,
}

/// `session/request_permission`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    pub(super) tool_call: Value,
    pub(super) options: Vec<Choice>,
}

/// What a permission can be answered with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Choice {
    option_id: String,
    kind: String,
}

impl Permission {
    /// The answer. A yes is for this once: one for ever would leave nothing to ask for. None if the agent offers no such
    /// answer.
    pub(super) fn answer(&self, yes: bool) -> Option<Value> {
        let kinds: &[&str] = if yes { &["allow_once"] } else { &["reject_once", "reject_always"] };
        let choice = kinds.iter().find_map(|kind| self.options.iter().find(|choice| choice.kind == *kind))?;
        Some(json!({"outcome": {"outcome": "selected", "optionId": choice.option_id}}))
    }
}

/// The answer to a permission that is not given otherwise than by going on without.
pub(super) fn no_permission() -> Value {
    json!({"outcome": {"outcome": "cancelled"}})
}

/// A tool that the agent uses: what is known of it so far.
#[derive(Debug, Default)]
pub(super) struct Tool {
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) is_open: bool,
    locations: Vec<PathBuf>,
    diffs: Vec<PathBuf>,
}

impl Tool {
    /// Takes over what a `tool_call` or an update of one says.
    pub(super) fn learn(&mut self, said: &Value) {
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        if let Some(title) = text("title") {
            title.clone_into(&mut self.title);
        }
        if let Some(kind) = text("kind") {
            kind.clone_into(&mut self.kind);
        }
        if let Some(status) = text("status") {
            self.is_open = matches!(status, "pending" | "in_progress");
        }
        let paths = |name: &str, wanted: fn(&Value) -> bool| {
            let items = said.get(name)?.as_array()?.iter().filter(|item| wanted(item));
            Some(items.filter_map(|item| item.get("path")?.as_str().map(PathBuf::from)).collect::<Vec<_>>())
        };
        if let Some(locations) = paths("locations", |_| true) {
            self.locations = locations;
        }
        if let Some(diffs) = paths("content", |item| item.get("type").is_some_and(|kind| kind == "diff")) {
            self.diffs = diffs;
        }
    }

    /// The files it is about.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.locations.iter().chain(&self.diffs)
    }

    /// Whether it says how it would change a file.
    pub(super) fn has_diff(&self) -> bool {
        !self.diffs.is_empty()
    }
}

/// The first request: what this client can do. Terminals it can't: nothing would hold what runs in them.
pub(super) fn initialize() -> Value {
    json!({
        "protocolVersion": VERSION,
        "clientCapabilities": {"fs": {"readTextFile": true, "writeTextFile": true}, "terminal": false},
        "clientInfo": {"name": "windlass", "title": "Windlass", "version": env!("CARGO_PKG_VERSION")},
    })
}

/// A line with a request.
pub(super) fn request(id: u64, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// A line with a notification.
pub(super) fn notification(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// A line with an answer.
pub(super) fn result(id: &Value, result: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()
}

/// A line with a refusal.
pub(super) fn error(id: &Value, code: i64, message: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).to_string()
}
