use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::PathBuf;
use std::thread;

use rustix::fs::{CWD, XattrFlags, getxattr, mkfifoat, setxattr};
use tempfile::TempDir;

use super::*;

/// Another user.
const OTHER: u32 = 65_534;

/// A folder with a file's path in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    (folder, path)
}

fn place_with(content: &str, mode: u32) -> (TempDir, PathBuf) {
    let (folder, path) = place();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

fn save_as(file: SaveFile<'_>, words: &str) -> Result<(), SaveFileError> {
    file.write(|writer| {
        let written = writer.write_all(words.as_bytes());
        written.map_err(|error| SaveFileError::at(file.path(), error))
    })
}

fn save(path: &Path, words: &str) -> Result<(), SaveFileError> {
    save_as(SaveFile::at(path), words)
}

fn refused(path: &Path, words: &str) {
    let error = save(path, "new").unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Creates a file with the name of a draft of `target`.
fn leave_draft(folder: &TempDir, target: &str, digit: char) -> PathBuf {
    let random = digit.to_string().repeat(16);
    let path = folder
        .path()
        .join(draft::prefix_of(target.as_ref()) + &random);
    fs::write(&path, "half").unwrap();
    path
}

#[test]
fn a_file_that_exists_is_kept_unless_it_may_be_replaced() {
    let (folder, path) = place();
    let keep = SaveFile::at(&path).existing(Existing::Keep);
    assert!(!is_taken(&path));
    save_as(keep, "first").unwrap();
    assert!(is_taken(&path));
    let error = save_as(keep, "second").unwrap_err();
    assert!(error.is_taken(), "{error}");
    assert_eq!(read(&path), "first");
    save(&path, "third").unwrap();
    assert_eq!(read(&path), "third");
    assert_eq!(names(&folder), ["file"]);
}

#[test]
fn a_file_created_meanwhile_is_kept() {
    let (folder, path) = place();
    let keep = SaveFile::at(&path).existing(Existing::Keep);
    let error = keep.write(|writer| {
        fs::write(&path, "theirs").unwrap();
        let written = writer.write_all(b"ours");
        written.map_err(|error| SaveFileError::at(&path, error))
    });
    assert!(error.unwrap_err().is_taken());
    assert_eq!(read(&path), "theirs");
    assert_eq!(names(&folder), ["file"]);
}

#[test]
fn an_error_or_a_panic_leaves_no_file() {
    let (folder, path) = place_with("old", 0o600);
    let failed = SaveFile::at(&path).write(|writer| {
        writer.write_all(b"half").unwrap();
        Err(SaveFileError::at(&path, io::ErrorKind::StorageFull.into()))
    });
    assert!(failed.unwrap_err().to_string().contains("Free some space"));
    let path_of_thread = path.clone();
    let died = thread::spawn(move || {
        SaveFile::at(&path_of_thread)
            .write(|_| -> Result<(), SaveFileError> { panic!("on purpose") })
    });
    assert!(died.join().is_err());
    assert_eq!(read(&path), "old");
    assert_eq!(names(&folder), ["file"]);
}

#[test]
fn replacing_keeps_the_permissions_but_not_the_special_bits() {
    for (before, after) in [
        (0o600, 0o600),
        (0o640, 0o640),
        (0o755, 0o755),
        (0o4755, 0o755),
        (0o2775, 0o775),
        (0o1644, 0o644),
        (0o6711, 0o711),
    ] {
        let (_folder, path) = place_with("old", before);
        save(&path, "new").unwrap();
        assert_eq!(mode(&path), after, "{before:o}");
    }
}

#[test]
fn a_new_file_follows_the_umask() {
    let (folder, path) = place();
    save(&path, "new").unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    assert_eq!(mode(&path), mode(&other));
    let private = folder.path().join("private");
    save_as(SaveFile::at(&private).private(), "new").unwrap();
    assert_eq!(mode(&private), 0o600);
}

#[test]
fn no_attributes_are_taken_from_another_users_file() {
    if !is_root() {
        return;
    }
    let (folder, path) = place_with("theirs", 0o600);
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    for before in [0o4755, 0o2777, 0o600, 0o666] {
        chown(&path, Some(OTHER), Some(OTHER)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
        save(&path, "ours").unwrap();
        let facts = fs::metadata(&path).unwrap();
        assert_eq!((facts.uid(), facts.gid()), (0, 0), "{before:o}");
        assert_eq!(mode(&path), mode(&plain), "{before:o}");
    }
}

#[test]
fn replacing_keeps_the_group() {
    if !is_root() {
        return;
    }
    let (_folder, path) = place_with("old", 0o664);
    chown(&path, None, Some(OTHER)).unwrap();
    save(&path, "new").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().gid(), OTHER);
    assert_eq!(mode(&path), 0o664);
}

#[test]
fn an_acl_is_kept_and_a_default_acl_gives_no_access() {
    const ACCESS: &str = "system.posix_acl_access";
    const DEFAULT: &str = "system.posix_acl_default";
    // user::rw-, user:65534:rw-, group::---, mask::rw-, other::---
    let acl = [
        [2, 0, 0, 0].as_slice(),
        &[1, 0, 6, 0, 255, 255, 255, 255],
        &[2, 0, 6, 0, 0xfe, 0xff, 0, 0],
        &[4, 0, 0, 0, 255, 255, 255, 255],
        &[16, 0, 6, 0, 255, 255, 255, 255],
        &[32, 0, 0, 0, 255, 255, 255, 255],
    ]
    .concat();
    let acl_of = |path: &Path| {
        let mut value = [0; 1024];
        let length = getxattr(path, ACCESS, value.as_mut_slice());
        length.map(|length| value[..length].to_vec()).ok()
    };
    let (folder, path) = place_with("old", 0o600);
    if setxattr(&path, ACCESS, &acl, XattrFlags::empty()).is_err() {
        return; // this file system has none
    }
    let kept = acl_of(&path).unwrap();
    save(&path, "new").unwrap();
    assert_eq!(acl_of(&path), Some(kept));

    // Permission bits without an ACL mean another thing than the mask of one.
    let plain = folder.path().join("plain");
    fs::write(&plain, "old").unwrap();
    fs::set_permissions(&plain, Permissions::from_mode(0o640)).unwrap();
    setxattr(folder.path(), DEFAULT, &acl, XattrFlags::empty()).unwrap();
    save(&plain, "new").unwrap();
    assert_eq!(acl_of(&plain), None);
    assert_eq!(mode(&plain), 0o640);
}

#[test]
fn a_link_of_the_user_stays_a_link() {
    let (folder, path) = place_with("old", 0o600);
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let (near, far) = (folder.path().join("near"), inner.join("far"));
    symlink("../file", &far).unwrap();
    symlink("inner/far", &near).unwrap();
    save(&near, "new").unwrap();
    assert_eq!((read(&path).as_str(), mode(&path)), ("new", 0o600));
    let dangling = folder.path().join("dangling");
    symlink("inner/made", &dangling).unwrap();
    save(&dangling, "made").unwrap();
    assert_eq!(read(&inner.join("made")), "made");
    assert!(near.is_symlink() && far.is_symlink() && dangling.is_symlink());
    assert_eq!(names(&folder), ["dangling", "file", "inner", "near"]);

    // A dangling link exists too.
    symlink("nowhere", folder.path().join("nowhere-link")).unwrap();
    let taken = folder.path().join("nowhere-link");
    let error = save_as(SaveFile::at(&taken).existing(Existing::Keep), "").unwrap_err();
    assert!(error.is_taken(), "{error}");
    symlink("loop", folder.path().join("loop")).unwrap();
    refused(&folder.path().join("loop"), "symbolic links");
}

#[test]
fn a_link_of_another_user_is_not_followed() {
    let (folder, path) = place_with("precious", 0o600);
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    let link = open.join("link");
    symlink("../file", &link).unwrap();

    // Any user could have given it this name.
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    refused(&link, "a symbolic link that is not yours");
    fs::set_permissions(&open, Permissions::from_mode(0o700)).unwrap();
    // A hard link to one in another folder.
    fs::hard_link(&link, open.join("second")).unwrap();
    refused(&link, "a symbolic link that is not yours");
    fs::remove_file(open.join("second")).unwrap();
    if is_root() {
        fs::set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
        lchown(&link, Some(OTHER), Some(OTHER)).unwrap();
        refused(&link, "a symbolic link that is not yours");
        // In a folder of another user.
        lchown(&link, Some(0), Some(0)).unwrap();
        chown(&open, Some(OTHER), Some(OTHER)).unwrap();
        refused(&link, "a symbolic link that is not yours");
        // Not even through the user's own link.
        let own = folder.path().join("own");
        symlink("open/link", &own).unwrap();
        refused(&own, "a symbolic link that is not yours");
        chown(&open, Some(0), Some(0)).unwrap();
    }
    assert!(link.is_symlink());
    assert_eq!(read(&path), "precious");
    fs::set_permissions(&open, Permissions::from_mode(0o700)).unwrap();
    save(&link, "new").unwrap();
    assert_eq!(read(&path), "new");
}

#[test]
fn a_link_to_an_open_descriptor_is_written_directly() {
    use std::os::fd::AsRawFd;
    let (_folder, path) = place_with("before ", 0o644);
    let file = File::options().append(true).open(&path).unwrap();
    save(
        format!("/proc/self/fd/{}", file.as_raw_fd()).as_ref(),
        "after",
    )
    .unwrap();
    assert_eq!(read(&path), "before after");
    let (mut reader, writer) = io::pipe().unwrap();
    save(
        format!("/dev/fd/{}", writer.as_raw_fd()).as_ref(),
        "through a pipe",
    )
    .unwrap();
    drop(writer);
    let mut got = String::new();
    reader.read_to_string(&mut got).unwrap();
    assert_eq!(got, "through a pipe");
}

#[test]
fn a_pipe_is_written_only_if_it_has_a_reader() {
    let (folder, path) = place();
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    refused(&path, "Start its reader first.");
    let long = "long".repeat(100_000);
    let reader = thread::spawn({
        let path = path.clone();
        move || read(&path)
    });
    // Until the reader has opened it, it is refused.
    while let Err(error) = save(&path, &long) {
        assert!(
            error.to_string().contains("Start its reader first."),
            "{error}"
        );
        thread::yield_now();
    }
    assert!(reader.join().unwrap() == long);
    assert_eq!(names(&folder), ["file"]);
    let taken = save_as(SaveFile::at(&path).existing(Existing::Keep), "");
    assert!(taken.unwrap_err().is_taken());

    if is_root() {
        // A pipe of another user in a world-writable folder.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        chown(&path, Some(OTHER), Some(OTHER)).unwrap();
        let _reader = File::options().read(true).write(true).open(&path).unwrap();
        refused(&path, "a pipe or device of another user");
    }
}

#[test]
fn a_target_that_is_not_a_file_is_refused_or_written_directly() {
    let (folder, path) = place();
    save("/dev/null".as_ref(), "nothing").unwrap();
    let full = save("/dev/full".as_ref(), "too much").unwrap_err();
    assert!(full.to_string().contains("Free some space"), "{full}");
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    refused(&path, "neither a file nor a pipe");
    refused(folder.path(), "Choose a file in it.");
    let slash = folder.path().join("file/");
    refused(&slash, "Choose a file in it.");
    for path in [".", "..", "/", "/tmp/."] {
        refused(path.as_ref(), "Choose a file in it.");
    }
    refused("".as_ref(), "Create the folder first");
    refused("/nonexistent/file".as_ref(), "Create the folder first");
    refused("/dev/null/file".as_ref(), "Not a directory");
    assert_eq!(names(&folder), ["file"]);
}

#[test]
fn every_valid_file_name_is_accepted() {
    let (folder, _) = place();
    let longest = "x".repeat(255);
    let names: [&[u8]; 4] = [longest.as_bytes(), b"\xff\xfe", b"-rf", b" \n"];
    for name in names {
        let path = folder.path().join(OsStr::from_bytes(name));
        save(&path, "first").unwrap();
        save(&path, "second").unwrap();
        assert_eq!(read(&path), "second");
    }
    refused(&folder.path().join("x".repeat(256)), "too long");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), names.len());
}

