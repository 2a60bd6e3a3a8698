//! The content that was read from a segment.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use qt_bridge::{Digest, Form, Reading};
use shm_core::presence::PresenceClient;
use shm_core::segment::{self, Info, Latest, Permissions};
use shm_core::{
    ArrayMetadata, BlockSnapshot, ImageMetadata, Message, Metadata, Origin, Participant, Process,
    ReadError, Sample, SegmentId, Sequence,
};

use crate::address::Address;

/// A consistent snapshot of a segment's content.
///
/// A large sample is pinned and read in place; all other content is a copy. Both stay valid if the
/// segment is removed.
#[derive(Debug)]
pub struct Content {
    address: Address,
    body: Body,
    stat: Stat,
    skipped: u64,
    /// Reports to the publishers of a sample that it is shown.
    presence: Option<PresenceClient>,
}

#[derive(Debug)]
enum Body {
    /// Nothing was published, or the content was cleared.
    Nothing,
    /// A sample. The payload of a large one is read in place.
    Sample(Sample),
    Block(BlockSnapshot),
    /// A stream of a Qt program.
    Stream(Stream),
}

#[derive(Debug)]
struct Stream {
    /// `None` if it was null.
    message: Option<Message>,
    metadata: Option<Metadata>,
    form: Form,
    digest: Digest,
    /// The size of the segment in bytes.
    size: u64,
}

/// The state of a segment besides its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// The other processes that are attached.
    pub attached: Vec<Participant>,
    /// Whether the segment stays when the last process detaches.
    pub persistent: bool,
    /// Which users may open it; `None` for a segment of a Qt program, or if it was not looked up.
    pub permissions: Option<Permissions>,
    /// How much it retains; `None` if it has no ring, or if that was not looked up.
    pub ring: Option<RingSize>,
}

/// How many bytes of past samples a segment retains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingSize {
    /// The length of its ring in bytes.
    pub ring: u64,
    /// How many bytes of samples that are too long for the ring it retains, besides the newest.
    pub retain: u64,
}

impl RingSize {
    /// Returns the sizes in the description of a segment; `None` if it has no ring.
    #[must_use]
    pub fn of(info: &Info) -> Option<RingSize> {
        let segment::Content::Samples {
            ring_bytes: ring,
            retain_bytes: retain,
            ..
        } = info.content
        else {
            return None;
        };
        Some(RingSize { ring, retain })
    }
}

impl From<&Info> for Stat {
    fn from(info: &Info) -> Stat {
        Stat {
            attached: info.attached.clone(),
            persistent: info.persistent,
            permissions: Some(info.permissions()),
            ring: RingSize::of(info),
        }
    }
}

/// Which process published a sample, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The id of the segment. Sequence numbers start at 1 in each segment.
    pub segment: SegmentId,
    /// The sequence number of the sample: 1, 2, 3 …
    pub sequence: Sequence,
    /// The process that published the sample.
    pub writer: Process,
    /// The name of that process, if it was still attached.
    pub writer_program: Option<String>,
    /// When the sample was published.
    pub published: SystemTime,
    /// Where the sample was published first, if that was on another computer.
    pub elsewhere: Option<Origin>,
}

impl Content {
    fn new(address: Address, body: Body) -> Content {
        Content {
            address,
            body,
            stat: Stat::default(),
            skipped: 0,
            presence: None,
        }
    }

    /// Creates the content of a segment into which nothing was published.
    #[must_use]
    pub fn of_nothing(address: Address) -> Content {
        Content::new(address, Body::Nothing)
    }

    pub(crate) fn of_sample(address: Address, sample: Sample, skipped: u64) -> Content {
        Content {
            skipped,
            ..Content::new(address, Body::Sample(sample))
        }
    }

    pub(crate) fn of_block(address: Address, snapshot: BlockSnapshot) -> Content {
        Content::new(address, Body::Block(snapshot))
    }

