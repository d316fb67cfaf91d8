//! Trying a model out with one small question, outside any loop: whether it can be reached as configured, and how fast.

use std::time::Duration;

use reqwest::Url;
use tokio_util::sync::CancellationToken;

use super::{Call, Limits, Observer, Provider, Reply, Request, Retry};
use crate::domain::{End, ProviderSpec, Quote, Role};

/// All that is sent.
pub const QUESTION: &str = "Answer with the one word: ready";

/// The most tokens of the answer: some models think before they say a word.
const ANSWER: u64 = 512;

/// One attempt, and no more patience than somebody has who looks at it.
const LIMITS: Limits = Limits {
    first: Duration::from_secs(60),
    idle: Duration::from_secs(60),
    total: Duration::from_secs(90),
    attempts: 1,
    pause: Duration::ZERO,
};

/// Nobody watches: nothing of this goes into a record.
struct Unwatched;

impl Observer for Unwatched {
    fn request(&mut self, _: &Request) {}
    fn retry(&mut self, _: &Retry) {}
    fn response(&mut self, _: u16, _: &[(String, String)]) {}
    fn sent(&mut self, _: u64, _: &[u8]) {}
    fn chunk(&mut self, _: u64, _: &[u8]) {}
    fn text(&mut self, _: &str) {}
    fn reasoning(&mut self, _: &str) {}
}

impl Provider {
    /// Asks `model` one small question. The answer counts, not what it says.
    pub async fn try_out(self, model: &str, cancel: &CancellationToken) -> Reply {
        let call = Call {
            model: model.to_owned(),
            system: String::new(),
            prompt: QUESTION.to_owned(),
            max_output: Some(ANSWER),
            role: Role::Author,
            number: 1,
            stage: "trial".to_owned(),
            nth: 1,
        };
        self.with_limits(LIMITS).call(&call, &mut Unwatched, cancel).await
    }
}

impl Reply {
    /// Why a model that was tried out can't be worked with; none if it can. One that was cut short has answered.
    pub fn trouble(&self) -> Option<&str> {
        match &self.end {
            End::Complete | End::Truncated(_) => None,
            End::Failed(why) => Some(why),
            End::Cancelled | End::Interrupted => Some("it was not asked to the end"),
        }
    }
}

/// What trying out a model of this price takes at most.
pub const fn quote(price: Option<crate::domain::Price>) -> Quote {
    Quote { input: 40, output: ANSWER, price }
}

/// Whether asking costs nothing whatever its price: a server of this machine that wants no key, or a script.
pub fn is_free(spec: &ProviderSpec) -> bool {
    match spec {
        ProviderSpec::Server(server) => {
            let url = Url::parse(&server.base_url).ok();
            let host = url.as_ref().and_then(Url::host_str);
            server.key.is_none() && matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
        }
        ProviderSpec::Script { .. } | ProviderSpec::Cassette { .. } => true,
        _ => false,
    }
}
