//! The sources of frames that the window can stream.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gui_common::picture::limit::Limit;
use shm_core::PixelFormat;

use crate::frames::{self, FolderFrames, FrameError, FrameReader, GifFrames, Rate, TestPattern};
use crate::progress::ReadProgress;

/// A source of frames that the window can stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FrameSource {
    /// The test pattern, at 1280 × 720 pixels and 30 frames a second.
    TestPattern,
    /// An animated GIF, or a folder of pictures.
    Path {
        /// The file or folder.
        path: PathBuf,
        /// How long each picture of a folder is shown.
        each: Duration,
    },
}

impl FrameSource {
    /// Opens the source. Cancelling `progress` stops long reads.
    pub(super) fn open(
        &self,
        progress: &Arc<ReadProgress>,
    ) -> Result<Box<dyn FrameReader>, FrameError> {
        Ok(match self {
            FrameSource::TestPattern => {
                let shape = frames::shape(PixelFormat::Rgba8, 1280, 720, Limit::DEFAULT)?;
                let rate = Rate::per_second(30);
                Box::new(TestPattern::new(shape, Some(rate), None)?)
            }
            FrameSource::Path { path, each } if path.is_dir() => {
                Box::new(FolderFrames::open(path, *each, Arc::clone(progress))?)
            }
            FrameSource::Path { path, .. } => Box::new(GifFrames::open(path)?),
        })
    }
}
