//! One thing that a peer does, and dies of, at every step.

use std::{
    io::{self, Write},
    sync::{PoisonError, RwLock},
};

use e2e_tests::{Scene, Step, Stores, Tracer, skip};

use crate::{
    actor::Actor,
    aftermath::{self, Successor},
    company::{Company, RING_BYTES},
    image::Image,
};

/// A number that was published, and the length of its payload; `None` for no sample.
pub(crate) type Found = Option<(u64, usize)>;

/// What the segment must be after the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// As alive as before: somebody else is attached.
    Stays,
    /// Gone for whoever looks.
    Goes,
    /// Either, but one of them wholly.
    StaysOrGoes,
}

/// An operation, and what surrounds it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    name: &'static str,
    line: &'static str,
    pub(crate) company: Company,
    predecessor: Vec<&'static str>,
    before: Vec<&'static str>,
    holder_dies: bool,
    pub(crate) fate: Fate,
    pub(crate) found: &'static [Found],
    refuse_unnamed: bool,
}

/// A death, and what it left.
pub(crate) struct Death {
    pub(crate) scene: Scene,
    pub(crate) company: Company,
    pub(crate) image: Option<Image>,
    /// The steps before it; the last is the one after which it came.
    steps: Vec<Step>,
    stores: Stores,
    /// Tells of the death where a check fails.
    _story: Story,
}

struct Story(String);

/// A process that is being started has, for a moment, a copy of all our descriptors and with them of
/// our locks: nobody starts one while another test looks who holds what.
static STARTING: RwLock<()> = RwLock::new(());

impl Operation {
    /// The peer does what `line` says; nobody else is attached.
    pub(crate) fn new(name: &'static str, line: &'static str) -> Operation {
        Operation {
            name,
            line,
            company: Company::None,
            predecessor: Vec::new(),
            before: Vec::new(),
            holder_dies: false,
            fate: Fate::Goes,
            found: &[],
            refuse_unnamed: false,
        }
    }

    /// Somebody else is attached all the time.
    pub(crate) fn beside(self, company: Company) -> Operation {
        let fate = Fate::Stays;
        Operation {
            company,
            fate,
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
    pub(crate) fn stays_or_goes(self) -> Operation {
        let fate = Fate::StaysOrGoes;
        Operation { fate, ..self }
    }

    /// A subscriber finds one of these.
    pub(crate) fn finds(self, found: &'static [Found]) -> Operation {
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
    pub(crate) fn dies_everywhere(self) {
        let Some(whole) = self.death(usize::MAX, None) else {
            return;
        };
        let (steps, stores) = (whole.steps.clone(), whole.stores.clone());
        let mut deaths = 1;
        self.check(whole, Successor::List);
        for point in 0..=steps.len() {
            for &successor in Successor::kinds(&self.company) {
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
        let _nobody_starts = STARTING.read().unwrap_or_else(PoisonError::into_inner);
        aftermath::check(self, death, successor);
    }

    /// Has the peer begin, and kills it after so many steps, or before it answers.
    fn death(&self, point: usize, stores: Option<Stores>) -> Option<Death> {
        let scene = Scene::new();
        let company = self.company.arrive(&scene);
        if !self.predecessor.is_empty() {
            having_done(&scene, &self.predecessor).dies();
        }
        let mut peer = having_done(&scene, &self.before);
        if self.holder_dies {
            having_done(&scene, company.holder()).dies();
        }
        let mut tracer = match Tracer::seize(peer.program(), scene.segments()) {
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
        peer.begins(self.line);
        tracer.take_line();
        let mut steps = Vec::new();
        while steps.len() < point
            && let Some(step) = tracer.step()
        {
            steps.push(step);
        }
        peer.dies();
        let last = steps.last().map_or("the start".into(), Step::to_string);
        Some(Death {
            image: Image::of(&scene),
            scene,
            company,
            _story: Story(format!(
                "{}: it died {} steps in, after {last}",
                self.name,
                steps.len()
            )),
            steps,
            stores: tracer.stores().clone(),
        })
    }
}

fn having_done(scene: &Scene, lines: &[&str]) -> Actor {
    let mut actor = {
        let _nobody_looks = STARTING.write().unwrap_or_else(PoisonError::into_inner);
        Actor::start(Actor::launch(scene).env("ACTOR_RING_BYTES", RING_BYTES.to_string()))
    };
    for line in lines {
        actor.does(line);
    }
    actor
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
