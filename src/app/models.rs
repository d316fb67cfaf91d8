//! Another model for a role, where the one that has it fails: the list to pick from, and what is known of each.

use crate::domain::{ArtifactKind, ModelId, Offer, Price, Role};

use super::model::Model;
use super::overlay::Overlay;
use super::picker::{Choice, Picker, Row};

const AUTHOR: &str = "Another author, for this stage only";
const CRITIC: &str = "Another critic, for this stage only";

impl Model {
    /// The role that may be given to another model now.
    pub fn open_role(&self) -> Option<Role> {
        let stage = self.stage().filter(|_| self.is_live())?;
        [Role::Author, Role::Critic].into_iter().find(|role| stage.takes_another(*role))
    }

    /// The model that has `role` in the stage on the screen: the one chosen there, else the configured one.
    pub fn model_of(&self, role: Role) -> Option<&ModelId> {
        let setup = &self.host.setup;
        let Some(stage) = self.stage() else {
            return if role == Role::Author { setup.author.as_ref() } else { setup.critic.as_ref() };
        };
        let configured = match role {
            Role::Author => setup.author_of(stage.spec.artifact),
            Role::Critic => setup.critic.as_ref(),
        };
        stage.chosen.get(&role).or(configured)
    }

    /// What the author of the stage on the screen charges; none if nobody knows.
    pub fn author_price(&self) -> Option<Price> {
        let author = self.model_of(Role::Author)?;
        let setup = &self.host.setup;
        let makes_change = self.stage().is_some_and(|stage| stage.spec.artifact == ArtifactKind::Change);
        if makes_change && setup.author_of(ArtifactKind::Change) == Some(author) {
            return self.host.change_price;
        }
        if setup.author.as_ref() == Some(author) {
            return self.host.price;
        }
        self.offers.iter().find(|offer| offer.model == *author)?.price
    }
}

/// A picker for the role that may be given away; its rows come later.
pub(super) fn picker(role: Role) -> Picker {
    let title = if role == Role::Author { AUTHOR } else { CRITIC };
    let mut picker = Picker::awaiting(title);
    picker.takes_typed = true;
    picker
}

/// Takes the list, or more of it.
pub(super) fn listed(model: &mut Model, offers: Vec<Offer>, more: bool) {
    model.offers = offers;
    let Some(role) = model.open_role() else { return };
    let rows = model.offers.iter().map(|offer| row(model, role, offer)).collect();
    if let Some(Overlay::Pick(picker)) = model.overlays.last_mut()
        && matches!(picker.title, AUTHOR | CRITIC)
    {
        picker.fill(rows);
        picker.loading = more;
    }
}

fn row(model: &Model, role: Role, offer: &Offer) -> Row {
    let taken = model.current().is_some_and(|one| one.is_taken(model.stage_index(), role, &offer.model));
    let disabled = match role {
        Role::Author if taken => Some("it is the critic, and the critic is another model"),
        Role::Critic if taken => Some("it is the author, and the critic is another model"),
        _ => None,
    };
    let now = if model.model_of(role) == Some(&offer.model) { "now, " } else { "" };
    let price = offer.price.map(|price| {
        // Nanodollars a token are dollars per million tokens, times a thousand.
        format!(", ${:.2} in, ${:.2} out per 1M", price.input as f64 / 1e3, price.output as f64 / 1e3)
    });
    Row {
        choice: Choice::Model(offer.model.clone()),
        label: offer.model.to_string(),
        detail: format!("{now}{}{}", offer.why, price.unwrap_or_default()),
        disabled,
    }
}
