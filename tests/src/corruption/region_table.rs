//! Corruption of the regions: their entries, their retention, and the region that a record names.

use super::{
    choices::Choices,
    mutation::{Field, Mutation},
    operations::{self, End},
    record::{LARGE, Ring},
    sandbox::Sandbox,
};
use crate::layout;

/// The regions that hold samples, some that were never used, and the last.
const REGIONS: [usize; 6] = [1, 2, 3, 4, 5, layout::REGIONS];
/// The fields of an entry.
const ENTRY: [Field; 4] = [
    (0, 8),  // position
    (8, 8),  // start
    (16, 8), // reserved_bytes
    (24, 8), // touched_bytes
];

/// Corrupts the regions. The first byte chooses the newest sample. The second chooses the end, and
/// which region the newest large record names and is named by, or that all regions are occupied.
/// The others are writes.
pub fn region_table(data: &[u8]) {
    let mut choices = Choices::new(data);
    let sandbox = Sandbox::new();
    let peer = sandbox.publisher(choices.byte());
    let agreement = choices.byte();
    let end = End::chosen_by(agreement);
    let valid = sandbox.segment().expect("the peer keeps the segment");
    let ring = Ring::of(&valid);
    let table = layout::TABLE..layout::TABLE + layout::ENTRY * (layout::REGIONS + 1);
    let mut mutation = Mutation::read(&mut choices, &valid, &fields(&ring), table);
    match agreement % 4 {
        0 => {}
        3 => occupy_all(&mut mutation),
        _ => {
            let region = REGIONS[usize::from(agreement / 4) % REGIONS.len()];
            link_record_and_region(&mut mutation, &ring, region);
        }
    }
    operations::run_sample_operations(&sandbox, peer, &mutation, end);
    sandbox.close();
}

/// Returns the retention field, the entries, and for each large record its length and the region
/// that it names.
fn fields(ring: &Ring) -> Vec<Field> {
    let entries = REGIONS.iter().flat_map(|region| {
        let start = layout::TABLE + layout::ENTRY * region;
        ENTRY.map(|(offset, width)| (start + offset, width))
    });
    let records = ring
        .valid_records()
        .into_iter()
        .filter(|record| record.flags == LARGE);
    let records = records.flat_map(|record| {
        let start = ring.file_offset(record.position);
        [(start + 16, 8), (start + record.payload_at, 8)]
    });
    let words = [(layout::LARGE_BYTES, 8), (0x40, 8)];
    words.into_iter().chain(entries).chain(records).collect()
}

/// Makes every region belong to a record with a future position.
fn occupy_all(mutation: &mut Mutation) {
    for region in 1..=layout::REGIONS {
        let entry = layout::TABLE + layout::ENTRY * region;
        mutation.write(entry, &(1_u64 << 50).to_le_bytes());
    }
}

/// Makes the newest large record name a region, and the region's entry name the record.
fn link_record_and_region(mutation: &mut Mutation, ring: &Ring, region: usize) {
    let records = ring.valid_records();
    let record = records.iter().rfind(|record| record.flags == LARGE);
    let record = record.expect("two of the three are large");
    let place = ring.file_offset(record.position);
    mutation.write(place + record.payload_at, &(region as u64).to_le_bytes());
    let entry = layout::TABLE + layout::ENTRY * region;
    mutation.write(entry, &record.position.to_le_bytes());
}
