//! What a window remembers from one run to the next: its size, its key, its switches.
//!
//! Each program has a file of its own, `$XDG_CONFIG_HOME/shm-core/PROGRAM.json` (below `~/.config`
//! where that is not set). [`load`] reads it once, before the window opens; a [`SettingsWriter`] writes
//! what changes, on a thread of its own. A file that will not do costs no more than what it held:
//! the window says so, and the file is kept beside the next one.

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

/// The size of a window that is opened for the first time.
pub(crate) const DEFAULT_SIZE: Size = Size::new(640.0, 560.0);

/// The smallest size of a window: everything in it still has its place.
pub const MIN_SIZE: Size = Size::new(480.0, 480.0);

/// No side of a window is longer.
const MAX_SIDE: f32 = 16_384.0;

/// What is remembered. `S` has the switches of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings<S = NoSwitches> {
    /// The size of the window's content.
    pub size: Size,
    /// The key that was written into the key field; `None` as long as nobody did.
    pub key: Option<Address>,
    /// Which switches are on.
    pub switches: S,
}

/// The switches of a program: a structure of its own, with all of them off by default.
///
/// Give it `#[serde(default)]`, so that a file that does not know a switch yet is still read.
pub trait Switches:
    Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + 'static
{
}

impl<S> Switches for S where
    S: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + 'static
{
}

/// The switches of a program that has none.
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
    /// Takes over the size of the window. A window manager may choose one that is out of bounds.
    pub fn set_size(&mut self, size: Size) {
        self.size = Size::new(
            size.width.clamp(MIN_SIZE.width, MAX_SIDE),
            size.height.clamp(MIN_SIZE.height, MAX_SIDE),
        );
    }
}

/// What was remembered, and where it will be remembered again.
#[derive(Clone, Debug)]
pub struct LoadedSettings<S = NoSwitches> {
    /// What was remembered; the beginnings where nothing was.
    pub settings: Settings<S>,
    /// What to say in the status line: why something is not as it was left.
    pub notice: Option<Status>,
    path: Option<PathBuf>,
    /// Whether the file there will not do, and is to be kept when the next one is written.
    is_damaged: bool,
}

/// Remembers nothing, from nowhere: for windows under test.
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

/// Returns the file of `program`; `None` where the environment names no home.
fn path_of(program: &str) -> Option<PathBuf> {
    // The XDG base directory specification asks to ignore what is not absolute.
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

/// Reads what `program` remembered. It always comes to something: see [`LoadedSettings::notice`].
///
/// Where the environment names no home, or that of another user, nothing is read, and nothing will be
/// remembered.
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

/// Reads what was remembered at `path`. It always comes to something: see [`LoadedSettings::notice`].
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
