//! A malicious peer that is alive: other processes get an error or a correct sample, and never
//! crash, hang or allocate without bound.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    thread,
    time::{Duration, Instant},
};

use e2e_tests::{Fixture, Launch, Outcome, Program};
use shm_core::{
    AttachErrorKind, Block, LockError, LockErrorKind, Metadata, Options, PublishError,
    PublishErrorKind, Publisher, ReadErrorKind, Subscriber, WaitResult, guard_against_truncation,
    segment,
};

use crate::actor::{key, options, timed};

/// How much a program may allocate: far more than it needs, far less than a peer claims.
const MEMORY: &str = "--data=268435456";
/// Larger than any sample of these tests, and smaller than what a peer claims instead.
const CLAIM: usize = 1 << 30;
/// The library's timeout in this process.
const TIMEOUT: Duration = Duration::from_millis(200);
/// A bound for every operation: no wait of the library, and none of the programs (five seconds and
/// two), is longer, even on a loaded machine.
const TIME_LIMIT: Duration = Duration::from_secs(20);

fn start_attack(fixture: &Fixture, attack: &str) -> Program {
    let peer = fixture.program(env!("CARGO_BIN_EXE_malicious_peer"));
    let peer = peer.args([fixture.segment()]).args([attack]).start();
    peer.wait_for("attacking");
    peer
}

fn loaded(fixture: &Fixture, text: &str) -> Program {
    let loader = fixture.loader(["text"]).input(text).start();
    loader.wait_for(fixture.key());
    loader
}

fn options_with_timeout(fixture: &Fixture) -> Options {
    options(fixture).timeout(TIMEOUT)
}

/// Runs a program beside an attack, and asserts that it succeeds or reports an error, within its
/// time and its memory.
fn run_bounded(launch: Launch) -> Outcome {
    let (outcome, time) = timed(|| launch.through("prlimit", [MEMORY]).run());
    assert!(time < TIME_LIMIT, "{time:?}: {outcome:?}");
    assert_orderly(outcome)
}

/// Asserts that a program succeeded or reported an error.
fn assert_orderly(outcome: Outcome) -> Outcome {
    let said = outcome.stderr.trim().ends_with('.') || outcome.stderr.contains(". ");
    let is_orderly = match outcome.code {
        Some(0) => true,
        Some(1) => said && !outcome.stderr.contains("panicked"),
        _ => false,
    };
    assert!(is_orderly, "{outcome:?}");
    outcome
}

/// Does the same with programs that run concurrently, each of which may wait its full timeout.
fn run_all_bounded<const COUNT: usize>(launches: [Launch; COUNT]) -> [Outcome; COUNT] {
    thread::scope(|scope| {
        let running = launches.map(|launch| scope.spawn(|| run_bounded(launch)));
        running.map(|thread| thread.join().unwrap())
    })
}

/// Runs every command of the programs beside an attack.
fn run_programs(fixture: &Fixture) {
    for arguments in [
        ["show"].as_slice(),
        &["show", "--json"],
        &["show", "--wait", "1"],
        &["info", "--json"],
        &["info", "--hex"],
        &["list"],
    ] {
        drop(run_bounded(fixture.viewer(arguments)));
    }
    drop(run_bounded(
        fixture.loader(["text", "--for", "1ms", "joins"]),
    ));
}

/// Runs every operation on samples for a while beside an attack; returns how many samples were
/// read.
fn run_library(fixture: &Fixture) -> usize {
    const DURATION: Duration = Duration::from_secs(2);
    guard_against_truncation().unwrap();
    let (key, options) = (key(fixture), options_with_timeout(fixture));
    let mut read = 0;
    let began = Instant::now();
    while began.elapsed() < DURATION {
        let ((), time) = timed(|| {
            // Errors of every kind are correct.
            drop(segment::list(&options).unwrap());
            drop(segment::info(&key, &options));
            read += Subscriber::attach(&key, &options).map_or(0, read_all);
            drop(publish_all(fixture));
        });
        assert!(time < TIME_LIMIT, "{time:?}");
    }
    read
}

