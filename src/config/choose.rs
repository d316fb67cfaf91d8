//! Models beside the two that are configured for the roles: which could be asked, and whether two names mean one model.

use super::layer::model_id;
use super::load::{Config, is_same};
use super::problem::suggestion;
use crate::domain::ModelId;

impl Config {
    /// Whether a model of this id can be asked for.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn can_ask(&self, model: &ModelId) -> Result<(), String> {
        model_id(&model.0)?;
        let name = model.provider();
        if self.providers.contains_key(name) {
            return Ok(());
        }
        let hint = suggestion(name, self.providers.keys().map(String::as_str));
        Err(format!("there is no provider called {name:?}; {hint}"))
    }

    /// Whether two ids mean one model, by name or by what is really asked.
    pub fn is_same_model(&self, one: &ModelId, other: &ModelId) -> bool {
        is_same(&self.providers, one, other)
    }
}
