//! The card that starts a stream, how the window tells of it, and what ends it.

use std::pin::Pin;

use iced::Element;
use iced::futures::Stream as Actions;
use image::codecs::gif::GifEncoder;
use image::{Delay, Frame, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;
use crate::session::Report;

/// A stream that goes on behind the window, until it is looked at.
struct Playing(Pin<Box<dyn Actions<Item = runtime::Action<Message>>>>);

impl Playing {
    /// Starts what `message` starts.
    fn start(bench: &mut Bench, message: Message) -> Playing {
        let task = bench.state.update(message);
        Playing(Box::pin(task::into_stream(task).expect("a stream starts")))
    }

    fn pattern(bench: &mut Bench) -> Playing {
        bench.click("Stream...");
        let message = stream_card::Message::TestPatternPressed;
        let mut playing = Playing::start(bench, Message::StreamCard(message));
        playing.until(bench, |news| matches!(news, News::Begun(_)));
        playing
    }

    /// Lets news happen until one of them `matches`.
    fn until(&mut self, bench: &mut Bench, matches: impl Fn(&News) -> bool) {
        while let Some(action) = block_on(self.0.next()) {
            let runtime::Action::Output(message) = action else {
                continue;
            };
            let is_it = matches!(&message, Message::StreamNews(_, news) if matches(news));
            bench.send(message);
            if is_it {
                return;
            }
        }
        panic!("the stream has ended before");
    }

    /// Lets all news happen that are left.
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

    /// Starts to stream what is at a path, and waits for its first frame.
    fn stream_path(&mut self, path: &Path, seconds: &str) -> Playing {
        self.click("Stream...");
        for message in [
            stream_card::Message::PathEdited(path.display().to_string()),
            stream_card::Message::SecondsEdited(seconds.to_owned()),
        ] {
            self.send(Message::StreamCard(message));
        }
        let message = Message::StreamCard(stream_card::Message::PathSubmitted);
        Playing::start(self, message)
    }
}

fn begun(news: &News) -> bool {
    matches!(news, News::Begun(_))
}

fn told(news: &News) -> bool {
    matches!(news, News::Progress(_))
}

/// Compares what is drawn with the picture that is kept of it.
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
fn the_test_pattern_plays_until_it_is_stopped_and_its_last_frame_stays() {
    let mut bench = Bench::new();
    let mut playing = Playing::pattern(&mut bench);
    assert!(!bench.shows("Test Pattern"), "the card is closed");
    assert_eq!(
        bench.state.window.status.current().text(),
        "Streaming the test pattern into MySharedMemory."
    );
    assert!(bench.shows("attached"));
    assert!(bench.shows("Streaming …"));
    playing.until(&mut bench, told);
    let stream = bench.state.stream.as_ref().unwrap();
    let summary = stream.summary();
    assert!(summary.ends_with(" fps"), "{summary}");
    assert!(bench.shows(&summary));

    bench.click("Stop");
    playing.finish(&mut bench);
    let said = bench.state.window.status.current().text();
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
fn a_gif_and_a_folder_play_by_their_paths() {
    let mut bench = Bench::new();
    let gif = bench.gif();
    let mut playing = bench.stream_path(&gif, "1");
    playing.until(&mut bench, begun);
    assert_eq!(
        bench.state.window.status.current().text(),
        "Streaming moving.gif into MySharedMemory."
    );
    playing.until(
        &mut bench,
        |news| matches!(news, News::Progress(report) if report.frames > 5),
    );
    let source = Some("moving.gif".to_owned());
    assert_eq!(bench.picture_in_memory(), Some((5, source)));
    bench.click("Stop");
    playing.finish(&mut bench);

    let folder = bench.folder();
    let mut playing = bench.stream_path(&folder, "0.05");
    playing.until(
        &mut bench,
        |news| matches!(news, News::Progress(report) if report.frames > 5),
    );
    assert!(matches!(bench.picture_in_memory(), Some((1 | 2, _))));
    assert_eq!(bench.level(), Level::Neutral);
    assert_eq!(
        bench.state.window.status.current().remedy(),
        Some("1 file that is not a picture is skipped.")
    );
    bench.send(message_of(Chord::ctrl('t')).unwrap());
    playing.finish(&mut bench);
    assert_eq!(bench.level(), Level::Success);
}

#[test]
fn whatever_is_loaded_takes_the_place_of_the_stream() {
    let mut bench = Bench::new();
    let playing = Playing::pattern(&mut bench);
    bench.load_text("instead");
    playing.finish(&mut bench);
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .starts_with("Loaded text")
    );
    let kept = bench.text_in_memory("MySharedMemory");
    assert_eq!(kept.as_deref(), Some("instead"));
    assert!(bench.shows("Stream..."));

    let playing = Playing::pattern(&mut bench);
    let picture = bench.folder().join("2.png");
    bench.load_path(&picture);
    playing.finish(&mut bench);
    let source = Some("2.png".to_owned());
    assert_eq!(bench.picture_in_memory(), Some((2, source)));

    let playing = Playing::pattern(&mut bench);
    bench.click("Clear");
    playing.finish(&mut bench);
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Empty)
    ));
    let playing = Playing::pattern(&mut bench);
    bench.click("Release");
    playing.finish(&mut bench);
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert!(bench.shows("not attached"));
}

