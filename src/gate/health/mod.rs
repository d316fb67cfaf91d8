//! Services that answer: every one asked several times, all at once, and every one listed.

mod http;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::case::Judged;
use crate::domain::{Settings, Spot, Verdict};

/// How often a service is asked, how often it must answer, and how long each answer may take, unless told otherwise.
const TRIES: u64 = 3;
const HEALTHY: u64 = 1;
const WITHIN_MS: u64 = 2000;
/// How long between two tries.
const PAUSE_MS: u64 = 200;

/// What a service answered.
struct Answers {
    url: String,
    good: u64,
    asked: u64,
    slowest: Duration,
    last: String,
}

/// Asks every service; none if it was cancelled.
pub async fn judge(settings: &Settings, cancel: &CancellationToken) -> Option<Judged> {
    let urls = settings.texts("urls");
    let answers = tokio::select! {
        () = cancel.cancelled() => return None,
        answers = join_all(urls.iter().map(|url| ask(url, settings))) => answers,
    };
    let needed = settings.count("healthy").unwrap_or(HEALTHY);
    let (healthy, all) = (answers.iter().filter(|one| one.good >= needed).count(), answers.len());
    let verdict = if healthy == all && all > 0 { Verdict::Pass } else { Verdict::Fail };
    let mut judged = Judged::new(verdict, format!("{healthy} of {all} services healthy"));
    let mut spots = Vec::new();
    for Answers { url, good, asked, slowest, last } in &answers {
        let said = format!("{good} of {asked} tries, at most {} ms, last: {last}", slowest.as_millis());
        if *good >= needed {
            judged = judged.line(format!("{url}: healthy, {said}"));
        } else {
            spots.push(Spot { path: url.clone(), lines: None, text: said });
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "services are far fewer than 2^52")]
    Some(judged.at(spots).measured(healthy as f64, "healthy services", Some(all as f64), None))
}

/// Asks one service until it has answered often enough, or can't any more.
async fn ask(url: &str, settings: &Settings) -> Answers {
    let count = |key, otherwise| settings.count(key).unwrap_or(otherwise);
    let (tries, needed) = (count("tries", TRIES), count("healthy", HEALTHY));
    let within = Duration::from_millis(count("within_ms", WITHIN_MS));
    let pause = Duration::from_millis(count("pause_ms", PAUSE_MS));
    let mut answers =
        Answers { url: url.to_owned(), good: 0, asked: 0, slowest: Duration::ZERO, last: "not asked".to_owned() };
    while answers.good < needed && answers.good + (tries - answers.asked) >= needed {
        if answers.asked > 0 {
            sleep(pause).await;
        }
        let begun = Instant::now();
        let said = timeout(within, http::status(url)).await;
        answers.asked += 1;
        answers.slowest = answers.slowest.max(begun.elapsed());
        answers.last = match said {
            Ok(Ok(status)) => {
                answers.good += u64::from((200..300).contains(&status));
                format!("status {status}")
            }
            Ok(Err(why)) => why,
            Err(_) => format!("no answer within {} ms", within.as_millis()),
        };
    }
    answers
}
