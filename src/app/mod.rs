//! What the person sees and does, as data: actions, model, messages and the one `update`.

pub mod action;
