//! `examples/python/shm_view.py`: docs/LAYOUT.md suffices to write a reader.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use e2e_tests::{Fixture, Launch, Outcome, Picture, PictureFile, Program, layout, skip};
use image::RgbaImage;
use serde_json::Value;
use shm_core::{
    Annotations, ArrayMetadata, ElementType, ImageMetadata, Metadata, Origin, PixelFormat,
    Publisher,
};

use crate::actor::{Actor, key, options};

/// The example in a fixture; `None` if Python is not installed.
struct Python {
    fixture: Fixture,
}

impl Python {
    fn new() -> Option<Python> {
        let found = Command::new("python3").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            skip("there is no python3");
            return None;
        }
        let fixture = Fixture::new();
        Some(Python { fixture })
    }

    /// Prepares the example with the fixture's key.
    fn keyed(&self, arguments: &[&str]) -> Launch {
        let (command, arguments) = arguments.split_first().unwrap();
        let keyed = self.bare(&[command, "--key", self.fixture.key()]);
        keyed.args(arguments)
    }

    fn bare(&self, arguments: &[&str]) -> Launch {
        let python = self.fixture.program("python3").args(["-B"]);
        python
            .args([examples().join("shm_view.py")])
            .args(arguments)
    }

    /// Prepares a script that uses the example as a module; its argument is the fixture's key.
    fn script(&self, lines: &str) -> Launch {
        let python = self.fixture.program("python3").args(["-B", "-c", lines]);
        let python = python.args([self.fixture.key()]);
        python.env("PYTHONPATH", examples())
    }

    fn load(&self, arguments: &[&str]) -> Program {
        let loader = self.fixture.loader(arguments).start();
        loader.wait_for(self.fixture.key());
        loader
    }

    fn load_picture(&self, picture: &Picture, name: &str) -> Program {
        let file = self.fixture.file(name, &picture.encode(PictureFile::Png));
        self.load(&["image", file.to_str().unwrap()])
    }

    /// Returns the participants, as the viewer reports them.
    fn attached(&self) -> Vec<Value> {
        let info = self.fixture.viewer(["info", "--json"]).run().done().json();
        info["attached"].as_array().unwrap().clone()
    }
}

/// Starts an actor with the smallest ring, so that a reader is soon overrun.
fn actor_with_a_small_ring(fixture: &Fixture) -> Actor {
    let launch = Actor::launch(fixture).env("ACTOR_RING_BYTES", SMALL_RING.to_string());
    Actor::start(launch)
}

const SMALL_RING: u64 = 1 << 14;

/// Returns the sequence of the newest record, from the file.
fn newest_sequence(fixture: &Fixture, ring_bytes: u64) -> u64 {
    let file = File::open(fixture.segment()).unwrap();
    let word = |at: u64| {
        let mut word = [0; 8];
        file.read_exact_at(&mut word, at).unwrap();
        u64::from_le_bytes(word)
    };
    let last = word(layout::LAST as u64);
    word(layout::RING as u64 + last % ring_bytes)
}

/// Returns the shown sequences, and the reported number of missed ones.
fn shown_and_missed(ended: &Outcome) -> (Vec<u64>, u64) {
    let number_after = |line: &str, words: &str| -> Option<u64> {
        let (_, number) = line.split_once(words)?;
        let end = number.find(|character: char| !character.is_ascii_digit() && character != ',');
        let number = number[..end.unwrap_or(number.len())].replace(',', "");
        Some(number.parse().unwrap())
    };
    let lines = || ended.stderr.lines();
    let shown = lines().filter_map(|line| number_after(line, "sequence "));
    let missed = lines().filter_map(|line| number_after(line, "Missed "));
    (shown.collect(), missed.sum())
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/python")
}

fn is_reader(peer: &Value, program: &Program) -> bool {
    peer["pid"] == program.pid() && peer["access"] == "read-only"
}

