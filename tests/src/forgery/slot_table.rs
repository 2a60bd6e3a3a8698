//! Lies about who is attached.

use std::ops::Range;

use shm_core::segment::{Content, Info};

use super::{
    lie::{Field, Lie},
    script::Script,
    stage::{BLOCK, Stage},
    victim,
    writer::Writer,
};
use crate::layout;

/// The slot of the peer, those that the victims get, and the last.
const SLOTS: [usize; 4] = [0, 1, 2, 127];
/// The fields of a slot; its program is hit byte by byte.
const SLOT: [Field; 6] = [
    (0, 4),  // generation
    (4, 4),  // pid
    (8, 8),  // since
    (16, 4), // access
    (20, 4), // the first part of what is left
    (24, 8), // the beginning of the program's name
];
const TABLE: Range<usize> = layout::SLOTS..layout::TABLE;

/// Lies about the slots. These are for people to read: nothing may fail by it, whoever they say is there.
pub fn slot_table(data: &[u8]) {
    let mut script = Script::new(data);
    let is_block = !script.byte().is_multiple_of(2);
    let stage = Stage::new();
    if is_block {
        let peer = stage.block();
        let lie = read(&mut script, &stage);
        lie.tell(&stage);
        assert_is_there(&look(&stage));
        let copy = victim::hold(&peer).expect("nobody holds it");
        assert_eq!(copy, vec![0; BLOCK]);
        victim::attach_to_block(&stage).expect("it lives");
        drop(peer);
    } else {
        let peer = stage.publisher(0);
        let lie = read(&mut script, &stage);
        lie.tell(&stage);
        assert_is_there(&look(&stage));
        victim::attach_and_read(&stage).expect("it lives");
        lie.tell(&stage);
        victim::join_and_publish(&stage).expect("it lives");
        lie.tell(&stage);
        let writer = Writer::new(peer, &stage.segment().expect("it lives"));
        writer.publish().expect("nobody holds the lock");
        writer
            .clear_and_publish(&stage)
            .expect("nobody holds the lock");
        writer.leave();
    }
    assert!(stage.segment().is_none(), "the last one left");
    stage.close();
}

fn read(script: &mut Script<'_>, stage: &Stage) -> Lie {
    let honest = stage.segment().expect("the peer keeps it");
    Lie::read(script, &honest, &fields(), TABLE)
}

fn fields() -> Vec<Field> {
    let fields = SLOTS.iter().flat_map(|slot| {
        let start = layout::SLOTS + layout::SLOT * slot;
        SLOT.map(|(offset, width)| (start + offset, width))
    });
    fields.collect()
}

fn look(stage: &Stage) -> Info {
    victim::look(stage).expect("who lives is the kernel's word")
}

/// Asserts that exactly the peer is told of, whatever its slot says of it.
fn assert_is_there(info: &Info) {
    assert_eq!(info.attached.len(), 1, "{info:?}");
    if let Content::Samples { latest, .. } = &info.content {
        let latest = latest.as_ref().expect("something was published");
        assert_eq!(latest.sequence, 3, "{latest:?}");
    }
}
