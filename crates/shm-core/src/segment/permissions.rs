//! Who may open a segment.

use crate::sys::FileStat;

/// Who may open a segment, as its file says.
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
    /// The id of the group that the bits for the group are about.
    pub group: u32,
}

/// Whom the mode of a segment lets in, beside root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone.
    Owner,
    /// The members of its group too.
    Group,
    /// Every user. Where the mode leaves out the group, not the members of that.
    Everybody,
}

impl Permissions {
    pub(crate) fn of(stat: &FileStat) -> Self {
        Self {
            mode: stat.mode,
            group: stat.group,
        }
    }

    /// Tells whom the mode lets in. A bit to write counts too: whoever can write a segment needs no
    /// other to learn what is in it, and can do worse.
    #[must_use]
    pub fn readers(self) -> Readers {
        const OTHERS: u32 = 0o006;
        const GROUP: u32 = 0o060;
        if self.mode & OTHERS != 0 {
            Readers::Everybody
        } else if self.mode & GROUP != 0 {
            Readers::Group
        } else {
            Readers::Owner
        }
    }

    /// Returns `true` if anybody but its owner may change or destroy it.
    #[must_use]
    pub fn others_may_write(self) -> bool {
        self.mode & 0o022 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_for_others_are_told_before_those_for_the_group() {
        let readers = |mode| Permissions { mode, group: 0 }.readers();
        for mode in [0o600, 0o700, 0o400, 0o611] {
            assert_eq!(readers(mode), Readers::Owner, "{mode:o}");
        }
        for mode in [0o640, 0o660, 0o620, 0o2640] {
            assert_eq!(readers(mode), Readers::Group, "{mode:o}");
        }
        for mode in [0o644, 0o604, 0o666, 0o602] {
            assert_eq!(readers(mode), Readers::Everybody, "{mode:o}");
        }
        let can_write = |mode| Permissions { mode, group: 0 }.others_may_write();
        assert!(can_write(0o620) && can_write(0o602) && !can_write(0o644));
    }
}
