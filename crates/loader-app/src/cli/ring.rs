//! How much of what was loaded stays for readers that are slow or late.

use clap::Args;
use gui_common::picture::limit;
use gui_common::text::shell;
use shm_core::Options;
use shm_io::RingSize;

use crate::session::Loaded;

/// The shortest and the longest ring.
const LEAST: u64 = 16 << 10;
const MOST: u64 = 1 << 30;

/// How much of what was loaded stays for readers that are slow or late.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Ring {
    /// Keeps as many of the last samples as fit SIZE, such as 16K or 16M: 16K to 1G, a power of two or
    /// rounded up to one; 256K where nothing is said.
    ///
    /// `viewer-app follow` misses nothing of what it has, and `viewer-app follow --oldest` prints all of it.
    /// A text takes its length and some 64 bytes. What is longer than 16 KiB has its place beside the ring:
    /// see --retain. What is there already keeps its ring; you are warned.
    #[arg(long, value_name = "SIZE", value_parser = ring)]
    ring: Option<u64>,

    /// Keeps SIZE of what is longer than 16 KiB, such as pictures, beside the newest: 64M, or 0, which is
    /// usual.
    ///
    /// At most 190 of them. Where memory runs out, the oldest give way. What is there already keeps what it
    /// was made with; you are warned.
    #[arg(long, value_name = "SIZE", value_parser = limit::bytes)]
    retain: Option<u64>,
}

impl Ring {
    /// Adds what was asked for.
    pub(super) fn apply(self, mut options: Options) -> Options {
        if let Some(bytes) = self.ring {
            options = options.ring_bytes(bytes);
        }
        if let Some(bytes) = self.retain {
            options = options.retain_bytes(bytes);
        }
        options
    }

    /// Returns `true` if anything was asked for.
    pub(super) fn is_asked_for(self) -> bool {
        self.ring.is_some() || self.retain.is_some()
    }

    /// Says that the segment was there before, with another ring than asked for.
    pub(super) fn warning(self, loaded: &Loaded) -> Option<String> {
        let RingSize { ring, retain } = loaded.ring?;
        let kept = [
            (self.ring.map(u64::next_power_of_two), ring, "--ring"),
            (self.retain, retain, "--retain"),
        ];
        let other = kept.iter().filter_map(|(asked, found, option)| {
            let asked = asked.filter(|asked| asked != found)?;
            Some((option, *found, asked))
        });
        let (keeps, wants): (Vec<_>, Vec<_>) = other
            .map(|(option, found, asked)| {
                let written = |bytes| format!("{option} {}", limit::written(bytes));
                (written(found), written(asked))
            })
            .unzip();
        let key = loaded.key.own().filter(|_| !keeps.is_empty())?;
        Some(format!(
            "{key} was there before and keeps its {}. For {} end the programs that loaded into it, or \
             remove it: viewer-app remove --key {}",
            keeps.join(" and "),
            wants.join(" and "),
            shell::quoted(key.as_str())
        ))
    }
}

fn ring(text: &str) -> Result<u64, String> {
    let bytes = limit::bytes(text).map_err(|error| error.to_string())?;
    if (LEAST..=MOST).contains(&bytes) {
        return Ok(bytes);
    }
    Err("a ring has at least 16K and at most 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_a_length_that_the_layout_knows() {
        for (text, bytes) in [("16K", 16 << 10), ("20000", 20_000), ("1GiB", 1 << 30)] {
            assert_eq!(ring(text), Ok(bytes));
        }
        for (text, words) in [
            ("0", "at least 16K"),
            ("16383", "at least 16K"),
            ("2G", "at most 1G"),
            ("much", "such as"),
            ("-1", "such as"),
        ] {
            let error = ring(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
