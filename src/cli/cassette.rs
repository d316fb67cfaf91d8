//! `windlass record` writes exchanges of the record as a cassette; `windlass replay` opens the screen on one.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::{ExchangeId, LoopId, ProviderSpec, Role};
use crate::engine::ExchangeInfo;
use crate::journal::StoredExchange;
use crate::provider::{Attempt, Cassette, Form, Goal, Head, Sent, Track, finding_place};

use super::arguments::Common;
use super::failure::Failure;
use super::record::Record;
use super::show::{Id, read_ids};
use super::words::{count, stage, utc};
use super::{json, open};

/// Writes what these words name, or everything, into a file that isn't there yet.
pub(super) fn record(common: &Common, wanted: &[String], file: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let record = Record::read(&open::repo(common)?)?;
    let wanted = read_ids(wanted)?;
    for id in &wanted {
        let (is_there, what, number) = match id {
            Id::Loop(id) => (record.state.loops.contains_key(id), "loop", id.0.into()),
            Id::Exchange(id) => (record.state.exchanges.contains_key(id), "exchange", id.0),
        };
        if !is_there {
            return Err(Failure::Nothing { what, number });
        }
    }
    let is_wanted = |id: ExchangeId, info: &ExchangeInfo| {
        wanted.is_empty() || wanted.contains(&Id::Loop(info.id)) || wanted.contains(&Id::Exchange(id))
    };
    let cassette = gather(&record, is_wanted)?;
    if cassette.tracks.is_empty() {
        return Err(Failure::NothingToRecord);
    }
    let failed = |source| Failure::File { doing: "write", path: file.to_owned(), source };
    // Prompts hold the project's code: for this user alone.
    let made: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    let mut made = BufWriter::new(made);
    cassette.write(&mut made, json::harmless).and_then(|()| made.flush()).map_err(failed)?;
    let (calls, loops) = (count(cassette.tracks.len(), "call"), count(cassette.goals.len(), "loop"));
    Ok(writeln!(out, "Recorded {calls} of {loops} in {}. Play it: windlass replay {0}", file.display())?)
}

fn gather(record: &Record, wanted: impl Fn(ExchangeId, &ExchangeInfo) -> bool) -> Result<Cassette, Failure> {
    let mut cassette = Cassette::default();
    let mut calls: BTreeMap<(LoopId, usize, Role, Option<usize>), u32> = BTreeMap::new();
    for (id, info) in &record.state.exchanges {
        // A call is known by its place, so those left out count.
        let nth = calls.entry((info.id, info.stage.0, info.role, info.finding)).or_default();
        *nth += 1;
        let Some(end) = info.end.clone().filter(|_| wanted(*id, info)) else { continue };
        if cassette.goals.iter().all(|known| known.number != info.id.0)
            && let Some(one) = record.state.loops.get(&info.id)
        {
            cassette.goals.push(Goal { number: one.id.0, goal: one.goal.clone() });
        }
        let prompt = &info.prompt;
        let mut stored = record.stored(*id)?;
        let earlier = std::mem::take(&mut stored.earlier);
        let name = stage(&record.state, info.id, info.stage).unwrap_or_default();
        cassette.tracks.push(Track {
            exchange: id.0,
            number: info.id.0,
            stage: info.finding.map_or_else(|| name.to_owned(), |finding| finding_place(name, finding)),
            role: info.role,
            nth: *nth,
            model: info.model.0.clone(),
            prompt: (prompt.name.clone(), prompt.version.clone(), prompt.digest.to_string()),
            asked: utc(info.asked),
            attempts: earlier.into_iter().chain([stored]).filter_map(attempt).collect(),
            end,
            usage: info.usage,
            timings: info.timings,
        });
    }
    Ok(cassette)
}

/// An attempt as the record has it; none if nothing was sent.
fn attempt(stored: StoredExchange) -> Option<Attempt> {
    let sent = stored.request?;
    Some(Attempt {
        // What a later Windlass may have asked is played as the text it is.
        form: Form::of(&sent.method, &sent.url).unwrap_or(Form::Text),
        request: Sent { method: sent.method, url: sent.url, headers: sent.headers, body: sent.body },
        response: stored.response.map(|head| Head { status: head.status, headers: head.headers }),
        chunks: stored.chunks.into_iter().map(|chunk| (chunk.elapsed_ns, chunk.bytes)).collect(),
    })
}

/// The arguments of a screen whose models are played from this file, and the goal that was recorded. Both roles are
/// played, whoever has them: no model that isn't on the cassette is called instead.
pub(super) fn played(common: &Common, file: &Path, timed: bool) -> Result<(Common, Option<String>), Failure> {
    let cassette = Cassette::read(file)?;
    let file = absolute(file)?;
    let model = |role: Role| {
        let recorded = cassette.model(role).map(str::to_owned);
        recorded.unwrap_or_else(|| format!("cassette/{}", role.name()))
    };
    let (author, critic) = common.roles_or(model(Role::Author), model(Role::Critic));
    let provider = |model: &String| {
        let name = model.split_once('/').map_or(model.as_str(), |(provider, _)| provider);
        (name.to_owned(), ProviderSpec::Cassette { file: file.clone(), timed })
    };
    let providers = [&author, &critic].map(provider).into();
    Ok((common.playing(providers, author, critic), cassette.goals.into_iter().next().map(|first| first.goal)))
}

fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(file).map_err(|source| Failure::File { doing: "find", path: file.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::arguments::Arguments;
    use super::{ProviderSpec, played};
    use crate::provider::{Cassette, Goal};

    #[test]
    fn a_role_that_was_not_recorded_is_played_too_and_nobody_else_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("one.jsonl");
        let track = r#"{"exchange":{"exchange":1,"loop":1,"stage":"plan","role":"author","nth":1,"model":"near/a","prompt":{"name":"p","version":"1","digest":"0"},"asked":"now"}}"#;
        let end = r#"{"end":{"end":"complete","why":null,"tokens":{"input":null,"output":null,"cached":null,"reasoning":null},"first_byte_ms":null,"first_text_ms":null,"total_ms":1}}"#;
        let mut text = Vec::new();
        let goals = vec![Goal { number: 1, goal: "Go".to_owned() }];
        Cassette { goals, tracks: Vec::new() }.write(&mut text, str::to_owned).unwrap();
        text.extend(format!("{track}\n{end}\n").into_bytes());
        std::fs::write(&file, text).unwrap();

        for (words, author, critic, names) in [
            (&["windlass"][..], "near/a", "cassette/critic", &["cassette", "near"][..]),
            (&["windlass", "--critic", "openai/gpt-5"], "near/a", "openai/gpt-5", &["near", "openai"]),
        ] {
            let common = Arguments::try_parse_from(words).unwrap().common;
            let (common, goal) = played(&common, &file, false).unwrap();
            let flags = common.flags();
            let roles = (flags.author.as_deref(), flags.critic.as_deref(), goal.as_deref());
            assert_eq!(roles, (Some(author), Some(critic), Some("Go")));
            assert_eq!(flags.providers.keys().collect::<Vec<_>>(), names);
            assert!(flags.providers.values().all(ProviderSpec::is_played));
        }
    }
}
