//! A counter in a block of shared memory, under the block's lock.
//!
//!     cargo run --example block -- add hits 1000   # in several terminals at once
//!     cargo run --example block -- show hits
//!     cargo run --example block -- remove hits
//!
//! The block is persistent: it stays until it is removed. If a process is killed while it holds the
//! lock, the next process acquires it within about 10 ms, and learns that the counter may be
//! half-written.

use std::env;
use std::error::Error;

use shm_core::segment::{self, Removal};
use shm_core::{Block, Key, Locked, Options};

/// The counter, a `u64`, is all that the block has.
const SIZE: usize = size_of::<u64>();

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let options = Options::new().persistent(true);
    match arguments.as_slice() {
        ["add", name, times] => add(&Key::new(name)?, times.parse()?, &options),
        ["show", name] => show(&Key::new(name)?, &options),
        ["remove", name] => Ok(segment::remove(
            &Key::new(name)?,
            &options,
            Removal::IfUnused,
        )?),
        _ => Err("usage: block add KEY TIMES | block show KEY | block remove KEY".into()),
    }
}

/// Increments the counter so many times, with one acquisition of the lock for each.
fn add(key: &Key, times: u64, options: &Options) -> Result<(), Box<dyn Error>> {
    let block = Block::open_or_create(key, SIZE, options)?;
    for _ in 0..times {
        // The type says whether a holder died. One aligned `u64` is always whole, so there is
        // nothing to repair here; a larger structure is restored in this closure.
        let mut guard = block.lock()?.repair_with(|_| ());
        let count: u64 = guard.read(0)?;
        guard.write(0, &(count + 1))?;
        // Dropping the guard releases the lock.
    }
    Ok(())
}

/// Prints the counter. Reading takes the lock too, so that it never shows half a change.
fn show(key: &Key, options: &Options) -> Result<(), Box<dyn Error>> {
    let block = Block::attach_read_only(key, options)?;
    match block.lock()? {
        Locked::Clean(guard) => println!("{}", guard.read::<u64>(0)?),
        Locked::Abandoned(_) => println!("the last holder died while it held the lock"),
    }
    Ok(())
}
