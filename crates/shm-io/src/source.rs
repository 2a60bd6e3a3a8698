//! Reading segments.

use std::time::{Duration, Instant};

use qt_bridge::{Form, QtKey, ReadingError, User};
use shm_core::presence::PresenceClient;
use shm_core::{
    AttachError, AttachErrorKind, Block, Key, KeyWatch, Options, Polling, Subscriber, WaitResult,
    segment,
};

use crate::address::Address;
use crate::content::{Content, Stat};
use crate::critical;
use crate::deadline::{Deadline, TIMEOUT};
use crate::error::SourceError;
use crate::presence::PresenceGuard;

/// A segment to read from. Creating one does not access the segment.
#[derive(Clone, Debug)]
pub struct Source {
    pub(crate) address: Address,
    pub(crate) options: Options,
    pub(crate) form: Option<Form>,
    pub(crate) qt_lock_timeout: Duration,
    is_reporting: bool,
    pub(crate) on_polling: fn(&Polling),
}

/// The description of a segment, without its content.
#[derive(Clone, Debug)]
pub enum Info {
    /// A segment of shm-core.
    Own(Box<segment::Info>),
    /// A segment of a Qt program.
    Qt {
        /// Its key.
        key: QtKey,
        /// Its size in bytes.
        size: u64,
    },
}

impl Source {
    /// Creates a source for a segment of the calling user.
    #[must_use]
    pub fn new(address: impl Into<Address>) -> Source {
        Source {
            address: address.into(),
            options: Options::new(),
            form: None,
            qt_lock_timeout: TIMEOUT,
            is_reporting: false,
            on_polling: |_| {},
        }
    }

    /// Sets the options for a segment of shm-core.
    #[must_use]
    pub fn options(self, options: Options) -> Source {
        Source { options, ..self }
    }

    /// Reads a segment of the user `owner`, if one is given.
    #[must_use]
    pub fn owner(self, owner: Option<u32>) -> Source {
        let Some(owner) = owner else {
            return self;
        };
        Source {
            address: match &self.address {
                Address::Own(_) => self.address,
                Address::Qt(key) => key.owned_by(owner).into(),
            },
            options: self.options.owner(owner),
            ..self
        }
    }

    /// Sets the form of the streams of a Qt program; `None` detects it.
    #[must_use]
    pub fn form(self, form: Option<Form>) -> Source {
        Source { form, ..self }
    }

    /// Limits how long a follower waits for the lock of a Qt program (default: [`TIMEOUT`]).
    #[must_use]
    pub fn qt_lock_timeout(self, qt_lock_timeout: Duration) -> Source {
        Source {
            qt_lock_timeout,
            ..self
        }
    }

    /// Reports this process to the publishers as a viewer while it waits for content and while it
    /// keeps it. [`Content::report_shown`] reports which sample it shows.
    #[must_use]
    pub fn reporting(self) -> Source {
        Source {
            is_reporting: true,
            ..self
        }
    }

    /// Sets a function that is called whenever waiting has to poll, because inotify is not
    /// available.
    #[must_use]
    pub fn on_polling(self, on_polling: fn(&Polling)) -> Source {
        Source { on_polling, ..self }
    }

    /// Returns the address. One of a Qt program includes the owner.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the form that was set.
    #[must_use]
    pub fn asked_form(&self) -> Option<Form> {
        self.form
    }

    /// Reads the newest content. Waits for locks only, at most [`TIMEOUT`].
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn read(&self) -> Result<Content, SourceError> {
        match &self.address {
            Address::Own(key) => {
                let content = self.read_own(key, None)?;
                Ok(content.unwrap_or_else(|| Content::of_nothing(self.address.clone())))
            }
            Address::Qt(key) => self.read_qt(key, TIMEOUT).map_err(SourceError::Qt),
        }
    }

