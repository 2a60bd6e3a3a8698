//! What programs do with a segment; whatever is told them, they get an error in a sentence or the truth.

use std::{error::Error, fmt::Debug, time::Duration};

use shm_core::{
    Attach, AttachError, AttachErrorKind, Block, LockError, LockErrorKind, Participant, Publisher,
    RemoveError, RemoveErrorKind, segment,
};

use super::{
    head::{BLOCK, Head, SAMPLES},
    lie::{Lie, number_at},
    metadata,
    reader::Reader,
    record::{self, Ring},
    stage::{Stage, assert_small, memory_of},
    writer::Writer,
};

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
    let writer = Writer::new(peer, &honest);
    if !lie.is_about_length() {
        let mut early = Reader::attach(stage).expect("no lie that matters yet");
        let sample = early.latest().ok().flatten();
        let payload = sample.as_ref().map(|sample| sample.payload().to_vec());
        let late = Reader::attach(stage).expect("no lie that matters yet");
        let mut late = late.at_oldest();
        drop(late.next());
        lie.tell(stage);
        early.read_all();
        drop(look(stage));
        drop(attach_and_read(stage));
        drop(writer.publish());
        early.read_all();
        late.read_all();
        lie.tell(stage);
        drop(writer.clear());
        early.read_all();
        lie.tell(stage);
        drop(writer.clear_and_publish(stage));
        late.read_all();
        // What is pinned no publisher takes, whatever it is told of it.
        let payload_now = sample.as_ref().map(shm_core::Sample::payload);
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
    drop(writer);
}

/// Everybody who deals with a block.
pub(super) fn deceive_holders(
    stage: &Stage,
    peer: Block<shm_core::ReadWrite>,
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
    if let segment::Content::Samples { latest, .. } = &info.content {
        let file = stage.segment().expect("it was looked at by this name");
        assert_told(latest.as_ref(), &Ring::of(&file));
    }
    Ok(info)
}

/// Asserts that the newest record is told of if it is a sample, and intact.
fn assert_told(latest: Option<&segment::Latest>, ring: &Ring) {
    let last = ring.last();
    let is_intact = record::is_position(last) && ring.oldest() <= last;
    let record = is_intact.then(|| ring.record_at(last)).flatten();
    let record = record.filter(|record| [record::INLINE, record::LARGE].contains(&record.flags));
    let expected = record.and_then(|record| {
        let metadata = metadata::decode(&record.metadata, record.payload_bytes)?;
        Some((
            metadata,
            record.payload_bytes,
            record.sequence,
            record.writer_pid,
        ))
    });
    let told = latest.map(|latest| {
        let writer = latest.writer.pid();
        (
            (latest.metadata.clone(), latest.annotations.clone()),
            latest.bytes,
            latest.sequence,
            writer,
        )
    });
    assert_eq!(told, expected);
}

/// Attaches as a subscriber, and reads. For as long as the peer lives, exactly what is in order is attached to.
pub(super) fn attach_and_read(stage: &Stage) -> Result<(), AttachError> {
    let head = stage.head();
    let attached = Reader::attach(stage);
    let is_in_order = head.as_ref().is_some_and(|head| head.admits(SAMPLES));
    assert_admitted(is_in_order, &attached, head.as_ref());
    attached.inspect_err(assert_attach_error)?.read_all();
    let attach = || Reader::attach(stage).inspect_err(assert_attach_error);
    attach()?.at_oldest().read_all();
    attach()?.behind_newest().read_all();
    drop(attach()?.latest());
    Ok(())
}

/// Exactly what is in order is attached to. That memory lies elsewhere in the file than the head says,
/// only the kernel can tell: of that alone the head knows nothing.
fn assert_admitted<A: Debug>(
    is_in_order: bool,
    attached: &Result<A, AttachError>,
    head: Option<&Head>,
) {
    let lacks_memory = attached
        .as_ref()
        .is_err_and(|error| error.to_string().contains("has memory for"));
    assert!(
        attached.is_ok() == is_in_order || lacks_memory,
        "{head:?}: {attached:?}"
    );
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
    let file = stage.segment().expect("it was joined by this name");
    let writer = Writer::new(publisher, &file);
    drop(writer.publish());
    drop(writer.clear_and_publish(stage));
    drop(writer.clear());
    writer.leave();
    Ok(())
}