#[test]
fn texts_are_read() {
    let Some(python) = Python::new() else { return };
    let long: String = (0..100_000).map(|line| format!("{line} – 行\n")).collect();
    assert!(long.len() > 1 << 20);
    for text in ["", "Hello", "你好，世界 👩‍👩‍👧‍👦 e\u{301}\r\n\t", &long] {
        let loader = python.fixture.loader(["text"]).input(text).start();
        loader.wait_for(python.fixture.key());
        let shown = python.keyed(&["show"]).run().done();
        assert!(shown.text() == text, "{} bytes", text.len());
        assert!(shown.stderr.contains("sequence 1"), "{}", shown.stderr);
        loader.terminate().done();
    }
    python.fixture.assert_empty();
}

#[test]
fn pictures_are_read() {
    let Some(python) = Python::new() else { return };
    let copy = python.fixture.path("copy.png");
    // One inline in the ring, and one in a region.
    for (width, height) in [(34, 33), (640, 400)] {
        let picture = Picture::draw(width, height, 1);
        let loader = python.load_picture(&picture, "picture.png");
        let show = python.keyed(&["show", "--output"]).args([&copy]);
        let facts = show.run().done().stderr;
        assert!(facts.contains(&format!("{width} × {height}")), "{facts}");
        let shown = image::open(&copy).unwrap().into_rgb8();
        assert!(shown == *picture.pixels(), "{width} × {height}");
        loader.terminate().done();
    }
    python.fixture.assert_empty();
}

#[test]
fn transparent_pictures_are_read() {
    let Some(python) = Python::new() else { return };
    let drawn = RgbaImage::from_fn(90, 70, |x, y| {
        let [x, y] = [x, y].map(|at| u8::try_from(at * 2).unwrap());
        image::Rgba([x, y, 77, x.wrapping_add(y)])
    });
    let file = python.fixture.path("glass.png");
    drawn.save(&file).unwrap();
    let _loader = python.load(&["image", file.to_str().unwrap()]);
    let shown = python.keyed(&["show", "--output", "-"]).run().done().stdout;
    assert!(image::load_from_memory(&shown).unwrap().into_rgba8() == drawn);
}

#[test]
fn any_bytes_are_read() {
    let Some(python) = Python::new() else { return };
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let file = python.fixture.file("some.pdf", &bytes);
    let _loader = python.load(&["file", file.to_str().unwrap()]);
    let shown = python.keyed(&["show"]).run().done();
    assert!(shown.stdout == bytes);
    assert!(shown.stderr.contains("application/pdf"), "{}", shown.stderr);
}

#[test]
fn a_publication_wakes_a_waiting_reader() {
    let Some(python) = Python::new() else { return };
    let first = python.load(&["text", "the one before"]);
    let waiting = python.keyed(&["show", "--next", "--timeout", "60"]).start();
    waiting.wait_for_stderr("after sequence 1");
    assert!(
        python
            .attached()
            .iter()
            .any(|peer| is_reader(peer, &waiting))
    );
    let second = python.load(&["text", "the next"]);
    assert_eq!(waiting.finish().done().text(), "the next");
    // A reader that has detached is not listed any more.
    assert!(
        python
            .attached()
            .iter()
            .all(|peer| peer["access"] == "read-write")
    );
    first.terminate().done();
    second.terminate().done();
    python.fixture.assert_empty();
}

#[test]
fn a_publication_wakes_a_reader_before_its_next_poll() {
    let Some(python) = Python::new() else { return };
    let _first = python.load(&["text", "the one before"]);
    // One sleep, much longer than the timeout of this test.
    let script = python.script(
        "import shm_view, sys
with shm_view.Subscriber.attach(shm_view.Place(), sys.argv[1]) as subscriber:
    seen = subscriber.ring.last()
    print('asleep', flush=True)
    subscriber.segment.words.sleep_while(shm_view.LAST, seen % 2**32, 3600.0)
    print(subscriber.latest().header.sequence)
",
    );
    let sleeping = script.start();
    sleeping.wait_for("asleep");
    let _second = python.load(&["text", "the next"]);
    assert_eq!(sleeping.finish().done().text(), "asleep\n2\n");
}

