//! Export of a content to a file or to the clipboard.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use gui_common::desktop::clipboard::{Copied, Pixels};
use gui_common::desktop::save_file::{SaveFile, SaveFileError};
use gui_common::picture::drawable::Picture;
use gui_common::picture::limit::Limit;
use gui_common::picture::pixels::Rows;
use gui_common::session::snapshot::{Preview, Snapshot};
use gui_common::text::explain::Explain;
use gui_common::text::units;
use gui_common::tr;
use shm_core::{ImageMetadata, PixelFormat, ReadError, escape};
use shm_io::Content;

use crate::npy;
use crate::picture_file::{self, PictureFileError};

/// Writes a content to a file: a picture in the format of the file's extension, an array with a
/// header if the extension is `npy`, any other content byte for byte.
///
/// # Errors
///
/// Returns an error if the content is damaged, if the file cannot be written, or if a picture needs
/// more memory than `limit`.
pub(crate) fn save(content: &Content, file: SaveFile<'_>, limit: Limit) -> Result<(), ExportError> {
    if let Some(text) = content.text()? {
        return save_bytes(&[text.as_bytes()], file, || Ok(()));
    }
    let verify = || content.verify();
    if let Some((metadata, pixels)) = content.image() {
        return save_picture(metadata, pixels, file, limit, verify);
    }
    match content.array() {
        Some(array) if npy::has_extension(file.path()) => {
            save_bytes(&[&npy::header(array), content.bytes()], file, verify)
        }
        _ => save_bytes(&[content.bytes()], file, verify),
    }
}

/// Writes a snapshot to a file, which may be only a part of the content.
pub(crate) fn save_snapshot(snapshot: &Snapshot, file: SaveFile<'_>) -> Result<(), ExportError> {
    match &snapshot.content {
        Preview::Text(text) => save_bytes(&[text.shown.as_bytes()], file, || Ok(())),
        Preview::Bytes(bytes) => save_bytes(&[&bytes.head], file, || Ok(())),
        Preview::Picture(picture) => {
            let rows = held_pixels(picture).ok_or(ExportError::Nothing)?;
            let metadata = ImageMetadata::packed(PixelFormat::Rgba8, rows.width(), rows.height())
                .map_err(|_| ExportError::Nothing)?;
            let pixels = rows.to_rgba();
            save_picture(&metadata, &pixels, file, Limit::DEFAULT, || Ok(()))
        }
        Preview::Empty => Err(ExportError::Nothing),
    }
}

/// Converts a content for the clipboard.
pub(crate) fn copy(content: &Content) -> Result<Copied, ExportError> {
    if content.is_empty() {
        return Err(ExportError::Nothing);
    }
    if let Some(text) = content.text()? {
        return Ok(Copied::Text(text.into_owned()));
    }
    let (metadata, pixels) = content.image().ok_or(ExportError::OnlyFile)?;
    let rows = Rows::new(metadata, pixels).map_err(PictureFileError::from)?;
    picture_file::check_copy(metadata, pixels)?;
    let pixels = pixels_of(&rows);
    content.verify()?;
    Ok(Copied::Picture(pixels))
}

/// Converts a snapshot for the clipboard, which may be only a part of the content.
pub(crate) fn copy_snapshot(snapshot: &Snapshot) -> Result<Copied, ExportError> {
    match &snapshot.content {
        Preview::Text(text) => Ok(Copied::Text(text.shown.clone())),
        Preview::Picture(picture) => {
            let rows = held_pixels(picture).ok_or(ExportError::Nothing)?;
            Ok(Copied::Picture(pixels_of(&rows)))
        }
        Preview::Bytes(_) => Err(ExportError::OnlyFile),
        Preview::Empty => Err(ExportError::Nothing),
    }
}

/// Describes the part of the content that a snapshot holds, or returns `None` if it holds all:
/// `the first 131 kB of 10 MB`.
pub(crate) fn held_part(snapshot: &Snapshot) -> Option<String> {
    match &snapshot.content {
        Preview::Text(text) if !text.is_whole => Some(first_part(text.shown.len(), snapshot.bytes)),
        Preview::Bytes(bytes) if (bytes.head.len() as u64) < snapshot.bytes => {
            Some(first_part(bytes.head.len(), snapshot.bytes))
        }
        Preview::Picture(picture) if picture.all_pixels().is_none() => {
            let rows = picture.overview_pixels()?;
            Some(tr!(
                "part-smaller",
                width = rows.width(),
                height = rows.height(),
                whole_width = picture.width,
                whole_height = picture.height
            ))
        }
        _ => None,
    }
}

fn first_part(part: usize, whole: u64) -> String {
    let (part, whole) = (units::bytes(part as u64), units::bytes(whole));
    tr!("part-first", part = part, whole = whole)
}

