//! The pictures of a folder, in a loop.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io, mem, vec};

use gui_common::picture::limit::Limit;
use gui_common::tr;

use super::{Drawn, FrameError, FrameInfo, FrameReader, NextFrame};
use crate::picture_file::{PictureError, PictureFile};
use crate::progress::ReadProgress;

/// The pictures of a folder, in the order of their names, in a loop. Each round lists the folder
/// again.
#[derive(Debug)]
pub(crate) struct FolderFrames {
    path: PathBuf,
    /// How long each picture is shown.
    each: Duration,
    progress: Arc<ReadProgress>,
    /// The remaining files of this round.
    rest: vec::IntoIter<PathBuf>,
    /// The current picture, until it is drawn.
    current: Option<PictureFile>,
    /// The numbers of pictures and of other files in this round so far.
    pictures: u64,
    others: u64,
    /// The number of other files in the last complete round.
    others_before: u64,
}

impl FolderFrames {
    /// Lists a folder. Each picture is shown for the time `each`. Cancelling `progress` stops the
    /// reading of pictures.
    ///
    /// # Errors
    ///
    /// Returns [`FrameError::Folder`] if the folder cannot be read.
    pub(crate) fn open(
        path: &Path,
        each: Duration,
        progress: Arc<ReadProgress>,
    ) -> Result<FolderFrames, FrameError> {
        Ok(FolderFrames {
            rest: files_of(path)?,
            path: path.to_owned(),
            each,
            progress,
            current: None,
            pictures: 0,
            others: 0,
            others_before: 0,
        })
    }

    fn restart(&mut self) -> Result<NextFrame, FrameError> {
        if self.pictures == 0 {
            return Err(FrameError::NoPictures {
                path: self.path.clone(),
                files: self.others,
            });
        }
        self.rest = files_of(&self.path)?;
        self.pictures = 0;
        self.others_before = mem::take(&mut self.others);
        Ok(NextFrame::NoFrame)
    }
}

impl FrameReader for FolderFrames {
    fn next(&mut self) -> Result<NextFrame, FrameError> {
        let Some(path) = self.rest.next() else {
            return self.restart();
        };
        let Ok(picture) = open(&path, &self.progress) else {
            self.others += 1;
            return Ok(NextFrame::NoFrame);
        };
        self.pictures += 1;
        let metadata = picture.metadata().clone();
        self.current = Some(picture);
        Ok(NextFrame::Frame(FrameInfo {
            metadata,
            duration: Some(self.each),
        }))
    }

    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError> {
        let picture = self.current.take();
        if picture.is_some_and(|picture| picture.decode_into(pixels).is_ok()) {
            return Ok(Drawn::Whole);
        }
        // Only the header was that of a picture.
        self.pictures -= 1;
        self.others += 1;
        Ok(Drawn::Damaged)
    }

    fn notice(&self) -> Option<String> {
        match self.others.max(self.others_before) {
            0 => None,
            others => Some(tr!("streaming-not-pictures", count = others)),
        }
    }
}

fn open(path: &Path, progress: &Arc<ReadProgress>) -> Result<PictureFile, PictureError> {
    PictureFile::open(path, Limit::DEFAULT, Arc::clone(progress))
}

/// Returns the files of a folder in the order of their names, without hidden ones.
fn files_of(path: &Path) -> Result<vec::IntoIter<PathBuf>, FrameError> {
    let listed: io::Result<Vec<PathBuf>> = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .filter(|path| !matches!(path, Ok(path) if is_hidden(path) || path.is_dir()))
            .collect()
    });
    let mut files = listed.map_err(|source| FrameError::Folder {
        path: path.to_owned(),
        source,
    })?;
    files.sort_by(|one, other| natural_order(name_of(one), name_of(other)));
    Ok(files.into_iter())
}

fn name_of(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name: &OsStr| name.as_encoded_bytes().starts_with(b"."))
}

