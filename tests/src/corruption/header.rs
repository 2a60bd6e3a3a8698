//! Corruption of the header, of samples and of a block.

use super::{
    choices::Choices,
    mutation::{Field, Mutation},
    operations::{self, End},
    sandbox::Sandbox,
};
use crate::layout;

const FIELDS: [Field; 17] = [
    (0x00, 8), // magic
    (0x08, 4), // version
    (0x0c, 4), // slot_count
    (layout::FLAGS, 4),
    (0x14, 4), // kind
    (0x18, 8), // id, low half
    (0x20, 8), // id, high half
    (0x28, 8), // created
    (0x30, 8), // block_bytes
    (0x38, 8), // ring_bytes
    (0x40, 8), // retain_bytes
    (layout::LOCK, 4),
    (layout::LAST, 8),
    (layout::OLDEST, 8),
    (0x200, 8), // wanted
    (layout::LARGE_BYTES, 8),
    (layout::FLAGS, 1), // its meaningful bits
];

/// Corrupts the header: the first byte chooses the kind of segment and its end, the others are
/// writes.
pub fn header(data: &[u8]) {
    let mut choices = Choices::new(data);
    let choice = choices.byte();
    let end = End::chosen_by(choice);
    let sandbox = Sandbox::new();
    if choice.is_multiple_of(2) {
        let peer = sandbox.publisher(choice / 2);
        let mutation = read(&mut choices, &sandbox);
        operations::run_sample_operations(&sandbox, peer, &mutation, end);
    } else {
        let peer = sandbox.block();
        let mutation = read(&mut choices, &sandbox);
        operations::run_block_operations(&sandbox, peer, &mutation, end);
    }
    sandbox.close();
}

fn read(choices: &mut Choices<'_>, sandbox: &Sandbox) -> Mutation {
    let valid = sandbox.segment().expect("the peer keeps the segment");
    Mutation::read(choices, &valid, &FIELDS, 0..layout::SLOTS)
}
