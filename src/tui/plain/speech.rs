//! A model's words as they come, held back until a line or a sentence is whole: nobody wants half words read out.

/// How long a line may grow before its sentences leave one by one, in bytes.
const LINE: usize = 100;

/// How long anything is held back, in bytes.
const MOST: usize = 4096;

/// What was said and not shown yet.
#[derive(Debug, Default)]
pub(super) struct Speech {
    held: String,
}

impl Speech {
    /// Takes more words, and gives the lines and sentences that are whole now.
    pub(super) fn push(&mut self, text: &str) -> Vec<String> {
        self.held.push_str(text);
        let mut whole = Vec::new();
        while let Some((line, rest)) = self.held.split_once('\n') {
            whole.push(line.trim_end_matches('\r').to_owned());
            self.held = rest.to_owned();
        }
        if self.held.len() > LINE
            && let Some(end) = last_sentence(&self.held)
        {
            let rest = self.held.split_off(end);
            whole.push(std::mem::replace(&mut self.held, rest));
        }
        if self.held.len() > MOST {
            whole.push(std::mem::take(&mut self.held));
        }
        whole
    }

    /// What is left when the model has finished.
    pub(super) fn end(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.held)).filter(|held| !held.is_empty())
    }
}

/// The place after the last sentence that has ended.
fn last_sentence(text: &str) -> Option<usize> {
    [". ", "! ", "? ", "; "].iter().filter_map(|end| Some(text.rfind(end)? + end.len())).max()
}

#[cfg(test)]
mod tests {
    use super::Speech;

    #[test]
    fn lines_and_sentences_come_whole_and_nothing_is_lost() {
        let text = "# Plan\n\nOne sentence that is long enough to be told apart from a mere line of text. \
                    And a second one, which goes on for quite a while. Short.\nThe end";
        for size in 1..20 {
            let (mut speech, mut told) = (Speech::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                told.extend(speech.push(std::str::from_utf8(piece).unwrap()));
            }
            told.extend(speech.end());
            assert_eq!(told[..2], ["# Plan", ""], "{size}");
            assert_eq!(told.last().unwrap(), "The end");
            assert_eq!(told.concat().replace('\n', ""), text.replace('\n', ""));
            assert!(told.iter().all(|line| line.ends_with(['.', ' ', 'n', 'd']) || line.is_empty()), "{told:?}");
        }
        let mut speech = Speech::default();
        assert_eq!(speech.push(&"x".repeat(5000)).concat().len(), 5000);
    }
}
