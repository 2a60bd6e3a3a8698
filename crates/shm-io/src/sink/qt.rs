//! Publishing payloads as streams into segments of Qt programs.

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

/// Publishes for Qt programs.
#[derive(Debug, Default)]
pub(super) struct QtSink {
    publisher: Option<Publisher>,
    /// The form that the caller chose.
    form: Option<Form>,
    /// The form of the last stream.
    last: Option<Form>,
    /// The published payload, unless it is a frame of a stream, so that it can be published again.
    kept: Option<(Message, Form)>,
    /// The key of the segment, if it was removed or replaced.
    lost: Option<QtKey>,
}

impl QtSink {
    pub(super) fn set_form(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// Publishes a payload under a key. After that, releases the segment under another key, if
    /// there is one.
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

    /// Publishes the content of a lost segment again. Returns `None` if none was lost.
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

    /// Publishes the first frame of a stream under a key. Returns `None` if `first` does.
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

    /// Publishes by calling `publish`. After that, releases the segment under another key, if there
    /// is one.
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

    /// Returns a sink for further frames; `None` if nothing is published.
    pub(super) fn frames(&mut self) -> Option<FrameSink<'_>> {
        self.publisher.as_mut().map(FrameSink::qt)
    }

    /// Publishes a null value. Returns `None` if nothing is published.
    pub(super) fn clear(&mut self) -> Result<Option<Address>, SinkError> {
        let (Some(publisher), Some(form)) = (&mut self.publisher, self.last) else {
            return Ok(None);
        };
        publisher
            .publish(&Stream::null(form))
            .map_err(SinkError::Qt)?;
        Ok(Some(publisher.key().clone().into()))
    }

    /// Detaches, and leaves the content in the segment.
    pub(super) fn keep(&mut self) {
        if let Some(mut publisher) = self.publisher.take() {
            publisher.keep();
        }
    }

    /// Releases the segment. Returns `None` if nothing is published.
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

    /// Releases the segment if readers no longer find it. Returns its address if so.
    pub(super) fn release_if_lost(&mut self) -> Option<Address> {
        let lost = self.publisher.take_if(|publisher| !publisher.is_found())?;
        self.lost = Some(lost.key().clone());
        Some(lost.key().clone().into())
    }
}

/// Returns a process that uses the content under `key`; `None` if there is none. (A Qt segment does
/// not record its publisher.)
fn user_of_content(key: &QtKey) -> Option<User> {
    let mut users = qt_bridge::users(key).into_iter();
    let user = users.find(|user| user.pid != process::id())?;
    // Does not wait for a held lock: publishing does.
    let reading = qt_bridge::read(key, None, Duration::ZERO);
    let is_null = reading.is_ok_and(|reading| reading.value.into_message().is_none());
    (!is_null).then_some(user)
}
