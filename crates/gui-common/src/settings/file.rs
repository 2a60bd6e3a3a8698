//! The settings file: small, JSON, replaced atomically.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use iced::Size;
use rustix::fs::OFlags;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use shm_io::{Address, AddressError};

use super::{MAX_SIDE, MIN_SIZE, Settings, Switches};
use crate::desktop::save_file::{SaveFile, SaveFileError};
use crate::text::explain::Explain;
use crate::tr;

/// The version of the file: raised when an older program would misunderstand it.
const VERSION: u32 = 1;

/// The maximum length; a longer file was not written by this program.
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

/// The reason why a file is invalid, as a part of a sentence.
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
            ReadError::NotAFile => f.write_str(&tr!("settings-not-a-file")),
            ReadError::TooLong => f.write_str(&tr!("settings-too-long")),
            ReadError::Json(error) => error.fmt(f),
            ReadError::Version(version) => {
                f.write_str(&tr!("settings-version", found = version, known = VERSION))
            }
            ReadError::Size => f.write_str(&tr!("settings-size")),
            ReadError::Key(error) => {
                // A complete sentence elsewhere; here its full stop is added by the notice.
                f.write_str(error.explain().trim_end_matches(['.', '。']))
            }
        }
    }
}

/// Reads the settings. Returns `None` if there is no file yet.
pub(super) fn read<S: Switches>(path: &Path) -> Result<Option<Settings<S>>, ReadError> {
    // Opening does not block on a pipe.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ReadError::System(error)),
    };
    if !file.metadata().map_err(ReadError::System)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    let mut content = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut content)
        .map_err(ReadError::System)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLong);
    }
    decode(&content).map(Some)
}

/// Returns the first folder on the path to the file that belongs to another user, and the user's
/// id.
///
/// `sudo -E` gives root the home of the calling user. Files that root creates there lock the user
/// out, and files of the user can mislead root.
pub(super) fn foreign_folder(path: &Path) -> Option<(PathBuf, u32)> {
    /// `HOME`, `.config` and `shm-core`.
    const LEVELS: usize = 3;
    let folders = path.ancestors().skip(1).take(LEVELS);
    let owners = folders.filter_map(|folder| Some((folder, fs::metadata(folder).ok()?.uid())));
    owners
        .filter(|&(_, owner)| owner != 0 && owner != geteuid().as_raw())
        .map(|(folder, owner)| (folder.to_owned(), owner))
        .next()
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

/// Replaces the settings file atomically.
///
/// Another window of this program may write too: the last rename wins.
pub(super) fn write<S: Switches>(path: &Path, settings: &Settings<S>) -> Result<(), SaveFileError> {
    let failed = |error| SaveFileError::at(path, error);
    let content = serde_json::to_vec_pretty(&Record {
        version: VERSION,
        width: settings.size.width,
        height: settings.size.height,
        key: settings.key.as_ref().map(|key| key.as_str().to_owned()),
        switches: settings.switches.clone(),
    });
    let content = content.map_err(|error| failed(error.into()))?;
    // Another user may have created it meanwhile.
    if foreign_folder(path).is_some() {
        return Err(failed(io::ErrorKind::PermissionDenied.into()));
    }
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
    }
    SaveFile::at(path).private().write(|file| {
        file.write_all(&content)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(failed)
    })
}

/// Renames an invalid file, so that the user can find it.
pub(super) fn set_aside(path: &Path) -> io::Result<()> {
    match fs::rename(path, kept_aside(path)) {
        // The user has removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Returns the name that an invalid file gets.
pub(super) fn kept_aside(path: &Path) -> PathBuf {
    path.with_extension("json.bad")
}

/// Returns the file name of a path for display.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
