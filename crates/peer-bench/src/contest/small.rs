//! Sixty-four bytes there and sixty-four back: half a round trip.

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
/// Round trips before those that count, in each turn.
const WARM: usize = 50;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    polled(arena, report)?;
    asleep(arena, report)
}

fn polled(arena: &Arena, report: &mut Report) -> Outcome {
    let ways = Way::ALL.into_iter().filter(|way| way.is_polled());
    let rounds = race(arena, ways, arena.rounds(31))?;
    let [spin, ours, iceoryx] = [Way::Spin, Way::OursPolled, Way::IceoryxPolled].map(Way::name);
    report.rounds(
        "64 bytes one way, to and fro, polled",
        Unit::Time,
        spin,
        &rounds,
    );
    let goal = Goal::AtMost(2.0);
    report.judge("small_polled_p50", &rounds, (ours, spin), Of::Median, goal);
    let (name, goal) = ("small_polled_vs_iceoryx2", Goal::AtMost(0.50));
    report.judge(name, &rounds, (ours, iceoryx), Of::Median, goal);
    Ok(())
}

fn asleep(arena: &Arena, report: &mut Report) -> Outcome {
    let ways = Way::ALL.into_iter().filter(|way| !way.is_polled());
    let rounds = race(arena, ways, arena.rounds(31))?;
    let [futex, ours, iceoryx] = [Way::Futex, Way::OursBlocking, Way::IceoryxEvent].map(Way::name);
    let title = "64 bytes one way, to and fro, asleep";
    report.rounds(title, Unit::Time, futex, &rounds);
    let (name, goal) = ("small_blocking_vs_iceoryx2", Goal::AtMost(0.60));
    report.judge(name, &rounds, (ours, iceoryx), Of::Median, goal);
    Ok(())
}

fn race(arena: &Arena, ways: impl Iterator<Item = Way>, rounds: usize) -> Outcome<Rounds> {
    let contenders = ways
        .map(|way| {
            let mut pings = Pings::open(arena, way, BYTES)?;
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
    /// Round trips of one figure: where one takes not much longer than a look at the clock, several.
    group: usize,
}

impl Pings {
    pub(crate) fn open(arena: &Arena, way: Way, bytes: usize) -> Outcome<Self> {
        let place = arena.fresh_place()?;
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

    /// Nanoseconds one way.
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

/// The other process: checks what comes, and sends the same number back.
pub(crate) fn peer(arguments: &[String]) -> Outcome {
    let [way, place, bytes] = arguments else {
        return Err("a way, a place and a length are wanted".into());
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
