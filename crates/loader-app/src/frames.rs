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

use gui_common::picture::limit::Limit;
use gui_common::text::explain::Explain;
use gui_common::text::language;
use gui_common::text::units;
use gui_common::tr;
use shm_core::{ImageMetadata, PixelFormat};

pub(crate) use folder::Folder;
pub(crate) use gif::Gif;
pub(crate) use pace::Pace;
pub(crate) use rate::Rate;
pub(crate) use raw_video::RawVideo;
pub(crate) use shm_io::Drawn;
pub(crate) use test_pattern::TestPattern;

use crate::picture_file::PictureError;

/// A source of frames.
pub(crate) trait Frames {
    /// Looks for the next frame. One that was found and not drawn is passed over.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; nothing more comes after it.
    fn find(&mut self) -> Result<Found, FrameError>;

    /// Draws the frame that was found last into `pixels`, which has as many bytes as its metadata
    /// says. After [`Drawn::Paused`] it goes on, with what was drawn before in `pixels`.
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
pub(crate) enum Found {
    /// A frame, to be drawn.
    Frame(Frame),
    /// Something that is no frame; what comes next may be one.
    NoFrame,
    /// The end: there is nothing more to be found.
    End,
}

/// What a frame will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The shape of its pixels.
    pub(crate) metadata: ImageMetadata,
    /// How long it stands before the next one; `None` for as long as the next one takes.
    pub(crate) lasts: Option<Duration>,
}

/// Checks that a frame of this shape takes no more memory than `limit`, and describes it.
///
/// # Errors
///
/// [`FrameError::Size`] where they cannot.
pub(crate) fn shape(
    format: PixelFormat,
    width: u32,
    height: u32,
    limit: Limit,
) -> Result<ImageMetadata, FrameError> {
    let metadata =
        ImageMetadata::packed(format, width, height).map_err(|reason| FrameError::Size {
            reason: reason.explain(),
        })?;
    let bytes = u64::from(metadata.stride) * u64::from(metadata.height);
    if bytes > limit.bytes() {
        let reason = tr!(
            "frames-size-bytes",
            width = width,
            height = height,
            needed = bytes.div_ceil(1 << 20),
            limit = limit.to_string(),
            enough = Limit::that_admits(bytes).to_string()
        );
        return Err(FrameError::Size { reason });
    }
    Ok(metadata)
}

/// Why no more frames come.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum FrameError {
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
    pub(crate) fn headline(&self) -> String {
        match self {
            FrameError::Stopped => tr!("frames-stopped"),
            FrameError::Size { .. } => tr!("frames-size"),
            FrameError::Input(_) => tr!("frames-input"),
            FrameError::CutOff { came, whole } => tr!(
                "frames-cut-off",
                missing = units::count((whole - came) as u64),
                whole = units::count(*whole as u64)
            ),
            FrameError::Folder { path, .. } => tr!("frames-folder", path = path.display()),
            FrameError::NoPictures { path, .. } => {
                tr!("frames-no-pictures", path = path.display())
            }
            FrameError::Animation(error) => error.headline(),
            FrameError::NotAGif { .. } => tr!("frames-not-a-gif"),
        }
    }

    /// Returns the reason and what to do.
    pub(crate) fn remedy(&self) -> String {
        match self {
            FrameError::Stopped => tr!("frames-stopped-remedy"),
            FrameError::Size { reason } => tr!("frames-size-remedy", reason = reason),
            FrameError::Input(source) => tr!("system-says", reason = source),
            FrameError::CutOff { .. } => tr!("frames-cut-off-remedy"),
            FrameError::Folder { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => tr!("frames-folder-not-found"),
                io::ErrorKind::PermissionDenied => tr!("frames-folder-not-permitted"),
                _ => tr!("system-says", reason = source),
            },
            FrameError::NoPictures { files, .. } => tr!(
                "frames-no-pictures-remedy",
                count = files,
                files = units::count(*files)
            ),
            FrameError::Animation(error) => error.remedy(),
            FrameError::NotAGif { path } => {
                tr!("frames-not-a-gif-remedy", path = path.display())
            }
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&language::sentences([self.headline(), self.remedy()]))
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
        let shape = |format, width, height| shape(format, width, height, Limit::DEFAULT);
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
        for words in [
            "65535 × 65535",
            "takes 16384 MiB",
            "limit is 1G",
            "--limit 16G",
        ] {
            assert!(bytes.contains(words), "{bytes}");
        }
    }
}
