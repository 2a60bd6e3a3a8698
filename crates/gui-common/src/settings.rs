//! The saved settings of a window: its size, its key, its switches.
//!
//! This folder holds all that reads and writes the settings file. Each program has its own,
//! `$XDG_CONFIG_HOME/shm-core/PROGRAM.json` (below `~/.config` if that is not set). [`load`] reads
//! it once, before the window opens; a [`SettingsWriter`] saves changes on a separate thread. If
//! the file is invalid, the defaults are used, the window shows a notice, and the file is renamed
//! when the next one is written.

mod file;
mod writer;

use std::env;
use std::path::{Path, PathBuf};

use iced::Size;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shm_io::Address;

pub use self::writer::SettingsWriter;
use crate::tr;
use crate::widget::status::Status;

/// The default size of a window.
pub(crate) const DEFAULT_SIZE: Size = Size::new(640.0, 560.0);

/// The minimum size of a window, at which everything still fits.
pub const MIN_SIZE: Size = Size::new(480.0, 480.0);

/// The maximum side of a window.
const MAX_SIDE: f32 = 16_384.0;

/// The settings of a window. `S` holds the switches of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings<S = NoSwitches> {
    /// The size of the window's content.
    pub size: Size,
    /// The last valid key in the key field, or `None` if the user never edited it.
    pub key: Option<Address>,
    /// Which switches are on.
    pub switches: S,
}

/// The switches of a program: a struct whose default has all of them off.
///
/// It needs `#[serde(default)]`, so that a file without a newer switch can still be read.
pub trait Switches:
    Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + 'static
{
}

impl<S> Switches for S where
    S: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + 'static
{
}

/// The type for a program without switches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoSwitches {}

impl<S: Default> Default for Settings<S> {
    fn default() -> Settings<S> {
        Settings {
            size: DEFAULT_SIZE,
            key: None,
            switches: S::default(),
        }
    }
}

impl<S> Settings<S> {
    /// Sets the size of the window, limited to the valid range: a window manager may exceed it.
    pub fn set_size(&mut self, size: Size) {
        self.size = Size::new(
            size.width.clamp(MIN_SIZE.width, MAX_SIDE),
            size.height.clamp(MIN_SIZE.height, MAX_SIDE),
        );
    }
}

/// The loaded settings, and the file to which changes are saved.
#[derive(Clone, Debug)]
pub struct LoadedSettings<S = NoSwitches> {
    /// The settings, or the defaults if there were none.
    pub settings: Settings<S>,
    /// A notice for the status line, if the settings could not be loaded.
    pub notice: Option<Status>,
    path: Option<PathBuf>,
    /// Whether the file is invalid, and is to be renamed when the next one is written.
    is_damaged: bool,
}

/// Has no file, so that nothing is saved: for tests of windows.
impl<S: Default> Default for LoadedSettings<S> {
    fn default() -> LoadedSettings<S> {
        LoadedSettings {
            settings: Settings::default(),
            notice: None,
            path: None,
            is_damaged: false,
        }
    }
}

/// Returns the settings file of `program`, or `None` if the environment names no home.
fn path_of(program: &str) -> Option<PathBuf> {
    // The XDG base directory specification requires that relative paths are ignored.
    let absolute = |name: &str| {
        let path = env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let configuration =
        absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(
        configuration
            .join("shm-core")
            .join(format!("{program}.json")),
    )
}

/// Loads the settings of `program`. Never fails: see [`LoadedSettings::notice`].
///
/// If the environment names no home, or that of another user, nothing is read and nothing will be
/// saved.
pub fn load_for<S: Switches>(program: &str) -> LoadedSettings<S> {
    let forgetful = |reason, remedy| LoadedSettings {
        notice: Some(
            Status::warning(tr!("settings-none"))
                .with_remedy(crate::text::language::sentences([reason, remedy])),
        ),
        ..LoadedSettings::default()
    };
    let Some(path) = path_of(program) else {
        return forgetful(tr!("settings-no-home"), tr!("settings-home-remedy"));
    };
    match file::foreign_folder(&path) {
        Some((folder, owner)) => forgetful(
            tr!("settings-foreign", folder = folder.display(), owner = owner),
            tr!("settings-home-remedy"),
        ),
        None => load(Some(path)),
    }
}

/// Loads the settings at `path`. Never fails: see [`LoadedSettings::notice`].
pub fn load<S: Switches>(path: Option<PathBuf>) -> LoadedSettings<S> {
    let read = match &path {
        Some(path) => file::read(path),
        None => Ok(None),
    };
    let loaded = LoadedSettings {
        path,
        ..LoadedSettings::default()
    };
    match read {
        Ok(Some(settings)) => LoadedSettings { settings, ..loaded },
        Ok(None) => loaded,
        Err(problem) => LoadedSettings {
            notice: loaded.path.as_deref().map(|path| notice(path, &problem)),
            is_damaged: true,
            ..loaded
        },
    }
}

fn notice(path: &Path, problem: &file::ReadError) -> Status {
    Status::warning(tr!("settings-unreadable")).with_remedy(tr!(
        "settings-unreadable-remedy",
        path = path.display(),
        problem = problem.to_string(),
        name = file::name_of(&file::kept_aside(path)),
    ))
}

#[cfg(test)]
mod tests;
