//! Acquiring a unit and releasing it: alone, and while another process does the same.

use super::{Arena, lock};
use crate::Outcome;
use crate::lock::Kind;
use crate::report::{Goal, Report, Unit};
use crate::round::Rounds;
use crate::spread::Of;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let ours = Kind::OurSemaphore.name();
    let bare = Kind::BareSemaphore.name();
    let rounds = Rounds::play(arena.rounds(41), lock::alone(arena, &Kind::SEMAPHORES))?;
    report.rounds("acquire + release, uncontended", Unit::Time, bare, &rounds);
    let goal = Goal::AtMost(1.3);
    report.judge(
        "semaphore_uncontended",
        &rounds,
        (ours, bare),
        Of::Median,
        goal,
    );

    let system = Kind::Semaphore.name();
    let contenders = lock::beside_another(arena, &Kind::SEMAPHORES)?;
    let rounds = Rounds::play(arena.rounds(21), contenders)?;
    let title = "acquire, add, release: two processes";
    report.rounds(title, Unit::Rate, system, &rounds);
    let goal = Goal::AtLeast(0.9);
    report.judge(
        "semaphore_contended_2p",
        &rounds,
        (ours, system),
        Of::Median,
        goal,
    );
    Ok(())
}