#[test]
fn no_sample_is_ever_torn() {
    let Some(python) = Python::new() else { return };
    let mut flooding = Actor::new(&python.fixture);
    flooding.run("open");
    flooding.run("publish 1 20000");
    flooding.run("flood 20000");
    // Each byte that the actor publishes is the low byte of the number in the first eight.
    let script = python.script(
        "import shm_view, sys
kinds, count = set(), 0
with shm_view.Subscriber.attach(shm_view.Place(), sys.argv[1]) as subscriber:
    while count < 5000 or len(kinds) < 2:
        with subscriber.latest() as sample:
            data = b''.join(sample.chunks())
            assert len(data) == sample.size
            assert data[8:] == data[:1] * (len(data) - 8), sample.facts()
            kinds.add(sample.header.flags)
        count += 1
print('whole')
",
    );
    assert_eq!(script.run().done().text(), "whole\n");
    flooding.kill();
    python.fixture.assert_empty();
}

#[test]
fn segments_without_a_sample_are_distinguished() {
    let Some(python) = Python::new() else { return };
    let mut actor = Actor::new(&python.fixture);
    actor.run("open");
    let list = python.bare(&["list"]).run().done();
    assert!(list.text().contains("nothing loaded yet"), "{list:?}");
    drop(python.keyed(&["show"]).run().refused("--next"));
    drop(actor.finish().done());

    let mut actor = Actor::new(&python.fixture);
    actor.run("create 64");
    let list = python.bare(&["list"]).run().done();
    assert!(list.text().contains("block of 64 bytes"), "{list:?}");
    drop(python.keyed(&["show"]).run().refused("block of bytes"));
}

#[test]
fn it_follows_until_the_last_publisher_detaches() {
    let Some(python) = Python::new() else { return };
    let first = python.load(&["text", "one\n"]);
    let following = python.keyed(&["follow"]).start();
    following.wait_for("one");
    let second = python.load(&["text", "two\n"]);
    following.wait_for("two");
    first.terminate().done();
    // No wake-up follows.
    drop(second.kill());
    let ended = following.finish().done();
    assert_eq!(ended.text(), "one\ntwo\n");
    assert!(
        ended.stderr.contains("The last publisher"),
        "{}",
        ended.stderr
    );
    python.fixture.assert_empty();
}

#[test]
fn it_follows_from_the_requested_position() {
    let Some(python) = Python::new() else { return };
    let mut actor = Actor::new(&python.fixture);
    actor.run("open");
    for sample in ["publish 1 8", "copy 2 100", "publish 3 100000"] {
        actor.run(sample);
    }
    let follows = |begin: &[&str], before: &str| {
        let following = python.keyed(&["follow"]).args(begin).start();
        following.wait_for_stderr(before);
        following
    };
    let default = follows(&[], "sequence 3");
    let oldest = follows(&["--oldest"], "sequence 3");
    let new = follows(&["--new"], "after sequence 3");
    actor.run("publish 4 8");
    for following in [&default, &oldest, &new] {
        following.wait_for_stderr("sequence 4");
    }
    // A clear has a sequence, too, and nothing to show.
    actor.run("clear");
    actor.run("publish 6 100000");
    actor.kill();
    for (following, sequences) in [
        (default, vec![3, 4, 6]),
        (oldest, vec![1, 2, 3, 4, 6]),
        // The first line reports what it waits for.
        (new, vec![3, 4, 6]),
    ] {
        let ended = following.finish().done();
        assert_eq!(shown_and_missed(&ended), (sequences, 0), "{ended:?}");
    }
}

#[test]
fn shown_and_missed_samples_add_up() {
    let Some(python) = Python::new() else { return };
    // Inline, and large.
    for size in [64, 20_000] {
        let mut flooding = actor_with_a_small_ring(&python.fixture);
        flooding.run("open");
        flooding.run("publish 1 8");
        let following = python.keyed(&["follow"]).start();
        following.wait_for_stderr("sequence 1");
        flooding.run(&format!("flood {size}"));
        following.wait_for_stderr("Missed");
        following.wait_for_stderr("Missed");
        flooding.kill();
        let ended = following.finish().done();
        let published = newest_sequence(&python.fixture, SMALL_RING);
        let (shown, missed) = shown_and_missed(&ended);
        assert!(shown.is_sorted_by(|before, after| before < after));
        assert_eq!(shown.last(), Some(&published));
        assert_eq!(shown.len() as u64 + missed, published);
    }
    python.fixture.assert_empty();
}

