//! The content of a segment at one moment, prepared for display.

use std::{fmt, io};

use iced::Size;
use qt_bridge::{Digest, Form};
use shm_core::segment::Permissions;
use shm_core::{ArrayMetadata, Metadata, Participant, ReadError, Sequence};
use shm_io::{Address, Content, Publication, Source, SourceError, Stat};

use crate::picture::drawable::Picture;
use crate::picture::pixels::PixelsError;
use crate::text::explain::Explain;
use crate::text::group;
use crate::tr;
use crate::widget::form_choice;

/// The maximum length of a shown text, in bytes.
///
/// The window's editor lays out its whole text at once, which takes up to 0.2 s at this length in
/// most scripts. `viewer-app show --output` writes texts of any length.
pub const TEXT_LIMIT: usize = 128 * 1024;

/// The maximum number of shown lines; each line costs layout time, however short it is.
pub const LINE_LIMIT: usize = 4_000;

/// The number of bytes that are kept of a content that is neither text nor picture.
pub const HEAD_LIMIT: usize = 256;

/// A copy of the content of a segment, independent of the segment afterwards.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The key of the content.
    pub key: Address,
    /// The content, prepared for display.
    pub content: Preview,
    /// The form of a Qt segment's content, detected or chosen.
    pub form: Option<Form>,
    /// The digest that distinguishes contents of a Qt segment.
    pub digest: Option<Digest>,
    /// The size of the whole content in shared memory.
    pub bytes: u64,
    /// The publication, or `None` for a block or an empty segment.
    pub origin: Option<Publication>,
    /// Whether the segment is persistent.
    pub persistent: bool,
    /// The permissions of the segment, or `None` if it is a Qt segment or they are no longer known.
    pub permissions: Option<Permissions>,
    /// The participants other than the reader itself.
    pub attached: Vec<Participant>,
}

/// A content prepared for display, cut if it is long.
#[derive(Clone, Debug)]
pub enum Preview {
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
    /// The media type that the publisher declared, or `None` for a block.
    pub media_type: Option<String>,
    /// The name of the file that it was loaded from.
    pub file_name: Option<String>,
    /// The metadata, if it is an array.
    pub array: Option<ArrayMetadata>,
    /// The first bytes, at most [`HEAD_LIMIT`].
    pub head: Vec<u8>,
    /// Whether the last writer crashed while writing, so that some bytes may be old and some new.
    pub is_half_written: bool,
}

impl Snapshot {
    /// Reads a segment and prepares its content for display. Converting a large picture takes time:
    /// call it on a worker thread.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`], whose text states the problem and the remedy.
    pub fn read(source: &Source) -> Result<Snapshot, SnapshotError> {
        let content = source.read()?;
        Snapshot::of(&content, None)
    }

    /// Prepares a content for display. A picture is scaled to `pane` if it is given.
    ///
    /// A picture is converted from the shared pixels in place, without a copy. May block on a file:
    /// call it on a worker thread.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] where the content is damaged.
    pub fn of(content: &Content, pane: Option<Size<u32>>) -> Result<Snapshot, SnapshotError> {
        // The window shows group names, which are read off its thread.
        group::read_names();
        let Stat {
            attached,
            persistent,
            permissions,
            ..
        } = content.stat().clone();
        Ok(Snapshot {
            key: content.address().clone(),
            content: Preview::of(content, pane)?,
            form: content.form(),
            digest: content.digest(),
            bytes: content.size(),
            origin: content.publication(),
            persistent,
            permissions,
            attached,
        })
    }

    /// Returns the kind of content: `text`, `image`, `array`, `bytes`, or `nothing`.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Preview::Text(_) => "text",
            Preview::Picture(_) => "image",
            Preview::Bytes(Bytes { array: Some(_), .. }) => "array",
            Preview::Bytes(_) => "bytes",
            Preview::Empty => "nothing",
        }
    }

    /// Returns the kind of content and its form in the language of the window: `text`, or `text as
    /// QString`.
    pub fn kind_and_form(&self) -> String {
        let kind = kind_name(self.kind());
        match self.form.filter(|_| !self.is_empty()) {
            Some(form) => tr!("fact-form", kind = kind, form = form_choice::name(form)),
            None => kind,
        }
    }

    /// Returns `true` if there is nothing to show.
    pub fn is_empty(&self) -> bool {
        matches!(self.content, Preview::Empty)
    }

    /// Returns the sequence of the sample, if the content is one.
    pub fn sequence(&self) -> Option<Sequence> {
        self.origin.as_ref().map(|origin| origin.sequence)
    }
}

