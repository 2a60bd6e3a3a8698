//! The type of the file system of a directory, and whether it supports segments.

use std::fs::File;
use std::path::Path;

use rustix::fs::StatFs;

use super::file::retry;

/// `TMPFS_MAGIC` of the Linux kernel.
const TMPFS: u32 = 0x0102_1994;

/// File systems that hold no regular files, or no long sparse files, by their magic numbers
/// (statfs(2)).
const UNFIT: &[(u32, &str)] = &[
    (0x0000_9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x0000_1cd1, "devpts"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0x6265_6570, "configfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0xcafe_4a11, "bpf"),
    (0x1980_0202, "mqueue"),
    (0x6165_676c, "pstore"),
    (0xde5e_81e4, "efivarfs"),
    (0x0000_0187, "autofs"),
    (0x9584_58f6, "hugetlbfs"),
    (0x0000_4d44, "vfat"),
    (0x2011_bab0, "exfat"),
    (0x0000_9660, "iso9660"),
    (0x7371_7368, "squashfs"),
    (0xe0f5_e1e2, "erofs"),
];

/// Other file systems with well-known names.
const KNOWN: &[(u32, &str)] = &[
    (TMPFS, "tmpfs"),
    (0x8584_58f6, "ramfs"),
    (0x0000_ef53, "ext2, ext3 or ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0x794c_7630, "overlay"),
    (0x0000_6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x6573_5546, "fuse"),
    (0x0102_1997, "9p"),
];

/// Returns `true` if the file lives in memory (tmpfs), so that reading a hole allocates.
pub(crate) fn is_in_memory(file: &File) -> bool {
    retry(|| rustix::fs::fstatfs(file)).is_ok_and(|found| magic(&found) == TMPFS)
}

/// Returns the type of the file system of a directory, if it cannot hold segments.
pub(crate) fn unfit_file_system(directory: &Path) -> Option<String> {
    let found = retry(|| rustix::fs::statfs(directory)).ok()?;
    name_in(UNFIT, magic(&found)).map(str::to_owned)
}

/// Returns the name of the file system of a directory; its magic number if it is not well known.
pub(crate) fn file_system(directory: &Path) -> String {
    let found = retry(|| rustix::fs::statfs(directory)).ok();
    match found.as_ref().map(magic) {
        Some(magic) => name_in(UNFIT, magic)
            .or_else(|| name_in(KNOWN, magic))
            .map_or_else(|| format!("type {magic:#x}"), str::to_owned),
        None => "of an unknown type".into(),
    }
}

fn name_in(table: &[(u32, &'static str)], magic: u32) -> Option<&'static str> {
    let entry = table.iter().find(|(number, _)| *number == magic)?;
    Some(entry.1)
}

/// Returns the low half of the field, whose width depends on the architecture.
#[allow(
    clippy::cast_possible_truncation,
    clippy::unnecessary_cast,
    reason = "magic numbers have 32 bits; the field is signed on some architectures"
)]
fn magic(found: &StatFs) -> u32 {
    found.f_type as u64 as u32
}
