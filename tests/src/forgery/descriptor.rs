//! Lies about what describes the samples: the word that names the latest, and the regions' entries.

use super::{
    lie::{Field, Lie},
    script::Script,
    stage::Stage,
    victim::{self, End},
};
use crate::layout;

/// The regions that hold samples, one that is claimed, one that was never used, and the last.
const REGIONS: [usize; 6] = [1, 2, 3, 4, 5, 255];
/// The fields of an entry.
const ENTRY: [Field; 7] = [
    (0, 8),  // generation
    (8, 8),  // payload_bytes
    (16, 4), // metadata_bytes
    (20, 4), // writer_pid
    (24, 8), // published
    (32, 8), // reserved_bytes
    (40, 8), // touched_bytes
];

/// Lies about `latest` and the entries: the first byte chooses which sample is the latest, the
/// second its end, and which entry `latest` is made to agree with, if any; the others are strokes.
pub fn descriptor(data: &[u8]) {
    let mut script = Script::new(data);
    let stage = Stage::new();
    let peer = stage.publisher(script.byte());
    let agreement = script.byte();
    let end = End::chosen_by(agreement);
    let honest = stage.segment().expect("the peer keeps it");
    let mut lie = Lie::read(
        &mut script,
        &honest,
        &fields(),
        layout::ENTRIES..layout::CONTROL,
    );
    if !agreement.is_multiple_of(4) {
        agree(
            &mut lie,
            REGIONS[usize::from(agreement / 4) % REGIONS.len()],
        );
    }
    victim::deceive_readers(&stage, peer, &lie, end);
    stage.close();
}

fn fields() -> Vec<Field> {
    let entries = REGIONS.iter().flat_map(|region| {
        let start = layout::ENTRIES + layout::ENTRY * region;
        ENTRY.map(|(offset, width)| (start + offset, width))
    });
    [(layout::LATEST, 8)].into_iter().chain(entries).collect()
}

/// Lets `latest` name a region, and both say the same generation: otherwise no lie gets past the first look.
fn agree(lie: &mut Lie, region: usize) {
    const GENERATION: u64 = 77;
    let word = (region as u64) << 48 | GENERATION;
    let entry = layout::ENTRIES + layout::ENTRY * region;
    lie.write(layout::LATEST, &word.to_le_bytes());
    lie.write(entry, &GENERATION.to_le_bytes());
}
