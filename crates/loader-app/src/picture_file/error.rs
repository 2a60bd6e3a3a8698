//! Why a picture file was not loaded.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use image::ImageError;
use image::error::UnsupportedErrorKind;

use super::{MAX_PIXEL_BYTES, MAX_SIDE};

/// What is said of a file that was cut.
pub(super) const TOO_SHORT: &str = "it ends too early";

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
        /// What the decoder said.
        reason: String,
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

impl PictureError {
    /// Takes over what a decoder says.
    pub(crate) fn from_image(path: &Path, error: ImageError) -> PictureError {
        let path = path.to_owned();
        match error {
            // The file ended too early: that is the picture's fault, not the system's.
            ImageError::IoError(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                PictureError::NotAPicture {
                    path,
                    reason: TOO_SHORT.to_owned(),
                }
            }
            ImageError::IoError(source) if source.raw_os_error().is_some() => {
                PictureError::Unreadable { path, source }
            }
            ImageError::Limits(_) => PictureError::TooLarge { path, sides: None },
            ImageError::Unsupported(error) => PictureError::NotAPicture {
                path,
                reason: match error.kind() {
                    UnsupportedErrorKind::Format(_) => "its format is not known",
                    // Such as a palette in a TIFF.
                    _ => "it is of a rare kind that cannot be read: save it as PNG first",
                }
                .to_owned(),
            },
            other => PictureError::NotAPicture {
                path,
                reason: other.to_string(),
            },
        }
    }

    /// Returns what is wrong, in one sentence.
    pub fn headline(&self) -> String {
        match self {
            PictureError::Unreadable { path, .. } => {
                format!("The file {} cannot be read.", path.display())
            }
            PictureError::NotAFile { .. } | PictureError::NotAPicture { .. } => {
                "Selected file is not an image, please select another.".to_owned()
            }
            PictureError::TooLarge { .. } => "The image is too large.".to_owned(),
            PictureError::Cancelled { path } => {
                format!("Cancelled: {} was not loaded.", path.display())
            }
        }
    }

    /// Returns the reason and what to do.
    pub fn remedy(&self) -> String {
        match self {
            PictureError::Unreadable { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "There is no such file: check the path.".to_owned(),
                io::ErrorKind::PermissionDenied => {
                    "The system does not permit it: check who owns the file and its mode."
                        .to_owned()
                }
                _ => format!("The system says: {source}."),
            },
            PictureError::NotAFile { path, is_directory } => {
                let what = if *is_directory {
                    "a folder"
                } else {
                    "no regular file"
                };
                format!("{} is {what}.", path.display())
            }
            PictureError::NotAPicture { path, reason } => {
                format!("{}: {}.", path.display(), reason.trim_end_matches('.'))
            }
            PictureError::TooLarge { path, sides } => {
                let path = path.display();
                let claim = match sides {
                    Some((width, height)) => {
                        format!("{path} claims {width} × {height} pixels.")
                    }
                    None => format!("{path} claims more pixels than can be loaded."),
                };
                format!(
                    "{claim} At most {MAX_SIDE} a side and {} MiB of pixels can be loaded: scale it down first.",
                    MAX_PIXEL_BYTES >> 20
                )
            }
            PictureError::Cancelled { .. } => "What was loaded before stays.".to_owned(),
        }
    }
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.headline(), self.remedy())
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
