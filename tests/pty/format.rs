//! The wire formats as the servers of the tests speak them: how a reply is streamed, and where in a request is what.

use serde_json::{Value, json};

/// How a reply is streamed: the JSON of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Chat,
    Responses,
    Messages,
    Gemini,
    Ollama,
}

impl Format {
    /// The format that a request of this head speaks.
    pub(crate) fn of(head: &str) -> Self {
        match head.split(' ').nth(1) {
            Some(path) if path.ends_with("/messages") => Self::Messages,
            Some(path) if path.ends_with("/chat/completions") => Self::Chat,
            Some(path) if path.ends_with("/responses") => Self::Responses,
            Some(path) if path.ends_with(":streamGenerateContent?alt=sse") => Self::Gemini,
            Some(path) if path.ends_with("/api/chat") => Self::Ollama,
            path => panic!("nothing is at {path:?}"),
        }
    }

    /// The word in configuration files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chat => "openai-chat",
            Self::Responses => "openai-responses",
            Self::Messages => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    /// The content type of a stream.
    pub(crate) fn content_type(self) -> &'static str {
        if self == Self::Ollama { "application/x-ndjson" } else { "text/event-stream" }
    }

    /// The model that a request asks for, and whether it asks for a stream.
    pub(crate) fn asked(self, head: &str, body: &Value) -> (String, bool) {
        if self == Self::Gemini {
            let model = head.split_once("/models/").and_then(|(_, rest)| rest.split_once(':'));
            return (model.map(|(model, _)| model.to_owned()).unwrap_or_default(), head.contains("?alt=sse"));
        }
        (body["model"].as_str().unwrap_or_default().to_owned(), body["stream"] == true)
    }

    /// The user's message in a request.
    pub(crate) fn prompt(self, body: &Value) -> String {
        let text = match self {
            Self::Chat | Self::Messages | Self::Ollama => {
                let messages = body["messages"].as_array().unwrap();
                &messages.iter().find(|message| message["role"] == "user").unwrap()["content"]
            }
            Self::Responses => &body["input"],
            Self::Gemini => &body["contents"][0]["parts"][0]["text"],
        };
        text.as_str().unwrap().to_owned()
    }

    pub(crate) fn begins(self) -> Vec<Value> {
        match self {
            Self::Chat => vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)],
            Self::Responses => {
                let response = json!({"id": "r", "status": "in_progress", "model": "m", "output": []});
                vec![json!({"type": "response.created", "sequence_number": 0, "response": response})]
            }
            Self::Messages => {
                let usage = json!({"input_tokens": 1200, "output_tokens": 1});
                let message = json!({"id": "m", "role": "assistant", "content": [], "usage": usage});
                let block = json!({"type": "text", "text": ""});
                vec![
                    json!({"type": "message_start", "message": message}),
                    json!({"type": "content_block_start", "index": 0, "content_block": block}),
                    json!({"type": "ping"}),
                ]
            }
            Self::Gemini | Self::Ollama => Vec::new(),
        }
    }

    pub(crate) fn says(self, word: &str) -> Value {
        match self {
            Self::Chat => chunk(json!({"content": word}), Value::Null),
            Self::Responses => json!({"type": "response.output_text.delta", "delta": word}),
            Self::Messages => {
                let delta = json!({"type": "text_delta", "text": word});
                json!({"type": "content_block_delta", "index": 0, "delta": delta})
            }
            Self::Gemini => candidate(json!({"content": {"role": "model", "parts": [{"text": word}]}, "index": 0})),
            Self::Ollama => json!({"message": {"role": "assistant", "content": word}, "done": false}),
        }
    }

    pub(crate) fn ends(self) -> Vec<Value> {
        match self {
            Self::Chat => {
                let usage = json!({"prompt_tokens": 1200, "completion_tokens": 34, "total_tokens": 1234});
                vec![chunk(json!({}), json!("stop")), json!({"id": "c", "choices": [], "usage": usage})]
            }
            Self::Responses => {
                let usage = json!({"input_tokens": 1200, "output_tokens": 34, "total_tokens": 1234});
                let response = json!({"id": "r", "status": "completed", "output": [], "usage": usage});
                vec![json!({"type": "response.completed", "response": response})]
            }
            Self::Messages => {
                let (delta, usage) = (json!({"stop_reason": "end_turn"}), json!({"output_tokens": 34}));
                vec![
                    json!({"type": "content_block_stop", "index": 0}),
                    json!({"type": "message_delta", "delta": delta, "usage": usage}),
                    json!({"type": "message_stop"}),
                ]
            }
            Self::Gemini => {
                let counts = json!({"promptTokenCount": 1200, "candidatesTokenCount": 34, "totalTokenCount": 1234});
                let mut last = candidate(json!({"finishReason": "STOP", "index": 0}));
                last["usageMetadata"] = counts;
                vec![last]
            }
            Self::Ollama => {
                let message = json!({"role": "assistant", "content": ""});
                let (read, said) = (1200, 34);
                vec![json!({
                    "message": message, "done": true, "done_reason": "stop",
                    "prompt_eval_count": read, "eval_count": said,
                })]
            }
        }
    }

    /// An event as it stands in the stream.
    pub(crate) fn framed(self, data: &Value) -> String {
        if self == Self::Ollama {
            return format!("{data}\n");
        }
        let name = data["type"].as_str().map(|name| format!("event: {name}\n")).unwrap_or_default();
        format!("{name}data: {data}\n\n")
    }
}

fn candidate(candidate: Value) -> Value {
    json!({"candidates": [candidate], "modelVersion": "m"})
}

fn chunk(delta: Value, finish_reason: Value) -> Value {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish_reason});
    json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})
}
