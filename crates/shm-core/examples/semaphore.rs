//! A queue of jobs between a server and its clients, with a semaphore that counts the jobs.
//!
//!     cargo run --example semaphore
//!
//! The server writes jobs into a block and releases one unit of the semaphore for each. A client
//! acquires a unit, which blocks until there is one, takes a job from the block, does it, and
//! forgets the unit, which consumes it. If a client is killed before that, its unit becomes
//! available again, so that another client does the rest. The server starts the clients, which are
//! the same program.

use std::env;
use std::error::Error;
use std::process::{self, Child, Command};
use std::time::Duration;

use shm_core::{Block, Key, Options, Semaphore};

const CLIENTS: usize = 2;
const JOBS: usize = 6;
/// The offsets of the numbers of written and of taken jobs in the block; the jobs follow.
const WRITTEN: usize = 0;
const TAKEN: usize = 8;
const FIRST_JOB: usize = 16;
const BLOCK_BYTES: usize = FIRST_JOB + 8 * (JOBS + CLIENTS);
/// The job that ends a client.
const END: u64 = 0;
/// The timeout of every wait, which ends the example if a process fails.
const TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => serve(),
        [name] => work(name),
        _ => Err("the only argument is the name of a server".into()),
    }
}

/// Creates the block and the semaphore, starts the clients, and writes the jobs.
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

/// Does jobs until the end.
fn work(name: &str) -> Result<(), Box<dyn Error>> {
    let options = Options::new();
    let jobs = Block::attach(&Key::new(&format!("{name}.jobs"))?, &options)?;
    let waiting = Semaphore::open(&Key::new(&format!("{name}.waiting"))?, &options)?;
    loop {
        waiting.acquire(1, TIMEOUT)?;
        // The lock is held only while a job is taken. A holder that dies leaves the two numbers
        // unchanged, or one job taken, so there is nothing to repair.
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
