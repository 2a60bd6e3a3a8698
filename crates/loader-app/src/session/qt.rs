//! What is loaded for Qt programs: the same contents, streamed into a segment of theirs.

use std::process;
use std::time::Duration;

use qt_bridge::{Address, Departure, Form, Publisher, QtKey, Stream, StreamError, User};
use shm_core::Message;

use super::content::{Bytes, Payload};
use super::{LoadError, Loaded, Released};

/// How many times the bytes of a picture are there at the most while it is streamed: as pixels; as a file,
/// which may be as long; and as that file once more, packed or in the segment.
const STREAM_COPIES: u64 = 3;

/// What is loaded for Qt programs, if anything is.
#[derive(Debug, Default)]
pub(super) struct QtSession {
    publisher: Option<Publisher>,
    /// What was asked for.
    form: Option<Form>,
    /// What was streamed last.
    last: Option<Form>,
    /// The content that is loaded, if it is not one of many frames: there is no other way to load it
    /// again.
    kept: Option<(Message, Form)>,
    /// Where it was, if others have taken that away.
    lost: Option<QtKey>,
}

impl QtSession {
    pub(super) fn set_form(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// Loads a content under a key, and only then lets go of what is loaded under another.
    pub(super) fn load(&mut self, key: &QtKey, payload: Payload<'_>) -> Result<Loaded, LoadError> {
        let message = message_of(payload)?;
        let form = self.form.unwrap_or_else(|| Form::of(&message));
        let loaded = self.load_message(key, &message, form)?;
        self.kept = Some((message, form));
        Ok(loaded)
    }

    /// Loads once more what was lost; `None` where nothing was.
    pub(super) fn restore(&mut self) -> Result<Option<Loaded>, LoadError> {
        let (Some(key), Some((message, form))) = (self.lost.clone(), self.kept.take()) else {
            return Ok(None);
        };
        let loaded = self.load_message(&key, &message, form);
        self.kept = Some((message, form));
        loaded.map(Some)
    }

    fn load_message(
        &mut self,
        key: &QtKey,
        message: &Message,
        form: Form,
    ) -> Result<Loaded, LoadError> {
        let stream = Stream::new(message, form).map_err(LoadError::Stream)?;
        let published = self.publish(key, form, |publisher| {
            publisher.publish(&stream).map_err(LoadError::Qt).map(Some)
        })?;
        let (replaced, released) = match published {
            Some(published) => (published.replaced, published.released),
            None => (None, None),
        };
        Ok(Loaded {
            key: key.clone().into(),
            kind: message.metadata().kind(),
            bytes: stream.size() as u64,
            sequence: 0,
            form: Some(form),
            replaced,
            released,
            permissions: None,
            capacity: None,
        })
    }

    /// Has the first of many frames published under a key; `None` where there is none.
    pub(super) fn publish_frames<T>(
        &mut self,
        key: &QtKey,
        publish: impl FnOnce(&mut Publisher) -> Result<Option<T>, LoadError>,
    ) -> Result<Option<Published<T>>, LoadError> {
        match self.form {
            None | Some(Form::QImage) => self.publish(key, Form::QImage, publish),
            Some(form) => Err(LoadError::Stream(StreamError::picture_as(form))),
        }
    }

    /// Has something published under a key, and only then lets go of what is loaded under another.
    fn publish<T>(
        &mut self,
        key: &QtKey,
        form: Form,
        publish: impl FnOnce(&mut Publisher) -> Result<Option<T>, LoadError>,
    ) -> Result<Option<Published<T>>, LoadError> {
        let kept = self.publisher.as_mut();
        let published = match kept.filter(|publisher| publisher.key() == key) {
            Some(publisher) => publish(publisher)?.map(|what| Published {
                what,
                replaced: None,
                released: None,
            }),
            None => {
                let replaced = user_of_content(key);
                let mut publisher = Publisher::new(key, app_kit::qt::PATIENCE);
                let Some(what) = publish(&mut publisher)? else {
                    return Ok(None);
                };
                let released = self.release();
                self.publisher = Some(publisher);
                Some(Published {
                    what,
                    replaced,
                    released,
                })
            }
        };
        if published.is_some() {
            self.last = Some(form);
            self.lost = None;
            self.kept = None;
        }
        Ok(published)
    }

    /// Where more is published, if something is.
    pub(super) fn publisher(&mut self) -> Option<&mut Publisher> {
        self.publisher.as_mut()
    }

    /// Blanks what is loaded; `None` where nothing is.
    pub(super) fn clear(&mut self) -> Result<Option<Address>, LoadError> {
        let (Some(publisher), Some(form)) = (&mut self.publisher, self.last) else {
            return Ok(None);
        };
        publisher
            .publish(&Stream::null(form))
            .map_err(LoadError::Qt)?;
        Ok(Some(publisher.key().clone().into()))
    }

    /// Leaves what is loaded there.
    pub(super) fn keep(&mut self) {
        if let Some(mut publisher) = self.publisher.take() {
            publisher.keep();
        }
    }

    /// Lets go of what is loaded; `None` where nothing is.
    pub(super) fn release(&mut self) -> Option<Released> {
        self.lost = None;
        self.kept = None;
        let mut publisher = self.publisher.take()?;
        let departure = publisher.release()?;
        Some(Released {
            key: publisher.key().clone().into(),
            is_removed: departure == Departure::Removed,
        })
    }

    /// Lets go of what is loaded if nobody finds it any more, and returns its key then.
    pub(super) fn release_if_lost(&mut self) -> Option<Address> {
        let lost = self.publisher.take_if(|publisher| !publisher.is_found())?;
        self.lost = Some(lost.key().clone());
        Some(lost.key().clone().into())
    }
}

/// What came of publishing.
pub(super) struct Published<T> {
    pub(super) what: T,
    /// Who uses what it took the place of.
    pub(super) replaced: Option<User>,
    /// What was let go of, because this is under another key.
    pub(super) released: Option<Released>,
}

/// Returns who uses what is under `key` now, where that is something. Who put it there, nobody tells.
fn user_of_content(key: &QtKey) -> Option<User> {
    let mut users = qt_bridge::users(key).into_iter();
    let user = users.find(|user| user.pid != process::id())?;
    // A lock that is held is waited for when it is published, not twice.
    let reading = qt_bridge::read(key, None, Duration::ZERO);
    let is_null = reading.is_ok_and(|reading| reading.value.into_message().is_none());
    (!is_null).then_some(user)
}

/// Takes a content into memory: of a picture a file is made, and the length of it is known only then.
fn message_of(payload: Payload<'_>) -> Result<Message, LoadError> {
    Ok(match payload {
        Payload::Text(text) => Message::Text(text.to_owned()),
        Payload::Pixels(metadata, pixels) => Message::Image {
            metadata,
            pixels: pixels.to_vec(),
        },
        Payload::Picture(picture) => {
            let picture = picture
                .with_room_for(STREAM_COPIES)
                .map_err(LoadError::Picture)?;
            let metadata = picture.metadata().clone();
            let mut pixels = room(metadata.payload_bytes())?;
            picture
                .decode_into(&mut pixels)
                .map_err(LoadError::Picture)?;
            Message::Image { metadata, pixels }
        }
        Payload::Bytes(bytes) => Message::Bytes {
            metadata: bytes.metadata()?,
            data: read_to_end(bytes)?,
        },
    })
}

/// Reads until nothing more comes.
fn read_to_end(bytes: &mut Bytes) -> Result<Vec<u8>, LoadError> {
    const STEP: usize = 64 * 1024;
    let mut data = Vec::new();
    data.try_reserve(bytes.expected)
        .map_err(no_memory(bytes.expected))?;
    let mut piece = [0; STEP];
    loop {
        match bytes.read(&mut piece)? {
            0 => return Ok(data),
            count => {
                let needed = data.len() + count;
                data.try_reserve(count).map_err(no_memory(needed))?;
                data.extend_from_slice(&piece[..count]);
            }
        }
    }
}

fn room(bytes: usize) -> Result<Vec<u8>, LoadError> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes).map_err(no_memory(bytes))?;
    room.resize(bytes, 0);
    Ok(room)
}

fn no_memory(bytes: usize) -> impl Fn(std::collections::TryReserveError) -> LoadError {
    move |_| LoadError::Stream(StreamError::NoMemory { bytes })
}
