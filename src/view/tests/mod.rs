//! Screens at every size, and what no key, paste or text may do.

mod gates;
mod hostile;
mod laws;
mod reviewing;
mod screens;
mod stand;
mod threads;
mod ways;
