//! Screens at every size, and what no key, paste or text may do.

mod colours;
mod gates;
mod hostile;
mod laws;
mod past;
mod reviewing;
mod screens;
mod stand;
mod threads;
mod ways;
