//! What is sent to a model and what is made of its answer: templates, context under a token budget, replies, feedback,
//! and the decision record.
//!
//! Floor 1, pure: text in, text out. Whoever reads the template files, calls the model or writes the record is above.

mod assemble;
mod piece;
mod quote;
mod record;
mod reply;
mod template;
#[cfg(test)]
mod tests;
mod thread;

pub use assemble::{Prompt, Values, assemble};
pub use piece::{Piece, fit};
pub use record::{Record, Step, next_number, record, slug};
pub use reply::{feedback, missing, unwrap_reply};
pub use template::{
    BY_AGENT, Template, TemplateError, TemplateProblem, about_finding, about_finding_name, builtin, for_agent, parse,
};
