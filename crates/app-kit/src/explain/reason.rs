//! What is wrong with a file, a sample, metadata or a stream, as a part of a sentence.

use std::path::Path;

use qt_bridge::{NotThisReason, UnfitReason};
use shm_core::{
    ArrayMetadata, ForeignReason, ImageMetadata, InvalidSample, MetadataError, MetadataField,
    UnsafeDirectory, UnsafeReason,
};

use super::{Explain, user};
use crate::say;

/// The most bytes that a name in the metadata or the user data can have.
const LONGEST_NAME: usize = 255;

/// Says why a file is no segment of the expected owner, and which file.
pub(super) fn of_file(path: &Path, reason: &ForeignReason) -> String {
    say!(
        "reason-at",
        path = path.display(),
        reason = reason.explain()
    )
}

impl Explain for ForeignReason {
    fn explain(&self) -> String {
        match self {
            ForeignReason::Owner { found, expected } => {
                let (found, expected) = (user(*found), user(*expected));
                say!("reason-owner", found = found, expected = expected)
            }
            ForeignReason::Directory { owner } => say!("reason-directory", owner = user(*owner)),
            ForeignReason::SymbolicLink { owner } => say!("reason-link", owner = user(*owner)),
            ForeignReason::NamedPipe { owner } => say!("reason-pipe", owner = user(*owner)),
            ForeignReason::Socket { owner } => say!("reason-socket", owner = user(*owner)),
            ForeignReason::Device { owner } => say!("reason-device", owner = user(*owner)),
            ForeignReason::Magic => say!("reason-magic"),
            ForeignReason::TooShort => say!("reason-short"),
            ForeignReason::Kind { kind } => say!("reason-kind", kind = kind),
            ForeignReason::Slots { count } => say!("reason-slots", count = count),
            ForeignReason::Block { bytes } => say!("reason-block", bytes = bytes),
            ForeignReason::Ring { bytes } => say!("reason-ring", bytes = bytes),
            ForeignReason::CutShort { bytes, needed } => {
                say!("reason-cut", bytes = bytes, whole = needed)
            }
            ForeignReason::Memory { bytes, memory } => {
                say!("reason-memory", bytes = bytes, memory = memory)
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for UnsafeDirectory {
    fn explain(&self) -> String {
        let path = self.path.display();
        match &self.reason {
            UnsafeReason::Owner { owner } => {
                say!("reason-unsafe-owner", path = path, owner = user(*owner))
            }
            UnsafeReason::Mode { mode } => {
                say!(
                    "reason-unsafe-mode",
                    path = path,
                    mode = format!("{mode:o}")
                )
            }
            UnsafeReason::Io(error) => say!("reason-at", path = path, reason = error),
            other => other.to_string(),
        }
    }
}

impl Explain for InvalidSample {
    fn explain(&self) -> String {
        match self {
            InvalidSample::Position => say!("reason-positions"),
            InvalidSample::Record => say!("reason-record"),
            InvalidSample::Sequence { sequence } => say!("reason-sequence", sequence = sequence),
            InvalidSample::Payload { bytes } => say!("reason-payload", bytes = bytes),
            InvalidSample::Region { number } => say!("reason-region", region = number),
            InvalidSample::Memory { bytes } => say!("reason-no-memory", bytes = bytes),
            InvalidSample::Metadata(error) => error.explain(),
            InvalidSample::Text { valid_up_to } => say!("reason-utf8", at = valid_up_to),
            _ => self.to_string(),
        }
    }
}

impl Explain for MetadataError {
    fn explain(&self) -> String {
        match self {
            MetadataError::TooLong { field, bytes } => {
                let what = field.explain();
                say!(
                    "reason-name",
                    what = what,
                    bytes = bytes,
                    most = LONGEST_NAME
                )
            }
            MetadataError::Sides { width, height } => {
                let most = ImageMetadata::MAX_SIDE;
                say!("reason-sides", width = width, height = height, most = most)
            }
            MetadataError::Stride { row, stride } => {
                say!("reason-stride", row = row, stride = stride)
            }
            MetadataError::ImageLength { needed, found } => {
                say!("reason-pixels", needed = needed, found = found)
            }
            MetadataError::Dimensions { count } => {
                let most = ArrayMetadata::MAX_DIMENSIONS;
                say!("reason-dimensions", count = count, most = most)
            }
            MetadataError::ArrayLength { needed, found } => {
                say!("reason-array", needed = needed, found = found)
            }
            MetadataError::ArrayTooLarge => say!("reason-array-too-large"),
            MetadataError::EndsEarly => say!("reason-metadata-cut"),
            MetadataError::NotUtf8 => say!("reason-metadata-utf8"),
            MetadataError::Repeated => say!("reason-metadata-twice"),
            MetadataError::BytesBehind => say!("reason-behind-metadata"),
            _ => self.to_string(),
        }
    }
}

impl Explain for MetadataField {
    fn explain(&self) -> String {
        match self {
            MetadataField::FileName => say!("reason-file-name"),
            MetadataField::MediaType => say!("reason-media-type"),
            MetadataField::UserData => say!("reason-user-data"),
            MetadataField::HostName => say!("reason-host-name"),
            MetadataField::ProgramName => say!("reason-program-name"),
            _ => self.to_string(),
        }
    }
}

impl Explain for NotThisReason {
    fn explain(&self) -> String {
        match self {
            NotThisReason::TooShort { bytes } => say!("reason-qt-few-bytes", bytes = bytes),
            NotThisReason::Length { bytes, room } => {
                say!("reason-qt-length", bytes = bytes, room = room)
            }
            NotThisReason::Odd { bytes } => say!("reason-qt-odd", bytes = bytes),
            NotThisReason::Mark { found } => say!("reason-qt-mark", found = found),
            NotThisReason::NoNul => say!("reason-qt-no-nul"),
            NotThisReason::Png { message } => say!("reason-qt-png", reason = message),
            _ => self.to_string(),
        }
    }
}

impl Explain for UnfitReason {
    fn explain(&self) -> String {
        match self {
            UnfitReason::IsPicture => say!("reason-qt-is-picture"),
            UnfitReason::NoPicture => say!("reason-qt-no-picture"),
            UnfitReason::NotUtf8 => say!("reason-qt-not-utf8"),
            UnfitReason::Nul => say!("reason-qt-nul"),
            UnfitReason::Sides => say!("reason-qt-sides"),
            UnfitReason::Rows => say!("reason-qt-rows"),
            UnfitReason::NoPng => say!("reason-qt-no-png"),
            _ => self.to_string(),
        }
    }
}
