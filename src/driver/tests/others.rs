//! Another model in the place of one that fails: for one stage, and never both roles to one.

use std::fs;

use super::{CONSTRAINT, Desk, FIRST, Place, ada};
use crate::domain::{ModelId, Origin, Role};
use crate::driver::Order;
use crate::engine::{Command, Phase};
use crate::provider::testing::{FakeServer, event, http, stop, stream_head};

fn choose(role: Role, model: &str) -> Command {
    Command::ChooseModel { id: FIRST, role, model: ModelId(model.to_owned()), by: ada() }
}

#[tokio::test]
async fn another_author_drafts_where_the_configured_one_fails() {
    let place = Place::new();
    let server = FakeServer::start(vec![http("401 Unauthorized", "", "who are you")]).await;
    place.author_at(server.port);
    let mut desk = Desk::at(&place, "constraint").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("trouble", |desk| desk.stage().trouble.is_some()).await;
    for (model, why) in [
        ("script/critic", "author and critic are both script/critic: the critic must be another model"),
        ("nowhere/m", "there is no provider called \"nowhere\"; known: fake, script"),
        ("script", "\"script\" is not a model; write provider/model, such as \"openai/gpt-5\""),
    ] {
        desk.send(choose(Role::Author, model));
        assert_eq!(desk.refusal().await, why);
    }
    desk.send(choose(Role::Author, "script/second"));
    desk.until("the choice", |desk| desk.stage().chosen.contains_key(&Role::Author)).await;
    assert_eq!(desk.stage().phase, Phase::Ready);
    desk.draft().await;
    let by = &desk.stage().revision().unwrap().origin;
    assert!(matches!(by, Origin::Model { model, .. } if model.0 == "script/second"), "{by:?}");

    desk.orders.send(Order::ListModels).unwrap();
    desk.until("the list", |desk| matches!(desk.offers, Some((_, false)))).await;
    let (offers, _) = desk.offers.take().unwrap();
    let offers: Vec<_> = offers.iter().map(|offer| (offer.model.0.as_str(), offer.why.as_str())).collect();
    let expected = [
        ("fake/m", "configured as the author"),
        ("script/critic", "configured as the critic"),
        ("script/second", "asked before"),
    ];
    assert_eq!(offers, expected);
    desk.end(&place).await;
}

#[tokio::test]
async fn one_model_under_two_names_is_one_model() {
    let place = Place::new();
    let server = FakeServer::start(vec![vec![stream_head(), event(CONSTRAINT), stop()]]).await;
    place.author_at(server.port);
    let file = place.user().join("config.toml");
    let text = fs::read_to_string(&file).unwrap();
    let url = format!("http://127.0.0.1:{}/v1", server.port);
    fs::write(&file, format!("{text}[providers.alias]\nkind = \"openai-responses\"\nbase_url = {url:?}\n")).unwrap();
    let mut desk = Desk::at(&place, "constraint").await;
    desk.draft().await;
    desk.send(choose(Role::Critic, "alias/m"));
    let why = desk.refusal().await;
    assert!(why.contains("the critic must be another model"), "{why}");

    desk.send(choose(Role::Critic, "script/third"));
    desk.until("another critique", |desk| {
        desk.stage().phase == Phase::Awaiting
            && desk.stage().current_critique().is_some_and(|critique| critique.model.0 == "script/third")
    })
    .await;
    desk.end(&place).await;
}
