//! Why a name is no key.

use std::error::Error;
use std::fmt;

use crate::key::Key;

/// Why a name is no [`Key`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The name is empty.
    Empty,
    /// The name is longer than [`Key::MAX_BYTES`].
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The name has a character that no key may have.
    Character {
        /// The character.
        character: char,
        /// Where it stands, bytes from the beginning.
        at: usize,
    },
    /// The name begins with a `scheme:` prefix.
    Scheme {
        /// The prefix without its colon.
        scheme: String,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(
                f,
                "The key is empty: give the segment a name, such as MySharedMemory."
            ),
            Self::TooLong { bytes } => {
                let most = Key::MAX_BYTES;
                write!(
                    f,
                    "The key is {bytes} bytes long, and {most} are the most: choose a shorter one."
                )
            }
            Self::Character { character: '/', at } => {
                write!(
                    f,
                    "The key has a \"/\" at byte {at}: a key is a name, not a path."
                )
            }
            Self::Character { character, at } => {
                let code = u32::from(*character);
                write!(
                    f,
                    "The key has the control character U+{code:04X} at byte {at}: leave it out."
                )
            }
            Self::Scheme { scheme } => write!(
                f,
                "The key begins with \"{scheme}:\", which is reserved for other kinds of segment: \
                 leave the prefix out."
            ),
        }
    }
}

impl Error for KeyError {}
