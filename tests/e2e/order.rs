//! `viewer-app follow`: every publication, in order; missed ones are counted.

use std::fs;
use std::time::{Duration, Instant};

use e2e_tests::{Fixture, Outcome, Program, Signal, TIMEOUT};
use shm_core::{ImageMetadata, Metadata, Options, PixelFormat, Publisher, segment};

use crate::actor::{key, options};

/// The number of texts in a burst.
const BURST: u64 = 1_000;

fn text(number: u64) -> String {
    let mut text = format!("{number}: ");
    text.push_str(&"x".repeat(128 - text.len()));
    text
}

fn lines(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers
        .into_iter()
        .map(|number| text(number) + "\n")
        .collect()
}

fn publish(publisher: &Publisher, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        publisher.publish_text(&text(number)).unwrap();
    }
}

fn opened(fixture: &Fixture, options: &Options) -> Publisher {
    Publisher::open(&key(fixture), options).unwrap()
}

/// Polls until a condition holds.
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < TIMEOUT, "{what}");
        std::thread::yield_now();
    }
}

/// Waits until a program waits for the key to appear.
fn wait_until_it_waits(program: &Program) {
    let folder = format!("/proc/{}/fd", program.pid());
    wait_until("the program to wait for the key", || {
        fs::read_dir(&folder).unwrap().any(|entry| {
            let target = fs::read_link(entry.unwrap().path());
            target.is_ok_and(|target| target.to_string_lossy().contains("inotify"))
        })
    });
}

/// Waits until a program is listed as a participant of the segment.
fn wait_until_it_attaches(fixture: &Fixture, program: &Program) {
    wait_until("the program to attach", || {
        let info = segment::info(&key(fixture), &options(fixture)).unwrap();
        let mut pids = info.attached.iter().map(|peer| peer.process.pid());
        pids.any(|pid| pid == program.pid())
    });
}

/// Waits until the thread of a program that follows sleeps.
fn wait_until_it_sleeps(program: &Program) {
    let tasks = format!("/proc/{}/task", program.pid());
    wait_until("the program to sleep", || {
        fs::read_dir(&tasks).unwrap().any(|entry| {
            let stat = fs::read_to_string(entry.unwrap().path().join("stat"));
            stat.is_ok_and(|stat| stat.contains("(follow) S"))
        })
    });
}

/// Returns the number in the final sum; 0 if there is none.
fn missed_in_all(outcome: &Outcome) -> u64 {
    let sums: Vec<&str> = outcome
        .stderr
        .lines()
        .filter(|line| line.contains(" in all"))
        .collect();
    match sums[..] {
        [] => 0,
        [sum] => sum.split(' ').nth(1).unwrap().parse().unwrap(),
        _ => panic!("more than one sum: {outcome:?}"),
    }
}

#[test]
fn a_burst_is_printed_completely_and_in_order() {
    let fixture = Fixture::new();
    let follow = fixture.viewer(["follow"]).start();
    wait_until_it_waits(&follow);
    let publisher = opened(&fixture, &options(&fixture));
    publish(&publisher, 1..=BURST);
    follow.wait_for(&text(BURST));
    publish(&publisher, BURST + 1..=2 * BURST);
    follow.wait_for(&text(2 * BURST));
    let outcome = follow.terminate().done();
    assert_eq!(outcome.text(), lines(1..=2 * BURST));
    assert_eq!(outcome.stderr, "");
}

