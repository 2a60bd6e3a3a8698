//! Any text as a key, and any bytes as the name of a file in the directory of segments.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};

use shm_core::{Key, Options, Publisher, Subscriber, segment};

use super::operations::assert_text;
use crate::PrivateDir;

/// The invisible characters that docs/LAYOUT.md lists.
const INVISIBLE: [(u32, u32); 17] = [
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0D),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1_BCA0, 0x1_BCA3),
    (0x1_D173, 0x1_D17A),
    (0xE_0000, 0xE_0FFF),
];

const TEXT: &str = "under this key";

/// Uses the bytes as a key, and as the end of a file name.
pub fn key(data: &[u8]) {
    let directory = PrivateDir::in_memory();
    let options = Options::new().directory(directory.path());
    let name = String::from_utf8_lossy(data);
    let key = Key::new(&name);
    assert_eq!(key.is_ok(), is_key(&name), "{name:?}: {key:?}");
    match key {
        Ok(key) => assert_usable(&key, &name, &directory, &options),
        Err(error) => assert_text(&error),
    }
    assert_foreign(data, directory.path(), &options);
}

/// Returns `true` if docs/LAYOUT.md, section 1, permits this key.
fn is_key(name: &str) -> bool {
    let is_control = |character| matches!(character, '\0'..='\x1f' | '\x7f'..='\u{9f}');
    let is_invisible = |character| {
        INVISIBLE
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&u32::from(character)))
    };
    let has_scheme = name.split_once(':').is_some_and(|(scheme, _)| {
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.as_bytes().iter().all(goes_on)
    });
    (1..=128).contains(&name.len())
        && !name.contains('/')
        && !name.contains(is_control)
        && !name.contains(is_invisible)
        && !has_scheme
}

/// Asserts that a segment can be created under the key, that it is listed, and that it is the only
/// file.
fn assert_usable(key: &Key, name: &str, directory: &PrivateDir, options: &Options) {
    assert_eq!(key.as_str(), name);
    let publisher = Publisher::open(key, options).expect("a fresh key");
    publisher.publish_text(TEXT).expect("space for a text");
    let user = rustix::process::geteuid().as_raw();
    assert_eq!(directory.names(), [format!("shm-core.{user}.{name}")]);
    let listed = segment::list(options).expect("a directory of ours");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, name);
    let info = listed[0].segment.as_ref().expect("the segment is alive");
    assert_eq!((&info.key, info.id), (key, publisher.id()));
    let mut reader = Subscriber::attach(key, options).expect("the segment is alive");
    let sample = reader.latest().expect("the segment is valid");
    assert_eq!(
        sample.expect("a sample was published").payload(),
        TEXT.as_bytes()
    );
    assert!(
        publisher.detach().removed,
        "the last participant removes the segment"
    );
    assert!(directory.names().is_empty(), "left behind");
}

/// Asserts that a file of this name, which is not a segment, is reported and left alone.
fn assert_foreign(data: &[u8], directory: &Path, options: &Options) {
    if data.contains(&b'/') {
        return; // a path in another directory
    }
    let user = rustix::process::geteuid().as_raw();
    let name = [format!("shm-core.{user}.").as_bytes(), data].concat();
    let path = directory.join(OsStr::from_bytes(&name));
    if fs::write(&path, TEXT).is_err() {
        return; // no file name: too long, or with a NUL
    }
    let listed = segment::list(options).expect("a directory of ours");
    assert_eq!(listed.len(), 1);
    assert!(listed[0].segment.is_err(), "{listed:?}");
    assert_eq!(listed[0].name, String::from_utf8_lossy(data));
    let kept = fs::read_to_string(&path).expect("the file is unchanged");
    assert_eq!(kept, TEXT);
}
