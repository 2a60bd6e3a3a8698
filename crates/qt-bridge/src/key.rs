//! Keys of Qt segments, and the native names that Qt derives from them.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::ownership;

/// The project id that Qt passes to `ftok`.
const PROJECT: u8 = b'Q';

/// The prefixes that Qt gives to segments and semaphores.
pub(crate) const SEGMENT_PREFIX: &str = "qipc_sharedmemory_";
/// The length of the SHA-1 at the end of a legacy name, in hexadecimal digits.
const DIGEST: usize = 40;
const SEMAPHORE_PREFIX: &str = "qipc_systemsem_";

/// The longest file name (`NAME_MAX`), minus the prefix of semaphores.
const MAX_FILE_NAME: usize = 255 - SEMAPHORE_FILE.len();

/// The prefix of the file of a POSIX semaphore.
pub(crate) const SEMAPHORE_FILE: &str = "sem.";

/// The key under which a Qt program finds a segment and its lock.
///
/// | key | meaning |
/// | --- | --- |
/// | `qt:NAME` | `setKey("NAME")`: a legacy key, as a System V segment |
/// | `qt-posix:NAME` | a legacy key, as a POSIX segment (a Qt that was built for them, or asked for one) |
/// | `systemv:/path`, `posix:/name` | a native key, as `QNativeIpcKey::toString` returns it |
///
/// # Examples
///
/// ```
/// use qt_bridge::QtKey;
///
/// let key: QtKey = "qt-posix:MySharedMemory".parse()?;
/// assert_eq!(
///     key.native_name(),
///     "/qipc_sharedmemory_MySharedMemory359614dc2e9ec6b4d6d9e8847d0c47fef28f14df"
/// );
/// # Ok::<(), qt_bridge::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QtKey(Arc<Names>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Names {
    /// As the user writes it.
    text: String,
    segment: NativeName,
    lock: NativeName,
    /// The user id of the segment's owner; `None` for the user of this process.
    owner: Option<u32>,
}

/// The name of a segment or a semaphore in the operating system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NativeName {
    /// A key file, whose inode determines the System V key.
    SystemV { file: PathBuf, project: u8 },
    /// A name, without the leading slash.
    Posix(String),
}

/// The kind of shared memory that a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// System V: the kernel counts the attached processes.
    SystemV,
    /// POSIX: a file in `/dev/shm`.
    PosixRealtime,
}

impl QtKey {
    /// Creates the key of `setKey(name)`, the same in every version of Qt.
    ///
    /// The key file of a System V segment is in `$TMPDIR`, or in `/tmp`, as with Qt.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the name breaks a rule.
    pub fn legacy(name: &str, kind: Kind) -> Result<Self, KeyError> {
        Self::legacy_in(name, kind, &temporary_directory())
    }

    /// Does what [`legacy`](Self::legacy) does, with `directory` instead of `$TMPDIR`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the name breaks a rule.
    pub fn legacy_in(name: &str, kind: Kind, directory: &Path) -> Result<Self, KeyError> {
        let scheme = match kind {
            Kind::SystemV => "qt",
            Kind::PosixRealtime => "qt-posix",
        };
        let native = |prefix| {
            let file = legacy_name(prefix, name)?;
            Ok(match kind {
                Kind::SystemV => NativeName::SystemV {
                    file: directory.join(file),
                    project: PROJECT,
                },
                Kind::PosixRealtime => NativeName::Posix(file),
            })
        };
        Ok(Self(Arc::new(Names {
            text: format!("{scheme}:{name}"),
            segment: native(SEGMENT_PREFIX)?,
            lock: native(SEMAPHORE_PREFIX)?,
            owner: None,
        })))
    }

