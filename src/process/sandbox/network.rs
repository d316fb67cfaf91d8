//! No sockets, by a system call filter: for machines where users can't make namespaces.

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use nix::libc;

/// Set in the numbers by which x86-64 offers its calls a second time.
#[cfg(target_arch = "x86_64")]
const X32: libc::c_long = 0x4000_0000;

/// Denies the calling process and all it starts every socket but those made in pairs.
///
/// # Errors
/// If the kernel has no filters; in words.
pub(super) fn forbid_sockets() -> Result<(), String> {
    let filter = filter().map_err(|error| format!("failed to make the system call filter: {error}"))?;
    seccompiler::apply_filter(&filter).map_err(|error| format!("failed to set the system call filter: {error}"))
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    // io_uring opens sockets by another way.
    let denied = [libc::SYS_socket, libc::SYS_io_uring_setup];
    #[cfg(target_arch = "x86_64")]
    let denied = denied.into_iter().chain(denied.map(|call| X32 | call));
    #[cfg(not(target_arch = "x86_64"))]
    let denied = denied.into_iter();
    let refused = SeccompAction::Errno(libc::EACCES.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(denied.map(|call| (call, Vec::new())).collect(), SeccompAction::Allow, refused, arch)?.try_into()
}
