//! Raw video: the pixels of each picture, without headers.

use std::io::{ErrorKind, Write};
use std::path::Path;

use gui_common::desktop::save_file::{SaveFile, SaveFileError};
use gui_common::picture::pixels::Rows;
use gui_common::text::terminal;
use shm_core::{ImageMetadata, PixelFormat};
use shm_io::Content;

use crate::cli::failure::Failure;
use crate::output::{Output, OutputError};

/// Writes pixels without headers; all pictures must have one shape.
pub(super) struct RawWriter {
    writer: Box<dyn Write>,
    /// The destination, for errors.
    name: String,
    shape: Option<FrameShape>,
}

/// The properties that must not change, because raw video has no headers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FrameShape {
    width: u32,
    height: u32,
    format: PixelFormat,
}

impl RawWriter {
    pub(super) fn open(output: &Output) -> Result<RawWriter, SaveFileError> {
        let (writer, name): (Box<dyn Write>, _) = match output {
            Output::Stdout => (Box::new(terminal::stdout()), "standard output".to_owned()),
            Output::File(path) => {
                let file = SaveFile::at(path).stream()?;
                (Box::new(file), path.display().to_string())
            }
        };
        Ok(RawWriter {
            writer,
            name,
            shape: None,
        })
    }

    /// Writes the pixels of a picture. Returns `false` if the reading end of the pipe is closed.
    pub(super) fn write(&mut self, content: &Content) -> Result<bool, Failure> {
        let Some((metadata, pixels)) = content.image() else {
            return Err(Failure::new(format!(
                "The content is {}, not a picture, and has no pixels. Follow it without --raw.",
                content.kind()
            )));
        };
        self.check(FrameShape::of(metadata))?;
        let rows = Rows::new(metadata, pixels)?;
        let written = self.writer.write_all(&rows.packed());
        let written = written.and_then(|()| self.writer.flush());
        content.verify()?;
        match written {
            Ok(()) => Ok(true),
            Err(source) if source.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(source) => Err(OutputError::at(Path::new(&self.name), source).into()),
        }
    }

    fn check(&mut self, shape: FrameShape) -> Result<(), Failure> {
        let first = *self.shape.get_or_insert(shape);
        if first == shape {
            return Ok(());
        }
        Err(Failure::new(format!(
            "The pictures changed from {first} to {shape}, which raw pixels cannot express. \
             Follow them again."
        )))
    }
}

impl FrameShape {
    fn of(metadata: &ImageMetadata) -> FrameShape {
        FrameShape {
            width: metadata.width,
            height: metadata.height,
            format: metadata.format,
        }
    }
}

impl std::fmt::Display for FrameShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FrameShape {
            width,
            height,
            format,
        } = self;
        write!(f, "{width} × {height} {}", format.name())
    }
}