fn read_all(mut subscriber: Subscriber) -> usize {
    let mut read = 0;
    for _ in 0..20 {
        if let Ok(Some(sample)) = subscriber.latest() {
            assert!(sample.len() < CLAIM, "{sample:?} is larger than its memory");
            // In place, and copied. The content is the peer's choice, its location is not.
            let sum: u64 = sample.payload().iter().map(|&byte| u64::from(byte)).sum();
            std::hint::black_box(sum);
            let message = sample.to_message();
            let right = message.is_ok_and(|message| message.payload().len() == sample.len());
            read += usize::from(sample.verify().is_ok() && right);
        }
        drop(subscriber.peers());
        drop(subscriber.wait(Some(Duration::from_millis(1))));
    }
    read
}

fn publish_all(fixture: &Fixture) -> Result<(), PublishError> {
    let Ok(publisher) = Publisher::open(&key(fixture), &options_with_timeout(fixture)) else {
        return Ok(());
    };
    publisher.publish_text("short")?;
    publisher.publish_text(&"long".repeat(10_000))?;
    publisher.clear().map(drop)
}

#[test]
fn a_file_truncated_while_it_is_read() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, &"cut ".repeat(100_000));
    let _attacker = start_attack(&fixture, "truncate");
    println!("{} samples read beside it", run_library(&fixture));
    run_programs(&fixture);
    // If it touched truncated memory, that memory was replaced by private memory, and it reports
    // this.
    drop(assert_orderly(loader.terminate()));
}

/// Truncates the fixture's segment to zero.
fn truncate_to_zero(fixture: &Fixture) {
    let file = fs::File::options().write(true).open(fixture.segment());
    file.unwrap().set_len(0).unwrap();
}

#[test]
fn a_truncated_file_that_its_publisher_detaches_from() {
    guard_against_truncation().unwrap();
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    publisher.publish_text(&"long".repeat(10_000)).unwrap();
    let mut subscriber =
        Subscriber::attach(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    truncate_to_zero(&fixture);
    // It has not touched the memory since.
    assert!(!publisher.detach().removed);
    let answer = subscriber.latest();
    assert!(matches!(&answer, Err(error) if *error.kind() == ReadErrorKind::Truncated));
}

#[test]
fn a_truncated_file_that_is_published_to_and_locked() {
    guard_against_truncation().unwrap();
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    let mut loan = publisher.loan(100_000).unwrap();
    truncate_to_zero(&fixture);
    loan.fill(7);
    let bytes = Metadata::bytes("application/octet-stream");
    let error = loan.publish(&bytes).unwrap_err();
    assert!(matches!(error.kind(), PublishErrorKind::Removed), "{error}");
    fs::remove_file(fixture.segment()).unwrap();

    let block = Block::create(&key(&fixture), 100_000, &options_with_timeout(&fixture)).unwrap();
    let guard = block.lock().unwrap().ignore_abandonment();
    truncate_to_zero(&fixture);
    assert_eq!(guard[50_000], 0);
    drop(guard);
    // The rest of the lock is private to this process; other processes are refused.
    drop(block.lock_for(TIMEOUT));
    let refused = Block::attach(&key(&fixture), &options_with_timeout(&fixture));
    assert!(
        matches!(&refused, Err(error) if matches!(error.kind(), AttachErrorKind::Foreign { .. }))
    );
}

#[test]
fn a_truncated_file_whose_block_is_detached() {
    guard_against_truncation().unwrap();
    let fixture = Fixture::new();
    let block = Block::create(&key(&fixture), 64, &options_with_timeout(&fixture)).unwrap();
    truncate_to_zero(&fixture);
    assert!(!block.detach().removed);
}

#[test]
fn entries_and_header_overwritten_while_they_are_read() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, &"overwrite".repeat(1000));
    let _attacker = start_attack(&fixture, "overwrite");
    println!("{} samples read beside it", run_library(&fixture));
    run_programs(&fixture);
    drop(loader.terminate().done());
}

