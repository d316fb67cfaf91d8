//! Sends finished spans to an OpenTelemetry collector: OTLP over HTTP, as JSON.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::CONTENT_TYPE;

use super::failure::{excerpt, root_cause};
use super::server::client_for;

/// Where collectors take traces, below their base address.
const PATH: &str = "v1/traces";

const CONNECT: Duration = Duration::from_secs(10);
const TOTAL: Duration = Duration::from_secs(60);

/// The most of a collector's words that a message quotes, in bytes.
const QUOTED: usize = 200;

/// A collector didn't take the spans.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Its address is none.
    #[error("{0:?} is not the address of a collector: write one such as http://127.0.0.1:4318")]
    Address(String),
    /// It can't be reached.
    #[error("failed to send to {url}: {why}; is the collector running, and does it take OTLP over HTTP?")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        why: String,
    },
    /// It says no.
    #[error("{url} answered {status}: {words}")]
    Refused {
        /// The address.
        url: String,
        /// The status line.
        status: String,
        /// Its own words.
        words: String,
    },
}

/// Sends one OTLP request for traces to the collector at this base address, or at this address of its traces.
///
/// # Errors
/// If the collector can't be reached or refuses.
pub async fn send_traces(endpoint: &str, json: String) -> Result<(), SendError> {
    let wrong = || SendError::Address(endpoint.to_owned());
    let base = endpoint.trim_end_matches('/');
    let whole = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}/{PATH}") };
    let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(wrong)?;
    let failed = |error: reqwest::Error| SendError::Unreachable { url: url.to_string(), why: root_cause(&error) };
    let client = client_for(&url, CONNECT).map_err(failed)?;
    let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").timeout(TOTAL).body(json);
    let response = request.send().await.map_err(failed)?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let words = response.text().await.unwrap_or_default();
    Err(SendError::Refused { url: url.into(), status: status.to_string(), words: excerpt(&words, QUOTED) })
}
