//! The retention of older samples.

use clap::Args;
use gui_common::picture::limit;
use gui_common::text::shell;
use shm_core::Options;
use shm_io::RingSize;

use crate::session::Loaded;

/// The bounds of the ring's size, in bytes.
const MIN_BYTES: u64 = 16 << 10;
const MAX_BYTES: u64 = 1 << 30;

/// The retention of older samples.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct RingOptions {
    /// Keep older samples in a ring of SIZE bytes, such as 16K or 16M: 16K to 1G, rounded up to a
    /// power of two [default: 256K].
    ///
    /// `viewer-app follow` reads the samples of the ring in order, and `viewer-app follow --oldest`
    /// prints all of them. A text takes its length and about 64 bytes. A sample longer than 16 KiB
    /// is stored outside the ring: see --retain. An existing segment keeps its ring, and a warning
    /// is printed.
    #[arg(long, value_name = "SIZE", value_parser = ring_bytes)]
    ring: Option<u64>,

    /// Keep up to SIZE bytes of older samples longer than 16 KiB, such as pictures, besides the
    /// newest [default: 0].
    ///
    /// At most 190 samples are kept. If memory runs out, the oldest are evicted. An existing
    /// segment keeps its setting, and a warning is printed.
    #[arg(long, value_name = "SIZE", value_parser = limit::bytes)]
    retain: Option<u64>,
}

impl RingOptions {
    /// Returns `options` with the values that the user set.
    pub(super) fn apply(self, mut options: Options) -> Options {
        if let Some(bytes) = self.ring {
            options = options.ring_bytes(bytes);
        }
        if let Some(bytes) = self.retain {
            options = options.retain_bytes(bytes);
        }
        options
    }

    /// Returns `true` if the user set one of the options.
    pub(super) fn is_set(self) -> bool {
        self.ring.is_some() || self.retain.is_some()
    }

    /// Returns a warning if the segment existed before with other values.
    pub(super) fn warning(self, loaded: &Loaded) -> Option<String> {
        let RingSize { ring, retain } = loaded.ring?;
        let values = [
            (self.ring.map(u64::next_power_of_two), ring, "--ring"),
            (self.retain, retain, "--retain"),
        ];
        let differing = values.iter().filter_map(|(requested, found, option)| {
            let requested = requested.filter(|requested| requested != found)?;
            Some((option, *found, requested))
        });
        let (kept, requested): (Vec<_>, Vec<_>) = differing
            .map(|(option, found, requested)| {
                let written = |bytes| format!("{option} {}", limit::format(bytes));
                (written(found), written(requested))
            })
            .unzip();
        let key = loaded.key.own().filter(|_| !kept.is_empty())?;
        Some(format!(
            "{key} already exists and keeps its {}. For {} end the programs that loaded into it, or \
             remove it: viewer-app remove --key {}",
            kept.join(" and "),
            requested.join(" and "),
            shell::quoted(key.as_str())
        ))
    }
}

fn ring_bytes(text: &str) -> Result<u64, String> {
    let bytes = limit::bytes(text).map_err(|error| error.to_string())?;
    if (MIN_BYTES..=MAX_BYTES).contains(&bytes) {
        return Ok(bytes);
    }
    Err("the size of a ring is at least 16K and at most 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_size_outside_the_bounds_is_refused() {
        for (text, bytes) in [("16K", 16 << 10), ("20000", 20_000), ("1GiB", 1 << 30)] {
            assert_eq!(ring_bytes(text), Ok(bytes));
        }
        for (text, words) in [
            ("0", "at least 16K"),
            ("16383", "at least 16K"),
            ("2G", "at most 1G"),
            ("much", "such as"),
            ("-1", "such as"),
        ] {
            let error = ring_bytes(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
