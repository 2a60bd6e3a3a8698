//! Both memories through one door: published by a sink, read and followed by a source.
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

/// A soon enough end of a wait that should not be needed.
const SOON: Duration = Duration::from_secs(30);

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
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
        if let Event::Content(content) = follower.next(Some(SOON)).unwrap() {
            return *content;
        }
    }
}

#[test]
fn a_text_is_a_text_in_either_memory() {
    let place = Place::new();
    for address in place.both() {
        let mut sink = place.sink();
        let published = sink.put(&address, text("héllo")).unwrap();
        assert_eq!(published.key, address);
        assert_eq!(published.kind, "text");
        assert_eq!(published.form.is_some(), address.qt().is_some());
        let content = place.read(&address);
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
        assert_eq!(content.digest().is_some(), address.qt().is_some());
        assert_eq!(content.form(), published.form);
    }
}

#[test]
fn pictures_and_bytes_arrive_as_they_are() {
    let place = Place::new();
    let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 2, 1).unwrap();
    let pixels = [1, 2, 3, 255, 4, 5, 6, 255];
    for address in place.both() {
        let mut sink = place.sink();
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
            let content = place.read(&address);
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
            let source = place.source(&address).form(Some(Form::Raw));
            let content = source.read().unwrap();
            assert!(content.bytes().starts_with(&bytes), "{length}");
        }
    }
}

#[test]
fn arrays_and_blocks_are_told_apart() {
    let place = Place::new();
    let key = Key::new("K").unwrap();
    let publisher = Publisher::open(&key, &place.options()).unwrap();
    let array = ArrayMetadata::new(ElementType::Float32, [3]).unwrap();
    publisher.publish(&array.clone().into(), &[0; 12]).unwrap();
    let content = place.read(&place.own("K"));
    assert_eq!(content.kind(), "array");
    assert_eq!(content.array(), Some(&array));
    assert_eq!(content.sequence(), Some(1.into()));
    assert_eq!(content.latest().unwrap().bytes, 12);
    assert!(content.age().is_some());
    let stat = content.stat();
    assert!(
        stat.attached.is_empty(),
        "its own process is none of the others"
    );
    assert!(!stat.persistent && stat.ring.is_some() && stat.permissions.is_some());

    let block = Block::create(&Key::new("B").unwrap(), 3, &place.options()).unwrap();
    block
        .lock()
        .unwrap()
        .ignore_abandonment()
        .copy_from_slice(b"abc");
    let content = place.read(&place.own("B"));
    assert_eq!((content.kind(), content.bytes()), ("bytes", &b"abc"[..]));
    assert!(content.is_block() && !content.is_empty() && !content.is_half_written());
    assert_eq!((content.metadata(), content.sequence()), (None, None));
    let mut follower = place.source(&place.own("B")).follow(Wanted::Latest);
    assert!(matches!(follower.next(Some(SOON)), Ok(Event::Block)));
}

#[test]
fn what_is_cleared_is_empty_and_what_is_released_is_gone() {
    let place = Place::new();
    for address in place.both() {
        let source = place.source(&address);
        assert!(source.read().unwrap_err().is_not_found());
        assert!(source.info().unwrap_err().is_not_found());
        let mut sink = place.sink();
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
        let removed = shm_io::remove(&place.qt("other"), Removal::IfUnused);
        assert!(removed.unwrap_err().is_not_found());
    }
}

#[test]
fn the_first_content_is_waited_for() {
    let place = Place::new();
    for address in place.both() {
        let source = place.source(&address);
        let none = source.read_within(Duration::from_millis(20)).unwrap();
        assert!(none.is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| source.read_within(SOON).unwrap().unwrap());
            let mut sink = place.sink();
            sink.put(&address, text("first")).unwrap();
            let content = waiting.join().unwrap();
            assert_eq!(content.text().unwrap().as_deref(), Some("first"));
        });
    }
}

