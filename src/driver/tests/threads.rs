//! Questions about findings: calls of their own, from the team's templates, and none that nobody allowed.

use std::fs;

use super::{Desk, FIRST, Place, ada};
use crate::domain::{Answer, Role, Turn};
use crate::engine::Command;

impl Desk {
    /// Asks about a finding of the revision under review.
    fn ask(&self, finding: usize, to: Role, question: &str) {
        let revision = self.stage().current.unwrap();
        self.send(Command::Question { id: FIRST, revision, finding, to, question: question.to_owned(), by: ada() });
    }

    fn turns(&self, finding: usize) -> &[Turn] {
        &self.stage().current_critique().unwrap().findings[finding].thread
    }

    /// Waits for the n-th answer about a finding, or for the failure in its place.
    async fn answer(&mut self, finding: usize, nth: usize) -> Answer {
        self.until("an answer", |desk| desk.turns(finding).get(nth).is_some_and(|turn| turn.answer != Answer::Awaited))
            .await;
        self.turns(finding)[nth].answer.clone()
    }
}

#[tokio::test]
async fn findings_have_threads_of_their_own_from_the_teams_template() {
    let place = Place::new();
    place.reply("critic-plan.1", "major line 3 - too much\nminor line 7 - vague\n");
    place.reply("critic-plan-finding-1.1", "Because of the merge.\n");
    place.reply("critic-plan-finding-1.2", "As I said.\n");
    place.reply("author-finding", "I have nothing to add.\n");
    let mut desk = Desk::at(&place, "plan").await;
    desk.draft().await;
    let given = |text: &str| Answer::Given(text.to_owned());

    desk.ask(0, Role::Critic, "");
    desk.ask(1, Role::Author, "");
    assert_eq!(desk.answer(1, 0).await, given("I have nothing to add."));
    assert_eq!(desk.answer(0, 0).await, given("Because of the merge."));

    // The team's own words, which leave the question out: that can't be sent, and is said.
    let head =
        "---\nrole: critic\nstage: finding\nversion: 7\n---\nExplain.\n<!-- user -->\n{{context}}\n{{artifact}}\n";
    let template = place.top().join(".windlass/prompts/critic-finding.md");
    fs::create_dir_all(template.parent().unwrap()).unwrap();
    fs::write(&template, head).unwrap();
    desk.ask(0, Role::Critic, "Why?");
    let Answer::Failed(why) = desk.answer(0, 1).await else { panic!() };
    assert!(why.contains("critic-finding.md:") && why.contains("no {{thread}}"), "{why}");
    fs::write(&template, format!("{head}{{{{thread}}}}\n")).unwrap();
    desk.ask(0, Role::Critic, "Why?");
    assert_eq!(desk.answer(0, 2).await, given("As I said."));
    let call = desk.state.exchanges.values().next_back().unwrap();
    assert_eq!((call.prompt.version.as_str(), call.finding), ("7", Some(0)));

    // It stood still meanwhile, and whoever saw the answers approves.
    desk.reach("plan", "awaiting decision").await;
    desk.approve(None);
    desk.reach("change", "ready").await;
    desk.end(&place).await;
}

#[tokio::test]
async fn the_demos_models_answer_about_every_finding() {
    let place = Place::demo();
    let mut desk = Desk::at(&place, "plan").await;
    desk.draft().await;
    for (finding, to, words) in [
        (0, Role::Critic, "Repeats of an order can land in any shard"),
        (0, Role::Author, "It holds."),
        (1, Role::Critic, "its models are scripted"),
        (2, Role::Author, "its models are scripted"),
    ] {
        let nth = desk.turns(finding).len();
        desk.ask(finding, to, "");
        desk.until("the question", |desk| desk.turns(finding).len() > nth).await;
        let answer = desk.answer(finding, nth).await;
        assert!(matches!(&answer, Answer::Given(text) if text.contains(words)), "{answer:?}");
    }
    desk.end(&place).await;
}
