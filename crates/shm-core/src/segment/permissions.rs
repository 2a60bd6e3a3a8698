//! The permissions of a segment.

use crate::sys::FileStat;

/// The mode and group of a segment's file.
///
/// # Examples
///
/// ```
/// use shm_core::segment::{Permissions, Readers};
///
/// let permissions = Permissions { mode: 0o640, group: 44 };
/// assert_eq!(permissions.readers(), Readers::Group);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The permission bits.
    pub mode: u32,
    /// The id of the group.
    pub group: u32,
}

/// The users that the mode of a segment admits, beside root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Only its owner.
    Owner,
    /// Also the members of its group.
    Group,
    /// Every user; but not the members of the group if the mode excludes the group.
    AllUsers,
}

impl Permissions {
    pub(crate) fn of(stat: &FileStat) -> Self {
        Self {
            mode: stat.mode,
            group: stat.group,
        }
    }

    /// Returns which users the mode admits. Write bits count as well: a process that can write a
    /// segment can also make it reveal its content.
    #[must_use]
    pub fn readers(self) -> Readers {
        const OTHERS: u32 = 0o006;
        const GROUP: u32 = 0o060;
        if self.mode & OTHERS != 0 {
            Readers::AllUsers
        } else if self.mode & GROUP != 0 {
            Readers::Group
        } else {
            Readers::Owner
        }
    }

    /// Returns `true` if a user other than its owner may change or destroy it.
    #[must_use]
    pub fn others_may_write(self) -> bool {
        self.mode & 0o022 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_other_users_take_precedence_over_those_of_the_group() {
        let readers = |mode| Permissions { mode, group: 0 }.readers();
        for mode in [0o600, 0o700, 0o400, 0o611] {
            assert_eq!(readers(mode), Readers::Owner, "{mode:o}");
        }
        for mode in [0o640, 0o660, 0o620, 0o2640] {
            assert_eq!(readers(mode), Readers::Group, "{mode:o}");
        }
        for mode in [0o644, 0o604, 0o666, 0o602] {
            assert_eq!(readers(mode), Readers::AllUsers, "{mode:o}");
        }
        let can_write = |mode| Permissions { mode, group: 0 }.others_may_write();
        assert!(can_write(0o620) && can_write(0o602) && !can_write(0o644));
    }
}
