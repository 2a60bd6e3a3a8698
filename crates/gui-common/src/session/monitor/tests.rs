use super::*;

use std::pin::{Pin, pin};
use std::time::Instant;

use iced::Size;
use iced::futures::executor::block_on;
use shm_core::{
    Access, Block, ImageMetadata, Key, Metadata, Options, PixelFormat, Publisher, Sequence,
};
use tempfile::TempDir;

use crate::picture::picture_view::Seen;
use crate::session::snapshot::Preview;

/// A key in its own directory, and a monitor of it.
struct Bench {
    directory: TempDir,
    watch: Monitor,
}

impl Bench {
    fn new(depth: Depth) -> Bench {
        let directory = tempfile::tempdir().expect("there is room");
        let options = Options::new().directory(directory.path());
        let key = Key::new("watched").expect("it is a key");
        let watch = Monitor::new(Source::new(key).options(options), depth, Arc::default());
        Bench { directory, watch }
    }

    fn key(&self) -> &Key {
        self.watch.key().own().expect("it is one of ours")
    }

    fn options(&self) -> Options {
        Options::new().directory(self.directory.path())
    }

    fn publisher(&self) -> Publisher {
        Publisher::open(self.key(), &self.options()).expect("it can be opened")
    }

    fn listen(&self) -> impl Stream<Item = Notification> + use<> {
        listen(Arc::clone(&self.watch.shared))
    }

    /// Waits for an observation that `matches`; those before it may be older.
    fn await_observation<S: Stream<Item = Notification>>(
        &self,
        stream: &mut Pin<&mut S>,
        matches: impl Fn(&Observation) -> bool,
    ) -> Observation {
        while let Some(news) = block_on(stream.next()) {
            if let Some(seen) = self.watch.read(news)
                && matches(&seen)
            {
                return seen;
            }
        }
        panic!("the watch ended");
    }

    fn await_picture<S: Stream<Item = Notification>>(
        &self,
        stream: &mut Pin<&mut S>,
    ) -> Box<Update> {
        let is_picture = |seen: &Observation| {
            matches!(seen, Observation::Content(update)
                if matches!(update.snapshot.content, Preview::Picture(_)))
        };
        match self.await_observation(stream, is_picture) {
            Observation::Content(update) => update,
            _ => unreachable!("it was just seen to be content"),
        }
    }
}

fn is_text(observation: &Observation, expected: &str) -> bool {
    match observation {
        Observation::Content(update) => match &update.snapshot.content {
            Preview::Text(text) => text.shown == expected,
            _ => false,
        },
        _ => false,
    }
}

fn is_nothing(observation: &Observation) -> bool {
    matches!(observation, Observation::Nothing)
}

fn publish_picture(publisher: &Publisher, width: u32, height: u32) {
    let metadata = ImageMetadata::packed(PixelFormat::Gray8, width, height).expect("it is small");
    let pixels = vec![200; metadata.payload_bytes()];
    publisher
        .publish(&Metadata::Image(metadata), &pixels)
        .expect("there is room");
}

