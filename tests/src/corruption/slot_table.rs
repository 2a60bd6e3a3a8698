//! Corruption of the slots of participants.

use std::ops::Range;

use shm_core::segment::{Content, Info};

use super::{
    choices::Choices,
    mutation::{Field, Mutation},
    operations,
    sandbox::{BLOCK, Sandbox},
    writer::Writer,
};
use crate::layout;

/// The slot of the peer, those that later participants get, and the last.
const SLOTS: [usize; 4] = [0, 1, 2, 127];
/// The fields of a slot; its program name is also corrupted byte by byte.
const SLOT: [Field; 6] = [
    (0, 4),  // generation
    (4, 4),  // pid
    (8, 8),  // since
    (16, 4), // access
    (20, 4), // the reserved bytes
    (24, 8), // the first bytes of the program's name
];
const TABLE: Range<usize> = layout::SLOTS..layout::TABLE;

/// Corrupts the slots. These only inform users: no operation may fail because of them.
pub fn slot_table(data: &[u8]) {
    let mut choices = Choices::new(data);
    let is_block = !choices.byte().is_multiple_of(2);
    let sandbox = Sandbox::new();
    if is_block {
        let peer = sandbox.block();
        let mutation = read(&mut choices, &sandbox);
        mutation.apply(&sandbox);
        assert_peer_listed(&inspect(&sandbox));
        let copy = operations::lock_and_copy(&peer).expect("the lock is free");
        assert_eq!(copy, vec![0; BLOCK]);
        operations::attach_to_block(&sandbox).expect("the segment is alive");
        drop(peer);
    } else {
        let peer = sandbox.publisher(0);
        let mutation = read(&mut choices, &sandbox);
        mutation.apply(&sandbox);
        assert_peer_listed(&inspect(&sandbox));
        operations::attach_and_read(&sandbox).expect("the segment is alive");
        mutation.apply(&sandbox);
        operations::join_and_publish(&sandbox).expect("the segment is alive");
        mutation.apply(&sandbox);
        let writer = Writer::new(peer, &sandbox.segment().expect("the segment is alive"));
        writer.publish().expect("the lock is free");
        writer
            .clear_and_publish(&sandbox)
            .expect("the lock is free");
        writer.detach();
    }
    assert!(
        sandbox.segment().is_none(),
        "the last participant removes the segment"
    );
    sandbox.close();
}

fn read(choices: &mut Choices<'_>, sandbox: &Sandbox) -> Mutation {
    let valid = sandbox.segment().expect("the peer keeps the segment");
    Mutation::read(choices, &valid, &fields(), TABLE)
}

fn fields() -> Vec<Field> {
    let fields = SLOTS.iter().flat_map(|slot| {
        let start = layout::SLOTS + layout::SLOT * slot;
        SLOT.map(|(offset, width)| (start + offset, width))
    });
    fields.collect()
}

fn inspect(sandbox: &Sandbox) -> Info {
    operations::inspect(sandbox).expect("only the kernel decides liveness")
}

/// Asserts that exactly the peer is reported, whatever its slot holds.
fn assert_peer_listed(info: &Info) {
    assert_eq!(info.attached.len(), 1, "{info:?}");
    if let Content::Samples { latest, .. } = &info.content {
        let latest = latest.as_ref().expect("a sample was published");
        assert_eq!(latest.sequence, 3, "{latest:?}");
    }
}
