//! Descriptions of contents in one line.

use gui_common::text::terminal;
use gui_common::text::units;
use shm_core::{ImageMetadata, Metadata};
use shm_io::Content;

use crate::report::annotation;

/// Describes a content in one line.
pub(super) fn content(content: &Content) -> String {
    let size = units::bytes(content.bytes().len() as u64);
    let mut line = match (content.image(), content.metadata(), content.sequence()) {
        (Some((metadata, pixels)), ..) => image(metadata, pixels.len()),
        (None, Some(metadata), Some(_)) => {
            let what = match content.array() {
                Some(array) => array.to_string(),
                None => metadata.media_type().to_owned(),
            };
            format!("{} · {} · {size}", content.kind(), terminal::line(&what))
        }
        (None, ..) => format!("{} · {size}", content.kind()),
    };
    if let Some(sequence) = content.sequence() {
        line.push_str(&format!(" · sequence {sequence}"));
        if let Some(file_name) = content.metadata().and_then(Metadata::file_name) {
            line.push_str(" · ");
            line.push_str(&terminal::line(file_name));
        }
        line.push_str(&annotation::origin_suffix(content));
    }
    line
}

/// Describes pixels in one line.
pub(super) fn image(metadata: &ImageMetadata, bytes: usize) -> String {
    format!(
        "image · {} × {} · {} · {}",
        metadata.width,
        metadata.height,
        metadata.format.name(),
        units::bytes(bytes as u64),
    )
}
