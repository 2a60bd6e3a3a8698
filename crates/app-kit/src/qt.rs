//! What a Qt program has put into its segment, as the windows show it.

mod visits;

use std::time::Duration;

use iced::Size;
use qt_bridge::{Form, QtKey, Reading};
use shm_core::Message;

use crate::picture::Picture;
use crate::snapshot::{Bytes, Content, HEAD_LIMIT, Snapshot, SnapshotError, TEXT_LIMIT, Text};

pub use visits::{finish_visits, visit};

/// How long it waits for a Qt program that holds the lock.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Reads what stands in a segment of a Qt program: as a form, or as what it is recognised to be. For
/// a worker thread.
///
/// # Errors
///
/// [`SnapshotError`], which says in a sentence what is wrong and what to do.
pub fn read(key: &QtKey, form: Option<Form>) -> Result<Snapshot, SnapshotError> {
    let reading = visit(|| qt_bridge::read(key, form, PATIENCE)).map_err(SnapshotError::Qt)?;
    of_reading(key, reading, None)
}

/// Makes ready to show what was read; of a picture only what is seen in `pane`, where that is given.
pub(crate) fn of_reading(
    key: &QtKey,
    reading: Reading,
    pane: Option<Size<u32>>,
) -> Result<Snapshot, SnapshotError> {
    Ok(Snapshot {
        form: Some(reading.form),
        digest: Some(reading.digest),
        bytes: reading.size as u64,
        content: content_of(key, reading.value.into_message(), pane)?,
        key: key.clone().into(),
        origin: None,
        persistent: false,
        permissions: None,
        attached: Vec::new(),
    })
}

fn content_of(
    key: &QtKey,
    message: Option<Message>,
    pane: Option<Size<u32>>,
) -> Result<Content, SnapshotError> {
    Ok(match message {
        None => Content::Empty,
        Some(Message::Text(text)) => {
            let is_whole = text.len() <= TEXT_LIMIT;
            let mut copy = text.into_bytes();
            copy.truncate(TEXT_LIMIT);
            Text::from_copy(copy, is_whole)
                .map(Content::Text)
                .ok_or_else(|| SnapshotError::Text {
                    key: key.clone().into(),
                })?
        }
        Some(Message::Image { metadata, pixels }) => {
            Picture::from_payload(&metadata, &pixels, pane)
                .map(Content::Picture)
                .map_err(|source| SnapshotError::Picture {
                    key: key.clone().into(),
                    source,
                })?
        }
        Some(message) => {
            let head = message.payload().iter().take(HEAD_LIMIT).copied();
            Content::Bytes(Bytes::of(&message.metadata(), head.collect()))
        }
    })
}
