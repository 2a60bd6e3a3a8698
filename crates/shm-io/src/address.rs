//! Keys of both kinds of segments.

use std::fmt;
use std::str::FromStr;

use qt_bridge::QtKey;
use shm_core::Key;

/// The name of a segment: a key of shm-core, or a key of a Qt program.
///
/// # Examples
///
/// ```
/// use shm_io::Address;
///
/// assert!(matches!("MySharedMemory".parse()?, Address::Own(_)));
/// assert!(matches!("qt:MySharedMemory".parse()?, Address::Qt(_)));
/// # Ok::<(), shm_io::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A segment of shm-core.
    Own(Key),
    /// A segment of a Qt program.
    Qt(QtKey),
}

impl Address {
    /// Returns the key as the user writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own(key) => key.as_str(),
            Self::Qt(key) => key.as_str(),
        }
    }

    /// Returns the key of a segment of shm-core; `None` for one of a Qt program.
    #[must_use]
    pub fn own(&self) -> Option<&Key> {
        match self {
            Self::Own(key) => Some(key),
            Self::Qt(_) => None,
        }
    }

    /// Returns the key of a segment of a Qt program; `None` for one of shm-core.
    #[must_use]
    pub fn qt(&self) -> Option<&QtKey> {
        match self {
            Self::Own(_) => None,
            Self::Qt(key) => Some(key),
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

/// Why a text is not an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is not a valid key of shm-core.
    #[error(transparent)]
    Own(shm_core::KeyError),
    /// It is not a valid key of a Qt program.
    #[error(transparent)]
    Qt(qt_bridge::KeyError),
}
