//! The journal: the append-only, hash-chained record of a repository's loops, in one SQLite file.
//!
//! [`Journal`] is the one writer, the driver's handle; opening it gives every event back. [`Reader`]s are any number of
//! read-only handles, also while a driver writes. [`verify`] finds every row that was altered, removed or moved.
//!
//! Events and the exact bytes of every exchange share one table and one chain: a row's hash covers the hash of the row
//! before it. The last row's place and hash are kept apart, so that a missing tail is found too. A record rewritten as a
//! whole is not found by this; the head that a landed commit names is what tells it.

mod chain;
mod file;
mod index;
mod lock;
mod reader;
mod said;
mod search;
mod stored;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verify;
mod wire;
mod writer;

pub use chain::Head;
pub use file::{OpenError, StorageError};
pub use lock::LockError;
pub use reader::{ReadError, Reader};
pub use search::{Found, find};
pub use verify::{Verified, VerifyError, verify};
pub use wire::{ReceivedChunk, ReceivedResponse, SentChunk, SentRequest, StoredExchange, WireKind, WireRow};
pub use writer::{AppendError, Journal};
