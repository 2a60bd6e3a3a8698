//! The access that other users have to a segment, in words.

use shm_core::segment::{Permissions, Readers};

use crate::text::group::Group;
use crate::tr;

/// Returns which other users may read or change a segment: `other users may read it`. Returns
/// `None` if none may.
pub fn describe(permissions: Permissions) -> Option<String> {
    let mode = mode(permissions);
    let group = Group::of(permissions.group).to_string();
    let can_write = permissions.others_may_write();
    match (permissions.readers(), can_write) {
        (Readers::Owner, _) => None,
        (Readers::Group, false) => Some(tr!("shared-group", group = group, mode = mode)),
        (Readers::Group, true) => Some(tr!("shared-group-write", group = group, mode = mode)),
        (Readers::AllUsers, false) => Some(tr!("shared-others", mode = mode)),
        (Readers::AllUsers, true) => Some(tr!("shared-others-write", mode = mode)),
    }
}

/// Formats the permission bits: `644`.
pub fn mode(permissions: Permissions) -> String {
    format!("{:03o}", permissions.mode & 0o7777)
}
