//! Python's `multiprocessing.shared_memory` between two processes, polled.

use std::process::Command;

use super::Arena;
use super::small::Pings;
use crate::Outcome;
use crate::peer::Peer;
use crate::report::{Report, Unit};
use crate::round::{Contender, Rounds};
use crate::way::Way;

const SCRIPT: &str = include_str!("../../python/peer.py");
const PYTHON: &str = "Python multiprocessing.shared_memory";

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if !has_python {
        report.line("\nPython's shared memory: not measured, because python3 is not here");
        return Ok(());
    }
    let mut python = Pair::start(arena)?;
    let mut ours = Pings::open(arena, Way::OursPolled, 64)?;
    let contenders = vec![
        Contender::new(Way::OursPolled.name(), move || ours.turn()),
        Contender::new(PYTHON, move || python.turn()),
    ];
    let rounds = Rounds::play(arena.rounds(11), contenders)?;
    let title = "64 bytes one way, polled, beside Python";
    report.rounds(title, Unit::Time, Way::OursPolled.name(), &rounds);
    Ok(())
}

/// Two python processes that share memory.
struct Pair {
    asking: Peer,
    answering: Peer,
}

impl Pair {
    fn start(arena: &Arena) -> Outcome<Self> {
        let start = |role: &str, core: usize| -> Outcome<Peer> {
            let mut command = Command::new("python3");
            let name = format!("peer-bench.{}.python", std::process::id());
            command.args(["-c", SCRIPT, role, &name, &core.to_string()]);
            let mut peer = Peer::of(command)?;
            peer.hear()?;
            Ok(peer)
        };
        Ok(Self {
            asking: start("ask", arena.cores.ours)?,
            answering: start("answer", arena.cores.peers)?,
        })
    }

    fn turn(&mut self) -> Outcome<Vec<f64>> {
        self.answering.tell("300")?;
        let answer = self.asking.ask("300")?;
        self.answering.hear()?;
        Ok(answer
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()?)
    }
}
