//! One 4K frame: written to shared memory, announced, and read by the other process.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::{Arena, timed};
use crate::Outcome;
use crate::ground::Ground;
use crate::payload::{FRAME, check, stamp};
use crate::peer::{Peer, obey};
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;
use crate::way::{Link, Side, Way};

const MEMCPY: &str = "memcpy into warm memory";
const WAYS: [Way; 5] = [
    Way::OursBlocking,
    Way::Futex,
    Way::IceoryxEvent,
    Way::UnixSocket,
    Way::Pipe,
];
const FRAMES: usize = 4;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let mut contenders = vec![Contender::new(MEMCPY, copies(FRAME))];
    for way in WAYS {
        let mut deliveries = Deliveries::open(arena, way, FRAME)?;
        contenders.push(Contender::new(way.name(), move || deliveries.turn(FRAMES)));
    }
    // Many rounds, because the time of a copy alone varies by a factor of two.
    let rounds = Rounds::play(arena.rounds(61), contenders)?;
    let title = "a 4K frame: fill, publish, look at it";
    report.rounds(title, Unit::Time, MEMCPY, &rounds);
    let [ours, socket] = [Way::OursBlocking, Way::UnixSocket].map(Way::name);
    let goal = Goal::AtMost(1.08);
    report.judge(
        "frame4k_in_place",
        &rounds,
        (ours, MEMCPY),
        Of::Median,
        goal,
    );
    let goal = Goal::AtMost(0.50);
    report.judge(
        "frame4k_vs_socket",
        &rounds,
        (ours, socket),
        Of::Median,
        goal,
    );
    Ok(())
}

/// The lower bound: copying the same bytes into private memory, alternating between two buffers as
/// publishers do between regions, and reading them in the same way.
fn copies(bytes: usize) -> impl FnMut() -> Outcome<Vec<f64>> {
    let mut frame = vec![1; bytes];
    let mut places = [vec![2; bytes], vec![3; bytes]];
    let mut number = 0;
    move || {
        (0..FRAMES)
            .map(|turn| {
                number += 1;
                stamp(&mut frame, number);
                let place = &mut places[turn % 2];
                let (looked, nanoseconds) = timed(|| {
                    place.copy_from_slice(&frame);
                    check(std::hint::black_box(place), number)
                });
                looked?;
                Ok(nanoseconds)
            })
            .collect()
    }
}

/// Payloads sent on a way, each after the previous one was read.
pub(crate) struct Deliveries {
    link: Box<dyn Link>,
    peer: Peer,
    looked: Ground,
    payload: Vec<u8>,
    number: u32,
}

impl Deliveries {
    pub(crate) fn open(arena: &Arena, way: Way, bytes: usize) -> Outcome<Self> {
        let place = arena.fresh_place()?;
        let name = place.to_str().ok_or("a place without a name")?;
        let size = bytes.to_string();
        let mut peer = Peer::start("look", arena.cores, &[way.name(), name, &size])?;
        let link = way.open(Side::Asking, &place, bytes)?;
        let looked = Ground::open(&place.join("looked"), 4096)?;
        peer.hear()?;
        Ok(Self {
            link,
            peer,
            looked,
            payload: vec![1; bytes],
            number: 0,
        })
    }

    /// Returns nanoseconds from before the first byte is written until the other process has read
    /// the frame.
    pub(crate) fn turn(&mut self, deliveries: usize) -> Outcome<Vec<f64>> {
        self.peer.tell(&format!("{} {deliveries}", self.number))?;
        let figures = (0..deliveries).map(|_| self.delivery()).collect();
        self.peer.hear()?;
        figures
    }

    fn delivery(&mut self) -> Outcome<f64> {
        self.number += 1;
        let number = self.number;
        stamp(&mut self.payload, u64::from(number));
        let (sent, nanoseconds) = timed(|| {
            self.link.send(&self.payload)?;
            while self.looked.word(0).load(Ordering::Acquire) != number {
                std::hint::spin_loop();
            }
            Outcome::Ok(())
        });
        sent?;
        Ok(nanoseconds)
    }
}

/// The other process: reads each frame, and confirms it by a shared word, for every way.
pub(crate) fn peer(arguments: &[String]) -> Outcome {
    let [way, place, bytes] = arguments else {
        return Err("a way, a place and a length are wanted".into());
    };
    let (way, place, bytes): (Way, _, _) = (way.parse()?, Path::new(place), bytes.parse()?);
    let mut link = way.open(Side::Answering, place, bytes)?;
    let looked = Ground::open(&place.join("looked"), 4096)?;
    obey(|order| {
        let (number, deliveries) = order.split_once(' ').ok_or("a number and a count")?;
        let number: u32 = number.parse()?;
        let deliveries: u32 = deliveries.parse()?;
        for number in number + 1..=number + deliveries {
            link.receive(&mut |payload| check(payload, u64::from(number)))?;
            // Release: pairs with the acquire load of the writer, which may then overwrite the
            // bytes.
            looked.word(0).store(number, Ordering::Release);
        }
        Ok("done".into())
    })
}
