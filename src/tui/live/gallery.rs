//! The driver's end: who looks on, and telling them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::getuid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};

use super::{Heard, Hello, Told, socket};
use crate::domain::visible_line;

/// The most lines that wait for one who looks on. Whoever is slower is let go, and comes again to a fresh start.
const BEHIND: usize = 4096;

/// The longest line that is listened to, in bytes.
const LONGEST: u64 = 4096;

/// Everyone who looks on.
pub(in crate::tui) struct Gallery {
    /// None where the system gives no socket: others follow the journal alone.
    listener: Option<UnixListener>,
    path: PathBuf,
    watchers: Vec<Watcher>,
    last: u64,
    arrivals: UnboundedReceiver<Arrival>,
    arrived: UnboundedSender<Arrival>,
}

struct Watcher {
    number: u64,
    /// Known once they have said so.
    who: Option<String>,
    lines: Sender<Arc<str>>,
}

enum Arrival {
    Named(u64, String),
    Left(u64),
}

impl Gallery {
    /// Opens the socket in Windlass's private directory. Who drives holds the journal's lock, so that what is there was
    /// left by a process that is gone.
    ///
    /// # Errors
    /// If the system gives no socket there; the gallery is one that nobody can come to.
    pub(in crate::tui) fn open(private: &Path) -> (Self, io::Result<()>) {
        let path = socket(private);
        let left = match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        let (listener, result) = match left.and_then(|()| UnixListener::bind(&path)) {
            Ok(listener) => (Some(listener), Ok(())),
            Err(error) => (None, Err(error)),
        };
        let (arrived, arrivals) = unbounded_channel();
        (Self { listener, path, watchers: Vec::new(), last: 0, arrivals, arrived }, result)
    }

    pub(super) async fn next(&mut self) -> Heard {
        loop {
            let came = async {
                match &self.listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                came = came => {
                    if let Ok((stream, _)) = came
                        // The directory may be open to others.
                        && stream.peer_cred().is_ok_and(|peer| peer.uid() == getuid().as_raw())
                    {
                        return Heard::Came(self.seat(stream));
                    }
                }
                arrival = self.arrivals.recv() => {
                    match arrival {
                        Some(Arrival::Named(number, who)) => {
                            if let Some(watcher) = self.watchers.iter_mut().find(|one| one.number == number) {
                                watcher.who = Some(who);
                            }
                        }
                        Some(Arrival::Left(number)) => self.watchers.retain(|one| one.number != number),
                        None => {}
                    }
                    return Heard::Watchers(self.names());
                }
            }
        }
    }

    /// Whether nobody looks on.
    pub(super) const fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// Tells everyone.
    pub(super) fn tell(&mut self, told: &Told) {
        let line = line(told);
        self.watchers.retain(|watcher| watcher.lines.try_send(Arc::clone(&line)).is_ok());
    }

    /// Tells one of them.
    pub(super) fn tell_one(&mut self, number: u64, told: &Told) {
        let line = line(told);
        self.watchers.retain(|watcher| watcher.number != number || watcher.lines.try_send(Arc::clone(&line)).is_ok());
    }

    fn names(&self) -> Vec<String> {
        self.watchers.iter().filter_map(|watcher| watcher.who.clone()).collect()
    }

    fn seat(&mut self, stream: UnixStream) -> u64 {
        self.last += 1;
        let (lines, waiting) = channel(BEHIND);
        self.watchers.push(Watcher { number: self.last, who: None, lines });
        tokio::spawn(attend(stream, self.last, waiting, self.arrived.clone()));
        self.last
    }
}

impl Drop for Gallery {
    fn drop(&mut self) {
        if self.listener.is_some() {
            // Whoever drives next clears up what can't be removed now.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Passes lines on until the other side goes, or is let go. Who they are may be said once.
async fn attend(stream: UnixStream, number: u64, mut lines: Receiver<Arc<str>>, arrived: UnboundedSender<Arrival>) {
    let (hears, mut says) = stream.into_split();
    let mut hears = BufReader::new(hears.take(LONGEST)).lines();
    let mut named = false;
    loop {
        tokio::select! {
            line = lines.recv() => {
                let Some(line) = line else { break };
                if says.write_all(line.as_bytes()).await.is_err() {
                    break;
                }
            }
            hello = hears.next_line() => {
                match hello.ok().flatten().and_then(|line| serde_json::from_str::<Hello>(&line).ok()) {
                    Some(hello) if !named => {
                        named = true;
                        // If nobody listens any more, the screen is going away.
                        let _ = arrived.send(Arrival::Named(number, visible_line(&hello.who).into_owned()));
                    }
                    _ => break,
                }
            }
        }
    }
    let _ = arrived.send(Arrival::Left(number));
}

fn line(told: &Told) -> Arc<str> {
    // Nothing in it can fail to be written as JSON: strings and numbers.
    let mut line = serde_json::to_string(told).unwrap_or_default();
    line.push('\n');
    line.into()
}
