//! Every wire format: recordings of a real server, and the same answer streamed and in one piece, split everywhere.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use tokio_util::sync::CancellationToken;

use super::super::testing::{self, FakeServer, Said, Seen, Step, Witness, call, once, stream_head};
use crate::domain::{Digest, End, KeySource, ProviderSpec, ServerSpec, Usage, WireFormat};
use crate::provider::{Call, Provider};

const CHAT: &[u8] = include_bytes!("../../../tests/fixtures/wire/openai-chat.sse");
const SCHEMA: &[u8] = include_bytes!("../../../tests/fixtures/wire/openai-chat-json-schema.sse");
const DOCUMENT: &[u8] = include_bytes!("../../../tests/fixtures/wire/openai-chat.json");
const LENGTH: &[u8] = include_bytes!("../../../tests/fixtures/wire/openai-chat-length.json");
const RESPONSES: &[u8] = include_bytes!("../../../tests/fixtures/wire/openai-responses.sse");
const MESSAGES: &[u8] = include_bytes!("../../../tests/fixtures/wire/anthropic-messages.sse");

/// What finishes the chat completion of the samples.
const STOP: &[u8] = br#""finish_reason":"stop"}]}"#;

/// An answer of one format: as a stream, and in one piece.
struct Sample {
    format: WireFormat,
    stream: String,
    document: &'static str,
    /// Where in the stream the reply becomes complete, as the text there.
    complete_at: &'static str,
}