#[test]
fn a_stream_under_another_key_releases_the_first() {
    let mut bench = Bench::new();
    bench.load_text("first");
    bench.send(Message::Window(main_window::Message::KeyEdited(
        "Other".to_owned(),
    )));
    let playing = Playing::pattern(&mut bench);
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert_eq!(
        bench.state.window.status.current().remedy(),
        Some("Released MySharedMemory: what was loaded is gone.")
    );
    bench.click("Stop");
    playing.finish(&mut bench);
}

#[test]
fn what_cannot_be_streamed_is_said_on_the_card_and_costs_nothing() {
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
        let playing = bench.stream_path(path, "1");
        playing.finish(&mut bench);
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
fn a_stream_whose_segment_somebody_removed_ends() {
    let mut bench = Bench::new();
    let playing = Playing::pattern(&mut bench);
    let key = Key::new("MySharedMemory").unwrap();
    // What is seen may be older than the stream: only the stream knows.
    bench.see(Observation::Nothing);
    assert!(bench.state.stream.is_some());
    segment::remove(&key, &bench.options(), segment::Removal::Forced).unwrap();
    playing.finish(&mut bench);
    assert_eq!(bench.level(), Level::Error);
    let said = bench.state.window.status.current().to_string();
    assert!(said.contains("removed"), "{said}");
    assert!(bench.shows("not attached") && bench.shows("Stream..."));
}

#[test]
fn a_closed_window_ends_its_stream_and_leaves_nothing() {
    let mut bench = Bench::new();
    let playing = Playing::pattern(&mut bench);
    let Bench { state, directory } = bench;
    drop(state);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    drop(playing);
}

#[test]
fn the_systems_dialog_may_choose_and_may_fail() {
    let mut bench = Bench::new();
    bench.send(message_of(Chord::ctrl('t')).unwrap());
    assert!(bench.shows("Animated GIF...") && bench.shows("Folder..."));
    // The tasks are dropped: no dialog opens here.
    let pressed = Message::StreamCard(stream_card::Message::GifPressed);
    drop(bench.state.update(pressed.clone()));
    assert_eq!(bench.state.file_dialog, FileDialog::Open);
    drop(bench.state.update(pressed));
    let said = bench.state.window.status.current().to_string();
    assert!(
        said.contains("open already") && bench.shows(&said),
        "{said}"
    );
    bench.send(Message::StreamSourceChosen(Answer::NotShown));
    let said = bench.state.window.status.current().to_string();
    assert!(
        said.contains("no file dialog") && bench.shows(&said),
        "{said}"
    );
    bench.send(Message::StreamSourceChosen(Answer::Cancelled));
    assert_eq!(
        bench.state.window.status.current().text(),
        "No file was chosen."
    );

    let chosen = Message::StreamSourceChosen(Answer::Chosen(bench.gif()));
    let mut playing = Playing::start(&mut bench, chosen);
    playing.until(&mut bench, begun);
    bench.click("Stop");
    playing.finish(&mut bench);

    // Who closes the card has answered.
    let chosen = Message::StreamSourceChosen(Answer::Chosen(bench.gif()));
    bench.send(chosen);
    assert!(bench.state.stream.is_none());
}

#[test]
fn keys_that_are_meant_for_the_window_do_nothing_below_the_card() {
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
    // Its fields take the key for themselves, to let go of the focus.
    bench.send(Message::StreamPressed);
    let escape = Event::Keyboard(press(Chord::named(Named::Escape)));
    let captured = event::Status::Captured;
    let message = shortcut::message_of(escape, captured, window::Id::unique());
    bench.send(message.unwrap());
    assert!(bench.state.stream_card.is_none());
    bench.send(Message::Window(main_window::Message::KeyEdited(
        "a/b".to_owned(),
    )));
    bench.click("Stream...");
    assert!(bench.state.stream_card.is_none());
    assert_eq!(bench.level(), Level::Error);
}

/// The card without the window below, whose looks are not its own.
fn view_card(bench: &Bench) -> Element<'_, Message> {
    let card = bench.state.stream_card.as_ref().unwrap();
    card.view().map(Message::StreamCard)
}

#[test]
fn it_looks_as_it_should() {
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
    // Its own news are dropped.
    let pressed = Message::StreamCard(stream_card::Message::TestPatternPressed);
    drop(bench.state.update(pressed));
    bench.send(Message::StreamNews(
        1,
        News::Begun(Loaded(shm_io::Published {
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
    bench.send(Message::StreamNews(
        1,
        News::Progress(Report {
            frames: 12_345,
            rate: 29.97,
            notice: None,
        }),
    ));
    assert_looks(|| bench.state.view(), "streaming");
}
