//! What is loaded, and the publisher that keeps it alive.
//!
//! [`Session`] blocks: the command line uses it as it is, the window by way of a
//! [`SessionThread`]. What others do with the segment is seen by a [watch](app_kit::watch).

mod any_file;
pub mod audience;
mod content;
mod qt;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod thread;

use std::{error, fmt, io, mem};

use app_kit::explain::Explain;
use app_kit::limit::Limit;
use app_kit::{form_choice, language, say, sharing, snapshot, units};
use qt_bridge::{Address, Form, StreamError, User};
use shm_core::segment::{self, Content as Kept, Permissions};
use shm_core::{
    Access, AttachError, AttachErrorKind, Participant, Key, Options, PublishError, PublishErrorKind,
    Publisher, ReadError,
};

pub use content::{Bytes, Content};
pub use source::Source;
pub use stream::{Control, End, Report, Streamed, Tally};
pub use thread::{News, Reply, SessionThread};

use audience::{Tell, PresenceReporter};
use content::Payload;
use qt::QtSession;

use crate::frames::FrameError;
use crate::picture_file::PictureError;

/// Loads contents into one segment at a time, and keeps the last one alive.
///
/// Whatever goes wrong, what was loaded before stays loaded. Dropping a session releases it.
pub struct Session {
    options: Options,
    /// How much memory a picture may take.
    limit: Limit,
    /// Before the publisher, so that it ends first.
    usher: PresenceReporter,
    publisher: Option<Publisher>,
    /// What was loaded into a segment that others have taken away: nobody finds it any more, but it
    /// can be loaded again.
    lost: Option<Publisher>,
    /// What is loaded for Qt programs, instead.
    qt: QtSession,
}

/// What was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Where it is.
    pub key: Address,
    /// `text`, `image` or `bytes`.
    pub kind: &'static str,
    /// How many bytes it takes in shared memory.
    pub bytes: u64,
    /// Its number: each thing loaded under a key has the next. Under a key of Qt nothing is counted: 0.
    pub sequence: u64,
    /// How it is streamed for Qt programs, where it is for them.
    pub form: Option<Form>,
    /// Whose content it took the place of; of a Qt program, who uses it.
    pub replaced: Option<User>,
    /// What was let go of, because this is loaded under another key.
    pub released: Option<Released>,
    /// Who may read it; `None` under a key of Qt, or where the system does not say.
    pub permissions: Option<Permissions>,
    /// How much the segment keeps; `None` under a key of Qt.
    pub capacity: Option<Capacity>,
}

/// How much a segment keeps of what was loaded before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The length of its ring, bytes.
    pub ring: u64,
    /// How much of what does not fit the ring, bytes.
    pub retain: u64,
}

impl Capacity {
    fn of(publisher: &Publisher) -> Capacity {
        Capacity {
            ring: publisher.ring_bytes(),
            retain: publisher.retain_bytes(),
        }
    }
}

/// What was let go of.
#[derive(Clone, Debug)]
pub struct Released {
    /// Its key.
    pub key: Address,
    /// Whether it is gone; if not, others are attached, or it is persistent.
    pub is_removed: bool,
}

impl Session {
    /// Begins with nothing loaded.
    pub fn new(options: Options) -> Session {
        Session {
            options,
            limit: Limit::DEFAULT,
            usher: PresenceReporter::default(),
            publisher: None,
            lost: None,
            qt: QtSession::default(),
        }
    }

    /// Streams for Qt programs in this form from now on, instead of the one that fits each content.
    pub fn stream_as(&mut self, form: Option<Form>) {
        self.qt.set_form(form);
    }

    /// Refuses from now on pictures that take more memory than `limit`.
    #[must_use]
    pub fn limiting_pictures(mut self, limit: Limit) -> Session {
        self.limit = limit;
        self
    }

    /// Tells from now on who watches what is loaded.
    #[must_use]
    pub fn telling_who_watches(mut self, tell: Tell) -> Session {
        self.usher = PresenceReporter::telling(tell);
        self
    }

