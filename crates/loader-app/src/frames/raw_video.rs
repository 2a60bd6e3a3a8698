//! Raw video: frame after frame of pixels from standard input, with nothing in between.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use gui_common::desktop::signals::{Ready, Termination};
use shm_core::ImageMetadata;

use super::{Drawn, Found, Frame, FrameError, Frames, Rate};

/// How much of a frame is read to find out that there is one: little, because it is copied.
const HEAD: usize = 64;

/// How long it is waited for input before it is told that none comes.
const PATIENCE: Duration = Duration::from_secs(1);

/// Frames that are read from a pipe or a file.
#[derive(Debug)]
pub(crate) struct RawVideo<'t> {
    input: File,
    /// Ends a wait for input that does not come.
    termination: &'t Termination,
    metadata: ImageMetadata,
    rate: Option<Rate>,
    /// How many frames were found.
    found: u64,
    /// The beginning of the frame that was found last.
    head: Vec<u8>,
    /// How much of that frame was read; 0 when all of it was.
    came: usize,
}

/// What reading has brought.
enum Input {
    /// All that was asked for.
    All,
    /// Nothing more for a while; the rest may come.
    Paused,
    /// The end.
    End,
}

impl<'t> RawVideo<'t> {
    /// Begins to read frames of this shape from standard input.
    ///
    /// # Errors
    ///
    /// Where the system gives no descriptor for it.
    pub(crate) fn stdin(
        metadata: ImageMetadata,
        rate: Option<Rate>,
        termination: &'t Termination,
    ) -> io::Result<RawVideo<'t>> {
        // Not `io::stdin()` itself: what it has buffered no poll can tell of.
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(RawVideo::new(input, metadata, rate, termination))
    }

    fn new(
        input: File,
        metadata: ImageMetadata,
        rate: Option<Rate>,
        termination: &'t Termination,
    ) -> RawVideo<'t> {
        RawVideo {
            input,
            termination,
            metadata,
            rate,
            found: 0,
            head: Vec::with_capacity(HEAD),
            came: 0,
        }
    }

    /// Reads some bytes: none only at the end, and `None` where nothing comes for a while.
    fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, FrameError> {
        loop {
            match self.termination.wait_for_input(&self.input, PATIENCE) {
                Ok(Ready::Input) => {}
                Ok(Ready::Signal) => return Err(FrameError::Stopped),
                Ok(Ready::Timeout) => return Ok(None),
                Err(error) => return Err(FrameError::Input(error)),
            }
            match self.input.read(buffer) {
                // Somebody else may read from it too, or have made it non-blocking.
                Err(error) if is_passing(&error) => {}
                result => return result.map(Some).map_err(FrameError::Input),
            }
        }
    }

    /// Reads on until `buffer` is full, and counts what came of the frame.
    fn read_on(&mut self, buffer: &mut [u8]) -> Result<Input, FrameError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                None => return Ok(Input::Paused),
                Some(0) => return Ok(Input::End),
                Some(count) => {
                    filled += count;
                    self.came += count;
                }
            }
        }
        Ok(Input::All)
    }

    /// The input ended in the middle of a frame.
    fn cut_off(&self) -> FrameError {
        FrameError::CutOff {
            came: self.came,
            whole: self.metadata.payload_bytes(),
        }
    }

    /// Reads what is left of a frame that nobody drew; false where it does not come for a while.
    fn pass_over(&mut self) -> Result<bool, FrameError> {
        let whole = self.metadata.payload_bytes();
        let mut rest = vec![0; (whole - self.came).min(64 * 1024)];
        while self.came < whole {
            let length = rest.len().min(whole - self.came);
            match self.read_on(&mut rest[..length])? {
                Input::All => {}
                Input::Paused => return Ok(false),
                Input::End => return Err(self.cut_off()),
            }
        }
        self.came = 0;
        Ok(true)
    }
}

impl Frames for RawVideo<'_> {
    fn find(&mut self) -> Result<Found, FrameError> {
        if self.came > 0 && !self.pass_over()? {
            return Ok(Found::NoFrame);
        }
        let mut head = [0; HEAD];
        let length = HEAD.min(self.metadata.payload_bytes());
        let count = match self.read(&mut head[..length])? {
            None => return Ok(Found::NoFrame),
            Some(0) => return Ok(Found::End),
            Some(count) => count,
        };
        self.head.clear();
        self.head.extend_from_slice(&head[..count]);
        self.came = count;
        let lasts = self.rate.map(|rate| rate.lasts(self.found));
        self.found += 1;
        Ok(Found::Frame(Frame {
            metadata: self.metadata.clone(),
            lasts,
        }))
    }

    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError> {
        pixels[..self.head.len()].copy_from_slice(&self.head);
        match self.read_on(&mut pixels[self.came..])? {
            Input::All => {
                self.came = 0;
                Ok(Drawn::Whole)
            }
            Input::Paused => Ok(Drawn::Paused),
            Input::End => Err(self.cut_off()),
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::{Seek, Write};

    use shm_core::PixelFormat;

    /// A file with these bytes, at its beginning.
    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    fn shape(width: u32, height: u32) -> ImageMetadata {
        ImageMetadata::packed(PixelFormat::Gray8, width, height).unwrap()
    }

    fn drawn(frames: &mut dyn Frames, bytes: usize) -> Vec<u8> {
        assert!(matches!(frames.find(), Ok(Found::Frame(_))));
        let mut pixels = vec![0; bytes];
        assert_eq!(frames.draw(&mut pixels).unwrap(), Drawn::Whole);
        pixels
    }

    #[test]
    fn each_frame_is_read_whole_and_passed_over_whole() {
        let bytes: Vec<u8> = (0..=199).cycle().take(4 * 400).collect();
        let termination = Termination::catch().unwrap();
        let mut video = RawVideo::new(file(&bytes), shape(20, 20), None, &termination);
        assert_eq!(drawn(&mut video, 400), bytes[..400]);
        assert!(matches!(video.find(), Ok(Found::Frame(_))), "and not drawn");
        assert_eq!(drawn(&mut video, 400), bytes[800..1200]);
        assert_eq!(drawn(&mut video, 400), bytes[1200..]);
        assert_eq!(video.find().unwrap(), Found::End);
    }

    #[test]
    fn a_frame_may_be_a_single_pixel() {
        let termination = Termination::catch().unwrap();
        let mut video = RawVideo::new(file(b"ab"), shape(1, 1), None, &termination);
        assert_eq!(drawn(&mut video, 1), b"a");
        assert_eq!(drawn(&mut video, 1), b"b");
        assert_eq!(video.find().unwrap(), Found::End);
    }

    #[test]
    fn what_is_missing_of_a_frame_is_counted() {
        let termination = Termination::catch().unwrap();
        for (came, passes_over) in [
            (1, false),
            (64, false),
            (399, false),
            (1, true),
            (399, true),
        ] {
            let bytes = vec![7; 400 + came];
            let mut video = RawVideo::new(file(&bytes), shape(20, 20), None, &termination);
            drawn(&mut video, 400);
            assert!(matches!(video.find(), Ok(Found::Frame(_))));
            let error = if passes_over {
                video.find().unwrap_err()
            } else {
                video.draw(&mut [0; 400]).unwrap_err()
            };
            let said = error.to_string();
            let missing = format!("{} of its 400 bytes are missing", 400 - came);
            assert!(said.contains(&missing), "{said}");
        }
    }
}