#[test]
fn a_save_removes_only_the_leftovers_of_killed_saves() {
    let (folder, path) = place();
    for digit in ['0', 'f'] {
        leave_draft(&folder, "file", digit);
    }
    // Drafts of another target, of a living save, and of another user; and near misses.
    let other = leave_draft(&folder, "other", '1');
    let living = leave_draft(&folder, "file", '2');
    let lock = File::open(&living).unwrap();
    lock.lock().unwrap();
    let mut kept = vec![other, living];
    if is_root() {
        let foreign = leave_draft(&folder, "file", '3');
        chown(&foreign, Some(OTHER), None).unwrap();
        kept.push(foreign);
    }
    let prefix = draft::prefix_of("file".as_ref());
    for near in [
        format!("{prefix}0"),
        format!("{prefix}0123456789abcdeg"),
        format!("{prefix}0123456789abcdef~"),
    ] {
        let near = folder.path().join(near);
        fs::write(&near, "").unwrap();
        kept.push(near);
    }
    let link = folder.path().join(format!("{prefix}4444444444444444"));
    symlink("precious", &link).unwrap();
    let directory = folder.path().join(format!("{prefix}5555555555555555"));
    fs::create_dir(&directory).unwrap();
    let pipe = folder.path().join(format!("{prefix}6666666666666666"));
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let twice = leave_draft(&folder, "file", '7');
    let name = folder.path().join("name");
    fs::hard_link(&twice, &name).unwrap();
    kept.extend([link, directory, pipe, twice, name]);

    save(&path, "new").unwrap();
    let mut expected: Vec<String> = kept
        .iter()
        .chain([&path])
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    expected.sort();
    assert_eq!(names(&folder), expected);
    drop(lock);
    save(&path, "newer").unwrap();
    assert_eq!(
        names(&folder).len(),
        expected.len() - 1,
        "its process is gone"
    );
}

#[test]
fn a_series_removes_earlier_leftovers() {
    let (folder, _) = place();
    for target in ["0.png", "1.png", "2.png"] {
        leave_draft(&folder, target, 'a');
    }
    for number in 0..3 {
        let path = folder.path().join(format!("{number}.png"));
        save_as(SaveFile::at(&path).in_series(), "picture").unwrap();
    }
    assert_eq!(names(&folder), ["0.png", "1.png", "2.png"]);
}

#[test]
fn a_stream_replaces_the_file_at_once() {
    let (folder, path) = place_with("old", 0o640);
    let before = File::open(&path).unwrap();
    let mut writer = SaveFile::at(&path).stream().unwrap();
    assert_eq!((read(&path).as_str(), mode(&path)), ("", 0o640));
    writer.write_all(b"new").unwrap();
    writer.flush().unwrap();
    assert_eq!(read(&path), "new");
    assert_eq!(io::read_to_string(before).unwrap(), "old");
    // Its lock is not held.
    File::open(&path).unwrap().try_lock().unwrap();
    assert_eq!(names(&folder), ["file"]);
}
