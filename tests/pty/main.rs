//! The program as a person meets it: the real binary in a real pseudo-terminal, driven by keys alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod bad;
mod demo;
mod desk;
mod hands;
mod harness;
mod hostile;
mod hunks;
mod idle;
mod kill;
mod kinds;
mod money;
mod server;
mod waits;
mod watch;
mod wire;
