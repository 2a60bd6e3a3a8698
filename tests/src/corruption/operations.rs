//! The operations of the programs on a segment: whatever it holds, they return an error or correct
//! data.

use std::{error::Error, fmt::Debug, time::Duration};

use shm_core::{
    Attach, AttachError, AttachErrorKind, Block, ForeignReason, LockError, LockErrorKind,
    Participant, Publisher, RemoveError, RemoveErrorKind, segment,
};

use super::{
    metadata,
    mutation::{Mutation, number_at},
    reader::Reader,
    record::{self, Ring},
    sandbox::{Sandbox, assert_bounded_memory, memory_of},
    segment_header::{BLOCK, SAMPLES, SegmentHeader},
    writer::Writer,
};

/// The largest number of slots and readers that may be reported.
const MAX_ATTACHED: usize = 128 + 1024;

/// How a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The last participant detaches.
    Left,
    /// It is removed before that.
    Removed,
}

impl End {
    pub(super) fn chosen_by(byte: u8) -> End {
        if byte < 128 { End::Left } else { End::Removed }
    }

    fn apply(self, sandbox: &Sandbox) {
        if self == End::Removed {
            drop(remove(sandbox));
        }
    }
}

/// Runs every operation on samples: by participants that attached before the corruption, and by
/// later ones.
pub(super) fn run_sample_operations(
    sandbox: &Sandbox,
    peer: Publisher,
    mutation: &Mutation,
    end: End,
) {
    let valid = sandbox.segment().expect("the peer keeps the segment");
    let writer = Writer::new(peer, &valid);
    if !mutation.changes_length() {
        let mut early = Reader::attach(sandbox).expect("the segment is valid");
        let sample = early.latest().ok().flatten();
        let payload = sample.as_ref().map(|sample| sample.payload().to_vec());
        let late = Reader::attach(sandbox).expect("the segment is valid");
        let mut late = late.at_oldest();
        drop(late.next());
        mutation.apply(sandbox);
        early.read_all();
        drop(inspect(sandbox));
        drop(attach_and_read(sandbox));
        drop(writer.publish());
        early.read_all();
        late.read_all();
        mutation.apply(sandbox);
        drop(writer.clear());
        early.read_all();
        mutation.apply(sandbox);
        drop(writer.clear_and_publish(sandbox));
        late.read_all();
        // No publisher reuses a pinned payload, whatever the segment claims.
        let payload_now = sample.as_ref().map(shm_core::Sample::payload);
        assert!(
            payload_now == payload.as_deref(),
            "the pinned payload changed"
        );
    }
    mutation.apply_with_length(sandbox);
    drop(inspect(sandbox));
    drop(attach_and_read(sandbox));
    mutation.apply(sandbox);
    drop(join_and_publish(sandbox));
    mutation.apply(sandbox);
    drop(attach_to_block(sandbox));
    end.apply(sandbox);
    assert_bounded_memory(&valid);
    drop(writer);
}

/// Runs every operation on a block.
pub(super) fn run_block_operations(
    sandbox: &Sandbox,
    peer: Block<shm_core::ReadWrite>,
    mutation: &Mutation,
    end: End,
) {
    let valid = sandbox.segment().expect("the peer keeps the segment");
    if !mutation.changes_length() {
        mutation.apply(sandbox);
        drop(lock_and_copy(&peer));
    }
    mutation.apply_with_length(sandbox);
    drop(inspect(sandbox));
    drop(attach_to_block(sandbox));
    mutation.apply(sandbox);
    drop(attach_and_read(sandbox));
    mutation.apply(sandbox);
    drop(join_and_publish(sandbox));
    end.apply(sandbox);
    assert_bounded_memory(&valid);
    drop(peer);
}

/// Inspects the segment, as `list` and `info` do.
pub(super) fn inspect(sandbox: &Sandbox) -> Result<segment::Info, AttachError> {
    let listed = segment::list(sandbox.options()).expect("a directory of ours");
    assert!(listed.len() <= 3, "{listed:?}");
    let info = segment::info(sandbox.key(), sandbox.options()).inspect_err(assert_attach_error)?;
    assert_readable(&info.attached);
    if let segment::Content::Samples { latest, .. } = &info.content {
        let file = sandbox.segment().expect("the segment has this name");
        assert_reported(latest.as_ref(), &Ring::of(&file));
    }
    Ok(info)
}

/// Asserts that the newest record is reported if it is a sample, and intact.
fn assert_reported(latest: Option<&segment::Latest>, ring: &Ring) {
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
            latest.sequence.get(),
            writer,
        )
    });
    assert_eq!(told, expected);
}

