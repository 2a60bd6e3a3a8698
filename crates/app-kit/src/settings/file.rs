//! The file in which settings are remembered: JSON, small, replaced as a whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::{fmt, process};

use iced::Size;
use qt_bridge::{Address, AddressError};
use serde::{Deserialize, Serialize};

use super::{MAX_SIDE, MIN_SIZE, Settings, Switches};
use crate::explain::Explain;
use crate::say;

/// The version of the file: raised when an older program would misunderstand it.
const VERSION: u32 = 1;

/// What is longer was not written by this program.
const MAX_BYTES: u64 = 64 * 1024;

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Record<S> {
    version: u32,
    width: f32,
    height: f32,
    key: Option<String>,
    #[serde(default)]
    switches: S,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// Why a file will not do, as the middle of a sentence.
#[derive(Debug)]
pub(super) enum ReadError {
    System(io::Error),
    NotAFile,
    TooLong,
    Json(serde_json::Error),
    Version(u32),
    Size,
    Key(AddressError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::System(error) => error.fmt(f),
            ReadError::NotAFile => f.write_str(&say!("settings-not-a-file")),
            ReadError::TooLong => f.write_str(&say!("settings-too-long")),
            ReadError::Json(error) => error.fmt(f),
            ReadError::Version(version) => {
                f.write_str(&say!("settings-version", found = version, known = VERSION))
            }
            ReadError::Size => f.write_str(&say!("settings-size")),
            ReadError::Key(error) => {
                // A sentence of its own elsewhere; its full stop follows here too.
                f.write_str(error.explain().trim_end_matches(['.', '。']))
            }
        }
    }
}

/// Reads settings; `None` where there is no file yet.
pub(super) fn read<S: Switches>(path: &Path) -> Result<Option<Settings<S>>, ReadError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(ReadError::NotAFile),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ReadError::System(error)),
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut content))
        .map_err(ReadError::System)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLong);
    }
    decode(&content).map(Some)
}

fn decode<S: Switches>(content: &[u8]) -> Result<Settings<S>, ReadError> {
    let head: Head = serde_json::from_slice(content).map_err(ReadError::Json)?;
    if head.version != VERSION {
        return Err(ReadError::Version(head.version));
    }
    let record: Record<S> = serde_json::from_slice(content).map_err(ReadError::Json)?;
    let is_sound = (MIN_SIZE.width..=MAX_SIDE).contains(&record.width)
        && (MIN_SIZE.height..=MAX_SIDE).contains(&record.height);
    if !is_sound {
        return Err(ReadError::Size);
    }
    let key = record.key.as_deref().map(str::parse::<Address>).transpose();
    Ok(Settings {
        size: Size::new(record.width, record.height),
        key: key.map_err(ReadError::Key)?,
        switches: record.switches,
    })
}

/// Puts settings in the place of what is there: all of them or, where that fails, none.
pub(super) fn write<S: Switches>(path: &Path, settings: &Settings<S>) -> io::Result<()> {
    let content = serde_json::to_vec_pretty(&Record {
        version: VERSION,
        width: settings.size.width,
        height: settings.size.height,
        key: settings.key.as_ref().map(|key| key.as_str().to_owned()),
        switches: settings.switches.clone(),
    })?;
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    // Another window of this program may be writing too: whoever renames last has the say.
    let draft = path.with_extension(format!("json.{}", process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(&content)?;
            file.write_all(b"\n")?;
            // Before the name is: a power cut must not leave an empty file under it.
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // It may not have come to a draft at all.
        fs::remove_file(&draft).ok();
    }
    written
}

/// Moves a file that will not do out of the way, to where its owner finds it.
pub(super) fn set_aside(path: &Path) -> io::Result<()> {
    match fs::rename(path, kept_aside(path)) {
        // Its owner has removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Returns where a file that will not do is kept.
pub(super) fn kept_aside(path: &Path) -> PathBuf {
    path.with_extension("json.bad")
}

/// Returns the last part of a path, for people.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
