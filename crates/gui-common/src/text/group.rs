//! A group of users, by name or number.

use std::error::Error;
use std::fmt;
use std::fs;
use std::str::FromStr;
use std::sync::OnceLock;

/// Where names stand beside their numbers. Groups from elsewhere, such as a directory service, are
/// named by number.
const FILE: &str = "/etc/group";

/// A group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group(u32);

impl Group {
    /// Takes a number for a group.
    pub fn of(id: u32) -> Group {
        Group(id)
    }

    /// Returns the group id.
    pub fn id(self) -> u32 {
        self.0
    }

    fn parse(text: &str, groups: &str) -> Result<Group, GroupError> {
        let id = match text.parse() {
            Ok(id) => Some(id),
            Err(_) => entries(groups)
                .find(|(name, _)| *name == text)
                .map(|(_, id)| id),
        };
        // The highest number is none: to the system it means that there is no such group.
        id.filter(|id| *id != u32::MAX).map(Group).ok_or(GroupError)
    }

    fn name(self, groups: &str) -> String {
        let mut entries = entries(groups);
        let found = entries.find(|(name, id)| *id == self.0 && is_readable(name));
        found.map_or_else(|| self.0.to_string(), |(name, _)| name.to_owned())
    }
}

/// Names and numbers in the lines of a group file: name, password, group id, members.
fn entries(groups: &str) -> impl Iterator<Item = (&str, u32)> {
    groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some((name, fields.nth(1)?.parse().ok()?))
    })
}

/// Returns `true` if a name may be shown on a terminal.
fn is_readable(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_control)
}

/// The lines of the group file. They are read once, because a window draws from them.
fn groups() -> &'static str {
    static GROUPS: OnceLock<String> = OnceLock::new();
    GROUPS.get_or_init(|| {
        // Where it cannot be read, numbers are still understood.
        let groups = fs::read(FILE).unwrap_or_default();
        String::from_utf8_lossy(&groups).into_owned()
    })
}

/// Reads the names of groups, so that a window that says one later need not wait for a file.
pub fn read_names() {
    groups();
}

impl FromStr for Group {
    type Err = GroupError;

    fn from_str(text: &str) -> Result<Group, GroupError> {
        Group::parse(text, groups())
    }
}

/// Its name; its number where it has none.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name(groups()))
    }
}

/// There is no such group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupError;

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "There is no such group in {FILE}. The command id lists your groups; a group id is accepted"
        )
    }
}

impl Error for GroupError {}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "root:x:0:\nvideo:x:44:anna,camera\nbroken:x\nodd:x:many:\n\u{1b}[2J:x:45:\n\
                          users:x:100:\n";

    #[test]
    fn group_names_and_ids_are_parsed() {
        for (text, id, shown) in [
            ("video", 44, "video"),
            ("44", 44, "video"),
            ("0", 0, "root"),
            ("4242", 4242, "4242"),
            ("45", 45, "45"),
        ] {
            let group = Group::parse(text, GROUPS).expect("there is such a group");
            assert_eq!((group.id(), group.name(GROUPS).as_str()), (id, shown));
        }
        for text in [
            "",
            "vid",
            "x",
            "broken",
            "odd",
            "-1",
            "4294967295",
            "4294967296",
        ] {
            assert_eq!(Group::parse(text, GROUPS), Err(GroupError), "{text}");
        }
    }
}