    pub(crate) fn of_reading(address: Address, reading: Reading) -> Content {
        let message = reading.value.into_message();
        let stream = Stream {
            metadata: message.as_ref().map(Message::metadata),
            message,
            form: reading.form,
            digest: reading.digest,
            size: reading.size as u64,
        };
        Content::new(address, Body::Stream(stream))
    }

    /// Sets the state of the segment.
    #[must_use]
    pub fn with_stat(self, stat: Stat) -> Content {
        Content { stat, ..self }
    }

    pub(crate) fn with_presence(self, presence: Option<PresenceClient>) -> Content {
        Content { presence, ..self }
    }

    /// Returns the address that it was read from.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the state of the segment besides its content.
    #[must_use]
    pub fn stat(&self) -> &Stat {
        &self.stat
    }

    /// Returns the kind of content: `text`, `image`, `array`, `bytes`, or `nothing`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.metadata() {
            Some(metadata) => metadata.kind(),
            None if self.is_block() => "bytes",
            None => "nothing",
        }
    }

    /// Returns `true` if nothing was published, or the content was cleared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metadata().is_none() && !self.is_block()
    }

    /// Returns `true` if it is a block of bytes, which has no metadata.
    #[must_use]
    pub fn is_block(&self) -> bool {
        matches!(self.body, Body::Block(..))
    }

    /// Returns `true` if it is a block whose last writer died while writing, so that old and new
    /// bytes may be mixed.
    #[must_use]
    pub fn is_half_written(&self) -> bool {
        matches!(&self.body, Body::Block(snapshot) if snapshot.is_abandoned)
    }

    /// Returns the publisher's description of the content; `None` for a block, and if it is empty.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        match &self.body {
            Body::Sample(sample) => Some(sample.metadata()),
            Body::Stream(stream) => stream.metadata.as_ref(),
            Body::Nothing | Body::Block(..) => None,
        }
    }

    /// Returns the bytes. Those of a large sample are in shared memory: call
    /// [`verify`](Self::verify) after reading them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Nothing => &[],
            Body::Sample(sample) => sample.payload(),
            Body::Block(snapshot) => &snapshot.bytes,
            Body::Stream(stream) => stream.message.as_ref().map_or(&[], Message::payload),
        }
    }

    /// Copies the first bytes, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the segment was truncated.
    pub fn copy_head(&self, limit: usize) -> Result<Vec<u8>, ReadError> {
        let bytes = self.bytes();
        let length = bytes.len().min(limit);
        let Some(sample) = self.sample() else {
            return Ok(bytes[..length].to_vec());
        };
        let mut head = vec![0; length];
        sample.copy_to(&mut head)?;
        Ok(head)
    }

    /// Returns its size in shared memory in bytes: that of a payload, of a block, or of the whole
    /// segment of a Qt program.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.stream()
            .map_or(self.bytes().len() as u64, |stream| stream.size)
    }

    /// Returns `true` if it is a text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.metadata(), Some(Metadata::Text))
    }

    /// Returns the text; `None` for other content.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if content that was published as a text is not UTF-8, or the segment was
    /// truncated.
    pub fn text(&self) -> Result<Option<Cow<'_, str>>, ReadError> {
        if let Some(Message::Text(text)) = self.stream().and_then(|stream| stream.message.as_ref())
        {
            return Ok(Some(text.as_str().into()));
        }
        // A private copy is checked to be UTF-8: bytes in shared memory can change after a check.
        match self.sample().filter(|_| self.is_text()) {
            Some(sample) => match sample.to_message()? {
                Message::Text(text) => Ok(Some(text.into())),
                _ => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// Returns the shape and the pixels of an image; `None` for other content. The pixels of a
    /// large sample are in shared memory: call [`verify`](Self::verify) after reading them.
    #[must_use]
    pub fn image(&self) -> Option<(&ImageMetadata, &[u8])> {
        match self.metadata()? {
            Metadata::Image(metadata) => Some((metadata, self.bytes())),
            _ => None,
        }
    }

    /// Returns the shape of an array; `None` for other content.
    #[must_use]
    pub fn array(&self) -> Option<&ArrayMetadata> {
        match self.metadata()? {
            Metadata::Array(metadata) => Some(metadata),
            _ => None,
        }
    }

    /// Returns where a sample was published first; `None` if that was on this computer, or it is
    /// not a sample.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.sample().and_then(Sample::origin)
    }

    /// Returns which process published a sample and when; `None` if it is not a sample.
    #[must_use]
    pub fn publication(&self) -> Option<Publication> {
        let sample = self.sample()?;
        let writer = sample.writer();
        let mut attached = self.stat.attached.iter();
        let program = attached.find(|peer| peer.process.is(writer));
        Some(Publication {
            segment: sample.segment(),
            sequence: sample.sequence(),
            writer,
            writer_program: program.map(|peer| peer.program.clone()),
            published: sample.published(),
            elsewhere: sample.origin().cloned(),
        })
    }

    /// Returns the description of a sample as [`segment::info`] does; `None` if it is not a sample.
    #[must_use]
    pub fn latest(&self) -> Option<Latest> {
        let sample = self.sample()?;
        Some(Latest {
            metadata: sample.metadata().clone(),
            annotations: sample.annotations().clone(),
            bytes: sample.len() as u64,
            sequence: sample.sequence(),
            writer: sample.writer(),
            published: sample.published(),
            age: sample.age(),
        })
    }

    /// Returns the sequence number of a sample; `None` if it is not a sample.
    #[must_use]
    pub fn sequence(&self) -> Option<Sequence> {
        self.sample().map(Sample::sequence)
    }

    /// Returns how long ago a sample was published; `None` if it is not a sample.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.sample().map(Sample::age)
    }

    /// Returns how many samples were published between the previous one that was read and this one.
    /// Returns 0 if they are not counted, as in a segment of a Qt program.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Returns the form in which a Qt program streamed it, detected or chosen; `None` in a segment
    /// of shm-core.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        self.stream().map(|stream| stream.form)
    }

    /// Returns a digest of the stream of a Qt program, for comparisons; `None` in a segment of
    /// shm-core.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.stream().map(|stream| stream.digest)
    }

    /// Checks that the segment was not truncated while its bytes were read in place.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if it was: the bytes that were read are invalid.
    pub fn verify(&self) -> Result<(), ReadError> {
        self.sample().map_or(Ok(()), Sample::verify)
    }

    /// Writes the bytes to `writer`. Stops early if the segment was truncated:
    /// [`verify`](Self::verify) then fails.
    ///
    /// # Errors
    ///
    /// Those of `writer`.
    pub fn write_to(&self, writer: &mut dyn Write) -> io::Result<()> {
        const CHUNK: usize = 64 * 1024;
        for chunk in self.bytes().chunks(CHUNK) {
            // Copied first: `write` fails for memory that a peer has truncated.
            let chunk = chunk.to_vec();
            if self.verify().is_err() {
                break;
            }
            writer.write_all(&chunk)?;
        }
        Ok(())
    }

    /// Reports to the publishers of a sample that this process shows it now. Does nothing unless a
    /// [reporting](crate::Source::reporting) source read it.
    pub fn report_shown(&self) {
        if let (Some(sample), Some(presence)) = (self.sample(), &self.presence) {
            presence.report(sample.sequence(), sample.age());
        }
    }

    fn sample(&self) -> Option<&Sample> {
        match &self.body {
            Body::Sample(sample) => Some(sample),
            Body::Nothing | Body::Block(..) | Body::Stream(_) => None,
        }
    }

    fn stream(&self) -> Option<&Stream> {
        match &self.body {
            Body::Stream(stream) => Some(stream),
            Body::Nothing | Body::Sample(_) | Body::Block(..) => None,
        }
    }
}
