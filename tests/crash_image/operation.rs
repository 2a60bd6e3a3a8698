//! An operation of a peer that is killed at every step.

use std::{
    io::{self, Write},
    sync::{PoisonError, RwLock},
};

use e2e_tests::{Fixture, Step, Stores, Tracer, skip};

use crate::{
    actor::Actor,
    image::Image,
    participants::{Participants, RING_BYTES},
    recovery::{self, Successor},
};

/// A number that was published, and the length of its payload; `None` for no sample.
pub(crate) type Found = Option<(u64, usize)>;

/// The expected state of the segment after the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It still exists: another participant is attached.
    Remains,
    /// It is removed for every other process.
    Removed,
    /// Either, but completely.
    RemainsOrRemoved,
}

/// An operation and its environment.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    name: &'static str,
    line: &'static str,
    pub(crate) participants: Participants,
    predecessor: Vec<&'static str>,
    before: Vec<&'static str>,
    holder_dies: bool,
    pub(crate) expected: Expected,
    pub(crate) found: &'static [Found],
    refuse_unnamed: bool,
}

/// A death and its results.
pub(crate) struct Death {
    pub(crate) fixture: Fixture,
    pub(crate) participants: Participants,
    pub(crate) image: Option<Image>,
    /// The steps before it; the last is the one after which it occurred.
    steps: Vec<Step>,
    stores: Stores,
    /// Prints the death if a check fails.
    _context: FailureContext,
}

struct FailureContext(String);

/// A process that is being started has, for a moment, a copy of this process's descriptors, and
/// with them of its locks: no process is started while another test checks which process holds
/// which lock.
static PROCESS_START: RwLock<()> = RwLock::new(());

impl Operation {
    /// Creates an operation: the peer runs `line` without other participants.
    pub(crate) fn new(name: &'static str, line: &'static str) -> Operation {
        Operation {
            name,
            line,
            participants: Participants::None,
            predecessor: Vec::new(),
            before: Vec::new(),
            holder_dies: false,
            expected: Expected::Removed,
            found: &[],
            refuse_unnamed: false,
        }
    }

    /// Adds participants that stay attached all the time.
    pub(crate) fn beside(self, participants: Participants) -> Operation {
        let expected = Expected::Remains;
        Operation {
            participants,
            expected,
            ..self
        }
    }

    /// Lets another peer run these commands first, and kills it.
    pub(crate) fn after_a_death(self, predecessor: &[&'static str]) -> Operation {
        let predecessor = predecessor.to_vec();
        Operation {
            predecessor,
            ..self
        }
    }

    /// Lets the peer run these commands first, without a death.
    pub(crate) fn after(self, before: &[&'static str]) -> Operation {
        let before = before.to_vec();
        Operation { before, ..self }
    }

    /// Then lets another peer take the lock, or units, and kills it.
    pub(crate) fn after_a_holders_death(self) -> Operation {
        Operation {
            holder_dies: true,
            ..self
        }
    }

    /// Permits the segment to be removed or not.
    pub(crate) fn remains_or_removed(self) -> Operation {
        let expected = Expected::RemainsOrRemoved;
        Operation { expected, ..self }
    }

    /// Sets what a subscriber may find.
    pub(crate) fn expect_found(self, found: &'static [Found]) -> Operation {
        Operation { found, ..self }
    }

    /// Makes the file system refuse unnamed files.
    pub(crate) fn without_unnamed_files(self) -> Operation {
        Operation {
            refuse_unnamed: true,
            ..self
        }
    }

    /// Kills the peer after each step of the operation, once for each kind of successor.
    pub(crate) fn kill_at_every_step(self) {
        let Some(whole) = self.death(usize::MAX, None) else {
            return;
        };
        let (steps, stores) = (whole.steps.clone(), whole.stores.clone());
        let mut deaths = 1;
        self.check(whole, Successor::List);
        for point in 0..=steps.len() {
            for &successor in Successor::kinds(&self.participants) {
                let death = self.death(point, Some(stores.clone()));
                self.check(death.unwrap(), successor);
                deaths += 1;
            }
        }
        let is_store = |step: &&Step| matches!(step, Step::Store(_));
        let stored = steps.iter().filter(is_store).count();
        let line = format!(
            "crash image: {}: {} points ({stored} stores, {} system calls), {deaths} deaths\n",
            self.name,
            steps.len() + 1,
            steps.len() - stored,
        );
        // Directly to standard error: the test runner hides the output of a passing test.
        io::stderr().write_all(line.as_bytes()).unwrap();
    }

    fn check(&self, death: Death, successor: Successor) {
        let _nobody_starts = PROCESS_START.read().unwrap_or_else(PoisonError::into_inner);
        recovery::check(self, death, successor);
    }

    /// Starts the operation, and kills the peer after so many steps; `None` if it answers before.
    fn death(&self, point: usize, stores: Option<Stores>) -> Option<Death> {
        let fixture = Fixture::new();
        let participants = self.participants.attach(&fixture);
        if !self.predecessor.is_empty() {
            actor_after(&fixture, &self.predecessor).kill();
        }
        let mut peer = actor_after(&fixture, &self.before);
        if self.holder_dies {
            actor_after(&fixture, participants.holder()).kill();
        }
        let mut tracer = match Tracer::seize(peer.program(), fixture.segments()) {
            Ok(tracer) => tracer,
            Err(error) => {
                skip(&format!("programs cannot be traced here: {error}"));
                return None;
            }
        };
        if let Some(stores) = stores {
            tracer = tracer.stopping_at(stores);
        }
        if self.refuse_unnamed {
            tracer = tracer.refusing_unnamed_files();
        }
        peer.send(self.line);
        tracer.take_line();
        let mut steps = Vec::new();
        while steps.len() < point
            && let Some(step) = tracer.step()
        {
            steps.push(step);
        }
        peer.kill();
        let last = steps.last().map_or("the start".into(), Step::to_string);
        Some(Death {
            image: Image::of(&fixture),
            fixture,
            participants,
            _context: FailureContext(format!(
                "{}: killed after {} steps, the last {last}",
                self.name,
                steps.len()
            )),
            steps,
            stores: tracer.stores().clone(),
        })
    }
}

fn actor_after(fixture: &Fixture, lines: &[&str]) -> Actor {
    let mut actor = {
        let _nobody_looks = PROCESS_START
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Actor::start(Actor::launch(fixture).env("ACTOR_RING_BYTES", RING_BYTES.to_string()))
    };
    for line in lines {
        actor.run(line);
    }
    actor
}

impl Drop for FailureContext {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
