//! What is in a segment at one moment, copied out of it.

use std::time::{Duration, SystemTime};
use std::{fmt, io};

use iced::Size;
use qt_bridge::{Address, Digest, Form, ReadingError};
use shm_core::segment::{Info, Permissions};
use shm_core::{
    ArrayMetadata, AttachError, AttachErrorKind, Block, Key, LockError, Metadata, Options,
    Participant, Process, ReadError, Sample, Subscriber, segment,
};

use crate::explain::Explain;
use crate::follower::FollowError;
use crate::picture::Picture;
use crate::pixels::PixelsError;
use crate::{form_choice, group, say};

/// How much of a text a window shows, in bytes.
///
/// The window's editor lays out its whole text at once, which at this length takes it up to a
/// fifth of a second in most scripts. `viewer-app show --output` writes texts of any length.
pub const TEXT_LIMIT: usize = 128 * 1024;

/// How many lines of a text a window shows; a line costs time of its own, however short it is.
pub const LINE_LIMIT: usize = 4_000;

/// How many of the first bytes are kept of what is neither text nor picture.
pub const HEAD_LIMIT: usize = 256;

/// How long [`read`] waits for somebody who holds the lock of a block.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// What is in a segment at one moment; it stays valid whatever becomes of the segment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Whose content this is.
    pub key: Address,
    /// The content, ready to show.
    pub content: Content,
    /// As what it was read, where it is a Qt program's: recognised or chosen.
    pub form: Option<Form>,
    /// What tells it from others, where it is a Qt program's.
    pub digest: Option<Digest>,
    /// The size of the whole content in shared memory.
    pub bytes: u64,
    /// Where the content comes from; `None` for a block and where nothing was published.
    pub origin: Option<Origin>,
    /// Whether the segment stays when everybody has left.
    pub persistent: bool,
    /// Who may open the segment; `None` of one of Qt programs, or where that is not known any more.
    pub permissions: Option<Permissions>,
    /// Who was attached beside the reader itself.
    pub attached: Vec<Participant>,
}

/// What can be in a segment, in the form in which a window shows it.
#[derive(Clone, Debug)]
pub enum Content {
    /// A text.
    Text(Text),
    /// A picture.
    Picture(Picture),
    /// Anything else.
    Bytes(Bytes),
    /// Nothing was published, or it was cleared.
    Empty,
}

/// A text, or as much of it as [`TEXT_LIMIT`] and [`LINE_LIMIT`] let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What to show.
    pub shown: String,
    /// Whether that is all.
    pub is_whole: bool,
}

/// What is neither text nor picture, or the content of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// What the loader says it is; `None` for a block, which does not tell.
    pub media_type: Option<String>,
    /// The file that the loader had it from.
    pub file_name: Option<String>,
    /// What it is, where it is an array.
    pub array: Option<ArrayMetadata>,
    /// The first bytes, at most [`HEAD_LIMIT`].
    pub head: Vec<u8>,
    /// Whether the last writer died while writing, so that the bytes may be half old, half new.
    pub is_half_written: bool,
}

/// Who published a sample, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The id of the segment: sequences begin anew with it.
    pub segment: u128,
    /// The number of the sample: 1, 2, 3 …
    pub sequence: u64,
    /// The process that published it.
    pub writer: Process,
    /// The name of that process, where it was still attached.
    pub writer_program: Option<String>,
    /// When it was published.
    pub published: SystemTime,
    /// Where it was published first, if elsewhere.
    pub elsewhere: Option<shm_core::Origin>,
}

impl Origin {
    /// Tells where a sample comes from; its writer is called by name where it is `attached`.
    pub fn of(sample: &Sample, attached: &[Participant]) -> Origin {
        let writer = sample.writer();
        Origin {
            segment: sample.segment(),
            sequence: sample.sequence(),
            writer,
            writer_program: attached
                .iter()
                .find(|peer| peer.process.is(writer))
                .map(|peer| peer.program.clone()),
            published: sample.published(),
            elsewhere: sample.origin().cloned(),
        }
    }
}

