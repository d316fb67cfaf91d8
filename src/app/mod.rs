//! What the person sees and does, as data: actions, model, messages and the one `update`. Pure but for the text fields,
//! which are tui-textarea's.

mod act;
pub mod action;
mod arming;
pub mod doc;
mod drafts;
mod entry;
mod files;
mod hints;
pub mod layout;
mod model;
mod msg;
mod overlay;
mod picker;
mod reading;
pub mod remarks;
mod review;
pub mod scroll;
mod search;
mod sheet;
pub mod sight;
mod travel;
mod update;
pub mod wrap;

pub use arming::{ARM_MS, Arming, QUIET_MS};
pub use model::{Face, Host, Live, Model, Notice, Stream, Waiting};
pub use msg::{Msg, Request};
pub use overlay::{Ask, Overlay, Purpose, Source, Trust};
pub use picker::{Choice, Picker, Row};
pub use reading::{DWELL_MS, Reading};
pub use review::Review;
pub use search::Search;
pub use sheet::{Field, Sheet};
pub use update::update;
