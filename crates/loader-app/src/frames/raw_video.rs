//! Raw video: the pixels of one frame after the other from standard input, without headers.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use gui_common::desktop::signals::{Ready, Termination};
use shm_core::ImageMetadata;

use super::{Drawn, FrameError, FrameInfo, FrameReader, NextFrame, Rate};

/// The number of bytes read to detect a frame; small, because they are copied.
const HEAD: usize = 64;

/// The time to wait for input before the caller gets control back.
const INPUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads frames from a pipe or a file.
#[derive(Debug)]
pub(crate) struct RawVideo<'t> {
    input: File,
    /// Interrupts the wait for input.
    termination: &'t Termination,
    metadata: ImageMetadata,
    rate: Option<Rate>,
    /// The number of frames started.
    count: u64,
    /// The first bytes of the current frame.
    head: Vec<u8>,
    /// The number of bytes read of the current frame; 0 once it is complete.
    filled: usize,
}

/// The result of filling a buffer.
enum FillResult {
    /// The buffer is full.
    Full,
    /// The wait for input timed out.
    TimedOut,
    /// The end of the input.
    End,
}

impl<'t> RawVideo<'t> {
    /// Reads frames of this format and size from standard input.
    ///
    /// # Errors
    ///
    /// Returns the OS error if the descriptor cannot be duplicated.
    pub(crate) fn stdin(
        metadata: ImageMetadata,
        rate: Option<Rate>,
        termination: &'t Termination,
    ) -> io::Result<RawVideo<'t>> {
        // Not `io::stdin()` itself: `poll` does not see what it has buffered.
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
            count: 0,
            head: Vec::with_capacity(HEAD),
            filled: 0,
        }
    }

    /// Reads some bytes. Returns 0 only at the end, and `None` if the wait for input times out.
    fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, FrameError> {
        loop {
            match self.termination.wait_for_input(&self.input, INPUT_TIMEOUT) {
                Ok(Ready::Input) => {}
                Ok(Ready::Signal) => return Err(FrameError::Stopped),
                Ok(Ready::Timeout) => return Ok(None),
                Err(error) => return Err(FrameError::Input(error)),
            }
            match self.input.read(buffer) {
                // Another process may read from it too, or have made it non-blocking.
                Err(error) if is_retryable(&error) => {}
                result => return result.map(Some).map_err(FrameError::Input),
            }
        }
    }

    /// Fills `buffer`, and counts the bytes of the frame.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<FillResult, FrameError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                None => return Ok(FillResult::TimedOut),
                Some(0) => return Ok(FillResult::End),
                Some(count) => {
                    filled += count;
                    self.filled += count;
                }
            }
        }
        Ok(FillResult::Full)
    }

    /// Returns the error for an input that ends in the middle of a frame.
    fn cut_off(&self) -> FrameError {
        FrameError::CutOff {
            came: self.filled,
            whole: self.metadata.payload_bytes(),
        }
    }

    /// Skips the rest of a frame that was not drawn; returns `false` if the wait for input times
    /// out.
    fn skip_rest(&mut self) -> Result<bool, FrameError> {
        let whole = self.metadata.payload_bytes();
        let mut rest = vec![0; (whole - self.filled).min(64 * 1024)];
        while self.filled < whole {
            let length = rest.len().min(whole - self.filled);
            match self.fill(&mut rest[..length])? {
                FillResult::Full => {}
                FillResult::TimedOut => return Ok(false),
                FillResult::End => return Err(self.cut_off()),
            }
        }
        self.filled = 0;
        Ok(true)
    }
}

impl FrameReader for RawVideo<'_> {
    fn next(&mut self) -> Result<NextFrame, FrameError> {
        if self.filled > 0 && !self.skip_rest()? {
            return Ok(NextFrame::NoFrame);
        }
        let mut head = [0; HEAD];
        let length = HEAD.min(self.metadata.payload_bytes());
        let count = match self.read(&mut head[..length])? {
            None => return Ok(NextFrame::NoFrame),
            Some(0) => return Ok(NextFrame::End),
            Some(count) => count,
        };
        self.head.clear();
        self.head.extend_from_slice(&head[..count]);
        self.filled = count;
        let duration = self.rate.map(|rate| rate.duration_of(self.count));
        self.count += 1;
        Ok(NextFrame::Frame(FrameInfo {
            metadata: self.metadata.clone(),
            duration,
        }))
    }

    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError> {
        pixels[..self.head.len()].copy_from_slice(&self.head);
        match self.fill(&mut pixels[self.filled..])? {
            FillResult::Full => {
                self.filled = 0;
                Ok(Drawn::Whole)
            }
            FillResult::TimedOut => Ok(Drawn::Paused),
            FillResult::End => Err(self.cut_off()),
        }
    }
}

fn is_retryable(error: &io::Error) -> bool {
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

    /// Returns a file with these bytes, positioned at its start.
    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    fn shape(width: u32, height: u32) -> ImageMetadata {
        ImageMetadata::packed(PixelFormat::Gray8, width, height).unwrap()
    }

    fn drawn(frames: &mut dyn FrameReader, bytes: usize) -> Vec<u8> {
        assert!(matches!(frames.next(), Ok(NextFrame::Frame(_))));
        let mut pixels = vec![0; bytes];
        assert_eq!(frames.draw(&mut pixels).unwrap(), Drawn::Whole);
        pixels
    }

    #[test]
    fn frames_are_read_and_skipped_as_a_whole() {
        let bytes: Vec<u8> = (0..=199).cycle().take(4 * 400).collect();
        let termination = Termination::catch().unwrap();
        let mut video = RawVideo::new(file(&bytes), shape(20, 20), None, &termination);
        assert_eq!(drawn(&mut video, 400), bytes[..400]);
        assert!(
            matches!(video.next(), Ok(NextFrame::Frame(_))),
            "and not drawn"
        );
        assert_eq!(drawn(&mut video, 400), bytes[800..1200]);
        assert_eq!(drawn(&mut video, 400), bytes[1200..]);
        assert_eq!(video.next().unwrap(), NextFrame::End);
    }

    #[test]
    fn a_frame_may_be_a_single_pixel() {
        let termination = Termination::catch().unwrap();
        let mut video = RawVideo::new(file(b"ab"), shape(1, 1), None, &termination);
        assert_eq!(drawn(&mut video, 1), b"a");
        assert_eq!(drawn(&mut video, 1), b"b");
        assert_eq!(video.next().unwrap(), NextFrame::End);
    }

    #[test]
    fn an_incomplete_frame_is_reported_with_its_missing_bytes() {
        let termination = Termination::catch().unwrap();
        for (came, skips) in [
            (1, false),
            (64, false),
            (399, false),
            (1, true),
            (399, true),
        ] {
            let bytes = vec![7; 400 + came];
            let mut video = RawVideo::new(file(&bytes), shape(20, 20), None, &termination);
            drawn(&mut video, 400);
            assert!(matches!(video.next(), Ok(NextFrame::Frame(_))));
            let error = if skips {
                video.next().unwrap_err()
            } else {
                video.draw(&mut [0; 400]).unwrap_err()
            };
            let said = error.to_string();
            let missing = format!("{} of its 400 bytes are missing", 400 - came);
            assert!(said.contains(&missing), "{said}");
        }
    }
}
