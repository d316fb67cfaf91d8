//! What went wrong with a call, in the server's words or the transport's, and the next step.

use std::error::Error;
use std::io;

use reqwest::StatusCode;
use serde_json::Value;

use super::transport::Part;
use crate::domain::{KeySource, WireFormat};

/// The most of a server's message that is passed on, in bytes.
const WORDS: usize = 2 * 1024;

/// `text`, cut to at most `limit` bytes at a character, with a mark if it was cut.
pub(super) fn excerpt(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let cut = (0..=limit).rev().find_map(|at| text.get(..at)).unwrap_or_default();
    format!("{cut}…")
}

/// The server's own words in the body of an error response, at most 2 KiB.
pub(super) fn words_of(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => words_in(&value),
        Err(_) => excerpt(String::from_utf8_lossy(body).trim(), WORDS),
    }
}

/// The message in an error as JSON: in `error.message`, `error`, `message` or `detail`, or else all of it.
pub(super) fn words_in(value: &Value) -> String {
    let named = ["error", "message", "detail"].iter().find_map(|name| value.get(name).filter(|found| !found.is_null()));
    match (value, named) {
        (Value::String(words), _) => excerpt(words.trim(), WORDS),
        (_, Some(inner)) => words_in(inner),
        (other, None) => excerpt(&other.to_string(), WORDS),
    }
}

/// The part for an error that came inside a stream.
pub(super) fn broken(error: &Value) -> Part {
    Part::Broken { words: words_in(error), temporary: is_temporary(error) }
}

/// Whether an error inside a stream would have been a status that is worth another attempt.
fn is_temporary(error: &Value) -> bool {
    let named = |name: &str| error.get(name).filter(|value| !value.is_null());
    let number = named("code").and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let words = ["code", "type", "status"].iter().filter_map(|name| named(name)?.as_str());
    // By vendor: Anthropic's types, OpenAI's codes and types, Google's statuses.
    const WORDS: [&str; 12] = [
        "overloaded_error",
        "rate_limit_error",
        "api_error",
        "timeout_error",
        "server_error",
        "rate_limit_exceeded",
        "server_is_overloaded",
        "slow_down",
        "UNAVAILABLE",
        "INTERNAL",
        "RESOURCE_EXHAUSTED",
        "DEADLINE_EXCEEDED",
    ];
    let temporary = number.is_some_and(|code| matches!(code, 408 | 409 | 429 | 500..=599));
    (temporary || words.clone().any(|word| WORDS.contains(&word))) && !is_spent(error)
}

/// Whether an error says that no waiting helps: the money is spent, or the quota bought with it.
pub(super) fn is_spent(error: &Value) -> bool {
    let error = error.get("error").unwrap_or(error);
    ["code", "type"].iter().filter_map(|name| error.get(name)?.as_str()).any(|word| {
        matches!(
            word,
            "insufficient_quota" | "enforced_spend_limit_reached" | "billing_hard_limit_reached" | "billing_error"
        )
    })
}

/// Who was asked for what.
pub(super) struct Asked<'a> {
    /// The provider's name in the configuration.
    pub(super) provider: &'a str,
    /// What the server speaks.
    pub(super) format: WireFormat,
    /// The address of the request.
    pub(super) url: &'a str,
    /// The address at which the server lists its models.
    pub(super) list: String,
    /// Where the key is from.
    pub(super) key: Option<&'a KeySource>,
    /// The model asked for.
    pub(super) model: &'a str,
}

impl Asked<'_> {
    /// The message for a response of this status.
    pub(super) fn refused(&self, status: StatusCode, words: &str) -> String {
        let words = if words.is_empty() { "it gave no reason" } else { words };
        let next = self.next_step(status, words);
        format!("{} answered {}: {words}{next}", self.url, title(status))
    }

    fn next_step(&self, status: StatusCode, words: &str) -> String {
        let Self { provider, model, list, .. } = self;
        let says = |word: &str| words.to_ascii_lowercase().contains(word);
        match (status.as_u16(), self.key) {
            // Google answers 400 to a wrong key.
            (401 | 403, Some(key)) => format!("\nCheck the key in {key}."),
            (400, Some(key)) if says("api key") => format!("\nCheck the key in {key}."),
            (401 | 403, None) => {
                format!("\nIt wants a key: name the variable that holds it as api_key_env of provider {provider:?}.")
            }
            (404, _) => format!(
                "\nCheck the model's name, {model:?} (the server lists its models at {list}), and base_url of provider \
                 {provider:?} (it should look like {}).",
                self.format.base_url()
            ),
            (400, _) if says("model") => {
                format!("\nCheck the model's name, {model:?}: the server lists its models at {list}.")
            }
            (429, ..) if words.contains("quota") => "\nCheck the account's plan and billing.".to_owned(),
            (429, ..) => "\nWait a little before you ask again.".to_owned(),
            (500.., ..) => "\nThe fault is the server's: ask again later.".to_owned(),
            _ => String::new(),
        }
    }

    /// The message for a redirect, which is never followed.
    pub(super) fn redirected(&self, status: StatusCode, location: &str) -> String {
        let (url, provider) = (self.url, self.provider);
        let location = if location.is_empty() { "an address it does not name" } else { location };
        format!(
            "{url} answered {status} and points to {}, which was not followed, to keep key and prompt where they were \
             sent.\nIf that address is right, correct base_url of provider {provider:?}.",
            excerpt(location, WORDS)
        )
    }

    /// The message for a request that got no response.
    pub(super) fn unreachable(&self, error: &reqwest::Error) -> String {
        let (url, provider) = (self.url, self.provider);
        let next = if is_refused(error) {
            format!("Is the server running? Otherwise correct base_url of provider {provider:?}.")
        } else if error.is_dns() {
            format!("Check the network and the name in base_url of provider {provider:?}.")
        } else if is_tls(error) {
            format!("Its TLS can't be trusted or isn't TLS: check base_url of provider {provider:?} (http or https?).")
        } else {
            "Check the network and ask again.".to_owned()
        };
        format!("failed to reach {url}: {}.\n{next}", root_cause(error))
    }
}

