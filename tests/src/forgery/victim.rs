//! What programs do with a segment; whatever is told them, they get an error in a sentence or the truth.

use std::{error::Error, fs::File, io, os::unix::fs::FileExt, time::Duration};

use shm_core::{
    Attach, AttachError, Attached, LockError, Metadata, PublishError, Publisher, ReadError,
    RemoveError, Sample, SharedMemory, Subscriber, segment,
};

use super::{
    head::{BLOCK, SAMPLES},
    lie::{Lie, number_at},
    stage::{Stage, assert_small, memory_of},
};
use crate::layout;

/// Long enough to be pinned by readers, and to take more memory than a small one.
const LONG: usize = 10_000;
/// How many slots and readers are told of at the most.
const MOST_ATTACHED: usize = 128 + 1024;

/// How a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The last one leaves.
    Left,
    /// Somebody removes it before.
    Removed,
}

impl End {
    pub(super) fn chosen_by(byte: u8) -> End {
        if byte < 128 { End::Left } else { End::Removed }
    }

    fn come(self, stage: &Stage) {
        if self == End::Removed {
            drop(remove(stage));
        }
    }
}

/// Everybody who deals with samples: those who were there before the lie was told, and those who come later.
pub(super) fn deceive_readers(stage: &Stage, peer: Publisher, lie: &Lie, end: End) {
    let honest = stage.segment().expect("the peer keeps it");
    if !lie.is_about_length() {
        let mut early = Subscriber::attach(stage.key(), stage.options()).expect("no lie yet");
        let sample = early.latest().ok().flatten();
        let payload = sample.as_ref().map(|sample| sample.payload().to_vec());
        lie.tell(stage);
        drop(read(&mut early, &honest));
        drop(publish(&peer));
        drop(read(&mut early, &honest));
        lie.tell(stage);
        drop(clear(&peer));
        // What is pinned no publisher takes, whatever it is told of it.
        let payload_now = sample.as_ref().map(Sample::payload);
        assert!(
            payload_now == payload.as_deref(),
            "it changed under its reader"
        );
    }
    lie.tell_all(stage);
    drop(look(stage));
    drop(attach_and_read(stage));
    lie.tell(stage);
    drop(join_and_publish(stage));
    lie.tell(stage);
    drop(attach_to_block(stage));
    end.come(stage);
    assert_small(&honest);
    drop(peer);
}

/// Everybody who deals with a block.
pub(super) fn deceive_holders(
    stage: &Stage,
    peer: SharedMemory<shm_core::ReadWrite>,
    lie: &Lie,
    end: End,
) {
    let honest = stage.segment().expect("the peer keeps it");
    if !lie.is_about_length() {
        lie.tell(stage);
        drop(hold(&peer));
    }
    lie.tell_all(stage);
    drop(look(stage));
    drop(attach_to_block(stage));
    lie.tell(stage);
    drop(attach_and_read(stage));
    lie.tell(stage);
    drop(join_and_publish(stage));
    end.come(stage);
    assert_small(&honest);
    drop(peer);
}

/// Looks, as `list` and `info` do.
pub(super) fn look(stage: &Stage) -> Result<segment::Info, AttachError> {
    let listed = segment::list(stage.options()).expect("a directory of ours");
    assert!(listed.len() <= 3, "{listed:?}");
    let info = segment::info(stage.key(), stage.options()).inspect_err(assert_attach_error)?;
    assert_readable(&info.attached);
    if let segment::Content::Samples {
        latest: Some(latest),
    } = &info.content
    {
        assert!(latest.bytes <= layout::REGION_STRIDE, "{latest:?}");
        assert_fits(&latest.metadata, latest.bytes);
    }
    Ok(info)
}

/// Attaches as a subscriber, and reads. For as long as the peer lives, exactly what is in order is attached to.
pub(super) fn attach_and_read(stage: &Stage) -> Result<(), AttachError> {
    let head = stage.head();
    let attached = Subscriber::attach(stage.key(), stage.options());
    let is_in_order = head.as_ref().is_some_and(|head| head.admits(SAMPLES));
    assert_eq!(attached.is_ok(), is_in_order, "{head:?}: {attached:?}");
    let mut subscriber = attached.inspect_err(assert_attach_error)?;
    let segment = stage.segment().expect("it was attached to by this name");
    drop(read(&mut subscriber, &segment));
    Ok(())
}

