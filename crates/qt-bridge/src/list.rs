//! Which Qt segments there are, where they can be found.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::handle::SHM;
use crate::key::{Kind, QtKey, SEGMENT_PREFIX, legacy_name, split_legacy, temporary_directory};
use crate::memory::Memory;
use crate::ownership;
use crate::user::{self, Thing, User};

/// A Qt segment that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key; a native one where the legacy key cannot be told from the name.
    pub key: QtKey,
    /// Its length, bytes.
    pub size: usize,
    /// How often it is attached to; only System V counts.
    pub attached: Option<u64>,
    /// Who is seen to use it.
    pub users: Vec<User>,
}

/// Finds this user's Qt segments, as far as their names give them away.
///
/// These are the ones under legacy keys, with key files in `$TMPDIR` or `/tmp`, or in `/dev/shm`. A
/// native key can be any name, so nothing tells that a segment under it is Qt's; and the number of a
/// System V segment does not tell by which path it would be opened.
///
/// Each process is looked at once for its users, and none where there is no segment.
#[must_use]
pub fn list() -> Vec<Listed> {
    list_of(ownership::this_user())
}

/// Finds the Qt segments of a user, as far as this user may look at them.
#[must_use]
pub fn list_of(owner: u32) -> Vec<Listed> {
    let directories: BTreeSet<PathBuf> = [temporary_directory(), "/tmp".into()].into();
    let system_v = directories
        .iter()
        .flat_map(|directory| names(directory, Kind::SystemV, owner));
    let keys = system_v.chain(names(Path::new(SHM), Kind::PosixRealtime, owner));
    let found = keys.filter_map(|key| {
        let key = key.ok()?.owned_by(owner);
        let facts = Memory::find(&key).ok()?;
        let thing = facts.thing?;
        let listed = Listed {
            key,
            size: facts.size,
            attached: facts.attached,
            users: Vec::new(),
        };
        Some((listed, thing))
    });
    let (mut listed, things): (Vec<Listed>, Vec<Thing>) = found.unzip();
    for (listed, users) in listed.iter_mut().zip(user::of_each(&things)) {
        listed.users = users;
    }
    listed
}

type Parsed = Result<QtKey, crate::key::KeyError>;

/// The keys of those files of a user's that are named as Qt names them; others may lie there too, and
/// be many.
fn names(directory: &Path, kind: Kind, owner: u32) -> Vec<Parsed> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            split_legacy(&name)?;
            let facts = entry.metadata().ok()?;
            ownership::check_file(&entry.path(), &facts, owner).ok()?;
            Some(name)
        })
        .collect();
    names.sort();
    names
        .iter()
        .map(|name| key_of(directory, name, kind))
        .collect()
}

/// The legacy key, where it consists of letters only and means this directory; else the native one.
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
    fn the_key_of_a_file_opens_it_when_it_is_written_again() {
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
        // A program with another $TMPDIR calls it so; under that key we would look elsewhere.
        let theirs = key_in(Path::new("/elsewhere"));
        assert!(theirs.as_str().starts_with("systemv:/elsewhere/qipc_"));
        assert_eq!(
            Path::new(&theirs.native_lock_name()).file_name(),
            Path::new(&ours.native_lock_name()).file_name()
        );
    }
}
