//! The sections of a Markdown artifact: headings and what stands below them, found deterministically.

/// One heading and the text below it, up to the next heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section<'a> {
    /// The heading's text, without `#`.
    pub heading: &'a str,
    /// The line of the heading, counted from 1.
    pub line: u32,
    /// The lines below it.
    pub body: &'a str,
}

impl Section<'_> {
    /// Whether this is the section of that name, letter case aside.
    pub fn is(&self, heading: &str) -> bool {
        self.heading.eq_ignore_ascii_case(heading)
    }

    /// The items of its list, markers and back quotes around the whole item removed.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.body.lines().filter_map(|line| {
            let line = line.trim();
            ["- ", "* ", "+ "].iter().find_map(|marker| line.strip_prefix(marker)).map(str::trim)
        })
    }
}

/// The ATX-headed sections of `text` (`#` to `######`), outside fenced code.
pub fn sections(text: &str) -> Vec<Section<'_>> {
    let mut found: Vec<(&str, u32, usize, usize)> = Vec::new();
    let (mut offset, mut fenced) = (0, false);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        }
        let hashes = trimmed.bytes().take_while(|b| *b == b'#').count();
        if fenced || !(1..=6).contains(&hashes) {
            continue;
        }
        let Some(heading) = trimmed.get(hashes..).filter(|rest| rest.starts_with(' ')) else { continue };
        let heading = heading.trim().trim_end_matches('#').trim_end().trim_end_matches(':');
        if let Some(last) = found.last_mut() {
            last.3 = start;
        }
        found.push((heading, u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1), offset, text.len()));
    }
    found
        .into_iter()
        .map(|(heading, line, from, to)| Section { heading, line, body: text.get(from..to).unwrap_or("") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_in_code_are_not_headings() {
        let text = "# A\none\n```\n# not\n```\n## B: \n- x\n* `y`\n";
        let found = sections(text);
        assert_eq!(found.iter().map(|s| (s.heading, s.line)).collect::<Vec<_>>(), [("A", 1), ("B", 6)]);
        assert_eq!(found.last().map(|s| s.items().collect::<Vec<_>>()), Some(vec!["x", "`y`"]));
    }
}
