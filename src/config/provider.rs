//! Where models are served: the `[providers.<name>]` tables of the person's file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document::{Fields, Located};
use super::problem::suggestion;

const KINDS: [&str; 2] = ["openai-chat", "script"];

/// How to reach the models of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderConfig {
    /// A server that speaks OpenAI Chat Completions.
    OpenAiChat {
        /// The URL before `/chat/completions`, without a slash at its end.
        base_url: String,
        /// The environment variable with the key; none for a server without keys.
        api_key_env: Option<String>,
    },
    /// Replies played from files.
    Script {
        /// The directory of the replies.
        dir: PathBuf,
        /// How fast they are played; at once when none.
        chars_per_second: Option<u32>,
    },
}

/// The providers of a file that stands in `home`, each with the table's offset.
pub(super) fn read(top: &Fields<'_, '_>, home: &Path) -> BTreeMap<String, ProviderConfig> {
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

fn one(table: &Fields<'_, '_>, home: &Path) -> Option<ProviderConfig> {
    if let Some(secret) = table.keys().find(|key| matches!(key.value, "api_key" | "key" | "token")) {
        let message =
            "a key doesn't belong in a file: put it in an environment variable and name that in \"api_key_env\"";
        table.document().problem(secret.offset, message);
        return None;
    }
    let kind = table.required_text("kind")?;
    match kind.value.as_str() {
        "openai-chat" => {
            table.only(&["kind", "base_url", "api_key_env"]);
            let has_key = table.value("api_key_env").is_some();
            let (base_url, api_key_env) = (base_url(table), api_key_env(table));
            (api_key_env.is_some() == has_key).then_some(())?;
            Some(ProviderConfig::OpenAiChat { base_url: base_url?, api_key_env })
        }
        "script" => {
            table.only(&["kind", "dir", "chars_per_second"]);
            let chars_per_second = table.number("chars_per_second", 1..=1_000_000).and_then(|n| u32::try_from(n).ok());
            Some(ProviderConfig::Script { dir: home.join(table.required_text("dir")?.value), chars_per_second })
        }
        other => {
            let hint = suggestion(other, KINDS);
            table.document().problem(kind.offset, format!("unknown kind {other:?}{}; {hint}", table.within()));
            None
        }
    }
}

fn base_url(table: &Fields<'_, '_>) -> Option<String> {
    let Located { value, offset } = table.required_text("base_url")?;
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let wrong = match host {
        None | Some("") => "must be a URL such as \"https://api.openai.com/v1\"",
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
