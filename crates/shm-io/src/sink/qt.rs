//! Publishing for Qt programs: the same payloads, streamed into a segment of theirs.

use std::process;
use std::time::Duration;

use qt_bridge::{Departure, Form, Publisher, QtKey, Stream, StreamError, User};
use shm_core::Message;

use super::error::SinkError;
use super::frames::FrameSink;
use super::payload::Payload;
use super::published::{Published, Released};
use crate::address::Address;
use crate::deadline::TIMEOUT;

/// What is published for Qt programs, if anything is.
#[derive(Debug, Default)]
pub(super) struct QtSink {
    publisher: Option<Publisher>,
    /// What was asked for.
    form: Option<Form>,
    /// What was streamed last.
    last: Option<Form>,
    /// The payload that is published, unless it is one of many frames: there is no other way to publish
    /// it again.
    kept: Option<(Message, Form)>,
    /// Where it was, if that was removed or replaced.
    lost: Option<QtKey>,
}

impl QtSink {
    pub(super) fn set_form(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// Publishes a payload under a key, and only then releases what is published under another.
    pub(super) fn put<E: From<SinkError>>(
        &mut self,
        key: &QtKey,
        payload: Payload<'_, E>,
    ) -> Result<Published, E> {
        let message = payload.into_message()?;
        let form = self.form.unwrap_or_else(|| Form::of(&message));
        let published = self.put_message(key, &message, form)?;
        self.kept = Some((message, form));
        Ok(published)
    }

    /// Publishes once more what was lost; `None` if nothing was.
    pub(super) fn restore(&mut self) -> Result<Option<Published>, SinkError> {
        let (Some(key), Some((message, form))) = (self.lost.clone(), self.kept.take()) else {
            return Ok(None);
        };
        let published = self.put_message(&key, &message, form);
        self.kept = Some((message, form));
        published.map(Some)
    }

    fn put_message(
        &mut self,
        key: &QtKey,
        message: &Message,
        form: Form,
    ) -> Result<Published, SinkError> {
        let stream = Stream::new(message, form).map_err(SinkError::Stream)?;
        let ((), published) = self
            .place(key, form, |publisher| {
                publisher.publish(&stream).map_err(SinkError::Qt).map(Some)
            })?
            .unwrap_or_else(|| ((), Published::at(key)));
        Ok(Published {
            kind: message.metadata().kind(),
            bytes: stream.size() as u64,
            ..published
        })
    }

    /// Publishes the first of many frames under a key; `None` if there is none.
    pub(super) fn begin<T, E: From<SinkError>>(
        &mut self,
        key: &QtKey,
        first: impl FnOnce(&mut FrameSink<'_>) -> Result<Option<T>, E>,
    ) -> Result<Option<(T, Published)>, E> {
        match self.form {
            None | Some(Form::QImage) => self.place(key, Form::QImage, |publisher| {
                first(&mut FrameSink::qt(publisher))
            }),
            Some(form) => Err(SinkError::Stream(StreamError::picture_as(form)).into()),
        }
    }

    /// Publishes something under a key, and only then releases what is published under another.
    fn place<T, E>(
        &mut self,
        key: &QtKey,
        form: Form,
        publish: impl FnOnce(&mut Publisher) -> Result<Option<T>, E>,
    ) -> Result<Option<(T, Published)>, E> {
        let mut published = Published {
            form: Some(form),
            ..Published::at(key)
        };
        let kept = self.publisher.as_mut();
        let what = match kept.filter(|publisher| publisher.key() == key) {
            Some(publisher) => publish(publisher)?,
            None => {
                published.replaced = user_of_content(key);
                let mut publisher = Publisher::new(key, TIMEOUT);
                let what = publish(&mut publisher)?;
                if what.is_some() {
                    published.released = self.release();
                    self.publisher = Some(publisher);
                }
                what
            }
        };
        let Some(what) = what else {
            return Ok(None);
        };
        self.last = Some(form);
        self.lost = None;
        self.kept = None;
        Ok(Some((what, published)))
    }

    /// Returns where more frames are published, if something is.
    pub(super) fn frames(&mut self) -> Option<FrameSink<'_>> {
        self.publisher.as_mut().map(FrameSink::qt)
    }

    /// Blanks what is published; `None` if nothing is.
    pub(super) fn clear(&mut self) -> Result<Option<Address>, SinkError> {
        let (Some(publisher), Some(form)) = (&mut self.publisher, self.last) else {
            return Ok(None);
        };
        publisher
            .publish(&Stream::null(form))
            .map_err(SinkError::Qt)?;
        Ok(Some(publisher.key().clone().into()))
    }

    /// Leaves what is published where it is.
    pub(super) fn keep(&mut self) {
        if let Some(mut publisher) = self.publisher.take() {
            publisher.keep();
        }
    }

    /// Releases what is published; `None` if nothing is.
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

    /// Releases what is published if no reader finds it any more, and returns its key then.
    pub(super) fn release_if_lost(&mut self) -> Option<Address> {
        let lost = self.publisher.take_if(|publisher| !publisher.is_found())?;
        self.lost = Some(lost.key().clone());
        Some(lost.key().clone().into())
    }
}

/// Returns a process that uses the content that is under `key` now, if there is one. Which process
/// published it, a segment of Qt programs does not say.
fn user_of_content(key: &QtKey) -> Option<User> {
    let mut users = qt_bridge::users(key).into_iter();
    let user = users.find(|user| user.pid != process::id())?;
    // A lock that is held is waited for when it is published, not twice.
    let reading = qt_bridge::read(key, None, Duration::ZERO);
    let is_null = reading.is_ok_and(|reading| reading.value.into_message().is_none());
    (!is_null).then_some(user)
}
