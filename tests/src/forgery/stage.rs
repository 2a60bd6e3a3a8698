//! A directory with a segment that is lied about, and with what must survive it.

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

use super::head::Head;
use crate::{PrivateDir, layout};

/// All of it takes a millisecond. Only a hang takes so long, even on a loaded machine.
const BOUND: Duration = Duration::from_secs(20);
/// How much memory the victims may add to the segment: what they publish, and the beginnings of
/// regions that a peer lets them read.
const GROWTH: u64 = 1 << 20;
/// How long the ring is: so short that it is soon full.
pub(super) const RING: usize = 1 << 14;
/// How much memory of large samples is kept beside the newest.
const RETAINED: u64 = 1 << 16;
/// How long the larger of the payloads is that the honest peer publishes.
pub(super) const ROOM: usize = 20_000;
/// How long the honest block is.
pub(super) const BLOCK: usize = 5000;

/// Whom the peer must not harm: a segment, and a file that is none.
const NEIGHBOUR: &str = "neighbour";
const NOTES: &str = "notes";
const WORDS: &str = "of somebody else";

/// A private directory for one lie.
#[derive(Debug)]
pub(super) struct Stage {
    directory: PrivateDir,
    key: Key,
    options: Options,
    neighbour: Publisher,
    began: Instant,
}

impl Stage {
    pub(super) fn new() -> Stage {
        let directory = PrivateDir::in_memory();
        // Nobody honest holds anything for long here, so who has to wait meets a lie.
        let options = Options::new()
            .directory(directory.path())
            .ring_bytes(RING as u64)
            .retain_bytes(RETAINED)
            .notify(false)
            .timeout(Duration::ZERO);
        let neighbour = Publisher::open(&key(NEIGHBOUR), &options).expect("a fresh key");
        neighbour.publish_text(WORDS).expect("room for a text");
        let stage = Stage {
            directory,
            key: key("lied-about"),
            options,
            neighbour,
            began: Instant::now(),
        };
        fs::write(stage.path_of(NOTES), WORDS).expect("room for a file");
        stage
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// What stands at the name, opened as a peer opens it.
    pub(super) fn segment(&self) -> Option<File> {
        let path = self.path_of(self.key.as_str());
        File::options().read(true).write(true).open(path).ok()
    }

    /// The beginning of what stands at the name.
    pub(super) fn head(&self) -> Option<Head> {
        self.segment().as_ref().map(Head::of)
    }

    /// Where a segment of this key lies.
    pub(super) fn path_of(&self, key: &str) -> PathBuf {
        let user = rustix::process::geteuid().as_raw();
        self.directory.path().join(format!("shm-core.{user}.{key}"))
    }

    /// An honest publisher with three samples: a short text in the ring, a picture and bytes in regions;
    /// which of them is the newest is chosen.
    pub(super) fn publisher(&self, newest: u8) -> Publisher {
        self.publisher_after(0, newest)
    }

    /// The same, with some texts of all lengths before: enough of them fill the ring more than once.
    pub(super) fn publisher_after(&self, texts: u8, newest: u8) -> Publisher {
        let publisher = Publisher::open(&self.key, &self.options).expect("a fresh key");
        for number in 0..usize::from(texts) {
            let text = "t".repeat(number * 37 % 600);
            publisher.publish_text(&text).expect("nobody lies yet");
        }
        let mut samples = samples();
        samples.rotate_left(usize::from(newest) % 3);
        for (metadata, payload) in samples {
            let published = publisher.publish(&metadata, &payload);
            published.expect("nobody lies yet");
        }
        publisher
    }

    /// An honest block.
    pub(super) fn block(&self) -> Block<shm_core::ReadWrite> {
        Block::create(&self.key, BLOCK, &self.options).expect("a fresh key")
    }

    /// Asserts, when everybody has left, that nothing is left but what nobody may touch.
    pub(super) fn close(self) {
        let stays = self.head().is_some_and(|head| !head.goes_with_the_last());
        segment::list(&self.options).expect("a directory of ours");
        assert_eq!(
            self.segment().is_some(),
            stays,
            "left behind, or taken away"
        );
        if stays {
            fs::remove_file(self.path_of(self.key.as_str())).expect("it is there");
        }
        self.assert_unharmed();
        let took = self.began.elapsed();
        assert!(took < BOUND, "it took {took:?}");
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
        assert_eq!(found, expected, "left behind, or gone");
        let notes = fs::read_to_string(self.path_of(NOTES)).expect("they are there");
        assert_eq!(notes, WORDS);
        let mut reader = Subscriber::attach(&key(NEIGHBOUR), &self.options).expect("it lives");
        let sample = reader.latest().expect("it is honest").expect("it is there");
        assert_eq!(sample.payload(), WORDS.as_bytes());
        assert!(sample.writer().is_current());
        self.neighbour.publish_text(WORDS).expect("it is in order");
    }
}

/// Asserts that the segment has not grown by more than the victims themselves put there.
pub(super) fn assert_small(segment: &File) {
    let memory = memory_of(segment);
    let most = (layout::CONTROL + RING) as u64 + 4 * ROOM as u64 + GROWTH;
    assert!(memory <= most, "the segment has grown to {memory} bytes");
}

/// The memory that a file has, bytes.
pub(super) fn memory_of(file: &File) -> u64 {
    file.metadata().expect("the facts of an open file").blocks() * 512
}

fn key(name: &str) -> Key {
    Key::new(name).expect("a valid key")
}

fn samples() -> [(Metadata, Vec<u8>); 3] {
    let image = ImageMetadata::packed(PixelFormat::Rgba8, 40, 32).expect("a small picture");
    let pixels = (0..image.payload_bytes()).map(|at| at.to_le_bytes()[0]);
    let pixels = pixels.collect();
    let bytes = Metadata::from(BytesMetadata::new("text/csv").with_file_name("table.csv"));
    let letters = (b'a'..=b'z').cycle().take(ROOM).collect();
    [
        (Metadata::Text, "héllo 世界".into()),
        (Metadata::Image(image), pixels),
        (bytes, letters),
    ]
}
