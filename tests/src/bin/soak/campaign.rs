//! The campaign: starts peers, kills them, and looks after each kill whether everything goes on.

use std::{
    env,
    error::Error,
    fmt,
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use e2e_tests::{
    PrivateDir,
    layout::{RING, RING_BYTES},
};
use shm_core::{Block, Key, Options, Publisher, ReadWrite, Subscriber, segment};

use crate::{
    dice::Dice,
    payload,
    peer::{self, BLOCK, BLOCK_BYTES, LOANS, LONGEST, PINS, SAMPLES, TALLY},
};

/// How many peers live at once.
const PEERS: usize = 4;
/// How many die before all others do, and a new company begins.
const ERA: u64 = 50;
/// How often the progress is told.
const NEWS: Duration = Duration::from_secs(30);
/// The longest that a peer lives after the last one died, microseconds.
const BREATH: usize = 20_000;
/// The control area and the ring, and what each region that was used once may keep: up to a megabyte is not
/// worth a system call to give back.
const CONTROL_BYTES: u64 = (RING + RING_BYTES) as u64;
const KEPT: u64 = (1 << 20) + 8192;
/// Regions in use at once: what peers hold, the next one of each, and three for the latest, the
/// one before and the one being filled, or cleared.
const REGIONS: u64 = (PEERS as u64 + 2) * (PINS as u64 + 1 + LOANS as u64 + 1) + 3;

type Done = Result<(), Box<dyn Error>>;

/// When it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    pub(crate) kills: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    kills: u64,
    eras: u64,
    samples: u64,
    memory: u64,
    slowest: Duration,
    time: Duration,
}

pub(crate) struct Campaign {
    dice: Dice,
    limits: Limits,
    segments: PrivateDir,
    notes: PrivateDir,
    options: Options,
    samples: Key,
    block: Key,
    peers: Vec<Peer>,
    figures: Figures,
    began: Instant,
    news: Instant,
}

/// Those of the campaign's own process who stay while peers die.
struct Keepers {
    publisher: Publisher,
    subscriber: Subscriber,
    block: Block<ReadWrite>,
}

/// Killed when dropped.
struct Peer(Child);

impl Campaign {
    pub(crate) fn new(seed: u64, limits: Limits) -> Result<Campaign, Box<dyn Error>> {
        let segments = PrivateDir::in_memory();
        Ok(Campaign {
            dice: Dice::new(seed),
            limits,
            options: Options::new().directory(segments.path()),
            segments,
            notes: PrivateDir::on_disk(),
            samples: Key::new(SAMPLES)?,
            block: Key::new(BLOCK)?,
            peers: Vec::new(),
            figures: Figures::default(),
            began: Instant::now(),
            news: Instant::now(),
        })
    }

    /// Runs to the end of time or kills, or to the first thing that is wrong.
    pub(crate) fn run(mut self) -> Result<Figures, Box<dyn Error>> {
        while !self.is_over() {
            self.era()?;
            self.figures.eras += 1;
        }
        self.figures.samples = self.samples_looked_at()?;
        self.figures.time = self.began.elapsed();
        Ok(self.figures)
    }

    fn is_over(&self) -> bool {
        self.figures.kills >= self.limits.kills || self.began.elapsed() >= self.limits.time
    }

    /// Peers come and die beside somebody who stays; in the end nobody is left, nor anything.
    fn era(&mut self) -> Done {
        let mut keepers = self.keepers()?;
        for _ in 0..ERA {
            if self.is_over() {
                break;
            }
            while self.peers.len() < PEERS {
                let seed = self.dice.number();
                self.peers.push(self.peer(seed)?);
            }
            self.breathe();
            self.kill_one()?;
            self.look_around(&mut keepers)?;
            self.tell();
        }
        if self.figures.eras.is_multiple_of(2) {
            self.kill_all()?;
            self.weigh(&keepers.publisher)?;
            drop(keepers);
        } else {
            // The last who could remove anything in order are killed.
            drop(keepers);
            self.breathe();
            self.kill_all()?;
        }
        self.find_nothing()
    }

    fn keepers(&self) -> Result<Keepers, Box<dyn Error>> {
        Ok(Keepers {
            publisher: Publisher::open(&self.samples, &self.options)?,
            subscriber: Subscriber::attach(&self.samples, &self.options)?,
            block: Block::open_or_create(&self.block, BLOCK_BYTES, &self.options)?,
        })
    }

