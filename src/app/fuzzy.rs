//! How well a few typed letters fit a text.

/// The fit of `query` in `text`, both in lower case: none if a word of it isn't there, in its order, as a subsequence.
/// Words found whole count most, then letters at the beginnings of words, then letters side by side.
pub(super) fn fit(query: &str, text: &str) -> Option<i32> {
    query.split_whitespace().map(|word| word_fit(word, text)).sum()
}

fn word_fit(word: &str, text: &str) -> Option<i32> {
    if let Some(at) = text.find(word) {
        let begins = text.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric());
        let early = 50 - i32::try_from(at.min(50)).unwrap_or(50);
        return Some(1000 + if begins { 200 } else { 0 } + early);
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
    let letters = i32::try_from(word.chars().count()).unwrap_or(i32::MAX);
    (wanted.peek().is_none() && score >= letters * 5).then_some(score)
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn near_words_come_first_and_strewn_letters_never() {
        let texts = [
            "run the selected gate again gate.rerun",
            "run every gate of the stage again gate.rerun-all",
            "show every key help.open",
            "go to the next part that was not on screen yet hunk.next-unread",
        ];
        let best = |query: &str| {
            let found = texts.iter().filter_map(|text| Some((fit(query, text)?, *text)));
            found.max_by_key(|(score, _)| *score).map(|(_, text)| text)
        };
        assert_eq!(best("rerun"), Some(texts[0]));
        assert_eq!(best("gate all"), Some(texts[1]));
        assert_eq!(best("ho"), Some(texts[2]));
        assert_eq!(best("hnu"), Some(texts[3]));
        assert_eq!(best("unr"), Some(texts[3]));
        assert_eq!(best("zz"), None);
        assert_eq!(best("xylophone"), None);
        assert_eq!(fit("", "anything"), Some(0));
    }
}
