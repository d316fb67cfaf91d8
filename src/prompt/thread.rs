//! What was asked about a finding and answered, as a model reads it.

use crate::domain::{Finding, Role, Turn};

use super::quote::quoted;

/// The finding, what was said of it before, and the question that waits: each in a block of its own.
pub(super) fn thread(finding: &Finding) -> String {
    let Finding { severity, anchor, text, thread, .. } = finding;
    let mut blocks = vec![quoted("The critic's finding", &format!("{} {anchor} - {text}\n", severity.name()))];
    let earlier: String = thread.iter().filter_map(said).collect();
    if !earlier.is_empty() {
        blocks.push(quoted("What was asked about it and answered before", &earlier));
    }
    if let Some(turn) = thread.last() {
        blocks.push(quoted("The human's question, to you", &turn.question));
    }
    blocks.join("\n")
}

/// What was said of a finding, as lines under it; nothing if nothing was.
pub(super) fn said_of(finding: &Finding) -> String {
    let said: String = finding.thread.iter().filter_map(said).collect();
    said.lines().map(|line| format!("  {line}\n")).collect()
}

/// A turn that was answered.
fn said(turn: &Turn) -> Option<String> {
    let answer = turn.given()?;
    let whom = turn.to.name();
    let who = match turn.to {
        Role::Author => "The author",
        Role::Critic => "The critic",
    };
    Some(format!("The human asked the {whom}: {}\n{who} answered: {}\n", turn.question, answer.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Answer;

    fn turn(to: Role, question: &str, answer: Answer) -> Turn {
        Turn { to, question: question.into(), exchange: None, answer }
    }

    #[test]
    fn a_model_reads_the_finding_what_was_said_and_its_question_as_data() {
        let mut finding: Finding = "blocker line 4 - moves it".parse().unwrap();
        finding.thread = vec![
            turn(Role::Critic, "Where to?", Answer::Given("To the ```merge```.\n".into())),
            turn(Role::Critic, "Sure?", Answer::Failed("503".into())),
            turn(Role::Author, "Is it so?", Answer::Awaited),
        ];
        assert_eq!(
            thread(&finding),
            "## The critic's finding\n\n```\nblocker line 4 - moves it\n```\n\n\
             ## What was asked about it and answered before\n\n````\nThe human asked the critic: Where to?\n\
             The critic answered: To the ```merge```.\n````\n\n\
             ## The human's question, to you\n\n```\nIs it so?\n```\n"
        );
        assert_eq!(
            said_of(&finding),
            "  The human asked the critic: Where to?\n  The critic answered: To the ```merge```.\n"
        );
    }
}