#[test]
fn invalid_values_in_any_field_are_reported() {
    let Some(python) = Python::new() else { return };
    let mut actor = actor_with_a_small_ring(&python.fixture);
    actor.run("open");
    actor.run("copy 1 100");
    actor.run("publish 2 100000");
    let script = python.script(
        "import os, shm_view, sys
shm_view.TIMEOUT = 0.05
place, key = shm_view.Place(), sys.argv[1]
descriptor = os.open(place.path(key), os.O_RDWR)
def load(at): return int.from_bytes(os.pread(descriptor, 8, at), 'little')
def store(at, word): os.pwrite(descriptor, word.to_bytes(8, 'little'), at)
def read():
    with shm_view.Segment(place, key) as segment:
        shm_view.describe(segment)
    with shm_view.Subscriber.attach(place, key) as subscriber:
        cursor = shm_view.Cursor(subscriber)
        cursor.rewind()
        while cursor.next() is not None:
            pass
        cursor.skip_all()
        cursor.wait(0.0)
ring = [shm_view.RING + at % 16384 for at in (load(shm_view.LAST), load(shm_view.OLDEST))]
words = [*range(0, 0x40, 8), 0x100, 0x180, *(at + word for at in ring for word in range(0, 72, 8))]
told = 0
for at in words:
    whole = load(at)
    for word in (0, 1, 64, 2**62, 2**64 - 1, whole ^ 1 << 32, whole ^ 64, whole + 16384, whole ^ 1 << 48):
        store(at, word % 2**64)
        try:
            read()
        except shm_view.ViewError as error:
            told += 1
    store(at, whole)
read()
assert told > len(words), told
print('told')
",
    );
    assert_eq!(script.run().done().text(), "told\n");
}

#[test]
fn a_truncated_file_is_reported() {
    let Some(python) = Python::new() else { return };
    let mut actor = Actor::new(&python.fixture);
    actor.run("open");
    actor.run("publish 1 100000");
    let hold = python.keyed(&["show", "--hold"]).input_kept_open();
    let holding = hold.start();
    holding.wait_for_stderr("Held until");
    let segment = OpenOptions::new()
        .write(true)
        .open(python.fixture.segment());
    segment.unwrap().set_len(layout::RING as u64 + 64).unwrap();
    drop(holding.finish().refused("cut short"));
    for command in ["show", "follow"] {
        drop(python.keyed(&[command]).run().refused("cut short"));
    }
}

#[test]
fn a_read_only_reader_keeps_nothing_alive() {
    let Some(python) = Python::new() else { return };
    let mut actor = Actor::new(&python.fixture);
    actor.run("open");
    let script = python.script(
        "import fcntl, os, shm_view, sys
place, key = shm_view.Place(), sys.argv[1]
descriptor = os.open(place.path(key), os.O_RDONLY)
locks = shm_view.ByteLocks(descriptor)
# Not the first: that of the publisher.
for slot in range(1, shm_view.SLOT_COUNT):
    assert locks.try_share(shm_view.SLOT + slot)
with shm_view.Segment(place, key) as segment:
    print(len(segment.slots()), segment.is_stale(), flush=True)
    sys.stdin.read()
    print(len(segment.slots()), segment.is_stale())
",
    );
    let asking = script.input_kept_open().start();
    asking.wait_for("1 False");
    actor.kill();
    assert_eq!(asking.finish().done().text(), "1 False\n0 True\n");
    python.fixture.assert_empty();
}

#[test]
fn control_characters_are_escaped_on_a_terminal() {
    let Some(python) = Python::new() else { return };
    let text = "red \u{1b}[31m, \u{202e}back, and family 👩\u{200d}👧\tgoes on\r\n";
    let loader = python.fixture.loader(["text"]).input(text).start();
    loader.wait_for(python.fixture.key());
    let script = python.script(
        "import pty, shm_view, sys
pty.spawn([sys.executable, '-B', shm_view.__file__, 'show', '--key', sys.argv[1]])
",
    );
    let shown = script.run().done();
    let expected = "red \\u{1b}[31m, \\u{202e}back, and family 👩\u{200d}👧\tgoes on\r\n";
    assert!(shown.text().ends_with(expected), "{shown:?}");
}

