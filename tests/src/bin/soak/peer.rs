//! A peer: runs random operations one after another until it is killed.

use std::{
    error::Error,
    io::{self, Write},
    time::Duration,
};

use rustix::process::{Signal, set_parent_process_death_signal};
use shm_core::{
    AttachError, AttachErrorKind, Block, Key, Locked, Metadata, Options, Publisher, ReadWrite,
    Sample, Subscriber, segment,
};

use crate::{
    payload::{self, SHORTEST},
    rng::Rng,
};

/// Keys and sizes that all peers share.
pub(crate) const SAMPLES: &str = "samples";
pub(crate) const BLOCK: &str = "block";
pub(crate) const BLOCK_BYTES: usize = 1024;
/// The longest payload, and how many samples and loans a peer keeps at once.
pub(crate) const LONGEST: usize = 2 << 20;
pub(crate) const PINS: usize = 2;
pub(crate) const LOANS: usize = 1;
/// One byte on standard output stands for this many checked samples.
pub(crate) const TALLY: u64 = 16;

type Done = Result<(), Box<dyn Error>>;

/// Runs the peer until it is killed.
pub(crate) fn run(seed: &str) -> Done {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut peer = Peer {
        rng: Rng::new(seed.parse()?),
        options: Options::new(),
        samples: Key::new(SAMPLES)?,
        block_key: Key::new(BLOCK)?,
        publisher: None,
        subscriber: None,
        pinned: Vec::new(),
        block: None,
        looked_at: 0,
    };
    loop {
        peer.act()?;
    }
}

struct Peer {
    rng: Rng,
    options: Options,
    samples: Key,
    block_key: Key,
    publisher: Option<Publisher>,
    subscriber: Option<Subscriber>,
    pinned: Vec<Sample>,
    block: Option<Block<ReadWrite>>,
    looked_at: u64,
}

impl Peer {
    fn act(&mut self) -> Done {
        match self.rng.below(40) {
            0..=13 => self.publish(),
            14 => self.grow(),
            15 => self.clear(),
            16..=27 => self.read(),
            28..=35 => self.count(),
            36 => {
                drop(self.publisher.take());
                Ok(())
            }
            37 => {
                self.pinned.clear();
                self.subscriber = None;
                Ok(())
            }
            38 => {
                drop(self.block.take());
                Ok(())
            }
            _ => list(&self.options),
        }
    }

    /// Attaches if it is not attached, and creates the segment if there is none.
    fn publisher(&mut self) -> Result<&Publisher, AttachError> {
        let publisher = match self.publisher.take() {
            Some(publisher) => publisher,
            None => Publisher::open(&self.samples, &self.options)?,
        };
        Ok(self.publisher.insert(publisher))
    }

    fn length(&mut self) -> usize {
        let longest = [256, 4096, 20_000, 100_000, LONGEST][self.rng.below(5)];
        // The longest are rare: otherwise peers would spend all their time filling.
        let longest = if longest == LONGEST && self.rng.below(8) != 0 {
            4096
        } else {
            longest
        };
        SHORTEST + self.rng.below(longest - SHORTEST)
    }

    fn publish(&mut self) -> Done {
        let (length, seed) = (self.length(), self.rng.number());
        let mut loan = self.publisher()?.loan(length)?;
        payload::fill(&mut loan, seed);
        loan.publish(&octets())?;
        Ok(())
    }

    /// Takes a loan, grows it, and publishes it or not.
    fn grow(&mut self) -> Done {
        let (short, long, seed) = (self.length(), self.length(), self.rng.number());
        let publishes = self.rng.below(2) == 0;
        let mut loan = self.publisher()?.loan(short.min(long))?;
        loan.resize(short.max(long))?;
        if publishes {
            payload::fill(&mut loan, seed);
            loan.publish(&octets())?;
        }
        Ok(())
    }

    fn clear(&mut self) -> Done {
        self.publisher()?.clear()?;
        Ok(())
    }

    fn read(&mut self) -> Done {
        let waits = self.rng.below(4) == 0;
        let subscriber = match &mut self.subscriber {
            Some(subscriber) => subscriber,
            none => match Subscriber::attach(&self.samples, &self.options) {
                Ok(subscriber) => none.insert(subscriber),
                Err(error) if *error.kind() == AttachErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error.into()),
            },
        };
        if waits {
            subscriber.wait(Some(Duration::from_millis(1)))?;
        }
        if let Some(sample) = subscriber.latest()? {
            check(&sample)?;
            self.keep(sample)?;
        }
        Ok(())
    }

    /// Pins a few samples for a while, and checks them once more before they are released.
    fn keep(&mut self, sample: Sample) -> Done {
        self.pinned.push(sample);
        if self.pinned.len() > PINS {
            let oldest = self.rng.below(self.pinned.len());
            check(&self.pinned.swap_remove(oldest))?;
        }
        self.looked_at += 1;
        if self.looked_at.is_multiple_of(TALLY) {
            io::stdout().write_all(b".")?;
            io::stdout().flush()?;
        }
        Ok(())
    }

    fn count(&mut self) -> Done {
        let (seed, dies_within) = (self.rng.number(), self.rng.below(2) == 0);
        let block = match self.block.take() {
            Some(block) => block,
            None => Block::open_or_create(&self.block_key, BLOCK_BYTES, &self.options)?,
        };
        rewrite(self.block.insert(block), seed, dies_within)
    }
}

/// Checks the block under the lock and replaces its content, slowly if kills are wanted in between.
pub(crate) fn rewrite(block: &Block<ReadWrite>, seed: u64, slowly: bool) -> Done {
    let mut guard = match block.lock_for(Duration::from_secs(5))? {
        Locked::Clean(guard) => {
            let fresh = guard.iter().all(|&byte| byte == 0);
            if !fresh && !payload::is_whole(&guard) {
                return Err("a half-written block passed for a whole one".into());
            }
            guard
        }
        Locked::Abandoned(mut abandoned) => {
            payload::fill(&mut abandoned, seed);
            abandoned.repaired()
        }
    };
    let half = BLOCK_BYTES / 2;
    guard[..half].fill(0xff);
    if slowly {
        std::thread::yield_now();
    }
    payload::fill(&mut guard, seed);
    Ok(())
}

/// Checks that a sample is intact.
pub(crate) fn check(sample: &Sample) -> Done {
    if payload::is_whole(sample.payload()) {
        Ok(())
    } else {
        Err(format!("a torn sample: {sample:?}").into())
    }
}

/// Lists the segments, and fails on any error among them.
pub(crate) fn list(options: &Options) -> Done {
    for listed in segment::list(options)? {
        // A segment that disappears meanwhile is no error and is not reported.
        listed
            .segment
            .map_err(|reason| format!("listed as {:?}: {reason}", listed.name))?;
    }
    Ok(())
}

pub(crate) fn octets() -> Metadata {
    Metadata::bytes("application/octet-stream")
}
