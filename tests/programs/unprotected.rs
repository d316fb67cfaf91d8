//! Runs a program on a machine without a sandbox: the kernel says that it knows no Landlock.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() {
    #[cfg(target_os = "linux")]
    forget_landlock();
    let mut words = env::args().skip(1);
    let error = Command::new(words.next().unwrap()).args(words).exec();
    eprintln!("{error}");
}

#[cfg(target_os = "linux")]
fn forget_landlock() {
    use nix::libc;
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

    let calls = [(libc::SYS_landlock_create_ruleset, Vec::new())];
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let arch = env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(calls.into(), SeccompAction::Allow, unknown, arch).unwrap();
    seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
}
