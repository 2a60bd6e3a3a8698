//! An animated GIF, in a loop. Only one frame at a time is in memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gui_common::picture::limit::Limit;
use gui_common::tr;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, ImageDecoder, Limits, RgbaImage};
use shm_core::PixelFormat;

use super::{Drawn, FrameError, FrameInfo, FrameReader, NextFrame, shape};
use crate::picture_file::{Flaw, PictureError, guarded};
use crate::progress::ReadProgress;

/// Delays up to this one are replaced by [`DEFAULT_DELAY`], as browsers do.
const MIN_DELAY: Duration = Duration::from_millis(10);
const DEFAULT_DELAY: Duration = Duration::from_millis(100);

/// The memory limit of a GIF, whose frames are composed of earlier ones.
const LIMIT: Limit = Limit::DEFAULT;

/// The number of full-size pictures in memory at once: the previous one, the decoded frame, their
/// composition, and the published pixels.
const FULL_SIZE_PICTURES: u64 = 4;

/// The frames of a GIF, in a loop.
pub(crate) struct GifFrames {
    path: PathBuf,
    /// Stays open, so that replacing the file does not affect the animation.
    file: File,
    /// The decoder of the current round.
    round: image::Frames<'static>,
    /// The number of frames read in this round.
    count: u64,
    /// The current frame, until it is drawn.
    current: Option<RgbaImage>,
    /// If the file is damaged, the number of frames before the damage.
    usable: Option<u64>,
}

impl GifFrames {
    /// Opens a GIF and reads its header.
    ///
    /// # Errors
    ///
    /// Returns a [`FrameError`] if the file cannot be read, is not a GIF, or is too large.
    pub(crate) fn open(path: &Path) -> Result<GifFrames, FrameError> {
        let unreadable = |source| {
            FrameError::Animation(PictureError::Unreadable {
                path: path.to_owned(),
                source,
            })
        };
        // A FIFO or a device is not opened: that could block forever.
        let stat = path.metadata().map_err(unreadable)?;
        if !stat.is_file() {
            return Err(FrameError::NotAGif {
                path: path.to_owned(),
            });
        }
        let file = File::open(path).map_err(unreadable)?;
        if !is_gif(&file).map_err(unreadable)? {
            return Err(FrameError::NotAGif {
                path: path.to_owned(),
            });
        }
        let round = decode_from_start(path, &file)?;
        Ok(GifFrames {
            path: path.to_owned(),
            file,
            round,
            count: 0,
            current: None,
            usable: None,
        })
    }

    fn restart(&mut self) -> Result<NextFrame, FrameError> {
        self.round = decode_from_start(&self.path, &self.file)?;
        self.count = 0;
        Ok(NextFrame::NoFrame)
    }

    fn take(&mut self, frame: image::Frame) -> Result<NextFrame, FrameError> {
        self.count += 1;
        let duration = match Duration::from(frame.delay()) {
            delay if delay <= MIN_DELAY => DEFAULT_DELAY,
            delay => delay,
        };
        let pixels = frame.into_buffer();
        let metadata = shape(PixelFormat::Rgba8, pixels.width(), pixels.height(), LIMIT)?;
        let metadata = match self.path.file_name() {
            Some(name) => metadata.with_file_name(&name.to_string_lossy()),
            None => metadata,
        };
        self.current = Some(pixels);
        Ok(NextFrame::Frame(FrameInfo {
            metadata,
            duration: Some(duration),
        }))
    }

    fn no_frames(&self) -> FrameError {
        FrameError::Animation(PictureError::NotAPicture {
            path: self.path.clone(),
            flaw: Flaw::NoFrames,
        })
    }
}

impl FrameReader for GifFrames {
    fn next(&mut self) -> Result<NextFrame, FrameError> {
        self.current = None;
        let round = &mut self.round;
        let next = guarded(&self.path, &ReadProgress::default(), || {
            let read = round.next().transpose();
            read.map_err(|error| PictureError::from_image(&self.path, error, LIMIT))
        });
        match next {
            Ok(Some(frame)) => self.take(frame),
            Ok(None) if self.count == 0 => Err(self.no_frames()),
            Ok(None) => self.restart(),
            Err(error) if self.count == 0 => Err(FrameError::Animation(error)),
            // Like a browser, shows the frames before the damage.
            Err(_) => {
                self.usable = Some(self.count);
                self.restart()
            }
        }
    }

    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError> {
        Ok(match self.current.take() {
            Some(frame) if frame.len() == pixels.len() => {
                pixels.copy_from_slice(&frame);
                Drawn::Whole
            }
            _ => Drawn::Damaged,
        })
    }

    fn notice(&self) -> Option<String> {
        Some(tr!("streaming-damaged", count = self.usable?))
    }
}

impl std::fmt::Debug for GifFrames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GifFrames")
            .field("path", &self.path)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Returns a decoder at the first frame.
fn decode_from_start(path: &Path, file: &File) -> Result<image::Frames<'static>, FrameError> {
    let opened = guarded(path, &ReadProgress::default(), || {
        let mut file = file.try_clone().map_err(|error| unreadable(path, error))?;
        file.rewind().map_err(|error| unreadable(path, error))?;
        let failed = |error| PictureError::from_image(path, error, LIMIT);
        let mut decoder = GifDecoder::new(BufReader::new(file)).map_err(failed)?;
        let (width, height) = decoder.dimensions();
        let picture = u64::from(width) * u64::from(height) * 4;
        if picture * FULL_SIZE_PICTURES > LIMIT.bytes() {
            return Err(PictureError::TooLarge {
                path: path.to_owned(),
                sides: Some((width, height)),
                needed: Some(picture * FULL_SIZE_PICTURES),
                limit: LIMIT,
            });
        }
        // A frame may claim to be larger than the picture.
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(LIMIT.bytes() - picture);
        decoder.set_limits(limits).map_err(failed)?;
        Ok(decoder.into_frames())
    });
    opened.map_err(FrameError::Animation)
}

