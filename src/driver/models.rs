//! Other models for a role: which there are, and whether one can have it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use super::{Driver, Home, Report};
use crate::domain::{LoopId, ModelId, Offer, Role};
use crate::engine::Refusal;
use crate::provider::Provider;

/// How long a server may take to list its models.
const LISTING: Duration = Duration::from_secs(4);

impl Driver {
    /// Whether a model can be asked for in this role.
    ///
    /// # Errors
    /// Why not. The engine knows names only; here it is known that two names may mean one model.
    pub(super) fn fits(&self, id: LoopId, role: Role, model: &ModelId) -> Result<(), String> {
        self.config.can_ask(model)?;
        if let Some(spec) = self.config.providers.get(model.provider()) {
            Provider::new(model.provider(), spec).map_err(|error| error.to_string())?;
        }
        let Some(one) = self.state.loops.get(&id) else { return Ok(()) };
        let other = match role {
            Role::Author => Role::Critic,
            Role::Critic => Role::Author,
        };
        match one.model(one.open, other) {
            Some(other) if self.config.is_same_model(other, model) => {
                Err(Refusal::SameModel(model.to_string()).to_string())
            }
            _ => Ok(()),
        }
    }

    /// Tells which models could have a role: at once those that are named somewhere, then those that servers list.
    pub(super) fn list_models(&self) {
        let mut known: BTreeMap<ModelId, String> = BTreeMap::new();
        let config = &self.config;
        for (model, why) in [(&config.author, "the author"), (&config.critic, "the critic")] {
            if let Some(model) = model {
                known.insert(model.clone(), format!("configured as {why}"));
            }
        }
        for call in self.state.exchanges.values().filter(|call| config.can_ask(&call.model).is_ok()) {
            known.entry(call.model.clone()).or_insert_with(|| "asked before".to_owned());
        }
        for name in config.providers.keys().flat_map(|provider| config.prices.named(provider)) {
            known.entry(ModelId(name.to_owned())).or_insert_with(|| "under [prices]".to_owned());
        }
        let (home, prices, providers) = (self.home.clone(), config.prices.clone(), config.providers.clone());
        let offers = move |known: &BTreeMap<ModelId, String>| -> Vec<Offer> {
            let offer = |(model, why): (&ModelId, &String)| Offer {
                model: model.clone(),
                why: why.clone(),
                price: prices.of(model),
            };
            known.iter().map(offer).collect()
        };
        self.tell(Report::Models { offers: offers(&known), more: true });
        tokio::spawn(async move {
            let lists = providers.iter().map(async |(name, spec)| {
                let models = Provider::new(name, spec).ok()?.models(LISTING).await?;
                Some((name, models))
            });
            for (name, models) in join_all(lists).await.into_iter().flatten() {
                // An embedding model lists itself like any other and answers no question; a name no file takes is none.
                let fit = |model: &String| {
                    let odd = model.contains(|c: char| c.is_whitespace() || c.is_control());
                    !odd && !model.is_empty() && !model.to_lowercase().contains("embed")
                };
                for model in models.iter().filter(|model| fit(model)) {
                    let why = || format!("listed by {name}");
                    known.entry(ModelId(format!("{name}/{model}"))).or_insert_with(why);
                }
            }
            let _ = home.send(Home::Report(Report::Models { offers: offers(&known), more: false }));
        });
    }
}
