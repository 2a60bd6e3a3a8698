//! Waking a sleeping reader: one direction, by a clock that both processes read.
//!
//! In round trips the answer may arrive before the reader sleeps; here the writer pauses before
//! each message.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::Arena;
use crate::Outcome;
use crate::ground::Ground;
use crate::payload::{check, stamp};
use crate::peer::{Peer, obey};
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;
use crate::way::{Link, Side, Way};

const BYTES: usize = 64;
/// Long enough for the reader to fall asleep.
const PAUSE: Duration = Duration::from_micros(150);
const MESSAGES: u64 = 200;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let contenders = Way::NEWEST
        .into_iter()
        .filter(|way| !way.is_polled())
        .map(|way| {
            let mut wakes = Wakes::open(arena, way)?;
            Ok(Contender::new(way.name(), move || wakes.turn()))
        })
        .collect::<Outcome<_>>()?;
    let rounds = Rounds::play(arena.rounds(31), contenders)?;
    let [futex, ours] = [Way::Futex, Way::OursBlocking].map(Way::name);
    let title = "64 bytes to a reader that sleeps";
    report.rounds(title, Unit::Time, futex, &rounds);
    let goal = Goal::AtMost(1.15);
    report.judge(
        "small_blocking_p50",
        &rounds,
        (ours, futex),
        Of::Median,
        goal,
    );
    let goal = Goal::AtMost(1.30);
    report.judge("small_blocking_p99", &rounds, (ours, futex), Of::P99, goal);
    Ok(())
}

/// Messages to a process that sleeps before each.
struct Wakes {
    link: Box<dyn Link>,
    peer: Peer,
    /// The number of the last message that was read.
    looked: Ground,
    payload: [u8; BYTES],
    number: u64,
}

impl Wakes {
    fn open(arena: &Arena, way: Way) -> Outcome<Self> {
        let place = arena.fresh_place()?;
        let name = place.to_str().ok_or("a place without a name")?;
        let mut peer = Peer::start("sleeper", arena.cores, &[way.name(), name])?;
        let link = way.open(Side::Asking, &place, BYTES)?;
        let looked = Ground::open(&place.join("looked"), 4096)?;
        peer.hear()?;
        Ok(Self {
            link,
            peer,
            looked,
            payload: [0; BYTES],
            number: 0,
        })
    }

    /// Returns nanoseconds for one direction, as the other process measured them.
    fn turn(&mut self) -> Outcome<Vec<f64>> {
        self.peer.tell(&self.number.to_string())?;
        for _ in 0..MESSAGES {
            std::thread::sleep(PAUSE);
            self.number += 1;
            stamp(&mut self.payload, self.number);
            self.payload[..8].copy_from_slice(&now().to_le_bytes());
            self.link.send(&self.payload)?;
            // On a busy machine it may not have been scheduled yet.
            while self.looked.wide(0).load(Ordering::Acquire) != self.number {
                std::thread::yield_now();
            }
        }
        let figures = self.peer.hear()?;
        Ok(figures
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()?)
    }
}

/// The other process: sleeps, and reports how long ago the message that woke it was sent.
pub(crate) fn peer(arguments: &[String]) -> Outcome {
    let [way, place] = arguments else {
        return Err("a way and a place are required".into());
    };
    let way: Way = way.parse()?;
    let place = Path::new(place);
    let mut link = way.open(Side::Answering, place, BYTES)?;
    let looked = Ground::open(&place.join("looked"), 4096)?;
    obey(|order| {
        let number: u64 = order.parse()?;
        let mut figures = Vec::new();
        for number in number + 1..=number + MESSAGES {
            link.receive(&mut |payload| {
                let arrived = now();
                let (sent, rest) = payload.split_at(8);
                let sent = u64::from_le_bytes(sent.try_into()?);
                figures.push(arrived.saturating_sub(sent).to_string());
                check(rest, number)
            })?;
            looked.wide(0).store(number, Ordering::Release);
        }
        Ok(figures.join(" "))
    })
}

/// Returns nanoseconds of the monotonic clock, which all processes share.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let parts = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    parts.0.unwrap_or(0) * 1_000_000_000 + parts.1.unwrap_or(0)
}
