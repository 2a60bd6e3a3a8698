//! The cost of more readers for a publisher: the time inside `publish` while they pin and read.

use std::sync::atomic::Ordering;
use std::time::Duration;

use shm_core::{Key, Options, Publisher, Subscriber};

use super::{Arena, timed};
use crate::Outcome;
use crate::ground::Ground;
use crate::payload::{FRAME, check, stamp};
use crate::peer::{Peer, obey};
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;
use crate::way::octets;

const FRAMES: usize = 8;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let contenders = [1, 8]
        .into_iter()
        .map(|readers| {
            let mut audience = Audience::gather(arena, readers, FRAME)?;
            Ok(Contender::new(name(readers), move || audience.turn(FRAMES)))
        })
        .collect::<Outcome<_>>()?;
    let rounds = Rounds::play(arena.rounds(15), contenders)?;
    let (one, eight) = (name(1), name(8));
    report.rounds("a 4K frame: inside publish", Unit::Time, &one, &rounds);
    let goal = Goal::AtMost(1.15);
    report.judge("readers_8", &rounds, (&eight, &one), Of::Median, goal);
    Ok(())
}

fn name(readers: usize) -> String {
    format!(
        "publish with {readers} reader{}",
        if readers == 1 { "" } else { "s" }
    )
}

/// A publisher and its readers, each a process that sleeps until a sample is published.
pub(crate) struct Audience {
    publisher: Publisher,
    readers: Vec<Peer>,
    looked: Ground,
    payload: Vec<u8>,
    number: u64,
}

impl Audience {
    pub(crate) fn gather(arena: &Arena, readers: usize, bytes: usize) -> Outcome<Self> {
        let place = arena.fresh_place()?;
        let options = Options::new().directory(&place).reserve(bytes as u64);
        let publisher = Publisher::open(&Key::new("frames")?, &options)?;
        let looked = Ground::open(&place.join("looked"), 4096)?;
        let name = place.to_str().ok_or("a place without a name")?;
        let mut peers = Vec::new();
        for _ in 0..readers {
            let mut peer = Peer::start("reader", arena.cores, &[name])?;
            peer.hear()?;
            peers.push(peer);
        }
        Ok(Self {
            publisher,
            readers: peers,
            looked,
            payload: vec![1; bytes],
            number: 0,
        })
    }

    /// Returns the nanoseconds inside `publish`. Waits for every reader before the next.
    pub(crate) fn turn(&mut self, samples: usize) -> Outcome<Vec<f64>> {
        let count = self.looked.wide(0);
        count.store(0, Ordering::Relaxed);
        for reader in &mut self.readers {
            reader.tell(&format!("{} {samples}", self.number))?;
        }
        let mut figures = Vec::new();
        for turn in 1..=samples {
            self.number += 1;
            stamp(&mut self.payload, self.number);
            // Readers should sleep again, as between frames, before the next wake.
            std::thread::sleep(Duration::from_millis(2));
            let (published, nanoseconds) =
                timed(|| self.publisher.publish(&octets(), &self.payload));
            published?;
            figures.push(nanoseconds);
            while count.load(Ordering::Acquire) < (turn * self.readers.len()) as u64 {
                std::hint::spin_loop();
            }
        }
        for reader in &mut self.readers {
            reader.hear()?;
        }
        Ok(figures)
    }
}

/// A reader: pins each sample, reads 64 bytes of it, and increments a counter.
pub(crate) fn peer(arguments: &[String]) -> Outcome {
    let [place] = arguments else {
        return Err("a place is required".into());
    };
    let options = Options::new().directory(place);
    let mut subscriber = Subscriber::attach(&Key::new("frames")?, &options)?;
    let looked = Ground::open(&std::path::Path::new(place).join("looked"), 4096)?;
    obey(|order| {
        let (number, samples) = order.split_once(' ').ok_or("a number and a count")?;
        let number: u64 = number.parse()?;
        let samples: u64 = samples.parse()?;
        for number in number + 1..=number + samples {
            subscriber.wait(None)?;
            let sample = subscriber.latest()?.ok_or("nothing was published")?;
            // A number at the start of each page; in short payloads in every word.
            check(&sample.payload()[..8], number)?;
            let touched = sample.payload()[..64].iter().map(|&byte| u64::from(byte));
            std::hint::black_box(touched.sum::<u64>());
            drop(sample);
            looked.wide(0).fetch_add(1, Ordering::Release);
        }
        Ok("done".into())
    })
}
