//! The memory that a segment occupies for samples: counted, not timed.

use shm_core::{Key, Options, Publisher, Subscriber, segment};

use super::Arena;
use crate::Outcome;
use crate::payload::FRAME;
use crate::report::{Goal, Report};
use crate::round::{Contender, Rounds};
use crate::spread::Of;
use crate::way::octets;

const OURS: &str = "memory held, bytes";
const BOUND: &str = "(pins + loans + 3) samples, bytes";
/// Pins and loans at once; each is measured.
const HELD: [(usize, usize); 4] = [(0, 0), (1, 0), (2, 1), (6, 3)];

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    report.line("");
    report.line("memory held for 4K frames, in frames");
    let mut worst = (0.0, 1.0);
    for (pins, loans) in HELD {
        let held = held(arena, pins, loans)?;
        let bound = ((pins + loans + 3) * FRAME) as f64;
        report.line(&format!(
            "  {pins} pinned, {loans} lent: {:.3}, bound {}",
            held / FRAME as f64,
            pins + loans + 3
        ));
        if held / bound > worst.0 / worst.1 {
            worst = (held, bound);
        }
    }
    let contenders = vec![
        Contender::new(OURS, || Ok(vec![worst.0])),
        Contender::new(BOUND, || Ok(vec![worst.1])),
    ];
    let rounds = Rounds::play(1, contenders)?;
    let goal = Goal::AtMost(1.05);
    report.judge("reserved_bytes", &rounds, (OURS, BOUND), Of::Median, goal);
    Ok(())
}

/// Returns the memory of a segment after many frames, with pins and loans.
fn held(arena: &Arena, pins: usize, loans: usize) -> Outcome<f64> {
    let (key, options) = (Key::new("held")?, Options::new().directory(arena.place()));
    let publisher = Publisher::open(&key, &options)?;
    let mut subscriber = Subscriber::attach(&key, &options)?;
    let frame = vec![1; FRAME];
    let mut pinned = Vec::new();
    for turn in 0..pins + 20 {
        publisher.publish(&octets(), &frame)?;
        if turn < pins {
            pinned.extend(subscriber.latest()?);
        }
    }
    let lent: Vec<_> = (0..loans)
        .map(|_| publisher.loan(FRAME))
        .collect::<Result<_, _>>()?;
    let held = segment::info(&key, &options)?.reserved_bytes;
    drop((pinned, lent));
    Ok(held as f64)
}
