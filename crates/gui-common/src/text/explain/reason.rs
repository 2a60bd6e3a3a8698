//! Explanations of an invalid file, sample, metadata or stream, as parts of a sentence.

use std::path::Path;

use qt_bridge::{NotThisReason, UnfitReason};
use shm_core::{
    ArrayMetadata, ForeignReason, ImageMetadata, InvalidSample, MetadataError, MetadataField,
    UnsafeDirectory, UnsafeReason,
};

use super::{Explain, user};
use crate::tr;

/// The maximum length of a name in the metadata or of the user data, in bytes.
const LONGEST_NAME: usize = 255;

/// Returns the path of a file and the reason why it is not a segment of the expected owner.
pub(super) fn of_file(path: &Path, reason: &ForeignReason) -> String {
    tr!(
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
                tr!("reason-owner", found = found, expected = expected)
            }
            ForeignReason::Directory { owner } => tr!("reason-directory", owner = user(*owner)),
            ForeignReason::SymbolicLink { owner } => tr!("reason-link", owner = user(*owner)),
            ForeignReason::NamedPipe { owner } => tr!("reason-pipe", owner = user(*owner)),
            ForeignReason::Socket { owner } => tr!("reason-socket", owner = user(*owner)),
            ForeignReason::Device { owner } => tr!("reason-device", owner = user(*owner)),
            ForeignReason::Magic => tr!("reason-magic"),
            ForeignReason::TooShort => tr!("reason-short"),
            ForeignReason::Kind { kind } => tr!("reason-kind", kind = kind),
            ForeignReason::Slots { count } => tr!("reason-slots", count = count),
            ForeignReason::Block { bytes } => tr!("reason-block", bytes = bytes),
            ForeignReason::Ring { bytes } => tr!("reason-ring", bytes = bytes),
            ForeignReason::CutShort { bytes, needed } => {
                tr!("reason-cut", bytes = bytes, whole = needed)
            }
            ForeignReason::Memory { bytes, memory } => {
                tr!("reason-memory", bytes = bytes, memory = memory)
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
                tr!("reason-unsafe-owner", path = path, owner = user(*owner))
            }
            UnsafeReason::Mode { mode } => {
                tr!(
                    "reason-unsafe-mode",
                    path = path,
                    mode = format!("{mode:o}")
                )
            }
            UnsafeReason::Io(error) => tr!("reason-at", path = path, reason = error),
            other => other.to_string(),
        }
    }
}

impl Explain for InvalidSample {
    fn explain(&self) -> String {
        match self {
            InvalidSample::Position => tr!("reason-positions"),
            InvalidSample::Record => tr!("reason-record"),
            InvalidSample::Sequence { sequence } => tr!("reason-sequence", sequence = sequence),
            InvalidSample::Payload { bytes } => tr!("reason-payload", bytes = bytes),
            InvalidSample::Region { number } => tr!("reason-region", region = number),
            InvalidSample::Memory { bytes } => tr!("reason-no-memory", bytes = bytes),
            InvalidSample::Metadata(error) => error.explain(),
            InvalidSample::Text { valid_up_to } => tr!("reason-utf8", at = valid_up_to),
            _ => self.to_string(),
        }
    }
}

impl Explain for MetadataError {
    fn explain(&self) -> String {
        match self {
            MetadataError::TooLong { field, bytes } => {
                let what = field.explain();
                tr!(
                    "reason-name",
                    what = what,
                    bytes = bytes,
                    most = LONGEST_NAME
                )
            }
            MetadataError::Sides { width, height } => {
                let most = ImageMetadata::MAX_SIDE;
                tr!("reason-sides", width = width, height = height, most = most)
            }
            MetadataError::Stride { row, stride } => {
                tr!("reason-stride", row = row, stride = stride)
            }
            MetadataError::ImageLength { needed, found } => {
                tr!("reason-pixels", needed = needed, found = found)
            }
            MetadataError::Dimensions { count } => {
                let most = ArrayMetadata::MAX_DIMENSIONS;
                tr!("reason-dimensions", count = count, most = most)
            }
            MetadataError::ArrayLength { needed, found } => {
                tr!("reason-array", needed = needed, found = found)
            }
            MetadataError::ArrayTooLarge => tr!("reason-array-too-large"),
            MetadataError::EndsEarly => tr!("reason-metadata-cut"),
            MetadataError::NotUtf8 => tr!("reason-metadata-utf8"),
            MetadataError::Repeated => tr!("reason-metadata-twice"),
            MetadataError::BytesBehind => tr!("reason-behind-metadata"),
            _ => self.to_string(),
        }
    }
}

impl Explain for MetadataField {
    fn explain(&self) -> String {
        match self {
            MetadataField::FileName => tr!("reason-file-name"),
            MetadataField::MediaType => tr!("reason-media-type"),
            MetadataField::UserData => tr!("reason-user-data"),
            MetadataField::HostName => tr!("reason-host-name"),
            MetadataField::ProgramName => tr!("reason-program-name"),
            _ => self.to_string(),
        }
    }
}

impl Explain for NotThisReason {
    fn explain(&self) -> String {
        match self {
            NotThisReason::TooShort { bytes } => tr!("reason-qt-few-bytes", bytes = bytes),
            NotThisReason::Length { bytes, room } => {
                tr!("reason-qt-length", bytes = bytes, room = room)
            }
            NotThisReason::Odd { bytes } => tr!("reason-qt-odd", bytes = bytes),
            NotThisReason::Mark { found } => tr!("reason-qt-mark", found = found),
            NotThisReason::NoNul => tr!("reason-qt-no-nul"),
            NotThisReason::Png { message } => tr!("reason-qt-png", reason = message),
            _ => self.to_string(),
        }
    }
}

impl Explain for UnfitReason {
    fn explain(&self) -> String {
        match self {
            UnfitReason::IsPicture => tr!("reason-qt-is-picture"),
            UnfitReason::NoPicture => tr!("reason-qt-no-picture"),
            UnfitReason::NotUtf8 => tr!("reason-qt-not-utf8"),
            UnfitReason::Nul => tr!("reason-qt-nul"),
            UnfitReason::Sides => tr!("reason-qt-sides"),
            UnfitReason::Rows => tr!("reason-qt-rows"),
            UnfitReason::NoPng => tr!("reason-qt-no-png"),
            _ => self.to_string(),
        }
    }
}
