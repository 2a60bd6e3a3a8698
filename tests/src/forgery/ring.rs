//! Lies about the ring: the words that say which records there are, and the records themselves.

use super::{
    lie::{Field, Lie},
    record::{LARGE, PADDING, Ring},
    script::Script,
    stage::Stage,
    victim::{self, End},
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

/// Lies about the ring: the first byte chooses which sample is the newest and how many were published before the
/// three, the second the end and whether a whole record is made up, and the others are strokes.
pub fn ring(data: &[u8]) {
    let mut script = Script::new(data);
    let stage = Stage::new();
    let choice = script.byte();
    let peer = stage.publisher_after(choice / 3, choice);
    let agreement = script.byte();
    let end = End::chosen_by(agreement);
    let honest = stage.segment().expect("the peer keeps it");
    let ring = Ring::of(&honest);
    let forged = (!agreement.is_multiple_of(4)).then(|| Forged::read(&mut script, &ring));
    let fields = fields(&ring);
    let area = layout::RING..layout::RING + offset_of(ring.bytes());
    let mut lie = Lie::read(&mut script, &honest, &fields, area);
    if let Some(forged) = forged {
        forged.write(&mut lie, &ring);
    }
    victim::deceive_readers(&stage, peer, &lie, end);
    stage.close();
}

/// The words of the header, and the fields of the records that readers meet first and last.
fn fields(ring: &Ring) -> Vec<Field> {
    let records = ring.honest_records();
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
    let starts = chosen.iter().map(|record| ring.place_of(record.position));
    let headers = starts.flat_map(|start| RECORD.map(|(offset, width)| (start + offset, width)));
    let regions = chosen.iter().filter(|record| record.flags == LARGE);
    let regions = regions.map(|record| (ring.place_of(record.position) + record.payload_at, 8));
    let words = [layout::LAST, layout::OLDEST, layout::LARGE_BYTES];
    let words = words.map(|offset| (offset, 8));
    words.into_iter().chain(headers).chain(regions).collect()
}

/// A record that keeps to most rules: otherwise hardly a lie gets past the first look.
#[derive(Debug)]
struct Forged {
    /// Where it goes: the newest, or one of those before.
    position: u64,
    bytes: Vec<u8>,
    /// Whether the newest is told to be there.
    is_newest: bool,
}

impl Forged {
    fn read(script: &mut Script<'_>, ring: &Ring) -> Forged {
        let records = ring.honest_records();
        let choice = script.byte();
        let back = usize::from(choice / 2) % records.len();
        let newest = &records[records.len() - 1];
        let instead = &records[records.len() - 1 - back];
        let flags = *script.pick(&[0, PADDING, 2, LARGE, 8]);
        let sequence = newest
            .sequence
            .wrapping_add_signed(i64::from(script.byte().cast_signed()));
        let total = 64 * (u32::from(script.byte()) % 66);
        let metadata = u16::from(script.byte());
        let payload = script.number(2) | u64::from(script.byte()) << 32;
        let word = script.number(2);
        let lengths = [
            sequence.to_le_bytes().to_vec(),
            total.to_le_bytes().to_vec(),
        ]
        .concat();
        let rest = [metadata.to_le_bytes(), flags.to_le_bytes()].concat();
        let mut bytes = [lengths, rest, payload.to_le_bytes().to_vec()].concat();
        bytes.resize(64, 0);
        bytes[56..].copy_from_slice(&word.to_le_bytes());
        Forged {
            position: instead.position,
            bytes,
            is_newest: !choice.is_multiple_of(2),
        }
    }

    fn write(&self, lie: &mut Lie, ring: &Ring) {
        lie.write(ring.place_of(self.position), &self.bytes);
        if self.is_newest {
            lie.write(layout::LAST, &self.position.to_le_bytes());
        }
    }
}

fn offset_of(bytes: u64) -> usize {
    usize::try_from(bytes).expect("64 bits")
}
