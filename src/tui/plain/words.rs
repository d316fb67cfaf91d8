//! What can be typed, as one table: behind the dispatch, the help, and what is offered.

use crate::app::action::Action;

/// What a word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// An action, on nothing in particular.
    Act(Action),
    /// An action on the gate that is named.
    Gate(Action),
    /// An action on the finding that is named.
    Finding(Action),
    /// An action on the part of the artifact that is named, else on the one that was read last.
    Part(Action),
    /// Keeps (true) or drops an item of the context.
    Item(bool),
    /// Looks at another stage of the loop.
    Stage,
    /// Puts the artifact before the human, part by part: what is unread, or (true) everything.
    Read(bool),
    /// Says something again.
    Show(Show),
}

/// What can be shown at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// Where the work stands.
    Status,
    /// The context.
    Context,
    /// The findings.
    Findings,
    /// The gates.
    Gates,
    /// Readings and criteria.
    Readings,
    /// This table.
    Help,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    /// What is typed.
    pub(super) word: &'static str,
    /// What follows it.
    pub(super) takes: &'static str,
    /// What it does.
    pub(super) does: Does,
    /// The same in a sentence.
    pub(super) doc: &'static str,
}

const fn word(word: &'static str, takes: &'static str, does: Does, doc: &'static str) -> Word {
    Word { word, takes, does, doc }
}

/// Every word, in the order in which help has them.
pub(super) const WORDS: &[Word] = &[
    word("help", "", Does::Show(Show::Help), "say this list"),
    word("status", "", Does::Show(Show::Status), "say where the work stands, and what can be done"),
    word("new", "", Does::Act(Action::LoopNew), "begin a loop"),
    word("trust", "", Does::Act(Action::TrustOpen), "print the repository's commands, and trust them"),
    word("context", "", Does::Show(Show::Context), "list what would be sent to the author"),
    word("keep", "NUMBER", Does::Item(true), "send an item of the context"),
    word("drop", "NUMBER", Does::Item(false), "don't send an item of the context"),
    word("add", "", Does::Act(Action::ContextAdd), "add a file to the context"),
    word("draft", "", Does::Act(Action::DraftSend), "send the context to the author"),
    word("write", "", Does::Act(Action::PlanEditExternal), "write or edit the artifact in your editor"),
    word("take-back", "", Does::Act(Action::DraftTakeBack), "go back to the revision that was sent back"),
    word("reply", "", Does::Act(Action::ReplyShow), "print the author's reply that could not be used"),
    word("cancel", "", Does::Act(Action::RunCancel), "stop what is running; C-c does the same"),
    word("now", "", Does::Act(Action::CallRetryNow), "ask again at once instead of waiting"),
    word("read", "", Does::Read(false), "read what is unread of the artifact, part by part, then the findings"),
    word("again", "", Does::Read(true), "read the artifact from its beginning"),
    word("accept", "PART", Does::Part(Action::HunkAccept), "mark a part as accepted, or take that back"),
    word("reject", "PART", Does::Part(Action::HunkReject), "reject a part, and say why; again takes it back"),
    word("comment", "PART", Does::Part(Action::HunkComment), "comment on a part"),
    word("findings", "", Does::Show(Show::Findings), "print what the critic found, and where"),
    word("explain", "NUMBER", Does::Finding(Action::FindingExplain), "ask the critic about a finding"),
    word("answer", "NUMBER", Does::Finding(Action::FindingAnswer), "ask the author about a finding"),
    word("dismiss", "NUMBER", Does::Finding(Action::FindingDismiss), "set a finding aside, with a reason"),
    word("review", "", Does::Act(Action::CritiqueRerun), "ask the critic again"),
    word("gates", "", Does::Show(Show::Gates), "print the gates and what they said"),
    word("log", "GATE", Does::Gate(Action::GateLog), "print what a gate printed"),
    word("rerun", "GATE", Does::Gate(Action::GateRerun), "run a gate again"),
    word("rerun-all", "", Does::Act(Action::GateRerunAll), "run every gate, or the measurement, again"),
    word("override", "GATE", Does::Gate(Action::GateOverride), "go on despite a gate, with a reason"),
    word("readings", "", Does::Show(Show::Readings), "print what was measured, and the criteria"),
    word(
        "decide",
        "",
        Does::Act(Action::DecisionOpen),
        "hear what a decision rests on, then approve, revise or abandon",
    ),
    word("stage", "NUMBER", Does::Stage, "look at another stage of the loop"),
    word("reopen", "", Does::Act(Action::StageReopen), "go back to the stage that is looked at"),
    word("land", "", Does::Act(Action::LoopLand), "try a landing again that failed"),
    word("park", "", Does::Act(Action::LoopPark), "let the loop rest"),
    word("abandon", "", Does::Act(Action::LoopAbandon), "end the loop, with a reason; its record stays"),
    word("loops", "", Does::Act(Action::LoopList), "list the loops; read one, or go on with one"),
    word("revisions", "", Does::Act(Action::TimelineOpen), "list every revision; read one, or compare two"),
    word("calls", "", Does::Act(Action::CallsOpen), "list the calls of models; read one byte for byte"),
    word("copy", "", Does::Act(Action::ReviewCopy), "keep the review of the stage in a file, as Markdown"),
    word("reload", "", Does::Act(Action::ConfigReload), "read the configuration again"),
    word("quit", "", Does::Act(Action::Quit), "leave; everything is saved"),
];

/// What decides has to be asked for by a question; typed anywhere else, these words only open it.
const OPENS_DECISION: &[&str] = &["approve", "revise"];

/// The word that a line begins with, and what follows it; else the nearest word there is.
pub(super) fn read(line: &str) -> Result<(Word, &str), Option<&'static str>> {
    let line = line.trim();
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let first = first.to_lowercase();
    let first = if OPENS_DECISION.contains(&first.as_str()) { "decide" } else { first.as_str() };
    if let Some(word) = WORDS.iter().find(|word| word.word == first) {
        return Ok((*word, rest.trim()));
    }
    let near = WORDS.iter().map(|word| (strsim::osa_distance(first, word.word), word.word));
    Err(near.min().filter(|(distance, _)| *distance <= 2).map(|(_, word)| word))
}

/// The word for an action.
pub(super) fn word_for(action: Action) -> Option<&'static str> {
    let does = |word: &&Word| match word.does {
        Does::Act(other) | Does::Gate(other) | Does::Finding(other) | Does::Part(other) => other == action,
        Does::Item(_) => action == Action::ContextToggle,
        Does::Read(false) => action == Action::HunkNextUnread,
        Does::Read(true) | Does::Stage | Does::Show(_) => false,
    };
    WORDS.iter().find(does).map(|word| word.word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_and_near_misses_are_told() {
        assert_eq!(read(" Dismiss  2 ").map(|(word, rest)| (word.word, rest)), Ok(("dismiss", "2")));
        assert_eq!(read("approve").map(|(word, _)| word.does), Ok(Does::Act(Action::DecisionOpen)));
        assert_eq!(read("drft").unwrap_err(), Some("draft"));
        assert_eq!(read("elephants").unwrap_err(), None);
    }

    #[test]
    fn no_word_approves() {
        assert!(WORDS.iter().all(|word| word.does != Does::Act(Action::StageApprove)));
        assert!(WORDS.iter().all(|word| word.does != Does::Act(Action::TrustGive)));
        let mut names: Vec<_> = WORDS.iter().map(|word| word.word).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WORDS.len());
    }
}
