//! What is loaded, and the sink that keeps it alive.
//!
//! [`Session`] blocks: the command line uses it as it is, the window by way of a
//! [`SessionThread`]. What others do with the segment is seen by a [watch](gui_common::session::watch).

mod any_file;
mod frame_source;
mod loadable;
pub(crate) mod presence;
mod stream;
#[cfg(test)]
mod tests;
mod thread;

use std::ops::Deref;
use std::{error, fmt, io};

use gui_common::picture::limit::Limit;
use gui_common::session::snapshot;
use gui_common::text::explain::Explain;
use gui_common::text::language;
use gui_common::text::sharing;
use gui_common::text::units;
use gui_common::tr;
use gui_common::widget::form_choice;
use qt_bridge::User;
use shm_core::Options;
use shm_io::{Address, OnViewers, Published, Released, Sink, SinkError};

pub(crate) use frame_source::FrameSource;
pub(crate) use loadable::{Bytes, Loadable};
pub(crate) use stream::{Control, End, Report, Streamed};
pub(crate) use thread::{News, Reply, SessionThread};

use crate::frames::FrameError;
use crate::picture_file::PictureError;

/// Loads contents into one segment at a time, and keeps the last one alive.
///
/// Whatever goes wrong, what was loaded before stays loaded. Dropping a session releases it.
#[derive(Debug)]
pub(crate) struct Session {
    /// Where contents go.
    pub(crate) sink: Sink,
    /// How much memory a picture may take.
    limit: Limit,
}

/// What was loaded.
#[derive(Clone, Debug)]
pub(crate) struct Loaded(pub Published);

impl Deref for Loaded {
    type Target = Published;

    fn deref(&self) -> &Published {
        &self.0
    }
}

impl Session {
    /// Begins with nothing loaded.
    pub(crate) fn new(options: Options) -> Session {
        Session {
            sink: Sink::new(options),
            limit: Limit::DEFAULT,
        }
    }

    /// Refuses from now on pictures that take more memory than `limit`.
    #[must_use]
    pub(crate) fn limiting_pictures(self, limit: Limit) -> Session {
        Session { limit, ..self }
    }

    /// Tells from now on who watches what is loaded.
    #[must_use]
    pub(crate) fn telling_who_watches(self, on_watched: OnViewers) -> Session {
        let sink = self.sink.reporting(on_watched);
        Session { sink, ..self }
    }

    /// Loads `content` under `key`, and only then lets go of what is loaded under another.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; what was loaded before stays.
    pub(crate) fn load(
        &mut self,
        address: impl Into<Address>,
        content: &mut Loadable,
    ) -> Result<Loaded, LoadError> {
        let address = address.into();
        let copies = Sink::copies(&address);
        // First what can be wrong with a file: it should not cost a segment.
        let payload = content.payload(self.limit, copies)?;
        let published = match self.sink.put(&address, payload) {
            // Somebody removed the segment, so nobody would ever see what is published there.
            Err(error)
                if error.is_removed()
                    && content.is_repeatable()
                    && self.sink.release_if_lost().is_some() =>
            {
                self.sink
                    .put(&address, content.payload(self.limit, copies)?)
            }
            published => published,
        };
        published.map(Loaded)
    }

    /// Loads once more what was lost, under its key; `None` where nothing was.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; it can be tried again.
    pub(crate) fn restore(&mut self) -> Result<Option<Loaded>, LoadError> {
        Ok(self.sink.restore()?.map(Loaded))
    }
}

/// Says what to do where what was loaded under a key was taken away.
pub(crate) fn remedy_of_loss() -> String {
    let (setting, file) = ("RemoveIPC=no", "/etc/systemd/logind.conf");
    tr!("lost-remedy", setting = setting, file = file)
}

/// Says what was let go of.
pub(crate) fn describe_released(released: &Released) -> String {
    match released.is_removed {
        true => tr!("released-gone", key = released.key),
        false => tr!("released-stays", key = released.key),
    }
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Published {
            key,
            kind,
            bytes,
            sequence,
            form,
            ..
        } = &self.0;
        if let Some(form) = form {
            return f.write_str(&tr!(
                "loaded-for-qt",
                kind = snapshot::name_of_kind(kind),
                size = units::bytes(*bytes),
                key = key,
                form = form_choice::name(*form)
            ));
        }
        f.write_str(&tr!(
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
    pub(crate) fn warning(&self) -> Option<String> {
        let User { pid, program } = self.replaced.as_ref()?;
        Some(match self.form {
            None => tr!(
                "loaded-replaces",
                program = program,
                pid = pid,
                key = self.key
            ),
            Some(_) => tr!(
                "loaded-replaces-qt",
                program = program,
                pid = pid,
                key = self.key
            ),
        })
    }

    /// Says who else may read it, where somebody may, and what to do where that was not asked for.
    pub(crate) fn exposure(&self) -> Option<String> {
        let readers = sharing::describe(self.permissions?)?;
        Some(tr!("loaded-shared", key = self.key, readers = readers))
    }
}

/// Why nothing was loaded. What was loaded before stays.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum LoadError {
    /// It could not be published.
    Sink(SinkError),
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

impl From<SinkError> for LoadError {
    fn from(error: SinkError) -> LoadError {
        LoadError::Sink(error)
    }
}

impl LoadError {
    /// Returns `true` if somebody has removed the segment, so that nothing is loaded any more.
    pub(crate) fn is_removed(&self) -> bool {
        matches!(self, LoadError::Sink(error) if error.is_removed())
    }

    /// Returns `true` if nobody wanted it any more, which is no fault.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(
            self,
            LoadError::Cancelled { .. } | LoadError::Picture(PictureError::Cancelled { .. })
        )
    }

    /// Returns what is wrong, in one sentence.
    pub(crate) fn headline(&self) -> String {
        match self {
            LoadError::Sink(error) if error.is_about_segment() => tr!("load-no-segment"),
            LoadError::Sink(_) => tr!("load-not-published"),
            LoadError::Picture(error) => error.headline(),
            LoadError::Pixels => tr!("load-no-pixels"),
            LoadError::Cancelled { name } => tr!("load-cancelled", name = name),
            LoadError::Frames(error) => error.headline(),
            LoadError::Bytes { name, .. } => tr!("load-unreadable", name = name),
        }
    }

    /// Returns the reason and what to do.
    pub(crate) fn remedy(&self) -> String {
        match self {
            LoadError::Sink(error) => error.explain(),
            LoadError::Picture(error) => error.remedy(),
            LoadError::Cancelled { .. } => tr!("load-cancelled-remedy"),
            LoadError::Pixels => tr!("load-no-pixels-remedy"),
            LoadError::Frames(error) => error.remedy(),
            LoadError::Bytes { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => tr!("file-not-found"),
                io::ErrorKind::IsADirectory => tr!("file-is-folder"),
                io::ErrorKind::PermissionDenied => tr!("file-not-permitted"),
                io::ErrorKind::InvalidInput => tr!("file-is-device"),
                _ => tr!("system-says", reason = source),
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
            LoadError::Sink(error) => Some(error),
            LoadError::Picture(error) => Some(error),
            LoadError::Pixels | LoadError::Cancelled { .. } => None,
            LoadError::Frames(error) => Some(error),
            LoadError::Bytes { source, .. } => Some(source),
        }
    }
}