/// The size in which a picture was converted.
fn drawn_width(update: &Update) -> u32 {
    match &update.snapshot.content {
        Preview::Picture(picture) => match &picture.handle {
            iced::widget::image::Handle::Rgba { width, .. } => *width,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_change_of_a_key_is_observed() {
    let bench = Bench::new(Depth::Content);
    let mut stream = pin!(bench.listen());
    bench.await_observation(&mut stream, is_nothing);

    let publisher = bench.publisher();
    publisher.publish_text("one").expect("there is room");
    bench.await_observation(&mut stream, |seen| is_text(seen, "one"));
    publisher.publish_text("two").expect("there is room");
    bench.await_observation(&mut stream, |seen| is_text(seen, "two"));
    publisher.clear().expect("it is cleared");
    bench.await_observation(
        &mut stream,
        |seen| matches!(seen, Observation::Content(update) if update.snapshot.is_empty()),
    );
    drop(publisher);
    bench.await_observation(&mut stream, is_nothing);

    let options = bench.options().persistent(true);
    let publisher = Publisher::open(bench.key(), &options).expect("it can be opened");
    publisher.publish_text("stays").expect("there is room");
    bench.await_observation(&mut stream, |seen| is_text(seen, "stays"));
    drop(publisher);
    bench.await_observation(&mut stream, |seen| match seen {
        Observation::Presence(info) => {
            let mut attached = info.attached.iter();
            info.persistent && !attached.any(|peer| peer.access == Access::ReadWrite)
        }
        _ => false,
    });
    let publisher = bench.publisher();
    publisher.publish_text("again").expect("there is room");
    bench.await_observation(&mut stream, |seen| is_text(seen, "again"));
}

#[test]
fn presence_reports_content_and_participants_without_attaching() {
    let bench = Bench::new(Depth::Presence);
    let mut stream = pin!(bench.listen());
    bench.await_observation(&mut stream, is_nothing);
    let publisher = bench.publisher();
    publisher.publish_text("héllo").expect("there is room");
    let seen = bench.await_observation(&mut stream, |seen| {
        matches!(seen, Observation::Presence(info)
            if matches!(&info.content, shm_core::segment::Content::Samples { latest: Some(_), .. }))
    });
    let Observation::Presence(info) = seen else {
        unreachable!("it was just seen to be presence");
    };
    let readers = info
        .attached
        .iter()
        .filter(|peer| peer.access == Access::ReadOnly);
    assert_eq!(readers.count(), 0, "{info:?}");
    drop(publisher);
    bench.await_observation(&mut stream, is_nothing);
}

#[test]
fn a_foreign_file_is_reported() {
    let bench = Bench::new(Depth::Content);
    let publisher = bench.publisher();
    let name = std::fs::read_dir(bench.directory.path())
        .expect("it is there")
        .next();
    let path = name.expect("a segment").expect("a readable entry").path();
    drop(publisher);
    std::fs::write(path, "foreign").expect("there is room");
    let mut stream = pin!(bench.listen());
    bench.await_observation(
        &mut stream,
        |seen| matches!(seen, Observation::Unreadable(error) if !error.to_string().is_empty()),
    );
}

#[test]
fn a_block_is_reported_when_its_bytes_change() {
    let bench = Bench::new(Depth::Content);
    let block = Block::create(bench.key(), 16, &bench.options()).expect("it is new");
    let mut stream = pin!(bench.listen());
    let begins_with = |byte: u8| {
        move |seen: &Observation| match seen {
            Observation::Content(update) => match &update.snapshot.content {
                Preview::Bytes(bytes) => bytes.head[0] == byte,
                _ => false,
            },
            _ => false,
        }
    };
    bench.await_observation(&mut stream, begins_with(0));
    block.lock().expect("it is free").ignore_abandonment()[0] = 7;
    bench.await_observation(&mut stream, begins_with(7));
}

#[test]
fn a_slow_window_skips_to_the_latest_content() {
    let bench = Bench::new(Depth::Content);
    let publisher = bench.publisher();
    publish_picture(&publisher, 400, 300);
    let mut stream = pin!(bench.listen());
    // The first is in the slot, or will be; the window has not read it yet.
    let first = block_on(stream.next()).expect("the watch goes on");
    const MORE: u64 = 20;
    for _ in 0..MORE {
        publish_picture(&publisher, 400, 300);
    }
    let mut seen = Vec::new();
    if let Some(Observation::Content(update)) = bench.watch.read(first) {
        seen.push(update);
    }
    let sequence = |update: &Update| update.snapshot.sequence().map(Sequence::get);
    while seen.last().and_then(|update| sequence(update)) != Some(MORE + 1) {
        seen.push(bench.await_picture(&mut stream));
    }
    let skipped: u64 = seen.iter().map(|update| update.skipped).sum();
    assert_eq!(
        seen.len() as u64 + skipped,
        MORE + 1,
        "each is shown or skipped"
    );
    // The one that was being converted, and the latest.
    assert!(seen.len() <= 3, "{} were converted", seen.len());
}

#[test]
fn pictures_of_a_fast_stream_are_converted_for_the_pane() {
    let bench = Bench::new(Depth::Content);
    let publisher = bench.publisher();
    let mut stream = pin!(bench.listen());
    publish_picture(&publisher, 400, 300);
    let first = bench.await_picture(&mut stream);
    assert_eq!(
        drawn_width(&first),
        400,
        "one that stays has all its pixels"
    );

    // As the view sets it.
    let pane = Size::new(80, 80);
    bench.watch.shared.target.set(Seen {
        pane,
        ..Seen::default()
    });
    let began = Instant::now();
    publish_picture(&publisher, 400, 300);
    let second = bench.await_picture(&mut stream);
    if began.elapsed() < POLL_INTERVAL / 2 {
        assert_eq!(drawn_width(&second), 80);
    }

    // No other follows, so it is converted again.
    let whole = bench.await_picture(&mut stream);
    assert!(whole.is_again, "it is no news");
    assert_eq!(drawn_width(&whole), 400);
    assert_eq!(whole.skipped, 0);
}

#[test]
fn a_monitor_ends_with_its_subscription() {
    let bench = Bench::new(Depth::Content);
    let publisher = bench.publisher();
    publisher.publish_text("seen").expect("there is room");
    let mut stream = Box::pin(bench.listen());
    let news = block_on(stream.next());
    assert!(news.is_some());
    drop(stream);
    let is_ended = || Arc::strong_count(&bench.watch.shared) == 1;
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_ended() {
        assert!(Instant::now() < deadline, "the thread goes on");
        thread::yield_now();
    }
}

#[test]
fn messages_of_another_monitor_are_ignored() {
    let [one, other] = [Bench::new(Depth::Content), Bench::new(Depth::Content)];
    let news = one.watch.news(Observation::Nothing);
    assert!(other.watch.read(news.clone()).is_none());
    assert!(matches!(one.watch.read(news), Some(Observation::Nothing)));
}

#[test]
fn a_qt_segment_is_read_in_the_requested_form() {
    let directory = tempfile::tempdir().expect("there is room");
    let key = format!("systemv:{}/native", directory.path().display());
    let key: qt_bridge::QtKey = key.parse().expect("it is a key");
    let mut publisher = qt_bridge::Publisher::new(&key, shm_io::TIMEOUT);
    let message = shm_core::Message::Text("hi".to_owned());
    let stream = qt_bridge::Stream::new(&message, Form::QByteArray).expect("it fits");
    publisher.publish(&stream).expect("there is room");
    for (form, expected) in [(None, "hi"), (Some(Form::QString), "桩")] {
        let source = Source::new(&key).form(form);
        let watch = Monitor::new(source, Depth::Content, Arc::default());
        let bench = Bench {
            directory: tempfile::tempdir().expect("there is room"),
            watch,
        };
        let mut stream = pin!(bench.listen());
        let is_content = |seen: &Observation| matches!(seen, Observation::Content(_));
        let Observation::Content(update) = bench.await_observation(&mut stream, is_content) else {
            panic!("it is no content");
        };
        assert_eq!(update.snapshot.form, form.or(Some(Form::QByteArray)));
        match update.snapshot.content {
            Preview::Text(text) => assert_eq!(text.shown, expected),
            other => panic!("{other:?}"),
        }
    }
}

/// The past and current contents that a new monitor reports.
fn past_and_present(bench: &Bench) -> (Vec<u64>, u64) {
    let source = Source::new(bench.key()).options(bench.options());
    let watch = Monitor::new(source, Depth::Content, Arc::default());
    let mut stream = pin!(listen(Arc::clone(&watch.shared)));
    let mut past = Vec::new();
    while let Some(news) = block_on(stream.next()) {
        match watch.read(news) {
            Some(Observation::Past(snapshots)) => {
                past.extend(
                    snapshots
                        .iter()
                        .filter_map(Snapshot::sequence)
                        .map(Sequence::get),
                );
            }
            Some(Observation::Content(update)) => {
                return (
                    past,
                    update.snapshot.sequence().expect("it is a sample").get(),
                );
            }
            _ => {}
        }
    }
    panic!("the watch ended");
}

#[test]
fn retained_samples_are_reported_before_the_newest_within_bounds() {
    let bench = Bench::new(Depth::Content);
    let publisher = bench.publisher();
    publisher.publish_text("alone").expect("there is room");
    assert_eq!(past_and_present(&bench), (vec![], 1));
    publisher.clear().expect("it can be cleared");
    for _ in 3..=10 {
        publisher.publish_text("small").expect("there is room");
    }
    assert_eq!(past_and_present(&bench), ((3..10).collect(), 10));
    for _ in 11..=300 {
        publisher.publish_text("small").expect("there is room");
    }
    assert_eq!(past_and_present(&bench), ((200..300).collect(), 300));

    // Of large contents, only as many as the history can keep.
    let bench = Bench::new(Depth::Content);
    let options = bench.options().retain_bytes(64 << 20);
    let publisher = Publisher::open(bench.key(), &options).expect("it can be opened");
    let large = vec![7; 5 << 20];
    let bytes = Metadata::bytes("application/octet-stream");
    for _ in 1..=8 {
        publisher.publish(&bytes, &large).expect("there is room");
    }
    assert_eq!(past_and_present(&bench), (vec![5, 6, 7], 8));
}