    /// Reads the newest content, waiting up to `timeout` for the first. Returns `None` if there is
    /// none by then.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn read_within(&self, timeout: Duration) -> Result<Option<Content>, SourceError> {
        let deadline = Deadline::within(Some(timeout));
        match &self.address {
            Address::Own(key) => self.read_own(key, Some(deadline)),
            Address::Qt(key) => self.await_qt(key, deadline),
        }
    }

    /// Returns the description of the segment, without its content.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn info(&self) -> Result<Info, SourceError> {
        match &self.address {
            Address::Own(key) => segment::info(key, &self.options)
                .map(|info| Info::Own(Box::new(info)))
                .map_err(SourceError::Attach),
            Address::Qt(key) => qt_bridge::size(key)
                .map(|size| Info::Qt {
                    key: key.clone(),
                    size: size as u64,
                })
                .map_err(|error| SourceError::Qt(error.into())),
        }
    }

    /// Returns the state of a segment of shm-core besides its content; the default for a Qt
    /// segment.
    #[must_use]
    pub fn stat(&self) -> Stat {
        match self.info() {
            Ok(Info::Own(info)) => Stat::from(&*info),
            // If the segment was removed meanwhile, it is not persistent.
            Ok(Info::Qt { .. }) | Err(_) => Stat::default(),
        }
    }

    /// Returns the processes that are seen to use the segment of a Qt program; none for one of
    /// shm-core.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.address.qt().map_or_else(Vec::new, qt_bridge::users)
    }

    /// Creates a guard that reports to the publishers of the segment what this process shows.
    #[must_use]
    pub fn presence_guard(&self) -> PresenceGuard {
        PresenceGuard::new(self.options.clone())
    }

    /// Reads from a segment of shm-core. With a deadline, waits for the first content.
    fn read_own(
        &self,
        key: &Key,
        deadline: Option<Deadline>,
    ) -> Result<Option<Content>, SourceError> {
        let time = deadline.unwrap_or(Deadline::within(None));
        loop {
            let options = self.options.clone().timeout(time.lock_timeout());
            let attached = match deadline {
                None => Subscriber::attach(key, &options),
                Some(_) => self.attach_within(key, &options, time.left()),
            };
            let mut subscriber = match attached {
                Ok(subscriber) => subscriber,
                Err(error) => match error.kind() {
                    AttachErrorKind::WrongKind => return self.read_block(key, time).map(Some),
                    AttachErrorKind::NotFound | AttachErrorKind::Timeout if deadline.is_some() => {
                        return Ok(None);
                    }
                    _ => return Err(SourceError::Attach(error)),
                },
            };
            let content = self.read_sample(&mut subscriber, deadline)?;
            // If the segment was removed before it had content, another one may be created.
            if content.is_some() || time.is_over() {
                return Ok(content);
            }
        }
    }

    /// Waits for a segment to be created, then attaches.
    fn attach_within(
        &self,
        key: &Key,
        options: &Options,
        timeout: Option<Duration>,
    ) -> Result<Subscriber, AttachError> {
        let watch = KeyWatch::new(key, options)?;
        if let Some(polling) = watch.polling() {
            (self.on_polling)(polling);
        }
        watch.attach_within(timeout)
    }

    /// Reads the newest sample. Returns `None` if there was none before the deadline, or before the
    /// segment was removed.
    fn read_sample(
        &self,
        subscriber: &mut Subscriber,
        deadline: Option<Deadline>,
    ) -> Result<Option<Content>, SourceError> {
        // Connected while waiting, too. Reading does not depend on it.
        let presence = self
            .is_reporting
            .then(|| PresenceClient::connect(subscriber.id(), &self.options).ok());
        loop {
            let timeout = deadline.map_or(TIMEOUT, Deadline::lock_timeout);
            let sample = subscriber
                .latest_within(timeout)
                .map_err(SourceError::Read)?;
            let content = match (sample, deadline) {
                (Some(sample), _) => Content::of_sample(self.address.clone(), sample, 0),
                (None, None) => Content::of_nothing(self.address.clone()),
                (None, Some(deadline)) => {
                    let waited = subscriber.wait(deadline.left());
                    match waited.map_err(SourceError::Read)? {
                        // If the segment is persistent, another publisher may attach.
                        WaitResult::New | WaitResult::PublisherGone => continue,
                        WaitResult::Removed | WaitResult::Timeout | WaitResult::Interrupted => {
                            return Ok(None);
                        }
                    }
                }
            };
            let stat = Stat {
                attached: subscriber.peers(),
                ..self.stat()
            };
            return Ok(Some(
                content.with_stat(stat).with_presence(presence.flatten()),
            ));
        }
    }

    fn read_block(&self, key: &Key, time: Deadline) -> Result<Content, SourceError> {
        // Before attaching, so that this process is not listed as attached.
        let info = segment::info(key, &self.options).map_err(SourceError::Attach)?;
        let block = Block::attach_read_only(key, &self.options).map_err(SourceError::Attach)?;
        let snapshot = block.snapshot(time.lock_timeout());
        let snapshot = snapshot.map_err(SourceError::Lock)?;
        let content = Content::of_block(self.address.clone(), snapshot);
        Ok(content.with_stat(Stat::from(&info)))
    }

    fn read_qt(&self, key: &QtKey, timeout: Duration) -> Result<Content, ReadingError> {
        let reading = critical::section(|| qt_bridge::read(key, self.form, timeout))?;
        Ok(Content::of_reading(self.address.clone(), reading))
    }

    /// Polls until there is a segment: Qt has no wake-up.
    fn await_qt(&self, key: &QtKey, deadline: Deadline) -> Result<Option<Content>, SourceError> {
        const PAUSE: Duration = qt_bridge::Poller::MIN_INTERVAL;
        loop {
            match self.read_qt(key, deadline.lock_timeout()) {
                Err(error) if error.is_not_found() && deadline.is_over() => return Ok(None),
                Err(error) if error.is_not_found() => {
                    deadline.sleep_until(Instant::now() + PAUSE);
                }
                content => return content.map(Some).map_err(SourceError::Qt),
            }
        }
    }
}
