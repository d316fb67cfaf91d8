//! How well a few typed letters fit a text.

/// The fit of `query` in `text`, both in lower case: none if a word of it isn't there, in its order, as a subsequence.
/// Words found whole count most, then letters at the beginnings of words, then letters side by side.
fn fit(query: &str, text: &str) -> Option<i32> {
    query.split_whitespace().map(|word| word_fit(word, text)).sum()
}

/// The fit of `query` in a row of a list, all in lower case: in its label, in its detail, or in both together.
pub(super) fn fit_row(query: &str, label: &str, detail: &str) -> Option<i32> {
    let query = query.trim();
    let named = if !query.is_empty() && (detail == query || label == query) { 10_000 } else { 0 };
    let both = format!("{label} {detail}");
    [label, detail, &both].into_iter().filter_map(|text| fit(query, text)).max().map(|fit| fit + named)
}

fn word_fit(word: &str, text: &str) -> Option<i32> {
    if let Some(at) = text.find(word) {
        let begins = text.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric());
        let early = 50 - i32::try_from(at.min(50)).unwrap_or(50);
        return Some(1000 + if begins { 200 } else { 0 } + early);
    }
    let letters = i32::try_from(word.chars().count()).unwrap_or(i32::MAX);
    // "hnu" is hunk.next-unread.
    let words = text.split(|c: char| !c.is_alphanumeric());
    if words.filter_map(|word| word.chars().next()).collect::<String>().contains(word) {
        return Some(letters.saturating_mul(20));
    }
    let mut score = 0;
    let (mut before, mut side_by_side) = (' ', false);
    let mut wanted = word.chars().peekable();
    for c in text.chars() {
        let Some(next) = wanted.peek() else { break };
        if c == *next {
            wanted.next();
            score += 1 + if side_by_side { 8 } else { 0 } + if before.is_alphanumeric() { 0 } else { 12 };
            side_by_side = true;
        } else {
            side_by_side = false;
        }
        before = c;
    }
    // Letters strewn all over the text are no match: most must begin words or stand together.
    (wanted.peek().is_none() && score >= letters * 8).then_some(score)
}

#[cfg(test)]
mod tests {
    use super::fit_row;

    #[test]
    fn near_words_come_first_and_strewn_letters_never() {
        let rows = [
            ("run the selected gate again", "gate.rerun"),
            ("run every gate of the stage again", "gate.rerun-all"),
            ("show every key", "help.open"),
            ("go to the next part that was not on screen yet", "hunk.next-unread"),
            ("take the selected item", "select"),
        ];
        let best = |query: &str| {
            let found = rows.iter().filter_map(|(label, detail)| Some((fit_row(query, label, detail)?, *detail)));
            found.max_by_key(|(score, _)| *score).map(|(_, detail)| detail)
        };
        for (query, detail) in [
            ("gate.rerun", Some("gate.rerun")),
            ("select", Some("select")),
            ("every gate", Some("gate.rerun-all")),
            ("gate all", Some("gate.rerun-all")),
            ("ho", Some("help.open")),
            ("hnu", Some("hunk.next-unread")),
            ("unr", Some("hunk.next-unread")),
            ("zz", None),
            ("xylophone", None),
        ] {
            assert_eq!(best(query), detail, "{query}");
        }
        assert_eq!(fit_row("gate", "choose the colours by looking at them", "theme.pick"), None);
        assert_eq!(fit_row("", "anything", ""), Some(0));
    }
}