impl Snapshot {
    /// Names the kind of content: `text`, `image`, `array`, `bytes`, or `nothing`.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Text(_) => "text",
            Content::Picture(_) => "image",
            Content::Bytes(Bytes { array: Some(_), .. }) => "array",
            Content::Bytes(_) => "bytes",
            Content::Empty => "nothing",
        }
    }

    /// Says in the language of the window what kind of content it is, and of which form: `text`, or
    /// `text as QString`.
    pub fn kind_and_form(&self) -> String {
        let kind = name_of_kind(self.kind());
        match self.form.filter(|_| !self.is_empty()) {
            Some(form) => say!("fact-form", kind = kind, form = form_choice::name(form)),
            None => kind,
        }
    }

    /// Returns `true` if there is nothing to show.
    pub fn is_empty(&self) -> bool {
        matches!(self.content, Content::Empty)
    }

    /// Returns the number of the sample, where the content is one.
    pub fn sequence(&self) -> Option<u64> {
        self.origin.as_ref().map(|origin| origin.sequence)
    }
}

/// Names a kind of content in the language of the window.
pub fn name_of_kind(kind: &'static str) -> String {
    match kind {
        "text" => say!("kind-text"),
        "image" => say!("kind-image"),
        "array" => say!("kind-array"),
        "bytes" => say!("kind-bytes"),
        "nothing" => say!("kind-nothing"),
        "block" => say!("kind-block"),
        "semaphore" => say!("kind-semaphore"),
        "empty" => say!("kind-empty"),
        "damaged" => say!("kind-damaged"),
        kind => kind.to_owned(),
    }
}

/// Attaches to a segment, copies out what is in it, and detaches.
///
/// A picture is converted for the window from the shared pixels in place; nothing else copies it.
/// This blocks, mostly for as long as a large picture takes, on a block up to two seconds for its
/// lock: call it on a worker thread.
///
/// # Errors
///
/// [`SnapshotError`], which says in a sentence what is wrong and what to do.
pub fn read(key: &Key, options: &Options) -> Result<Snapshot, SnapshotError> {
    match Subscriber::attach(key, options) {
        Ok(subscriber) => read_sample(key, options, subscriber),
        Err(error) if *error.kind() == AttachErrorKind::WrongKind => read_block(key, options),
        Err(error) => Err(SnapshotError::Attach(error)),
    }
}

fn read_sample(
    key: &Key,
    options: &Options,
    mut subscriber: Subscriber,
) -> Result<Snapshot, SnapshotError> {
    let sample = subscriber.latest().map_err(SnapshotError::Read)?;
    // Somebody may remove the segment between these lines: then it was not persistent.
    let info = segment::info(key, options).ok();
    let company = Company {
        attached: subscriber.peers(),
        ..info.as_ref().map(Company::of).unwrap_or_default()
    };
    match sample {
        Some(sample) => of_sample(key, &sample, company, None),
        None => Ok(of_nothing(key, company)),
    }
}

/// Who was at a segment, who may come, and whether it stays without them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// Who was attached beside the reader itself.
    pub attached: Vec<Participant>,
    /// Whether the segment stays when everybody has left.
    pub persistent: bool,
    /// Who may open the segment, as far as is known.
    pub permissions: Option<Permissions>,
}

impl Company {
    /// Tells that of a segment. For a thread that may wait for a file.
    pub fn of(info: &Info) -> Company {
        group::read_names();
        Company {
            attached: info.attached.clone(),
            persistent: info.persistent,
            permissions: Some(info.permissions()),
        }
    }
}

/// Copies a sample out of shared memory; of a picture only what is seen in `pane`, where that is given.
///
/// # Errors
///
/// [`SnapshotError`] where the sample is damaged.
pub fn of_sample(
    key: &Key,
    sample: &Sample,
    company: Company,
    pane: Option<Size<u32>>,
) -> Result<Snapshot, SnapshotError> {
    let Company {
        attached,
        persistent,
        permissions,
    } = company;
    Ok(Snapshot {
        key: key.clone().into(),
        content: content_of(key, sample, pane)?,
        form: None,
        digest: None,
        bytes: sample.len() as u64,
        origin: Some(Origin::of(sample, &attached)),
        persistent,
        permissions,
        attached,
    })
}

