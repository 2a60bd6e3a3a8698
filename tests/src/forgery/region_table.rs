//! Lies about the regions: their entries, what retains them, and which one a record names.

use super::{
    lie::{Field, Lie},
    record::{LARGE, Ring},
    script::Script,
    stage::Stage,
    victim::{self, End},
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

/// Lies about the regions: the first byte chooses which sample is the newest, the second the
/// end, and which region the newest large record is made to name, and to be named by, or that all are
/// occupied; the others are strokes.
pub fn region_table(data: &[u8]) {
    let mut script = Script::new(data);
    let stage = Stage::new();
    let peer = stage.publisher(script.byte());
    let agreement = script.byte();
    let end = End::chosen_by(agreement);
    let honest = stage.segment().expect("the peer keeps it");
    let ring = Ring::of(&honest);
    let table = layout::TABLE..layout::TABLE + layout::ENTRY * (layout::REGIONS + 1);
    let mut lie = Lie::read(&mut script, &honest, &fields(&ring), table);
    match agreement % 4 {
        0 => {}
        3 => occupy_all(&mut lie),
        _ => {
            let region = REGIONS[usize::from(agreement / 4) % REGIONS.len()];
            agree(&mut lie, &ring, region);
        }
    }
    victim::deceive_readers(&stage, peer, &lie, end);
    stage.close();
}

/// What retains, the entries, and of each large record the length and the region that it names.
fn fields(ring: &Ring) -> Vec<Field> {
    let entries = REGIONS.iter().flat_map(|region| {
        let start = layout::TABLE + layout::ENTRY * region;
        ENTRY.map(|(offset, width)| (start + offset, width))
    });
    let records = ring
        .honest_records()
        .into_iter()
        .filter(|record| record.flags == LARGE);
    let records = records.flat_map(|record| {
        let start = ring.place_of(record.position);
        [(start + 16, 8), (start + record.payload_at, 8)]
    });
    let words = [(layout::LARGE_BYTES, 8), (0x40, 8)];
    words.into_iter().chain(entries).chain(records).collect()
}

/// Lets every region belong to a record that is still to come.
fn occupy_all(lie: &mut Lie) {
    for region in 1..=layout::REGIONS {
        let entry = layout::TABLE + layout::ENTRY * region;
        lie.write(entry, &(1_u64 << 50).to_le_bytes());
    }
}

/// Lets the newest large record name a region, and the region's entry name the record.
fn agree(lie: &mut Lie, ring: &Ring, region: usize) {
    let records = ring.honest_records();
    let record = records.iter().rfind(|record| record.flags == LARGE);
    let record = record.expect("two of the three are large");
    let place = ring.place_of(record.position);
    lie.write(place + record.payload_at, &(region as u64).to_le_bytes());
    let entry = layout::TABLE + layout::ENTRY * region;
    lie.write(entry, &record.position.to_le_bytes());
}
