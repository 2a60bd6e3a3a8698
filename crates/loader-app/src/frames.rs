//! The sources of a stream's frames: raw video, a test pattern, an animated GIF, a folder of
//! pictures. Each draws directly into the caller's memory.

mod folder;
mod gif;
mod rate;
mod raw_video;
mod schedule;
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

pub(crate) use folder::FolderFrames;
pub(crate) use gif::GifFrames;
pub(crate) use rate::Rate;
pub(crate) use raw_video::RawVideo;
pub(crate) use schedule::FrameSchedule;
pub(crate) use shm_io::Drawn;
pub(crate) use test_pattern::TestPattern;

use crate::picture_file::PictureError;

/// A source of frames.
pub(crate) trait FrameReader {
    /// Goes on to the next frame. Skips the current frame if it was not drawn.
    ///
    /// # Errors
    ///
    /// Returns a [`FrameError`]; no frame follows it.
    fn next(&mut self) -> Result<NextFrame, FrameError>;

    /// Draws the current frame into `pixels`, whose length is that of its metadata. After
    /// [`Drawn::Paused`], the next call continues with the same `pixels`.
    ///
    /// # Errors
    ///
    /// Returns a [`FrameError`]; no frame follows it.
    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError>;

    /// Returns a text about the parts of the source that cannot be shown.
    fn notice(&self) -> Option<String> {
        None
    }
}

/// The result of [`FrameReader::next`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextFrame {
    /// A frame, not drawn yet.
    Frame(FrameInfo),
    /// No frame yet; a later call may return one.
    NoFrame,
    /// The end of the source.
    End,
}

/// The description of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameInfo {
    /// The metadata of its pixels.
    pub(crate) metadata: ImageMetadata,
    /// The time until the next frame is due; `None` if that is due as soon as it is ready.
    pub(crate) duration: Option<Duration>,
}

/// Returns the metadata of frames of this format and size.
///
/// # Errors
///
/// Returns [`FrameError::Size`] if the size is invalid or a frame needs more memory than `limit`.
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
            enough = Limit::at_least(bytes).to_string()
        );
        return Err(FrameError::Size { reason });
    }
    Ok(metadata)
}

/// Why a source of frames failed.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum FrameError {
    /// A signal arrived during the wait for input.
    Stopped,
    /// The size of the frames is too small or too large.
    Size {
        /// The reason, as the end of a sentence.
        reason: String,
    },
    /// The input cannot be read.
    Input(io::Error),
    /// The input ended in the middle of a frame.
    CutOff {
        /// The number of bytes of the frame that were read.
        came: usize,
        /// The number of bytes of a frame.
        whole: usize,
    },
    /// The folder cannot be read.
    Folder {
        /// The folder.
        path: PathBuf,
        /// The underlying OS error.
        source: io::Error,
    },
    /// The folder contains no pictures.
    NoPictures {
        /// The folder.
        path: PathBuf,
        /// The number of files in it.
        files: u64,
    },
    /// The animation cannot be read.
    Animation(PictureError),
    /// The file is not a GIF.
    NotAGif {
        /// The file.
        path: PathBuf,
    },
}

impl FrameError {
    /// Returns what failed, in one sentence.
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

    /// Returns the cause and the remedy.
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
    fn a_size_beyond_the_bounds_or_the_memory_limit_is_refused() {
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
