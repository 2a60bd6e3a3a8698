//! Finding the processes that have a segment or a semaphore open, in `/proc`.
//!
//! Used in messages and lists, and to decide whether a POSIX segment is in use. Only processes of
//! this user and of the segment's owner are examined, also if this user is root: other processes
//! could claim to use any segment. Processes in other containers are not seen.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use shm_core::escape;

use crate::ownership;

/// A process that has a segment or a semaphore open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its process id.
    pub pid: u32,
    /// Its name.
    pub program: String,
}

impl User {
    /// Returns the process with this id, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        // A name that is not UTF-8 must not make a process invisible.
        let program = fs::read(format!("/proc/{pid}/comm")).ok()?;
        Some(Self {
            pid,
            program: String::from_utf8_lossy(&program).trim_end().to_owned(),
        })
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name is untrusted.
        write!(f, "{} (pid {})", escape::line(&self.program), self.pid)
    }
}

/// Joins users for a message: "a (pid 1), b (pid 2)"; "another program" if there are none.
pub(crate) fn listed(users: &[User]) -> String {
    if users.is_empty() {
        return "another program".to_owned();
    }
    let names: Vec<String> = users.iter().map(User::to_string).collect();
    names.join(", ")
}

/// An object that processes may have open or mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SharedObject {
    /// The System V segment with this id, of a user.
    Segment { number: i32, owner: u32 },
    /// A file of a user.
    File {
        device: u64,
        inode: u64,
        owner: u32,
        path: PathBuf,
    },
}

impl SharedObject {
    /// Returns the file at this path, if there is one.
    pub(crate) fn file(path: &Path) -> Option<Self> {
        let stat = fs::symlink_metadata(path).ok()?;
        Some(Self::File {
            device: stat.dev(),
            inode: stat.ino(),
            owner: stat.uid(),
            path: path.to_owned(),
        })
    }

    /// Returns the file name that its descriptors have; `None` for a segment of System V.
    fn file_name(&self) -> Option<&OsStr> {
        match self {
            Self::Segment { .. } => None,
            Self::File { path, .. } => path.file_name(),
        }
    }

    /// Returns the inode that `/proc` shows for it.
    fn inode(&self) -> u64 {
        match self {
            Self::Segment { number, .. } => number.unsigned_abs().into(),
            Self::File { inode, .. } => *inode,
        }
    }

    /// Returns the user whose processes may have it open.
    fn owner(&self) -> u32 {
        match self {
            Self::Segment { owner, .. } | Self::File { owner, .. } => *owner,
        }
    }

    /// Returns `true` if a mapping of its inode belongs to it, by the path in `/proc`.
    fn is_mapped_at(&self, path: &str) -> bool {
        match self {
            Self::Segment { .. } => path.starts_with("/SYSV"),
            Self::File { path: known, .. } => Path::new(path).parent() == known.parent(),
        }
    }

    /// Returns `true` if an open file of its inode is this object.
    fn is_open_as(&self, found: &fs::Metadata) -> bool {
        matches!(self, Self::File { device, .. } if *device == found.dev())
    }
}

/// Returns the other processes that are attached to a System V segment.
pub(crate) fn of_segment(number: i32, owner: u32) -> Vec<User> {
    of(SharedObject::Segment { number, owner })
}

/// Returns the other processes that have a file open or mapped.
pub(crate) fn of_file(file: &Path) -> Vec<User> {
    SharedObject::file(file).map_or_else(Vec::new, of)
}

fn of(object: SharedObject) -> Vec<User> {
    of_each(&[object]).pop().unwrap_or_default()
}

/// Returns, for each object in order, the other processes that have it open or mapped. Scans each
/// process once, however many objects there are.
pub(crate) fn of_each(objects: &[SharedObject]) -> Vec<Vec<User>> {
    let mut users: Vec<Vec<User>> = vec![Vec::new(); objects.len()];
    if objects.is_empty() {
        return users;
    }
    let mut by_inode: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, object) in objects.iter().enumerate() {
        by_inode.entry(object.inode()).or_default().push(index);
    }
    let names: HashSet<&OsStr> = objects.iter().filter_map(SharedObject::file_name).collect();
    for pid in other_processes(objects) {
        let mut held: BTreeSet<usize> = BTreeSet::new();
        let mut record = |inode: u64, is_it: &dyn Fn(&SharedObject) -> bool| {
            let candidates = by_inode.get(&inode).into_iter().flatten();
            held.extend(candidates.filter(|index| is_it(&objects[**index])));
        };
        for_each_mapping(pid, |inode, path| {
            record(inode, &|object| object.is_mapped_at(path))
        });
        if !names.is_empty() {
            for found in descriptors(pid, &names) {
                record(found.ino(), &|object| object.is_open_as(&found));
            }
        }
        if !held.is_empty()
            && let Some(user) = User::of(pid)
        {
            for index in held {
                users[index].push(user.clone());
            }
        }
    }
    users
}

/// Returns the other processes of this user and of the objects' owners, in order of their ids.
fn other_processes(objects: &[SharedObject]) -> Vec<u32> {
    let mut users: HashSet<u32> = objects.iter().map(SharedObject::owner).collect();
    users.insert(ownership::this_user());
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let is_asked = users.contains(&entry.metadata().ok()?.uid());
        is_asked.then_some(pid)
    });
    let mut pids: Vec<u32> = pids.filter(|pid| *pid != std::process::id()).collect();
    pids.sort_unstable();
    pids
}

/// Calls `pass` with the inode and the path of each mapping of a process.
fn for_each_mapping(pid: u32, mut pass: impl FnMut(u64, &str)) {
    let maps = fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    for line in String::from_utf8_lossy(&maps).lines() {
        // address perms offset device inode path
        let mut fields = line.split_ascii_whitespace().skip(4);
        if let (Some(inode), Some(path)) = (fields.next(), fields.next())
            && let Ok(inode) = inode.parse()
        {
            pass(inode, path);
        }
    }
}

/// Returns the open files of a process that have one of these names. Other files are not accessed:
/// their file system may block.
fn descriptors(pid: u32, names: &HashSet<&OsStr>) -> impl Iterator<Item = fs::Metadata> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok();
    let entries = entries.into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        names.contains(target.file_name()?).then_some(())?;
        fs::metadata(entry.path()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_names_are_escaped() {
        let user = User {
            pid: 7,
            program: "a\u{1b}b".into(),
        };
        assert_eq!(user.to_string(), r"a\u{1b}b (pid 7)");
        assert_eq!(listed(&[]), "another program");
        assert_eq!(
            listed(&[user.clone(), user]),
            r"a\u{1b}b (pid 7), a\u{1b}b (pid 7)"
        );
    }

    #[test]
    fn a_process_name_that_is_not_utf8_is_shown() {
        use std::io::{Read, Write};
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(OsStr::from_bytes(b"odd\xff\xfe"));
        std::os::unix::fs::symlink("/bin/cat", &program).unwrap();
        let mut child = std::process::Command::new(&program)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // It has its name once it responds.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let user = User::of(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(user.unwrap().program, "odd\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_child_that_has_a_file_open_is_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let other = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(of_file(file.path()), []);
        let input = fs::File::open(file.path()).unwrap();
        let mut child = std::process::Command::new("tail")
            .args(["-f", "/dev/null"])
            .stdin(input)
            .spawn()
            .unwrap();
        let users = of_file(file.path());
        let objects = [other.path(), file.path()].map(|path| SharedObject::file(path).unwrap());
        let each = of_each(&objects);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(users.len(), 1);
        assert_eq!(users[0].pid, child.id());
        assert_eq!(each, [vec![], users]);
    }
}
