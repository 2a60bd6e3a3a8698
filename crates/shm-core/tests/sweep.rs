//! Files that `list` removes, and files that only look like them.

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use common::TestDirectory;
use shm_core::{Options, presence, segment};

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Encodes a control area with a head as LAYOUT.md specifies it.
fn head() -> Vec<u8> {
    let mut bytes = vec![0; 0x7000];
    bytes[..8].copy_from_slice(b"SHM-CORE");
    bytes[8..12].copy_from_slice(&1_u32.to_le_bytes());
    bytes[12..16].copy_from_slice(&128_u32.to_le_bytes());
    bytes[20..24].copy_from_slice(&2_u32.to_le_bytes());
    bytes
}

/// Returns the files of a directory with their content.
fn content(directory: &TestDirectory) -> Vec<(String, Option<Vec<u8>>)> {
    let names = directory.names().into_iter();
    let content = |name: &String| fs::read(directory.path().join(name)).ok();
    names.map(|name| (name.clone(), content(&name))).collect()
}

#[test]
fn files_with_names_similar_to_drafts_are_left_alone() {
    let directory = TestDirectory::new();
    let uid = uid();
    let at = |name: &str| directory.path().join(name);
    let wrong_names = [
        format!(".shm-core.{uid}.notes.swp"),
        format!(".shm-core.{uid}.shm-core.{uid}.K.aBcD12"), // rsync
        format!(".shm-core.{uid}.K.Xy12Zq"),
        format!(".shm-core.{uid}.K.tmp"),
        format!(".shm-core.{uid}."),
        format!(".shm-core.{uid}..tmp"),
        format!(".shm-core.{uid}.tmp"),
        format!(".shm-core.{uid}.0123456789abcde.tmp"),
        format!(".shm-core.{uid}.0123456789abcdef0.tmp"),
        format!(".shm-core.{uid}.0123456789ABCDEF.tmp"),
        format!(".shm-core.{uid}.0123456789abcdeg.tmp"),
        format!(".shm-core.{uid}.+123456789abcdef.tmp"),
        format!(".shm-core.{uid}.0x23456789abcdef.tmp"),
        format!(".shm-core.{uid}. 123456789abcdef.tmp"),
        format!(".shm-core.{uid}.0123456789abcdef"),
        format!(".shm-core.{uid}.0123456789abcdef.TMP"),
        format!(".shm-core.{uid}.0123456789abcdef.tmp~"),
        format!(".shm-core.{uid}.0123456789abcdef.tmp.tmp"),
        format!(".shm-core.{uid}.0123456789abcdef.new"),
        format!(".shm-core.0{uid}.0123456789abcdef.tmp"),
        format!(".shm-core.{}.0123456789abcdef.tmp", uid + 1),
        format!(".shm-core.{uid}.K.0123456789abcdef.tmp"),
        format!(" .shm-core.{uid}.0123456789abcdef.tmp"),
        format!(".shm-core.{uid}\u{2024}0123456789abcdef.tmp"),
    ];
    for name in &wrong_names {
        // Not even if the content is that of a stale segment.
        fs::write(at(name), head()).unwrap();
    }
    let number = |number: u64| format!(".shm-core.{uid}.{number:016x}.tmp");
    let wrong_contents: [&[u8]; 8] = [
        b"",
        b"half-made",
        b"SHM-CORE",
        b"SHM-CORD\x01\0\0\0\x80\0\0\0\0\0\0\0\x02\0\0\0and so on, long enough to have a head",
        &[0; 0x7000],
        &[0; 56],
        &[0xff; 4096],
        &head()[..55],
    ];
    for (index, bytes) in wrong_contents.iter().enumerate() {
        fs::write(at(&number(index as u64)), bytes).unwrap();
    }
    let mut slots = head();
    slots[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(at(&number(0x100)), slots).unwrap();
    symlink(at(&number(0x100)), at(&number(0x101))).unwrap();
    fs::create_dir(at(&number(0x102))).unwrap();
    drop(UnixListener::bind(at(&number(0x103))).unwrap());
    // Marked as a draft, with the content of another file.
    fs::write(at(&number(0x104)), "a letter").unwrap();
    fs::set_permissions(at(&number(0x104)), fs::Permissions::from_mode(0o1600)).unwrap();

    let before = content(&directory);
    assert!(before.len() > 35, "{}", before.len());
    let listed = segment::list(&directory.options()).unwrap();
    assert!(listed.iter().all(|one| one.segment.is_err()), "{listed:?}");
    assert_eq!(content(&directory), before);
}

#[test]
fn drafts_of_dead_processes_are_removed() {
    let directory = TestDirectory::new();
    let at = |number: u64| {
        directory
            .path()
            .join(format!(".shm-core.{}.{number:016x}.tmp", uid()))
    };
    fs::write(at(1), head()).unwrap();
    // Its creator died before it wrote the head.
    fs::write(at(2), "").unwrap();
    fs::set_permissions(at(2), fs::Permissions::from_mode(0o1600)).unwrap();
    let mut removed = head();
    removed[16..20].copy_from_slice(&2_u32.to_le_bytes());
    fs::write(at(3), removed).unwrap();
    let mut persistent = head();
    persistent[16..20].copy_from_slice(&1_u32.to_le_bytes());
    fs::write(at(4), persistent).unwrap();
    // Of a live process: a slot is held.
    fs::write(at(5), head()).unwrap();
    let living = fs::File::options()
        .read(true)
        .write(true)
        .open(at(5))
        .unwrap();
    common::lock_byte_outside_the_library(&living, (1 << 60) + 0x1_0000);
    fs::write(at(6), "").unwrap();
    fs::set_permissions(at(6), fs::Permissions::from_mode(0o1600)).unwrap();
    let beginning = fs::File::options()
        .read(true)
        .write(true)
        .open(at(6))
        .unwrap();
    common::lock_byte_outside_the_library(&beginning, (1 << 60) + 0x1_0000);

    assert!(segment::list(&directory.options()).unwrap().is_empty());
    let left: Vec<PathBuf> = directory
        .names()
        .iter()
        .map(|name| directory.path().join(name))
        .collect();
    assert_eq!(left, [at(5), at(6)]);
    drop((living, beginning));
    assert!(segment::list(&directory.options()).unwrap().is_empty());
    assert!(directory.names().is_empty());
}

#[test]
fn files_with_names_similar_to_sockets_are_left_alone() {
    let directory = TestDirectory::new();
    let at = |name: &str| directory.path().join(name);
    let (id, random) = ("0123456789abcdef0123456789abcdef", "0123456789abcdef");
    let sockets = [
        ".shm-core-presence.".to_owned(),
        format!(".shm-core-presence.{id}"),
        format!(".shm-core-presence.{id}."),
        format!(".shm-core-presence.{id}.{random}.old"),
        format!(".shm-core-presence.{id}.{random}.new.new"),
        format!(".shm-core-presence.{id}.{random}0"),
        format!(".shm-core-presence.{id}0.{random}"),
        format!(".shm-core-presence.{}.{random}", id.to_uppercase()),
        format!(".shm-core-presence.{}.{random}", &id[1..]),
        format!(".shm-core-presence.{id}.{}", &random[1..]),
        format!(".shm-core-presence.{random}.{id}"),
        format!("shm-core-presence-{id}.{random}"),
        format!("shm-core-presence.{id}.{random}"),
    ];
    for name in &sockets {
        drop(UnixListener::bind(at(name)).unwrap());
    }
    let dead = format!(".shm-core-presence.{id}.{random}");
    fs::write(at(&dead), "no socket").unwrap();
    symlink(at(&sockets[0]), at(&format!("{dead}.new"))).unwrap();
    let before = directory.names();
    assert!(list_and_sweep(&directory.options()).is_empty());
    assert_eq!(directory.names(), before);

    for name in [&dead, &format!("{dead}.new")] {
        fs::remove_file(at(name)).unwrap();
        drop(UnixListener::bind(at(name)).unwrap());
    }
    assert!(list_and_sweep(&directory.options()).is_empty());
    assert_eq!(directory.names().len(), sockets.len());
}

/// Lists the segments and removes the sockets of dead publishers.
fn list_and_sweep(options: &Options) -> Vec<segment::Listed> {
    let listed = segment::list(options).expect("the directory can be read");
    presence::sweep(options, &listed);
    listed
}

/// Lists while another thread gives the name of a stale file to a file that must survive, as fast
/// as it can.
fn assert_replacement_survives(name: &str, is_stale: impl Fn(&PathBuf) + Sync) {
    let directory = TestDirectory::new();
    let (at, precious) = (
        directory.path().join(name),
        directory.path().join("precious"),
    );
    fs::write(&precious, "the only copy").expect("there is room");
    let identity = |path: &PathBuf| {
        use std::os::unix::fs::MetadataExt;
        fs::symlink_metadata(path).map(|found| found.ino()).ok()
    };
    let inode = identity(&precious);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let lister = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(list_and_sweep(&directory.options()));
            }
        });
        for _ in 0..3000 {
            is_stale(&at);
            // Exchanged with the precious file and back; if it was removed in time, the file is
            // moved there.
            let _removed = rustix::fs::renameat_with(
                rustix::fs::CWD,
                &precious,
                rustix::fs::CWD,
                &at,
                rustix::fs::RenameFlags::EXCHANGE,
            );
            // Searched by its content, because it may be on its way back.
            let found = (0..1_000_000).find_map(|_| {
                if identity(&precious) == inode {
                    return Some(());
                }
                let names = directory
                    .names()
                    .into_iter()
                    .map(|name| directory.path().join(name));
                let stray = names.into_iter().find(|path| identity(path) == inode)?;
                fs::rename(stray, &precious).ok()
            });
            assert_eq!(found, Some(()), "it is lost");
            assert_eq!(fs::read(&precious).expect("it was found"), b"the only copy");
        }
        over.store(true, Ordering::Relaxed);
        lister.join().expect("no panic");
    });
}

#[test]
fn a_file_that_replaces_a_stale_draft_is_not_removed() {
    let name = format!(".shm-core.{}.0123456789abcdef.tmp", uid());
    assert_replacement_survives(&name, |at| drop(fs::write(at, head())));
}

#[test]
fn a_file_that_replaces_a_stale_segment_is_not_removed() {
    let name = format!("shm-core.{}.stale", uid());
    assert_replacement_survives(&name, |at| drop(fs::write(at, head())));
}

#[test]
fn a_file_that_replaces_a_dead_socket_is_not_removed() {
    let name = ".shm-core-presence.0123456789abcdef0123456789abcdef.0123456789abcdef";
    assert_replacement_survives(name, |at| drop(UnixListener::bind(at)));
}
