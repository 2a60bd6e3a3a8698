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
        /// The system's word.
        source: io::Error,
    },
    /// It is a folder, a device, or something else that is no file.
    NotAFile {
        /// What was chosen.
        path: PathBuf,
        /// Whether it is a folder.
        is_directory: bool,
    },
    /// It is a file, and no picture, or a damaged one.
    NotAPicture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// It is, or claims to be, larger than [`MAX_SIDE`] or takes more memory than the limit.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Width and height, where they are known.
        sides: Option<(u32, u32)>,
        /// How much memory it would take, where that is known.
        needed: Option<u64>,
        /// How much it may take.
        limit: Limit,
    },
    /// Nobody wanted it any more.
    Cancelled {
        /// The file.
        path: PathBuf,
    },
}

/// What is wrong with a file that is no picture, or a damaged one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Flaw {
    /// It was cut.
    Cut,
    /// It is of no known format.
    Format,
    /// Its format is known, and not this kind of it, such as a palette in a TIFF.
    Rare,
    /// Its decoder died of it.
    Decoder,
    /// It is an animation without a frame.
    NoFrames,
    /// Its sides are out of bounds.
    Shape(MetadataError),
    /// Something else; what the decoder said.
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
    /// Takes over what a decoder says.
    pub(crate) fn from_image(path: &Path, error: ImageError, limit: Limit) -> PictureError {
        let path = path.to_owned();
        match error {
            // The file ended too early: that is the picture's fault, not the system's.
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

    /// Returns what is wrong, in one sentence.
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

    /// Returns the reason and what to do.
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

/// Says how large a picture is and what it would take, and how it can be loaded all the same.
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
        limit = Limit::that_admits(needed).to_string()
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
