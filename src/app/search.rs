//! Search in the focused pane's document: plain text, letter case ignored unless the query has an upper-case letter.

use super::doc::Doc;

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    query: String,
}

impl Search {
    /// A search for `query`; none if it is empty.
    pub fn new(query: &str) -> Option<Self> {
        (!query.is_empty()).then(|| Self { query: query.to_owned() })
    }

    /// What is searched.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The byte ranges of `line` that match.
    pub fn matches(&self, line: &str) -> Vec<(usize, usize)> {
        let exact = self.query.chars().any(char::is_uppercase);
        // ASCII folding keeps byte offsets; other letters match as they are.
        let (hay, needle) = if exact {
            (line.to_owned(), self.query.clone())
        } else {
            (line.to_ascii_lowercase(), self.query.to_ascii_lowercase())
        };
        hay.match_indices(&needle).map(|(at, found)| (at, at + found.len())).collect()
    }

    /// The next line after `from` with a match (before it, when `backwards`), going round at the ends.
    pub fn next(&self, doc: &Doc, from: usize, backwards: bool) -> Option<usize> {
        let count = doc.len();
        (1..=count)
            .map(|step| if backwards { (from + count * 2 - step) % count } else { (from + step) % count })
            .find(|&index| doc.line(index).is_some_and(|line| !self.matches(&line.text).is_empty()))
    }

    /// How many lines match.
    pub fn count(&self, doc: &Doc) -> usize {
        doc.lines_from(0).filter(|(_, line)| !self.matches(&line.text).is_empty()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_round_and_folds_case() {
        let doc = Doc::prose("alpha\nBeta\nalphabet\n");
        let search = Search::new("alpha").unwrap();
        assert_eq!(search.next(&doc, 0, false), Some(2));
        assert_eq!(search.next(&doc, 2, false), Some(0));
        assert_eq!(search.next(&doc, 0, true), Some(2));
        assert_eq!(Search::new("beta").unwrap().count(&doc), 1);
        assert_eq!(Search::new("BETA").unwrap().count(&doc), 0);
        assert_eq!(Search::new(""), None);
    }
}