    fn peer(&self, seed: u64) -> Result<Peer, Box<dyn Error>> {
        let tally = File::options()
            .create(true)
            .append(true)
            .open(self.tally())?;
        let child = Command::new(env::current_exe()?)
            .args(["peer", &seed.to_string()])
            .env("SHM_CORE_DIR", self.segments.path())
            .stdin(Stdio::null())
            .stdout(tally)
            .spawn()?;
        Ok(Peer(child))
    }

    fn tally(&self) -> PathBuf {
        self.notes.path().join("tally")
    }

    fn samples_looked_at(&self) -> Result<u64, Box<dyn Error>> {
        Ok(fs::metadata(self.tally())?.len() * TALLY)
    }

    /// Lets peers live for a random time: it is chance, not a wait for anything.
    fn breathe(&mut self) {
        let time = self.dice.below(BREATH) as u64;
        thread::sleep(Duration::from_micros(time));
    }

    fn kill_one(&mut self) -> Done {
        let victim = self.dice.below(self.peers.len());
        self.peers.swap_remove(victim).die()?;
        self.figures.kills += 1;
        Ok(())
    }

    fn kill_all(&mut self) -> Done {
        while !self.peers.is_empty() {
            self.kill_one()?;
        }
        Ok(())
    }

    /// After a kill: list, create or attach, publish, read and lock work, soon, and what is read is whole.
    fn look_around(&mut self, keepers: &mut Keepers) -> Done {
        let began = Instant::now();
        peer::list(&self.options)?;
        let seed = self.dice.number();
        let mut newcomer = self.keepers()?;
        for publisher in [&keepers.publisher, &newcomer.publisher] {
            let mut loan = publisher.loan(payload::SHORTEST)?;
            payload::fill(&mut loan, seed);
            loan.publish(&peer::octets())?;
        }
        for subscriber in [&mut keepers.subscriber, &mut newcomer.subscriber] {
            // Another peer may have cleared it meanwhile.
            if let Some(sample) = subscriber.latest()? {
                peer::check(&sample)?;
            }
        }
        for block in [&keepers.block, &newcomer.block] {
            peer::rewrite(block, seed, false)?;
        }
        drop(newcomer);
        let memory = segment::info(&self.samples, &self.options)?.reserved_bytes;
        let bound = CONTROL_BYTES + REGIONS * (2 * LONGEST as u64 + KEPT);
        self.figures.memory = self.figures.memory.max(memory);
        if memory > bound {
            return Err(format!("{memory} bytes are in use, of {bound} at most").into());
        }
        self.figures.slowest = self.figures.slowest.max(began.elapsed());
        Ok(())
    }

    /// With nobody left but one publisher of small samples, large memory goes back to the system.
    fn weigh(&mut self, publisher: &Publisher) -> Done {
        for seed in 0..40 {
            let mut loan = publisher.loan(payload::SHORTEST)?;
            payload::fill(&mut loan, seed);
            loan.publish(&peer::octets())?;
        }
        let memory = segment::info(&self.samples, &self.options)?.reserved_bytes;
        let bound = CONTROL_BYTES + REGIONS * KEPT;
        if memory > bound {
            return Err(format!("{memory} bytes stay in use, of {bound} at most").into());
        }
        Ok(())
    }

    /// With nobody left one list clears everything away.
    fn find_nothing(&self) -> Done {
        let listed = segment::list(&self.options)?;
        let left = self.segments.names();
        if listed.is_empty() && left.is_empty() {
            Ok(())
        } else {
            Err(format!("left behind: {left:?}, listed: {listed:?}").into())
        }
    }

    fn tell(&mut self) {
        if self.news.elapsed() >= NEWS {
            self.news = Instant::now();
            let (kills, time) = (self.figures.kills, self.began.elapsed().as_secs());
            println!("{time} s: {kills} kills");
        }
    }
}

impl Peer {
    /// Kills it; nothing else may have ended it before.
    fn die(mut self) -> Done {
        if let Some(status) = self.0.try_wait()? {
            return Err(format!("a peer ended by itself: {status}").into());
        }
        self.0.kill()?;
        let status = self.0.wait()?;
        if status.code().is_some() {
            return Err(format!("a peer ended by itself: {status}").into());
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both fail only where it is dead already, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} kills in {} s, {} times with nobody left",
            self.kills,
            self.time.as_secs(),
            self.eras
        )?;
        writeln!(
            f,
            "{} samples looked at, none torn; every next list, create, attach, publish, lock worked",
            self.samples
        )?;
        write!(
            f,
            "all of these together took {:?} at most; {:.1} MB in use at most; nothing left behind",
            self.slowest,
            self.memory as f64 / 1e6
        )
    }
}