    /// Loads `content` under `key`, and only then lets go of what is loaded under another.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; what was loaded before stays.
    pub fn load(
        &mut self,
        address: impl Into<Address>,
        content: &mut Content,
    ) -> Result<Loaded, LoadError> {
        match address.into() {
            Address::Own(key) => {
                let loaded = self.load_own(&key, content)?;
                let released = loaded.released.clone().or_else(|| self.qt.release());
                Ok(Loaded { released, ..loaded })
            }
            Address::Qt(key) => {
                let loaded = self.qt.load(&key, Payload::open(content, self.limit)?)?;
                let released = self.hold(None).map(Released::from);
                let released = released.or(loaded.released.clone());
                Ok(Loaded { released, ..loaded })
            }
        }
    }

    fn load_own(&mut self, key: &Key, content: &mut Content) -> Result<Loaded, LoadError> {
        // First what can be wrong with a file: it should not cost a segment.
        let payload = Payload::open(content, self.limit)?;
        let Some(publisher) = self
            .publisher
            .as_ref()
            .filter(|publisher| publisher.key() == key)
        else {
            return self.load_anew(key, payload);
        };
        let replaced = owner_of_content(key, &self.options);
        match payload.publish(publisher) {
            Ok(published) => Ok(published.into_loaded(publisher, replaced, None)),
            // Somebody removed the segment, so nobody would ever see what is published here.
            Err(error) if error.is_removed() && content.is_repeatable() => {
                self.hold(None);
                self.load_anew(key, Payload::open(content, self.limit)?)
            }
            Err(error) => Err(error),
        }
    }

    fn load_anew(&mut self, key: &Key, payload: Payload<'_>) -> Result<Loaded, LoadError> {
        let publisher = open(key, &self.options)?;
        let replaced = owner_of_content(key, &self.options);
        // On failure the new publisher is dropped, and with it a segment that it made.
        let published = payload.publish(&publisher)?;
        let loaded = published.into_loaded(&publisher, replaced, None);
        let released = self.hold(Some(publisher)).map(Released::from);
        Ok(Loaded { released, ..loaded })
    }

    /// Makes what is loaded outlive its session, until it is removed by its key.
    ///
    /// This comes after loading: a segment that nothing could be loaded into should not stay.
    ///
    /// # Errors
    ///
    /// [`LoadError`], as [`Publisher::persist`] has it.
    pub fn persist(&mut self) -> Result<(), LoadError> {
        self.qt.keep();
        let Some(publisher) = &self.publisher else {
            return Ok(());
        };
        publisher.persist().map_err(|error| match error {
            // Somebody has taken it away just now.
            error if *error.kind() == AttachErrorKind::NotFound => {
                LoadError::Publish(PublishError::new(error.key(), PublishErrorKind::Removed))
            }
            error => LoadError::Attach(error),
        })
    }

    /// Blanks what is loaded, and stays attached. Returns its key, or `None` where nothing is.
    ///
    /// # Errors
    ///
    /// [`LoadError::Publish`], as [`Publisher::clear`] has it; [`LoadError::Qt`].
    pub fn clear(&mut self) -> Result<Option<Address>, LoadError> {
        let Some(publisher) = &self.publisher else {
            return self.qt.clear();
        };
        publisher.clear().map_err(LoadError::Publish)?;
        Ok(Some(publisher.key().into()))
    }

    /// Lets go of what is loaded. Returns `None` where nothing is.
    pub fn release(&mut self) -> Option<Released> {
        self.lost = None;
        self.hold(None)
            .map(Released::from)
            .or_else(|| self.qt.release())
    }