/// The same answer in every format: some reasoning, "Yes, é 🦀.", and the same counts.
fn samples() -> [Sample; 5] {
    let events = |events: &[&str]| events.iter().map(|data| format!("data: {data}\n\n")).collect::<String>();
    let named = |lines: &[(&str, &str)]| {
        lines.iter().map(|(name, data)| format!("event: {name}\r\ndata: {data}\r\n\r\n")).collect::<String>()
    };
    [
        Sample {
            format: WireFormat::OpenAiChat,
            stream: events(&[
                r#"{"model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"Let me"}}]}"#,
                r#"{"model":"m-1","choices":[{"index":0,"delta":{"reasoning_content":" see"}}]}"#,
                r#"{"model":"m-1","choices":[{"index":0,"delta":{"content":"Yes, é "}}]}"#,
                r#"{"model":"m-1","choices":[{"index":0,"delta":{"content":"\ud83e\udd80."},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42,"prompt_tokens_details":{"cached_tokens":25},"completion_tokens_details":{"reasoning_tokens":5}}}"#,
                "[DONE]",
            ]),
            document: r#"{"model":"m-1","choices":[{"index":0,"message":{"reasoning":"Let me see","content":"Yes, é 🦀."},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":12,"prompt_tokens_details":{"cached_tokens":25},"completion_tokens_details":{"reasoning_tokens":5}}}"#,
            complete_at: "[DONE]",
        },
        Sample {
            format: WireFormat::OpenAiResponses,
            stream: named(&[
                ("response.created", r#"{"type":"response.created","sequence_number":0,"response":{"id":"r","status":"in_progress","model":"m-1","output":[]}}"#),
                ("response.reasoning_summary_text.delta", r#"{"type":"response.reasoning_summary_text.delta","delta":"Let me see"}"#),
                ("response.future_event", r#"{"type":"response.future_event","delta":"unknown"}"#),
                ("response.output_text.delta", r#"{"type":"response.output_text.delta","delta":"Yes, é "}"#),
                ("response.output_text.delta", r#"{"type":"response.output_text.delta","delta":"🦀."}"#),
                ("response.output_text.done", r#"{"type":"response.output_text.done","text":"Yes, é 🦀."}"#),
                ("response.completed", r#"{"type":"response.completed","response":{"status":"completed","model":"m-1","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"Let me see"}]},{"type":"message","content":[{"type":"output_text","text":"Yes, é 🦀."}]}],"usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":25},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":42}}}"#),
            ]),
            document: r#"{"id":"r","object":"response","status":"completed","error":null,"incomplete_details":null,"model":"m-1","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"Let me see"}]},{"type":"message","content":[{"type":"output_text","text":"Yes, é 🦀."}]}],"usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":25},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":5}}}"#,
            complete_at: "response.completed\",\"response",
        },
        Sample {
            format: WireFormat::Anthropic,
            stream: named(&[
                ("message_start", r#"{"type":"message_start","message":{"type":"message","model":"m-1","content":[],"stop_reason":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":2,"cache_read_input_tokens":25,"output_tokens":1}}}"#),
                ("ping", r#"{"type":"ping"}"#),
                ("content_block_start", r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#),
                ("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me see"}}"#),
                ("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x="}}"#),
                ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
                ("content_block_start", r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#),
                ("content_block_delta", r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Yes, é "}}"#),
                ("content_block_delta", r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"🦀."}}"#),
                ("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":null,"output_tokens":12,"output_tokens_details":{"thinking_tokens":5}}}"#),
                ("message_stop", r#"{"type":"message_stop"}"#),
            ]),
            document: r#"{"type":"message","role":"assistant","model":"m-1","content":[{"type":"thinking","thinking":"Let me see","signature":"x="},{"type":"text","text":"Yes, é 🦀."}],"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_creation_input_tokens":2,"cache_read_input_tokens":25,"output_tokens":12,"output_tokens_details":{"thinking_tokens":5}}}"#,
            complete_at: "message_stop\"}",
        },
        Sample {
            format: WireFormat::Gemini,
            stream: events(&[
                r#"{"candidates":[{"content":{"parts":[{"text":"Let me see","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":30,"cachedContentTokenCount":25,"totalTokenCount":33,"thoughtsTokenCount":3},"modelVersion":"m-1"}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"Yes, é "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":30,"candidatesTokenCount":4,"thoughtsTokenCount":5},"modelVersion":"m-1"}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"🦀.","thoughtSignature":"x="}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":30,"candidatesTokenCount":7,"thoughtsTokenCount":5,"totalTokenCount":42},"modelVersion":"m-1"}"#,
            ]),
            document: r#"[{"candidates":[{"content":{"parts":[{"text":"Let me see","thought":true},{"text":"Yes, é "}]}}],"modelVersion":"m-1"}
,
{"candidates":[{"content":{"parts":[{"text":"🦀."}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":30,"cachedContentTokenCount":25,"candidatesTokenCount":7,"thoughtsTokenCount":5}}]"#,
            complete_at: "totalTokenCount\":42},\"modelVersion\":\"m-1\"}",
        },
        Sample {
            format: WireFormat::Ollama,
            stream: [
                r#"{"model":"m-1","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"Let me see"},"done":false}"#,
                r#"{"model":"m-1","message":{"role":"assistant","content":"Yes, é "},"done":false}"#,
                r#"{"model":"m-1","message":{"role":"assistant","content":"🦀."},"done":false}"#,
                r#"{"model":"m-1","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":30,"eval_count":12}"#,
            ].map(|line| format!("{line}\n")).concat(),
            document: r#"{"model":"m-1","message":{"role":"assistant","content":"Yes, é 🦀.","thinking":"Let me see"},"done":true,"done_reason":"stop","prompt_eval_count":30,"eval_count":12}"#,
            complete_at: "\"eval_count\":12}",
        },
    ]
}

/// What every sample says.
fn said(format: WireFormat) -> Said {
    let details = format != WireFormat::Ollama;
    let usage =
        Usage { input: Some(30), output: Some(12), cached: details.then_some(25), reasoning: details.then_some(5) };
    let (text, reasoning, model) = ("Yes, é 🦀.".into(), "Let me see".into(), "m-1".into());
    Said { text, reasoning, end: End::Complete, usage, model }
}

#[test]
fn recordings_say_what_the_model_said() {
    let usage = |input, output, cached| Usage {
        input: Some(input),
        output: Some(output),
        cached: Some(cached),
        reasoning: None,
    };
    let (chat, responses, anthropic) = (WireFormat::OpenAiChat, WireFormat::OpenAiResponses, WireFormat::Anthropic);
    let chats = "<|im_end|>user\n<|im_start|>user\n<|im_end|>assistant\n<|im_end|>";
    // The long one is the same two lines over and over.
    let long = testing::read(chat, [LENGTH], true).text;
    assert!(long.len() == 7015 && long.starts_with("<|im_end|>\n<|im_start|>") && long.ends_with("<|im_start|>"));
    for (format, bytes, text, end, counted) in [
        (chat, CHAT, &*format!("{chats}user\n<|im_end|>user\n"), "reached", usage(36, 40, 0)),
        (chat, SCHEMA, "{\n    \"severity\": \"note\",\n    \"line\": 1037314062919391\n}", "", usage(30, 48, 1)),
        (chat, DOCUMENT, "Hi<|im_end|>\n<|", "reached", usage(25, 10, 1)),
        (chat, LENGTH, &long, "reached", usage(9, 4087, 1)),
        (
            responses,
            RESPONSES,
            "List three risks of a cache.<|im_end|>\n<|im_start|>assistant\n<|im_end|>user\nList",
            "",
            usage(30, 30, 1),
        ),
        (anthropic, MESSAGES, chats, "reached", usage(30, 30, 25)),
    ] {
        let whole = testing::read(format, [bytes], true);
        assert_eq!(whole.text, text);
        match &whole.end {
            End::Complete => assert_eq!(end, ""),
            End::Truncated(why) => assert!(!end.is_empty() && why.ends_with(end), "{why}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(whole.usage, counted);
        assert_eq!(whole.model, "gemma-3-270m");
        for size in [1, 2, 3, 64] {
            assert_eq!(testing::read(format, bytes.chunks(size), true), whole, "in pieces of {size}");
        }
        for at in (0..bytes.len()).filter(|at| at % 61 == 0 || at + 64 > bytes.len()) {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(testing::read(format, [head, tail], true), whole, "split at {at}");
        }
    }
}

#[test]
fn every_format_says_the_same_streamed_or_not_wherever_it_is_split() {
    for Sample { format, stream, document, .. } in samples() {
        for bytes in [stream.as_bytes(), document.as_bytes()] {
            for at in 0..bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(testing::read(format, [head, tail], true), said(format), "{format:?} split at {at}");
            }
            assert_eq!(testing::read(format, bytes.chunks(1), true), said(format), "{format:?} byte by byte");
        }
    }
}

#[test]
fn no_part_of_a_reply_is_taken_for_all_of_it() {
    for Sample { format, stream, document, complete_at } in samples() {
        let complete = stream.rfind(complete_at).unwrap() + complete_at.len();
        for at in 0..complete {
            let end = testing::read(format, [&stream.as_bytes()[..at]], true).end;
            // Nothing but counts and `[DONE]` follow the finish reason of a chat completion.
            let finished = format == WireFormat::OpenAiChat
                && stream.as_bytes()[..at].windows(STOP.len()).any(|part| part == STOP);
            let partial = matches!(end, End::Truncated(_)) || (finished && end == End::Complete);
            assert!(partial, "{format:?} cut at {at}: {end:?}");
            let unmarked = testing::read(format, [&stream.as_bytes()[..at]], false).end;
            assert!(matches!(unmarked, End::Truncated(_)), "{format:?} cut at {at}, unmarked: {unmarked:?}");
        }
        for at in (0..document.trim_end().len()).filter(|at| document.is_char_boundary(*at)) {
            let end = testing::read(format, [&document.as_bytes()[..at]], true).end;
            assert!(matches!(end, End::Truncated(_)), "{format:?} document cut at {at}: {end:?}");
        }
        assert_eq!(testing::read(format, [document.as_bytes()], false).end, End::Complete, "{format:?}");
        // Gemini has no terminator of its own: the response's framing must mark its end.
        let unmarked = testing::read(format, [stream.as_bytes()], false).end;
        assert_eq!(unmarked == End::Complete, format != WireFormat::Gemini, "{format:?}: {unmarked:?}");
    }
}

#[test]
fn every_bad_end_is_told_as_what_it_is() {
    let truncated = |words: &'static str| (words, true);
    let failed = |words: &'static str| (words, false);
    for (format, lines, (words, cut)) in [
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#,
            truncated("output limit"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}"#,
            truncated("filter stopped"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"The model broke"}}}"#,
            failed("the server broke off: The model broke"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"error","code":"rate_limit_exceeded","message":"Slow down","param":null}"#,
            failed("the server broke off: Slow down"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"error","error":{"code":"x","message":"Nested"}}"#,
            failed("the server broke off: Nested"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"error":{"message":"Not streamed"}}"#,
            failed("the server broke off: Not streamed"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"response.output_text.delta","delta":7}"#,
            failed("event 1 of the stream is not a piece of a response"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"response.completed","response":{"status":"completed","output":[{"content":[{"type":"refusal","refusal":"I won't."}]}]}}"#,
            failed("the model refused: I won't."),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"response.completed","response":{"status":"queued"}}"#,
            truncated("queued, not the end"),
        ),
        (
            WireFormat::OpenAiResponses,
            r#"{"type":"response.output_text.delta","delta":"x"}"#,
            truncated("without response.completed"),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#,
            truncated("output limit"),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"message_delta","delta":{"stop_reason":"model_context_window_exceeded"}}"#,
            truncated("context was reached"),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"}}"#,
            truncated("tool_use, not the end"),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"message_delta","delta":{"stop_reason":"pause_turn"}}"#,
            truncated("pause_turn, not the end"),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"category":"cyber","explanation":"Not this."}}}"#,
            failed("the model refused: Not this."),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"message_delta","delta":{"stop_reason":"refusal"}}"#,
            failed("the model refused"),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#,
            truncated("without message_stop"),
        ),
        (
            WireFormat::Anthropic,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            failed("the server broke off: Overloaded"),
        ),
        (WireFormat::Anthropic, r#"{"type":"message_stop"}"#, truncated("without a stop_reason")),
        (WireFormat::Anthropic, r#"{"no":"type"}"#, failed("event 1 of the stream is not a piece of a message")),
        (WireFormat::Gemini, r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#, truncated("output limit")),
        (
            WireFormat::Gemini,
            r#"{"candidates":[{"finishReason":"SAFETY","finishMessage":"No."}]}"#,
            truncated("SAFETY, the server's filter stopped the reply: No."),
        ),
        (
            WireFormat::Gemini,
            r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#,
            truncated("MALFORMED_FUNCTION_CALL, not the end"),
        ),
        (
            WireFormat::Gemini,
            r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#,
            failed("refused the prompt: blockReason PROHIBITED_CONTENT"),
        ),
        (
            WireFormat::Gemini,
            r#"{"error":{"code":503,"message":"The model is overloaded","status":"UNAVAILABLE"}}"#,
            failed("the server broke off: The model is overloaded"),
        ),
        (
            WireFormat::Gemini,
            r#"{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}"#,
            truncated("without a finishReason"),
        ),
        (
            WireFormat::Ollama,
            r#"{"message":{"content":"x"},"done":true,"done_reason":"length"}"#,
            truncated("output limit"),
        ),
        (
            WireFormat::Ollama,
            r#"{"message":{"content":""},"done":true,"done_reason":"load"}"#,
            truncated("load, not the end"),
        ),
        (WireFormat::Ollama, r#"{"message":{"content":"x"},"done":true}"#, truncated("without a done_reason")),
        (
            WireFormat::Ollama,
            r#"{"error":"model runner has unexpectedly stopped"}"#,
            failed("the server broke off: model runner has"),
        ),
        (WireFormat::Ollama, r#"{"message":{"content":"x"},"done":false}"#, truncated("without a line that says done")),
        (WireFormat::Ollama, r#"{"done":7}"#, failed("not a piece of a chat of Ollama")),
    ] {
        let stream = if format == WireFormat::Ollama { format!("{lines}\n") } else { format!("data: {lines}\n\n") };
        match testing::read(format, [stream.as_bytes()], false).end {
            End::Truncated(why) => assert!(cut && why.contains(words), "{lines}: {why}"),
            End::Failed(why) => assert!(!cut && why.contains(words), "{lines}: {why}"),
            other => panic!("{lines}: {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn damaged_answers_are_read_alike_however_they_are_split_and_never_panic(
        which in 0..5_usize,
        at in any::<prop::sample::Index>(),
        cut in 0..40_usize,
        noise in prop::collection::vec(prop::sample::select(b"\x00\xff{}[]\",:\n\r 7dnt\\".to_vec()), 0..12),
        size in 1..30_usize,
    ) {
        let Sample { format, stream, document, .. } = samples().into_iter().nth(which).unwrap();
        for whole in [stream.as_bytes(), document.as_bytes()] {
            let at = at.index(whole.len());
            let rest = whole.get(at + cut..).unwrap_or_default();
            let damaged = [&whole[..at], &noise, rest].concat();
            let once = testing::read(format, [damaged.as_slice()], true);
            // A message quotes what has come until then.
            let web_page = matches!(&once.end, End::Failed(why) if why.contains("web page"));
            prop_assert!(web_page || testing::read(format, damaged.chunks(size), true) == once);
        }
    }
}

#[test]
fn a_token_of_ten_megabytes_is_read_in_every_format() {
    let token = "x".repeat(10 * 1024 * 1024);
    for Sample { format, stream, .. } in samples() {
        let stream = stream.replace("Yes, é ", &token);
        let said = testing::read(format, stream.as_bytes().chunks(16 * 1024), true);
        assert_eq!((said.text.len(), said.end), (token.len() + "🦀.".len(), End::Complete), "{format:?}");
    }
}

#[tokio::test]
async fn every_format_over_a_real_connection_byte_for_byte() {
    for Sample { format, stream, document, .. } in samples() {
        let length = stream.len();
        let marked = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{document}", document.len()).into_bytes();
        let in_pieces = |head: &[u8], size: usize| {
            let pieces = stream.as_bytes().chunks(size).map(|piece| Step::Send(piece.to_vec()));
            std::iter::once(Step::Send(head.to_vec())).chain(pieces).collect::<Vec<_>>()
        };
        for (steps, sent) in [
            (in_pieces(&marked, 1), stream.as_str()),
            (in_pieces(&marked, 50), &stream),
            (vec![Step::Send(whole)], document),
        ] {
            let mut server = FakeServer::start(vec![steps]).await;
            let spec = ServerSpec { key: Some(KeySource::Env("K".into())), ..server.spec(format) };
            let provider = Provider::with_env("p", &ProviderSpec::Server(spec), |_| Some("k-12345678".into()));
            let mut witness = Witness::default();
            let asked = Call { system: "Be brief.".into(), max_output: Some(700), ..call() };
            let provider = provider.unwrap().with_limits(once());
            let reply = provider.call(&asked, &mut witness, &CancellationToken::new()).await;

            let Said { text, reasoning, end, usage, model } = said(format);
            assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), &reply.end), (&*text, &*reasoning, &end));
            assert_eq!((reply.usage, reply.served_by), (usage, Some(model)));
            assert_eq!((witness.deltas.concat(), witness.reasoning.concat()), (text, reasoning));
            assert_eq!(Digest::of(witness.body().as_bytes()), Digest::of(sent.as_bytes()));

            let Seen::Request(head, body) = server.next().await else { panic!("no request") };
            let request = witness.requests.first().unwrap();
            assert_eq!(body.as_bytes(), request.body);
            let (path, key) = match format {
                WireFormat::OpenAiChat => ("/v1/chat/completions", "authorization: Bearer k-12345678"),
                WireFormat::OpenAiResponses => ("/v1/responses", "authorization: Bearer k-12345678"),
                WireFormat::Anthropic => ("/v1/messages", "x-api-key: k-12345678"),
                WireFormat::Gemini => ("/v1/models/m:streamGenerateContent?alt=sse", "x-goog-api-key: k-12345678"),
                WireFormat::Ollama => ("/v1/api/chat", "authorization: Bearer k-12345678"),
            };
            assert!(head.starts_with(&format!("POST {path} HTTP/1.1\r\n")) && head.contains(key), "{head}");
            let (name, value) = key.split_once(": ").unwrap();
            let shown = (name.to_owned(), value.replace("k-12345678", "***"));
            assert!(request.headers.contains(&shown), "{request:?}");
            let json: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(json, expected_body(format));
        }
    }
}

fn expected_body(format: WireFormat) -> serde_json::Value {
    use serde_json::json;
    let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]);
    match format {
        WireFormat::OpenAiChat => json!({
            "model": "m", "messages": messages, "stream": true, "stream_options": {"include_usage": true},
            "max_completion_tokens": 700,
        }),
        WireFormat::OpenAiResponses => json!({
            "model": "m", "instructions": "Be brief.", "input": "Why?", "stream": true, "store": false,
            "max_output_tokens": 700,
        }),
        WireFormat::Anthropic => json!({
            "model": "m", "system": "Be brief.", "messages": [{"role": "user", "content": "Why?"}], "stream": true,
            "max_tokens": 700,
        }),
        WireFormat::Gemini => json!({
            "contents": [{"role": "user", "parts": [{"text": "Why?"}]}],
            "systemInstruction": {"parts": [{"text": "Be brief."}]}, "generationConfig": {"maxOutputTokens": 700},
        }),
        WireFormat::Ollama => json!({
            "model": "m", "messages": messages, "stream": true, "options": {"num_ctx": 8192, "num_predict": 700},
        }),
    }
}

#[tokio::test]
async fn a_models_name_cannot_lead_to_another_address() {
    for (model, path) in [
        ("gemini-2.5-pro", "models/gemini-2.5-pro:stream"),
        ("tunedModels/mine", "tunedModels/mine:stream"),
        ("m?alt=x#y", "models/m%3Falt%3Dx%23y:stream"),
    ] {
        let mut server = FakeServer::start(vec![vec![stream_head()]]).await;
        let provider = Provider::new("p", &ProviderSpec::Server(server.spec(WireFormat::Gemini))).unwrap();
        let asked = Call { model: model.into(), ..call() };
        provider.with_limits(once()).call(&asked, &mut Witness::default(), &CancellationToken::new()).await;
        let Seen::Request(head, _) = server.next().await else { panic!("no request") };
        assert!(head.starts_with(&format!("POST /v1/{path}")), "{head}");
    }
}
