//! Why a picture file was not loaded.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use app_kit::explain::explain_reason;
use app_kit::{language, say};
use image::ImageError;
use image::error::UnsupportedErrorKind;

use super::{MAX_PIXEL_BYTES, MAX_SIDE};

/// Why a picture file was not loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum PictureError {
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
    /// It is, or claims to be, larger than [`MAX_SIDE`] or [`MAX_PIXEL_BYTES`] allow.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Width and height, where the decoder got that far.
        sides: Option<(u32, u32)>,
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
pub enum Flaw {
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
    /// Something else; what the decoder said.
    Other(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Flaw::Cut => say!("flaw-cut"),
            Flaw::Format => say!("flaw-format"),
            Flaw::Rare => say!("flaw-rare"),
            Flaw::Decoder => say!("flaw-decoder"),
            Flaw::NoFrames => say!("flaw-frames"),
            Flaw::Other(reason) => {
                let reason = explain_reason(reason.trim_end_matches('.'));
                say!("flaw-other", reason = reason)
            }
        })
    }
}

impl PictureError {
    /// Takes over what a decoder says.
    pub(crate) fn from_image(path: &Path, error: ImageError) -> PictureError {
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
            ImageError::Limits(_) => PictureError::TooLarge { path, sides: None },
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
    pub fn headline(&self) -> String {
        match self {
            PictureError::Unreadable { path, .. } => {
                say!("picture-unreadable", path = path.display())
            }
            PictureError::NotAFile { .. } | PictureError::NotAPicture { .. } => {
                say!("picture-is-none")
            }
            PictureError::TooLarge { .. } => say!("picture-too-large"),
            PictureError::Cancelled { path } => say!("load-cancelled", name = path.display()),
        }
    }

    /// Returns the reason and what to do.
    pub fn remedy(&self) -> String {
        match self {
            PictureError::Unreadable { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => say!("file-not-found"),
                io::ErrorKind::PermissionDenied => say!("file-not-permitted"),
                _ => say!("system-says", reason = source),
            },
            PictureError::NotAFile { path, is_directory } => match is_directory {
                true => say!("picture-is-folder", path = path.display()),
                false => say!("picture-is-no-file", path = path.display()),
            },
            PictureError::NotAPicture { path, flaw } => say!(
                "picture-reason",
                path = path.display(),
                reason = flaw.to_string()
            ),
            PictureError::TooLarge { path, sides } => {
                let path = path.display();
                let claim = match sides {
                    Some((width, height)) => {
                        say!(
                            "picture-claims",
                            path = path,
                            width = width,
                            height = height
                        )
                    }
                    None => say!("picture-claims-more", path = path),
                };
                let limits = say!(
                    "picture-limits",
                    side = MAX_SIDE,
                    size = MAX_PIXEL_BYTES >> 20
                );
                language::sentences([claim, limits])
            }
            PictureError::Cancelled { .. } => say!("load-cancelled-remedy"),
        }
    }
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
