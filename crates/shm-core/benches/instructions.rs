//! Counts the instructions of the most frequent operations, which do not depend on the load of the
//! machine, and compares them with recorded bounds: `cargo bench -p shm-core --bench instructions`.
//!
//! Each operation runs under valgrind's callgrind for two numbers of times, and the difference of
//! the counts is that of the operation. Instructions of the kernel are not counted;
//! docs/PERFORMANCE.md has the system calls, counted by `strace -c`.

use std::process::{Command, ExitCode};

use shm_core::{Block, Key, Metadata, Options, Publisher, Subscriber};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The operations and their bounds: the recorded count, and a tenth more for other compilers. Lower
/// a bound when its operation becomes faster.
const BOUNDS: [(&str, u64); 4] = [
    ("lock", 48),
    ("publish", 910),
    ("latest", 690),
    ("attach", 7_400),
];

/// How often an operation runs before it is counted, because the first runs take more.
const WARM_UP: u64 = 200;
const COUNTED: u64 = 1_000;

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

/// Counts all operations; fails if one exceeds its bound.
fn count() -> Outcome {
    let mut exceeded = Vec::new();
    for (operation, bound) in BOUNDS {
        let base = if operation == "latest" {
            "publish"
        } else {
            "nothing"
        };
        let difference = |name| {
            Ok::<_, Box<dyn std::error::Error>>(
                instructions(name, WARM_UP + COUNTED)? - instructions(name, WARM_UP)?,
            )
        };
        // Each read needs a publication, which is subtracted.
        let each = (difference(operation)? - difference(base)?) / COUNTED;
        println!("{operation:<10} {each:>6} instructions, bound {bound}");
        if each > bound {
            exceeded.push(operation);
        }
    }
    if exceeded.is_empty() {
        return Ok(());
    }
    let exceeded = exceeded.join(", ");
    Err(format!("more instructions than recorded: {exceeded}. Profile it with callgrind.").into())
}

/// Returns the instructions of a program that runs the operation `times` times.
fn instructions(operation: &str, times: u64) -> Outcome<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--run", operation, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not start: {error}. Install it."))?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{operation} failed: {report}").into());
    }
    // "==123== Collected : 456"
    let collected = report
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, number)| number.trim().parse().ok());
    collected.ok_or_else(|| format!("{operation} was not counted: {report}").into())
}

/// Runs one operation `times` times.
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
        other => return Err(format!("no operation is called {other}").into()),
    }
    Ok(())
}