    /// Returns the same key for the segment of another user, which is read-only.
    ///
    /// Qt creates segments with access for their own user only, so the kernel admits root, and
    /// other users only if the mode was changed. A key without an owner never leads to a segment of
    /// another user, not even for root.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use qt_bridge::QtKey;
    ///
    /// let key: QtKey = "qt:MySharedMemory".parse()?;
    /// let reading = qt_bridge::read(&key.owned_by(1000), None, Duration::from_secs(1))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn owned_by(&self, user: u32) -> Self {
        // `None` for this user, so that equal keys compare equal.
        let owner = (user != ownership::this_user()).then_some(user);
        Self(Arc::new(Names {
            owner,
            ..(*self.0).clone()
        }))
    }

    /// Returns the id of the user whose segment the key names.
    #[must_use]
    pub fn owner(&self) -> u32 {
        self.0.owner.unwrap_or_else(ownership::this_user)
    }

    /// Returns `true` if the segment belongs to the user of this process, and can be written.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.owner() == ownership::this_user()
    }

    /// Returns `true` if a text begins with the scheme of such a key.
    #[must_use]
    pub fn is_written_so(text: &str) -> bool {
        split(text).is_some()
    }

    /// Returns the kind of the segment: System V or POSIX.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.segment() {
            NativeName::SystemV { .. } => Kind::SystemV,
            NativeName::Posix(_) => Kind::PosixRealtime,
        }
    }

    /// Returns the key as the user writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Returns what `QSharedMemory::nativeKey` returns: the path of a key file, or a name with a
    /// leading slash.
    #[must_use]
    pub fn native_name(&self) -> String {
        self.segment().to_string()
    }

    /// Returns the native name of the segment's lock: what `QSystemSemaphore` derives from the same
    /// key.
    #[must_use]
    pub fn native_lock_name(&self) -> String {
        self.lock().to_string()
    }

    pub(crate) fn segment(&self) -> &NativeName {
        &self.0.segment
    }

    pub(crate) fn lock(&self) -> &NativeName {
        &self.0.lock
    }

    fn native(scheme: Scheme, text: &str, rest: &str) -> Result<Self, KeyError> {
        if rest.contains('#') {
            return Err(KeyError::Reserved);
        }
        let (path, legacy) = match rest.split_once('?') {
            None => (rest, None),
            Some((path, query)) => match query.strip_prefix("legacyKey=") {
                Some(name) => (path, Some(decoded(name)?)),
                None => return Err(KeyError::Reserved),
            },
        };
        let path = checked(decoded(path)?)?;
        let (segment, kind) = match scheme {
            Scheme::SystemV(project) => {
                if !path.starts_with('/') {
                    return Err(KeyError::Relative { path });
                }
                let file = PathBuf::from(path);
                (NativeName::SystemV { file, project }, Kind::SystemV)
            }
            Scheme::Posix => (NativeName::posix(&path)?, Kind::PosixRealtime),
            Scheme::Legacy(kind) => return Self::legacy(&path, kind),
        };
        let lock = match legacy {
            Some(name) => Self::legacy(&name, kind)?.lock().clone(),
            None => segment.lock(),
        };
        Ok(Self(Arc::new(Names {
            text: text.to_owned(),
            segment,
            lock,
            owner: None,
        })))
    }
}

impl NativeName {
    fn posix(path: &str) -> Result<Self, KeyError> {
        let name = path.strip_prefix('/').unwrap_or(path);
        if name.is_empty() || name == "." || name == ".." {
            return Err(KeyError::Empty);
        }
        if let Some(at) = name.find('/') {
            return Err(KeyError::Character { character: '/', at });
        }
        if name.len() > MAX_FILE_NAME {
            return Err(KeyError::TooLong { bytes: name.len() });
        }
        // These files are in the same directory, and would be overwritten.
        let is_taken = ["shm-core.", ".shm-core", "sem."]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if is_taken {
            let name = name.to_owned();
            return Err(KeyError::Taken { name });
        }
        Ok(Self::Posix(name.to_owned()))
    }