#[test]
fn spurious_wake_ups_cost_no_correctness() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, "true all the same");
    let _attacker = start_attack(&fixture, "wake");
    assert_eq!(
        run_bounded(fixture.viewer(["show"])).done().text(),
        "true all the same"
    );
    let mut subscriber =
        Subscriber::attach(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    let (waited, time) = timed(|| subscriber.wait(Some(TIMEOUT)).unwrap());
    assert_eq!(waited, WaitResult::Timeout);
    assert!(time >= TIMEOUT && time < TIME_LIMIT, "{time:?}");
    let publisher = Publisher::open(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    publisher.publish_text("news").unwrap();
    assert_eq!(subscriber.wait(None).unwrap(), WaitResult::New);
    drop(publisher);
    loader.terminate().done();
}

#[test]
fn false_announcements_cost_no_correctness() {
    let fixture = Fixture::new();
    let _loader = loaded(&fixture, &"flood".repeat(2000));
    let _attacker = start_attack(&fixture, "flood");
    let [shown, _] = run_all_bounded([
        fixture.viewer(["show"]),
        fixture.viewer(["show", "--wait", "1"]),
    ]);
    // Beyond the last record it finds invalid data, unless the positions change too fast to be
    // read.
    let is_nonsense = shown.stderr.contains("is damaged");
    drop(shown.refused(if is_nonsense {
        "Load it again"
    } else {
        "latest sample"
    }));
    println!("{} samples read beside it", run_library(&fixture));
    run_bounded(fixture.viewer(["info"])).done();
    run_bounded(fixture.viewer(["list"])).done();
}

/// Returns the result of a lock with a timeout beside an attack.
fn lock_during(attack: &str) -> Result<(), LockError> {
    let fixture = Fixture::new();
    let block = Block::create(&key(&fixture), 64, &options_with_timeout(&fixture)).unwrap();
    let _attacker = start_attack(&fixture, attack);
    let (locked, time) = timed(|| block.lock_for(TIMEOUT).map(drop));
    println!("{attack}: {locked:?} after {time:?}");
    assert!(time < TIME_LIMIT, "{time:?}");
    let (tried, time) = timed(|| block.try_lock().map(drop));
    assert!(time < TIME_LIMIT, "{time:?}");
    assert_eq!(tried.is_ok(), locked.is_ok());
    locked
}

#[test]
fn a_lock_held_forever_causes_a_timeout() {
    let error = lock_during("hold-lock").unwrap_err();
    assert!(
        matches!(error.kind(), LockErrorKind::Timeout { .. }),
        "{error}"
    );

    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    publisher.publish_text("before").unwrap();
    let peer = start_attack(&fixture, "hold-lock");
    let error = publisher.publish_text("after").unwrap_err();
    assert!(matches!(error.kind(), PublishErrorKind::Busy), "{error}");
    // Readers need no lock.
    assert_eq!(
        run_bounded(fixture.viewer(["show"])).done().text(),
        "before"
    );
    drop(run_bounded(fixture.loader(["text", "after"])).refused("publishing"));
    peer.kill();
    publisher.publish_text("after").unwrap();
}

#[test]
fn a_lock_with_a_dead_or_invalid_holder_is_taken_over() {
    lock_during("dead-holder").unwrap();
    lock_during("invalid-holder").unwrap();
}

#[test]
fn a_lock_passed_between_malicious_slots_causes_a_timeout() {
    // In a thread, because an unbounded wait would never end, and nor would the test.
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(lock_during("pass-lock-around")));
    let error = receiver
        .recv_timeout(TIME_LIMIT)
        .expect("the lock returns after its timeout")
        .unwrap_err();
    assert!(
        matches!(error.kind(), LockErrorKind::Timeout { .. }),
        "{error}"
    );
}

