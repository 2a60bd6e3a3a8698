//! Between shared memory and the rest of the program: the only file that may block.

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

use crate::user::User;

pub(crate) use export_session::{
    CopyError, Copying, Kept, Newest, SaveError, Saving, copy, keep, save,
};
pub(crate) use segments::{
    Listing, MOST_LEFT_ALONE, RemovalFailure, remove_in_background, segments,
};

/// How long a request may take without a word.
const PATIENCE: Duration = Duration::from_millis(500);

/// Why the window has nothing to show.
#[derive(Clone, Debug)]
pub(crate) enum ShowError {
    /// Shared memory gave nothing.
    Snapshot(Arc<SnapshotError>),
    /// Nobody could go and look.
    Worker(WorkerError),
}

impl ShowError {
    /// Returns `true` if there simply is nothing of that key.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, ShowError::Snapshot(error) if error.is_not_found())
    }
}

impl From<Arc<SnapshotError>> for ShowError {
    fn from(error: Arc<SnapshotError>) -> ShowError {
        ShowError::Snapshot(error)
    }
}

/// Reads what is under `key`, on a thread of its own; of a Qt program as a form, or as what it is
/// recognised to be.
pub(crate) fn show(key: Address, form: Option<Form>) -> Task<Result<Box<Snapshot>, ShowError>> {
    let source = Source::new(key).form(form);
    worker::run("show", move || Snapshot::read(&source)).map(|worked| {
        worked
            .map_err(ShowError::Worker)?
            .map(Box::new)
            .map_err(|error| ShowError::Snapshot(Arc::new(error)))
    })
}

/// Ends when a request that is not answered yet is worth a word.
pub(crate) fn patience() -> Task<()> {
    worker::run("patience", || thread::sleep(PATIENCE)).map(|_| ())
}

/// Prepares to read a segment for a command; that of another user where one is named.
pub(crate) fn source(address: &Address, owner: Option<&User>) -> Source {
    Source::new(address)
        .owner(owner.map(User::id))
        .on_polling(polling::warn_once)
}

/// Reads what is in a segment now; with `wait`, waits that long for the first content.
pub(crate) fn fetch(
    source: &Source,
    owner: Option<&User>,
    wait: Option<Duration>,
) -> Result<Content, FetchError> {
    let read = match wait {
        None => source.read().map(Some),
        Some(wait) => source.read_within(wait),
    };
    match read {
        // What a Qt program streams may be null.
        Ok(Some(content)) if !content.is_empty() || content.form().is_some() => Ok(content),
        Ok(_) => Err(FetchError::nothing(source, owner, wait)),
        Err(error) => Err(FetchError::new(error, source, owner)),
    }
}

/// What Qt's example says where there is nothing: a line of its own before what is wrong.
pub(crate) const ENTER_TEXT_FIRST: &str = "Enter a text first";

/// Why there is nothing to take.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// Nothing was loaded, for as long as was waited.
    Nothing {
        key: Address,
        owner: Option<User>,
        waited: Option<Duration>,
    },
    /// It belongs to another user, who does not let us read it.
    NotShared { key: Address, owner: User },
    /// It cannot be read.
    Source(SourceError),
}

impl FetchError {
    fn nothing(source: &Source, owner: Option<&User>, waited: Option<Duration>) -> FetchError {
        FetchError::Nothing {
            key: source.address().clone(),
            owner: owner.cloned(),
            waited,
        }
    }

    pub(crate) fn new(error: SourceError, source: &Source, owner: Option<&User>) -> FetchError {
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
                let whose = match owner {
                    Some(owner) => format!(" of {owner}"),
                    None => String::new(),
                };
                match waited {
                    None => write!(formatter, "There is nothing in {key}{whose} now. ")?,
                    Some(waited) => write!(
                        formatter,
                        "Nothing came into {key}{whose} within {} s. ",
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
                "{key} belongs to {owner}, who does not share it with you. After `viewer-app remove` \
                 and `loader-app text --mode 644` by {owner} everybody can read it."
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
