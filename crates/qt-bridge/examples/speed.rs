//! Measures what is to be held against Qt: lock and unlock of both kinds, and a `QString` of 64 MB.
//!
//! One line each, "name nanoseconds", the best of several runs; a plain copy of the same bytes for
//! comparison. tests/qt-peer/main.cpp measures the same with Qt ("bench" and "stream").

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use qt_bridge::{Form, QtKey, Segment, Stream};
use shm_core::Message;

const PATIENCE: Duration = Duration::from_secs(1);
const LOCKS: u32 = 200_000;
const RUNS: u32 = 5;
/// Characters of a text that is 64 MB as UTF-16.
const CHARACTERS: usize = 32 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let unique = std::process::id();
    for (name, scheme) in [("lock-system-v", "qt"), ("lock-posix", "qt-posix")] {
        let key: QtKey = format!("{scheme}:qt-bridge-speed-{unique}").parse()?;
        let mut segment = Segment::create(&key, 8, PATIENCE)?;
        let best = best(|| {
            for _ in 0..LOCKS {
                drop(segment.lock(PATIENCE)?);
            }
            Ok(())
        })?;
        println!("{name} {}", best.as_nanos() / u128::from(LOCKS));
    }
    for (name, text) in [
        ("ascii", "0123456789abcdef".repeat(CHARACTERS / 16)),
        ("chinese", "共享内存程序交换".repeat(CHARACTERS / 8)),
    ] {
        let message = Message::Text(text);
        let bytes = Stream::new(&message, Form::QString)?.to_vec();
        let mut place = bytes.clone();
        let copied = best(|| {
            place.copy_from_slice(black_box(&bytes));
            Ok(())
        })?;
        println!("copy-{name} {}", copied.as_nanos());
        let written = best(|| {
            let stream = Stream::new(black_box(&message), Form::QString)?;
            Ok(stream.write_to(&mut place.as_mut_slice())?)
        })?;
        println!("qstring-write-{name} {}", written.as_nanos());
        let read = best(|| {
            black_box(Form::QString.read(black_box(&bytes))?);
            Ok(())
        })?;
        println!("qstring-read-{name} {}", read.as_nanos());
    }
    Ok(())
}

/// The shortest of some runs.
fn best(mut run: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let began = Instant::now();
        run()?;
        best = best.min(began.elapsed());
    }
    Ok(best)
}
