//! What can be read of a segment without attaching to it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::id::SegmentId;
use super::permissions::Permissions;
use crate::error::{InvalidSample, ListedError};
use crate::key::Key;
use crate::message::{Annotations, Metadata};
use crate::participant::Participant;
use crate::process::Process;
use crate::sequence::Sequence;

/// The properties of a segment.
#[derive(Clone, Debug)]
pub struct Info {
    /// Its key.
    pub key: Key,
    /// Its random id, which distinguishes it from an earlier or later one under the same key.
    pub id: SegmentId,
    /// Its content.
    pub content: Content,
    /// The segment stays when the last participant detaches.
    pub persistent: bool,
    /// When it was created.
    pub created: SystemTime,
    /// The permission bits of its file, 0600 unless its creator chose others.
    pub mode: u32,
    /// The id of its group.
    pub group: u32,
    /// The memory that it occupies in bytes, control area included.
    pub reserved_bytes: u64,
    /// Its participants.
    pub attached: Vec<Participant>,
}

impl Info {
    /// Returns which users may open it.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        Permissions {
            mode: self.mode,
            group: self.group,
        }
    }
}

/// The content of a segment.
#[derive(Clone, Debug)]
pub enum Content {
    /// One block of bytes.
    Block {
        /// Its length in bytes.
        size: u64,
    },
    /// A counting semaphore.
    Semaphore {
        /// The number of units that can be acquired.
        available: u32,
        /// The number of units that all processes hold together.
        held: u32,
    },
    /// Published samples.
    Samples {
        /// The newest sample; `None` if none was published yet, or the samples were cleared.
        latest: Option<Latest>,
        /// The length in bytes of the ring, which keeps the last samples.
        ring_bytes: u64,
        /// The bytes of large samples that are retained beside the newest.
        retain_bytes: u64,
    },
    /// Published samples, of which the latest cannot be read.
    Damaged {
        /// Why it cannot be read.
        damage: InvalidSample,
    },
}

/// The properties of the newest sample, without its payload.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The metadata of the payload.
    pub metadata: Metadata,
    /// The annotations beside the metadata.
    pub annotations: Annotations,
    /// The payload's length in bytes.
    pub bytes: u64,
    /// The sample's number.
    pub sequence: Sequence,
    /// The process that published it.
    pub writer: Process,
    /// When it was published, by the publisher's wall clock.
    pub published: SystemTime,
    /// Its age when it was inspected, by the monotonic clock.
    pub age: Duration,
}

/// A file in the directory whose name is that of a segment.
#[derive(Debug)]
pub struct Listed {
    /// The key; if it is not a valid one, that part of the file name, converted to UTF-8.
    pub name: String,
    /// The path of the file.
    pub path: PathBuf,
    /// The segment, or why the file cannot be inspected.
    pub segment: Result<Info, ListedError>,
}