/// Suggests a file name: the name of the loaded file, or the key, with the extension of the format.
pub(crate) fn file_name(snapshot: &Snapshot) -> String {
    let key = snapshot.key.as_str();
    let (file_name, extension) = match &snapshot.content {
        Preview::Text(_) | Preview::Empty => (None, Some("txt")),
        Preview::Picture(picture) => (picture.file_name.as_deref(), Some("png")),
        Preview::Bytes(bytes) => match bytes.file_name.as_deref() {
            Some(file_name) => (Some(file_name), None),
            None if bytes.array.is_some() => (None, Some("npy")),
            None => (None, Some("bin")),
        },
    };
    // Untrusted input: only the last component is used.
    let name = file_name.and_then(|name| Path::new(name).file_name()?.to_str());
    let Some(extension) = extension else {
        return sanitized(name.unwrap_or(key));
    };
    match name.and_then(|name| Path::new(name).file_stem()?.to_str()) {
        Some(stem) => sanitized(&format!("{stem}.{extension}")),
        None => sanitized(&format!("{key}.{extension}")),
    }
}

fn sanitized(name: &str) -> String {
    // A Qt key may be a path.
    let replaced = |character: char| match escape::is_hidden(character) || character == '/' {
        true => '_',
        false => character,
    };
    match name.trim_start_matches('.') {
        "" => "content".to_owned(),
        name => name.chars().map(replaced).collect(),
    }
}

/// Adds the extension `png` to a path of a picture that has none.
pub(crate) fn with_extension(snapshot: &Snapshot, path: PathBuf) -> PathBuf {
    match snapshot.content {
        Preview::Picture(_) if path.extension().is_none() => path.with_extension("png"),
        _ => path,
    }
}

/// Returns all pixels of a picture if it holds them, else those of its overview.
fn held_pixels(picture: &Picture) -> Option<Rows<'_>> {
    picture.all_pixels().or_else(|| picture.overview_pixels())
}

fn pixels_of(rows: &Rows<'_>) -> Pixels {
    Pixels {
        width: rows.width(),
        height: rows.height(),
        rgba: rows.to_rgba(),
    }
}

/// Writes bytes to a file. `verify` fails if their shared memory was truncated, and takes
/// precedence over an error of the file.
fn save_bytes(
    parts: &[&[u8]],
    file: SaveFile<'_>,
    verify: impl FnOnce() -> Result<(), ReadError>,
) -> Result<(), ExportError> {
    file.write(|writer| {
        let written = parts.iter().try_for_each(|part| writer.write_all(part));
        verify()?;
        written.map_err(|source| SaveFileError::at(file.path(), source).into())
    })
}

fn save_picture(
    metadata: &ImageMetadata,
    payload: &[u8],
    file: SaveFile<'_>,
    limit: Limit,
    verify: impl FnOnce() -> Result<(), ReadError>,
) -> Result<(), ExportError> {
    let format = picture_file::format_of(file.path())?;
    file.write(|writer| {
        let written = picture_file::encode(metadata, payload, format, limit, writer);
        verify()?;
        written.map_err(|error| match error {
            PictureFileError::Io(source) => SaveFileError::at(file.path(), source).into(),
            error => ExportError::Picture(error),
        })
    })
}

/// The error of exporting a content.
#[derive(Debug)]
pub(crate) enum ExportError {
    /// The file could not be written.
    File(SaveFileError),
    /// The picture cannot be stored in this file format.
    Picture(PictureFileError),
    /// The segment is damaged or truncated.
    Read(ReadError),
    /// The content is neither a text nor a picture, so it can only go to a file.
    OnlyFile,
    /// There is no content.
    Nothing,
}

impl From<SaveFileError> for ExportError {
    fn from(error: SaveFileError) -> ExportError {
        ExportError::File(error)
    }
}

impl From<PictureFileError> for ExportError {
    fn from(error: PictureFileError) -> ExportError {
        ExportError::Picture(error)
    }
}

impl From<ReadError> for ExportError {
    fn from(error: ReadError) -> ExportError {
        ExportError::Read(error)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::File(error) => error.fmt(formatter),
            ExportError::Picture(error) => error.fmt(formatter),
            ExportError::Read(error) => formatter.write_str(&error.explain()),
            ExportError::OnlyFile => formatter.write_str(&tr!("export-only-file")),
            ExportError::Nothing => formatter.write_str(&tr!("export-nothing")),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ExportError::File(error) => Some(error),
            ExportError::Picture(error) => Some(error),
            ExportError::Read(error) => Some(error),
            ExportError::OnlyFile | ExportError::Nothing => None,
        }
    }
}
