//! What a helper is asked to run, one command after another, and what it tells of each: over the socket that is its
//! standard input. The command's own streams travel along as descriptors.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::unistd::{close, read, write};

use super::attend::End;

/// Where this process finds its own descriptors by number.
const DESCRIPTORS: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// Ends what a helper tells; no path has it in it.
pub(in crate::process) const STOP: u8 = 0;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::process) struct Errand {
    /// Where it runs.
    pub(in crate::process) cwd: PathBuf,
    /// Program and arguments.
    pub(in crate::process) argv: Vec<OsString>,
}

/// The streams of a command, as a helper gets them.
pub(super) struct Streams {
    /// None for one that is empty.
    pub(super) input: Option<File>,
    pub(super) output: File,
    pub(super) errors: File,
}

/// What is told of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::process) struct Told {
    /// How it ended.
    pub(in crate::process) end: End,
    /// Whether the helper is as it was before, and waits for another.
    pub(in crate::process) again: bool,
}

impl Errand {
    /// The rest of it, after its length has been [sent](send).
    pub(in crate::process) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in std::iter::once(self.cwd.as_os_str()).chain(self.argv.iter().map(OsString::as_os_str)) {
            bytes.extend_from_slice(&(word.len() as u64).to_le_bytes());
            bytes.extend_from_slice(word.as_bytes());
        }
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut words = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk() {
            let (word, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            words.push(OsString::from_vec(word.to_vec()));
            bytes = rest;
        }
        let mut words = words.into_iter();
        let cwd = words.next()?.into();
        bytes.is_empty().then(|| Self { cwd, argv: words.collect() })
    }
}

impl Told {
    /// As it is told, without the [`STOP`].
    fn to_text(&self) -> String {
        format!("{} {}", if self.again { "again" } else { "last" }, self.end.to_text())
    }

    /// What such a text tells, if it tells anything.
    pub(in crate::process) fn read(text: &str) -> Option<Self> {
        let (word, end) = text.split_once(' ')?;
        Some(Self { end: End::read(end)?, again: word == "again" })
    }
}

/// Sends the length of an errand, and with it the command's output, its errors and, if it has one, its input.
pub(in crate::process) fn send(line: &impl AsRawFd, length: usize, descriptors: &[RawFd]) -> io::Result<()> {
    let length = (length as u64).to_le_bytes();
    let with = [ControlMessage::ScmRights(descriptors)];
    let sent = sendmsg::<()>(line.as_raw_fd(), &[IoSlice::new(&length)], &with, MsgFlags::empty(), None)?;
    if sent == length.len() { Ok(()) } else { Err(ErrorKind::WriteZero.into()) }
}

/// Waits for the next errand; none when there will be no more.
pub(super) fn receive() -> io::Result<Option<(Errand, Streams)>> {
    let stdin = io::stdin();
    let mut length = [0; 8];
    let mut space = nix::cmsg_space!([RawFd; 3]);
    let mut parts = [IoSliceMut::new(&mut length)];
    let message = recvmsg::<()>(stdin.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty())?;
    let whole = match message.bytes {
        0 => return Ok(None),
        bytes => bytes == size_of::<u64>(),
    };
    let mut numbers = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(given) = part {
            numbers.extend(given);
        }
    }
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
    let [output, errors, input @ ..] = numbers.as_slice() else { return Err(ErrorKind::InvalidData.into()) };
    let streams = Streams {
        output: opened(*output, true)?,
        errors: opened(*errors, true)?,
        input: input.first().map(|number| opened(*number, false)).transpose()?,
    };
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read(stdin.as_fd(), rest)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => filled += more,
        }
    }
    let errand = Errand::from_bytes(&bytes).filter(|_| whole).ok_or(ErrorKind::InvalidData)?;
    Ok(Some((errand, streams)))
}

/// The file of a descriptor that came as a number. By its name, because only what was opened has an owner.
fn opened(number: RawFd, writes: bool) -> io::Result<File> {
    let file = File::options().read(!writes).write(writes).open(format!("{DESCRIPTORS}/{number}"))?;
    close(number)?;
    Ok(file)
}

/// Tells what came of the last errand.
pub(super) fn tell(told: &Told) -> io::Result<()> {
    let stdin = io::stdin();
    let mut text = told.to_text().into_bytes();
    text.push(STOP);
    let mut rest = text.as_slice();
    while !rest.is_empty() {
        let written = write(stdin.as_fd(), rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use super::{End, Errand, Told};

    #[test]
    fn an_errand_arrives_as_it_was_given() {
        let odd = OsString::from_vec(b"/odd \xff--/\0\n".to_vec());
        for argv in [vec![], vec![odd.clone(), OsString::new(), "x".into()]] {
            let errand = Errand { cwd: odd.clone().into(), argv };
            let bytes = errand.to_bytes();
            assert_eq!(Errand::from_bytes(&bytes), Some(errand));
            assert_eq!(Errand::from_bytes(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn what_is_told_is_understood() {
        for end in [End::Exit(3), End::Signal(9), End::Leak(0), End::NotStarted("no such thing: a b".to_owned())] {
            for again in [true, false] {
                let told = Told { end: end.clone(), again };
                assert_eq!(Told::read(&told.to_text()), Some(told));
            }
        }
        assert!(Told::read("").is_none() && Told::read("again exit x").is_none());
    }
}
