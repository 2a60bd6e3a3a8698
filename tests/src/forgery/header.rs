//! Lies about the header, of samples and of a block.

use super::{
    lie::{Field, Lie},
    script::Script,
    stage::Stage,
    victim::{self, End},
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
    (layout::FLAGS, 1), // the bits of it that mean something
];

/// Lies about the header: the first byte chooses the kind of segment and its end, the others are strokes.
pub fn header(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let end = End::chosen_by(choice);
    let stage = Stage::new();
    if choice.is_multiple_of(2) {
        let peer = stage.publisher(choice / 2);
        let lie = read(&mut script, &stage);
        victim::deceive_readers(&stage, peer, &lie, end);
    } else {
        let peer = stage.block();
        let lie = read(&mut script, &stage);
        victim::deceive_holders(&stage, peer, &lie, end);
    }
    stage.close();
}

fn read(script: &mut Script<'_>, stage: &Stage) -> Lie {
    let honest = stage.segment().expect("the peer keeps it");
    Lie::read(script, &honest, &FIELDS, 0..layout::SLOTS)
}
