//! One thing that a peer does, and dies of, at every step.

use std::{
    io::{self, Write},
    sync::{PoisonError, RwLock},
};

use e2e_tests::{Fixture, Step, Stores, Tracer, skip};

use crate::{
    actor::Actor,
    recovery::{self, Successor},
    participants::{Participants, RING_BYTES},
    image::Image,
};

/// A number that was published, and the length of its payload; `None` for no sample.
pub(crate) type Found = Option<(u64, usize)>;

/// What the segment must be after the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// As alive as before: somebody else is attached.
    Remains,
    /// Gone for whoever looks.
    Removed,
    /// Either, but one of them wholly.
    RemainsOrRemoved,
}

/// An operation, and what surrounds it.
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

/// A death, and what it left.
pub(crate) struct Death {
    pub(crate) fixture: Fixture,
    pub(crate) participants: Participants,
    pub(crate) image: Option<Image>,
    /// The steps before it; the last is the one after which it came.
    steps: Vec<Step>,
    stores: Stores,
    /// Tells of the death where a check fails.
    _context: FailureContext,
}

struct FailureContext(String);

/// A process that is being started has, for a moment, a copy of all our descriptors and with them of
/// our locks: nobody starts one while another test looks who holds what.
static PROCESS_START: RwLock<()> = RwLock::new(());

impl Operation {
    /// The peer does what `line` says; nobody else is attached.
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

    /// Somebody else is attached all the time.
    pub(crate) fn beside(self, participants: Participants) -> Operation {
        let expected = Expected::Remains;
        Operation {
            participants,
            expected,
            ..self
        }
    }

    /// Another peer did this before and was killed.
    pub(crate) fn after_a_death(self, predecessor: &[&'static str]) -> Operation {
        let predecessor = predecessor.to_vec();
        Operation {
            predecessor,
            ..self
        }
    }

    /// The peer does this first, in peace.
    pub(crate) fn after(self, before: &[&'static str]) -> Operation {
        let before = before.to_vec();
        Operation { before, ..self }
    }

    /// Then another peer takes the lock, or units, and is killed with it.
    pub(crate) fn after_a_holders_death(self) -> Operation {
        Operation {
            holder_dies: true,
            ..self
        }
    }

    /// The segment may be gone or not.
    pub(crate) fn remains_or_removed(self) -> Operation {
        let expected = Expected::RemainsOrRemoved;
        Operation { expected, ..self }
    }

    /// A subscriber finds one of these.
    pub(crate) fn expect_found(self, found: &'static [Found]) -> Operation {
        Operation { found, ..self }
    }

    /// The file system knows no files without a name.
    pub(crate) fn without_unnamed_files(self) -> Operation {
        Operation {
            refuse_unnamed: true,
            ..self
        }
    }

    /// Lets the peer die after each step of the operation, and each kind of successor come.
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
        // Past the test runner, which would keep it to itself.
        io::stderr().write_all(line.as_bytes()).unwrap();
    }

    fn check(&self, death: Death, successor: Successor) {
        let _nobody_starts = PROCESS_START.read().unwrap_or_else(PoisonError::into_inner);
        recovery::check(self, death, successor);
    }

    /// Has the peer begin, and kills it after so many steps, or before it answers.
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
                "{}: it died {} steps in, after {last}",
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
        let _nobody_looks = PROCESS_START.write().unwrap_or_else(PoisonError::into_inner);
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
