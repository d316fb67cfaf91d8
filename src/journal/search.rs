//! Searching a call: lines of what was sent to a model and of what it said, read from the bytes on record.

use serde::Serialize;

use crate::domain::without_keys;

use super::StoredExchange;

/// Columns of an excerpt, and how many of them stand before the text.
const WIDTH: usize = 100;
const BEFORE: usize = 30;

/// Where the text was found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// `prompt` or `reply`.
    #[serde(rename = "in")]
    pub side: &'static str,
    /// The first line with it, or as much of that as one reads at a glance.
    pub text: String,
}

/// The first line of the prompt and of the replies that holds `wanted`, in any case.
pub fn find(stored: &StoredExchange, wanted: &str) -> Vec<Found> {
    let wanted = wanted.to_lowercase();
    let (prompt, reply) = (stored.prompts(), stored.replies());
    let in_prompt = first_line(prompt, &wanted).map(|text| Found { side: "prompt", text });
    let in_reply = first_line(reply, &wanted).map(|text| Found { side: "reply", text });
    in_prompt.into_iter().chain(in_reply).collect()
}

fn first_line(mut texts: impl Iterator<Item = String>, wanted: &str) -> Option<String> {
    texts.find_map(|text| {
        text.lines().find_map(|line| {
            let lower = line.to_lowercase();
            let at = lower.split_once(wanted)?.0.chars().count();
            Some(excerpt(line, at))
        })
    })
}

/// The line around the character `at`.
fn excerpt(line: &str, at: usize) -> String {
    let line = without_keys(line.trim_end());
    if line.chars().count() <= WIDTH {
        return line.into_owned();
    }
    let from = at.saturating_sub(BEFORE);
    let text: String = line.chars().skip(from).take(WIDTH).collect();
    let more = if line.chars().nth(from + WIDTH).is_some() { ".." } else { "" };
    format!("{}{text}{more}", if from > 0 { ".." } else { "" })
}

#[cfg(test)]
mod tests {
    use super::{Found, WIDTH, find};
    use crate::journal::{ReceivedChunk, SentRequest, StoredExchange};

    fn exchange(body: &str, chunks: &[&str]) -> StoredExchange {
        let (method, url) = ("POST".to_owned(), "http://here/v1".to_owned());
        let request = SentRequest { method, url, headers: Vec::new(), body: body.into() };
        let chunk = |bytes: &&str| ReceivedChunk { elapsed_ns: 1, bytes: bytes.as_bytes().to_vec() };
        let chunks = chunks.iter().map(chunk).collect();
        StoredExchange { request: Some(request), chunks, ..StoredExchange::default() }
    }

    fn reply(text: &str) -> Vec<Found> {
        vec![Found { side: "reply", text: text.to_owned() }]
    }

    #[test]
    fn a_reply_is_found_however_it_was_streamed() {
        for chunks in [
            &[
                "data: {\"choices\":[{\"delta\":{\"content\":\"The wa\"}}]}\n\nda",
                "ta: {\"choices\":[{\"delta\":{\"content\":\"lk.\\nNo.\"}}]}\n\ndata: [DONE]\n\n",
            ][..],
            &[
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"The w\"}}\n\n",
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"alk.\\n\"}}\n\n",
            ],
            &[
                "data: {\"type\":\"response.output_text.delta\",\"delta\":\"The \"}\n\n",
                "data: {\"type\":\"response.output_text.delta\",\"delta\":\"walk.\"}\n\n",
            ],
            &[
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"The wal\"}]}}]}\r\n\r\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"k.\"}]}}]}\r\n\r\n",
            ],
            &[
                "{\"message\":{\"content\":\"The\"},\"done\":false}\n{\"message\":{\"content\":\" walk.\"},\"done\":true}\n",
            ],
            &["{\"choices\":[{\"message\":{\"content\":\"The walk.\"}}]}"],
            &["The w", "alk.\n"],
        ] {
            assert_eq!(find(&exchange("{}", chunks), "tHE WALK"), reply("The walk."), "{chunks:?}");
        }
    }

    #[test]
    fn prompts_are_found_as_they_read_and_labels_are_not() {
        let body = r#"{"model":"walker","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Say \"why\":\nÉtude?"}]}"#;
        let found =
            |wanted: &str| find(&exchange(body, &[]), wanted).into_iter().map(|found| found.text).collect::<Vec<_>>();
        assert_eq!(found("say \"WHY\""), ["Say \"why\":"]);
        assert_eq!(found("étude"), ["Étude?"]);
        for label in ["user", "walker", "content", "brief.Say", "nothing"] {
            assert_eq!(found(label), [""; 0], "{label}");
        }
        // An attempt that failed has said something, too.
        let failed = exchange(body, &["<html>Too busy</html>"]);
        let last = StoredExchange { earlier: vec![failed], ..exchange("{}", &[]) };
        assert_eq!(find(&last, "too busy"), reply("<html>Too busy</html>"));
    }

    #[test]
    fn a_long_line_is_shown_around_the_text_and_without_keys() {
        let line = format!("{}needle{}", "a".repeat(500), "b".repeat(500));
        let [found] = &find(&exchange(&line, &[]), "NEEDLE")[..] else { panic!("it is there once") };
        assert!(found.text.contains("aaaneedlebbb") && found.text.chars().count() == WIDTH + 4, "{}", found.text);
        let found = find(&exchange("my key is sk-ant-api03-0123456789abcdefghij", &[]), "my key");
        assert_eq!(found[0].text, "my key is sk-ant-***");
    }
}