#[test]
fn follow_starts_at_the_requested_position() {
    let fixture = Fixture::new();
    let publisher = opened(&fixture, &options(&fixture).persistent(true));
    publish(&publisher, 1..=BURST);
    let begun = |arguments: &[&str]| {
        let follow = fixture.viewer(["follow"]).args(arguments).start();
        wait_until_it_attaches(&fixture, &follow);
        follow
    };
    let (newest, new, oldest) = (begun(&[]), begun(&["--new"]), begun(&["--oldest"]));
    // Attaching is observable before its first read.
    newest.wait_for(&text(BURST));
    oldest.wait_for(&text(BURST));
    wait_until_it_sleeps(&new);
    publish(&publisher, BURST + 1..=BURST + 10);
    drop(publisher);
    for (follow, first) in [(newest, BURST), (new, BURST + 1), (oldest, 1)] {
        follow.wait_for(&text(BURST + 10));
        let outcome = follow.terminate().done();
        assert_eq!(outcome.text(), lines(first..=BURST + 10));
        assert_eq!(missed_in_all(&outcome), 0, "{outcome:?}");
    }
    // Everything that the segment has, without waiting.
    let outcome = fixture.viewer(["follow", "--oldest", "--until-end"]).run();
    assert_eq!(outcome.done().text(), lines(1..=BURST + 10));
    drop(
        fixture
            .viewer(["follow", "--oldest", "--new"])
            .run()
            .misused("--new"),
    );
}

#[test]
fn printed_and_missed_samples_add_up() {
    let fixture = Fixture::new();
    let publisher = opened(&fixture, &options(&fixture).ring_bytes(16 << 10));
    let follows: Vec<Program> = [&[][..], &["--json"]]
        .into_iter()
        .map(|form| {
            let follow = fixture.viewer(["follow"]).args(form).start();
            wait_until_it_attaches(&fixture, &follow);
            follow
        })
        .collect();
    publish(&publisher, 1..=1);
    for follow in &follows {
        follow.wait_for(&text(1));
        follow.signal(Signal::STOP);
    }
    publish(&publisher, 2..=BURST);
    for follow in &follows {
        follow.signal(Signal::CONT);
        follow.wait_for(&text(BURST));
    }
    // Samples missed before a clear count as missed; the clear itself does not.
    for follow in &follows {
        follow.signal(Signal::STOP);
    }
    publish(&publisher, BURST + 1..=2 * BURST);
    publisher.clear().unwrap();
    publish(&publisher, [2 * BURST + 1]);
    let mut printed = Vec::new();
    for follow in follows {
        follow.signal(Signal::CONT);
        follow.wait_for(&text(2 * BURST + 1));
        let outcome = follow.terminate().done();
        let missed = missed_in_all(&outcome);
        assert!(missed > BURST, "{outcome:?}");
        let count = outcome.text().lines().count() as u64;
        assert_eq!(count + missed, 2 * BURST + 1, "{outcome:?}");
        printed.push(outcome);
    }
    let numbers: Vec<u64> = printed[0]
        .text()
        .lines()
        .map(|line| line.split(':').next().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    let skipped: u64 = printed[1]
        .text()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["skipped"].as_u64().unwrap())
        .sum();
    assert_eq!(skipped, missed_in_all(&printed[1]));
}

/// Publishes a picture of one colour, small enough for the ring.
fn publish_picture(publisher: &Publisher) {
    let metadata = ImageMetadata::packed(PixelFormat::Gray8, 8, 8).unwrap();
    publisher
        .publish(&Metadata::Image(metadata), &[7; 64])
        .unwrap();
}

#[test]
fn files_and_pixels_report_missed_samples_and_end_with_their_loader() {
    let fixture = Fixture::new();
    let publisher = opened(&fixture, &options(&fixture).ring_bytes(16 << 10));
    let pattern = fixture.path("%d.png");
    let files = fixture.viewer(["follow", "--output"]).args([&pattern]);
    let pixels = fixture.viewer(["follow", "--raw", "-"]);
    let follows: Vec<Program> = [files, pixels].map(|launch| launch.start()).into();
    for follow in &follows {
        wait_until_it_attaches(&fixture, follow);
    }
    publish_picture(&publisher);
    let first = fixture.path("1.png");
    wait_until("the first file", || first.exists());
    for follow in &follows {
        follow.signal(Signal::STOP);
    }
    for _ in 1..BURST {
        publish_picture(&publisher);
    }
    for follow in &follows {
        follow.signal(Signal::CONT);
    }
    drop(publisher);
    let [files, pixels] = <[Program; 2]>::try_from(follows).unwrap();
    let (files, pixels) = (files.finish().done(), pixels.finish().done());
    assert!(missed_in_all(&files) > 0, "{files:?}");
    let written = (1..=BURST).filter(|number| fixture.path(&format!("{number}.png")).exists());
    assert_eq!(written.count() as u64 + missed_in_all(&files), BURST);
    assert_eq!(pixels.stdout.len() as u64 % 64, 0);
    assert_eq!(
        pixels.stdout.len() as u64 / 64 + missed_in_all(&pixels),
        BURST
    );
    fixture.assert_empty();
}

