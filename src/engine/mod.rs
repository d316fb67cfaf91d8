//! The machine: commands in, events and effects out, and the laws of approval. Pure.
//!
//! [`decide`] looks at a command and says which events follow, or refuses. [`apply`] changes the state by one event and
//! says which effects that has. Replaying the journal is `apply` over every event with the effects thrown away; a
//! running program does the effects, whose results come back as commands. Nothing here knows a clock or the world.

mod apply;
mod approval;
mod command;
mod decide;
mod effect;
mod event;
mod follows;
mod history;
mod refusal;
mod state;
mod thread;

#[cfg(test)]
mod asked;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use apply::{Corrupt, apply};
pub use approval::{Approved, Evidence, Obstacle, evidence, gaps, obstacles};
pub use command::{Approval, Command};
pub use decide::decide;
pub use effect::Effect;
pub use event::{Event, Recorded, Setup, Trouble};
pub use refusal::Refusal;
pub use state::{ExchangeInfo, Feedback, Landing, Loop, Pending, Phase, Ruling, Stage, State, Status};
