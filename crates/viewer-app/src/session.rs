//! Access to shared memory: the only module that may block.

mod export_session;
mod segments;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use gui_common::session::polling;
use gui_common::session::snapshot::{Snapshot, SnapshotError};
use gui_common::session::worker::{self, WorkerError};
use gui_common::text::explain::Explain;
use iced::Task;
use qt_bridge::Form;
use shm_io::{Address, Content, Source, SourceError};

use crate::owner::Owner;

pub(crate) use export_session::{
    CopyContent, CopyError, FullContent, IfReplaced, SaveError, SaveRequest, copy, fetch_full, save,
};
pub(crate) use segments::{
    Listing, MAX_IGNORED_LISTED, RemovalFailure, remove_in_background, segments,
};

/// The delay before a pending request is mentioned in the status line.
const PENDING_DELAY: Duration = Duration::from_millis(500);

/// The error of reading a content for the window.
#[derive(Clone, Debug)]
pub(crate) enum ShowError {
    /// The content could not be read.
    Snapshot(Arc<SnapshotError>),
    /// The worker thread could not be started, or panicked.
    Worker(WorkerError),
}

impl ShowError {
    /// Returns `true` if there is no segment of that key.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, ShowError::Snapshot(error) if error.is_not_found())
    }
}

impl From<Arc<SnapshotError>> for ShowError {
    fn from(error: Arc<SnapshotError>) -> ShowError {
        ShowError::Snapshot(error)
    }
}

/// Reads the content of `key` on a separate thread. A Qt content is decoded as `form`, or as the
/// detected form if `None`.
pub(crate) fn show(key: Address, form: Option<Form>) -> Task<Result<Box<Snapshot>, ShowError>> {
    let source = Source::new(key).form(form);
    worker::run("show", move || Snapshot::read(&source)).map(|worked| {
        worked
            .map_err(ShowError::Worker)?
            .map(Box::new)
            .map_err(|error| ShowError::Snapshot(Arc::new(error)))
    })
}

/// Completes when a request that is still pending should be mentioned in the status line.
pub(crate) fn pending_delay() -> Task<()> {
    worker::run("pending", || thread::sleep(PENDING_DELAY)).map(|_| ())
}

/// Creates the source of a segment for a command, of another user if `owner` is given.
pub(crate) fn source(address: &Address, owner: Option<&Owner>) -> Source {
    Source::new(address)
        .owner(owner.map(Owner::id))
        .on_polling(polling::warn_once)
}

/// Reads the content of a segment; with `wait`, blocks up to that long until there is one.
pub(crate) fn fetch(
    source: &Source,
    owner: Option<&Owner>,
    wait: Option<Duration>,
) -> Result<Content, FetchError> {
    let read = match wait {
        None => source.read().map(Some),
        Some(wait) => source.read_within(wait),
    };
    match read {
        // A Qt program may stream a null value, which is a content.
        Ok(Some(content)) if !content.is_empty() || content.form().is_some() => Ok(content),
        Ok(_) => Err(FetchError::nothing(source, owner, wait)),
        Err(error) => Err(FetchError::new(error, source, owner)),
    }
}

/// The message of Qt's example for an empty segment, printed as a separate line before the error.
pub(crate) const ENTER_TEXT_FIRST: &str = "Enter a text first";

/// The error of reading a content for a command.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// There is no content, or none appeared within the wait.
    Nothing {
        key: Address,
        owner: Option<Owner>,
        waited: Option<Duration>,
    },
    /// The segment belongs to another user and is not readable.
    NotShared { key: Address, owner: Owner },
    /// The content cannot be read.
    Source(SourceError),
}

impl FetchError {
    fn nothing(source: &Source, owner: Option<&Owner>, waited: Option<Duration>) -> FetchError {
        FetchError::Nothing {
            key: source.address().clone(),
            owner: owner.cloned(),
            waited,
        }
    }

    pub(crate) fn new(error: SourceError, source: &Source, owner: Option<&Owner>) -> FetchError {
        match owner {
            _ if error.is_not_found() => FetchError::nothing(source, owner, None),
            Some(owner) if error.is_not_shared() => FetchError::NotShared {
                key: source.address().clone(),
                owner: owner.clone(),
            },
            _ => FetchError::Source(error),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::Nothing { key, owner, waited } => {
                let of_owner = match owner {
                    Some(owner) => format!(" of {owner}"),
                    None => String::new(),
                };
                match waited {
                    None => write!(formatter, "There is nothing in {key}{of_owner} now. ")?,
                    Some(waited) => write!(
                        formatter,
                        "Nothing was loaded into {key}{of_owner} within {} s. ",
                        waited.as_secs_f32()
                    )?,
                }
                formatter.write_str(
                    "Load something with the same key, in the window SharedMemoryLoad or with \
                     loader-app text, then try again.",
                )
            }
            FetchError::NotShared { key, owner } => write!(
                formatter,
                "{key} belongs to {owner} and is not readable for you. To share it with all users, \
                 {owner} can run `viewer-app remove` and then `loader-app text --mode 644`."
            ),
            FetchError::Source(error) => formatter.write_str(&error.explain()),
        }
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FetchError::Nothing { .. } | FetchError::NotShared { .. } => None,
            FetchError::Source(error) => Some(error),
        }
    }
}
