//! Child processes: the only room that starts any. Argument vectors only, never a shell.

pub mod capture;
pub mod supervise;
