//! A million messages at full speed, each with a wake, to a reader that receives every one.

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
const MESSAGES: usize = 1_000_000;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let contenders = Way::EVERY
        .into_iter()
        .map(|way| {
            let mut burst = Burst::open(arena, way)?;
            Ok(Contender::new(way.name(), move || burst.turn()))
        })
        .collect::<Outcome<_>>()?;
    let rounds = Rounds::play(arena.rounds(5), contenders)?;
    let [socket, ours, iceoryx] = Way::EVERY.map(Way::name);
    let title = "64 bytes, a million of them, in order";
    report.rounds(title, Unit::Rate, socket, &rounds);
    let goal = Goal::AtLeast(3.0);
    report.judge("burst_msgs", &rounds, (ours, socket), Of::Median, goal);
    let (name, goal) = ("burst_msgs_vs_iceoryx2", Goal::AtLeast(1.0));
    report.judge(name, &rounds, (ours, iceoryx), Of::Median, goal);
    Ok(())
}

/// Messages to a process that receives them all.
struct Burst {
    link: Box<dyn Link>,
    peer: Peer,
    payload: [u8; BYTES],
    number: u64,
    messages: usize,
}

impl Burst {
    fn open(arena: &Arena, way: Way) -> Outcome<Self> {
        let place = arena.fresh_place()?;
        let name = place.to_str().ok_or("a place without a name")?;
        let mut peer = Peer::start("drain", arena.cores, &[way.name(), name])?;
        let link = way.open(Side::Asking, &place, BYTES)?;
        peer.hear()?;
        Ok(Self {
            link,
            peer,
            payload: [0; BYTES],
            number: 0,
            messages: arena.rounds(MESSAGES),
        })
    }

    /// Returns millions of messages a second, until the other process has received the last.
    fn turn(&mut self) -> Outcome<Vec<f64>> {
        let messages = self.messages;
        self.peer.tell(&format!("{} {messages}", self.number))?;
        let (done, nanoseconds) = timed(|| -> Outcome {
            for _ in 0..messages {
                self.number += 1;
                stamp(&mut self.payload, self.number);
                self.link.send(&self.payload)?;
            }
            self.peer.hear().map(drop)
        });
        done?;
        #[expect(clippy::cast_precision_loss, reason = "a million")]
        let messages = messages as f64;
        Ok(vec![messages * 1e3 / nanoseconds])
    }
}

/// The other process: receives every message, and answers after the last.
pub(crate) fn peer(arguments: &[String]) -> Outcome {
    let [way, place] = arguments else {
        return Err("a way and a place are wanted".into());
    };
    let way: Way = way.parse()?;
    let mut link = way.open(Side::Answering, Path::new(place), BYTES)?;
    obey(|order| {
        let (number, messages) = order.split_once(' ').ok_or("a number and a count")?;
        let number: u64 = number.parse()?;
        let messages: u64 = messages.parse()?;
        for number in number + 1..=number + messages {
            link.receive(&mut |message| check(message, number))?;
        }
        Ok("done".into())
    })
}
