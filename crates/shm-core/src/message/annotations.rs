//! What a publisher adds to a sample, whatever its kind.

use crate::sequence::Sequence;
use std::time::SystemTime;

use super::{MetadataError, MetadataField, check_length, cut_name};

/// What stands beside a sample's metadata, whatever the sample is: bytes of the caller's own, and where a
/// sample comes from that was published elsewhere first.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # use shm_core::{Annotations, Key, Metadata, Options, Publisher, Subscriber};
/// # let options = Options::new().directory(directory.path());
/// # let key = Key::new("sensor")?;
/// # let publisher = Publisher::open(&key, &options)?;
/// let frame = 42_u64;
/// let annotations = Annotations::new().with_user(&frame.to_le_bytes());
/// publisher.publish_with(&Metadata::Text, &annotations, b"21.5 degrees")?;
///
/// let sample = Subscriber::attach(&key, &options)?.latest()?.expect("it was published");
/// assert_eq!(sample.user(), frame.to_le_bytes());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Annotations {
    /// The caller's own, such as a frame number or a sensor's time; at most 255 bytes. None are the
    /// same as empty ones.
    pub user: Vec<u8>,
    /// Where the sample was published first; `None` if that was here. Few have one, and it is large.
    pub origin: Option<Box<Origin>>,
}

/// Where a sample was published first, such as on another computer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The computer's name; at most 255 bytes.
    pub host: String,
    /// The program that published it there; at most 255 bytes.
    pub program: String,
    /// The sample's sequence there.
    pub sequence: Sequence,
    /// When it was published there, by the clock of that computer.
    pub published: SystemTime,
    /// When the program that brought it here last heard from there.
    pub last_heard: SystemTime,
    /// There may be something newer: the connection is interrupted.
    pub is_stale: bool,
}

impl Annotations {
    /// Annotations that say nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            user: Vec::new(),
            origin: None,
        }
    }

    /// The same annotations with bytes of the caller's own; at most 255, which publishing checks.
    #[must_use]
    pub fn with_user(mut self, user: &[u8]) -> Self {
        self.user = user.to_vec();
        self
    }

    /// The same annotations with where the sample was published first.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(Box::new(origin));
        self
    }

    /// Returns `true` if they say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.user.is_empty() && self.origin.is_none()
    }

    pub(super) fn check(&self) -> Result<(), MetadataError> {
        check_length(MetadataField::UserData, &self.user)?;
        self.origin.as_ref().map_or(Ok(()), |origin| origin.check())
    }
}

impl Origin {
    /// A sample that this program published on this host, just heard of; the names are cut at 255 bytes.
    #[must_use]
    pub fn new(
        host: &str,
        program: &str,
        sequence: impl Into<Sequence>,
        published: SystemTime,
    ) -> Self {
        Self {
            host: cut_name(host).to_owned(),
            program: cut_name(program).to_owned(),
            sequence: sequence.into(),
            published,
            last_heard: SystemTime::now(),
            is_stale: false,
        }
    }

    fn check(&self) -> Result<(), MetadataError> {
        check_length(MetadataField::HostName, &self.host)?;
        check_length(MetadataField::ProgramName, &self.program)
    }
}
