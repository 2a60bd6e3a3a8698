//! Why a picture file was not loaded.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use gui_common::picture::limit::Limit;
use gui_common::text::explain::Explain;
use gui_common::text::language;
use gui_common::tr;
use image::ImageError;
use image::error::UnsupportedErrorKind;
use shm_core::MetadataError;

use super::MAX_SIDE;

/// Why a picture file was not loaded.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum PictureError {
    /// The file cannot be opened or read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The underlying OS error.
        source: io::Error,
    },
    /// The path names a folder, a device, or something else that is not a regular file.
    NotAFile {
        /// The path.
        path: PathBuf,
        /// Whether it is a folder.
        is_directory: bool,
    },
    /// The file is not a picture, or a damaged one.
    NotAPicture {
        /// The file.
        path: PathBuf,
        /// The reason.
        flaw: Flaw,
    },
    /// The picture is, or claims to be, larger than [`MAX_SIDE`], or needs more memory than the
    /// limit.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The width and height, if they are known.
        sides: Option<(u32, u32)>,
        /// The memory that it needs in bytes, if that is known.
        needed: Option<u64>,
        /// The memory limit.
        limit: Limit,
    },
    /// The user cancelled it.
    Cancelled {
        /// The file.
        path: PathBuf,
    },
}

/// Why a file is not a picture that can be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Flaw {
    /// The file is truncated.
    Cut,
    /// The format is not supported.
    Format,
    /// The format is supported, but not this variant, such as a TIFF with a palette.
    Rare,
    /// The decoder panicked.
    Decoder,
    /// The animation has no frames.
    NoFrames,
    /// The size is out of bounds.
    Shape(MetadataError),
    /// Another error of the decoder.
    Other(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Flaw::Cut => tr!("flaw-cut"),
            Flaw::Format => tr!("flaw-format"),
            Flaw::Rare => tr!("flaw-rare"),
            Flaw::Decoder => tr!("flaw-decoder"),
            Flaw::NoFrames => tr!("flaw-frames"),
            Flaw::Shape(error) => tr!("flaw-other", reason = error.explain()),
            Flaw::Other(reason) => {
                tr!("flaw-other", reason = reason.trim_end_matches('.'))
            }
        })
    }
}

impl PictureError {
    /// Converts the error of a decoder.
    pub(crate) fn from_image(path: &Path, error: ImageError, limit: Limit) -> PictureError {
        let path = path.to_owned();
        match error {
            // An early end is a flaw of the file, not an OS error.
            ImageError::IoError(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                PictureError::NotAPicture {
                    path,
                    flaw: Flaw::Cut,
                }
            }
            ImageError::IoError(source) if source.raw_os_error().is_some() => {
                PictureError::Unreadable { path, source }
            }
            ImageError::Limits(_) => PictureError::TooLarge {
                path,
                sides: None,
                needed: None,
                limit,
            },
            ImageError::Unsupported(error) => PictureError::NotAPicture {
                path,
                flaw: match error.kind() {
                    UnsupportedErrorKind::Format(_) => Flaw::Format,
                    _ => Flaw::Rare,
                },
            },
            other => PictureError::NotAPicture {
                path,
                flaw: Flaw::Other(other.to_string()),
            },
        }
    }

    /// Returns what failed, in one sentence.
    pub(crate) fn headline(&self) -> String {
        match self {
            PictureError::Unreadable { path, .. } => {
                tr!("picture-unreadable", path = path.display())
            }
            PictureError::NotAFile { .. } | PictureError::NotAPicture { .. } => {
                tr!("picture-is-none")
            }
            PictureError::TooLarge { .. } => tr!("picture-too-large"),
            PictureError::Cancelled { path } => tr!("load-cancelled", name = path.display()),
        }
    }

    /// Returns the cause and the remedy.
    pub(crate) fn remedy(&self) -> String {
        match self {
            PictureError::Unreadable { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => tr!("file-not-found"),
                io::ErrorKind::PermissionDenied => tr!("file-not-permitted"),
                _ => tr!("system-says", reason = source),
            },
            PictureError::NotAFile { path, is_directory } => match is_directory {
                true => tr!("picture-is-folder", path = path.display()),
                false => tr!("picture-is-no-file", path = path.display()),
            },
            PictureError::NotAPicture { path, flaw } => tr!(
                "picture-reason",
                path = path.display(),
                reason = flaw.to_string()
            ),
            PictureError::TooLarge {
                path,
                sides,
                needed,
                limit,
            } => too_large(path, *sides, *needed, *limit),
            PictureError::Cancelled { .. } => tr!("load-cancelled-remedy"),
        }
    }
}

/// Returns the size of a picture, the memory that it needs, and the remedy.
fn too_large(path: &Path, sides: Option<(u32, u32)>, needed: Option<u64>, limit: Limit) -> String {
    let path = path.display();
    let claim = match sides {
        Some((width, height)) => tr!(
            "picture-claims",
            path = path,
            width = width,
            height = height
        ),
        None => tr!("picture-claims-more", path = path),
    };
    if sides.is_some_and(|(width, height)| width.max(height) > MAX_SIDE) {
        let longest = tr!("picture-side", side = MAX_SIDE);
        return language::sentences([claim, longest]);
    }
    let takes = match needed {
        Some(needed) => tr!(
            "picture-takes",
            needed = needed.div_ceil(1 << 20),
            limit = limit.to_string()
        ),
        None => tr!("picture-takes-more", limit = limit.to_string()),
    };
    let needed = needed.unwrap_or(limit.bytes().saturating_mul(2));
    let remedy = tr!(
        "picture-limit-remedy",
        limit = Limit::at_least(needed).to_string()
    );
    language::sentences([claim, takes, remedy])
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&language::sentences([self.headline(), self.remedy()]))
    }
}

impl error::Error for PictureError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            PictureError::Unreadable { source, .. } => Some(source),
            PictureError::NotAFile { .. }
            | PictureError::NotAPicture { .. }
            | PictureError::TooLarge { .. }
            | PictureError::Cancelled { .. } => None,
        }
    }
}
