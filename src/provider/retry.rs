//! Whether a failed attempt is worth another, and when.
//!
//! As the vendors' own SDKs do it: 408, 409, 429 and all of 5xx, unless `x-should-retry` says otherwise; after what the
//! server asks for in `retry-after-ms`, `retry-after` (seconds or a date) or Google's `RetryInfo`, or else after a
//! pause that doubles. The person sees the wait, and can cut it short or give it up; one beyond an hour isn't begun.

use std::time::{Duration, SystemTime};

use jiff::Zoned;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::failure::is_spent;

/// The longest wait that is begun: whoever must wait longer does something else meanwhile.
const LONGEST: Duration = Duration::from_secs(3600);

/// The longest pause between two attempts where the server asks for none.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// An attempt that failed before the reply had begun, in a way that passes.
#[derive(Debug)]
pub(super) struct Fault {
    /// What went wrong, for the person.
    pub(super) why: String,
    /// How long the server asks to wait.
    pub(super) wait: Option<Duration>,
}

/// Whether a response of this status, with this body, is worth another attempt.
pub(super) fn is_temporary(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> bool {
    let told = headers.get("x-should-retry").map(|value| value.as_bytes() == b"true");
    let by_status = matches!(status.as_u16(), 408 | 409 | 429 | 500..=599);
    let is_spent = || serde_json::from_slice::<Value>(body).is_ok_and(|body| is_spent(&body));
    told.unwrap_or(by_status) && !is_spent()
}

/// How long the server asks to wait; none if it doesn't, or not in words that make sense.
pub(super) fn asked_for(headers: &HeaderMap, body: &[u8], now: SystemTime) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let millis = header("retry-after-ms").and_then(|text| seconds(text, 0.001));
    let after = header(RETRY_AFTER.as_str());
    millis
        .or_else(|| after.and_then(|text| seconds(text, 1.0)))
        .or_else(|| after.and_then(|text| until(text, now)))
        .or_else(|| in_body(body))
}

/// A number that is positive and not absurd.
fn seconds(text: &str, unit: f64) -> Option<Duration> {
    let number: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(number * unit).ok().filter(|wait| !wait.is_zero())
}

/// From now to an HTTP date that is still to come.
fn until(text: &str, now: SystemTime) -> Option<Duration> {
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    SystemTime::from(date).duration_since(now).ok().filter(|wait| !wait.is_zero())
}

/// Google's `RetryInfo`: `{"error": {"details": [{"retryDelay": "34.5s"}]}}`.
fn in_body(body: &[u8]) -> Option<Duration> {
    let body: Value = serde_json::from_slice(body).ok()?;
    // Asked without `alt=sse`, Google wraps its errors in an array.
    let error = body.get(0).unwrap_or(&body).get("error")?;
    let delays = error.get("details")?.as_array()?.iter().filter_map(|detail| detail.get("retryDelay")?.as_str());
    delays.filter_map(|delay| seconds(delay.strip_suffix('s')?, 1.0)).next()
}

/// How long to wait after this failed attempt, counted from 1.
///
/// # Errors
/// Why it isn't waited for, if the server asks for more than an hour.
pub(super) fn pause(fault: &Fault, attempt: u32, first: Duration) -> Result<Duration, String> {
    match fault.wait {
        Some(wait) if wait > LONGEST => Err(format!("The server asks to wait {}.", when(wait))),
        Some(wait) => Ok(wait),
        None => Ok(first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_PAUSE)),
    }
}

