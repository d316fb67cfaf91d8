//! Screens at every size, and what no key, paste or text may do.

mod gates;
mod laws;
mod screens;
mod stand;
mod ways;
