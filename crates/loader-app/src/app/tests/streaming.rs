//! Streams: the card that starts them, their progress, and their end.

use std::pin::Pin;

use iced::Element;
use iced::futures::Stream as Actions;
use image::codecs::gif::GifEncoder;
use image::{Delay, Frame, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;
use crate::session::StreamProgress;

/// A running stream, whose events are sent to the window on request.
struct RunningStream(Pin<Box<dyn Actions<Item = runtime::Action<Message>>>>);

impl RunningStream {
    /// Starts a stream by a message.
    fn start(bench: &mut Bench, message: Message) -> RunningStream {
        let task = bench.state.update(message);
        RunningStream(Box::pin(task::into_stream(task).expect("a stream starts")))
    }

    fn pattern(bench: &mut Bench) -> RunningStream {
        bench.click("Stream...");
        let message = stream_card::Message::TestPatternPressed;
        let mut running = RunningStream::start(bench, Message::StreamCard(message));
        running.until(bench, |event| matches!(event, StreamEvent::Begun(_)));
        running
    }

    /// Sends events until one of them `matches`.
    fn until(&mut self, bench: &mut Bench, matches: impl Fn(&StreamEvent) -> bool) {
        while let Some(action) = block_on(self.0.next()) {
            let runtime::Action::Output(message) = action else {
                continue;
            };
            let is_it = matches!(&message, Message::StreamEvent(_, event) if matches(event));
            bench.send(message);
            if is_it {
                return;
            }
        }
        panic!("the stream ended");
    }

    /// Sends all remaining events.
    fn finish(mut self, bench: &mut Bench) {
        while let Some(action) = block_on(self.0.next()) {
            if let runtime::Action::Output(message) = action {
                bench.send(message);
            }
        }
    }
}

impl Bench {
    fn picture_in_memory(&self) -> Option<(u32, Option<String>)> {
        match self.in_memory("MySharedMemory")? {
            Preview::Picture(picture) => Some((picture.width, picture.file_name)),
            _ => None,
        }
    }

    fn folder(&self) -> PathBuf {
        let folder = self.directory.path().join("pictures");
        fs::create_dir(&folder).unwrap();
        for (name, width) in [("1.png", 1), ("2.png", 2)] {
            let picture = RgbImage::from_pixel(width, 2, Rgb([9; 3]));
            picture.save(folder.join(name)).unwrap();
        }
        fs::write(folder.join("notes.txt"), "no picture").unwrap();
        folder
    }

    fn gif(&self) -> PathBuf {
        let path = self.directory.path().join("moving.gif");
        let mut encoder = GifEncoder::new(fs::File::create(&path).unwrap());
        for gray in [1, 200] {
            let pixels = RgbaImage::from_pixel(5, 5, Rgba([gray, gray, gray, 255]));
            let delay = Delay::from_numer_denom_ms(20, 1);
            let frame = Frame::from_parts(pixels, 0, 0, delay);
            encoder.encode_frame(frame).unwrap();
        }
        path
    }

    /// Starts a stream from a path.
    fn stream_path(&mut self, path: &Path, seconds: &str) -> RunningStream {
        self.click("Stream...");
        for message in [
            stream_card::Message::PathEdited(path.display().to_string()),
            stream_card::Message::SecondsEdited(seconds.to_owned()),
        ] {
            self.send(Message::StreamCard(message));
        }
        let message = Message::StreamCard(stream_card::Message::PathSubmitted);
        RunningStream::start(self, message)
    }
}

fn begun(event: &StreamEvent) -> bool {
    matches!(event, StreamEvent::Begun(_))
}

fn progressed(event: &StreamEvent) -> bool {
    matches!(event, StreamEvent::Progress(_))
}

/// Asserts that a view matches its stored snapshots, light and dark.
fn assert_looks<'s>(view: impl Fn() -> Element<'s, Message>, name: &str) {
    for (theme, tone) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let window = iced::widget::container(view()).style(|theme| {
            iced::widget::container::background(theme::Colors::of(theme).background)
        });
        let settings = iced::Settings {
            default_font: theme::FONT,
            ..iced::Settings::default()
        };
        let mut ui = Simulator::with_size(settings, Size::new(640.0, 560.0), window);
        let path = format!("{SNAPSHOTS}/{name}-{tone}");
        let snapshot = ui.snapshot(&theme).expect("it can be drawn");
        let is_same = snapshot.matches_image(&path).expect("it can be compared");
        assert!(is_same, "{path} is another picture");
    }
}