#[test]
fn what_is_published_is_followed() {
    let place = Place::new();
    for address in place.both() {
        let mut follower = place
            .source(&address)
            .follow(Wanted::InOrder(Begin::Oldest));
        let first = follower.next(Some(SOON)).unwrap();
        assert!(matches!(first, Event::NoSegment));
        let mut sink = place.sink();
        for words in ["one", "two", "three"] {
            sink.put(&address, text(words)).unwrap();
            let content = next(&mut follower);
            assert_eq!(content.text().unwrap().as_deref(), Some(words));
            assert_eq!(content.skipped(), 0);
        }
        let quiet = follower.next(Some(Duration::from_millis(1))).unwrap();
        assert!(matches!(quiet, Event::Timeout));
        // Its own process is none of the others.
        assert!(!follower.has_publisher());
        assert_eq!(follower.again().unwrap().is_some(), address.own().is_some());
    }
}

#[test]
fn the_past_comes_before_the_newest() {
    let place = Place::new();
    let address = place.own("K");
    let mut sink = place.sink();
    for words in ["one", "two", "three"] {
        sink.put(&address, text(words)).unwrap();
    }
    let newest = place.read(&address);
    let past = place.source(&address).before(&newest);
    let sequences: Vec<_> = past.iter().filter_map(Content::sequence).collect();
    assert_eq!(sequences, [1, 2]);
    assert!(place.source(&place.qt("native")).before(&newest).is_empty());
}

#[test]
fn another_key_releases_the_one_before_whatever_its_memory() {
    let place = Place::new();
    let mut sink = place.sink();
    let addresses = [place.own("A"), place.qt("b"), place.own("C"), place.qt("d")];
    let mut before: Option<Address> = None;
    for address in addresses {
        let published = sink.put(&address, text("words")).unwrap();
        let released = published.released.map(|released| released.key);
        assert_eq!(released, before);
        if let Some(before) = before {
            assert!(place.source(&before).read().unwrap_err().is_not_found());
        }
        before = Some(address);
    }
}

#[test]
fn what_was_lost_is_published_again() {
    let place = Place::new();
    for address in place.both() {
        let mut sink = place.sink();
        assert!(sink.restore().unwrap().is_none());
        sink.put(&address, text("kept")).unwrap();
        assert_eq!(sink.release_if_lost(), None);
        match address.own() {
            Some(key) => shm_core::segment::remove(key, &place.options(), Removal::Forced).unwrap(),
            None => shm_io::remove(&address, Removal::Forced).unwrap(),
        }
        assert_eq!(sink.release_if_lost().as_ref(), Some(&address));
        let restored = sink.restore().unwrap().unwrap();
        assert_eq!((restored.key, restored.kind), (address.clone(), "text"));
        let content = place.read(&address);
        assert_eq!(content.text().unwrap().as_deref(), Some("kept"));
    }
}

#[test]
fn frames_are_drawn_and_then_published() {
    let place = Place::new();
    let shape = ImageMetadata::packed(PixelFormat::Rgba8, 4, 4).unwrap();
    for address in place.both() {
        let mut sink = place.sink();
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
        assert!(place.read(&address).image().is_some());

        let mut frames = sink.frames().unwrap();
        let mut damaged = |_: &mut [u8]| Ok::<_, SinkError>(Drawn::Damaged);
        let attempt = frames.draw(&shape, None, &mut damaged).unwrap();
        assert!(matches!(attempt, Attempt::Damaged));
    }
    let mut sink = place.sink();
    sink.set_form(Some(Form::QString));
    let begun = sink.begin(
        &place.qt("native"),
        |_| -> Result<Option<(Sent, ())>, SinkError> { panic!("a picture is not a string") },
    );
    assert!(matches!(begun, Err(SinkError::Stream(_))));
    assert_eq!(Sink::copies(&place.own("K")), 1);
    assert!(Sink::copies(&place.qt("native")) > 1);
}

#[test]
fn a_lock_of_a_qt_program_that_is_held_is_a_passing_error() {
    let place = Place::new();
    let address = place.qt("native");
    let mut sink = place.sink();
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
