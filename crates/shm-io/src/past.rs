//! Reading samples that were published before the newest.

use std::collections::VecDeque;
use std::time::Duration;

use shm_core::{Key, Next, ReadError, Subscriber};

use crate::address::Address;
use crate::content::Content;
use crate::source::Source;

/// The greatest number of samples that are returned.
const MAX_SAMPLES: u64 = 100;

/// The greatest total size of their payloads in bytes.
const MAX_BYTES: usize = 16 << 20;

impl Source {
    /// Reads the samples that the ring retains from before `newest`, the oldest first: at most 100
    /// samples and 16 MiB. Leaves out what cannot be read. Returns nothing for other content than a
    /// sample.
    #[must_use]
    pub fn before(&self, newest: &Content) -> Vec<Content> {
        match &self.address {
            Address::Own(key) => before(newest, key, self),
            Address::Qt(_) => Vec::new(),
        }
    }
}

fn before(newest: &Content, key: &Key, source: &Source) -> Vec<Content> {
    let Some(newest) = newest.publication() else {
        return Vec::new();
    };
    let Ok(subscriber) = Subscriber::attach(key, &source.options) else {
        return Vec::new();
    };
    if subscriber.id() != newest.segment {
        return Vec::new();
    }
    let end = newest.sequence;
    let mut subscriber = subscriber.from_sequence(end.get().saturating_sub(MAX_SAMPLES));
    let mut found = VecDeque::new();
    let mut bytes = 0;
    // Ends at damage, and at samples that are published meanwhile.
    while let Ok(Next::Sample(sample)) = next_of(&mut subscriber) {
        if sample.sequence() >= end {
            break;
        }
        bytes += sample.len();
        found.push_back(sample);
        // Dropped at once, so that few regions are pinned.
        while bytes > MAX_BYTES
            && let Some(oldest) = found.pop_front()
        {
            bytes -= oldest.len();
        }
    }
    let content = |sample| Content::of_sample(source.address.clone(), sample, 0);
    found.into_iter().map(content).collect()
}

/// Returns the next retained sample, and passes over clears.
fn next_of(subscriber: &mut Subscriber) -> Result<Next, ReadError> {
    loop {
        match subscriber.next(Duration::ZERO)? {
            Next::Cleared { .. } => {}
            next => return Ok(next),
        }
    }
}
