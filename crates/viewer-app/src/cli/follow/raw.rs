//! Pictures as nothing but their pixels, one behind the other.

use std::io::{ErrorKind, Write};
use std::path::Path;

use gui_common::desktop::save_file::{SaveFile, SaveFileError};
use gui_common::picture::pixels::Rows;
use gui_common::text::terminal;
use shm_core::{ImageMetadata, PixelFormat};
use shm_io::Content;

use crate::cli::failure::Failure;
use crate::output::{Output, OutputError};

/// Where pixels go, and of what kind they have been so far.
pub(super) struct Raw {
    writer: Box<dyn Write>,
    /// For errors.
    name: String,
    shape: Option<Shape>,
}

/// What cannot change, because nothing between the pixels would tell.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    width: u32,
    height: u32,
    format: PixelFormat,
}

impl Raw {
    pub(super) fn open(output: &Output) -> Result<Raw, SaveFileError> {
        let (writer, name): (Box<dyn Write>, _) = match output {
            Output::Stdout => (Box::new(terminal::stdout()), "standard output".to_owned()),
            Output::File(path) => {
                let file = SaveFile::at(path).stream()?;
                (Box::new(file), path.display().to_string())
            }
        };
        Ok(Raw {
            writer,
            name,
            shape: None,
        })
    }

    /// Writes the pixels of a picture. Tells whether anybody takes them.
    pub(super) fn write(&mut self, content: &Content) -> Result<bool, Failure> {
        let Some((metadata, pixels)) = content.image() else {
            return Err(Failure::new(format!(
                "What came is {}, no picture, so it cannot follow as pixels. Follow it without \
                 --raw.",
                content.kind()
            )));
        };
        self.check(Shape::of(metadata))?;
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

    fn check(&mut self, shape: Shape) -> Result<(), Failure> {
        let first = *self.shape.get_or_insert(shape);
        if first == shape {
            return Ok(());
        }
        Err(Failure::new(format!(
            "The pictures changed from {first} to {shape}, which the reader of their pixels \
             could not tell. Follow them anew."
        )))
    }
}

impl Shape {
    fn of(metadata: &ImageMetadata) -> Shape {
        Shape {
            width: metadata.width,
            height: metadata.height,
            format: metadata.format,
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shape {
            width,
            height,
            format,
        } = self;
        write!(f, "{width} × {height} {}", format.name())
    }
}