#[test]
fn the_test_pattern_streams_until_stop_and_its_last_frame_remains() {
    let mut bench = Bench::new();
    let mut running = RunningStream::pattern(&mut bench);
    assert!(!bench.shows("Test Pattern"), "the card is closed");
    assert_eq!(
        bench.status(),
        "Streaming the test pattern into MySharedMemory."
    );
    assert!(bench.shows("attached"));
    assert!(bench.shows("Streaming …"));
    running.until(&mut bench, progressed);
    let stream = bench.state.stream.as_ref().unwrap();
    let summary = stream.summary();
    assert!(summary.ends_with(" fps"), "{summary}");
    assert!(bench.shows(&summary));

    bench.click("Stop");
    running.finish(&mut bench);
    let said = bench.status();
    assert!(
        said.starts_with("Streamed ") && said.ends_with(" a second."),
        "{said}"
    );
    assert_eq!(bench.level(), Level::Success);
    assert!(bench.shows("In shared memory now") && bench.shows("Stream..."));
    let source = Some("test pattern".to_owned());
    assert_eq!(bench.picture_in_memory(), Some((1280, source)));
    bench.click("Release");
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn a_gif_and_a_folder_are_streamed_from_their_paths() {
    let mut bench = Bench::new();
    let gif = bench.gif();
    let mut running = bench.stream_path(&gif, "1");
    running.until(&mut bench, begun);
    assert_eq!(bench.status(), "Streaming moving.gif into MySharedMemory.");
    running.until(
        &mut bench,
        |event| matches!(event, StreamEvent::Progress(report) if report.frames > 5),
    );
    let source = Some("moving.gif".to_owned());
    assert_eq!(bench.picture_in_memory(), Some((5, source)));
    bench.click("Stop");
    running.finish(&mut bench);

    let folder = bench.folder();
    let mut running = bench.stream_path(&folder, "0.05");
    running.until(
        &mut bench,
        |event| matches!(event, StreamEvent::Progress(report) if report.frames > 5),
    );
    assert!(matches!(bench.picture_in_memory(), Some((1 | 2, _))));
    assert_eq!(bench.level(), Level::Neutral);
    assert_eq!(
        bench.state.window.status.current().remedy(),
        Some("1 file that is not a picture is skipped.")
    );
    bench.send(message_of(Chord::ctrl('t')).unwrap());
    running.finish(&mut bench);
    assert_eq!(bench.level(), Level::Success);
}

#[test]
fn any_other_action_ends_the_stream() {
    let mut bench = Bench::new();
    let running = RunningStream::pattern(&mut bench);
    bench.load_text("instead");
    running.finish(&mut bench);
    assert!(bench.status().starts_with("Loaded text"));
    let kept = bench.text_in_memory("MySharedMemory");
    assert_eq!(kept.as_deref(), Some("instead"));
    assert!(bench.shows("Stream..."));

    let running = RunningStream::pattern(&mut bench);
    let picture = bench.folder().join("2.png");
    bench.load_path(&picture);
    running.finish(&mut bench);
    let source = Some("2.png".to_owned());
    assert_eq!(bench.picture_in_memory(), Some((2, source)));

    let running = RunningStream::pattern(&mut bench);
    bench.click("Clear");
    running.finish(&mut bench);
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Empty)
    ));
    let running = RunningStream::pattern(&mut bench);
    bench.click("Release");
    running.finish(&mut bench);
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert!(bench.shows("not attached"));
}

#[test]
fn a_stream_under_another_key_releases_the_first() {
    let mut bench = Bench::new();
    bench.load_text("first");
    bench.edit_key("Other");
    let running = RunningStream::pattern(&mut bench);
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert_eq!(
        bench.state.window.status.current().remedy(),
        Some("Released MySharedMemory: what was loaded is gone.")
    );
    bench.click("Stop");
    running.finish(&mut bench);
}

#[test]
fn a_failed_stream_is_reported_on_the_card_and_leaves_the_content() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let plain = bench.file("plain.gif", b"no GIF");
    let empty = bench.directory.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for (path, words) in [
        (plain.as_path(), "Selected file is not an animated GIF."),
        (&empty, "There are no pictures in the folder"),
        (Path::new("/nonexistent/a.gif"), "cannot be read."),
    ] {
        let running = bench.stream_path(path, "1");
        running.finish(&mut bench);
        let said = bench.state.window.status.current().to_string();
        assert!(said.contains(words), "{said}");
        assert_eq!(bench.level(), Level::Error);
        assert!(bench.shows(&said), "on the card");
        bench.click("Close");
        assert!(bench.shows("Stream..."));
    }
    let kept = bench.text_in_memory("MySharedMemory");
    assert_eq!(kept.as_deref(), Some("kept"));
}

#[test]
fn a_stream_ends_if_another_process_removes_its_segment() {
    let mut bench = Bench::new();
    let running = RunningStream::pattern(&mut bench);
    let key = Key::new("MySharedMemory").unwrap();
    // An observation may be older than the stream, which detects a loss itself.
    bench.see(Observation::Nothing);
    assert!(bench.state.stream.is_some());
    segment::remove(&key, &bench.options(), segment::Removal::Forced).unwrap();
    running.finish(&mut bench);
    assert_eq!(bench.level(), Level::Error);
    let said = bench.state.window.status.current().to_string();
    assert!(said.contains("removed"), "{said}");
    assert!(bench.shows("not attached") && bench.shows("Stream..."));
}

