//! Child processes: the only room that starts any.

pub mod supervise;