/// Whether a request that got no response may get one the next time.
pub(super) fn may_pass(error: &reqwest::Error) -> bool {
    !error.is_builder() && !is_tls(error)
}

/// A status as people read it; the one that only Anthropic sends has no name of its own.
fn title(status: StatusCode) -> String {
    match status.as_u16() {
        529 => "529 Overloaded".to_owned(),
        _ => status.to_string(),
    }
}

/// The innermost error: the outer ones only say that a request was made.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// `error` and what caused it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn is_refused(error: &reqwest::Error) -> bool {
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    causes(error).filter_map(|error| error.downcast_ref()).any(refused)
}

fn is_tls(error: &reqwest::Error) -> bool {
    // An `io::Error` that wraps another error hides it from `source`.
    fn holds_tls(error: &(dyn Error + 'static)) -> bool {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error.is::<rustls::Error>() || wrapped.is_some_and(|inner| holds_tls(inner))
    }
    causes(error).any(holds_tls)
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::{Asked, KeySource, WireFormat, excerpt, is_temporary, words_of};

    #[test]
    fn the_servers_words_are_found_in_every_form() {
        for (body, words) in [
            (&include_bytes!("../../tests/fixtures/wire/openai-error-400.json")[..], "'messages' is required"),
            (br#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
            (br#"{"detail":"Not Found"}"#, "Not Found"),
            (br#"{"object":"error","message":"too long","code":400}"#, "too long"),
            (br#"{"detail":[{"msg":"field required"}]}"#, r#"[{"msg":"field required"}]"#),
            (br#"{"error":null,"oops":1}"#, r#"{"error":null,"oops":1}"#),
            (b"  Bad gateway\n", "Bad gateway"),
            (b"", ""),
        ] {
            assert_eq!(words_of(body), words);
        }
        assert!(words_of("é".repeat(9000).as_bytes()).len() < 2100);
        assert_eq!(excerpt("aé", 2), "a…");
    }

    #[test]
    fn the_next_step_fits_the_fault() {
        let (url, list) = ("http://h/v1/chat/completions", "http://h/v1/models");
        let (variable, format) = (KeySource::Env("MY_KEY".into()), WireFormat::OpenAiChat);
        let asked = |key| Asked { provider: "local", format, url, list: list.to_owned(), key, model: "m" };
        let key = Some(&variable);
        for (status, key, words, expected) in [
            (401, key, "no", "Check the key in MY_KEY."),
            (401, None, "no", "name the variable that holds it as api_key_env of provider \"local\""),
            (400, key, "API key not valid", "Check the key in MY_KEY."),
            (404, None, "no", "it should look like https://api.openai.com/v1"),
            (404, None, "no", "Check the model's name, \"m\" (the server lists its models at http://h/v1/models)"),
            (400, None, "Unknown Model", "\"m\": the server lists its models at http://h/v1/models."),
            (429, None, "rate limit", "Wait a little"),
            (429, None, "You exceeded your current quota", "billing"),
            (503, None, "", "503 Service Unavailable: it gave no reason\nThe fault is the server's"),
            (529, None, "", "529 Overloaded: it gave"),
        ] {
            let message = asked(key).refused(StatusCode::from_u16(status).unwrap(), words);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn errors_inside_a_stream_are_temporary_or_not() {
        for (error, temporary) in [
            (json!({"type": "overloaded_error", "message": "Overloaded"}), true),
            (json!({"code": "rate_limit_exceeded"}), true),
            (json!({"code": 503, "status": "UNAVAILABLE"}), true),
            (json!({"code": "502"}), true),
            (json!({"code": 400, "status": "INVALID_ARGUMENT"}), false),
            (json!({"type": "invalid_request_error"}), false),
            (json!({"code": 429, "type": "insufficient_quota"}), false),
            (json!("model runner has stopped"), false),
        ] {
            assert_eq!(is_temporary(&error), temporary, "{error}");
        }
    }
}
