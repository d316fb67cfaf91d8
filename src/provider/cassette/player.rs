//! Plays a cassette: a call is answered with what was recorded of the same call, bytes, counts, times and end.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::recorded::{More, Rereader};
use super::super::{Call, Observer, Reply, Request, SetupError};
use super::{Attempt, Cassette, Track};
use crate::domain::End;

/// A cassette in its player.
pub(in super::super) struct Player {
    /// The file's name, for the record.
    file: String,
    cassette: Cassette,
    timed: bool,
}

impl Player {
    /// A player of this file, as slow as the recording or at once.
    pub(in super::super) fn new(provider: &str, file: &Path, timed: bool) -> Result<Self, SetupError> {
        let wrong = |why| SetupError::Cassette { provider: provider.to_owned(), why };
        let cassette = Cassette::read(file).map_err(|error| wrong(error.to_string()))?;
        if cassette.tracks.is_empty() {
            return Err(wrong(format!("there is no exchange in {}", file.display())));
        }
        let file = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { file, cassette, timed })
    }

    /// Plays the reply to `call`, to its end or until `cancel`.
    pub(in super::super) async fn play(
        &self,
        call: &Call,
        observer: &mut dyn Observer,
        cancel: &CancellationToken,
    ) -> Reply {
        let Some(track) = self.track(call) else {
            let (role, stage) = (call.role.name(), &call.stage);
            let why = format!("the cassette {} has no call of the {role} in the stage {stage:?}", self.file);
            return Reply::new(End::Failed(why));
        };
        let mut reply = Reply::new(End::Cancelled);
        if !cancel.is_cancelled() {
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = self.perform(call, track, &mut reply, observer) => reply.end = track.end.clone(),
            }
        }
        (reply.usage, reply.timings) = (track.usage, track.timings);
        reply
    }

    /// What was recorded of the same call: in the loop of the same place, or the last one; the same call in the stage,
    /// or the last one before it.
    fn track(&self, call: &Call) -> Option<&Track> {
        let of_kind = |track: &&Track| track.role == call.role && track.stage == call.stage;
        let mut loops: Vec<u32> = self.cassette.tracks.iter().map(|track| track.number).collect();
        loops.sort_unstable();
        loops.dedup();
        let place = usize::try_from(call.number.saturating_sub(1)).unwrap_or(usize::MAX);
        let wanted = loops.get(place).or(loops.last());
        let found = |number: Option<&u32>| -> Option<&Track> {
            let of_loop = |track: &&Track| number.is_none_or(|number| track.number == *number);
            let fits = || self.cassette.tracks.iter().filter(of_kind).filter(of_loop);
            let before = fits().filter(|track| track.nth <= call.nth).max_by_key(|track| track.nth);
            before.or_else(|| fits().min_by_key(|track| track.nth))
        };
        found(wanted).or_else(|| found(None))
    }

    async fn perform(&self, call: &Call, track: &Track, reply: &mut Reply, observer: &mut dyn Observer) {
        let body = Bytes::from(json!({"system": call.system, "prompt": call.prompt}).to_string());
        let attempts = track.attempts.len();
        for (attempt, number) in track.attempts.iter().zip(1..) {
            let url = format!("cassette:{}:{}#{}", attempt.form.name(), self.file, track.exchange);
            observer.request(&Request { method: "PLAY", url, headers: Vec::new(), body: body.clone() });
            if let Some(head) = &attempt.response {
                observer.response(head.status, &head.headers);
            }
            self.speak(attempt, number == attempts, reply, observer).await;
        }
    }

    /// Says what an attempt said; only the last one says anything that counts.
    async fn speak(&self, attempt: &Attempt, is_last: bool, reply: &mut Reply, observer: &mut dyn Observer) {
        let begun = Instant::now();
        let heard = is_last && attempt.response.as_ref().is_none_or(|head| (200..300).contains(&head.status));
        let mut reader = Rereader::new(attempt.form);
        let mut say = |more: More, observer: &mut dyn Observer| {
            if !more.reasoning.is_empty() {
                reply.reasoning.push_str(&more.reasoning);
                observer.reasoning(&more.reasoning);
            }
            if !more.text.is_empty() {
                reply.text.push_str(&more.text);
                observer.text(&more.text);
            }
        };
        for (elapsed, bytes) in &attempt.chunks {
            if self.timed {
                tokio::time::sleep_until(begun + Duration::from_nanos(*elapsed)).await;
            }
            observer.chunk(*elapsed, bytes);
            let more = reader.take(*elapsed, bytes);
            if heard {
                say(more, observer);
            }
        }
        let more = reader.finish();
        if heard {
            say(more, observer);
            (reply.raw_usage, reply.served_by) = (reader.read.raw_usage, reader.read.served_by);
        }
    }
}
