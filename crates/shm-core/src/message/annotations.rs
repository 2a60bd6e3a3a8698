//! Annotations: what a publisher adds to a sample of any kind.

use crate::sequence::Sequence;
use std::time::SystemTime;

use super::{MetadataError, MetadataField, check_length, truncate_name};

/// What a publisher adds to a sample of any kind: bytes of its own, and the origin of a sample that
/// was first published elsewhere.
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
    /// Bytes of the publishing program, such as a frame number or a sensor's time; at most 255.
    /// Empty ones count as none.
    pub user: Vec<u8>,
    /// Where the sample was published first; `None` if that was here. Boxed, because it is rare and
    /// large.
    pub origin: Option<Box<Origin>>,
}

/// Where a sample was published first, for example on another computer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The name of that computer; at most 255 bytes.
    pub host: String,
    /// The name of the program that published it there; at most 255 bytes.
    pub program: String,
    /// The sample's sequence there.
    pub sequence: Sequence,
    /// The time of its publication there, by the clock of that computer.
    pub published: SystemTime,
    /// When the program that published it here last received data from there.
    pub last_heard: SystemTime,
    /// There may be a newer sample, because the connection is interrupted.
    pub is_stale: bool,
}

impl Annotations {
    /// Returns empty annotations.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            user: Vec::new(),
            origin: None,
        }
    }

    /// Sets the bytes of the publishing program; at most 255, which is checked when they are
    /// published.
    #[must_use]
    pub fn with_user(mut self, user: &[u8]) -> Self {
        self.user = user.to_vec();
        self
    }

    /// Sets where the sample was published first.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(Box::new(origin));
        self
    }

    /// Returns `true` if there are no annotations.
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
    /// Returns the origin of a sample that `program` has just published on `host`; truncates the
    /// names to 255 bytes.
    #[must_use]
    pub fn new(
        host: &str,
        program: &str,
        sequence: impl Into<Sequence>,
        published: SystemTime,
    ) -> Self {
        Self {
            host: truncate_name(host).to_owned(),
            program: truncate_name(program).to_owned(),
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
