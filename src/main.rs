//! The `windlass` program: hands its arguments to the library and turns the answer into an exit code.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    windlass::cli::main(env::args_os())
}
