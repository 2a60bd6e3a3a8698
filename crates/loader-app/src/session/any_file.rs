//! Detects whether a file holds a picture, a text, or other bytes.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use gui_common::picture::limit::Limit;

use super::{ByteSource, LoadError, Loadable};
use crate::picture_file::{PictureError, PictureFile};
use crate::progress::{ProgressReader, ReadProgress};

/// The longest file that is loaded as a text.
const MAX_TEXT_BYTES: u64 = 256 << 20;

/// The number of bytes that are checked before the whole file is read as a text.
const HEAD_BYTES: u64 = 64 * 1024;

impl Loadable {
    /// Detects what a file holds: a picture, UTF-8 text, or else bytes. Counts what is read in
    /// `progress`, now and during the load.
    ///
    /// # Errors
    ///
    /// Returns a [`LoadError`] if the file cannot be read, or is a folder, a device or a pipe.
    pub(crate) fn of_file(path: &Path, progress: Arc<ReadProgress>) -> Result<Loadable, LoadError> {
        let name = || path.display().to_string();
        let unreadable = |source| LoadError::Bytes {
            name: name(),
            source,
        };
        let stat = fs::metadata(path).map_err(unreadable)?;
        if stat.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        if !stat.is_file() {
            // Opening a pipe may block forever.
            return Err(unreadable(io::ErrorKind::InvalidInput.into()));
        }
        match PictureFile::open(path, Limit::DEFAULT, Arc::clone(&progress)) {
            Err(PictureError::NotAPicture { .. }) => {}
            Err(error @ PictureError::Cancelled { .. }) => return Err(LoadError::Picture(error)),
            // A picture that is too large is reported as such, not loaded as bytes.
            Ok(_) | Err(_) => return Ok(Loadable::Picture(path.to_owned(), progress)),
        }
        match read_text(path, stat.len(), &progress) {
            Ok(Some(text)) => Ok(Loadable::Text(text)),
            Ok(None) => ByteSource::open_with_progress(path, progress).map(Loadable::Bytes),
            Err(_) if progress.is_cancelled() => Err(LoadError::Cancelled { name: name() }),
            Err(error) => Err(unreadable(error)),
        }
    }
}

/// Returns the text of a file; `None` if it is not UTF-8, contains a NUL byte, or is too long.
fn read_text(path: &Path, length: u64, progress: &Arc<ReadProgress>) -> io::Result<Option<String>> {
    if length > MAX_TEXT_BYTES {
        return Ok(None);
    }
    let mut file = ProgressReader::new(File::open(path)?, length, Arc::clone(progress));
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes)?;
    if bytes.contains(&0) {
        return Ok(None);
    }
    if let Err(error) = str::from_utf8(&bytes)
        && error.error_len().is_some()
    {
        return Ok(None);
    }
    // A file may grow during the read.
    file.take(MAX_TEXT_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(name: &str, bytes: &[u8]) -> Loadable {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        Loadable::of_file(&path, Arc::default()).unwrap()
    }

    #[test]
    fn a_text_is_detected_by_its_content() {
        let long = "語\n".repeat(100_000);
        for text in ["", "notes", "a\r\n\tb", long.as_str()] {
            let content = content("picture.png.txt", text.as_bytes());
            assert!(matches!(content, Loadable::Text(found) if found == text));
        }
    }

    #[test]
    fn other_content_is_loaded_as_bytes() {
        let late = [b"a".repeat(100_000), b"\xff".to_vec()].concat();
        for bytes in [
            &b"ab\0cd"[..],
            b"\xff\xfe",
            "é".as_bytes()[..1].as_ref(),
            &late,
        ] {
            assert!(matches!(content("a.txt", bytes), Loadable::Bytes(_)));
        }
    }

    #[test]
    fn a_picture_is_detected_by_its_content() {
        let pixel = b"P5\n1 1\n255\n\x80";
        assert!(matches!(content("a.txt", pixel), Loadable::Picture(..)));
        let absurd = b"P5\n60000 60000\n255\n";
        assert!(matches!(content("a.pgm", absurd), Loadable::Picture(..)));
        assert!(matches!(content("a.png", b"PNG"), Loadable::Text(_)));
    }

    #[test]
    fn a_path_that_is_not_a_regular_file_is_refused_with_a_remedy() {
        for (path, words) in [
            ("/", "It is a folder"),
            ("/dev/zero", "It is a device or a pipe"),
            ("/nonexistent", "The file does not exist"),
        ] {
            let error = Loadable::of_file(Path::new(path), Arc::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_cancelled_load_stops_reading() {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in [("text", &b"words"[..]), ("bytes", b"\0")] {
            let path = directory.path().join(name);
            fs::write(&path, bytes).unwrap();
            let progress = Arc::new(ReadProgress::default());
            let content = Loadable::of_file(&path, Arc::clone(&progress)).unwrap();
            drop(content);
            progress.cancel();
            let error = Loadable::of_file(&path, progress).unwrap_err();
            assert!(error.is_cancelled(), "{name}: {error}");
        }
    }
}
