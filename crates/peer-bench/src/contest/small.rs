//! A few bytes in each direction: half a round trip.

use std::path::Path;

use super::{Arena, timed};
use crate::Outcome;
use crate::payload::{check, stamp};
use crate::peer::{Peer, obey};
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;
use crate::way::{Link, Side, Way};

const BYTES: usize = 64;
/// Warm-up round trips in each turn.
const WARM: usize = 50;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    polled(arena, report)?;
    asleep(arena, report)
}

/// Waiting by a descriptor or for many keys.
pub(crate) fn wait(arena: &Arena, report: &mut Report) -> Outcome {
    let rounds = race(arena, Way::WAITING.into_iter(), BYTES, arena.rounds(31))?;
    let [futex, one, descriptor, set] = Way::WAITING.map(Way::name);
    let title = "64 bytes one way, to and fro, in other ways of waiting";
    report.rounds(title, Unit::Time, futex, &rounds);
    let goal = Goal::AtMost(3.5);
    report.judge(
        "wait_descriptor",
        &rounds,
        (descriptor, futex),
        Of::Median,
        goal,
    );
    let goal = Goal::AtMost(2.0);
    report.judge("wait_set_20", &rounds, (set, one), Of::Median, goal);
    Ok(())
}

/// The polled sizes, their names, and the bound of the ratio to their reference: a spin on two
/// cache lines up to 200 bytes, above that a spin that copies as much.
const POLLED: [(usize, &str, f64); 5] = [
    (8, "small_polled_p50_8", 1.6),
    (BYTES, "small_polled_p50", 1.6),
    (200, "small_polled_p50_200", 1.6),
    (1000, "small_polled_p50_1000", 1.1),
    (16_000, "small_polled_p50_16000", 1.1),
];

fn polled(arena: &Arena, report: &mut Report) -> Outcome {
    for (bytes, name, most) in POLLED {
        // Aeron fragments longer messages, so it takes part with one size only.
        let is_wanted = |way: &Way| way.is_polled() && (*way != Way::AeronPolled || bytes == BYTES);
        let ways = Way::NEWEST.into_iter().filter(is_wanted);
        let rounds = race(arena, ways, bytes, arena.rounds(31))?;
        let reference = if bytes < 1000 {
            Way::Spin
        } else {
            Way::SpinCopied
        };
        let [reference, ours, iceoryx, aeron] = [
            reference,
            Way::OursPolled,
            Way::IceoryxPolled,
            Way::AeronPolled,
        ]
        .map(Way::name);
        let title = format!("{bytes} bytes one way, to and fro, polled");
        report.rounds(&title, Unit::Time, reference, &rounds);
        let goal = Goal::AtMost(most);
        report.judge(name, &rounds, (ours, reference), Of::Median, goal);
        if bytes == BYTES {
            let (name, goal) = ("small_polled_vs_iceoryx2", Goal::AtMost(0.42));
            report.judge(name, &rounds, (ours, iceoryx), Of::Median, goal);
            let (name, goal) = ("small_polled_vs_aeron", Goal::AtMost(1.0));
            report.judge(name, &rounds, (ours, aeron), Of::Median, goal);
        }
    }
    Ok(())
}

fn asleep(arena: &Arena, report: &mut Report) -> Outcome {
    let ways = Way::NEWEST.into_iter().filter(|way| !way.is_polled());
    let rounds = race(arena, ways, BYTES, arena.rounds(31))?;
    let [futex, ours, iceoryx] = [Way::Futex, Way::OursBlocking, Way::IceoryxEvent].map(Way::name);
    let title = "64 bytes one way, to and fro, asleep";
    report.rounds(title, Unit::Time, futex, &rounds);
    let (name, goal) = ("small_blocking_vs_iceoryx2", Goal::AtMost(0.60));
    report.judge(name, &rounds, (ours, iceoryx), Of::Median, goal);
    Ok(())
}

fn race(
    arena: &Arena,
    ways: impl Iterator<Item = Way>,
    bytes: usize,
    rounds: usize,
) -> Outcome<Rounds> {
    let contenders = ways
        .filter(|way| arena.has(*way))
        .map(|way| {
            let mut pings = Pings::open(arena, way, bytes)?;
            Ok(Contender::new(way.name(), move || pings.turn()))
        })
        .collect::<Outcome<_>>()?;
    Rounds::play(rounds, contenders)
}

/// Round trips on one way.
pub(crate) struct Pings {
    link: Box<dyn Link>,
    peer: Peer,
    payload: Vec<u8>,
    number: u64,
    figures: usize,
    /// Round trips for each figure: several if one takes little longer than reading the clock.
    group: usize,
}

impl Pings {
    pub(crate) fn open(arena: &Arena, way: Way, bytes: usize) -> Outcome<Self> {
        let place = arena.place_for(way)?;
        let name = place.to_str().ok_or("a place without a name")?;
        let size = bytes.to_string();
        let mut peer = Peer::start("echo", arena.cores, &[way.name(), name, &size])?;
        let link = way.open(Side::Asking, &place, bytes)?;
        peer.hear()?;
        let (figures, group) = if way.is_polled() { (500, 10) } else { (300, 1) };
        Ok(Self {
            link,
            peer,
            payload: vec![0; bytes],
            number: 0,
            figures,
            group,
        })
    }

    /// Returns nanoseconds for one direction.
    pub(crate) fn turn(&mut self) -> Outcome<Vec<f64>> {
        let trips = WARM + self.figures * self.group;
        self.peer.tell(&format!("{} {trips}", self.number))?;
        for _ in 0..WARM {
            self.trip()?;
        }
        let group = self.group;
        let figures = (0..self.figures)
            .map(|_| {
                let (done, nanoseconds) = timed(|| (0..group).try_for_each(|_| self.trip()));
                done?;
                #[expect(clippy::cast_precision_loss, reason = "a handful")]
                let ways = 2.0 * group as f64;
                Ok(nanoseconds / ways)
            })
            .collect();
        self.peer.hear()?;
        figures
    }

    fn trip(&mut self) -> Outcome {
        self.number += 1;
        stamp(&mut self.payload, self.number);
        self.link.send(&self.payload)?;
        self.link.receive(&mut |answer| check(answer, self.number))
    }
}

/// The other process: checks each message, and sends the same number back.
pub(crate) fn peer(arguments: &[String]) -> Outcome {
    let [way, place, bytes] = arguments else {
        return Err("a way, a place and a length are required".into());
    };
    let (way, bytes): (Way, usize) = (way.parse()?, bytes.parse()?);
    let mut link = way.open(Side::Answering, Path::new(place), bytes)?;
    let mut payload = vec![0; bytes];
    obey(|order| {
        let (number, trips) = order.split_once(' ').ok_or("a number and a count")?;
        let number: u64 = number.parse()?;
        let trips: u64 = trips.parse()?;
        for number in number + 1..=number + trips {
            link.receive(&mut |question| check(question, number))?;
            stamp(&mut payload, number);
            link.send(&payload)?;
        }
        Ok("done".into())
    })
}
