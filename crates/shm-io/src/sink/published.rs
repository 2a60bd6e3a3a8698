//! The results of publishing and releasing.

use qt_bridge::{Form, User};
use shm_core::segment::Permissions;
use shm_core::{Publisher, Sequence};

use crate::address::Address;
use crate::content::RingSize;

/// A sample, frame or stream that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// `text`, `image` or `bytes`.
    pub kind: &'static str,
    /// Its size in shared memory in bytes.
    pub bytes: u64,
    /// The sequence number of the sample; 0 for a Qt segment, which has none.
    pub sequence: Sequence,
}

/// The result of publishing.
#[derive(Clone, Debug)]
pub struct Published {
    /// The address of the segment.
    pub key: Address,
    /// `text`, `image` or `bytes`.
    pub kind: &'static str,
    /// Its size in shared memory in bytes.
    pub bytes: u64,
    /// The sequence number of the sample; 0 for a Qt segment, which has none.
    pub sequence: Sequence,
    /// The form of the stream; `None` for a segment of shm-core.
    pub form: Option<Form>,
    /// The process whose content was replaced; for a Qt segment, a process that uses it.
    pub replaced: Option<User>,
    /// The segment that was released because this one has another key.
    pub released: Option<Released>,
    /// Which users may read it; `None` for a Qt segment, or if that is unknown.
    pub permissions: Option<Permissions>,
    /// How much the segment retains; `None` for a Qt segment.
    pub ring: Option<RingSize>,
}

/// A segment that was released.
#[derive(Clone, Debug)]
pub struct Released {
    /// Its address.
    pub key: Address,
    /// Whether it was removed. If not, other processes are attached, or it is persistent.
    pub is_removed: bool,
}

impl Published {
    pub(super) fn at(key: impl Into<Address>) -> Published {
        Published {
            key: key.into(),
            kind: "nothing",
            bytes: 0,
            sequence: Sequence::default(),
            form: None,
            replaced: None,
            released: None,
            permissions: None,
            ring: None,
        }
    }

    pub(super) fn with(self, sent: Sent) -> Published {
        Published {
            kind: sent.kind,
            bytes: sent.bytes,
            sequence: sent.sequence,
            ..self
        }
    }

    pub(super) fn by(publisher: &Publisher, replaced: Option<User>) -> Published {
        Published {
            replaced,
            permissions: publisher.permissions(),
            ring: Some(RingSize {
                ring: publisher.ring_bytes(),
                retain: publisher.retain_bytes(),
            }),
            ..Published::at(publisher.key())
        }
    }
}

impl From<Publisher> for Released {
    fn from(publisher: Publisher) -> Released {
        Released {
            key: publisher.key().into(),
            is_removed: publisher.detach().removed,
        }
    }
}