/// Compares names in natural order: `frame9` comes before `frame10`.
fn natural_order(one: &[u8], other: &[u8]) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let (left_number, right_number) = (leading_digits(left), leading_digits(right));
        let order = if left_number.is_empty() || right_number.is_empty() {
            match (left.split_first(), right.split_first()) {
                (Some((a, left_rest)), Some((b, right_rest))) => {
                    (left, right) = (left_rest, right_rest);
                    a.cmp(b)
                }
                // One is a prefix of the other. Names with equal numbers differ in leading zeros.
                _ => return left.len().cmp(&right.len()).then_with(|| one.cmp(other)),
            }
        } else {
            left = &left[left_number.len()..];
            right = &right[right_number.len()..];
            let (a, b) = (without_zeros(left_number), without_zeros(right_number));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn leading_digits(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|byte| !byte.is_ascii_digit());
    &name[..end.unwrap_or(name.len())]
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|digit| *digit != b'0');
    &digits[start.unwrap_or(digits.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    use image::{Rgb, RgbImage};
    use tempfile::TempDir;

    const EACH: Duration = Duration::from_secs(1);

    fn picture(directory: &TempDir, name: &str, gray: u8) -> PathBuf {
        let path = directory.path().join(name);
        RgbImage::from_pixel(u32::from(gray), 2, Rgb([gray; 3]))
            .save(&path)
            .unwrap();
        path
    }

    /// Returns the file name and the gray level of the next picture.
    fn next(folder: &mut FolderFrames) -> Result<(String, u8), FrameError> {
        loop {
            match folder.next()? {
                NextFrame::Frame(frame) => {
                    assert_eq!(frame.duration, Some(EACH));
                    let mut pixels = vec![0; frame.metadata.payload_bytes()];
                    if folder.draw(&mut pixels)? == Drawn::Whole {
                        assert_eq!(u32::from(pixels[0]), frame.metadata.width);
                        return Ok((frame.metadata.file_name.unwrap(), pixels[0]));
                    }
                }
                NextFrame::NoFrame => {}
                NextFrame::End => panic!("a folder loops"),
            }
        }
    }

    #[test]
    fn pictures_loop_in_the_order_of_their_names() {
        let directory = tempfile::tempdir().unwrap();
        for (name, gray) in [("frame10.png", 10), ("frame9.png", 9), ("frame1.png", 1)] {
            picture(&directory, name, gray);
        }
        let mut folder = FolderFrames::open(directory.path(), EACH, Arc::default()).unwrap();
        for _ in 0..3 {
            for (name, gray) in [("frame1.png", 1), ("frame9.png", 9), ("frame10.png", 10)] {
                assert_eq!(next(&mut folder).unwrap(), (name.to_owned(), gray));
            }
        }
        assert_eq!(folder.notice(), None);
        // The next round lists the folder again.
        picture(&directory, "frame2.png", 2);
        fs::remove_file(directory.path().join("frame9.png")).unwrap();
        for gray in [1, 2, 10] {
            assert_eq!(next(&mut folder).unwrap().1, gray);
        }
    }

    #[test]
    fn files_that_are_not_pictures_are_skipped_and_counted() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.txt"), "no picture").unwrap();
        picture(&directory, "b.png", 7);
        let cut = picture(&directory, "c.png", 200);
        let bytes = fs::read(&cut).unwrap();
        fs::write(&cut, &bytes[..bytes.len() - 20]).unwrap();
        fs::create_dir(directory.path().join("d.png")).unwrap();
        picture(&directory, ".hidden.png", 8);
        let mut folder = FolderFrames::open(directory.path(), EACH, Arc::default()).unwrap();
        for _ in 0..3 {
            assert_eq!(next(&mut folder).unwrap().1, 7);
        }
        let notice = folder.notice().expect("two files are no pictures");
        assert!(notice.starts_with("2 files"), "{notice}");
    }

    #[test]
    fn a_folder_without_pictures_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let refused = |files: &str| {
            let mut folder = FolderFrames::open(directory.path(), EACH, Arc::default()).unwrap();
            let said = next(&mut folder).unwrap_err().to_string();
            assert!(
                said.contains("no picture") && said.contains(files),
                "{said}"
            );
        };
        refused("no files");
        fs::write(directory.path().join("a.txt"), "no picture").unwrap();
        refused("only file");
        fs::write(directory.path().join("b.png"), b"\x89PNG\r\n\x1a\n").unwrap();
        refused("its 2 files");
        let missing =
            FolderFrames::open(Path::new("/nonexistent"), EACH, Arc::default()).unwrap_err();
        assert!(
            missing.to_string().contains("folder does not exist"),
            "{missing}"
        );
    }

    #[test]
    fn names_are_in_natural_order() {
        let sorted = [
            "",
            "01",
            "1",
            "2",
            "2a",
            "10",
            "a",
            "a1",
            "a1b",
            "a02",
            "a9",
            "a10",
            "a10a",
            "b",
            "b99999999999999999999998",
            "b99999999999999999999999",
        ];
        for (index, one) in sorted.iter().enumerate() {
            for (other_index, other) in sorted.iter().enumerate() {
                let order = natural_order(one.as_bytes(), other.as_bytes());
                assert_eq!(order, index.cmp(&other_index), "{one} and {other}");
            }
        }
    }
}
