//! What is shown, taken out of the window: saved or copied, whole where that can still be had.

use std::fmt;
use std::path::PathBuf;

use app_kit::clipboard::Copied;
use app_kit::snapshot::Snapshot;
use app_kit::worker::{self, WorkerError};
use iced::Task;

use super::{Content, fetch};
use crate::export::{self, ExportError};
use crate::output::Existing;

/// What is to be saved, and where.
#[derive(Clone, Debug)]
pub(crate) struct Saving {
    /// What the window shows.
    pub(crate) held: Snapshot,
    /// The file.
    pub(crate) path: PathBuf,
    /// What becomes of a file that is there already.
    pub(crate) existing: Existing,
    /// Whether a part will do, where the window holds no more.
    pub(crate) accepts_part: bool,
}

/// Why nothing was saved.
#[derive(Clone, Debug)]
pub(crate) enum SaveError {
    /// There is a file already.
    Taken(PathBuf),
    /// Only a part is left, as [`export::part_held`] says it.
    OnlyPart {
        /// How much that is.
        part: String,
        /// Where it should have gone.
        path: PathBuf,
    },
    /// It could not be written: what is wrong, and what to do.
    Failed(String),
}

/// Saves what is shown, and returns where: all of it from shared memory, where it is still there;
/// else what the window holds.
pub(crate) fn save(saving: Saving) -> Task<Result<PathBuf, SaveError>> {
    worker::run("save", move || save_now(saving)).map(|worked| match worked {
        Ok(outcome) => outcome,
        Err(error) => Err(SaveError::Failed(error.to_string())),
    })
}

fn save_now(saving: Saving) -> Result<PathBuf, SaveError> {
    let Saving {
        held,
        path,
        existing,
        accepts_part,
    } = saving;
    // Before a long text is fetched for nothing.
    if existing == Existing::Keep && path.exists() {
        return Err(SaveError::Taken(path));
    }
    let saved = match (whole(&held), export::part_held(&held)) {
        (Some(content), _) => export::save(&content, &path, existing),
        (None, Some(part)) if !accepts_part => return Err(SaveError::OnlyPart { part, path }),
        (None, _) => export::save_held(&held, &path, existing),
    };
    match saved {
        Ok(()) => Ok(path),
        Err(ExportError::Output(error)) if error.is_taken() => Err(SaveError::Taken(path)),
        Err(error) => Err(SaveError::Failed(error.to_string())),
    }
}

/// What is to be copied, and how much of it, where that is not all.
#[derive(Clone, Debug)]
pub(crate) struct Copying {
    pub(crate) copied: Copied,
    pub(crate) part: Option<String>,
}

/// Why there is nothing to copy: what is wrong, and what to do.
#[derive(Clone, Debug)]
pub(crate) struct CopyError(String);

impl fmt::Display for CopyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Gets for the clipboard what is shown, as [`save`] does for a file.
pub(crate) fn copy(held: Snapshot) -> Task<Result<Copying, CopyError>> {
    worker::run("copy", move || copy_now(&held)).map(
        |worked: Result<_, WorkerError>| match worked {
            Ok(outcome) => outcome.map_err(|error: ExportError| CopyError(error.to_string())),
            Err(error) => Err(CopyError(error.to_string())),
        },
    )
}

fn copy_now(held: &Snapshot) -> Result<Copying, ExportError> {
    Ok(match whole(held) {
        Some(content) => Copying {
            copied: export::copy(&content)?,
            part: None,
        },
        None => Copying {
            copied: export::copy_held(held)?,
            part: export::part_held(held),
        },
    })
}

/// Fetches again what is shown; `None` where something else has taken its place.
fn whole(held: &Snapshot) -> Option<Content> {
    let content = fetch(&held.key, None, None).ok()?.content;
    let is_same = match (&content, &held.origin) {
        (Content::Sample(sample), Some(origin)) => {
            // Generations begin anew with the segment: the time tells them apart.
            sample.generation() == origin.generation
                && sample.published() == origin.published
                && sample.writer().is(origin.writer)
        }
        // What is in a block has no generations: it is what it is now.
        (Content::Block { .. }, None) => true,
        _ => false,
    };
    is_same.then_some(content)
}