/// A long wait as people plan by it.
fn when(wait: Duration) -> String {
    let minutes = wait.as_secs().div_ceil(60);
    let (day, hour) = (24 * 60, 60);
    let length = match minutes {
        minutes if minutes < 2 * hour => format!("{minutes} minutes"),
        minutes if minutes < 2 * day => format!("{} hours", minutes.div_ceil(hour)),
        minutes => format!("{} days", minutes.div_ceil(day)),
    };
    let then = jiff::SignedDuration::try_from(wait).ok().and_then(|wait| Zoned::now().checked_add(wait).ok());
    match then {
        Some(then) => format!("{length}: ask again after {}", then.strftime("%Y-%m-%d %H:%M")),
        None => length,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Fault, asked_for, is_temporary, pause};

    /// Sun, 06 Nov 1994 08:49:37 GMT
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let one = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        lines.iter().map(one).collect()
    }

    #[test]
    fn the_servers_wish_is_read_in_every_form_and_nonsense_is_none() {
        let ms = |ms| Some(Duration::from_millis(ms));
        for (lines, expected) in [
            (&[][..], None),
            (&[("retry-after", "7")], ms(7_000)),
            (&[("retry-after", " 1.5 ")], ms(1_500)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], ms(30_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], None),
            (&[("retry-after", "Sat, 05 Nov 1994 08:49:37 GMT")], None),
            (&[("retry-after", "Sun, 99 Nov 1994 08:50:07 GMT")], None),
            (&[("retry-after-ms", "250")], ms(250)),
            (&[("retry-after-ms", "250"), ("retry-after", "9")], ms(250)),
            (&[("retry-after-ms", "soon"), ("retry-after", "9")], ms(9_000)),
            (&[("retry-after-ms", "-5"), ("retry-after", "9")], ms(9_000)),
            (&[("retry-after", "0")], None),
            (&[("retry-after", "-3")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "inf")], None),
            (&[("retry-after", "1e300")], None),
            (&[("retry-after", "")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "\u{e9}")], None),
            (&[("retry-after", "86400")], ms(86_400_000)),
        ] {
            assert_eq!(asked_for(&headers(lines), b"", now()), expected, "{lines:?}");
        }
        let google = br#"{"error":{"code":429,"details":[{"@type":"x"},{"retryDelay":"34.5s"}]}}"#;
        assert_eq!(asked_for(&headers(&[]), google, now()), ms(34_500));
        assert_eq!(asked_for(&headers(&[("retry-after", "2")]), google, now()), ms(2_000));
        assert_eq!(asked_for(&headers(&[]), &[b"[", &google[..], b"]"].concat(), now()), ms(34_500));
        for junk in [&br#"{"error":{"details":[{"retryDelay":"-1s"}]}}"#[..], br#"{"error":"no"}"#, b"<html>"] {
            assert_eq!(asked_for(&headers(&[]), junk, now()), None);
        }
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let spent = br#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#;
        for (status, lines, body, expected) in [
            (408, &[][..], &b""[..], true),
            (409, &[], b"", true),
            (429, &[], b"{}", true),
            (500, &[], b"", true),
            (503, &[], b"", true),
            (529, &[], b"", true),
            (599, &[], b"", true),
            (400, &[], b"", false),
            (401, &[], b"", false),
            (404, &[], b"", false),
            (422, &[], b"", false),
            (429, &[("x-should-retry", "false")], b"", false),
            (400, &[("x-should-retry", "true")], b"", true),
            (429, &[], spent, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_temporary(status, &headers(lines), body), expected, "{status} {lines:?}");
        }
    }

    #[test]
    fn pauses_double_and_waits_have_an_end() {
        let fault = |wait: Option<u64>| Fault { why: String::new(), wait: wait.map(Duration::from_secs) };
        let first = Duration::from_millis(500);
        let pauses: Vec<_> = (1..=6).map(|n| pause(&fault(None), n, first).unwrap().as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 8000]);
        assert_eq!(pause(&fault(Some(3600)), 1, first), Ok(Duration::from_secs(3600)));
        for (wait, expected) in [(3601, "61 minutes: ask again after 2"), (7201, "3 hours: "), (864_000, "10 days: ")] {
            let why = pause(&fault(Some(wait)), 1, first).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
        assert!(pause(&fault(Some(u64::MAX)), 1, first).is_err());
    }
}