#[test]
fn a_pinned_picture_remains_while_others_are_loaded() {
    let Some(python) = Python::new() else { return };
    let picture = Picture::draw(640, 400, 2);
    let _first = python.load_picture(&picture, "first.png");
    let copy = python.fixture.path("copy.png");
    let show = python.keyed(&["show", "--hold", "--output"]).args([&copy]);
    let holding = show.input_kept_open().start();
    holding.wait_for_stderr("Held until");
    assert!(
        python
            .attached()
            .iter()
            .any(|peer| is_reader(peer, &holding))
    );
    for seed in 3..9 {
        let other = python.load_picture(&Picture::draw(640, 400, seed), "other.png");
        other.terminate().done();
    }
    drop(holding.finish().done());
    assert!(image::open(copy).unwrap().into_rgb8() == *picture.pixels());
}

#[test]
fn segments_are_listed_with_their_participants() {
    let Some(python) = Python::new() else { return };
    let loader = python.load(&["text", "hello"]);
    let waiting = python.keyed(&["show", "--next"]).start();
    waiting.wait_for_stderr("Waiting");
    let list = python.bare(&["list"]).run().done();
    let [loader_pid, reader_pid] = [loader.pid(), waiting.pid()].map(|pid| pid.to_string());
    for part in [
        python.fixture.key(),
        "text",
        "loader-app",
        &loader_pid,
        &reader_pid,
    ] {
        assert!(list.text().contains(part), "{part}: {list:?}");
    }
}

#[test]
fn a_missing_segment_is_reported() {
    let Some(python) = Python::new() else { return };
    for command in ["show", "follow"] {
        let refused = python.keyed(&[command]).run().refused("no shared memory");
        assert!(refused.stderr.contains("loader-app text"), "{refused:?}");
        assert!(!refused.stderr.contains("Traceback"), "{refused:?}");
    }
    for key in ["a/b", "a\u{202e}b", "a\u{200b}b", "a\u{2028}b", "a\u{ad}b"] {
        drop(python.bare(&["show", "--key", key]).run().refused("slash"));
    }
    let nothing = python.bare(&["list"]).run().done();
    assert!(nothing.stderr.contains("no shared memory"), "{nothing:?}");
    assert!(nothing.stdout.is_empty(), "{nothing:?}");
}

#[test]
fn stale_segments_count_as_missing() {
    let Some(python) = Python::new() else { return };
    drop(python.load(&["text", "gone soon"]).kill());
    let list = python.bare(&["list"]).run().done();
    assert!(list.text().contains("left over"), "{list:?}");
    drop(python.keyed(&["show"]).run().refused("no shared memory"));
    python.fixture.assert_empty();
}

#[test]
fn files_that_are_not_segments_are_refused() {
    let Some(python) = Python::new() else { return };
    let segment = python.fixture.segment();
    for content in ["", "no segment", &"SHM-CORE".repeat(10_000)] {
        std::fs::write(&segment, content).unwrap();
        let refused = python.keyed(&["show"]).run();
        let refused = refused.refused(segment.to_str().unwrap());
        assert!(!refused.stderr.contains("Traceback"), "{refused:?}");
    }
    std::fs::remove_file(&segment).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &segment).unwrap();
    drop(python.keyed(&["show"]).run().refused("is a symbolic link"));
    std::fs::remove_file(&segment).unwrap();
    drop(Command::new("mkfifo").arg(&segment).status());
    drop(python.keyed(&["show"]).run().refused("not a regular file"));
}