/// Attaches as a subscriber, and reads. While the peer lives, attaching succeeds exactly for valid
/// segments.
pub(super) fn attach_and_read(sandbox: &Sandbox) -> Result<(), AttachError> {
    let header = sandbox.header();
    let attached = Reader::attach(sandbox);
    let is_in_order = header.as_ref().is_some_and(|header| header.admits(SAMPLES));
    assert_admitted(is_in_order, &attached, header.as_ref());
    attached.inspect_err(assert_attach_error)?.read_all();
    let attach = || Reader::attach(sandbox).inspect_err(assert_attach_error);
    attach()?.at_oldest().read_all();
    attach()?.behind_newest().read_all();
    drop(attach()?.latest());
    Ok(())
}

/// Asserts that attaching succeeds exactly for valid segments. If memory lies elsewhere in the file
/// than the header claims, only the kernel can know: the header alone does not show it.
fn assert_admitted<A: Debug>(
    is_in_order: bool,
    attached: &Result<A, AttachError>,
    header: Option<&SegmentHeader>,
) {
    let lacks_memory = attached.as_ref().is_err_and(|error| {
        matches!(
            error.kind(),
            AttachErrorKind::Foreign {
                reason: ForeignReason::Memory { .. },
                ..
            }
        )
    });
    assert!(
        attached.is_ok() == is_in_order || lacks_memory,
        "{header:?}: {attached:?}"
    );
}

/// Attaches as a publisher, publishes, clears, and detaches.
pub(super) fn join_and_publish(sandbox: &Sandbox) -> Result<(), AttachError> {
    let header = sandbox.header();
    let joined = Publisher::open(sandbox.key(), sandbox.options());
    // A segment that the last participant removes may be gone: then the name is free.
    let is_in_order = header
        .as_ref()
        .is_none_or(|header| header.admits(SAMPLES) || header.is_removed_with_last());
    assert!(is_in_order || joined.is_err(), "{header:?}: {joined:?}");
    let publisher = joined.inspect_err(assert_attach_error)?;
    let file = sandbox.segment().expect("the segment has this name");
    let writer = Writer::new(publisher, &file);
    drop(writer.publish());
    drop(writer.clear_and_publish(sandbox));
    drop(writer.clear());
    writer.detach();
    Ok(())
}

/// Attaches to a block both ways. While the peer lives, attaching succeeds exactly for valid
/// segments.
pub(super) fn attach_to_block(sandbox: &Sandbox) -> Result<(), AttachError> {
    let (key, options) = (sandbox.key(), sandbox.options());
    let header = sandbox.header();
    let attached = Block::attach(key, options);
    let is_in_order = header.as_ref().is_some_and(|header| header.admits(BLOCK));
    assert_admitted(is_in_order, &attached, header.as_ref());
    let writer = attached.inspect_err(assert_attach_error)?;
    assert_backed(&writer, sandbox);
    drop(lock_and_copy(&writer));
    let reader = Block::attach_read_only(key, options).inspect_err(assert_attach_error)?;
    assert_backed(&reader, sandbox);
    drop(lock_and_copy(&reader));
    Ok(())
}

/// Takes the lock in every bounded way, and copies the block.
pub(super) fn lock_and_copy<A: Attach>(block: &Block<A>) -> Result<Vec<u8>, LockError> {
    drop(block.try_lock().inspect_err(assert_lock_error)?);
    let guard = block.lock_for(Duration::ZERO);
    drop(guard.inspect_err(assert_lock_error)?);
    assert_readable(&block.peers());
    let snapshot = block
        .snapshot(Duration::ZERO)
        .inspect_err(assert_lock_error)?;
    assert_eq!(snapshot.bytes.len(), block.size());
    Ok(snapshot.bytes)
}

/// Removes the segment, first only if no process is attached.
pub(super) fn remove(sandbox: &Sandbox) -> Result<(), RemoveError> {
    let (key, options) = (sandbox.key(), sandbox.options());
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
    assert!(sandbox.segment().is_none(), "the segment is still there");
    Ok(())
}

/// Asserts that a block is as long as its header claims, and has memory for all of it.
fn assert_backed<A: Attach>(block: &Block<A>, sandbox: &Sandbox) {
    let segment = sandbox.segment().expect("the segment has this name");
    let (size, memory) = (block.size() as u64, memory_of(&segment));
    assert_eq!(size, number_at(&segment, 0x30, 8));
    assert!(size <= memory, "{size} bytes of a file that has {memory}");
}

/// Asserts that the untrusted names of participants can be displayed.
pub(super) fn assert_readable(attached: &[Participant]) {
    assert!(attached.len() <= MAX_ATTACHED);
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