#[test]
fn closing_the_window_ends_its_stream() {
    let mut bench = Bench::new();
    let running = RunningStream::pattern(&mut bench);
    let Bench { state, directory } = bench;
    drop(state);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    drop(running);
}

#[test]
fn the_file_dialog_chooses_a_source_or_its_failure_is_reported() {
    let mut bench = Bench::new();
    bench.send(message_of(Chord::ctrl('t')).unwrap());
    assert!(bench.shows("Animated GIF...") && bench.shows("Folder..."));
    // The tasks are dropped, so no dialog opens.
    let pressed = Message::StreamCard(stream_card::Message::GifPressed);
    drop(bench.state.update(pressed.clone()));
    assert_eq!(bench.state.file_dialog, FileDialog::Open);
    drop(bench.state.update(pressed));
    let said = bench.state.window.status.current().to_string();
    assert!(
        said.contains("already open") && bench.shows(&said),
        "{said}"
    );
    bench.send(Message::StreamSourceChosen(Answer::NotShown));
    let said = bench.state.window.status.current().to_string();
    assert!(
        said.contains("could not be opened") && bench.shows(&said),
        "{said}"
    );
    bench.send(Message::StreamSourceChosen(Answer::Cancelled));
    assert_eq!(bench.status(), "No file was chosen.");

    let chosen = Message::StreamSourceChosen(Answer::Chosen(bench.gif()));
    let mut running = RunningStream::start(&mut bench, chosen);
    running.until(&mut bench, begun);
    bench.click("Stop");
    running.finish(&mut bench);

    // Without the card, a choice is ignored.
    let chosen = Message::StreamSourceChosen(Answer::Chosen(bench.gif()));
    bench.send(chosen);
    assert!(bench.state.stream.is_none());
}

#[test]
fn shortcuts_of_the_window_do_nothing_below_the_card() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    bench.press(Chord::ctrl('t'));
    for letter in ['r', 'e', 'l', 'o', 'v', 't'] {
        bench.press(Chord::ctrl(letter));
    }
    assert!(bench.state.stream_card.is_some() && bench.state.dialog.is_none());
    assert_eq!(bench.state.file_dialog, FileDialog::Closed);
    let kept = bench.text_in_memory("MySharedMemory");
    assert_eq!(kept.as_deref(), Some("kept"));
    bench.press(Chord::named(Named::Escape));
    bench.press(Chord::ctrl('r'));
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn nothing_else_opens_over_the_card_and_escape_closes_it() {
    let mut bench = Bench::new();
    bench.send(Message::StreamPressed);
    bench.send(Message::LoadPressed);
    bench.send(Message::StreamPressed);
    assert!(bench.state.dialog.is_none());
    drop(bench.state.update(Message::LoadImagePressed));
    assert_eq!(bench.state.file_dialog, FileDialog::Closed);
    bench.send(message_of(Chord::named(Named::Escape)).unwrap());
    assert!(bench.state.stream_card.is_none());
    // Its fields capture the key, to release the focus.
    bench.send(Message::StreamPressed);
    let escape = Event::Keyboard(press(Chord::named(Named::Escape)));
    let captured = event::Status::Captured;
    let message = shortcut::message_of(escape, captured, window::Id::unique());
    bench.send(message.unwrap());
    assert!(bench.state.stream_card.is_none());
    bench.edit_key("a/b");
    bench.click("Stream...");
    assert!(bench.state.stream_card.is_none());
    assert_eq!(bench.level(), Level::Error);
}

/// Draws the card without the window.
fn view_card(bench: &Bench) -> Element<'_, Message> {
    let card = bench.state.stream_card.as_ref().unwrap();
    card.view().map(Message::StreamCard)
}

#[test]
fn the_card_and_the_stream_match_their_snapshots() {
    let mut bench = Bench::new();
    bench.see(Observation::Nothing);
    bench.send(Message::StreamPressed);
    assert_looks(|| view_card(&bench), "stream-card");
    let card = bench.state.stream_card.as_mut().unwrap();
    card.reject("Selected file is not an animated GIF. notes.txt is something else.");
    let seconds = stream_card::Message::SecondsEdited("now".to_owned());
    bench.send(Message::StreamCard(seconds));
    assert_looks(|| view_card(&bench), "stream-card-wrong");

    let key = Key::new("MySharedMemory").unwrap();
    // The events of the real stream are dropped.
    let pressed = Message::StreamCard(stream_card::Message::TestPatternPressed);
    drop(bench.state.update(pressed));
    bench.send(Message::StreamEvent(
        1,
        StreamEvent::Begun(Loaded(shm_io::Published {
            key: key.into(),
            kind: "image",
            bytes: 1280 * 720 * 4,
            sequence: 1.into(),
            form: None,
            replaced: None,
            released: None,
            permissions: None,
            ring: None,
        })),
    ));
    bench.send(Message::StreamEvent(
        1,
        StreamEvent::Progress(StreamProgress {
            frames: 12_345,
            rate: 29.97,
            notice: None,
        }),
    ));
    assert_looks(|| bench.state.view(), "streaming");
}
