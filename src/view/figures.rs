//! Figures as people read them: counts, sizes, durations, costs.

use crate::domain::Money;
use crate::engine::ExchangeInfo;

/// `12,345`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `912`, `4.2k`, `1.3M`: a count where there is little room.
pub(super) fn short_count(value: u64) -> String {
    match value {
        0..1_000 => value.to_string(),
        1_000..1_000_000 => format!("{}.{}k", value / 1_000, value % 1_000 / 100),
        _ => format!("{}.{}M", value / 1_000_000, value % 1_000_000 / 100_000),
    }
}

/// `640 B`, `4.2 KiB`.
pub(super) fn bytes(value: u64) -> String {
    if value < 1024 { format!("{value} B") } else { format!("{}.{} KiB", value / 1024, value % 1024 * 10 / 1024) }
}

/// Milliseconds as `0.02 s`, `4.1 s`, `75 s`, `3 min 20 s`.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("0.{:02} s", ms / 10),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..120_000 => format!("{} s", ms / 1_000),
        _ => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// Whole seconds as `9 s`, `75 s`, `3 min 20 s`, for clocks.
pub(super) fn seconds(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { duration(seconds.saturating_mul(1_000)) }
}

/// `1 gate`, `3 gates`.
pub(super) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// What calls cost together; how many of them nobody can price is said, nothing if none can be.
pub(super) fn cost<'a>(calls: impl Iterator<Item = &'a ExchangeInfo>) -> Option<String> {
    let costs: Vec<Option<Money>> = calls.map(ExchangeInfo::cost).collect();
    let known: Money = costs.iter().flatten().copied().sum();
    let unknown = costs.iter().filter(|cost| cost.is_none()).count();
    match (costs.len() - unknown, unknown) {
        (0, _) => None,
        (_, 0) => Some(known.to_string()),
        (_, unknown) => Some(format!("{known} and {} of unknown cost", plural(unknown, "call"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!([count(0), count(999), count(1_000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([short_count(912), short_count(4_210), short_count(1_300_000)], ["912", "4.2k", "1.3M"]);
        assert_eq!([bytes(640), bytes(4_300)], ["640 B", "4.1 KiB"]);
        assert_eq!(
            [duration(20), duration(4_120), duration(75_000), duration(200_000)],
            ["0.02 s", "4.1 s", "75 s", "3 min 20 s"]
        );
        assert_eq!([seconds(9), seconds(119), seconds(1_799)], ["9 s", "119 s", "29 min 59 s"]);
        assert_eq!([plural(1, "gate"), plural(3, "gate")], ["1 gate", "3 gates"]);
    }
}
