//! Namespaces: processes, mounts and, without a network, a loopback of the command's own.
//!
//! The helper enters them; the process that it then starts is the first one inside, settles there, and steps into a
//! second user namespace, so that nothing it starts has any power over the mounts.

use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use nix::unistd::{getegid, geteuid};

/// Where other programs listen that do what they are told: whoever reaches them is out of the sandbox.
const DOORS: [&str; 7] =
    ["/run/user", "/run/dbus", "/run/docker.sock", "/run/podman", "/run/containerd", "/run/screen", "/tmp/.X11-unix"];

/// A request to bring up the first interface, which is the loopback: an RTM_NEWLINK of rtnetlink(7), the header's
/// length, type, flags (request, acknowledge), sequence and sender, then family, type, index, flags and mask (up).
const LOOPBACK_UP: [[u8; 4]; 8] = [
    32_u32.to_ne_bytes(),
    two(16, 5),
    1_u32.to_ne_bytes(),
    [0; 4],
    [0; 4],
    1_u32.to_ne_bytes(),
    1_u32.to_ne_bytes(),
    1_u32.to_ne_bytes(),
];

const fn two(first: u16, second: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
    [a, b, c, d]
}

/// Puts the calling process into namespaces; what it starts next is the first process there.
///
/// # Errors
/// If this user can't make them.
pub(in crate::process) fn enter(without_network: bool) -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    let network = if without_network { CloneFlags::CLONE_NEWNET } else { CloneFlags::empty() };
    let all = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC;
    unshare(all | network)?;
    // As root until everything is mounted.
    write_maps(&format!("0 {user} 1"), &format!("0 {group} 1"))
}

/// Makes a home for the first process: everything but `writable` is mounted read-only, it sees its own processes,
/// terminals and shared memory, no mount it makes is seen outside, and without a network the doors to the rest of the
/// machine are shut.
///
/// # Errors
/// If something can't be mounted.
pub(in crate::process) fn settle(
    (user, group): (u32, u32),
    without_network: bool,
    writable: &[PathBuf],
) -> io::Result<()> {
    let here = env::current_dir()?;
    let plain = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    for path in writable {
        mount(Some(path), path, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    }
    read_only(writable)?;
    // What it is in now lies below the mount just made.
    env::set_current_dir(&here)?;
    mount(Some("proc"), "/proc", Some("proc"), plain, none)?;
    let terminals = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount(Some("devpts"), "/dev/pts", Some("devpts"), terminals, Some("newinstance,ptmxmode=0666,mode=620"))?;
    let is_free = |place: &str| {
        let used = writable.iter().chain([&here]).any(|path| path.starts_with(place));
        Path::new(place).exists() && !used
    };
    if is_free("/dev/shm") {
        mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), plain, Some("mode=1777"))?;
    }
    if is_free("/dev/mqueue") {
        mount(Some("mqueue"), "/dev/mqueue", Some("mqueue"), plain, none)?;
    }
    if without_network {
        for door in DOORS.into_iter().filter(|door| is_free(door)) {
            if Path::new(door).is_dir() {
                mount(Some("tmpfs"), door, Some("tmpfs"), plain | MsFlags::MS_RDONLY, Some("mode=755"))?;
            } else {
                mount(Some("/dev/null"), door, none, MsFlags::MS_BIND, none)?;
            }
        }
        bring_up_loopback()?;
    }
    unshare(CloneFlags::CLONE_NEWUSER)?;
    write_maps(&format!("{user} 0 1"), &format!("{group} 0 1"))
}

/// Makes every mount read-only that isn't at or below one of `writable`. Landlock keeps files from being written, but not
/// their modes, owners and times.
fn read_only(writable: &[PathBuf]) -> io::Result<()> {
    let none: Option<&str> = None;
    for (place, kept) in mounts(&fs::read("/proc/self/mountinfo")?) {
        if writable.iter().any(|path| place.starts_with(path)) {
            continue;
        }
        let done = mount(none, &place, none, MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | kept, none);
        // Elsewhere a mount may lie where even its owner can't go.
        if place == Path::new("/") {
            done?;
        }
    }
    Ok(())
}

/// Where something is mounted, and the flags that must stay (proc_pid_mountinfo(5)).
fn mounts(list: &[u8]) -> Vec<(PathBuf, MsFlags)> {
    let words = [
        ("nosuid", MsFlags::MS_NOSUID),
        ("nodev", MsFlags::MS_NODEV),
        ("noexec", MsFlags::MS_NOEXEC),
        ("noatime", MsFlags::MS_NOATIME),
        ("nodiratime", MsFlags::MS_NODIRATIME),
        ("relatime", MsFlags::MS_RELATIME),
    ];
    let read = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ').skip(4);
        let (place, options) = (fields.next()?, String::from_utf8_lossy(fields.next()?).into_owned());
        let has = |word: &str| options.split(',').any(|option| option == word);
        let kept = words.iter().filter(|(word, _)| has(word)).map(|(_, flag)| *flag);
        Some((PathBuf::from(OsString::from_vec(unescaped(place))), kept.collect()))
    };
    list.split(|byte| *byte == b'\n').filter_map(read).collect()
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

fn write_maps(users: &str, groups: &str) -> io::Result<()> {
    fs::write("/proc/self/uid_map", users)?;
    // Without this a group can't be mapped (user_namespaces(7)).
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", groups)
}

fn bring_up_loopback() -> io::Result<()> {
    let route = SockProtocol::NetlinkRoute;
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, route)?;
    send(netlink.as_raw_fd(), LOOPBACK_UP.as_flattened(), MsgFlags::empty())?;
    let mut answer = [0; 64];
    recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // An acknowledgement is a header of 16 bytes and an error number, 0 for none.
    match answer.get(16..20).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        error => Err(io::Error::from_raw_os_error(error.unwrap_or(0).saturating_neg())),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use nix::mount::MsFlags;

    use super::mounts;

    #[test]
    fn mounts_are_read_with_their_flags() {
        let list = b"36 35 98:0 / / rw,relatime - ext4 /dev/root rw\n\
            37 36 0:5 / /a\\040b\\134 ro,nosuid,nodev shared:1 - tmpfs x rw\nbroken\n";
        let read = mounts(list);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].0.as_path(), read[0].1), (Path::new("/"), MsFlags::MS_RELATIME));
        assert_eq!((read[1].0.as_path(), read[1].1), (Path::new("/a b\\"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV));
    }
}
