//! Publishing into segments of shm-core and of Qt programs.

mod error;
mod frames;
mod payload;
mod published;
mod qt;
mod reporter;

use std::{fmt, mem};

use qt_bridge::{Form, QtKey, User};
use shm_core::{
    Access, AttachErrorKind, Key, Options, Participant, PublishError, PublishErrorKind, Publisher,
    segment,
};

use self::qt::QtSink;
use self::reporter::PresenceReporter;
use crate::address::Address;

pub use error::SinkError;
pub use frames::{Attempt, Draft, Drawn, FrameSink, Unfinished};
pub use payload::Payload;
pub use published::{Published, Released, Sent};
pub use reporter::{OnViewers, Viewers};

/// Publishes into one segment at a time, and keeps that segment alive.
///
/// If publishing fails, the previous content stays. Dropping a sink releases its segment.
pub struct Sink {
    options: Options,
    /// Declared before the publisher, so that it is dropped first.
    reporter: PresenceReporter,
    publisher: Option<Publisher>,
    /// The publisher of a segment that was removed or replaced: readers no longer find its content,
    /// but it can be published again.
    lost: Option<Publisher>,
    /// Publishes for Qt programs. At most one of both has content.
    qt: QtSink,
}

impl Sink {
    /// Creates a sink that has published nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Sink {
        Sink {
            options,
            reporter: PresenceReporter::default(),
            publisher: None,
            lost: None,
            qt: QtSink::default(),
        }
    }

    /// Calls `on_watched` whenever the viewers of the published content change.
    #[must_use]
    pub fn reporting(self, on_watched: OnViewers) -> Sink {
        Sink {
            reporter: PresenceReporter::new(on_watched),
            ..self
        }
    }

    /// Returns how many copies of a picture's pixels publishing to this address keeps in memory at
    /// most.
    #[must_use]
    pub fn copies(address: &Address) -> u64 {
        match address.own() {
            // Decoded in place.
            Some(_) => 1,
            // The pixels; a PNG file, which may be as long; and that file again, while it is
            // encoded or in the segment.
            None => 3,
        }
    }

    /// Sets the form of streams for Qt programs; `None` chooses one for each payload.
    pub fn set_form(&mut self, form: Option<Form>) {
        self.qt.set_form(form);
    }

    /// Publishes a payload. After that, releases the segment under another key, if there is one.
    ///
    /// # Errors
    ///
    /// [`SinkError`], and those of the payload. The previous content stays.
    pub fn put<E: From<SinkError>>(
        &mut self,
        address: &Address,
        payload: Payload<'_, E>,
    ) -> Result<Published, E> {
        match address {
            Address::Own(key) => {
                let placed = self.place(key, |publisher| {
                    payload.publish(publisher).map(|sent| Some((sent, ())))
                })?;
                Ok(placed.map_or_else(|| Published::at(key), |((), published)| published))
            }
            Address::Qt(key) => {
                let published = self.qt.put(key, payload)?;
                Ok(self.release_own_for(published))
            }
        }
    }

    /// Publishes the first frame of a stream by calling `first`. After that, releases the segment
    /// under another key, if there is one. Returns `None` if `first` does.
    ///
    /// # Errors
    ///
    /// [`SinkError`], and those of `first`. The previous content stays.
    pub fn begin<T, E: From<SinkError>>(
        &mut self,
        address: &Address,
        first: impl FnOnce(&mut FrameSink<'_>) -> Result<Option<(Sent, T)>, E>,
    ) -> Result<Option<(T, Published)>, E> {
        match address {
            Address::Own(key) => self.place(key, |publisher| first(&mut FrameSink::own(publisher))),
            Address::Qt(key) => self.begin_qt(key, first),
        }
    }

    fn begin_qt<T, E: From<SinkError>>(
        &mut self,
        key: &QtKey,
        first: impl FnOnce(&mut FrameSink<'_>) -> Result<Option<(Sent, T)>, E>,
    ) -> Result<Option<(T, Published)>, E> {
        let begun = self.qt.begin(key, first)?;
        Ok(begun
            .map(|((sent, what), published)| (what, self.release_own_for(published.with(sent)))))
    }

    /// Returns a sink for further frames; `None` if nothing is published.
    pub fn frames(&mut self) -> Option<FrameSink<'_>> {
        match &self.publisher {
            Some(publisher) => Some(FrameSink::own(publisher)),
            None => self.qt.frames(),
        }
    }

    /// Publishes into a segment of shm-core.
    fn place<T, E: From<SinkError>>(
        &mut self,
        key: &Key,
        publish: impl FnOnce(&Publisher) -> Result<Option<(Sent, T)>, E>,
    ) -> Result<Option<(T, Published)>, E> {
        let kept = self.publisher.as_ref();
        let (kept, opened) = match kept.filter(|publisher| publisher.key() == key) {
            Some(kept) => (Some(kept), None),
            // Dropped on failure, and with it a segment that it created.
            None => (None, Some(open(key, &self.options)?)),
        };
        let Some(publisher) = kept.or(opened.as_ref()) else {
            return Ok(None);
        };
        let replaced = owner_of_content(key, &self.options);
        let Some((sent, what)) = publish(publisher)? else {
            return Ok(None);
        };
        let published = Published::by(publisher, replaced).with(sent);
        let released = match opened {
            Some(publisher) => self.hold(Some(publisher)).map(Released::from),
            None => None,
        };
        let released = released.or_else(|| self.qt.release());
        Ok(Some((
            what,
            Published {
                released,
                ..published
            },
        )))
    }

    /// Releases the segment of shm-core after publishing for Qt programs.
    fn release_own_for(&mut self, published: Published) -> Published {
        let released = self.hold(None).map(Released::from);
        Published {
            released: released.or(published.released),
            ..published
        }
    }

    /// Makes the segment persistent: it outlives the sink, until it is removed by its key.
    ///
    /// Called after publishing, so that a segment into which publishing failed does not stay.
    ///
    /// # Errors
    ///
    /// Those of [`Publisher::persist`].
    pub fn persist(&mut self) -> Result<(), SinkError> {
        self.qt.keep();
        let Some(publisher) = &self.publisher else {
            return Ok(());
        };
        publisher.persist().map_err(|error| match error {
            // The segment was just removed.
            error if *error.kind() == AttachErrorKind::NotFound => {
                SinkError::Publish(PublishError::new(error.key(), PublishErrorKind::Removed))
            }
            error => SinkError::Attach(error),
        })
    }

    /// Clears the published content, and stays attached. Returns the address; `None` if nothing is
    /// published.
    ///
    /// # Errors
    ///
    /// Those of [`Publisher::clear`].
    pub fn clear(&mut self) -> Result<Option<Address>, SinkError> {
        let Some(publisher) = &self.publisher else {
            return self.qt.clear();
        };
        publisher.clear().map_err(SinkError::Publish)?;
        Ok(Some(publisher.key().into()))
    }

    /// Releases the segment. Returns `None` if nothing is published.
    pub fn release(&mut self) -> Option<Released> {
        self.lost = None;
        self.hold(None)
            .map(Released::from)
            .or_else(|| self.qt.release())
    }

    /// Releases the segment if it was removed, moved or replaced, so that readers no longer find
    /// it. Returns its address if so. [`restore`](Self::restore) publishes its content again.
    pub fn release_if_lost(&mut self) -> Option<Address> {
        if !self.publisher.as_ref().is_some_and(Publisher::is_removed) {
            return self.qt.release_if_lost();
        }
        let lost = self.hold(None)?;
        let key = lost.key().into();
        self.lost = Some(lost);
        Some(key)
    }

    /// Publishes the content of a lost segment again, under the same key. Returns `None` if none
    /// was lost.
    ///
    /// # Errors
    ///
    /// [`SinkError`]. The call can be repeated.
    pub fn restore(&mut self) -> Result<Option<Published>, SinkError> {
        let Some(lost) = &self.lost else {
            return self.qt.restore();
        };
        let key = lost.key();
        let options = self.options.clone().persistent(lost.is_persistent());
        // Read back from the lost segment: a source file may have changed, and a pipe cannot be
        // read again.
        let mut kept = lost.subscribe().map_err(SinkError::Attach)?;
        let kept = kept.latest().map_err(SinkError::ReadBack)?;
        let publisher = open(key, &options)?;
        let replaced = owner_of_content(key, &self.options);
        let mut published = Published::by(&publisher, replaced);
        if let Some(sample) = &kept {
            let mut loan = publisher.loan(sample.len()).map_err(SinkError::Publish)?;
            sample.copy_to(&mut loan).map_err(SinkError::ReadBack)?;
            published = published.with(payload::publish::<SinkError>(loan, sample.metadata())?);
        }
        drop(kept);
        self.hold(Some(publisher));
        Ok(Some(published))
    }

    /// Replaces the publisher, and returns the previous one.
    fn hold(&mut self, publisher: Option<Publisher>) -> Option<Publisher> {
        if publisher.is_some() {
            self.lost = None;
        }
        self.reporter.watch(publisher.as_ref());
        mem::replace(&mut self.publisher, publisher)
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("key", &self.publisher.as_ref().map(Publisher::key))
            .finish_non_exhaustive()
    }
}

/// Attaches to a segment or creates it. Reinitialises one that another program has damaged.
fn open(key: &Key, options: &Options) -> Result<Publisher, SinkError> {
    let publisher = Publisher::open(key, options).map_err(SinkError::Attach)?;
    publisher.repair().map_err(SinkError::Publish)?;
    Ok(publisher)
}

/// Returns the process whose content is under `key`: its writer, or another process that keeps it
/// alive.
fn owner_of_content(key: &Key, options: &Options) -> Option<User> {
    let info = segment::info(key, options).ok()?;
    let segment::Content::Samples {
        latest: Some(latest),
        ..
    } = info.content
    else {
        return None;
    };
    if latest.writer.is_current() {
        return None;
    }
    let mut owners: Vec<Participant> = info
        .attached
        .into_iter()
        .filter(|peer| peer.access == Access::ReadWrite && !peer.process.is_current())
        .collect();
    owners.sort_by_key(|peer| !peer.process.is(latest.writer));
    let owner = owners.into_iter().next()?;
    Some(User {
        pid: owner.process.pid(),
        program: owner.program,
    })
}
