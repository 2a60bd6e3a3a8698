//! Attaching and detaching, compared with the system calls that any shared memory needs.

use std::fs::File;

use memmap2::MmapOptions;
use rustix::fs::Mode;
use rustix::shm::{self, OFlags};
use shm_core::{Key, Options, Publisher, Subscriber};

use super::{Arena, timed};
use crate::Outcome;
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;

const OURS: &str = "attach + detach a subscriber";
const BARE: &str = "shm_open + mmap + munmap + close";
/// The size that this project maps.
const BYTES: usize = 0x7000;
const PAIRS: u32 = 100;

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let (key, options) = (Key::new("attach")?, Options::new().directory(arena.place()));
    let publisher = Publisher::open(&key, &options)?;
    publisher.publish_text("here")?;
    let plain = Plain::create()?;
    let contenders = vec![
        Contender::new(BARE, || figures(|| plain.pair())),
        Contender::new(OURS, || {
            figures(|| {
                drop(Subscriber::attach(&key, &options)?);
                Ok(())
            })
        }),
    ];
    let rounds = Rounds::play(arena.rounds(41), contenders)?;
    report.rounds("attach and detach", Unit::Time, BARE, &rounds);
    let goal = Goal::AtMost(4.5);
    report.judge("attach_detach", &rounds, (OURS, BARE), Of::Median, goal);
    Ok(())
}

/// Returns nanoseconds for each pair of operations.
fn figures(mut pair: impl FnMut() -> Outcome) -> Outcome<Vec<f64>> {
    (0..10)
        .map(|_| {
            let (done, nanoseconds) = timed(|| (0..PAIRS).try_for_each(|_| pair()));
            done?;
            Ok(nanoseconds / f64::from(PAIRS))
        })
        .collect()
}

/// A name of POSIX shared memory, removed on drop.
struct Plain(String);

impl Plain {
    fn create() -> Outcome<Self> {
        let name = format!("/peer-bench.{}", std::process::id());
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
        let made = shm::open(&name, flags, Mode::RUSR | Mode::WUSR)?;
        let plain = Self(name);
        File::from(made).set_len(BYTES as u64)?;
        Ok(plain)
    }

    fn pair(&self) -> Outcome {
        let file = File::from(shm::open(&self.0, OFlags::RDONLY, Mode::empty())?);
        drop(MmapOptions::new().len(BYTES).map_raw_read_only(&file)?);
        Ok(())
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _gone_already = shm::unlink(&self.0);
    }
}
