//! What was published before somebody began to look.

use std::collections::VecDeque;

use shm_core::{Key, Next, Options, Sample, Subscriber};

use crate::snapshot::{self, Company, Snapshot};

/// The most samples that are looked back at.
const MOST: u64 = 100;

/// The most that their payloads may have together, bytes: what a history keeps, too.
const MOST_BYTES: usize = 16 << 20;

/// Reads what the ring has from before `newest`, the oldest first; what cannot be read is passed.
pub(super) fn before(
    newest: &Sample,
    key: &Key,
    options: &Options,
    company: &Company,
) -> Vec<Snapshot> {
    let mut found = VecDeque::new();
    let mut bytes = 0;
    let end = newest.sequence();
    let Ok(subscriber) = Subscriber::attach(key, options) else {
        return Vec::new();
    };
    if subscriber.id() != newest.segment() {
        return Vec::new();
    }
    let mut subscriber = subscriber.from_sequence(end.saturating_sub(MOST));
    // Damage ends it, and so does what comes meanwhile.
    while let Ok(Next::Sample(sample)) = next_of(&mut subscriber) {
        if sample.sequence() >= end {
            break;
        }
        bytes += sample.len();
        found.push_back(sample);
        // At once, so that few regions are pinned.
        while bytes > MOST_BYTES
            && let Some(oldest) = found.pop_front()
        {
            bytes -= oldest.len();
        }
    }
    let snapshot = |sample| snapshot::of_sample(key, &sample, company.clone(), None).ok();
    found.into_iter().filter_map(snapshot).collect()
}

/// The next sample that is there; a clearing takes nothing away that was read.
fn next_of(subscriber: &mut Subscriber) -> Result<Next, shm_core::ReadError> {
    loop {
        match subscriber.next(std::time::Duration::ZERO)? {
            Next::Cleared { .. } => {}
            next => return Ok(next),
        }
    }
}
