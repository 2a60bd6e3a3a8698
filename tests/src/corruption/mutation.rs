//! The bytes that a peer writes over a valid segment.

use std::{fs::File, ops::Range, os::unix::fs::FileExt};

use super::{choices::Choices, sandbox::Sandbox};
use crate::layout;

/// More writes in one mutation find nothing that fewer do not.
const MAX_WRITES: usize = 16;

/// A number in the segment: its offset, and its width in bytes.
pub(super) type Field = (usize, usize);

/// The bytes to write, their offsets, and the new length of the file.
#[derive(Debug)]
pub(super) struct Mutation {
    /// The valid content: control area and ring.
    valid: Vec<u8>,
    writes: Vec<(u64, Vec<u8>)>,
    length: Option<u64>,
}

impl Mutation {
    /// Reads a mutation of these fields, of any byte of `area`, and of the length of the file.
    pub(super) fn read(
        choices: &mut Choices<'_>,
        valid: &File,
        fields: &[Field],
        area: Range<usize>,
    ) -> Mutation {
        let ring = usize::try_from(number_at(valid, 0x38, 8)).expect("64 bits");
        let mut bytes = vec![0; layout::CONTROL + ring];
        let read = valid.read_exact_at(&mut bytes, 0);
        read.expect("the file is not truncated yet");
        let mut mutation = Mutation {
            valid: bytes,
            writes: Vec::new(),
            length: None,
        };
        while !choices.is_over() && mutation.writes.len() < MAX_WRITES {
            let choice = usize::from(choices.byte()) % (fields.len() + 2);
            if let Some(&(offset, width)) = fields.get(choice) {
                let value = choices.replacement_for(number_at(valid, offset, width), width);
                mutation.write(offset, &value.to_le_bytes()[..width]);
            } else if choice == fields.len() {
                let place = usize::try_from(choices.number(2)).unwrap_or(0) % area.len();
                let bytes = [choices.byte()];
                mutation.write(area.start + place, &bytes);
            } else {
                let length = valid
                    .metadata()
                    .expect("the metadata of an open file")
                    .len();
                // A length that no file can have is left out.
                mutation.length = Some(choices.replacement_for(length, 6) % (1 << 45));
            }
        }
        mutation
    }

    /// Adds bytes to write at an offset.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.writes.push((offset as u64, bytes.to_vec()));
    }

    /// Returns `true` if the file may become shorter.
    pub(super) fn changes_length(&self) -> bool {
        self.length.is_some()
    }

    /// Writes the bytes, but not the length, to the segment at the name, if there is one.
    ///
    /// First restores the bytes that the operations have changed, so that each operation meets the
    /// mutation as if it were the first. Not if the file was truncated, because writing extends it.
    pub(super) fn apply(&self, sandbox: &Sandbox) {
        let Some(file) = sandbox.segment() else {
            return;
        };
        if self.length.is_none() {
            let put_back = file.write_all_at(&self.valid, 0);
            put_back.expect("space for the valid content");
        }
        for (offset, bytes) in &self.writes {
            file.write_all_at(bytes, *offset)
                .expect("space for the mutation");
        }
    }

    /// Writes the bytes and sets the length: no attached process may touch the segment afterwards.
    pub(super) fn apply_with_length(&self, sandbox: &Sandbox) {
        self.apply(sandbox);
        if let (Some(length), Some(file)) = (self.length, sandbox.segment()) {
            file.set_len(length).expect("a sparse file");
        }
    }
}

/// Returns the number at an offset; zero beyond the end of the file.
pub(super) fn number_at(file: &File, offset: usize, width: usize) -> u64 {
    let mut number = [0; 8];
    let _short = file.read_at(&mut number[..width], offset as u64);
    u64::from_le_bytes(number)
}
