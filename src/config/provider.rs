//! Where models are served: the `[providers.<name>]` tables of the person's file.

use std::collections::BTreeMap;
use std::path::Path;

use super::document::{Fields, Located};
use super::layer;
use super::problem::suggestion;
use crate::domain::{KeySource, ProviderSpec, ServerSpec, WireFormat};

const COMMAND: &str = "command";
const AGENT: &str = "acp";
const SCRIPT: &str = "script";

/// The keys that say where a server's key is; a table has one of them at most.
pub(super) const KEY_SOURCES: [&str; 3] = ["api_key_env", "api_key_cmd", "api_key_file"];

/// The providers of a file that stands in `home`, each with the table's offset.
pub(super) fn read(top: &Fields<'_, '_>, home: &Path) -> BTreeMap<String, ProviderSpec> {
    let Some(tables) = top.table("providers") else { return BTreeMap::new() };
    let mut providers = BTreeMap::new();
    for Located { value: name, offset } in tables.keys() {
        if !is_name(name) {
            let message = format!("{name:?} can't name a provider: use letters, digits, \"-\", \"_\" and \".\"");
            tables.document().problem(offset, message);
        } else if let Some(provider) = tables.table(name).and_then(|table| one(&table, home)) {
            providers.insert(name.to_owned(), provider);
        }
    }
    providers
}

/// Whether `name` can name a provider, a gate or a probe: it stands in model ids, file names and on one line.
pub(super) fn is_name(name: &str) -> bool {
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    letters && name.len() <= 64 && name.bytes().any(|b| b.is_ascii_alphanumeric())
}

fn one(table: &Fields<'_, '_>, home: &Path) -> Option<ProviderSpec> {
    if let Some(secret) = table.keys().find(|key| matches!(key.value, "api_key" | "key" | "token")) {
        let message =
            "a key doesn't belong in a file: put it in an environment variable and name that in \"api_key_env\"";
        table.document().problem(secret.offset, message);
        return None;
    }
    let kind = table.required_text("kind")?;
    if let Some(format) = WireFormat::ALL.into_iter().find(|format| format.name() == kind.value) {
        return server(table, format, home);
    }
    match kind.value.as_str() {
        COMMAND => {
            table.only(&["kind", "argv"]);
            Some(ProviderSpec::Command { argv: layer::argv(table, "argv", &["llm", "-m", "{model}"])? })
        }
        AGENT => {
            table.only(&["kind", "argv", "env"]);
            let env = layer::checked(table, "env", layer::variable);
            Some(ProviderSpec::Agent { argv: layer::argv(table, "argv", &["gemini", "--acp"])?, env })
        }
        SCRIPT if table.value("cassette").is_some() => {
            table.only(&["kind", "cassette", "timed"]);
            let timed = table.truth("timed").unwrap_or_default();
            Some(ProviderSpec::Cassette { file: home.join(table.text("cassette")?.value), timed })
        }
        SCRIPT => {
            table.only(&["kind", "dir", "chars_per_second"]);
            let chars_per_second = table.number("chars_per_second", 1..=1_000_000).and_then(|n| u32::try_from(n).ok());
            Some(ProviderSpec::Script { dir: home.join(table.required_text("dir")?.value), chars_per_second })
        }
        other => {
            let hint =
                suggestion(other, WireFormat::ALL.map(WireFormat::name).into_iter().chain([COMMAND, AGENT, SCRIPT]));
            table.document().problem(kind.offset, format!("unknown kind {other:?}{}; {hint}", table.within()));
            None
        }
    }
}

fn server(table: &Fields<'_, '_>, format: WireFormat, home: &Path) -> Option<ProviderSpec> {
    table.only(&["kind", "base_url", "api_key_env", "api_key_cmd", "api_key_file"]);
    let named: Vec<_> = KEY_SOURCES.iter().filter_map(|key| Some((*key, table.value(key)?.offset))).collect();
    if let [_, (second, offset), ..] = named.as_slice() {
        let message = format!("{second:?}{} is one place too many for one key; keep one of them", table.within());
        table.document().problem(*offset, message);
    }
    let key = match named.first() {
        Some(("api_key_env", _)) => api_key_env(table).map(KeySource::Env),
        Some(("api_key_cmd", _)) => {
            layer::argv(table, "api_key_cmd", &["pass", "show", "openai"]).map(KeySource::Command)
        }
        Some(("api_key_file", _)) => table.text("api_key_file").map(|file| KeySource::File(home.join(file.value))),
        _ => None,
    };
    let base_url = base_url(table, format);
    // A server without its key would be another provider than the one that was meant.
    (key.is_some() || named.is_empty()).then_some(())?;
    Some(ProviderSpec::Server(ServerSpec { format, base_url: base_url?, key }))
}

fn base_url(table: &Fields<'_, '_>, format: WireFormat) -> Option<String> {
    let Located { value, offset } = table.required_text("base_url")?;
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let wrong = match host {
        None | Some("") => &format!("must be a URL such as {:?}", format.base_url()),
        // Not quoted back: what stands before the @ is a secret.
        Some(host) if host.contains('@') => {
            "must not hold a user or a password; name a key's variable in \"api_key_env\""
        }
        Some(_) if value.contains(['?', '#']) || value.contains(char::is_whitespace) => {
            "must be a plain URL, without query, fragment or white space"
        }
        Some(_) => return Some(value.trim_end_matches('/').to_owned()),
    };
    table.document().problem(offset, format!("\"base_url\"{} {wrong}", table.within()));
    None
}

fn api_key_env(table: &Fields<'_, '_>) -> Option<String> {
    let Located { value, offset } = table.text("api_key_env")?;
    if is_variable(&value) {
        return Some(value);
    }
    // Not quoted back: it may be the key itself.
    let message = "is the name of an environment variable, such as OPENAI_API_KEY, never the key itself";
    table.document().problem(offset, format!("\"api_key_env\"{} {message}", table.within()));
    None
}

/// Whether this is the name of an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