#[test]
fn all_slots_held_by_one_peer_is_an_error() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, "readable");
    let peer = start_attack(&fixture, "all-slots");
    drop(run_bounded(fixture.loader(["text", "no"])).refused("All 128 slots"));
    assert_eq!(
        run_bounded(fixture.viewer(["show"])).done().text(),
        "readable"
    );
    let info = run_bounded(fixture.viewer(["info", "--json"]))
        .done()
        .json();
    assert_eq!(info["attached"].as_array().unwrap().len(), 128);
    peer.kill();
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn the_lifecycle_lock_held_forever_causes_a_timeout() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, "readable");
    let peer = start_attack(&fixture, "hold-lifecycle");
    let busy = "holds the lock under which";
    let (attached, time) =
        timed(|| Subscriber::attach(&key(&fixture), &options_with_timeout(&fixture)));
    assert!(
        matches!(&attached, Err(error) if matches!(error.kind(), AttachErrorKind::Busy { .. }))
    );
    assert!(time < TIME_LIMIT, "{time:?}");
    let waiting = run_all_bounded([fixture.viewer(["show"]), fixture.loader(["text", "new"])]);
    for outcome in waiting {
        drop(outcome.refused(busy));
    }
    // Inspection never waits.
    for command in ["info", "list"] {
        let (outcome, time) = timed(|| run_bounded(fixture.viewer([command])));
        outcome.done();
        assert!(time < Duration::from_secs(2), "{time:?}");
    }
    // The loader detaches without removing; its segment is stale, and is removed after the peer has
    // ended.
    loader.terminate().done();
    peer.kill();
    fixture.assert_empty();
}

#[test]
fn regions_held_forever_are_an_error() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    let mut subscriber =
        Subscriber::attach(&key(&fixture), &options_with_timeout(&fixture)).unwrap();
    publisher.publish_text(&"long".repeat(10_000)).unwrap();
    let reading = start_attack(&fixture, "read-regions");
    let error = publisher
        .publish_text(&"too many".repeat(10_000))
        .unwrap_err();
    assert!(
        matches!(error.kind(), PublishErrorKind::RegionsFull { .. }),
        "{error}"
    );
    // Inline samples need no region.
    publisher.publish_text("short").unwrap();
    assert_eq!(run_bounded(fixture.viewer(["show"])).done().text(), "short");
    reading.kill();
    publisher.publish_text(&"long".repeat(10_000)).unwrap();

    let writing = start_attack(&fixture, "write-regions");
    let (busy, time) = timed(|| subscriber.latest());
    assert!(
        matches!(&busy, Err(error) if *error.kind() == ReadErrorKind::Busy),
        "{busy:?}"
    );
    assert!(time < TIME_LIMIT, "{time:?}");
    drop(run_bounded(fixture.viewer(["show"])).refused("latest sample"));
    writing.kill();
    assert!(subscriber.latest().unwrap().is_some());
}

#[test]
fn millions_of_reader_locks_are_bounded() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, "readable");
    let _attacker = start_attack(&fixture, "many-readers");
    let (outcome, time) = timed(|| run_bounded(fixture.viewer(["info", "--json"])));
    let attached = outcome.done().json()["attached"].as_array().unwrap().len();
    assert!(attached <= 2000, "{attached}");
    assert!(time < Duration::from_secs(5), "{time:?}");
    assert_eq!(
        run_bounded(fixture.viewer(["show"])).done().text(),
        "readable"
    );
    loader.terminate().done();
}

