//! Where the frames of a stream come from: raw video, a test pattern, an animated GIF, a folder of
//! pictures. Each draws straight into memory that somebody else provides.

mod folder;
mod gif;
mod pace;
mod rate;
mod raw_video;
mod test_pattern;

use std::path::PathBuf;
use std::time::Duration;
use std::{error, fmt, io};

use app_kit::units;
use shm_core::{ImageMetadata, PixelFormat};

pub use folder::Folder;
pub use gif::Gif;
pub use pace::Pace;
pub use rate::Rate;
pub use raw_video::RawVideo;
pub use test_pattern::TestPattern;

use crate::picture_file::{MAX_PIXEL_BYTES, PictureError};

/// A source of frames.
pub trait Frames {
    /// Looks for the next frame. One that was found and not drawn is passed over.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; nothing more comes after it.
    fn find(&mut self) -> Result<Found, FrameError>;

    /// Draws the frame that was found last into `pixels`, which has as many bytes as its metadata
    /// says.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; nothing more comes after it.
    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError>;

    /// Says what of the source is left out, where something is.
    fn notice(&self) -> Option<String> {
        None
    }
}

/// What [`Frames::find`] came upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A frame, to be drawn.
    Frame(Frame),
    /// Something that is no frame; what comes next may be one.
    NoFrame,
    /// The end: there is nothing more to be found.
    End,
}

/// What a frame will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The shape of its pixels.
    pub metadata: ImageMetadata,
    /// How long it stands before the next one; `None` for as long as the next one takes.
    pub lasts: Option<Duration>,
}

/// What came of [`Frames::draw`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// The frame.
    Whole,
    /// Nothing that should be seen: the frame turned out to be damaged.
    Damaged,
}

/// Checks that frames of this shape can be held in memory, and describes them.
///
/// # Errors
///
/// [`FrameError::Size`] where they cannot.
pub fn shape(format: PixelFormat, width: u32, height: u32) -> Result<ImageMetadata, FrameError> {
    let metadata =
        ImageMetadata::packed(format, width, height).map_err(|reason| FrameError::Size {
            reason: reason.to_string(),
        })?;
    let bytes = u64::from(metadata.stride) * u64::from(metadata.height);
    if bytes > MAX_PIXEL_BYTES {
        let reason = format!(
            "one of {width} × {height} pixels takes {}, and {} MiB are the most",
            units::bytes(bytes),
            MAX_PIXEL_BYTES >> 20
        );
        return Err(FrameError::Size { reason });
    }
    Ok(metadata)
}

/// Why no more frames come.
#[derive(Debug)]
#[non_exhaustive]
pub enum FrameError {
    /// The program was asked to end while it waited for input.
    Stopped,
    /// Frames cannot be that small or that large.
    Size {
        /// What is wrong with the size, as the end of a sentence.
        reason: String,
    },
    /// The input cannot be read.
    Input(io::Error),
    /// The input ended in the middle of a frame.
    CutOff {
        /// How many bytes of the frame came.
        came: usize,
        /// How many it has.
        whole: usize,
    },
    /// The folder cannot be read.
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// There is no picture in the folder.
    NoPictures {
        /// The folder.
        path: PathBuf,
        /// How many files there are in it.
        files: u64,
    },
    /// The animation cannot be read.
    Animation(PictureError),
    /// The file is no GIF.
    NotAGif {
        /// The file.
        path: PathBuf,
    },
}

impl FrameError {
    /// Returns what is wrong, in one sentence.
    pub fn headline(&self) -> String {
        match self {
            FrameError::Stopped => "The stream was stopped.".to_owned(),
            FrameError::Size { .. } => "Frames cannot have that size.".to_owned(),
            FrameError::Input(_) => "The video cannot be read.".to_owned(),
            FrameError::CutOff { came, whole } => format!(
                "The video ended in the middle of a frame: {} of its {} bytes are missing.",
                units::count((whole - came) as u64),
                units::count(*whole as u64)
            ),
            FrameError::Folder { path, .. } => {
                format!("The folder {} cannot be read.", path.display())
            }
            FrameError::NoPictures { path, .. } => {
                format!("There is no picture in the folder {}.", path.display())
            }
            FrameError::Animation(error) => error.headline(),
            FrameError::NotAGif { .. } => "Selected file is not an animated GIF.".to_owned(),
        }
    }

    /// Returns the reason and what to do.
    pub fn remedy(&self) -> String {
        match self {
            FrameError::Stopped => "Start it again when you like.".to_owned(),
            FrameError::Size { reason } => format!("Choose another: {reason}."),
            FrameError::Input(source) => format!("The system says: {source}."),
            FrameError::CutOff { .. } => {
                "If it came whole, --size or --format is not what its writer has: the bytes of a \
                 frame must be the same on both sides."
                    .to_owned()
            }
            FrameError::Folder { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "There is no such folder: check the path.".to_owned(),
                io::ErrorKind::PermissionDenied => {
                    "The system does not permit it: check who owns the folder and its mode."
                        .to_owned()
                }
                _ => format!("The system says: {source}."),
            },
            FrameError::NoPictures { files, .. } => match files {
                0 => "It has no files: choose another.".to_owned(),
                1 => "Its only file is none: choose another.".to_owned(),
                files => format!(
                    "None of its {} files is one: choose another.",
                    units::count(*files)
                ),
            },
            FrameError::Animation(error) => error.remedy(),
            FrameError::NotAGif { path } => format!(
                "{} is something else. A picture that stands still is loaded by \"Load Image From \
                 File...\".",
                path.display()
            ),
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.headline(), self.remedy())
    }
}

impl error::Error for FrameError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            FrameError::Input(source) | FrameError::Folder { source, .. } => Some(source),
            FrameError::Animation(source) => Some(source),
            FrameError::Stopped
            | FrameError::Size { .. }
            | FrameError::CutOff { .. }
            | FrameError::NoPictures { .. }
            | FrameError::NotAGif { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_sizes_are_refused_by_sides_and_by_bytes() {
        assert!(shape(PixelFormat::Rgba8, 3840, 2160).is_ok());
        assert!(shape(PixelFormat::Gray8, 32_768, 32_768).is_ok());
        let sides = shape(PixelFormat::Gray8, 65_536, 1)
            .unwrap_err()
            .to_string();
        assert!(sides.contains("65535 a side"), "{sides}");
        assert!(shape(PixelFormat::Gray8, 0, 1).is_err());
        let bytes = shape(PixelFormat::Rgba8, 65_535, 65_535)
            .unwrap_err()
            .to_string();
        assert!(
            bytes.contains("17.1 GB") && bytes.contains("1024 MiB"),
            "{bytes}"
        );
    }
}