    /// Returns the name of the segment's lock: the same name, unless it was derived from a legacy
    /// key.
    fn lock(&self) -> Self {
        let of_legacy = |name: &str| {
            let (letters, digest) = split_legacy(name)?;
            Some(format!("{SEMAPHORE_PREFIX}{letters}{digest}"))
        };
        let named = match self {
            Self::Posix(name) => of_legacy(name).map(Self::Posix),
            Self::SystemV { file, project } => {
                let name = file.file_name().and_then(OsStr::to_str).and_then(of_legacy);
                name.map(|name| Self::SystemV {
                    file: file.with_file_name(name),
                    project: *project,
                })
            }
        };
        named.unwrap_or_else(|| self.clone())
    }
}

impl fmt::Display for NativeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SystemV { file, .. } => file.display().fmt(f),
            Self::Posix(name) => write!(f, "/{name}"),
        }
    }
}

impl fmt::Display for QtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for QtKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match split(text) {
            Some((Scheme::Legacy(kind), name)) => Self::legacy(name, kind),
            Some((scheme, rest)) => Self::native(scheme, text, rest),
            None => Err(KeyError::Scheme),
        }
    }
}

/// The part of a key before the colon.
#[derive(Clone, Copy, Debug)]
enum Scheme {
    Legacy(Kind),
    SystemV(u8),
    Posix,
}

fn split(text: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let scheme = match scheme {
        "qt" => Scheme::Legacy(Kind::SystemV),
        "qt-posix" => Scheme::Legacy(Kind::PosixRealtime),
        "posix" => Scheme::Posix,
        "systemv" => Scheme::SystemV(PROJECT),
        other => {
            let project: u8 = other.strip_prefix("systemv-")?.parse().ok()?;
            (project > 0).then_some(Scheme::SystemV(project))?
        }
    };
    Some((scheme, rest))
}

/// Returns the name that Qt derives from a legacy key: its ASCII letters, then the SHA-1 of the
/// whole key.
pub(crate) fn legacy_name(prefix: &str, name: &str) -> Result<String, KeyError> {
    let name = checked(name.to_owned())?;
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    let digest = sha1_smol::Sha1::from(name.as_bytes()).digest();
    let native = format!("{prefix}{letters}{digest}");
    if native.len() > MAX_FILE_NAME {
        return Err(KeyError::TooLong { bytes: name.len() });
    }
    Ok(native)
}

/// Splits a name that Qt derived from a legacy key into letters and SHA-1; `None` for other names.
pub(crate) fn split_legacy(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix(SEGMENT_PREFIX)?;
    let (letters, digest) = rest.split_at_checked(rest.len().checked_sub(DIGEST)?)?;
    let is_legacy = letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        && digest
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_legacy.then_some((letters, digest))
}

fn checked(name: String) -> Result<String, KeyError> {
    if name.is_empty() {
        return Err(KeyError::Empty);
    }
    if name.len() > KeyError::MAX_BYTES {
        return Err(KeyError::TooLong { bytes: name.len() });
    }
    match name.char_indices().find(|(_, other)| other.is_control()) {
        Some((at, character)) => Err(KeyError::Character { character, at }),
        None => Ok(name),
    }
}

