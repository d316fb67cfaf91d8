//! A model that could have a role, and what is known of it.

use super::{ModelId, Price};

/// A model that could have a role.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The model.
    pub model: ModelId,
    /// Why it is offered: where it is configured, priced or listed.
    pub why: String,
    /// What it charges; none if nobody knows.
    pub price: Option<Price>,
}
