//! The words in a body that went over the wire: the texts of its JSON, wherever a format has them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::StoredExchange;

/// Fields whose words nobody says: they would be found in every call.
const LABELS: &[&str] = &[
    "id",
    "item_id",
    "responseId",
    "type",
    "event",
    "object",
    "role",
    "model",
    "modelVersion",
    "status",
    "finish_reason",
    "finishReason",
    "stop_reason",
    "done_reason",
    "created_at",
    "service_tier",
    "system_fingerprint",
    "signature",
    "obfuscation",
    "encrypted_content",
];

impl StoredExchange {
    /// What was sent in all attempts, text by text.
    pub fn prompts(&self) -> impl Iterator<Item = String> {
        // An agent is told more after the request.
        let more = |attempt: &Self| -> Vec<u8> {
            attempt.sent.iter().flat_map(|(_, part)| part.bytes.iter().copied()).collect()
        };
        self.attempts().flat_map(move |attempt| {
            let asked = attempt.request.as_ref().map(|sent| said(&sent.body)).unwrap_or_default();
            asked.into_iter().chain(said(&more(attempt)))
        })
    }

    /// What was sent in the last attempt, what is for the system first.
    pub fn last_prompt(&self) -> Vec<String> {
        let Some(sent) = &self.request else { return Vec::new() };
        let mut texts: Vec<(String, String)> = places(&sent.body).into_iter().collect();
        texts.sort_by_key(|(place, _)| !["system", "instructions"].iter().any(|word| place.contains(word)));
        texts.into_iter().map(|(_, text)| text).collect()
    }

    /// What came in all attempts, text by text.
    pub fn replies(&self) -> impl Iterator<Item = String> {
        self.attempts().flat_map(|attempt| said(&attempt.body()))
    }

    /// The body of what came, in one piece.
    pub fn body(&self) -> Vec<u8> {
        self.chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect()
    }

    fn attempts(&self) -> impl Iterator<Item = &Self> {
        self.earlier.iter().chain([self])
    }
}

/// What a body says, text by text.
fn said(body: &[u8]) -> Vec<String> {
    places(body).into_values().collect()
}

/// The texts of a body's JSON by the names that lead to them, those of a stream put together place by place, for they
/// come in pieces. What isn't JSON says what it is.
fn places(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let mut places = BTreeMap::new();
    let mut add = |document: &Value| {
        if !(document.is_object() || document.is_array()) {
            return;
        }
        let mut here = BTreeMap::new();
        gather(document, "", &mut here);
        for (place, text) in here {
            places.entry(place).or_insert_with(String::new).push_str(&text);
        }
    };
    match serde_json::from_str(&text) {
        Ok(whole) => add(&whole),
        // One event after the other: all of them at once would take many times the memory of the reply.
        Err(_) => {
            let events = text.lines().filter_map(|line| serde_json::from_str(line.trim_start_matches("data:")).ok());
            events.for_each(|event| add(&event));
        }
    }
    if places.is_empty() {
        places.insert(String::new(), text.into_owned());
    }
    places
}

/// Adds the texts of a document by the names that lead to them; neighbours in a list are lines of one text.
fn gather(value: &Value, place: &str, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| !LABELS.contains(&name.as_str())) {
                gather(value, &format!("{place}.{name}"), texts);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, place, texts)),
        Value::String(words) => {
            let text = texts.entry(place.to_owned()).or_default();
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(words);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
