//! A file system in memory that is soon full, as /dev/shm is in containers.

use std::{path::Path, process::Command};

use crate::{PrivateDir, skip};

/// A tmpfs of a few kilobytes, unmounted on drop.
#[derive(Debug)]
pub struct SmallDisk {
    directory: PrivateDir,
}

impl SmallDisk {
    /// Mounts one; where that is not allowed, says that the test is skipped and returns nothing.
    #[must_use]
    pub fn mount(kilobytes: u32) -> Option<SmallDisk> {
        SmallDisk::mount_as("tmpfs", &format!("size={kilobytes}k,mode=700"))
    }

    /// Mounts a ramfs, which is never full and cannot reserve memory; or skips.
    #[must_use]
    pub fn mount_ramfs() -> Option<SmallDisk> {
        SmallDisk::mount_as("ramfs", "mode=700")
    }

    fn mount_as(kind: &str, options: &str) -> Option<SmallDisk> {
        let directory = PrivateDir::on_disk();
        let mounted = Command::new("mount")
            .args(["-t", kind, "-o", options, kind])
            .arg(directory.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk { directory }),
            _ => {
                skip(&format!(
                    "a {kind} of a test's own cannot be mounted: that needs root"
                ));
                None
            }
        }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that a program that a failed test left behind does not keep it mounted.
        let unmounted = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.path().display());
        }
    }
}