#[test]
fn no_sample_is_lost_between_loaders() {
    let fixture = Fixture::new();
    let follow = fixture.viewer(["follow"]).start();
    wait_until_it_waits(&follow);
    const EACH: u64 = 100;
    for round in 0..5 {
        let publisher = opened(&fixture, &options(&fixture));
        let last = (round + 1) * EACH;
        publish(&publisher, round * EACH + 1..=last);
        follow.wait_for(&text(last));
        drop(publisher);
    }
    let outcome = follow.terminate().done();
    assert_eq!(outcome.text(), lines(1..=5 * EACH));
    assert_eq!(outcome.stderr, "");
}

#[test]
fn samples_evicted_from_a_later_segment_are_reported_as_missed() {
    let fixture = Fixture::new();
    let follow = fixture.viewer(["follow"]).start();
    wait_until_it_waits(&follow);
    follow.signal(Signal::STOP);
    let publisher = opened(&fixture, &options(&fixture).ring_bytes(16 << 10));
    publish(&publisher, 1..=BURST);
    follow.signal(Signal::CONT);
    follow.wait_for(&text(BURST));
    let outcome = follow.terminate().done();
    let printed = outcome.text().lines().count() as u64;
    assert!(printed < BURST);
    assert_eq!(printed + missed_in_all(&outcome), BURST, "{outcome:?}");
}

#[test]
fn a_segment_whose_name_returns_is_not_read_twice() {
    let fixture = Fixture::new();
    let publisher = opened(&fixture, &options(&fixture));
    let follow = fixture.viewer(["follow"]).start();
    wait_until_it_attaches(&fixture, &follow);
    // Attaching is observable before its first read.
    publish(&publisher, 1..=1);
    follow.wait_for(&text(1));
    publish(&publisher, 2..=3);
    follow.wait_for(&text(3));
    let away = fixture.segments().join("away");
    fs::rename(fixture.segment(), &away).unwrap();
    wait_until_it_waits(&follow);
    publish(&publisher, 4..=5);
    fs::rename(&away, fixture.segment()).unwrap();
    follow.wait_for(&text(5));
    let outcome = follow.terminate().done();
    assert_eq!(outcome.text(), lines(1..=5));
}

#[test]
fn until_end_waits_for_a_loader_and_continues_across_loaders() {
    let fixture = Fixture::new();
    let persistent = options(&fixture).persistent(true);
    publish(&opened(&fixture, &persistent), 1..=1);
    // Content of an earlier loader is not a loader.
    let follow = fixture.viewer(["follow", "--until-end"]).start();
    follow.wait_for(&text(1));
    let began = Instant::now();
    let waits = fixture.viewer(["follow", "--until-end", "--timeout", "1500ms"]);
    drop(waits.run().refused("after the first 1"));
    assert!(began.elapsed() >= Duration::from_millis(1500));
    publish(&opened(&fixture, &persistent), 2..=2);
    follow.wait_for(&text(2));
    publish(&opened(&fixture, &persistent), 3..=3);
    let began = Instant::now();
    let outcome = follow.finish().done();
    assert!(began.elapsed() >= Duration::from_millis(900), "{began:?}");
    assert_eq!(outcome.text(), lines(1..=3));
}

#[test]
fn ordering_options_are_refused_for_qt_keys() {
    let fixture = Fixture::new();
    for option in ["--oldest", "--new", "--until-end"] {
        let follow = fixture.bare_viewer(["--key", "qt:K", "follow", option]);
        drop(follow.run().refused(option));
    }
}