/// The example and the library agree on every seed of the fuzzer's corpus.
#[test]
fn metadata_is_decoded_as_the_library_decodes_it() {
    const SCRIPT: &str = "import pathlib, sys, shm_view\n\
        for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):\n\
        \x20   data = path.read_bytes()\n\
        \x20   try:\n\
        \x20       decoder = shm_view.Decoder(data[3:])\n\
        \x20       metadata = decoder.metadata()\n\
        \x20       if isinstance(metadata, (shm_view.Image, shm_view.Array)):\n\
        \x20           metadata.check(int.from_bytes(data[1:3], 'little'))\n\
        \x20       origin = decoder.origin\n\
        \x20       print(path.name, repr(str(metadata)), (decoder.user or b'').hex() or '-',\n\
        \x20           origin and (origin.host, origin.program, origin.sequence, origin.is_stale))\n\
        \x20   except shm_view.Unreadable:\n\
        \x20       print(path.name, 'refused')\n";
    let Some(python) = Python::new() else { return };
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/metadata");
    let ended = python.script(SCRIPT).args([&corpus]).run().done();
    let printed = ended.text();
    let mut paths: Vec<_> = corpus
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    let expected = paths.iter().map(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        format!("{name} {}\n", described(&fs::read(path).unwrap()))
    });
    let expected: String = expected.collect();
    let pairs = printed.lines().zip(expected.lines());
    for (printed, expected) in pairs {
        assert_eq!(printed, expected);
    }
    assert_eq!(printed.lines().count(), paths.len());
}

/// Decodes a seed with the library, and describes it as the example does. A seed is three bytes, of
/// which two are the payload's length, and then metadata.
fn described(seed: &[u8]) -> String {
    let (head, encoded) = seed.split_at(3);
    let payload_bytes = u16::from_le_bytes([head[1], head[2]]).into();
    let Ok((metadata, annotations)) = Metadata::from_bytes(encoded, payload_bytes) else {
        return "refused".to_owned();
    };
    let mut what = match &metadata {
        Metadata::Text => "text".to_owned(),
        Metadata::Image(image) => {
            let format = image.format.name();
            format!("image · {} × {} · {format}", image.width, image.height)
        }
        Metadata::Array(array) => format!("array · {array}"),
        metadata => format!("bytes · {}", metadata.media_type()),
    };
    if let Some(name) = metadata.file_name() {
        what.push_str(&format!(" · {name}"));
    }
    let user = match annotations.user.as_slice() {
        [] => "-".to_owned(),
        user => user.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let origin = annotations.origin.map_or("None".to_owned(), |origin| {
        let is_stale = if origin.is_stale { "True" } else { "False" };
        format!(
            "('{}', '{}', {}, {is_stale})",
            origin.host, origin.program, origin.sequence
        )
    });
    format!("'{what}' {user} {origin}")
}

#[test]
fn arrays_and_16_bit_grey_are_read() {
    let Some(python) = Python::new() else { return };
    let publisher = Publisher::open(&key(&python.fixture), &options(&python.fixture)).unwrap();
    let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).unwrap();
    let origin = Origin::new("hostA", "camera", 9, SystemTime::now());
    let annotations = Annotations::new().with_user(b"\x2a").with_origin(origin);
    publisher
        .publish_with(&array.into(), &annotations, &[7; 48])
        .unwrap();
    let shown = python.keyed(&["show"]).run().done();
    assert_eq!(shown.stdout, [7; 48]);
    let facts = shown.stderr;
    assert!(facts.contains("array · f4 · 3 × 4 · 48 bytes"), "{facts}");
    let (_, origin) = facts.split_once("by camera on hostA, ").expect(&facts);
    let (age, user) = origin.split_once(" s ago · ").expect(&facts);
    assert!(age.parse::<u32>().is_ok(), "{facts}");
    assert!(user.starts_with("user data 2a"), "{facts}");

    for (format, pixels) in [
        (PixelFormat::Gray16, &[0x34, 0x12, 0xff, 0xff][..]),
        (PixelFormat::Bgr8, &[1, 2, 3, 4, 5, 6]),
    ] {
        let image = ImageMetadata::packed(format, 2, 1).unwrap();
        publisher.publish(&image.into(), pixels).unwrap();
        let png = python.keyed(&["show", "--output", "-"]).run().done().stdout;
        let picture = image::load_from_memory(&png).unwrap();
        match format {
            PixelFormat::Gray16 => assert_eq!(picture.into_luma16().into_raw(), [0x1234, 0xffff]),
            _ => assert_eq!(picture.into_rgb8().into_raw(), [3, 2, 1, 6, 5, 4]),
        }
    }
}
