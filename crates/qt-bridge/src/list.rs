//! Listing the Qt segments of a user.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::handle::SHM;
use crate::key::{Kind, QtKey, SEGMENT_PREFIX, legacy_name, split_legacy, temporary_directory};
use crate::memory::Memory;
use crate::ownership;
use crate::user::{self, SharedObject, User};

/// A Qt segment in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key; a native one if the legacy key cannot be derived from the name.
    pub key: QtKey,
    /// Its length in bytes.
    pub size: usize,
    /// How many times it is attached; `None` for POSIX, which does not count.
    pub attached: Option<u64>,
    /// The other processes that are seen to use it.
    pub users: Vec<User>,
}

/// Lists this user's Qt segments, as far as their names identify them.
///
/// These are the segments with legacy keys: System V ones with key files in `$TMPDIR` or `/tmp`,
/// and POSIX ones in `/dev/shm`. A native key can be any name, so nothing identifies its segment as
/// Qt's; and the System V key of a segment does not reveal the path of its key file.
///
/// Scans `/proc` once to find the users of all segments, and not at all if there is no segment.
#[must_use]
pub fn list() -> Vec<Listed> {
    list_of(ownership::this_user())
}

/// Lists the Qt segments of a user, as far as this user has access to them.
#[must_use]
pub fn list_of(owner: u32) -> Vec<Listed> {
    let directories: BTreeSet<PathBuf> = [temporary_directory(), "/tmp".into()].into();
    let system_v = directories
        .iter()
        .flat_map(|directory| names(directory, Kind::SystemV, owner));
    let keys = system_v.chain(names(Path::new(SHM), Kind::PosixRealtime, owner));
    let found = keys.filter_map(|key| {
        let key = key.ok()?.owned_by(owner);
        let stat = Memory::find(&key).ok()?;
        let object = stat.object?;
        let listed = Listed {
            key,
            size: stat.size,
            attached: stat.attached,
            users: Vec::new(),
        };
        Some((listed, object))
    });
    let (mut listed, objects): (Vec<Listed>, Vec<SharedObject>) = found.unzip();
    for (listed, users) in listed.iter_mut().zip(user::of_each(&objects)) {
        listed.users = users;
    }
    listed
}

type Parsed = Result<QtKey, crate::key::KeyError>;

/// Returns the keys of a user's files whose names Qt derived. The directory may contain many other
/// files.
fn names(directory: &Path, kind: Kind, owner: u32) -> Vec<Parsed> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            split_legacy(&name)?;
            let stat = entry.metadata().ok()?;
            ownership::check_file(&entry.path(), &stat, owner).ok()?;
            Some(name)
        })
        .collect();
    names.sort();
    names
        .iter()
        .map(|name| key_of(directory, name, kind))
        .collect()
}

/// Returns the legacy key if it consists of letters only and leads to this directory; else the
/// native one.
fn key_of(directory: &Path, name: &str, kind: Kind) -> Parsed {
    let letters = split_legacy(name).map(|(letters, _)| letters);
    let is_where_qt_looks = kind == Kind::PosixRealtime || directory == temporary_directory();
    if let Some(letters) = letters
        && is_where_qt_looks
        && legacy_name(SEGMENT_PREFIX, letters).is_ok_and(|native| native == name)
    {
        return QtKey::legacy(letters, kind);
    }
    let scheme = match kind {
        Kind::SystemV => format!("systemv:{}/", directory.display()),
        Kind::PosixRealtime => "posix:/".to_owned(),
    };
    format!("{scheme}{name}").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_key_parses_to_the_key_of_the_same_file() {
        let name = legacy_name(SEGMENT_PREFIX, "MySharedMemory").unwrap();
        let key_in = |directory: &Path| {
            let key = key_of(directory, &name, Kind::SystemV).unwrap();
            let again: QtKey = key.as_str().parse().unwrap();
            assert_eq!(again, key);
            assert_eq!(Path::new(&key.native_name()).parent(), Some(directory));
            key
        };
        let ours = key_in(&temporary_directory());
        assert_eq!(ours.as_str(), "qt:MySharedMemory");
        // That is its legacy key in a program with another $TMPDIR; here the same key leads
        // elsewhere.
        let theirs = key_in(Path::new("/elsewhere"));
        assert!(theirs.as_str().starts_with("systemv:/elsewhere/qipc_"));
        assert_eq!(
            Path::new(&theirs.native_lock_name()).file_name(),
            Path::new(&ours.native_lock_name()).file_name()
        );
    }
}
