//! Which Qt segments there are, where they can be found.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::handle::SHM;
use crate::key::{Kind, QtKey, SEGMENT_PREFIX, legacy_name, temporary_directory};
use crate::memory::Memory;
use crate::user::User;

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
/// native key can be any name, so nothing tells that a segment under it is Qt's.
#[must_use]
pub fn list() -> Vec<Listed> {
    let directories: BTreeSet<PathBuf> = [temporary_directory(), "/tmp".into()].into();
    let system_v = directories
        .iter()
        .flat_map(|directory| names(directory, Kind::SystemV));
    let keys = system_v.chain(names(Path::new(SHM), Kind::PosixRealtime));
    keys.filter_map(|key| look(key.ok()?)).collect()
}

type Parsed = Result<QtKey, crate::key::KeyError>;

fn names(directory: &Path, kind: Kind) -> Vec<Parsed> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with(SEGMENT_PREFIX))
        .collect();
    names.sort();
    names
        .iter()
        .map(|name| key_of(directory, name, kind))
        .collect()
}

/// The legacy key, where it consists of letters only; else the native one.
fn key_of(directory: &Path, name: &str, kind: Kind) -> Parsed {
    const DIGEST: usize = 40;
    let rest = &name[SEGMENT_PREFIX.len()..];
    let letters = rest
        .len()
        .checked_sub(DIGEST)
        .and_then(|end| rest.get(..end));
    if let Some(letters) = letters
        && legacy_name(SEGMENT_PREFIX, letters).is_ok_and(|native| native == name)
    {
        return QtKey::legacy_in(letters, kind, directory);
    }
    let scheme = match kind {
        Kind::SystemV => format!("systemv:{}/", directory.display()),
        Kind::PosixRealtime => "posix:/".to_owned(),
    };
    format!("{scheme}{name}").parse()
}

fn look(key: QtKey) -> Option<Listed> {
    let memory = Memory::find(&key).ok()?;
    Some(Listed {
        size: memory.size,
        attached: memory.attached,
        users: Memory::users_of(&key),
        key,
    })
}
