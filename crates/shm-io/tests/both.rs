//! Segments of shm-core and of Qt programs through one interface: published by a sink, read and
//! followed by a source.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use qt_bridge::{Form, QtKey};
use shm_core::segment::Removal;
use shm_core::{
    ArrayMetadata, Block, BytesMetadata, ElementType, ImageMetadata, Key, Options, PixelFormat,
    Publisher,
};
use shm_io::{
    Address, Attempt, Begin, Content, Drawn, Event, Follower, Info, Payload, Sent, Sink, SinkError,
    Source, TIMEOUT, Wanted,
};
use tempfile::TempDir;

/// Longer than any wait here takes.
const LONG: Duration = Duration::from_secs(30);

struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn options(&self) -> Options {
        Options::new().directory(self.directory.path())
    }

    fn own(&self, name: &str) -> Address {
        Key::new(name).unwrap().into()
    }

    fn qt(&self, name: &str) -> Address {
        let key = format!("systemv:{}/{name}", self.directory.path().display());
        key.parse::<QtKey>().unwrap().into()
    }

    fn both(&self) -> [Address; 2] {
        [self.own("K"), self.qt("native")]
    }

    fn sink(&self) -> Sink {
        Sink::new(self.options())
    }

    fn source(&self, address: &Address) -> Source {
        Source::new(address).options(self.options())
    }

    fn read(&self, address: &Address) -> Content {
        self.source(address).read().unwrap()
    }
}

fn text(text: &str) -> Payload<'_, SinkError> {
    Payload::Text(text)
}

fn next(follower: &mut Follower) -> Content {
    loop {
        if let Event::Content(content) = follower.next(Some(LONG)).unwrap() {
            return *content;
        }
    }
}

#[test]
fn a_text_survives_a_round_trip_in_both_kinds_of_segments() {
    let fixture = Fixture::new();
    for address in fixture.both() {
        let mut sink = fixture.sink();
        let published = sink.put(&address, text("héllo")).unwrap();
        assert_eq!(published.key, address);
        assert_eq!(published.kind, "text");
        assert_eq!(published.form.is_some(), address.qt().is_some());
        let content = fixture.read(&address);
        assert_eq!(content.address(), &address);
        assert_eq!(content.kind(), "text");
        assert!(content.is_text() && !content.is_empty() && !content.is_block());
        assert_eq!(content.text().unwrap().as_deref(), Some("héllo"));
        assert_eq!(content.bytes(), "héllo".as_bytes());
        assert_eq!(content.copy_head(1).unwrap(), b"h");
        assert_eq!(content.size(), published.bytes);
        assert!(content.image().is_none() && content.array().is_none());
        content.verify().unwrap();
        let mut written = Vec::new();
        content.write_to(&mut written).unwrap();
        assert_eq!(written, content.bytes());
        assert_eq!(content.publication().is_some(), address.own().is_some());
        if let Some(publication) = content.publication() {
            assert!(publication.writer.is_current());
            assert_eq!(publication.sequence, published.sequence);
            assert_eq!(publication.elsewhere, None);
        }
        assert_eq!(content.digest().is_some(), address.qt().is_some());
        assert_eq!(content.form(), published.form);
    }
}

#[test]
fn pictures_and_bytes_survive_a_round_trip() {
    let fixture = Fixture::new();
    let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 2, 1).unwrap();
    let pixels = [1, 2, 3, 255, 4, 5, 6, 255];
    for address in fixture.both() {
        let mut sink = fixture.sink();
        let decode = |room: &mut [u8]| -> Result<(), SinkError> {
            room.copy_from_slice(&pixels);
            Ok(())
        };
        let payloads = [
            Payload::Pixels(metadata.clone(), &pixels),
            Payload::Picture(metadata.clone(), Box::new(decode)),
        ];
        for payload in payloads {
            assert_eq!(sink.put(&address, payload).unwrap().kind, "image");
            let content = fixture.read(&address);
            let (found, found_pixels) = content.image().unwrap();
            assert_eq!((found.width, found.height), (2, 1));
            assert_eq!(found_pixels.len(), pixels.len());
            assert_eq!(content.text().unwrap(), None);
        }
        sink.set_form(Some(Form::Raw));
        for length in [0, 1, 65_536, 65_537, 200_000] {
            let bytes: Vec<u8> = (1..=255).cycle().take(length).collect();
            let mut left = bytes.as_slice();
            let read = move |buffer: &mut [u8]| -> Result<usize, SinkError> {
                let count = buffer.len().min(left.len());
                buffer[..count].copy_from_slice(&left[..count]);
                left = &left[count..];
                Ok(count)
            };
            let payload = Payload::Bytes {
                metadata: BytesMetadata::new("application/octet-stream").with_file_name("b.bin"),
                expected: length / 2,
                read: Box::new(read),
            };
            assert_eq!(sink.put(&address, payload).unwrap().kind, "bytes");
            let source = fixture.source(&address).form(Some(Form::Raw));
            let content = source.read().unwrap();
            assert!(content.bytes().starts_with(&bytes), "{length}");
        }
    }
}

