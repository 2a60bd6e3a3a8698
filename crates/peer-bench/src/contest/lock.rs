//! Acquiring and releasing a lock: alone, and while another process does the same.

use std::cell::Cell;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Arena, timed};
use crate::Outcome;
use crate::ground::Ground;
use crate::lock::{Kind, Lock, Trial};
use crate::peer::{Peer, obey};
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;

const QT: &str = "Qt (QSharedMemory, SystemV)";
/// Pairs for each figure, and figures for each turn.
const PAIRS: u32 = 5_000;
const FIGURES: usize = 10;
/// How long two processes contend in one turn.
const BOUT: Duration = Duration::from_millis(60);

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    uncontended(arena, report)?;
    contended(arena, report)
}

fn uncontended(arena: &Arena, report: &mut Report) -> Outcome {
    let mut contenders = alone(arena, &Kind::ALL);
    if let Some(program) = &arena.qt {
        let mut qt = Peer::of(Command::new(program))?;
        contenders.push(Contender::new(QT, move || {
            let answer = qt.ask(&format!("lock {PAIRS} {FIGURES}"))?;
            Ok(answer
                .split(' ')
                .map(str::parse)
                .collect::<Result<_, _>>()?)
        }));
    }
    let rounds = Rounds::play(arena.rounds(41), contenders)?;
    let (ours, bare) = (Kind::Ours.name(), Kind::Bare.name());
    report.rounds("lock + unlock, uncontended", Unit::Time, bare, &rounds);
    let goal = Goal::AtMost(1.10);
    report.judge("lock_uncontended", &rounds, (ours, bare), Of::Median, goal);
    let goal = Goal::AtMost(0.05);
    report.judge("lock_vs_qt", &rounds, (ours, QT), Of::Median, goal);
    Ok(())
}

/// Uncontended locks.
pub(super) fn alone<'a>(arena: &'a Arena, kinds: &[Kind]) -> Vec<Contender<'a>> {
    let contender =
        |&kind: &Kind| Contender::new(kind.name(), move || kind.open(arena.place(), true, Alone));
    kinds.iter().map(contender).collect()
}

/// Acquires the lock repeatedly. Returns nanoseconds for each pair.
struct Alone;

impl Trial for Alone {
    type Found = Vec<f64>;

    fn run(self, lock: &impl Lock) -> Outcome<Vec<f64>> {
        let figure = || {
            let count = Cell::new(0);
            let pairs = || {
                for _ in 0..PAIRS {
                    lock.with(|| count.set(black_box(count.get()) + 1));
                }
            };
            let ((), nanoseconds) = timed(pairs);
            if count.get() == PAIRS {
                Ok(nanoseconds / f64::from(PAIRS))
            } else {
                Err("a lock was not acquired".into())
            }
        };
        figure()?;
        (0..FIGURES).map(|_| figure()).collect()
    }
}

fn contended(arena: &Arena, report: &mut Report) -> Outcome {
    let contenders = beside_another(arena, &Kind::ALL)?;
    let rounds = Rounds::play(arena.rounds(21), contenders)?;
    let (ours, futex) = (Kind::Ours.name(), Kind::Futex.name());
    let title = "lock, add, unlock: two processes";
    report.rounds(title, Unit::Rate, futex, &rounds);
    let goal = Goal::AtLeast(0.95);
    report.judge(
        "lock_contended_2p",
        &rounds,
        (ours, futex),
        Of::Median,
        goal,
    );
    Ok(())
}

/// Locks contended by another process.
pub(super) fn beside_another<'a>(arena: &'a Arena, kinds: &[Kind]) -> Outcome<Vec<Contender<'a>>> {
    let contender = |&kind: &Kind| {
        let place = arena.fresh_place()?;
        Ok(Contender::new(kind.name(), move || {
            let bout = Bout::Ours { arena, kind };
            let place = &place;
            kind.open(place, true, Contending { place, bout })
        }))
    };
    kinds.iter().map(contender).collect()
}

/// The two processes.
enum Bout<'a> {
    Ours { arena: &'a Arena, kind: Kind },
    Peers,
}

/// Both processes add to one number until the time is over. Returns millions of additions a second.
struct Contending<'a> {
    place: &'a Path,
    bout: Bout<'a>,
}

/// Offsets of the shared words, each on a cache line of its own.
const SUM: usize = 0;
const READY: usize = 256;
const STOP: usize = 512;

impl Trial for Contending<'_> {
    type Found = Vec<f64>;

    fn run(self, lock: &impl Lock) -> Outcome<Vec<f64>> {
        let ground = Ground::open(&self.place.join("contended"), 4096)?;
        let (sum, stop) = (ground.wide(SUM), ground.word(STOP));
        // Relaxed, and in two steps: additions are lost unless the lock excludes the other process.
        let add = || sum.store(sum.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let contend = |is_over: &dyn Fn(u64) -> bool| {
            let mut done = 0u64;
            while !is_over(done) {
                for _ in 0..16 {
                    lock.with(add);
                }
                done += 16;
            }
            done
        };
        let Bout::Ours { arena, kind } = self.bout else {
            return obey(|_| {
                ground.word(READY).store(1, Ordering::Release);
                Ok(contend(&|_| stop.load(Ordering::Relaxed) != 0).to_string())
            })
            .map(|()| Vec::new());
        };
        let place = self.place.to_str().ok_or("a place without a name")?;
        let mut peer = Peer::start("lock", arena.cores, &[kind.name(), place])?;
        peer.hear()?;
        sum.store(0, Ordering::Relaxed);
        stop.store(0, Ordering::Relaxed);
        ground.word(READY).store(0, Ordering::Relaxed);
        peer.tell("go")?;
        while ground.word(READY).load(Ordering::Acquire) == 0 {
            std::hint::spin_loop();
        }
        let began = std::time::Instant::now();
        let mine = contend(&|done| done.is_multiple_of(64) && began.elapsed() >= BOUT);
        stop.store(1, Ordering::Relaxed);
        let seconds = began.elapsed().as_secs_f64();
        let theirs: u64 = peer.hear()?.parse()?;
        if sum.load(Ordering::Relaxed) != mine + theirs {
            return Err(format!("{} lost additions", kind.name()).into());
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let rate = (mine + theirs) as f64 / seconds / 1e6;
        Ok(vec![rate])
    }
}

/// The other process of a contended lock.
pub(crate) fn peer(arguments: &[String]) -> Outcome {
    let [kind, place] = arguments else {
        return Err("a lock and a place are required".into());
    };
    let (kind, place): (Kind, _) = (kind.parse()?, Path::new(place));
    let bout = Bout::Peers;
    kind.open(place, false, Contending { place, bout })
        .map(drop)
}
