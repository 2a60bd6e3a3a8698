//! Who beside its owner may read a segment, in words.

use shm_core::segment::{Permissions, Readers};

use crate::text::group::Group;
use crate::tr;

/// Says who beside its owner may read a segment, or even change it: `other users may read it`.
/// `None` where nobody else may.
pub fn describe(permissions: Permissions) -> Option<String> {
    let mode = mode(permissions);
    let group = Group::of(permissions.group).to_string();
    let can_write = permissions.others_may_write();
    match (permissions.readers(), can_write) {
        (Readers::Owner, _) => None,
        (Readers::Group, false) => Some(tr!("shared-group", group = group, mode = mode)),
        (Readers::Group, true) => Some(tr!("shared-group-write", group = group, mode = mode)),
        (Readers::Everybody, false) => Some(tr!("shared-others", mode = mode)),
        (Readers::Everybody, true) => Some(tr!("shared-others-write", mode = mode)),
    }
}

/// Writes the permission bits: `644`.
pub fn mode(permissions: Permissions) -> String {
    format!("{:03o}", permissions.mode & 0o7777)
}