#[test]
fn arrays_and_blocks_are_distinguished() {
    let fixture = Fixture::new();
    let key = Key::new("K").unwrap();
    let publisher = Publisher::open(&key, &fixture.options()).unwrap();
    let array = ArrayMetadata::new(ElementType::Float32, [3]).unwrap();
    publisher.publish(&array.clone().into(), &[0; 12]).unwrap();
    let content = fixture.read(&fixture.own("K"));
    assert_eq!(content.kind(), "array");
    assert_eq!(content.array(), Some(&array));
    assert_eq!(content.sequence(), Some(1.into()));
    assert_eq!(content.latest().unwrap().bytes, 12);
    assert!(content.age().is_some());
    let stat = content.stat();
    assert!(stat.attached.is_empty(), "a process is not its own peer");
    assert!(!stat.persistent && stat.ring.is_some() && stat.permissions.is_some());

    let block = Block::create(&Key::new("B").unwrap(), 3, &fixture.options()).unwrap();
    block
        .lock()
        .unwrap()
        .ignore_abandonment()
        .copy_from_slice(b"abc");
    let content = fixture.read(&fixture.own("B"));
    assert_eq!((content.kind(), content.bytes()), ("bytes", &b"abc"[..]));
    assert!(content.is_block() && !content.is_empty() && !content.is_half_written());
    assert_eq!((content.metadata(), content.sequence()), (None, None));
    let mut follower = fixture.source(&fixture.own("B")).follow(Wanted::Latest);
    assert!(matches!(follower.next(Some(LONG)), Ok(Event::Block)));
}

#[test]
fn cleared_content_is_empty_and_a_released_segment_is_removed() {
    let fixture = Fixture::new();
    for address in fixture.both() {
        let source = fixture.source(&address);
        assert!(source.read().unwrap_err().is_not_found());
        assert!(source.info().unwrap_err().is_not_found());
        let mut sink = fixture.sink();
        assert_eq!(sink.clear().unwrap(), None);
        assert!(sink.release().is_none());
        sink.put(&address, text("secret")).unwrap();
        match source.info().unwrap() {
            Info::Own(info) => assert_eq!(Some(&info.key), address.own()),
            Info::Qt { key, size } => assert_eq!((Some(&key), size > 0), (address.qt(), true)),
        }
        assert_eq!(sink.clear().unwrap().as_ref(), Some(&address));
        let content = source.read().unwrap();
        assert!(content.is_empty());
        assert_eq!((content.kind(), content.bytes()), ("nothing", &b""[..]));
        let released = sink.release().unwrap();
        assert_eq!((released.key, released.is_removed), (address.clone(), true));
        assert!(source.read().unwrap_err().is_not_found());
        let removed = shm_io::remove(&fixture.qt("other"), Removal::IfUnused);
        assert!(removed.unwrap_err().is_not_found());
    }
}

#[test]
fn read_within_waits_for_the_first_content() {
    let fixture = Fixture::new();
    for address in fixture.both() {
        let source = fixture.source(&address);
        let none = source.read_within(Duration::from_millis(20)).unwrap();
        assert!(none.is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| source.read_within(LONG).unwrap().unwrap());
            let mut sink = fixture.sink();
            sink.put(&address, text("first")).unwrap();
            let content = waiting.join().unwrap();
            assert_eq!(content.text().unwrap().as_deref(), Some("first"));
        });
    }
}

