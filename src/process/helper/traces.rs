//! What a command may leave in the namespaces of its helper, beside processes. If there is any, they are not used again:
//! each command finds them as the first one did.

use std::fs;

/// Shared memory, semaphores and message queues (sysvipc(7)): a line for each, after a heading.
const IPC: [&str; 3] = ["/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg"];

/// The same by their newer names, as files.
const SHARED: [&str; 2] = ["/dev/shm", "/dev/mqueue"];

/// How many TCP sockets there are: the kernel keeps those that outlive their process, and for a minute the port of those
/// that it has closed. What others there were went with their processes.
const SOCKETS: [(&str, &[&str]); 2] =
    [("/proc/self/net/sockstat", &["TCP: inuse 0 ", " tw 0 "]), ("/proc/self/net/sockstat6", &["TCP6: inuse 0\n"])];

/// Whether something is left. `network` says that the network is that of the machine, where sockets are nobody's trace.
pub(super) fn are_left(network: bool) -> bool {
    let lines = |path: &&str| fs::read(path).is_ok_and(|text| text.iter().filter(|byte| **byte == b'\n').count() > 1);
    let entries = |path: &&str| fs::read_dir(path).is_ok_and(|mut list| list.next().is_some());
    IPC.iter().any(lines) || SHARED.iter().any(entries) || (!network && SOCKETS.iter().any(are_open))
}

/// Whether a count says anything else than none. A machine without the protocol has no such file.
fn are_open((path, none): &(&str, &[&str])) -> bool {
    fs::read_to_string(path).is_ok_and(|text| !none.iter().all(|words| text.contains(words)))
}
