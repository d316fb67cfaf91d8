//! The room against real git repositories.
