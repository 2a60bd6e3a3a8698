//! Segments as a peer would leave them, and what becomes of their victims.
//!
//! Each target takes the bytes of a fuzzer as choices, puts an honest segment into a private directory, lets
//! a peer write over it, and then does all that programs do with a segment. It panics where
//! one of them gets anything but an error in a sentence or what really stands there, where
//! memory is taken that nobody published, where somebody else's file is touched or something is left behind.
//!
//! No target asks for [`shm_core::guard_against_truncation`]: that is for those who
//! read while a file is cut. What lies there when they come must not even raise a signal.
//!
//! `tests/fuzz` runs them for seconds, the package in `fuzz/` for as long as one likes.

mod head;
mod header;
mod image;
mod key;
mod lie;
mod metadata;
mod reader;
mod reading;
mod record;
mod region_table;
mod ring;
mod script;
mod slot_table;
mod stage;
mod stream;
mod victim;
mod writer;

/// One part of a segment to lie about.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What its corpus and its program are called.
    pub name: &'static str,
    /// Lies as these bytes say, and panics where a promise is broken.
    pub run: fn(&[u8]),
}

/// All of them.
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