/// Returns the name of a kind of content in the language of the window.
pub fn kind_name(kind: &'static str) -> String {
    match kind {
        "text" => tr!("kind-text"),
        "image" => tr!("kind-image"),
        "array" => tr!("kind-array"),
        "bytes" => tr!("kind-bytes"),
        "nothing" => tr!("kind-nothing"),
        "block" => tr!("kind-block"),
        "semaphore" => tr!("kind-semaphore"),
        "empty" => tr!("kind-empty"),
        "damaged" => tr!("kind-damaged"),
        kind => kind.to_owned(),
    }
}

impl Preview {
    fn of(content: &Content, pane: Option<Size<u32>>) -> Result<Preview, SnapshotError> {
        let key = || content.address().clone();
        if content.is_empty() {
            return Ok(Preview::Empty);
        }
        if content.is_text() {
            let is_whole = content.bytes().len() <= TEXT_LIMIT;
            return Text::from_copy(head_of(content, TEXT_LIMIT)?, is_whole)
                .map(Preview::Text)
                .ok_or_else(|| SnapshotError::Text { key: key() });
        }
        if let Some((metadata, pixels)) = content.image() {
            let picture = Picture::from_payload(metadata, pixels, pane)
                .map_err(|source| SnapshotError::Picture { key: key(), source })?;
            // Verified after reading in place: a peer may have truncated it.
            content.verify().map_err(damaged)?;
            return Ok(Preview::Picture(picture));
        }
        let metadata = content.metadata();
        Ok(Preview::Bytes(Bytes {
            media_type: metadata.map(|metadata| metadata.media_type().to_owned()),
            file_name: metadata.and_then(Metadata::file_name).map(str::to_owned),
            array: content.array().cloned(),
            head: head_of(content, HEAD_LIMIT)?,
            is_half_written: content.is_half_written(),
        }))
    }
}

fn head_of(content: &Content, limit: usize) -> Result<Vec<u8>, SnapshotError> {
    content.copy_head(limit).map_err(damaged)
}

fn damaged(error: ReadError) -> SnapshotError {
    SourceError::Read(error).into()
}

impl Text {
    /// Creates a text from a copy of the first bytes of a sample. Returns `None` if they are not
    /// UTF-8.
    ///
    /// The bytes are copied before they are validated, because a malicious peer could change them
    /// after a validation in place.
    pub(crate) fn from_copy(mut copy: Vec<u8>, is_whole: bool) -> Option<Text> {
        if let Err(error) = str::from_utf8(&copy) {
            // The limit may split a character, which is not an error.
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

/// The error of reading a snapshot. Its text names the key, the problem and the remedy.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The source could not be read, mostly because there is no segment.
    Source(SourceError),
    /// No thread could be started.
    NoThread {
        /// The key to be monitored.
        key: Address,
        /// The underlying OS error.
        source: io::Error,
    },
    /// A text is not valid UTF-8.
    Text {
        /// The key of the content.
        key: Address,
    },
    /// The dimensions of a picture do not fit its bytes.
    Picture {
        /// The key of the content.
        key: Address,
        /// The contradiction.
        source: PixelsError,
    },
}

impl From<SourceError> for SnapshotError {
    fn from(error: SourceError) -> SnapshotError {
        SnapshotError::Source(error)
    }
}

impl SnapshotError {
    /// Returns `true` if there is no segment of that key.
    pub fn is_not_found(&self) -> bool {
        matches!(self, SnapshotError::Source(error) if error.is_not_found())
    }

    /// Returns `true` if the segment could not be attached to, whatever the reason.
    pub fn is_attach(&self) -> bool {
        matches!(self, SnapshotError::Source(error) if error.is_attach())
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Source(error) => formatter.write_str(&error.explain()),
            SnapshotError::NoThread { key, source } => {
                formatter.write_str(&tr!("snapshot-no-thread", key = key, reason = source))
            }
            SnapshotError::Text { key } => {
                formatter.write_str(&tr!("snapshot-not-utf8", key = key))
            }
            SnapshotError::Picture { key, source } => formatter.write_str(&tr!(
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
            SnapshotError::Source(error) => Some(error),
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
    fn invalid_utf8_is_not_a_text() {
        assert_eq!(Text::from_copy(b"ab\xffcd".into(), true), None);
        assert_eq!(Text::from_copy(b"ab\xffcd".into(), false), None);
        // A complete text that ends within a character is damaged, not cut.
        assert_eq!(Text::from_copy("語".as_bytes()[..2].into(), true), None);
    }
}
