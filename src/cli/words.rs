//! How listings write times, models' ends and people.

use std::io::{self, Write};

use jiff::Timestamp as Moment;
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use crate::domain::{End, LoopId, StageIndex, Timestamp};
use crate::engine::State;

/// RFC 3339 in UTC: `2025-01-31T12:00:00.123Z`.
pub(super) fn utc(at: Timestamp) -> String {
    Moment::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |moment| moment.to_string())
}

/// On the reader's clock, to the second.
pub(super) fn local(at: Timestamp) -> String {
    let zoned = |moment: Moment| moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    Moment::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), zoned)
}

/// Milliseconds as people read them: `350 ms`, `1.2 s`, `2 min 5 s`.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// How an exchange ended, in a word, and why.
pub(super) fn end(end: &End) -> (&'static str, Option<&str>) {
    match end {
        End::Complete => ("complete", None),
        End::Truncated(why) => ("truncated", Some(why)),
        End::Failed(why) => ("failed", Some(why)),
        End::Cancelled => ("cancelled", None),
        End::Interrupted => ("interrupted", None),
    }
}

/// The stage's name in its workflow.
pub(super) fn stage(state: &State, id: LoopId, index: StageIndex) -> Option<&str> {
    Some(&state.loops.get(&id)?.stage(index)?.spec.id)
}

/// Prints rows of cells under each other.
pub(super) fn columns(rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    for row in rows {
        let pad =
            |(cell, width): (&String, &usize)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())));
        let line: Vec<String> = row.iter().zip(&widths).map(pad).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// A number with its noun: `1 row`, `2 rows`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, duration, utc};

    #[test]
    fn times_are_readable() {
        assert_eq!(utc(Timestamp(1_700_000_000_123)), "2023-11-14T22:13:20.123Z");
        assert_eq!(utc(Timestamp(i64::MAX)), i64::MAX.to_string());
        for (ms, text) in [(0, "0 ms"), (999, "999 ms"), (1_250, "1.2 s"), (59_999, "59.9 s"), (125_400, "2 min 5 s")] {
            assert_eq!(duration(ms), text);
        }
    }
}