/// Attaches as a publisher, publishes, clears, and leaves.
pub(super) fn join_and_publish(stage: &Stage) -> Result<(), AttachError> {
    let head = stage.head();
    let joined = Publisher::open(stage.key(), stage.options());
    // What goes with the last may have gone: then the name is free.
    let is_in_order = head
        .as_ref()
        .is_none_or(|head| head.admits(SAMPLES) || head.goes_with_the_last());
    assert!(is_in_order || joined.is_err(), "{head:?}: {joined:?}");
    let publisher = joined.inspect_err(assert_attach_error)?;
    drop(publish(&publisher));
    drop(clear(&publisher));
    assert_readable(&publisher.others());
    let _last = publisher.detach();
    Ok(())
}

/// Attaches to a block both ways. For as long as the peer lives, exactly what is in order is attached to.
pub(super) fn attach_to_block(stage: &Stage) -> Result<(), AttachError> {
    let (key, options) = (stage.key(), stage.options());
    let head = stage.head();
    let attached = SharedMemory::attach(key, options);
    let is_in_order = head.as_ref().is_some_and(|head| head.admits(BLOCK));
    assert_eq!(attached.is_ok(), is_in_order, "{head:?}: {attached:?}");
    let writer = attached.inspect_err(assert_attach_error)?;
    assert_backed(&writer, stage);
    drop(hold(&writer));
    let reader = SharedMemory::attach_read_only(key, options).inspect_err(assert_attach_error)?;
    assert_backed(&reader, stage);
    drop(hold(&reader));
    Ok(())
}

/// Reads all that a subscriber can; the latest sample's payload.
pub(super) fn read(
    subscriber: &mut Subscriber,
    segment: &File,
) -> Result<Option<Vec<u8>>, ReadError> {
    assert_readable(&subscriber.others());
    let found = subscriber.latest();
    let waited = subscriber.wait(Some(Duration::ZERO));
    waited.inspect_err(assert_read_error)?;
    let Some(sample) = found.inspect_err(assert_read_error)? else {
        return Ok(None);
    };
    assert_true(&sample, segment);
    Ok(Some(sample.payload().to_vec()))
}

/// Publishes a short text and a long one; the generation of the last.
pub(super) fn publish(publisher: &Publisher) -> Result<u64, PublishError> {
    publisher
        .publish_text("short")
        .inspect_err(assert_publish_error)?;
    publisher
        .publish_text(&"l".repeat(LONG))
        .inspect_err(assert_publish_error)
}

/// Blanks the content.
pub(super) fn clear(publisher: &Publisher) -> Result<usize, PublishError> {
    publisher.clear().inspect_err(assert_publish_error)
}

/// Takes the lock in every way that has a bound, and copies the block.
pub(super) fn hold<A: Attach>(block: &SharedMemory<A>) -> Result<Vec<u8>, LockError> {
    drop(block.try_lock().inspect_err(assert_lock_error)?);
    let guard = block.lock_timeout(Duration::ZERO);
    drop(guard.inspect_err(assert_lock_error)?);
    assert_readable(&block.others());
    let (copy, _abandoned) = block
        .snapshot(Duration::ZERO)
        .inspect_err(assert_lock_error)?;
    assert_eq!(copy.len(), block.size());
    Ok(copy)
}

/// Removes it, at first only if nobody is there.
pub(super) fn remove(stage: &Stage) -> Result<(), RemoveError> {
    let (key, options) = (stage.key(), stage.options());
    let removed = match segment::remove(key, options, false) {
        Err(RemoveError::InUse { by, .. }) => {
            assert_readable(&by);
            segment::remove(key, options, true)
        }
        other => other,
    };
    removed.inspect_err(|error| {
        assert_sentence(error);
        let is_of_another_version = |source: &io::Error| {
            source
                .get_ref()
                .is_some_and(|inner| inner.is::<AttachError>())
        };
        let is_in_order = match error {
            RemoveError::NotFound { .. } | RemoveError::Foreign { .. } => true,
            RemoveError::Io { source, .. } => is_of_another_version(source),
            _ => false,
        };
        assert!(is_in_order, "{error:?}");
    })?;
    assert!(stage.segment().is_none(), "it was removed");
    Ok(())
}

