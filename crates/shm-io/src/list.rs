//! Listing and removing segments.

use std::sync::Arc;

use qt_bridge::{SegmentError, SegmentErrorKind};
use shm_core::segment::Removal;
use shm_core::{ListError, Options, Participant, RemoveError, RemoveErrorKind, presence, segment};

use crate::address::Address;
use crate::critical;

/// An entry of a list: a segment, or a file that is named like one.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A segment of shm-core, or a file that is named like one.
    Own(Arc<segment::Listed>),
    /// A segment of a Qt program.
    Qt(qt_bridge::Listed),
}

impl From<segment::Listed> for Entry {
    fn from(listed: segment::Listed) -> Entry {
        Entry::Own(Arc::new(listed))
    }
}

impl Entry {
    /// Returns its key as the user writes it, or the name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Entry::Own(listed) => &listed.name,
            Entry::Qt(listed) => listed.key.as_str(),
        }
    }

    /// Returns its address; `None` if it is not a segment.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        match self {
            Entry::Own(listed) => listed.segment.as_ref().ok().map(|info| (&info.key).into()),
            Entry::Qt(listed) => Some((&listed.key).into()),
        }
    }
}

/// Lists the segments of a user (`None`: the calling user): first those of shm-core, by name, then
/// those of Qt programs. Removes stale segments and sockets of the calling user.
///
/// # Errors
///
/// [`ListError`] if the directory of segments cannot be read.
pub fn list(owner: Option<u32>) -> Result<Vec<Entry>, ListError> {
    let options = match owner {
        Some(owner) => Options::new().owner(owner),
        None => Options::new(),
    };
    let own = segment::list(&options)?;
    presence::sweep(&options, &own);
    let of_qt = match owner {
        Some(owner) => qt_bridge::list_of(owner),
        None => qt_bridge::list(),
    };
    let of_qt = of_qt.into_iter().map(Entry::Qt);
    Ok(own.into_iter().map(Entry::from).chain(of_qt).collect())
}

/// Removes a segment of the calling user.
///
/// # Errors
///
/// [`RemovalError`]. The segment stays.
pub fn remove(address: &Address, removal: Removal) -> Result<(), RemovalError> {
    match address {
        Address::Own(key) => {
            segment::remove(key, &Options::new(), removal).map_err(RemovalError::Own)
        }
        Address::Qt(key) => {
            let force = removal == Removal::Forced;
            critical::section(|| qt_bridge::remove(key, force)).map_err(RemovalError::Qt)
        }
    }
}

/// Why a segment was not removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemovalError {
    /// A segment of shm-core was not removed.
    #[error(transparent)]
    Own(RemoveError),
    /// A segment of a Qt program was not removed.
    #[error(transparent)]
    Qt(SegmentError),
}

impl RemovalError {
    /// Returns `true` if there is no such segment.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            RemovalError::Own(error) => *error.kind() == RemoveErrorKind::NotFound,
            RemovalError::Qt(error) => *error.kind() == SegmentErrorKind::NotFound,
        }
    }

    /// Returns the processes that are attached to a segment of shm-core, if it was not removed
    /// because of them.
    #[must_use]
    pub fn attached(&self) -> Option<&[Participant]> {
        match self {
            RemovalError::Own(error) => match error.kind() {
                RemoveErrorKind::InUse { by } => Some(by),
                _ => None,
            },
            RemovalError::Qt(_) => None,
        }
    }
}
