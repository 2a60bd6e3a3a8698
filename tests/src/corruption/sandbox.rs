//! A directory with a segment to corrupt, and with files that must remain intact.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use shm_core::{
    Block, BytesMetadata, ImageMetadata, Key, Metadata, Options, PixelFormat, Publisher,
    Subscriber, segment,
};

use super::segment_header::SegmentHeader;
use crate::{PrivateDir, layout};

/// An upper bound for one run, which takes a millisecond: only a hang reaches it, even on a loaded
/// machine.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// How much memory the operations may add to the segment: what they publish, and the beginnings of
/// regions that corrupted records let them read.
const MAX_GROWTH: u64 = 1 << 20;
/// The size of the ring: small, so that it is soon full.
pub(super) const RING: usize = 1 << 14;
/// How much memory of large samples is retained in addition to the newest.
const RETAINED: u64 = 1 << 16;
/// The length of the larger payloads that the valid peer publishes.
pub(super) const MAX_PAYLOAD: usize = 20_000;
/// The length of the valid block.
pub(super) const BLOCK: usize = 5000;

/// The files that must remain intact: a segment, and a file that is not one.
const NEIGHBOUR: &str = "neighbour";
const NOTES: &str = "notes";
const CONTENT: &str = "of another program";

/// A private directory for one mutation.
#[derive(Debug)]
pub(super) struct Sandbox {
    directory: PrivateDir,
    key: Key,
    options: Options,
    neighbour: Publisher,
    began: Instant,
}

impl Sandbox {
    pub(super) fn new() -> Sandbox {
        let directory = PrivateDir::in_memory();
        // No valid participant holds a lock for long here, so only corruption causes a wait.
        let options = Options::new()
            .directory(directory.path())
            .ring_bytes(RING as u64)
            .retain_bytes(RETAINED)
            .notify(false)
            .timeout(Duration::ZERO);
        let neighbour = Publisher::open(&key(NEIGHBOUR), &options).expect("a fresh key");
        neighbour.publish_text(CONTENT).expect("space for a text");
        let sandbox = Sandbox {
            directory,
            key: key("lied-about"),
            options,
            neighbour,
            began: Instant::now(),
        };
        fs::write(sandbox.path_of(NOTES), CONTENT).expect("space for a file");
        sandbox
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Opens the file at the segment's name as a peer does.
    pub(super) fn segment(&self) -> Option<File> {
        let path = self.path_of(self.key.as_str());
        File::options().read(true).write(true).open(path).ok()
    }

    /// Returns the header of the file at the segment's name.
    pub(super) fn header(&self) -> Option<SegmentHeader> {
        self.segment().as_ref().map(SegmentHeader::of)
    }

    /// Returns the path of the segment of this key.
    pub(super) fn path_of(&self, key: &str) -> PathBuf {
        let user = rustix::process::geteuid().as_raw();
        self.directory.path().join(format!("shm-core.{user}.{key}"))
    }

    /// Opens a valid publisher with three samples: a short text in the ring, a picture and bytes in
    /// regions; `newest` chooses the last.
    pub(super) fn publisher(&self, newest: u8) -> Publisher {
        self.publisher_after(0, newest)
    }

    /// Does the same after some texts of all lengths: enough of them fill the ring more than once.
    pub(super) fn publisher_after(&self, texts: u8, newest: u8) -> Publisher {
        let publisher = Publisher::open(&self.key, &self.options).expect("a fresh key");
        for number in 0..usize::from(texts) {
            let text = "t".repeat(number * 37 % 600);
            publisher.publish_text(&text).expect("the ring is valid");
        }
        let mut samples = samples();
        samples.rotate_left(usize::from(newest) % 3);
        for (metadata, payload) in samples {
            let published = publisher.publish(&metadata, &payload);
            published.expect("the ring is valid");
        }
        publisher
    }

    /// Creates a valid block.
    pub(super) fn block(&self) -> Block<shm_core::ReadWrite> {
        Block::create(&self.key, BLOCK, &self.options).expect("a fresh key")
    }

    /// Asserts, once every participant has detached, that only files are left that no operation may
    /// touch.
    pub(super) fn close(self) {
        let stays = self
            .header()
            .is_some_and(|header| !header.is_removed_with_last());
        segment::list(&self.options).expect("a directory of ours");
        assert_eq!(self.segment().is_some(), stays, "left behind, or removed");
        if stays {
            fs::remove_file(self.path_of(self.key.as_str())).expect("the segment is there");
        }
        self.assert_unharmed();
        let took = self.began.elapsed();
        assert!(took < TIME_LIMIT, "it took {took:?}");
    }

    fn assert_unharmed(&self) {
        let mut expected = [NEIGHBOUR, NOTES].map(|name| self.path_of(name));
        expected.sort();
        let mut found: Vec<PathBuf> = self
            .directory
            .names()
            .iter()
            .map(|name| self.directory.path().join(name))
            .collect();
        found.sort();
        assert_eq!(found, expected, "left behind, or removed");
        let notes = fs::read_to_string(self.path_of(NOTES)).expect("the notes are there");
        assert_eq!(notes, CONTENT);
        let mut reader =
            Subscriber::attach(&key(NEIGHBOUR), &self.options).expect("the segment is alive");
        let sample = reader
            .latest()
            .expect("the segment is valid")
            .expect("a sample is there");
        assert_eq!(sample.payload(), CONTENT.as_bytes());
        assert!(sample.writer().is_current());
        self.neighbour
            .publish_text(CONTENT)
            .expect("the segment is valid");
    }
}

/// Asserts that the segment has not grown by more than the operations themselves published.
pub(super) fn assert_bounded_memory(segment: &File) {
    let memory = memory_of(segment);
    let most = (layout::CONTROL + RING) as u64 + 4 * MAX_PAYLOAD as u64 + MAX_GROWTH;
    assert!(memory <= most, "the segment has grown to {memory} bytes");
}

/// Returns the memory of a file, in bytes.
pub(super) fn memory_of(file: &File) -> u64 {
    file.metadata()
        .expect("the metadata of an open file")
        .blocks()
        * 512
}

fn key(name: &str) -> Key {
    Key::new(name).expect("a valid key")
}

fn samples() -> [(Metadata, Vec<u8>); 3] {
    let image = ImageMetadata::packed(PixelFormat::Rgba8, 40, 32).expect("a small picture");
    let pixels = (0..image.payload_bytes()).map(|at| at.to_le_bytes()[0]);
    let pixels = pixels.collect();
    let bytes = Metadata::from(BytesMetadata::new("text/csv").with_file_name("table.csv"));
    let letters = (b'a'..=b'z').cycle().take(MAX_PAYLOAD).collect();
    [
        (Metadata::Text, "héllo 世界".into()),
        (Metadata::Image(image), pixels),
        (bytes, letters),
    ]
}
