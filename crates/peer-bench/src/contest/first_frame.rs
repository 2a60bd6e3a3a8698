//! The first frame of a publisher, into memory that nobody has touched yet.

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

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let plain = Options::new().directory(arena.place());
    let reserving = plain.clone().reserve(FRAME as u64);
    let mut warm = Frames::open("warm", &reserving)?;
    for _ in 0..4 {
        warm.publish()?;
    }
    let first = |key, options: Options| {
        // Removed with its publisher, so each turn begins with nothing.
        move || Ok(vec![Frames::open(key, &options)?.publish()?])
    };
    let contenders = vec![
        Contender::new(WARM, move || Ok(vec![warm.publish()?])),
        Contender::new(FIRST, first("first", plain)),
        Contender::new(RESERVED, first("reserved", reserving)),
    ];
    let rounds = Rounds::play(arena.rounds(21), contenders)?;
    let title = "a 4K frame: publish and look at it, one process";
    report.rounds(title, Unit::Time, WARM, &rounds);
    let goal = Goal::AtMost(1.90);
    report.judge("frame4k_first", &rounds, (FIRST, WARM), Of::Median, goal);
    let (name, goal) = ("frame4k_first_reserved", Goal::AtMost(1.10));
    report.judge(name, &rounds, (RESERVED, WARM), Of::Median, goal);
    Ok(())
}

/// A publisher, and a subscriber that looks at every frame.
struct Frames {
    publisher: Publisher,
    subscriber: Subscriber,
    frame: Vec<u8>,
    number: u64,
}

impl Frames {
    fn open(key: &str, options: &Options) -> Outcome<Self> {
        let key = Key::new(key)?;
        Ok(Self {
            publisher: Publisher::open(&key, options)?,
            subscriber: Subscriber::attach(&key, options)?,
            frame: vec![1; FRAME],
            number: 0,
        })
    }

    fn publish(&mut self) -> Outcome<f64> {
        self.number += 1;
        stamp(&mut self.frame, self.number);
        let (looked, nanoseconds) = timed(|| {
            self.publisher.publish(&octets(), &self.frame)?;
            let sample = self.subscriber.latest()?.ok_or("nothing was published")?;
            check(sample.payload(), self.number)
        });
        looked?;
        Ok(nanoseconds)
    }
}
