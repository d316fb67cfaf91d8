//! What went wrong with a call, in the server's words or the transport's, and the next step.

use std::error::Error;
use std::io;

use reqwest::StatusCode;
use serde_json::Value;

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

/// Who was asked for what.
pub(super) struct Asked<'a> {
    /// The provider's name in the configuration.
    pub(super) provider: &'a str,
    /// The address of the request.
    pub(super) url: &'a str,
    /// The address at which the server lists its models.
    pub(super) list: &'a str,
    /// The variable that holds the key.
    pub(super) key_env: Option<&'a str>,
    /// The model asked for.
    pub(super) model: &'a str,
}

impl Asked<'_> {
    /// The message for a response of this status.
    pub(super) fn refused(&self, status: StatusCode, words: &str) -> String {
        let words = if words.is_empty() { "it gave no reason" } else { words };
        let next = self.next_step(status, words);
        format!("{} answered {status}: {words}{next}", self.url)
    }

    fn next_step(&self, status: StatusCode, words: &str) -> String {
        let Self { provider, model, list, .. } = self;
        match (status.as_u16(), self.key_env) {
            (401 | 403, Some(variable)) => format!("\nCheck the key in {variable}."),
            (401 | 403, None) => {
                format!("\nIt wants a key: name the variable that holds it as api_key_env of provider {provider:?}.")
            }
            (404, _) => format!(
                "\nCheck the model's name, {model:?} (the server lists its models at {list}), and base_url of provider \
                 {provider:?} (most end in /v1)."
            ),
            (400, _) if words.to_ascii_lowercase().contains("model") => {
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

    use super::{Asked, excerpt, words_of};

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
        let asked = |key_env| Asked { provider: "local", url, list, key_env, model: "m" };
        for (status, key, words, expected) in [
            (401, Some("MY_KEY"), "no", "Check the key in MY_KEY."),
            (401, None, "no", "name the variable that holds it as api_key_env of provider \"local\""),
            (404, None, "no", "most end in /v1"),
            (404, None, "no", "Check the model's name, \"m\" (the server lists its models at http://h/v1/models)"),
            (400, None, "Unknown Model", "\"m\": the server lists its models at http://h/v1/models."),
            (429, None, "rate limit", "Wait a little"),
            (429, None, "You exceeded your current quota", "billing"),
            (503, None, "", "503 Service Unavailable: it gave no reason\nThe fault is the server's"),
        ] {
            let message = asked(key).refused(StatusCode::from_u16(status).unwrap(), words);
            assert!(message.contains(expected), "{message}");
        }
    }
}
