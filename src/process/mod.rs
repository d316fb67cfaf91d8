//! Child processes: the only room that starts any. Argument vectors only, and no shell but for the person's own editor,
//! whose setting is a shell command line by convention.

pub mod capture;
pub mod editor;
pub mod helper;
pub mod sandbox;
pub mod supervise;