/// Asserts that a sample is what stands in the file, whole, and in order.
fn assert_true(sample: &Sample, segment: &File) {
    let latest = number_at(segment, layout::LATEST, 8);
    let (region, generation) = (latest >> 48, latest & ((1 << 48) - 1));
    assert_eq!(sample.generation(), generation);
    assert_ne!(generation, 0, "a region that holds nothing was read");
    assert!((1..=255).contains(&region), "{region}");

    let payload = sample.payload();
    let length = sample.len() as u64;
    assert_eq!(payload.len(), sample.len());
    let memory = memory_of(segment);
    let is_small = payload.len() <= layout::SMALL_PAYLOAD;
    assert!(
        is_small || layout::METADATA_ROOM as u64 + length <= memory,
        "{length} bytes of a file that has {memory}"
    );
    let mut stands_there = vec![0; payload.len()];
    let offset = region * layout::REGION_STRIDE + layout::METADATA_ROOM as u64;
    segment
        .read_exact_at(&mut stands_there, offset)
        .expect("a sample is in the file");
    assert!(payload == stands_there, "another payload than the file's");
    assert_fits(sample.metadata(), length);

    let mut copy = vec![0; payload.len()];
    sample.copy_to(&mut copy).expect("it is in the file");
    assert!(copy == payload, "another copy than the payload");
    match sample.to_message() {
        Ok(message) => {
            assert!(message.payload() == payload, "another message");
            assert_eq!(&message.metadata(), sample.metadata());
        }
        Err(ReadError::Invalid { .. }) => {
            assert_eq!(sample.metadata(), &Metadata::Text);
            assert!(std::str::from_utf8(payload).is_err(), "it is UTF-8");
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// Asserts that metadata keeps to its bounds and fits a payload of this length.
pub(super) fn assert_fits(metadata: &Metadata, payload_bytes: u64) {
    assert!(metadata.media_type().len() <= 255, "{metadata:?}");
    assert!(
        metadata.source().is_none_or(|source| source.len() <= 255),
        "{metadata:?}"
    );
    if let Metadata::Image(image) = metadata {
        let sides = 1..=65_535;
        assert!(sides.contains(&image.width) && sides.contains(&image.height));
        let row = u64::from(image.width) * image.format.bytes_per_pixel() as u64;
        assert!(row <= u64::from(image.stride), "{image:?}");
        let bytes = u64::from(image.stride) * u64::from(image.height);
        assert_eq!(bytes, payload_bytes, "{image:?}");
    }
}

/// Asserts that a block is as long as its header says, and has memory for it.
fn assert_backed<A: Attach>(block: &SharedMemory<A>, stage: &Stage) {
    let segment = stage.segment().expect("it was attached to by this name");
    let (size, memory) = (block.size() as u64, memory_of(&segment));
    assert_eq!(size, number_at(&segment, 0x30, 8));
    assert!(size <= memory, "{size} bytes of a file that has {memory}");
}

/// Asserts that what strangers say of themselves can be shown.
pub(super) fn assert_readable(attached: &[Attached]) {
    assert!(attached.len() <= MOST_ATTACHED);
    for one in attached {
        assert!(
            !one.program.is_empty() && !one.program.contains(shm_core::escape::is_hidden),
            "{one:?}"
        );
    }
}

fn assert_sentence(error: &impl Error) {
    let text = error.to_string();
    assert!(text.ends_with('.'), "{text}");
}

fn assert_attach_error(error: &AttachError) {
    assert_sentence(error);
    let is_in_order = matches!(
        error,
        AttachError::NotFound { .. }
            | AttachError::AlreadyExists { .. }
            | AttachError::Foreign { .. }
            | AttachError::Version { .. }
            | AttachError::WrongKind { .. }
    );
    assert!(is_in_order, "{error:?}");
}

fn assert_read_error(error: &ReadError) {
    assert_sentence(error);
    let is_in_order = matches!(
        error,
        ReadError::Invalid { .. } | ReadError::Truncated { .. } | ReadError::Busy { .. }
    );
    assert!(is_in_order, "{error:?}");
}

fn assert_publish_error(error: &PublishError) {
    assert_sentence(error);
    let is_in_order = matches!(
        error,
        PublishError::Orphaned { .. } | PublishError::Busy { .. }
    );
    assert!(is_in_order, "{error:?}");
}

fn assert_lock_error(error: &LockError) {
    assert_sentence(error);
    let is_in_order = matches!(
        error,
        LockError::Timeout { .. } | LockError::WouldBlock { .. } | LockError::Orphaned { .. }
    );
    assert!(is_in_order, "{error:?}");
}
