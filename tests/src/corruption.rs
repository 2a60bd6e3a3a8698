//! Segments that a peer has corrupted, and the operations of the programs on them.
//!
//! Each target interprets the bytes of a fuzzer as choices, creates a valid segment in a private
//! directory, overwrites parts of it as a peer could, and then runs every public operation. It
//! panics if an operation returns anything but an error or the sample that the file holds, if
//! memory is allocated that was not published, if a file of another program is touched, or if
//! anything is left behind.
//!
//! No target calls [`shm_core::guard_against_truncation`]: that guards readers against truncation
//! while they read. A file that was corrupted before they attach must not raise a signal at all.
//!
//! `tests/fuzz` runs the targets for seconds, the package in `fuzz/` without limit.

mod choices;
mod header;
mod image;
mod key;
mod metadata;
mod mutation;
mod operations;
mod reader;
mod reader_model;
mod record;
mod region_table;
mod ring;
mod sandbox;
mod segment_header;
mod slot_table;
mod stream;
mod writer;

/// A part of a segment to corrupt.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its corpus and its fuzz program.
    pub name: &'static str,
    /// Corrupts the part as these bytes choose, and panics if a guarantee is violated.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "header",
        run: header::header,
    },
    Target {
        name: "ring",
        run: ring::ring,
    },
    Target {
        name: "region_table",
        run: region_table::region_table,
    },
    Target {
        name: "slot_table",
        run: slot_table::slot_table,
    },
    Target {
        name: "metadata",
        run: metadata::metadata,
    },
    Target {
        name: "image",
        run: image::image,
    },
    Target {
        name: "key",
        run: key::key,
    },
    Target {
        name: "stream",
        run: stream::stream,
    },
];

pub use header::header;
pub use image::image;
pub use key::key;
pub use metadata::metadata;
pub use region_table::region_table;
pub use ring::ring;
pub use slot_table::slot_table;
pub use stream::stream;