#[test]
fn a_follower_returns_each_content() {
    let fixture = Fixture::new();
    for address in fixture.both() {
        let mut follower = fixture
            .source(&address)
            .follow(Wanted::InOrder(Begin::Oldest));
        let first = follower.next(Some(LONG)).unwrap();
        assert!(matches!(first, Event::NoSegment));
        let mut sink = fixture.sink();
        for words in ["one", "two", "three"] {
            sink.put(&address, text(words)).unwrap();
            let content = next(&mut follower);
            assert_eq!(content.text().unwrap().as_deref(), Some(words));
            assert_eq!(content.skipped(), 0);
        }
        let quiet = follower.next(Some(Duration::from_millis(1))).unwrap();
        assert!(matches!(quiet, Event::Timeout));
        // A process is not its own peer.
        assert!(!follower.has_publisher());
        assert_eq!(follower.again().unwrap().is_some(), address.own().is_some());
    }
}

#[test]
fn before_returns_the_samples_before_the_newest() {
    let fixture = Fixture::new();
    let address = fixture.own("K");
    let mut sink = fixture.sink();
    for words in ["one", "two", "three"] {
        sink.put(&address, text(words)).unwrap();
    }
    let newest = fixture.read(&address);
    let past = fixture.source(&address).before(&newest);
    let sequences: Vec<_> = past.iter().filter_map(Content::sequence).collect();
    assert_eq!(sequences, [1, 2]);
    assert!(
        fixture
            .source(&fixture.qt("native"))
            .before(&newest)
            .is_empty()
    );
}

#[test]
fn publishing_under_another_key_releases_the_previous_segment() {
    let fixture = Fixture::new();
    let mut sink = fixture.sink();
    let addresses = [
        fixture.own("A"),
        fixture.qt("b"),
        fixture.own("C"),
        fixture.qt("d"),
    ];
    let mut before: Option<Address> = None;
    for address in addresses {
        let published = sink.put(&address, text("words")).unwrap();
        let released = published.released.map(|released| released.key);
        assert_eq!(released, before);
        if let Some(before) = before {
            assert!(fixture.source(&before).read().unwrap_err().is_not_found());
        }
        before = Some(address);
    }
}

#[test]
fn restore_publishes_lost_content_again() {
    let fixture = Fixture::new();
    for address in fixture.both() {
        let mut sink = fixture.sink();
        assert!(sink.restore().unwrap().is_none());
        sink.put(&address, text("kept")).unwrap();
        assert_eq!(sink.release_if_lost(), None);
        match address.own() {
            Some(key) => {
                shm_core::segment::remove(key, &fixture.options(), Removal::Forced).unwrap()
            }
            None => shm_io::remove(&address, Removal::Forced).unwrap(),
        }
        assert_eq!(sink.release_if_lost().as_ref(), Some(&address));
        let restored = sink.restore().unwrap().unwrap();
        assert_eq!((restored.key, restored.kind), (address.clone(), "text"));
        let content = fixture.read(&address);
        assert_eq!(content.text().unwrap().as_deref(), Some("kept"));
    }
}

#[test]
fn frames_are_drawn_then_published() {
    let fixture = Fixture::new();
    let shape = ImageMetadata::packed(PixelFormat::Rgba8, 4, 4).unwrap();
    for address in fixture.both() {
        let mut sink = fixture.sink();
        assert!(sink.frames().is_none());
        let mut passes = 0;
        let mut draw = |pixels: &mut [u8]| -> Result<Drawn, SinkError> {
            passes += 1;
            pixels.fill(255);
            Ok(if passes == 1 {
                Drawn::Paused
            } else {
                Drawn::Whole
            })
        };
        let begun = sink.begin(
            &address,
            |frames| -> Result<Option<(Sent, ())>, SinkError> {
                assert!(frames.loss().is_none());
                let Attempt::Drawn(draft) = frames.draw(&shape, None, &mut draw)? else {
                    panic!("it can be drawn");
                };
                Ok(Some((frames.publish(draft, &shape)?, ())))
            },
        );
        let ((), published) = begun.unwrap().unwrap();
        assert_eq!(published.kind, "image");
        assert!(fixture.read(&address).image().is_some());

        let mut frames = sink.frames().unwrap();
        let mut damaged = |_: &mut [u8]| Ok::<_, SinkError>(Drawn::Damaged);
        let attempt = frames.draw(&shape, None, &mut damaged).unwrap();
        assert!(matches!(attempt, Attempt::Damaged));
    }
    let mut sink = fixture.sink();
    sink.set_form(Some(Form::QString));
    let begun = sink.begin(
        &fixture.qt("native"),
        |_| -> Result<Option<(Sent, ())>, SinkError> { panic!("a picture is not a string") },
    );
    assert!(matches!(begun, Err(SinkError::Stream(_))));
    assert_eq!(Sink::copies(&fixture.own("K")), 1);
    assert_eq!(Sink::copies(&fixture.qt("native")), 3);
}

