//! The program as a person meets it: the real binary in a real pseudo-terminal, driven by keys alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod agent;
mod asked;
mod bad;
mod bytes;
mod demo;
mod desk;
mod format;
mod gates;
mod hands;
mod harness;
mod hostile;
mod hunks;
mod idle;
mod kill;
mod kinds;
mod leaving;
mod models;
mod money;
mod otlp;
mod plain;
mod replay;
mod server;
mod steady;
mod suspend;
mod threads;
mod unprotected;
mod waits;
mod watch;
mod wire;
