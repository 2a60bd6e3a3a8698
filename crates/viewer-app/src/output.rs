//! Where a command writes what it found: standard output, or a file that appears whole or not at all.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use app_kit::{language, say, terminal};

/// Where to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl From<OsString> for Output {
    fn from(argument: OsString) -> Output {
        if argument == "-" {
            Output::Stdout
        } else {
            Output::File(argument.into())
        }
    }
}

/// Writes to standard output. That nobody listens any more, as behind `| head`, is no error.
pub(crate) fn print(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    is_heard(write).map(|_| ())
}

/// Writes to standard output, through the door that keeps a terminal safe, and tells whether anybody
/// listens.
pub(crate) fn is_heard(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<bool, OutputError> {
    let mut stdout = terminal::stdout();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(source) if source.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(OutputError {
            place: "standard output".to_owned(),
            source,
        }),
    }
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is replaced, once the new one is whole.
    Replace,
    /// It is kept, and nothing is written.
    Keep,
}

/// Writes a file under a temporary name beside it and gives it its name when it is whole. What is
/// no regular file, such as /dev/null or a pipe, is written to as it is.
pub(crate) fn save<E: From<OutputError>>(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    // Through a symbolic link, so that the link stays one.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let failed = |source| OutputError::at(path, source);
    let old = fs::metadata(&target).ok();
    if old.is_some() && existing == Existing::Keep {
        return Err(failed(ErrorKind::AlreadyExists.into()).into());
    }
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        let file = OpenOptions::new().write(true).open(&target);
        let mut writer = BufWriter::new(file.map_err(failed)?);
        write(&mut writer)?;
        return Ok(writer.flush().map_err(failed)?);
    }
    let (draft, file) = Draft::create(&target).map_err(failed)?;
    if let Some(old) = old {
        // What was private stays private.
        file.set_permissions(old.permissions()).map_err(failed)?;
    }
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush().map_err(failed)?;
    if existing == Existing::Keep {
        // Takes the name for the moment until the whole file gets it. Who took it while we wrote
        // keeps it.
        let free = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&target);
        drop(free.map_err(failed)?);
    }
    Ok(draft.rename(&target).map_err(failed)?)
}

/// A file that is not yet whole; removed unless it gets its name.
#[derive(Debug)]
struct Draft {
    path: Option<PathBuf>,
}

impl Draft {
    fn create(target: &Path) -> io::Result<(Draft, File)> {
        const ATTEMPTS: u32 = 16;
        let mut last = io::Error::from(ErrorKind::AlreadyExists);
        for attempt in 0..ATTEMPTS {
            let name = format!(".viewer-app.{}.{attempt}.part", std::process::id());
            let path = target.with_file_name(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Draft { path: Some(path) }, file)),
                // Left behind by somebody with our process id: do not touch it.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, target)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // There is already an error to tell; a second one would only hide it.
            fs::remove_file(path).ok();
        }
    }
}

/// What could not be written, and why.
#[derive(Debug)]
pub(crate) struct OutputError {
    place: String,
    source: io::Error,
}

impl OutputError {
    /// Tells whether nothing was written because there is a file already.
    pub(crate) fn is_taken(&self) -> bool {
        self.source.kind() == ErrorKind::AlreadyExists
    }

    /// Says that `source` happened while writing to `path`.
    pub(crate) fn at(path: &Path, source: io::Error) -> OutputError {
        OutputError {
            place: path.display().to_string(),
            source,
        }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = say!("output-failed", place = self.place, reason = self.source);
        let remedy = match self.source.kind() {
            ErrorKind::NotFound => say!("output-not-found"),
            ErrorKind::PermissionDenied => say!("output-not-permitted"),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => say!("output-no-space"),
            ErrorKind::IsADirectory => say!("output-is-folder"),
            ErrorKind::AlreadyExists => say!("output-taken"),
            _ => say!("output-other"),
        };
        formatter.write_str(&language::sentences([failure, remedy]))
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save_words(path: &Path, existing: Existing, words: &str) -> Result<(), OutputError> {
        save(path, existing, |file| {
            file.write_all(words.as_bytes())
                .map_err(|source| OutputError::at(path, source))
        })
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("it is readable");
        entries
            .map(|entry| entry.expect("it is readable").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_file_that_is_there_is_kept_unless_it_may_be_replaced() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("file");
        save_words(&path, Existing::Keep, "first").expect("nothing is there yet");
        let error = save_words(&path, Existing::Keep, "second").expect_err("it is there");
        assert!(error.is_taken(), "{error}");
        assert_eq!(fs::read(&path).expect("it is kept"), b"first");
        save_words(&path, Existing::Replace, "third").expect("it may");
        assert_eq!(fs::read(&path).expect("it is there"), b"third");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn who_takes_the_name_meanwhile_keeps_it() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("file");
        let error = save(&path, Existing::Keep, |file| {
            fs::write(&path, "theirs").expect("there is room");
            file.write_all(b"ours")
                .map_err(|source| OutputError::at(&path, source))
        });
        assert!(error.expect_err("it was taken").is_taken());
        assert_eq!(fs::read(&path).expect("it is theirs"), b"theirs");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn what_fails_halfway_leaves_nothing() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("file");
        save_words(&path, Existing::Keep, "old").expect("nothing is there yet");
        let failed = save(&path, Existing::Replace, |file| {
            file.write_all(b"half").ok();
            Err(OutputError::at(&path, ErrorKind::StorageFull.into()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).expect("it is kept"), b"old");
        assert_eq!(names(directory.path()), ["file"]);
    }
}
