//! An animated GIF, over and over. One frame at a time is in memory, however many there are.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gui_common::picture::limit::Limit;
use gui_common::tr;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, ImageDecoder, Limits, RgbaImage};
use shm_core::PixelFormat;

use super::{Drawn, Found, Frame, FrameError, Frames, shape};
use crate::picture_file::{Flaw, PictureError, guarded};
use crate::progress::Progress;

/// Delays up to this one are not meant, but left over from times when nothing was that fast.
const TOO_SHORT: Duration = Duration::from_millis(10);
/// What browsers take them for.
const USUAL: Duration = Duration::from_millis(100);

/// How much memory a GIF may take: its frames are composed of others.
const LIMIT: Limit = Limit::DEFAULT;

/// How many pictures of the size of the whole are there at once: the one before, the frame on its way,
/// what they come to, and what is published of it.
const PICTURES: u64 = 4;

/// The frames of a GIF, in a loop.
pub(crate) struct Gif {
    path: PathBuf,
    /// Open as long as this lives: whoever replaces the file does not cut the animation.
    file: File,
    pass: image::Frames<'static>,
    /// How many frames of this pass were found.
    found: u64,
    /// The frame that was found and not drawn.
    current: Option<RgbaImage>,
    /// Where the file is damaged: only this many frames can be shown.
    usable: Option<u64>,
}

