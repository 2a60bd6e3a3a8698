//! How close the library is to the limit: each operation beside the bare work, in one run.
//!
//! Rounds of both sides alternate, so that a machine whose speed drifts
//! disturbs both alike; what is printed is the median of the rounds' ratios,
//! with the smallest and largest. Figures, not assertions: machines are noisy.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use shm_core::{Key, Metadata, Options, PixelFormat, Publisher, SharedMemory, Subscriber};

/// One 4K RGBA frame.
const FRAME: usize = 3840 * 2160 * 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::Builder::new()
        .prefix("shm-core-bench.")
        .tempdir_in("/dev/shm")?;
    let options = Options::new().directory(directory.path());
    println!(
        "{:<34} {:>12} {:>12} {:>7} {:>15}  goal",
        "", "ours", "limit", "ratio", "min .. max"
    );
    lock_uncontended(&options)?;
    publish_frame(&options)?;
    read_in_place(&options)?;
    small_round(&options)?;
    attach_detach(&options, directory.path())?;
    Ok(())
}

/// lock + unlock beside a compare-and-swap and a swap of the same kind of word.
fn lock_uncontended(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    const PAIRS: u32 = 200_000;
    let block = SharedMemory::create(&Key::new("lock")?, 64, options)?;
    let word = AtomicU32::new(0);
    compare(
        "lock + unlock, uncontended",
        "<= 1.2",
        PAIRS,
        41,
        || {
            for _ in 0..PAIRS {
                drop(black_box(block.lock()).expect("nobody else locks"));
            }
        },
        || {
            for _ in 0..PAIRS {
                let taken =
                    black_box(&word).compare_exchange(0, 5, Ordering::Acquire, Ordering::Relaxed);
                assert!(black_box(taken).is_ok());
                black_box(black_box(&word).swap(0, Ordering::Release));
            }
        },
    );
    Ok(())
}

/// Publishing a frame by copying it in, beside one memcpy into warm memory.
fn publish_frame(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let options = options.clone().reserve(FRAME as u64);
    let publisher = Publisher::open(&Key::new("frames")?, &options)?;
    let image = shm_core::ImageMetadata::packed(PixelFormat::Rgba8, 3840, 2160)?;
    let metadata = Metadata::Image(image);
    let frame = vec![7u8; FRAME];
    let mut warm = [vec![1u8; FRAME], vec![1u8; FRAME], vec![1u8; FRAME]];
    let mut turn = 0;
    compare(
        "publish a 33 MB frame",
        "<= 1.3",
        1,
        41,
        || {
            publisher
                .publish(&metadata, black_box(&frame))
                .expect("there is room");
        },
        || {
            turn = (turn + 1) % warm.len();
            warm[turn].copy_from_slice(black_box(&frame));
            black_box(&warm[turn]);
        },
    );
    Ok(())
}

/// Reading a frame where it lies (one byte a page), beside the same walk over private memory.
fn read_in_place(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let key = Key::new("in-place")?;
    let publisher = Publisher::open(&key, options)?;
    let mut subscriber = Subscriber::attach(&key, options)?;
    let frame = vec![7u8; FRAME];
    publisher.publish(
        &Metadata::Bytes {
            media_type: "a/b".into(),
            source: None,
        },
        &frame,
    )?;
    compare(
        "read a 33 MB sample, touch its pages",
        "no copy",
        1,
        41,
        || {
            let sample = subscriber.latest().expect("readable").expect("published");
            black_box(
                sample
                    .payload()
                    .iter()
                    .step_by(4096)
                    .map(|&byte| u64::from(byte))
                    .sum::<u64>(),
            );
        },
        || {
            black_box(
                black_box(&frame)
                    .iter()
                    .step_by(4096)
                    .map(|&byte| u64::from(byte))
                    .sum::<u64>(),
            );
        },
    );
    Ok(())
}

/// Publishing and reading 64 bytes in one thread, beside copying them twice.
fn small_round(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    const ROUNDS: u32 = 2_000;
    let key = Key::new("small")?;
    let publisher = Publisher::open(&key, options)?;
    let mut subscriber = Subscriber::attach(&key, options)?;
    let payload = [7u8; 64];
    compare(
        "publish + read 64 bytes",
        "(for the record)",
        ROUNDS,
        21,
        || {
            for _ in 0..ROUNDS {
                publisher
                    .publish(&Metadata::Text, black_box(&payload))
                    .expect("there is room");
                black_box(subscriber.latest().expect("readable"));
            }
        },
        || {
            for _ in 0..ROUNDS {
                black_box(black_box(&payload).to_vec().clone());
            }
        },
    );
    compare(
        "publish 64 bytes",
        "(for the record)",
        ROUNDS,
        21,
        || {
            for _ in 0..ROUNDS {
                publisher
                    .publish(&Metadata::Text, black_box(&payload))
                    .expect("there is room");
            }
        },
        || {
            for _ in 0..ROUNDS {
                black_box(black_box(&payload).to_vec());
            }
        },
    );
    Ok(())
}

/// Attaching and detaching a subscriber, beside opening and mapping the file.
fn attach_detach(
    options: &Options,
    directory: &std::path::Path,
) -> Result<(), Box<dyn std::error::Error>> {
    const ROUNDS: u32 = 200;
    let key = Key::new("attach")?;
    let publisher = Publisher::open(&key, options)?;
    publisher.publish_text("here")?;
    let file = directory.join("plain");
    std::fs::write(&file, vec![0; 1 << 16])?;
    compare(
        "attach + detach, reading",
        "<= 4.5",
        ROUNDS,
        41,
        || {
            for _ in 0..ROUNDS {
                drop(Subscriber::attach(&key, options).expect("it is there"));
            }
        },
        || {
            for _ in 0..ROUNDS {
                let opened = std::fs::OpenOptions::new()
                    .read(true)
                    .write(true)
                    .open(&file)
                    .expect("it is there");
                drop(black_box(
                    memmap2::MmapOptions::new()
                        .len(1 << 16)
                        .map_raw(&opened)
                        .expect("mappable"),
                ));
            }
        },
    );
    Ok(())
}

/// Runs both sides in turn and prints the medians, per operation.
fn compare(
    name: &str,
    goal: &str,
    operations: u32,
    rounds: usize,
    mut ours: impl FnMut(),
    mut limit: impl FnMut(),
) {
    // Once each before counting: caches, page tables, frequencies.
    ours();
    limit();
    let mut figures: Vec<[f64; 3]> = (0..rounds)
        .map(|_| {
            let (one, other) = (seconds(&mut ours), seconds(&mut limit));
            [one, other, one / other]
        })
        .collect();
    let mut column = |index: usize| {
        figures.sort_by(|a, b| a[index].total_cmp(&b[index]));
        [
            figures[rounds / 2][index],
            figures[0][index],
            figures[rounds - 1][index],
        ]
    };
    let (ours, limit, ratio) = (column(0)[0], column(1)[0], column(2));
    let per_operation = |seconds: f64| human(seconds / f64::from(operations));
    println!(
        "{name:<34} {:>12} {:>12} {:>7.2} {:>6.2} .. {:<5.2}  {goal}",
        per_operation(ours),
        per_operation(limit),
        ratio[0],
        ratio[1],
        ratio[2],
    );
}

fn seconds(work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn human(seconds: f64) -> String {
    if seconds < 1e-6 {
        format!("{:.1} ns", seconds * 1e9)
    } else if seconds < 1e-3 {
        format!("{:.2} µs", seconds * 1e6)
    } else {
        format!("{:.2} ms", seconds * 1e3)
    }
}