    /// Looks whether others have removed, moved away or replaced what is loaded, so that nobody finds
    /// it any more; returns its key then. Nothing is loaded after that, but [`restore`](Self::restore)
    /// loads it again.
    pub fn release_if_lost(&mut self) -> Option<Address> {
        if !self.publisher.as_ref().is_some_and(Publisher::is_removed) {
            return self.qt.release_if_lost();
        }
        let lost = self.hold(None)?;
        let key = lost.key().into();
        self.lost = Some(lost);
        Some(key)
    }

    /// Loads once more what was lost, under its key; `None` where nothing was.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; it can be tried again.
    pub fn restore(&mut self) -> Result<Option<Loaded>, LoadError> {
        let Some(lost) = &self.lost else {
            return self.qt.restore();
        };
        let key = lost.key();
        let options = self.options.clone().persistent(lost.is_persistent());
        // What was loaded is read back from where it lies: a file may have changed, and what came
        // through a pipe comes only once.
        let mut kept = lost.subscribe().map_err(LoadError::Attach)?;
        let kept = kept.latest().map_err(LoadError::Kept)?;
        let publisher = open(key, &options)?;
        let replaced = owner_of_content(key, &self.options);
        let published = content::publish_again(kept.as_ref(), &publisher)?;
        let loaded = published.into_loaded(&publisher, replaced, None);
        drop(kept);
        self.hold(Some(publisher));
        Ok(Some(loaded))
    }

    /// Takes another publisher, or none, and returns the one before.
    fn hold(&mut self, publisher: Option<Publisher>) -> Option<Publisher> {
        if publisher.is_some() {
            self.lost = None;
        }
        self.usher.turn_to(publisher.as_ref());
        mem::replace(&mut self.publisher, publisher)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("key", &self.publisher.as_ref().map(Publisher::key))
            .finish_non_exhaustive()
    }
}

impl From<Publisher> for Released {
    fn from(publisher: Publisher) -> Released {
        Released {
            key: publisher.key().into(),
            is_removed: publisher.detach(),
        }
    }
}

/// Says what to do where what was loaded under a key was taken away.
pub fn remedy_of_loss() -> String {
    let (setting, file) = ("RemoveIPC=no", "/etc/systemd/logind.conf");
    say!("lost-remedy", setting = setting, file = file)
}

/// Attaches to a segment, or creates it; one that another program has damaged begins anew.
fn open(key: &Key, options: &Options) -> Result<Publisher, LoadError> {
    let publisher = Publisher::open(key, options).map_err(LoadError::Attach)?;
    publisher.repair().map_err(LoadError::Publish)?;
    Ok(publisher)
}

/// Returns whose content is under `key` now: its writer, or who else keeps it alive.
fn owner_of_content(key: &Key, options: &Options) -> Option<User> {
    let info = segment::info(key, options).ok()?;
    let Kept::Samples {
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

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loaded {
            key,
            kind,
            bytes,
            sequence,
            form,
            ..
        } = self;
        if let Some(form) = form {
            return f.write_str(&say!(
                "loaded-for-qt",
                kind = snapshot::name_of_kind(kind),
                size = units::bytes(*bytes),
                key = key,
                form = form_choice::name(*form)
            ));
        }
        f.write_str(&say!(
            "loaded",
            kind = snapshot::name_of_kind(kind),
            size = units::bytes(*bytes),
            key = key,
            sequence = sequence
        ))
    }
}

impl Loaded {
    /// Says whose content this took the place of.
    pub fn warning(&self) -> Option<String> {
        let User { pid, program } = self.replaced.as_ref()?;
        Some(match self.form {
            None => say!(
                "loaded-replaces",
                program = program,
                pid = pid,
                key = self.key
            ),
            Some(_) => say!(
                "loaded-replaces-qt",
                program = program,
                pid = pid,
                key = self.key
            ),
        })
    }

    /// Says who else may read it, where somebody may, and what to do where that was not asked for.
    pub fn exposure(&self) -> Option<String> {
        let readers = sharing::describe(self.permissions?)?;
        Some(say!("loaded-shared", key = self.key, readers = readers))
    }
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Released { key, is_removed } = self;
        f.write_str(&match is_removed {
            true => say!("released-gone", key = key),
            false => say!("released-stays", key = key),
        })
    }
}

