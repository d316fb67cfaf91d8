//! The `windlass` program: hands its arguments to the library and turns the answer into an exit code.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    windlass::process::helper::serve(env::args_os()).unwrap_or_else(|| windlass::cli::main(env::args_os()))
}