/// Attaches to a block both ways. For as long as the peer lives, exactly what is in order is attached to.
pub(super) fn attach_to_block(stage: &Stage) -> Result<(), AttachError> {
    let (key, options) = (stage.key(), stage.options());
    let head = stage.head();
    let attached = Block::attach(key, options);
    let is_in_order = head.as_ref().is_some_and(|head| head.admits(BLOCK));
    assert_admitted(is_in_order, &attached, head.as_ref());
    let writer = attached.inspect_err(assert_attach_error)?;
    assert_backed(&writer, stage);
    drop(hold(&writer));
    let reader = Block::attach_read_only(key, options).inspect_err(assert_attach_error)?;
    assert_backed(&reader, stage);
    drop(hold(&reader));
    Ok(())
}

/// Takes the lock in every way that has a bound, and copies the block.
pub(super) fn hold<A: Attach>(block: &Block<A>) -> Result<Vec<u8>, LockError> {
    drop(block.try_lock().inspect_err(assert_lock_error)?);
    let guard = block.lock_for(Duration::ZERO);
    drop(guard.inspect_err(assert_lock_error)?);
    assert_readable(&block.peers());
    let (copy, _abandoned) = block
        .snapshot(Duration::ZERO)
        .inspect_err(assert_lock_error)?;
    assert_eq!(copy.len(), block.size());
    Ok(copy)
}

/// Removes it, at first only if nobody is there.
pub(super) fn remove(stage: &Stage) -> Result<(), RemoveError> {
    let (key, options) = (stage.key(), stage.options());
    let removed = match segment::remove(key, options, segment::Removal::IfUnused) {
        Err(error) => match error.kind() {
            RemoveErrorKind::InUse { by } => {
                assert_readable(by);
                segment::remove(key, options, segment::Removal::Forced)
            }
            _ => Err(error),
        },
        removed => removed,
    };
    removed.inspect_err(|error| {
        assert_text(error);
        let is_in_order = match error.kind() {
            RemoveErrorKind::NotFound | RemoveErrorKind::Foreign { .. } => true,
            RemoveErrorKind::Open(kind) => matches!(**kind, AttachErrorKind::Version { .. }),
            _ => false,
        };
        assert!(is_in_order, "{error:?}");
    })?;
    assert!(stage.segment().is_none(), "it was removed");
    Ok(())
}

/// Asserts that a block is as long as its header says, and has memory for it.
fn assert_backed<A: Attach>(block: &Block<A>, stage: &Stage) {
    let segment = stage.segment().expect("it was attached to by this name");
    let (size, memory) = (block.size() as u64, memory_of(&segment));
    assert_eq!(size, number_at(&segment, 0x30, 8));
    assert!(size <= memory, "{size} bytes of a file that has {memory}");
}

/// Asserts that what strangers say of themselves can be shown.
pub(super) fn assert_readable(attached: &[Participant]) {
    assert!(attached.len() <= MOST_ATTACHED);
    for one in attached {
        assert!(
            !one.program.is_empty() && !one.program.contains(shm_core::escape::is_hidden),
            "{one:?}"
        );
    }
}

pub(super) fn assert_text(error: &impl Error) {
    let text = error.to_string();
    let is_readable = !text.contains(shm_core::escape::is_hidden);
    assert!(is_readable && !text.ends_with('.'), "{text}");
}

pub(super) fn assert_attach_error(error: &AttachError) {
    assert_text(error);
    let is_in_order = matches!(
        error.kind(),
        AttachErrorKind::NotFound
            | AttachErrorKind::AlreadyExists
            | AttachErrorKind::Foreign { .. }
            | AttachErrorKind::Version { .. }
            | AttachErrorKind::WrongKind
    );
    assert!(is_in_order, "{error:?}");
}

fn assert_lock_error(error: &LockError) {
    assert_text(error);
    let is_in_order = matches!(
        error.kind(),
        LockErrorKind::Timeout { .. } | LockErrorKind::WouldBlock | LockErrorKind::Removed
    );
    assert!(is_in_order, "{error:?}");
}
