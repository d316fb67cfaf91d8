//! Windlass: plan - generate - check loops in the terminal, one stage and one human decision at a time.
//!
//! The rooms stand on floors and import only downwards; `tests/house.rs` enforces it.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod driver;
pub mod engine;
pub mod gate;
pub mod journal;
pub mod keymap;
pub mod process;
pub mod prompt;
pub mod provider;
pub mod repo;
pub mod theme;
pub mod tui;
pub mod view;
