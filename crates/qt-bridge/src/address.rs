//! Where something is: in one of our segments, or in one of Qt's.

use std::fmt;
use std::str::FromStr;

use shm_core::Key;
use thiserror::Error;

use crate::key::{KeyError, QtKey};

/// A name under which something is shared, whoever shares it.
///
/// # Examples
///
/// ```
/// use qt_bridge::Address;
///
/// assert!(matches!("MySharedMemory".parse()?, Address::Own(_)));
/// assert!(matches!("qt:MySharedMemory".parse()?, Address::Qt(_)));
/// # Ok::<(), qt_bridge::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A segment of shm-core.
    Own(Key),
    /// A segment of a Qt program.
    Qt(QtKey),
}

impl Address {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own(key) => key.as_str(),
            Self::Qt(key) => key.as_str(),
        }
    }

    /// The key of shm-core, where it is one.
    #[must_use]
    pub fn own(&self) -> Option<&Key> {
        match self {
            Self::Own(key) => Some(key),
            Self::Qt(_) => None,
        }
    }
}

impl From<&Key> for Address {
    fn from(key: &Key) -> Self {
        Self::Own(key.clone())
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Self {
        address.clone()
    }
}

impl From<Key> for Address {
    fn from(key: Key) -> Self {
        Self::Own(key)
    }
}

impl From<&QtKey> for Address {
    fn from(key: &QtKey) -> Self {
        Self::Qt(key.clone())
    }
}

impl From<QtKey> for Address {
    fn from(key: QtKey) -> Self {
        Self::Qt(key)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if QtKey::is_written_so(text) {
            text.parse().map(Self::Qt).map_err(AddressError::Qt)
        } else {
            Key::new(text).map(Self::Own).map_err(AddressError::Own)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// It is no key of shm-core.
    #[error(transparent)]
    Own(shm_core::KeyError),
    /// It is no key for Qt.
    #[error(transparent)]
    Qt(KeyError),
}
