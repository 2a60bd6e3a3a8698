//! Who has a segment or a semaphore open, as `/proc` tells.
//!
//! For sentences and lists, and for what POSIX does not count. Processes of other users, and those
//! in other containers, are not seen.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that has a segment or a semaphore open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its process id.
    pub pid: u32,
    /// Its name.
    pub program: String,
}

impl User {
    /// The process of this id, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let program = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some(Self {
            pid,
            program: program.trim_end().to_owned(),
        })
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Others chose the name.
        let visible = |other: char| match other.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => other,
        };
        let program: String = self.program.chars().map(visible).collect();
        write!(f, "{program} (pid {})", self.pid)
    }
}

/// Joins users for a sentence: "a (pid 1), b (pid 2)"; "another program" where none is seen.
pub(crate) fn listed(users: &[User]) -> String {
    if users.is_empty() {
        return "another program".to_owned();
    }
    let names: Vec<String> = users.iter().map(User::to_string).collect();
    names.join(", ")
}

/// Who else is attached to a System V segment.
pub(crate) fn of_segment(number: i32) -> Vec<User> {
    let inode = number.to_string();
    others(|pid| {
        is_mapped(pid, |found, path| {
            path.starts_with("/SYSV") && found == inode
        })
    })
}

/// Who else has a file open, or in memory.
pub(crate) fn of_file(file: &Path) -> Vec<User> {
    let Ok(facts) = fs::metadata(file) else {
        return Vec::new();
    };
    let inode = facts.ino().to_string();
    let is_it = |found: &fs::Metadata| (found.dev(), found.ino()) == (facts.dev(), facts.ino());
    others(|pid| {
        is_mapped(pid, |found, path| {
            found == inode && Path::new(path).parent() == file.parent()
        }) || descriptors(pid).any(|found| is_it(&found))
    })
}

fn others(has_it: impl Fn(u32) -> bool) -> Vec<User> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let strangers = pids.filter(|&pid| pid != std::process::id());
    let mut users: Vec<User> = strangers
        .filter(|&pid| has_it(pid))
        .filter_map(User::of)
        .collect();
    users.sort_by_key(|user| user.pid);
    users
}

/// Tells whether a process has something in memory, by its inode and path.
fn is_mapped(pid: u32, is_it: impl Fn(&str, &str) -> bool) -> bool {
    let maps = fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    String::from_utf8_lossy(&maps).lines().any(|line| {
        // address perms offset device inode path
        let mut fields = line.split_ascii_whitespace().skip(4);
        matches!((fields.next(), fields.next()), (Some(inode), Some(path)) if is_it(inode, path))
    })
}

fn descriptors(pid: u32) -> impl Iterator<Item = fs::Metadata> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok();
    let entries = entries.into_iter().flatten().flatten();
    entries.filter_map(|entry| fs::metadata(entry.path()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_a_terminal() {
        let user = User {
            pid: 7,
            program: "a\u{1b}b".into(),
        };
        assert_eq!(user.to_string(), "a\u{fffd}b (pid 7)");
        assert_eq!(listed(&[]), "another program");
        assert_eq!(
            listed(&[user.clone(), user]),
            "a\u{fffd}b (pid 7), a\u{fffd}b (pid 7)"
        );
    }

    #[test]
    fn a_file_that_a_child_has_open_is_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(of_file(file.path()), []);
        let input = fs::File::open(file.path()).unwrap();
        let mut child = std::process::Command::new("tail")
            .args(["-f", "/dev/null"])
            .stdin(input)
            .spawn()
            .unwrap();
        let users = of_file(file.path());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(users.len(), 1);
        assert_eq!(users[0].pid, child.id());
    }
}
