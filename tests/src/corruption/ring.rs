//! Corruption of the ring: the positions in the header, and the records themselves.

use super::{
    choices::Choices,
    mutation::{Field, Mutation},
    operations::{self, End},
    record::{LARGE, PADDING, Ring},
    sandbox::Sandbox,
};
use crate::layout;

/// The fields of a record, from its beginning.
const RECORD: [Field; 6] = [
    (0, 8),  // sequence
    (8, 4),  // total_bytes
    (12, 2), // metadata_bytes
    (14, 2), // flags
    (16, 8), // payload_bytes
    (40, 4), // writer_pid
];

/// Corrupts the ring. The first byte chooses the newest sample and how many were published before
/// the three. The second chooses the end, and whether a whole record is crafted. The others are
/// writes.
pub fn ring(data: &[u8]) {
    let mut choices = Choices::new(data);
    let sandbox = Sandbox::new();
    let choice = choices.byte();
    let peer = sandbox.publisher_after(choice / 3, choice);
    let agreement = choices.byte();
    let end = End::chosen_by(agreement);
    let valid = sandbox.segment().expect("the peer keeps the segment");
    let ring = Ring::of(&valid);
    let crafted = (!agreement.is_multiple_of(4)).then(|| CraftedRecord::read(&mut choices, &ring));
    let fields = fields(&ring);
    let area = layout::RING..layout::RING + offset_of(ring.bytes());
    let mut mutation = Mutation::read(&mut choices, &valid, &fields, area);
    if let Some(crafted) = crafted {
        crafted.write(&mut mutation, &ring);
    }
    operations::run_sample_operations(&sandbox, peer, &mutation, end);
    sandbox.close();
}

/// Returns the fields of the header, and those of the records that readers meet first and last.
fn fields(ring: &Ring) -> Vec<Field> {
    let records = ring.valid_records();
    let padding = records.iter().find(|record| record.flags == PADDING);
    let count = records.len();
    let places = [
        0,
        1,
        count.saturating_sub(3),
        count.saturating_sub(2),
        count - 1,
    ];
    let chosen = places.iter().filter_map(|&place| records.get(place));
    let chosen: Vec<_> = chosen.chain(padding).collect();
    let starts = chosen
        .iter()
        .map(|record| ring.file_offset(record.position));
    let headers = starts.flat_map(|start| RECORD.map(|(offset, width)| (start + offset, width)));
    let regions = chosen.iter().filter(|record| record.flags == LARGE);
    let regions = regions.map(|record| (ring.file_offset(record.position) + record.payload_at, 8));
    let words = [layout::LAST, layout::OLDEST, layout::LARGE_BYTES];
    let words = words.map(|offset| (offset, 8));
    words.into_iter().chain(headers).chain(regions).collect()
}

/// A record that follows most rules: other mutations rarely pass the first check.
#[derive(Debug)]
struct CraftedRecord {
    /// Its position: the newest, or one of those before.
    position: u64,
    bytes: Vec<u8>,
    /// Whether the newest position is set to it.
    is_newest: bool,
}

impl CraftedRecord {
    fn read(choices: &mut Choices<'_>, ring: &Ring) -> CraftedRecord {
        let records = ring.valid_records();
        let choice = choices.byte();
        let back = usize::from(choice / 2) % records.len();
        let newest = &records[records.len() - 1];
        let instead = &records[records.len() - 1 - back];
        let flags = *choices.pick(&[0, PADDING, 2, LARGE, 8]);
        let sequence = newest
            .sequence
            .wrapping_add_signed(i64::from(choices.byte().cast_signed()));
        let total = 64 * (u32::from(choices.byte()) % 66);
        let metadata = u16::from(choices.byte());
        let payload = choices.number(2) | u64::from(choices.byte()) << 32;
        let word = choices.number(2);
        let lengths = [
            sequence.to_le_bytes().to_vec(),
            total.to_le_bytes().to_vec(),
        ]
        .concat();
        let rest = [metadata.to_le_bytes(), flags.to_le_bytes()].concat();
        let mut bytes = [lengths, rest, payload.to_le_bytes().to_vec()].concat();
        bytes.resize(64, 0);
        bytes[56..].copy_from_slice(&word.to_le_bytes());
        CraftedRecord {
            position: instead.position,
            bytes,
            is_newest: !choice.is_multiple_of(2),
        }
    }

    fn write(&self, mutation: &mut Mutation, ring: &Ring) {
        mutation.write(ring.file_offset(self.position), &self.bytes);
        if self.is_newest {
            mutation.write(layout::LAST, &self.position.to_le_bytes());
        }
    }
}

fn offset_of(bytes: u64) -> usize {
    usize::try_from(bytes).expect("64 bits")
}
