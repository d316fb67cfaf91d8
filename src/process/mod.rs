<<<<<<< HEAD
//! Child processes: the only room that starts any.

pub mod supervise;
=======
//! Child processes: the only room that starts any. Argument vectors only, never a shell.

pub mod capture;
>>>>>>> h-repo
