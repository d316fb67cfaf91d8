//! What is kept of a command's output: its end in memory, and all of it in a file once it is long.

use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};
use tokio::io::{self, AsyncWriteExt};

/// Sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How much of the end stays in memory.
    pub(super) tail: usize,
    /// Beyond this in total, everything goes into the file.
    pub(super) memory: usize,
    /// Beyond this the file does not grow.
    pub(super) file: u64,
}

/// 16 KiB, 1 MiB, 256 MiB.
pub(super) const LIMITS: Limits = Limits { tail: 16 << 10, memory: 1 << 20, file: 256 << 20 };

/// The output so far.
pub(super) struct Kept {
    limits: Limits,
    path: PathBuf,
    tail: Vec<u8>,
    total: u64,
    place: Place,
}

/// Where the whole output is.
enum Place {
    Memory(Vec<u8>),
    File(File),
    /// The file has reached its limit and says so in its last line.
    Full,
    /// The file could not be written, and why.
    Failed(String),
}

/// What is left of the output at the end.
pub(super) struct Remains {
    /// Its end.
    pub(super) tail: Vec<u8>,
    /// How much there was, in bytes.
    pub(super) total: u64,
    /// The file, if there is one; or why it is missing or incomplete.
    pub(super) spilled: Result<Option<PathBuf>, String>,
}

impl Kept {
    /// Nothing yet; `path` is created only when it is needed.
    pub(super) fn new(path: &Path, limits: Limits) -> Self {
        Self { limits, path: path.to_owned(), tail: Vec::new(), total: 0, place: Place::Memory(Vec::new()) }
    }

    /// Keeps `chunk`.
    pub(super) async fn push(&mut self, chunk: &[u8]) {
        let before = self.total;
        self.total += chunk.len() as u64;
        self.tail.extend_from_slice(chunk);
        if self.tail.len() > 2 * self.limits.tail {
            self.cut_tail();
        }
        if let Err(error) = self.place_chunk(before, chunk).await {
            self.place = Place::Failed(format!("failed to write {}: {error}", self.path.display()));
        }
    }

    /// Ends the file.
    pub(super) async fn finish(mut self) -> Remains {
        self.cut_tail();
        let spilled = match &mut self.place {
            Place::Memory(_) => Ok(None),
            Place::Full => Ok(Some(self.path)),
            Place::Failed(why) => Err(std::mem::take(why)),
            Place::File(file) => match file.flush().await {
                Ok(()) => Ok(Some(self.path)),
                Err(error) => Err(format!("failed to write {}: {error}", self.path.display())),
            },
        };
        Remains { tail: self.tail, total: self.total, spilled }
    }

    fn cut_tail(&mut self) {
        self.tail.drain(..self.tail.len().saturating_sub(self.limits.tail));
    }

    async fn place_chunk(&mut self, before: u64, chunk: &[u8]) -> io::Result<()> {
        match &mut self.place {
            Place::Full | Place::Failed(_) => Ok(()),
            Place::Memory(all) if all.len() + chunk.len() <= self.limits.memory => {
                all.extend_from_slice(chunk);
                Ok(())
            }
            Place::Memory(all) => {
                let all = std::mem::take(all);
                let mut file = create(&self.path).await?;
                file.write_all(&all).await?;
                self.place = Place::File(file);
                self.append(before, chunk).await
            }
            Place::File(_) => self.append(before, chunk).await,
        }
    }

    async fn append(&mut self, before: u64, chunk: &[u8]) -> io::Result<()> {
        let Place::File(file) = &mut self.place else { return Ok(()) };
        let room = usize::try_from(self.limits.file.saturating_sub(before)).unwrap_or(usize::MAX);
        match chunk.split_at_checked(room) {
            None => file.write_all(chunk).await,
            Some((fits, _)) => {
                file.write_all(fits).await?;
                let last = format!("\n[windlass: output beyond {} bytes is not kept]\n", self.limits.file);
                file.write_all(last.as_bytes()).await?;
                file.flush().await?;
                self.place = Place::Full;
                Ok(())
            }
        }
    }
}

/// A new file for the owner's eyes only. What stood there is removed first, so that no link is followed and no wider
/// permission survives.
async fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await
}