#[test]
fn a_held_lock_of_a_qt_program_is_a_passing_error() {
    let fixture = Fixture::new();
    let address = fixture.qt("native");
    let mut sink = fixture.sink();
    sink.put(&address, text("hi")).unwrap();
    let mut theirs = qt_bridge::Segment::attach_read_only(address.qt().unwrap(), TIMEOUT).unwrap();
    let guard = theirs.lock(TIMEOUT).unwrap();
    let source = Source::new(&address).qt_lock_timeout(Duration::ZERO);
    let mut follower = source.follow(Wanted::Latest);
    let error = follower.next(None).unwrap_err();
    assert!(error.is_passing() && error.is_about_content() && !error.is_attach());
    drop(guard);
    assert_eq!(next(&mut follower).bytes(), b"hi");
}

#[test]
fn before_returns_at_most_a_hundred_samples_of_the_same_segment() {
    let fixture = Fixture::new();
    let address = fixture.own("K");
    let mut sink = fixture.sink();
    for _ in 0..105 {
        sink.put(&address, text("x")).unwrap();
    }
    let newest = fixture.read(&address);
    let past = fixture.source(&address).before(&newest);
    let sequences: Vec<_> = past.iter().filter_map(Content::sequence).collect();
    let expected: Vec<u64> = (5..105).collect();
    assert_eq!(sequences, expected);
    sink.release().unwrap();
    sink.put(&address, text("another segment")).unwrap();
    assert!(fixture.source(&address).before(&newest).is_empty());
}

#[test]
fn persistent_content_outlives_its_sink() {
    let fixture = Fixture::new();
    for address in fixture.both() {
        let mut sink = fixture.sink();
        sink.persist().unwrap();
        sink.put(&address, text("kept")).unwrap();
        let is_persistent = |fixture: &Fixture| fixture.read(&address).stat().persistent;
        assert!(!is_persistent(&fixture));
        sink.persist().unwrap();
        assert_eq!(is_persistent(&fixture), address.own().is_some());
        drop(sink);
        let content = fixture.read(&address);
        assert_eq!(content.text().unwrap().as_deref(), Some("kept"));
        match address.own() {
            Some(key) => {
                shm_core::segment::remove(key, &fixture.options(), Removal::Forced).unwrap()
            }
            None => shm_io::remove(&address, Removal::Forced).unwrap(),
        }
    }
}

#[test]
fn a_frame_in_a_lost_segment_is_continued_in_another() {
    let fixture = Fixture::new();
    let shape = ImageMetadata::packed(PixelFormat::Gray8, 2, 1).unwrap();
    let (key, address) = (Key::new("K").unwrap(), fixture.own("K"));
    let mut sink = fixture.sink();
    sink.put(&address, text("before")).unwrap();
    let mut draw_half = |pixels: &mut [u8]| -> Result<Drawn, SinkError> {
        pixels[0] = 7;
        shm_core::segment::remove(&key, &fixture.options(), Removal::Forced).ok();
        Ok(Drawn::Paused)
    };
    let begun = {
        let mut frames = sink.frames().unwrap();
        let attempt = frames.draw(&shape, None, &mut draw_half).unwrap();
        assert!(frames.loss().unwrap().is_removed());
        match attempt {
            Attempt::Lost(begun) => begun,
            attempt => panic!("{attempt:?}"),
        }
    };
    assert_eq!(sink.release_if_lost().as_ref(), Some(&address));

    let mut draw_rest = |pixels: &mut [u8]| -> Result<Drawn, SinkError> {
        pixels[1] = 8;
        Ok(Drawn::Whole)
    };
    let mut first = Some(begun);
    let published = sink.begin(&address, |frames| -> Result<_, SinkError> {
        let attempt = frames.draw(&shape, first.take(), &mut draw_rest)?;
        let Attempt::Drawn(draft) = attempt else {
            panic!("{attempt:?}");
        };
        Ok(Some((frames.publish(draft, &shape)?, ())))
    });
    assert_eq!(published.unwrap().unwrap().1.kind, "image");
    assert_eq!(fixture.read(&address).bytes(), [7, 8]);
}