/// Makes the snapshot of a segment in which nothing is.
pub fn of_nothing(key: &Key, company: Company) -> Snapshot {
    Snapshot {
        key: key.clone().into(),
        content: Content::Empty,
        form: None,
        digest: None,
        bytes: 0,
        origin: None,
        persistent: company.persistent,
        permissions: company.permissions,
        attached: company.attached,
    }
}

fn content_of(
    key: &Key,
    sample: &Sample,
    pane: Option<Size<u32>>,
) -> Result<Content, SnapshotError> {
    match sample.metadata() {
        Metadata::Text => {
            let is_whole = sample.len() <= TEXT_LIMIT;
            Text::from_copy(head_of(sample, TEXT_LIMIT)?, is_whole)
                .map(Content::Text)
                .ok_or_else(|| SnapshotError::Text {
                    key: key.clone().into(),
                })
        }
        Metadata::Image(metadata) => {
            let picture =
                Picture::from_payload(metadata, sample.payload(), pane).map_err(|source| {
                    SnapshotError::Picture {
                        key: key.clone().into(),
                        source,
                    }
                })?;
            // It was read in place: was it all there?
            sample.verify().map_err(SnapshotError::Read)?;
            Ok(Content::Picture(picture))
        }
        metadata => Ok(Content::Bytes(Bytes::of(
            metadata,
            head_of(sample, HEAD_LIMIT)?,
        ))),
    }
}

fn head_of(sample: &Sample, limit: usize) -> Result<Vec<u8>, SnapshotError> {
    let mut head = vec![0; sample.len().min(limit)];
    sample.copy_to(&mut head).map_err(SnapshotError::Read)?;
    Ok(head)
}

fn read_block(key: &Key, options: &Options) -> Result<Snapshot, SnapshotError> {
    // Before attaching, so that the reader does not find itself among the attached.
    let info = segment::info(key, options).map_err(SnapshotError::Attach)?;
    let block = Block::attach_read_only(key, options).map_err(SnapshotError::Attach)?;
    let (mut bytes, is_half_written) = block.snapshot(LOCK_TIMEOUT).map_err(SnapshotError::Lock)?;
    let size = bytes.len() as u64;
    bytes.truncate(HEAD_LIMIT);
    let permissions = Company::of(&info).permissions;
    Ok(Snapshot {
        key: key.clone().into(),
        content: Content::Bytes(Bytes {
            media_type: None,
            file_name: None,
            array: None,
            head: bytes,
            is_half_written,
        }),
        form: None,
        digest: None,
        bytes: size,
        origin: None,
        persistent: info.persistent,
        permissions,
        attached: info.attached,
    })
}

impl Bytes {
    /// Makes bytes of the first ones of a payload.
    pub(crate) fn of(metadata: &Metadata, mut head: Vec<u8>) -> Bytes {
        head.truncate(HEAD_LIMIT);
        let array = match metadata {
            Metadata::Array(array) => Some(array.clone()),
            _ => None,
        };
        Bytes {
            media_type: Some(metadata.media_type().to_owned()),
            file_name: metadata.file_name().map(str::to_owned),
            array,
            head,
            is_half_written: false,
        }
    }
}

impl Text {
    /// Makes a text of the first bytes copied out of a sample; `None` where they are not UTF-8.
    ///
    /// They are copied before they are checked: a check in place would say nothing about what a
    /// lying peer makes of them a moment later.
    pub(crate) fn from_copy(mut copy: Vec<u8>, is_whole: bool) -> Option<Text> {
        if let Err(error) = str::from_utf8(&copy) {
            // The limit may fall into the middle of a character, which is no error.
            if is_whole || error.error_len().is_some() {
                return None;
            }
            copy.truncate(error.valid_up_to());
        }
        let mut shown = String::from_utf8(copy).ok()?;
        let mut line_ends = shown.match_indices('\n').map(|(at, _)| at + 1);
        let cut = line_ends
            .nth(LINE_LIMIT - 1)
            .filter(|end| *end < shown.len());
        if let Some(end) = cut {
            shown.truncate(end);
        }
        Some(Text {
            shown,
            is_whole: is_whole && cut.is_none(),
        })
    }
}

