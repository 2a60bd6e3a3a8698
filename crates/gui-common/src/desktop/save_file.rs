//! Atomic saving: a file appears complete or not at all. Both programs write all files this way.
//!
//! The folder is opened once, and all further steps use its descriptor. A new file takes the place
//! of the old one by `rename`:
//!
//! - It has no name until it is complete (`O_TMPFILE`). If it gets a name before the target's,
//!   because the target exists or the file system has no unnamed files, that name is random, and
//!   removed on every exit of the process except by `SIGKILL`. A file left by `SIGKILL` is removed
//!   by the next save of the same target.
//! - Its mode is that of any new file (0666 less the umask), or the permission bits of the file
//!   that it replaces, if that is the user's own: never set-user-ID, set-group-ID or sticky. The
//!   group and the ACL of such a file are kept too; if that fails, the group gets no permission.
//!   Other extended attributes go with the old file. A file of another user gives nothing to its
//!   successor.
//! - A symbolic link is followed only if both it and its folder belong to the user (or to root, if
//!   no other user can write there, as in /dev); it then stays a link. Any other is refused.
//! - A pipe or a character device is written to as it is, without waiting for a reader. Terminals,
//!   sockets and block devices are refused.
//! - It is synced to the disk before it gets its name, except with [`SaveFile::in_series`], so that
//!   after a power failure either the old file is there or the new one.
//!
//! A file in a folder where the user may not write is not written in place, although that would be
//! permitted: a crash would leave it half-written.

mod attributes;
mod draft;
mod error;
mod leftovers;
mod target;
mod unfinished;

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use rustix::fs::Mode;

use self::draft::Draft;
use self::error::Problem;
use self::target::{Found, Target};
use crate::desktop::copy_writer::CopyWriter;

pub use self::error::{SaveFileError, remedy};
pub use self::target::is_taken;
pub use self::unfinished::Cleanup;

/// The writer of a file.
pub type Writer = CopyWriter<File>;

/// The treatment of an existing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// The new file replaces it when it is complete.
    Replace,
    /// It is kept and nothing is written.
    Keep,
}

/// A file about to be saved.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is saved before `write` or `stream`"]
pub struct SaveFile<'a> {
    path: &'a Path,
    existing: Existing,
    is_in_series: bool,
    mode: Mode,
}

impl<'a> SaveFile<'a> {
    /// Replaces what is at `path`.
    pub fn at(path: &'a Path) -> SaveFile<'a> {
        SaveFile {
            path,
            existing: Existing::Replace,
            is_in_series: false,
            mode: Mode::from_raw_mode(0o666),
        }
    }

    /// Returns the target path.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// Sets the treatment of an existing file.
    pub fn existing(self, existing: Existing) -> SaveFile<'a> {
        SaveFile { existing, ..self }
    }

    /// Saves one file of a fast series: does not sync to the disk, and lists the folder only once
    /// to find leftovers of killed saves.
    pub fn in_series(self) -> SaveFile<'a> {
        SaveFile {
            is_in_series: true,
            ..self
        }
    }

    /// Makes a new file readable by its owner only, whatever the umask is.
    pub fn private(self) -> SaveFile<'a> {
        SaveFile {
            mode: Mode::RUSR | Mode::WUSR,
            ..self
        }
    }

    /// Saves what `write` writes.
    ///
    /// # Errors
    ///
    /// Returns the error of `write`, or [`SaveFileError`]. The old file is then kept.
    pub fn write<E: From<SaveFileError>>(
        self,
        write: impl FnOnce(&mut Writer) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |problem: Problem| SaveFileError::new(self.path, problem);
        let target = Target::find(self.path, self.existing).map_err(failed)?;
        if let Found::Stream(file) = target.found {
            let mut writer = Writer::new(file);
            write(&mut writer)?;
            return Ok(writer.flush().map_err(|error| failed(error.into()))?);
        }
        let (draft, file) = self.draft(&target).map_err(failed)?;
        let mut writer = Writer::new(file);
        write(&mut writer)?;
        let written = writer.into_inner().map_err(Problem::from);
        let saved = written.and_then(|file| self.finish(draft, &target, file));
        Ok(saved.map(drop).map_err(failed)?)
    }

    /// Replaces the file at once by an empty one, to be written over a long time.
    ///
    /// # Errors
    ///
    /// [`SaveFileError`]; the old file is kept then.
    pub fn stream(self) -> Result<Writer, SaveFileError> {
        let failed = |problem: Problem| SaveFileError::new(self.path, problem);
        let target = Target::find(self.path, self.existing).map_err(failed)?;
        let file = match target.found {
            Found::Stream(file) => file,
            _ => self
                .draft(&target)
                .and_then(|(draft, file)| self.finish(draft, &target, file))
                .map_err(failed)?,
        };
        Ok(Writer::new(file))
    }

    fn draft(&self, target: &Target) -> Result<(Draft, File), Problem> {
        unfinished::watch_signals();
        leftovers::sweep(target, self.is_in_series);
        let mode = match &target.found {
            // Private until it gets the other's permissions.
            Found::Own(_) => Mode::RUSR | Mode::WUSR,
            _ => self.mode,
        };
        Ok(Draft::create(target, mode)?)
    }

    /// Gives a complete file its permissions and its name.
    fn finish(&self, draft: Draft, target: &Target, file: File) -> Result<File, Problem> {
        if let Found::Own(old) = &target.found {
            attributes::keep(old, &file)?;
        }
        if !self.is_in_series {
            match file.sync_all() {
                // Not supported by the file system.
                Err(error) if error.kind() == ErrorKind::InvalidInput => {}
                synced => synced?,
            }
        }
        draft.rename(target, &file, self.existing)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests;
