//! What a peer writes over an honest segment.

use std::{fs::File, ops::Range, os::unix::fs::FileExt};

use super::{script::Script, stage::Stage};
use crate::layout;

/// More of them in one lie find nothing that fewer do not.
const MOST_STROKES: usize = 16;

/// A number in the segment: its offset, and its width in bytes.
pub(super) type Field = (usize, usize);

/// What is written where, and how long the file is made.
#[derive(Debug)]
pub(super) struct Lie {
    /// What honest programs wrote: control area and ring.
    honest: Vec<u8>,
    strokes: Vec<(u64, Vec<u8>)>,
    length: Option<u64>,
}

impl Lie {
    /// Reads a lie about these fields, about any byte of `area`, and about the length of the file.
    pub(super) fn read(
        script: &mut Script<'_>,
        honest: &File,
        fields: &[Field],
        area: Range<usize>,
    ) -> Lie {
        let ring = usize::try_from(number_at(honest, 0x38, 8)).expect("64 bits");
        let mut bytes = vec![0; layout::CONTROL + ring];
        let read = honest.read_exact_at(&mut bytes, 0);
        read.expect("nobody has cut it");
        let mut lie = Lie {
            honest: bytes,
            strokes: Vec::new(),
            length: None,
        };
        while !script.is_over() && lie.strokes.len() < MOST_STROKES {
            let choice = usize::from(script.byte()) % (fields.len() + 2);
            if let Some(&(offset, width)) = fields.get(choice) {
                let value = script.instead_of(number_at(honest, offset, width), width);
                lie.write(offset, &value.to_le_bytes()[..width]);
            } else if choice == fields.len() {
                let place = usize::try_from(script.number(2)).unwrap_or(0) % area.len();
                let bytes = [script.byte()];
                lie.write(area.start + place, &bytes);
            } else {
                let length = honest.metadata().expect("the facts of an open file").len();
                // What no file can be long is no lie that can be told.
                lie.length = Some(script.instead_of(length, 6) % (1 << 45));
            }
        }
        lie
    }

    /// Adds bytes that are written at an offset.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.strokes.push((offset as u64, bytes.to_vec()));
    }

    /// Returns `true` if the file may be made shorter than it was.
    pub(super) fn is_about_length(&self) -> bool {
        self.length.is_some()
    }

    /// Tells it about what stands at the name now, if anything does; but for the length.
    ///
    /// What victims have written is put back before, so that each meets the lie as if it was the first. Not
    /// where the file was cut, because writing makes it longer.
    pub(super) fn tell(&self, stage: &Stage) {
        let Some(file) = stage.segment() else { return };
        if self.length.is_none() {
            let put_back = file.write_all_at(&self.honest, 0);
            put_back.expect("room for what was there");
        }
        for (offset, bytes) in &self.strokes {
            file.write_all_at(bytes, *offset).expect("room for a lie");
        }
    }

    /// The same, the length included: nobody who is attached may touch the segment after this.
    pub(super) fn tell_all(&self, stage: &Stage) {
        self.tell(stage);
        if let (Some(length), Some(file)) = (self.length, stage.segment()) {
            file.set_len(length).expect("a sparse file");
        }
    }
}

/// What stands there; zero behind the end of the file.
pub(super) fn number_at(file: &File, offset: usize, width: usize) -> u64 {
    let mut number = [0; 8];
    let _short = file.read_at(&mut number[..width], offset as u64);
    u64::from_le_bytes(number)
}
