//! Replies played from files, at a reader's pace: for the demo, and for tests that need no server.
//!
//! The reply to the n-th call of a role in a stage is `<role>-<stage>.<n>.md`, or the last one there is before it. For a
//! question about a finding it is `<role>-<stage>-finding-<number>.<n>.md`, or else `<role>-finding.md`.
//! In it, `{{cell:ROW:COLUMN}}` stands for a cell of the last Markdown table in the prompt that has such a row and
//! such a column, so that a scripted reply can quote what was really measured. What no table has is left as it
//! stands.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Call, Observer, Reply, Request, SetupError};
use crate::domain::End;

/// In the place of a call about a finding.
const FINDING: &str = "-finding";

const CELL: &str = "{{cell:";

/// A directory of replies.
pub(super) struct Script {
    dir: PathBuf,
    /// None plays at once.
    chars_per_second: Option<u32>,
}

impl Script {
    /// The script of this configuration.
    pub(super) fn new(provider: &str, dir: &Path, chars_per_second: Option<u32>) -> Result<Self, SetupError> {
        if !dir.is_dir() {
            return Err(SetupError::ScriptDir { provider: provider.to_owned(), dir: dir.to_owned() });
        }
        if chars_per_second == Some(0) {
            return Err(SetupError::ScriptPace { provider: provider.to_owned() });
        }
        Ok(Self { dir: dir.to_owned(), chars_per_second })
    }

    /// Plays the reply to `call`, to its end or until `cancel`.
    pub(super) async fn play(&self, call: &Call, observer: &mut dyn Observer, cancel: &CancellationToken) -> Reply {
        let file = self.reply_to(call);
        let sent = Instant::now();
        let mut reply = Reply::new(End::Cancelled);
        if !cancel.is_cancelled() {
            let body = Bytes::from(json!({"system": call.system, "prompt": call.prompt}).to_string());
            let url = format!("script:{file}");
            observer.request(&Request { method: "PLAY", url, headers: Vec::new(), body });
            reply.end = match self.read(&file).await {
                Err(message) => End::Failed(message),
                Ok(text) => {
                    observer.response(200, &[]);
                    let text = fill(&text, &call.prompt);
                    let playing = self.perform(&text, sent, &mut reply, observer);
                    tokio::select! {
                        biased;
                        () = cancel.cancelled() => End::Cancelled,
                        () = playing => End::Complete,
                    }
                }
            };
        }
        reply.timings.total = millis(sent);
        reply
    }

    /// The file of the reply; where no file is, the name that one would have.
    fn reply_to(&self, call: &Call) -> String {
        let name = |nth| format!("{}-{}.{nth}.md", call.role.name(), call.stage);
        let any = call.stage.contains(FINDING).then(|| format!("{}{FINDING}.md", call.role.name()));
        let mut files = (1..=call.nth).rev().map(name).chain(any);
        files.find(|file| self.dir.join(file).exists()).unwrap_or_else(|| name(call.nth))
    }

