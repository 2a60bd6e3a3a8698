//! What was published, and what was released for it.

use qt_bridge::{Form, User};
use shm_core::segment::Permissions;
use shm_core::{Publisher, Sequence};

use crate::address::Address;
use crate::content::RingSize;

/// A sample, frame or stream that readers find now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// `text`, `image` or `bytes`.
    pub kind: &'static str,
    /// How many bytes it takes in shared memory.
    pub bytes: u64,
    /// The number of the sample; 0 under a key of Qt, where nothing is counted.
    pub sequence: Sequence,
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where it is.
    pub key: Address,
    /// `text`, `image` or `bytes`.
    pub kind: &'static str,
    /// How many bytes it takes in shared memory.
    pub bytes: u64,
    /// The number of the sample; 0 under a key of Qt, where nothing is counted.
    pub sequence: Sequence,
    /// The form of the stream, if it is for Qt programs.
    pub form: Option<Form>,
    /// The process whose content it replaced; under a key of Qt, one that uses it.
    pub replaced: Option<User>,
    /// What was released, because this is published under another key.
    pub released: Option<Released>,
    /// Who may read it; `None` under a key of Qt, or if that is not known.
    pub permissions: Option<Permissions>,
    /// How much the segment retains; `None` under a key of Qt.
    pub ring: Option<RingSize>,
}

/// What was released.
#[derive(Clone, Debug)]
pub struct Released {
    /// Its key.
    pub key: Address,
    /// Whether its segment was removed; if not, others are attached, or it is persistent.
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