/// Decodes the percent-encoding of `QNativeIpcKey::toString`.
fn decoded(text: &str) -> Result<String, KeyError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *byte == b'%' => hexadecimal(*high, *low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Returns the directory of Qt's key files.
pub(crate) fn temporary_directory() -> PathBuf {
    let set = env::var_os("TMPDIR").filter(|path| !path.is_empty());
    set.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

/// Why a text is not a [`QtKey`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing follows the colon.
    #[error("key is empty")]
    Empty,
    /// The file name would be too long.
    #[error("key is {bytes} bytes long, too long for the system")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The name contains a character that is not allowed.
    #[error("key has the character U+{:04X} at byte {at}", u32::from(*character))]
    Character {
        /// The character.
        character: char,
        /// Its offset in bytes.
        at: usize,
    },
    /// The path of a key file is not absolute.
    #[error("\"{path}\" is not an absolute path")]
    Relative {
        /// The path.
        path: String,
    },
    /// The key contains a character that Qt reserves.
    #[error("key has a reserved \"?\" or \"#\"")]
    Reserved,
    /// The name is reserved for segments of shm-core or for POSIX semaphores.
    #[error("\"{name}\" is the name of a file of shm-core or of a semaphore")]
    Taken {
        /// The name.
        name: String,
    },
    /// The percent-encoded bytes are not UTF-8.
    #[error("key is not UTF-8 after percent-decoding")]
    NotUtf8,
    /// It does not begin with the scheme of a Qt key.
    #[error("key does not begin with qt:, qt-posix:, systemv: or posix:")]
    Scheme,
}

impl KeyError {
    /// The longest key, bytes.
    pub const MAX_BYTES: usize = 1024;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> QtKey {
        text.parse().expect("it is a key")
    }

    #[test]
    fn legacy_keys_have_the_names_that_qt_derives() {
        let system_v =
            QtKey::legacy_in("MySharedMemory", Kind::SystemV, Path::new("/tmp")).unwrap();
        let hash = "359614dc2e9ec6b4d6d9e8847d0c47fef28f14df";
        assert_eq!(
            system_v.native_name(),
            format!("/tmp/qipc_sharedmemory_MySharedMemory{hash}")
        );
        assert_eq!(
            system_v.native_lock_name(),
            format!("/tmp/qipc_systemsem_MySharedMemory{hash}")
        );
        assert_eq!(system_v.as_str(), "qt:MySharedMemory");
        assert_eq!(
            key("qt-posix:QSharedMemoryExample").native_name(),
            "/qipc_sharedmemory_QSharedMemoryExampleff77196351dd7c1c8f79461ad32f21726fe31f5b"
        );
        // The name keeps ASCII letters only; the hash covers the whole key.
        assert_eq!(
            key("qt-posix:a-1é").native_name(),
            "/qipc_sharedmemory_a904ee072dc9ed59781f0ecdd4119baa662e2be11"
        );
    }

    #[test]
    fn native_keys_are_used_unchanged_and_name_the_lock_too() {
        let system_v = key("systemv:/run/user/a%20b");
        assert_eq!(system_v.native_name(), "/run/user/a b");
        assert_eq!(system_v.native_lock_name(), "/run/user/a b");
        assert_eq!(system_v.kind(), Kind::SystemV);
        assert_eq!(key("posix:/name").native_name(), "/name");
        assert_eq!(key("posix:/name").kind(), Kind::PosixRealtime);
        assert!(matches!(
            key("systemv-82:/x").segment(),
            NativeName::SystemV { project: 82, .. }
        ));
        let both = key("posix:/own?legacyKey=MySharedMemory");
        assert_eq!(both.native_name(), "/own");
        assert!(both.native_lock_name().starts_with("/qipc_systemsem_My"));
    }

    #[test]
    fn invalid_keys_are_refused() {
        for text in [
            "qt:",
            "qt:a\nb",
            "systemv:x",
            "systemv:",
            "posix:",
            "posix:/",
            "posix:/a/b",
            "posix:/shm-core.0.K",
            "posix:/.shm-core.0.0123456789abcdef.tmp",
            "posix:/sem.lock",
            "posix:/..",
            "systemv:/a?b=c",
            "systemv:/a#b",
            "posix:/%ff",
            "systemv-0:/x",
            "systemv-256:/x",
            "other:x",
            "MySharedMemory",
        ] {
            let error = text.parse::<QtKey>().expect_err(text);
            assert!(!error.to_string().ends_with('.'), "{text}: {error}");
        }
        let long = format!("qt:{}", "x".repeat(194));
        assert!(matches!(
            long.parse::<QtKey>(),
            Err(KeyError::TooLong { .. })
        ));
        assert!(
            format!("qt-posix:{}", "x".repeat(193))
                .parse::<QtKey>()
                .is_ok()
        );
        let digits = format!("qt:{}", "1".repeat(1024));
        assert!(
            digits.parse::<QtKey>().is_ok(),
            "the name has no digits of the key"
        );
    }
}