    async fn read(&self, file: &str) -> Result<String, String> {
        // The stage's name comes from a workflow file; it must not lead out of the directory.
        if Path::new(file).file_name().is_none_or(|name| name != file) {
            return Err(format!("the script has no reply {file:?}: that is not a file name"));
        }
        let path = self.dir.join(file);
        tokio::fs::read_to_string(&path).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                format!("the script has no reply {file} in {}: write one, or use a real model", self.dir.display())
            }
            _ => format!("failed to read {}: {error}", path.display()),
        })
    }

    /// Says `text` word by word.
    async fn perform(&self, text: &str, sent: Instant, reply: &mut Reply, observer: &mut dyn Observer) {
        let mut said = 0_u64;
        for piece in text.split_inclusive(char::is_whitespace) {
            said += piece.chars().count() as u64;
            if let Some(pace) = self.chars_per_second {
                let due = Duration::from_nanos(said.saturating_mul(1_000_000_000) / u64::from(pace));
                tokio::time::sleep_until(sent + due).await;
            }
            let elapsed = u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX);
            reply.timings.first_byte.get_or_insert(elapsed / 1_000_000);
            reply.timings.first_text.get_or_insert(elapsed / 1_000_000);
            observer.chunk(elapsed, piece.as_bytes());
            reply.text.push_str(piece);
            observer.text(piece);
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// `text` with its placeholders filled from the tables in `prompt`.
fn fill(text: &str, prompt: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(CELL) {
        filled.push_str(before);
        let cell = after.split_once("}}").and_then(|(name, after)| {
            let (row, column) = name.split_once(':')?;
            Some((cell(prompt, row, column)?, after))
        });
        match cell {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push_str(CELL);
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The cell in `row` and `column` of the last table of `prompt` that has both.
fn cell<'a>(prompt: &'a str, row: &str, column: &str) -> Option<&'a str> {
    let mut found = None;
    // The place of the column in the table that the line belongs to.
    let mut place = None;
    let mut previous: Vec<&str> = Vec::new();
    let mut in_this_table = false;
    for line in prompt.lines() {
        let cells = cells(line);
        if cells.is_empty() {
            place = None;
        } else if cells.iter().all(|cell| is_rule(cell)) {
            place = previous.iter().position(|header| *header == column);
            in_this_table = false;
        } else if let Some(value) = place.and_then(|place| cells.get(place))
            && cells.first() == Some(&row)
            && !in_this_table
        {
            found = Some(*value);
            in_this_table = true;
        }
        previous = cells;
    }
    found
}

/// The cells of a table's line; none if it isn't one.
fn cells(line: &str) -> Vec<&str> {
    let Some(inner) = line.trim().strip_prefix('|') else { return Vec::new() };
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner.split('|').map(|cell| cell.trim().trim_matches('`')).collect()
}

fn is_rule(cell: &str) -> bool {
    cell.contains('-') && cell.bytes().all(|byte| matches!(byte, b'-' | b':'))
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::super::testing::{Witness, call};
    use super::{Script, fill};
    use crate::domain::{End, Role, Usage};
    use crate::provider::{Call, SetupError};

    fn script(pace: Option<u32>) -> (Script, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("author-plan.1.md"), "# Plan\nfrom {{cell:t:value}} ms\n").unwrap();
        (Script::new("script", dir.path(), pace).unwrap(), dir)
    }

    #[tokio::test]
    async fn a_reply_is_played_word_by_word() {
        let (script, _dir) = script(None);
        let mut witness = Witness::default();
        let asked = Call { prompt: "| reading | value |\n|---|---|\n| t | 412 |\n".into(), ..call() };
        let reply = script.play(&asked, &mut witness, &CancellationToken::new()).await;
        assert_eq!((reply.text.as_str(), &reply.end), ("# Plan\nfrom 412 ms\n", &End::Complete));
        assert_eq!(witness.deltas, ["# ", "Plan\n", "from ", "412 ", "ms\n"]);
        assert_eq!((witness.body(), witness.statuses), (reply.text, vec![200]));
        assert_eq!((reply.usage, reply.raw_usage), (Usage::default(), None));
        let request = witness.requests.first().unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((request.url.as_str(), sent["prompt"].as_str()), ("script:author-plan.1.md", Some(&*asked.prompt)));
    }

    #[tokio::test]
    async fn the_last_reply_is_played_again_when_there_is_no_other() {
        let (script, dir) = script(None);
        std::fs::write(dir.path().join("author-plan.3.md"), "third").unwrap();
        for (nth, file) in [(1, 1), (2, 1), (3, 3), (4, 3), (9, 3)] {
            let mut witness = Witness::default();
            let reply = script.play(&Call { nth, ..call() }, &mut witness, &CancellationToken::new()).await;
            assert_eq!((reply.end, reply.text == "third"), (End::Complete, file == 3), "call {nth}");
            let url = &witness.requests.first().unwrap().url;
            assert_eq!(*url, format!("script:author-plan.{file}.md"), "the record names what was played");
        }
    }

    #[tokio::test]
    async fn the_pace_is_kept_and_cancel_stops_it() {
        let (script, _dir) = script(Some(200));
        let reply = script.play(&call(), &mut Witness::default(), &CancellationToken::new()).await;
        let at_least = reply.text.chars().count() as u64 * 5;
        assert!(reply.timings.total >= at_least, "{} ms of at least {at_least}", reply.timings.total);

        let cancel = CancellationToken::new();
        let on_text = cancel.clone();
        let mut witness = Witness { on_text: Some(Box::new(move || on_text.cancel())), ..Witness::default() };
        let reply = script.play(&call(), &mut witness, &cancel).await;
        assert_eq!((reply.text.as_str(), reply.end), ("# ", End::Cancelled));
    }

    #[tokio::test]
    async fn what_is_not_there_is_said() {
        let (script, _dir) = script(None);
        for (asked, expected) in [
            (Call { role: Role::Critic, nth: 2, ..call() }, "the script has no reply critic-plan.2.md in "),
            (Call { stage: "../../plan".into(), ..call() }, "not a file name"),
        ] {
            let reply = script.play(&asked, &mut Witness::default(), &CancellationToken::new()).await;
            assert!(matches!(&reply.end, End::Failed(why) if why.contains(expected)), "{:?}", reply.end);
        }
        let nowhere = Script::new("script", "no/such/dir".as_ref(), None);
        assert!(matches!(nowhere, Err(SetupError::ScriptDir { .. })));
        assert!(matches!(Script::new("script", ".".as_ref(), Some(0)), Err(SetupError::ScriptPace { .. })));
    }

    #[test]
    fn placeholders_quote_the_last_table_that_has_them() {
        let prompt = "\
            | reading | value |\n|---|--:|\n| `t` | 1 ms |\n| u | 9 |\n\ntext | t | 5 |\n\n\
            | reading | before | after |\n| :-- | - | - |\n| t | 2 | 3 |\n| t | 7 | 8 |\n| - | 4 | 4 |\n";
        for (text, filled) in [
            ("{{cell:t:value}}", "1 ms"),
            ("{{cell:t:before}} to {{cell:t:after}}!", "2 to 3!"),
            ("{{cell:u:after}} {{cell:u:value}}", "{{cell:u:after}} 9"),
            ("{{cell:t}} {{cell:t:value", "{{cell:t}} {{cell:t:value"),
            ("{{cell:{{cell:u:value}}", "{{cell:9"),
            ("plain {{goal}}", "plain {{goal}}"),
        ] {
            assert_eq!(fill(text, prompt), filled);
        }
    }
}