/// Why there is no snapshot. Its text names the key, what is wrong, and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The segment could not be attached to; mostly because there is none.
    Attach(AttachError),
    /// The segment is damaged, or was removed while it was read.
    Read(ReadError),
    /// Somebody holds the lock of a block.
    Lock(LockError),
    /// A segment of a Qt program gave nothing.
    Qt(ReadingError),
    /// The system gave no thread to look on.
    NoThread {
        /// What was to be looked at.
        key: Address,
        /// The system's word.
        source: io::Error,
    },
    /// What says to be a text is not UTF-8.
    Text {
        /// Whose content it is.
        key: Address,
    },
    /// What says to be a picture has other dimensions than bytes.
    Picture {
        /// Whose content it is.
        key: Address,
        /// What does not fit.
        source: PixelsError,
    },
}

impl From<FollowError> for SnapshotError {
    fn from(error: FollowError) -> SnapshotError {
        match error {
            FollowError::Attach(error) => SnapshotError::Attach(error),
            FollowError::Read(error) => SnapshotError::Read(error),
        }
    }
}

impl SnapshotError {
    /// Returns `true` if there simply is no segment of that key.
    pub fn is_not_found(&self) -> bool {
        match self {
            SnapshotError::Attach(error) => *error.kind() == AttachErrorKind::NotFound,
            SnapshotError::Qt(error) => error.is_not_found(),
            _ => false,
        }
    }

    /// Returns `true` if the segment could not be attached to, whatever the reason.
    pub fn is_attach(&self) -> bool {
        matches!(
            self,
            SnapshotError::Attach(_) | SnapshotError::Qt(ReadingError::Segment(_))
        )
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Attach(error) => formatter.write_str(&error.explain()),
            SnapshotError::Read(error) => formatter.write_str(&error.explain()),
            SnapshotError::Lock(error) => formatter.write_str(&error.explain()),
            SnapshotError::Qt(error) => formatter.write_str(&error.explain()),
            SnapshotError::NoThread { key, source } => {
                formatter.write_str(&say!("snapshot-no-thread", key = key, reason = source))
            }
            SnapshotError::Text { key } => {
                formatter.write_str(&say!("snapshot-not-utf8", key = key))
            }
            SnapshotError::Picture { key, source } => formatter.write_str(&say!(
                "snapshot-damaged-picture",
                key = key,
                reason = source.to_string()
            )),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SnapshotError::Attach(error) => Some(error),
            SnapshotError::Read(error) => Some(error),
            SnapshotError::Lock(error) => Some(error),
            SnapshotError::Qt(error) => Some(error),
            SnapshotError::NoThread { source, .. } => Some(source),
            SnapshotError::Text { .. } => None,
            SnapshotError::Picture { source, .. } => Some(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_shown_whole() {
        let text = Text::from_copy("日本 🙂".into(), true).expect("it is UTF-8");
        assert_eq!(text.shown, "日本 🙂");
        assert!(text.is_whole);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut copy = "語".repeat(10).into_bytes();
        copy.truncate(29);
        let text = Text::from_copy(copy, false).expect("it is UTF-8 but for its end");
        assert!(!text.is_whole);
        assert_eq!(text.shown, "語".repeat(9));
    }

    #[test]
    fn many_lines_are_cut_between_lines() {
        let all = "a\n".repeat(LINE_LIMIT);
        let text = Text::from_copy(all.clone().into(), true).expect("it is UTF-8");
        assert!(text.is_whole);
        let text = Text::from_copy(format!("{all}b").into(), true).expect("it is UTF-8");
        assert!(!text.is_whole);
        assert_eq!(text.shown, all);
    }

    #[test]
    fn what_is_not_utf8_is_no_text() {
        assert_eq!(Text::from_copy(b"ab\xffcd".into(), true), None);
        assert_eq!(Text::from_copy(b"ab\xffcd".into(), false), None);
        // A whole text that ends within a character is broken, not cut.
        assert_eq!(Text::from_copy("語".as_bytes()[..2].into(), true), None);
    }
}
