//! The name under which programs find the same segment.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::error::code::ErrorCode;
use crate::escape::is_hidden;

/// The validated name of a segment.
///
/// One to 128 bytes of UTF-8 without `/`, without control characters (such as NUL) and invisible
/// characters ([`escape::is_hidden`](crate::escape::is_hidden)), and without a `scheme:` prefix,
/// which is reserved for other kinds of segments. Two keys that look the same are the same. The
/// bound keeps the file name within the 255 bytes that Linux allows (`NAME_MAX`).
///
/// # Examples
///
/// ```
/// use shm_core::Key;
///
/// assert_eq!(Key::new("MySharedMemory")?.as_str(), "MySharedMemory");
/// assert!(Key::new("a/b").is_err());
/// assert!(Key::new("qt:MySharedMemory").is_err());
/// # Ok::<(), shm_core::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The length of the longest key in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Creates a key from a name.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the name breaks one of the rules above.
    pub fn new(name: &str) -> Result<Self, KeyError> {
        if name.is_empty() {
            return Err(KeyError::Empty);
        }
        if name.len() > Self::MAX_BYTES {
            return Err(KeyError::TooLong { bytes: name.len() });
        }
        let forbidden = |&(_, character): &(usize, char)| character == '/' || is_hidden(character);
        if let Some((at, character)) = name.char_indices().find(forbidden) {
            return Err(KeyError::Character { character, at });
        }
        if let Some(scheme) = scheme_of(name) {
            return Err(KeyError::Scheme {
                scheme: scheme.to_owned(),
            });
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the segment's file: `shm-core.<uid>.<key>`.
    pub(crate) fn file_name(&self, owner: u32) -> String {
        format!("{}{}", file_prefix(owner), self.0)
    }
}

/// Returns the prefix of the names of a user's segment files.
pub(crate) fn file_prefix(owner: u32) -> String {
    format!("shm-core.{owner}.")
}

/// Returns the scheme of a name: a letter, then letters, digits, `+`, `-` or `.`, then a colon (RFC
/// 3986, section 3.1).
fn scheme_of(name: &str) -> Option<&str> {
    let (scheme, _) = name.split_once(':')?;
    let mut characters = scheme.chars();
    let is_start_valid = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic());
    let is_rest_valid =
        characters.all(|other| other.is_ascii_alphanumeric() || matches!(other, '+' | '-' | '.'));
    (is_start_valid && is_rest_valid).then_some(scheme)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::new(name)
    }
}

impl TryFrom<&str> for Key {
    type Error = KeyError;

    fn try_from(name: &str) -> Result<Self, KeyError> {
        Self::new(name)
    }
}

/// Why a name is not a valid [`Key`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name is empty.
    #[error("key is empty")]
    Empty,
    /// The name is longer than [`Key::MAX_BYTES`].
    #[error("key is {bytes} bytes long, more than {}", Key::MAX_BYTES)]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The name has a character that no key may have.
    #[error("key has the character U+{:04X} at byte {at}", u32::from(*character))]
    Character {
        /// The character.
        character: char,
        /// Its offset in bytes.
        at: usize,
    },
    /// The name begins with a `scheme:` prefix.
    #[error("key begins with \"{scheme}:\", which is reserved")]
    Scheme {
        /// The prefix without its colon.
        scheme: String,
    },
}

impl KeyError {
    /// Returns [`ErrorCode::InvalidKey`].
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidKey
    }

    /// Returns `None`, because there is no underlying OS error.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_valid_up_to_the_bound() {
        for name in [
            "a",
            "MySharedMemory",
            "共享内存",
            "with space",
            "12:30",
            ":x",
            "ключ.1",
        ] {
            assert_eq!(Key::new(name).unwrap().as_str(), name);
        }
        assert!(Key::new(&"x".repeat(128)).is_ok());
        let longest = Key::new(&"x".repeat(128)).unwrap().file_name(u32::MAX);
        assert!(
            longest.len() <= 255,
            "a file name must fit NAME_MAX: {}",
            longest.len()
        );
    }

    #[test]
    fn names_that_break_a_rule_are_refused() {
        assert!(matches!(Key::new(""), Err(KeyError::Empty)));
        assert!(matches!(
            Key::new(&"x".repeat(129)),
            Err(KeyError::TooLong { bytes: 129 })
        ));
        assert!(matches!(
            Key::new("a/b"),
            Err(KeyError::Character {
                character: '/',
                at: 1
            })
        ));
        assert!(matches!(
            Key::new("a\0"),
            Err(KeyError::Character {
                character: '\0',
                at: 1
            })
        ));
        assert!(matches!(Key::new("a\nb"), Err(KeyError::Character { .. })));
        for name in [
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{e0041}b",
            "a\u{9b}b",
        ] {
            let error = Key::new(name).unwrap_err();
            assert!(
                matches!(error, KeyError::Character { at: 1, .. }),
                "{error}"
            );
            let code = u32::from(name.chars().nth(1).unwrap());
            let text = error.to_string();
            assert!(text.contains(&format!("U+{code:04X} at byte 1")), "{text}");
            assert!(!text.contains(is_hidden), "{text:?}");
        }
        for name in ["qt:x", "qt-posix:x", "systemv:/path", "a1+.-:"] {
            assert!(matches!(
                Key::new(name),
                Err(KeyError::Scheme { .. } | KeyError::Character { .. })
            ));
        }
    }
}
