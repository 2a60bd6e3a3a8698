//! Telling of everything that is there, beside reading the directory and asking for each file.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, Rlimit};
use shm_core::{Key, Options, Publisher, segment};

use super::{Arena, timed};
use crate::Outcome;
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;

const OURS: &str = "list 1000 segments";
const BARE: &str = "readdir + stat of the same files";
const SEGMENTS: usize = 1000;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let place = arena.fresh_place()?;
    let population = Population::settle(&place, SEGMENTS)?;
    let contenders = vec![
        Contender::new(BARE, || Ok(vec![timed(|| look(&place)).1])),
        Contender::new(OURS, || Ok(vec![population.list()?])),
    ];
    let rounds = Rounds::play(arena.rounds(31), contenders)?;
    report.rounds("tell of 1000 segments", Unit::Time, BARE, &rounds);
    let goal = Goal::AtMost(6.0);
    report.judge(
        "list_1000_segments",
        &rounds,
        (OURS, BARE),
        Of::Median,
        goal,
    );
    Ok(())
}

/// The bytes of all files, so that no look is left out.
fn look(place: &Path) -> u64 {
    let files = fs::read_dir(place).into_iter().flatten().flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .map(|facts| facts.len())
        .sum()
}

/// Segments with a publisher each, all in this process, and a text in each.
pub(crate) struct Population {
    options: Options,
    publishers: Vec<Publisher>,
}

impl Population {
    pub(crate) fn settle(place: &Path, segments: usize) -> Outcome<Self> {
        raise_open_files()?;
        let options = Options::new().directory(place);
        let publishers = (0..segments)
            .map(|number| {
                let publisher =
                    Publisher::open(&Key::new(&format!("segment-{number}"))?, &options)?;
                publisher.publish_text("here")?;
                Ok(publisher)
            })
            .collect::<Outcome<_>>()?;
        Ok(Self {
            options,
            publishers,
        })
    }

    /// Nanoseconds of one list.
    pub(crate) fn list(&self) -> Outcome<f64> {
        let (listed, nanoseconds) = timed(|| segment::list(&self.options));
        let whole = listed?
            .iter()
            .filter(|listed| listed.segment.is_ok())
            .count();
        if whole == self.publishers.len() {
            Ok(nanoseconds)
        } else {
            Err(format!("{whole} of {} were listed", self.publishers.len()).into())
        }
    }
}

/// A publisher has a file open for as long as it lives.
fn raise_open_files() -> Outcome {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        ..limit
    };
    Ok(rustix::process::setrlimit(Resource::Nofile, all)?)
}
