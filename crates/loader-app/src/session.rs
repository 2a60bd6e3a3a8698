//! Loads content into a segment and stays attached to it.
//!
//! [`Session`] blocks: the command line uses it directly, the window through a [`SessionThread`]. A
//! [watch](gui_common::session::monitor) notices what other processes publish in the segment.

mod any_file;
mod frame_source;
mod loadable;
mod player;
pub(crate) mod presence;
mod stream;
mod stream_report;
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
pub(crate) use loadable::{ByteSource, Loadable};
pub(crate) use stream_report::{StreamControl, StreamEnd, StreamProgress, StreamSummary};
pub(crate) use thread::{Reply, SessionThread, StreamEvent};

use crate::frames::FrameError;
use crate::picture_file::PictureError;

/// Loads content into one segment at a time and stays attached to that segment.
///
/// If an operation fails, the content that was loaded before remains. Dropping the session releases
/// the segment.
#[derive(Debug)]
pub(crate) struct Session {
    /// Publishes the content.
    pub(crate) sink: Sink,
    /// The memory limit of a picture.
    limit: Limit,
}

/// The result of loading one content.
#[derive(Clone, Debug)]
pub(crate) struct Loaded(pub Published);

impl Deref for Loaded {
    type Target = Published;

    fn deref(&self) -> &Published {
        &self.0
    }
}

impl Session {
    /// Creates a session that is attached to no segment.
    pub(crate) fn new(options: Options) -> Session {
        Session {
            sink: Sink::new(options),
            limit: Limit::DEFAULT,
        }
    }

    /// Returns the session with another memory limit for pictures.
    #[must_use]
    pub(crate) fn picture_limit(self, limit: Limit) -> Session {
        Session { limit, ..self }
    }

    /// Returns the session with a callback for the viewers of the segment.
    #[must_use]
    pub(crate) fn report_viewers(self, on_viewers: OnViewers) -> Session {
        let sink = self.sink.reporting(on_viewers);
        Session { sink, ..self }
    }

    /// Loads `content` under `address`, and then releases the segment of another address, if the
    /// session is attached to one.
    ///
    /// # Errors
    ///
    /// Returns a [`LoadError`]; the content that was loaded before remains.
    pub(crate) fn load(
        &mut self,
        address: impl Into<Address>,
        content: &mut Loadable,
    ) -> Result<Loaded, LoadError> {
        let address = address.into();
        let copies = Sink::copies(&address);
        // The file is checked first, so that an invalid one creates no segment.
        let payload = content.payload(self.limit, copies)?;
        let published = match self.sink.put(&address, payload) {
            // Another process removed the segment, so no subscriber could find what is published.
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

    /// Loads the content of a lost segment again, under its key; returns `None` if none was lost.
    ///
    /// # Errors
    ///
    /// Returns a [`LoadError`]; the caller may try again.
    pub(crate) fn restore(&mut self) -> Result<Option<Loaded>, LoadError> {
        Ok(self.sink.restore()?.map(Loaded))
    }
}

/// Returns the remedy for a segment that another process removed.
pub(crate) fn loss_remedy() -> String {
    let (setting, file) = ("RemoveIPC=no", "/etc/systemd/logind.conf");
    tr!("lost-remedy", setting = setting, file = file)
}

/// Describes a released segment.
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
                kind = snapshot::kind_name(kind),
                size = units::bytes(*bytes),
                key = key,
                form = form_choice::name(*form)
            ));
        }
        f.write_str(&tr!(
            "loaded",
            kind = snapshot::kind_name(kind),
            size = units::bytes(*bytes),
            key = key,
            sequence = sequence
        ))
    }
}

impl Loaded {
    /// Returns a warning if this replaced the content of another process.
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

    /// Returns a warning if other users may read the segment.
    pub(crate) fn exposure(&self) -> Option<String> {
        let readers = sharing::describe(self.permissions?)?;
        Some(tr!("loaded-shared", key = self.key, readers = readers))
    }
}

/// Why nothing was loaded. The content that was loaded before remains.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum LoadError {
    /// The content could not be published.
    Sink(SinkError),
    /// The picture could not be read.
    Picture(PictureError),
    /// The number of bytes of a picture does not match its sides.
    Pixels,
    /// The user cancelled it.
    Cancelled {
        /// The name of the source, such as a path.
        name: String,
    },
    /// The source of a stream failed.
    Frames(FrameError),
    /// The bytes could not be read.
    Bytes {
        /// The name of the source, such as a path.
        name: String,
        /// The underlying OS error.
        source: io::Error,
    },
}

impl From<SinkError> for LoadError {
    fn from(error: SinkError) -> LoadError {
        LoadError::Sink(error)
    }
}

impl LoadError {
    /// Returns `true` if another process removed the segment, so that nothing is loaded any more.
    pub(crate) fn is_removed(&self) -> bool {
        matches!(self, LoadError::Sink(error) if error.is_removed())
    }

    /// Returns `true` if the user cancelled it, which is not a failure.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(
            self,
            LoadError::Cancelled { .. } | LoadError::Picture(PictureError::Cancelled { .. })
        )
    }

    /// Returns what failed, in one sentence.
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

    /// Returns the cause and the remedy.
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
