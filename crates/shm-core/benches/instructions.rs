//! Counts the instructions of what is done most often, which do not depend on how busy the machine
//! is, and holds them against recorded bounds: `cargo bench -p shm-core --bench instructions`.
//!
//! Each operation runs under valgrind's callgrind so many times, and so many times more; the
//! difference is the operation. The kernel's instructions are not counted: system calls are, by
//! `strace -c`, and stand in docs/PERFORMANCE.md.

use std::process::{Command, ExitCode};

use shm_core::{Block, Key, Metadata, Options, Publisher, Subscriber};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What is counted, and how many instructions it may take: what it took when this was written, and a
/// tenth more for other compilers. Who makes something faster writes down less.
const BOUNDS: [(&str, u64); 4] = [
    ("lock", 48),
    ("publish", 910),
    ("latest", 690),
    ("attach", 7_400),
];

/// Before what is counted: the first of anything is dearer.
const WARM: u64 = 200;
const MORE: u64 = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.as_slice() {
        [command, operation, times] if command == "--run" => run(operation, times),
        _ => count(),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts all operations; fails where one takes more than its bound.
fn count() -> Outcome {
    let mut exceeded = Vec::new();
    for (operation, bound) in BOUNDS {
        let base = if operation == "latest" {
            "publish"
        } else {
            "nothing"
        };
        let more = instructions(operation, WARM + MORE)? - instructions(operation, WARM)?;
        // To have something to read, something is published each time.
        let others = instructions(base, WARM + MORE)? - instructions(base, WARM)?;
        let each = (more - others) / MORE;
        println!("{operation:<10} {each:>6} instructions, bound {bound}");
        if each > bound {
            exceeded.push(operation);
        }
    }
    if exceeded.is_empty() {
        return Ok(());
    }
    let exceeded = exceeded.join(", ");
    Err(format!("more instructions than before: {exceeded}. Look at it under callgrind.").into())
}

/// All instructions of a program that does this so many times.
fn instructions(operation: &str, times: u64) -> Outcome<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--run", operation, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not start: {error}. Install it."))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{operation} failed: {said}").into());
    }
    // "==123== Collected : 456"
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, number)| number.trim().parse().ok());
    collected.ok_or_else(|| format!("{operation} was not counted: {said}").into())
}

/// Does one operation so many times.
fn run(operation: &str, times: &str) -> Outcome {
    let times: u64 = times.parse()?;
    let directory = tempfile::tempdir()?;
    let options = Options::new().directory(directory.path());
    let key = Key::new("counted")?;
    let metadata = Metadata::bytes("application/octet-stream");
    let publish = |publisher: &Publisher| publisher.publish(&metadata, &[7; 64]);
    match operation {
        "nothing" => {}
        "lock" => {
            let block = Block::create(&key, 64, &options)?;
            for _ in 0..times {
                drop(block.lock()?);
            }
        }
        "publish" => {
            let publisher = Publisher::open(&key, &options)?;
            for _ in 0..times {
                publish(&publisher)?;
            }
        }
        "latest" => {
            let publisher = Publisher::open(&key, &options)?;
            let mut subscriber = Subscriber::attach(&key, &options)?;
            for _ in 0..times {
                publish(&publisher)?;
                drop(subscriber.latest()?);
            }
        }
        "attach" => {
            let _publisher = Publisher::open(&key, &options)?;
            for _ in 0..times {
                drop(Subscriber::attach(&key, &options)?);
            }
        }
        other => return Err(format!("nothing is called {other}").into()),
    }
    Ok(())
}