#[test]
fn other_files_swapped_in_at_the_name_are_left_alone() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, "the real one");
    let peer = start_attack(&fixture, "swap-name");
    println!("{} samples read beside it", run_library(&fixture));
    for _ in 0..3 {
        let shown = run_bounded(fixture.viewer(["show"]));
        assert!(
            !shown.text().contains("root:"),
            "a symbolic link was followed"
        );
        drop(run_bounded(fixture.viewer(["info"])));
        drop(run_bounded(fixture.viewer(["list"])));
        drop(run_bounded(
            fixture.loader(["text", "--for", "1ms", "another"]),
        ));
        drop(run_bounded(fixture.viewer(["remove", "--force"])));
    }
    peer.kill();
    // It may have ended by itself, if another file was at the name when it checked.
    let ended = loader.terminate();
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
    assert!(fs::metadata("/etc/passwd").is_ok_and(|facts| facts.len() > 0));
}

#[test]
fn a_timeout_holds_during_every_attack() {
    /// The time that a loaded machine may add to the second that was given; the library's own
    /// timeout is five seconds, and would show.
    const SLACK: Duration = Duration::from_secs(4);
    let attacks: Vec<_> = ["flood", "write-regions", "hold-lifecycle", "overwrite"]
        .into_iter()
        .map(|attack| {
            let fixture = Fixture::new();
            let loader = loaded(&fixture, &attack.repeat(2000));
            let peer = start_attack(&fixture, attack);
            (attack, fixture, loader, peer)
        })
        .collect();
    let within = |attack: &str, launch: Launch| {
        let (outcome, time) = timed(|| run_bounded(launch));
        assert!(time < SLACK, "{attack}: {time:?}: {outcome:?}");
        outcome
    };
    thread::scope(|scope| {
        for (attack, fixture, ..) in &attacks {
            let shows = [
                fixture.viewer(["follow", "--timeout", "1", "--count", "9"]),
                fixture.viewer(["show", "--wait", "1"]),
            ];
            for launch in shows {
                scope.spawn(|| drop(within(attack, launch)));
            }
        }
    });

    // Processes that already wait when the attack begins.
    let fixture = Fixture::new();
    let loader = loaded(&fixture, &"long".repeat(2000));
    let follow = fixture.viewer(["follow", "--timeout", "2"]).start();
    follow.wait_for("longlong");
    let began = Instant::now();
    let _attacker = start_attack(&fixture, "flood");
    let outcome = follow.finish();
    assert!(
        began.elapsed() < SLACK,
        "{:?}: {outcome:?}",
        began.elapsed()
    );
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    drop(loader.kill());

    // A block whose lock is held.
    let fixture = Fixture::new();
    let _block = Block::create(&key(&fixture), 64, &options_with_timeout(&fixture)).unwrap();
    let _attacker = start_attack(&fixture, "hold-lock");
    let show = fixture.viewer(["show", "--wait", "1"]);
    drop(within("hold-lock", show).refused("The lock"));
}

/// Asserts that a file that claims 64 GiB, without memory for it, causes no allocation.
fn assert_costs_nothing(attack: &str) {
    let fixture = Fixture::new();
    let _attacker = start_attack(&fixture, attack);
    let output = fixture.path("output.bin");
    for launch in [
        fixture.viewer(["info"]),
        fixture.viewer(["list"]),
        fixture.viewer(["show", "--json"]),
        fixture.viewer(["info", "--hex"]),
        fixture.viewer(["show"]),
        fixture.viewer(["show", "--output", "-"]),
        fixture.viewer(["show", "--output"]).args([&output]),
    ] {
        let outcome = run_bounded(launch);
        assert!(outcome.stdout.len() < 1 << 20, "{attack}");
    }
    assert!(!output.exists(), "{attack} was written to a file");
    // Reading does not allocate memory for the holes.
    let used = fs::metadata(fixture.segment()).unwrap().blocks() * 512;
    assert!(used < 1 << 20, "{attack} has grown to {used} bytes");
}

#[test]
fn a_huge_sparse_block_allocates_nothing() {
    assert_costs_nothing("huge-block");
}

#[test]
fn a_huge_sparse_text_allocates_nothing() {
    assert_costs_nothing("huge-text");
}

#[test]
fn a_huge_sparse_image_allocates_nothing() {
    assert_costs_nothing("huge-image");
}
