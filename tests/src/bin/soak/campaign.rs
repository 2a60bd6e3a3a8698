//! The campaign: starts peers, kills them, and checks after each kill that every operation works.

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
    payload,
    peer::{self, BLOCK, BLOCK_BYTES, LOANS, LONGEST, PINS, SAMPLES, TALLY},
    rng::Rng,
};

/// How many peers live at once.
const PEERS: usize = 4;
/// How many peers are killed before all others are, and a new round begins.
const KILLS_PER_ROUND: u64 = 50;
/// How often the progress is printed.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(30);
/// The longest pause between two kills, in microseconds.
const MAX_PAUSE_MICROS: usize = 20_000;
/// The control area and the ring, and how much each used region may retain: up to a megabyte is not
/// worth a system call to free.
const CONTROL_BYTES: u64 = (RING + RING_BYTES) as u64;
const RETAINED_PER_REGION: u64 = (1 << 20) + 8192;
/// Regions in use at once: the peers' pins and loans, the next region of each peer, and three for
/// the latest sample, the one before it, and the one being filled or cleared.
const REGIONS: u64 = (PEERS as u64 + 2) * (PINS as u64 + 1 + LOANS as u64 + 1) + 3;

type Done = Result<(), Box<dyn Error>>;

/// When the campaign ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    pub(crate) kills: u64,
}

/// The results of the campaign.
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
    rng: Rng,
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

/// Participants in the campaign's own process, which stay attached while peers are killed.
struct Participants {
    publisher: Publisher,
    subscriber: Subscriber,
    block: Block<ReadWrite>,
}

/// Killed on drop.
struct Peer(Child);

impl Campaign {
    pub(crate) fn new(seed: u64, limits: Limits) -> Result<Campaign, Box<dyn Error>> {
        let segments = PrivateDir::in_memory();
        Ok(Campaign {
            rng: Rng::new(seed),
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

    /// Runs until the time or the number of kills is reached, or until the first error.
    pub(crate) fn run(mut self) -> Result<Figures, Box<dyn Error>> {
        while !self.is_over() {
            self.round()?;
            self.figures.eras += 1;
        }
        self.figures.samples = self.samples_checked()?;
        self.figures.time = self.began.elapsed();
        Ok(self.figures)
    }

    fn is_over(&self) -> bool {
        self.figures.kills >= self.limits.kills || self.began.elapsed() >= self.limits.time
    }

    /// Starts and kills peers beside one participant that stays; at the end no process is attached
    /// and nothing is left.
    fn round(&mut self) -> Done {
        let mut participants = self.participants()?;
        for _ in 0..KILLS_PER_ROUND {
            if self.is_over() {
                break;
            }
            while self.peers.len() < PEERS {
                let seed = self.rng.number();
                self.peers.push(self.peer(seed)?);
            }
            self.pause();
            self.kill_one()?;
            self.check_operations(&mut participants)?;
            self.print_progress();
        }
        if self.figures.eras.is_multiple_of(2) {
            self.kill_all()?;
            self.check_memory(&participants.publisher)?;
            drop(participants);
        } else {
            // The last processes that could remove anything in order are killed.
            drop(participants);
            self.pause();
            self.kill_all()?;
        }
        self.check_nothing_left()
    }

    fn participants(&self) -> Result<Participants, Box<dyn Error>> {
        Ok(Participants {
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

    fn samples_checked(&self) -> Result<u64, Box<dyn Error>> {
        Ok(fs::metadata(self.tally())?.len() * TALLY)
    }

    /// Lets the peers run for a random time. The randomness is intended; nothing is waited for.
    fn pause(&mut self) {
        let time = self.rng.below(MAX_PAUSE_MICROS) as u64;
        thread::sleep(Duration::from_micros(time));
    }

    fn kill_one(&mut self) -> Done {
        let index = self.rng.below(self.peers.len());
        self.peers.swap_remove(index).kill()?;
        self.figures.kills += 1;
        Ok(())
    }

    fn kill_all(&mut self) -> Done {
        while !self.peers.is_empty() {
            self.kill_one()?;
        }
        Ok(())
    }

    /// Checks after a kill that list, create or attach, publish, read and lock work in time, and
    /// that every sample read is intact.
    fn check_operations(&mut self, participants: &mut Participants) -> Done {
        let began = Instant::now();
        peer::list(&self.options)?;
        let seed = self.rng.number();
        let mut newcomer = self.participants()?;
        for publisher in [&participants.publisher, &newcomer.publisher] {
            let mut loan = publisher.loan(payload::SHORTEST)?;
            payload::fill(&mut loan, seed);
            loan.publish(&peer::octets())?;
        }
        for subscriber in [&mut participants.subscriber, &mut newcomer.subscriber] {
            // Another peer may have cleared it meanwhile.
            if let Some(sample) = subscriber.latest()? {
                peer::check(&sample)?;
            }
        }
        for block in [&participants.block, &newcomer.block] {
            peer::rewrite(block, seed, false)?;
        }
        drop(newcomer);
        let memory = segment::info(&self.samples, &self.options)?.reserved_bytes;
        let bound = CONTROL_BYTES + REGIONS * (2 * LONGEST as u64 + RETAINED_PER_REGION);
        self.figures.memory = self.figures.memory.max(memory);
        if memory > bound {
            return Err(format!("{memory} bytes are in use, of {bound} at most").into());
        }
        self.figures.slowest = self.figures.slowest.max(began.elapsed());
        Ok(())
    }

    /// Checks that memory of large samples is freed once only one publisher of small samples is
    /// left.
    fn check_memory(&mut self, publisher: &Publisher) -> Done {
        for seed in 0..40 {
            let mut loan = publisher.loan(payload::SHORTEST)?;
            payload::fill(&mut loan, seed);
            loan.publish(&peer::octets())?;
        }
        let memory = segment::info(&self.samples, &self.options)?.reserved_bytes;
        let bound = CONTROL_BYTES + REGIONS * RETAINED_PER_REGION;
        if memory > bound {
            return Err(format!("{memory} bytes stay in use, of {bound} at most").into());
        }
        Ok(())
    }

    /// Checks that one list removes everything once no process is left.
    fn check_nothing_left(&self) -> Done {
        let listed = segment::list(&self.options)?;
        let left = self.segments.names();
        if listed.is_empty() && left.is_empty() {
            Ok(())
        } else {
            Err(format!("left behind: {left:?}, listed: {listed:?}").into())
        }
    }

    fn print_progress(&mut self) {
        if self.news.elapsed() >= PROGRESS_INTERVAL {
            self.news = Instant::now();
            let (kills, time) = (self.figures.kills, self.began.elapsed().as_secs());
            println!("{time} s: {kills} kills");
        }
    }
}

impl Peer {
    /// Kills it; fails if it has ended for another reason.
    fn kill(mut self) -> Done {
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
        // Both fail only if it has ended already, which is the goal.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} kills in {} s, {} times with no process left",
            self.kills,
            self.time.as_secs(),
            self.eras
        )?;
        writeln!(
            f,
            "{} samples checked, none torn; every next list, create, attach, publish, lock worked",
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
