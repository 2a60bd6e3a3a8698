//! Publishing and reading the first frame, whose memory is not allocated yet.

use std::os::unix::fs::FileExt;

use shm_core::{Key, Options, Publisher, Subscriber};

use super::{Arena, timed};
use crate::Outcome;
use crate::payload::{FRAME, check, stamp};
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;
use crate::way::octets;

const WARM: &str = "the same frame warm";
const FIRST: &str = "first frame";
const RESERVED: &str = "first frame, memory reserved";
const BARE: &str = "pwrite into a fresh file";
const LOOK: &str = "a subscriber's first look";

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let plain = Options::new().directory(arena.place());
    let reserving = plain.clone().reserve(FRAME as u64);
    let mut frame = vec![1; FRAME];
    let mut warm = Frames::open("warm", &reserving)?;
    for _ in 0..4 {
        warm.publish(&mut frame)?;
        warm.look()?;
    }
    // Removed with its publisher, so that each turn starts without a segment.
    let first = |key, options: Options| {
        let mut frame = vec![1; FRAME];
        move || Ok(vec![Frames::open(key, &options)?.publish(&mut frame)?])
    };
    let (key, look) = ("look", plain.clone());
    let mut looked_at = vec![1; FRAME];
    let bare = vec![1; FRAME];
    let contenders = vec![
        Contender::new(WARM, || Ok(vec![warm.publish(&mut frame)?])),
        Contender::new(BARE, || Ok(vec![written(arena, &bare)?])),
        Contender::new(FIRST, first("first", plain)),
        Contender::new(RESERVED, first("reserved", reserving)),
        Contender::new(LOOK, move || {
            let mut frames = Frames::open(key, &look)?;
            frames.publish(&mut looked_at)?;
            Ok(vec![frames.look()?])
        }),
    ];
    let rounds = Rounds::play(arena.rounds(21), contenders)?;
    report.rounds("a 4K frame: publish", Unit::Time, WARM, &rounds);
    let goal = Goal::AtMost(1.10);
    report.judge("frame4k_first", &rounds, (FIRST, BARE), Of::Median, goal);
    let (name, goal) = ("frame4k_first_reserved", Goal::AtMost(1.10));
    report.judge(name, &rounds, (RESERVED, WARM), Of::Median, goal);
    Ok(())
}

/// Returns the nanoseconds of writing a frame into a file without memory: the kernel's lower bound.
fn written(arena: &Arena, frame: &[u8]) -> Outcome<f64> {
    let file = tempfile::tempfile_in(arena.place())?;
    let (written, nanoseconds) = timed(|| file.write_all_at(frame, 0));
    written?;
    Ok(nanoseconds)
}

/// A publisher, and a subscriber.
struct Frames {
    publisher: Publisher,
    subscriber: Subscriber,
    number: u64,
}

impl Frames {
    fn open(key: &str, options: &Options) -> Outcome<Self> {
        let key = Key::new(key)?;
        Ok(Self {
            publisher: Publisher::open(&key, options)?,
            subscriber: Subscriber::attach(&key, options)?,
            number: 0,
        })
    }

    /// Returns the nanoseconds of publishing a frame from private memory.
    fn publish(&mut self, frame: &mut [u8]) -> Outcome<f64> {
        self.number += 1;
        stamp(frame, self.number);
        let (published, nanoseconds) = timed(|| self.publisher.publish(&octets(), frame));
        published?;
        Ok(nanoseconds)
    }

    /// Returns the nanoseconds of reading and checking it.
    fn look(&mut self) -> Outcome<f64> {
        let (looked, nanoseconds) = timed(|| {
            let sample = self.subscriber.latest()?.ok_or("nothing was published")?;
            check(sample.payload(), self.number)
        });
        looked?;
        Ok(nanoseconds)
    }
}