impl Gif {
    /// Opens a GIF and reads its header.
    ///
    /// # Errors
    ///
    /// [`FrameError`] where the file cannot be read, is no GIF, or is too large.
    pub(crate) fn open(path: &Path) -> Result<Gif, FrameError> {
        let unreadable = |source| {
            FrameError::Animation(PictureError::Unreadable {
                path: path.to_owned(),
                source,
            })
        };
        // A FIFO or a device is not opened: either could block for ever.
        let facts = path.metadata().map_err(unreadable)?;
        if !facts.is_file() {
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
        let pass = begin(path, &file)?;
        Ok(Gif {
            path: path.to_owned(),
            file,
            pass,
            found: 0,
            current: None,
            usable: None,
        })
    }

    fn begin_again(&mut self) -> Result<Found, FrameError> {
        self.pass = begin(&self.path, &self.file)?;
        self.found = 0;
        Ok(Found::NoFrame)
    }

    fn take(&mut self, frame: image::Frame) -> Result<Found, FrameError> {
        self.found += 1;
        let lasts = match Duration::from(frame.delay()) {
            delay if delay <= TOO_SHORT => USUAL,
            delay => delay,
        };
        let pixels = frame.into_buffer();
        let metadata = shape(PixelFormat::Rgba8, pixels.width(), pixels.height(), LIMIT)?;
        let metadata = match self.path.file_name() {
            Some(name) => metadata.with_file_name(&name.to_string_lossy()),
            None => metadata,
        };
        self.current = Some(pixels);
        Ok(Found::Frame(Frame {
            metadata,
            lasts: Some(lasts),
        }))
    }

    fn empty(&self) -> FrameError {
        FrameError::Animation(PictureError::NotAPicture {
            path: self.path.clone(),
            flaw: Flaw::NoFrames,
        })
    }
}

impl Frames for Gif {
    fn find(&mut self) -> Result<Found, FrameError> {
        self.current = None;
        let pass = &mut self.pass;
        let next = guarded(&self.path, &Progress::default(), || {
            let read = pass.next().transpose();
            read.map_err(|error| PictureError::from_image(&self.path, error, LIMIT))
        });
        match next {
            Ok(Some(frame)) => self.take(frame),
            Ok(None) if self.found == 0 => Err(self.empty()),
            Ok(None) => self.begin_again(),
            Err(error) if self.found == 0 => Err(FrameError::Animation(error)),
            // Browsers show what comes before the damage, and so does this.
            Err(_) => {
                self.usable = Some(self.found);
                self.begin_again()
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

impl std::fmt::Debug for Gif {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gif")
            .field("path", &self.path)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// Begins to decode at the first frame.
fn begin(path: &Path, file: &File) -> Result<image::Frames<'static>, FrameError> {
    let opened = guarded(path, &Progress::default(), || {
        let mut file = file.try_clone().map_err(|error| unreadable(path, error))?;
        file.rewind().map_err(|error| unreadable(path, error))?;
        let failed = |error| PictureError::from_image(path, error, LIMIT);
        let mut decoder = GifDecoder::new(BufReader::new(file)).map_err(failed)?;
        let (width, height) = decoder.dimensions();
        let picture = u64::from(width) * u64::from(height) * 4;
        if picture * PICTURES > LIMIT.bytes() {
            return Err(PictureError::TooLarge {
                path: path.to_owned(),
                sides: Some((width, height)),
                needed: Some(picture * PICTURES),
                limit: LIMIT,
            });
        }
        // A frame may say that it is larger than the whole.
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(LIMIT.bytes() - picture);
        decoder.set_limits(limits).map_err(failed)?;
        Ok(decoder.into_frames())
    });
    opened.map_err(FrameError::Animation)
}

/// Tells a GIF by its first bytes, whatever its name.
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

    /// Writes a GIF whose frames are of one gray each and last as many milliseconds as given.
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

    /// The gray and the milliseconds of the next frame.
    fn next(gif: &mut Gif) -> Result<(u8, u128), FrameError> {
        loop {
            match gif.find()? {
                Found::Frame(frame) => {
                    assert_eq!((frame.metadata.width, frame.metadata.height), (40, 30));
                    assert_eq!(frame.metadata.file_name.as_deref(), Some("moving.gif"));
                    let mut pixels = vec![0; frame.metadata.payload_bytes()];
                    assert_eq!(gif.draw(&mut pixels)?, Drawn::Whole);
                    assert!(pixels.chunks(4).all(|pixel| pixel == &pixels[..4]));
                    return Ok((pixels[0], frame.lasts.unwrap().as_millis()));
                }
                Found::NoFrame => {}
                Found::End => panic!("a GIF has no end"),
            }
        }
    }

    #[test]
    fn it_loops_and_keeps_its_own_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = gif(
            &directory,
            &[(10, 50), (20, 0), (30, 10), (40, 20), (50, 1_000)],
        );
        let mut gif = Gif::open(&path).unwrap();
        for _ in 0..3 {
            assert_eq!(next(&mut gif).unwrap(), (10, 50));
            assert_eq!(next(&mut gif).unwrap(), (20, 100), "no delay");
            assert_eq!(next(&mut gif).unwrap(), (30, 100), "a delay of old times");
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
    fn what_comes_before_the_damage_is_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = gif(&directory, &[(10, 50), (20, 50), (30, 50)]);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 30]).unwrap();
        let mut gif = Gif::open(&path).unwrap();
        for _ in 0..3 {
            assert_eq!(next(&mut gif).unwrap().0, 10);
            assert_eq!(next(&mut gif).unwrap().0, 20);
        }
        let notice = gif.notice().expect("damage is told");
        assert!(notice.contains("first 2 frames"), "{notice}");
    }

    #[test]
    fn what_is_no_gif_is_refused_and_so_is_an_absurd_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            fs::write(&path, bytes).unwrap();
            Gif::open(&path).unwrap_err().to_string()
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
        let said = Gif::open(directory.path()).unwrap_err().to_string();
        assert!(said.contains("not an animated GIF"), "{said}");
        let missing = Gif::open(Path::new("/nonexistent/a.gif")).unwrap_err();
        assert!(missing.to_string().contains("no such file"), "{missing}");
    }

    #[test]
    fn a_gif_without_frames_is_an_error_and_no_endless_search() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("moving.gif");
        fs::write(&path, b"GIF89a\x28\x00\x1e\x00\x00\x00\x00;").unwrap();
        let refused = Gif::open(&path).and_then(|mut gif| next(&mut gif));
        assert!(
            matches!(refused, Err(FrameError::Animation(_))),
            "{refused:?}"
        );
    }
}
