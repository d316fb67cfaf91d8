//! Gates and probes: the project's commands judged by their exit code, Windlass's own checks of artifacts, and the
//! measurements both rest on.

pub mod builtin;
pub mod command;
pub mod guard;
pub mod probe;
pub mod table;
