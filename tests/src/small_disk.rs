//! A small file system in memory, like /dev/shm in containers.

use std::{path::Path, process::Command};

use crate::{PrivateDir, skip};

/// A tmpfs of a few kilobytes, unmounted on drop.
#[derive(Debug)]
pub struct SmallDisk {
    directory: PrivateDir,
}

impl SmallDisk {
    /// Mounts a tmpfs. Returns `None` and reports the test as skipped if that is not permitted.
    #[must_use]
    pub fn mount(kilobytes: u32) -> Option<SmallDisk> {
        SmallDisk::mount_as("tmpfs", &format!("size={kilobytes}k,mode=700"))
    }

    /// Mounts a ramfs, which is never full and cannot reserve memory; or skips.
    #[must_use]
    pub fn mount_ramfs() -> Option<SmallDisk> {
        SmallDisk::mount_as("ramfs", "mode=700")
    }

    /// Mounts an ext2 with blocks of 1 KiB, whose file size is limited; or skips.
    #[must_use]
    pub fn mount_ext2() -> Option<SmallDisk> {
        let files = PrivateDir::on_disk();
        let image = files.path().join("image");
        let made = Command::new("mkfs.ext2")
            .args(["-q", "-b", "1024"])
            .arg(&image)
            .arg("4m")
            .output();
        if !made.is_ok_and(|output| output.status.success()) {
            skip("there is no mkfs.ext2");
            return None;
        }
        // The mount keeps the image after its name is removed.
        SmallDisk::mount_at(&["-t", "ext2", "-o", "loop"], &image)
    }

    fn mount_as(kind: &str, options: &str) -> Option<SmallDisk> {
        SmallDisk::mount_at(&["-t", kind, "-o", options], Path::new(kind))
    }

    fn mount_at(options: &[&str], what: &Path) -> Option<SmallDisk> {
        let directory = PrivateDir::on_disk();
        let mounted = Command::new("mount")
            .args(options)
            .args([what, directory.path()])
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk { directory }),
            _ => {
                skip(&format!(
                    "{} cannot be mounted for a test alone: that needs root",
                    what.display()
                ));
                None
            }
        }
    }

    /// Returns its mount point.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that a program left by a failed test does not keep it mounted.
        let unmounted = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.path().display());
        }
    }
}
