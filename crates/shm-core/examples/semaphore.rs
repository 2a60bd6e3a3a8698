//! A server writes, clients read, a semaphore between them: `cargo run -p shm-core --example semaphore`.
//!
//! The server puts jobs into a block and releases one unit of the semaphore for each. A client
//! acquires a unit, which waits until there is one, takes a job out of the block, does it, and
//! forgets the unit: it is consumed. Were the client killed before, the unit would come back, and
//! another client would do what is left. The clients are this program once more.

use std::env;
use std::error::Error;
use std::process::{self, Child, Command};
use std::time::Duration;

use shm_core::{Block, Key, Options, Semaphore};

const CLIENTS: usize = 2;
const JOBS: usize = 6;
/// Where the block says how many jobs were written, and how many taken; jobs follow.
const WRITTEN: usize = 0;
const TAKEN: usize = 8;
const FIRST_JOB: usize = 16;
const BLOCK_BYTES: usize = FIRST_JOB + 8 * (JOBS + CLIENTS);
/// What tells a client that there is nothing more to do.
const END: u64 = 0;
/// Longer than any machine takes.
const TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => serve(),
        [name] => work(name),
        _ => Err("the only argument is the name of a server".into()),
    }
}

/// Makes block and semaphore, starts the clients, and hands out jobs.
fn serve() -> Result<(), Box<dyn Error>> {
    let name = format!("example.{}", process::id());
    let options = Options::new();
    let jobs = Block::create(&Key::new(&format!("{name}.jobs"))?, BLOCK_BYTES, &options)?;
    let waiting = Semaphore::create(&Key::new(&format!("{name}.waiting"))?, 0, &options)?;
    let program = env::current_exe()?;
    let clients = (0..CLIENTS)
        .map(|_| Command::new(&program).arg(&name).spawn())
        .collect::<Result<Vec<Child>, _>>()?;

    // Real jobs first, then an end for each client.
    for job in (1..).take(JOBS).chain([END; CLIENTS]) {
        let mut block = jobs.lock_for(TIMEOUT)?.ignore_abandonment();
        let written: u64 = block.read(WRITTEN)?;
        block.write(FIRST_JOB + 8 * usize::try_from(written)?, &job)?;
        block.write(WRITTEN, &(written + 1))?;
        drop(block);
        waiting.release(1)?;
    }
    for mut client in clients {
        if !client.wait()?.success() {
            return Err("a client failed".into());
        }
    }
    println!("server: {} units are left", waiting.available());
    Ok(())
}

/// Does jobs until there are no more.
fn work(name: &str) -> Result<(), Box<dyn Error>> {
    let options = Options::new();
    let jobs = Block::attach(&Key::new(&format!("{name}.jobs"))?, &options)?;
    let waiting = Semaphore::open(&Key::new(&format!("{name}.waiting"))?, &options)?;
    loop {
        waiting.acquire(1, TIMEOUT)?;
        // The lock is held only while a job is taken out. A lock whose holder died leaves the two
        // numbers as they were, or one job taken.
        let mut block = jobs.lock_for(TIMEOUT)?.ignore_abandonment();
        let taken: u64 = block.read(TAKEN)?;
        let job: u64 = block.read(FIRST_JOB + 8 * usize::try_from(taken)?)?;
        block.write(TAKEN, &(taken + 1))?;
        drop(block);
        if job != END {
            println!("client {}: {job} squared is {}", process::id(), job * job);
        }
        waiting.forget(1)?;
        if job == END {
            return Ok(());
        }
    }
}