/// Returns `true` if the file starts with the signature of a GIF.
fn is_gif(file: &File) -> io::Result<bool> {
    let mut first = Vec::new();
    file.take(6).read_to_end(&mut first)?;
    Ok(matches!(first.as_slice(), b"GIF87a" | b"GIF89a"))
}

fn unreadable(path: &Path, source: io::Error) -> PictureError {
    PictureError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    use image::codecs::gif::GifEncoder;
    use image::{Delay, Rgba};
    use tempfile::TempDir;

    /// Writes a GIF. Each frame has one gray level and a delay in milliseconds.
    fn gif(directory: &TempDir, frames: &[(u8, u32)]) -> PathBuf {
        let path = directory.path().join("moving.gif");
        let mut encoder = GifEncoder::new(File::create(&path).unwrap());
        for &(gray, milliseconds) in frames {
            let pixels = RgbaImage::from_pixel(40, 30, Rgba([gray, gray, gray, 255]));
            let delay = Delay::from_numer_denom_ms(milliseconds, 1);
            let frame = image::Frame::from_parts(pixels, 0, 0, delay);
            encoder.encode_frame(frame).unwrap();
        }
        path
    }

    /// Returns the gray level and the duration of the next frame, in milliseconds.
    fn next(gif: &mut GifFrames) -> Result<(u8, u128), FrameError> {
        loop {
            match gif.next()? {
                NextFrame::Frame(frame) => {
                    assert_eq!((frame.metadata.width, frame.metadata.height), (40, 30));
                    assert_eq!(frame.metadata.file_name.as_deref(), Some("moving.gif"));
                    let mut pixels = vec![0; frame.metadata.payload_bytes()];
                    assert_eq!(gif.draw(&mut pixels)?, Drawn::Whole);
                    assert!(pixels.chunks(4).all(|pixel| pixel == &pixels[..4]));
                    return Ok((pixels[0], frame.duration.unwrap().as_millis()));
                }
                NextFrame::NoFrame => {}
                NextFrame::End => panic!("a GIF loops"),
            }
        }
    }

    #[test]
    fn frames_loop_with_their_delays() {
        let directory = tempfile::tempdir().unwrap();
        let path = gif(
            &directory,
            &[(10, 50), (20, 0), (30, 10), (40, 20), (50, 1_000)],
        );
        let mut gif = GifFrames::open(&path).unwrap();
        for _ in 0..3 {
            assert_eq!(next(&mut gif).unwrap(), (10, 50));
            assert_eq!(next(&mut gif).unwrap(), (20, 100), "no delay");
            assert_eq!(next(&mut gif).unwrap(), (30, 100), "too short a delay");
            assert_eq!(next(&mut gif).unwrap(), (40, 20));
            assert_eq!(next(&mut gif).unwrap(), (50, 1_000));
        }
        assert_eq!(gif.notice(), None);
        fs::remove_file(path).unwrap();
        for _ in 0..10 {
            next(&mut gif).expect("the file is open");
        }
    }

    #[test]
    fn frames_before_the_damage_are_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = gif(&directory, &[(10, 50), (20, 50), (30, 50)]);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 30]).unwrap();
        let mut gif = GifFrames::open(&path).unwrap();
        for _ in 0..3 {
            assert_eq!(next(&mut gif).unwrap().0, 10);
            assert_eq!(next(&mut gif).unwrap().0, 20);
        }
        let notice = gif.notice().expect("a notice about the damage");
        assert!(notice.contains("first 2 frames"), "{notice}");
    }

    #[test]
    fn other_files_and_oversized_gifs_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            fs::write(&path, bytes).unwrap();
            GifFrames::open(&path).unwrap_err().to_string()
        };
        for name in ["plain.gif", "picture.png"] {
            let said = file(name, b"\x89PNG\r\n\x1a\n no GIF at all");
            assert!(said.contains("not an animated GIF"), "{said}");
        }
        let said = file(
            "huge.gif",
            b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02L\x01\0;",
        );
        assert!(said.contains("too large"), "{said}");
        let said = file("empty.gif", b"");
        assert!(said.contains("not an animated GIF"), "{said}");
        let said = file("cut.gif", b"GIF89a\x28\0");
        assert!(said.contains("End of File"), "{said}");
        let said = GifFrames::open(directory.path()).unwrap_err().to_string();
        assert!(said.contains("not an animated GIF"), "{said}");
        let missing = GifFrames::open(Path::new("/nonexistent/a.gif")).unwrap_err();
        assert!(
            missing.to_string().contains("file does not exist"),
            "{missing}"
        );
    }

    #[test]
    fn a_gif_without_frames_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("moving.gif");
        fs::write(&path, b"GIF89a\x28\x00\x1e\x00\x00\x00\x00;").unwrap();
        let refused = GifFrames::open(&path).and_then(|mut gif| next(&mut gif));
        assert!(
            matches!(refused, Err(FrameError::Animation(_))),
            "{refused:?}"
        );
    }
}