/// Why nothing was loaded. What was loaded before stays.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The segment could not be created or joined.
    Attach(AttachError),
    /// The content could not be put into it.
    Publish(PublishError),
    /// What was loaded and lost cannot be read back.
    Kept(ReadError),
    /// It could not be put into a segment of Qt programs.
    Qt(qt_bridge::PublishError),
    /// It does not go into the stream that was asked for.
    Stream(StreamError),
    /// The picture could not be read.
    Picture(PictureError),
    /// What claims to be a picture has other sides than bytes.
    Pixels,
    /// Nobody wanted it any more.
    Cancelled {
        /// What was read from, such as a path.
        name: String,
    },
    /// There are no frames.
    Frames(FrameError),
    /// The bytes could not be read.
    Bytes {
        /// What was read from, such as a path.
        name: String,
        /// The system's word.
        source: io::Error,
    },
}

impl LoadError {
    /// Returns `true` if somebody has removed the segment, so that nothing is loaded any more.
    pub fn is_removed(&self) -> bool {
        matches!(self, LoadError::Publish(error) if *error.kind() == PublishErrorKind::Removed)
    }

    /// Returns `true` if nobody wanted it any more, which is no fault.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            LoadError::Cancelled { .. } | LoadError::Picture(PictureError::Cancelled { .. })
        )
    }

    /// Returns what is wrong, in one sentence.
    pub fn headline(&self) -> String {
        match self {
            LoadError::Attach(_) => say!("load-no-segment"),
            LoadError::Publish(error)
                if matches!(error.kind(), PublishErrorKind::NoSpace { .. }) =>
            {
                say!("load-no-segment")
            }
            LoadError::Qt(qt_bridge::PublishError::Segment(_)) => say!("load-no-segment"),
            LoadError::Publish(_)
            | LoadError::Kept(_)
            | LoadError::Qt(_)
            | LoadError::Stream(_) => say!("load-not-published"),
            LoadError::Picture(error) => error.headline(),
            LoadError::Pixels => say!("load-no-pixels"),
            LoadError::Cancelled { name } => say!("load-cancelled", name = name),
            LoadError::Frames(error) => error.headline(),
            LoadError::Bytes { name, .. } => say!("load-unreadable", name = name),
        }
    }

    /// Returns the reason and what to do.
    pub fn remedy(&self) -> String {
        match self {
            LoadError::Attach(error) => error.explain(),
            LoadError::Publish(error) => error.explain(),
            LoadError::Kept(error) => error.explain(),
            LoadError::Qt(error) => error.explain(),
            LoadError::Stream(error) => error.explain(),
            LoadError::Picture(error) => error.remedy(),
            LoadError::Cancelled { .. } => say!("load-cancelled-remedy"),
            LoadError::Pixels => say!("load-no-pixels-remedy"),
            LoadError::Frames(error) => error.remedy(),
            LoadError::Bytes { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => say!("file-not-found"),
                io::ErrorKind::IsADirectory => say!("file-is-folder"),
                io::ErrorKind::PermissionDenied => say!("file-not-permitted"),
                io::ErrorKind::InvalidInput => say!("file-is-device"),
                _ => say!("system-says", reason = source),
            },
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&language::sentences([self.headline(), self.remedy()]))
    }
}

impl error::Error for LoadError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            LoadError::Attach(error) => Some(error),
            LoadError::Publish(error) => Some(error),
            LoadError::Kept(error) => Some(error),
            LoadError::Qt(error) => Some(error),
            LoadError::Stream(error) => Some(error),
            LoadError::Picture(error) => Some(error),
            LoadError::Pixels | LoadError::Cancelled { .. } => None,
            LoadError::Frames(error) => Some(error),
            LoadError::Bytes { source, .. } => Some(source),
        }
    }
}
