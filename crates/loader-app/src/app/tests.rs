//! The window, driven without a display: clicks, keys and replies in, words and segments out.

use super::*;

use std::fs;
use std::path::Path;

use app_kit::snapshot::{self, Content, SnapshotError};
use app_kit::status::Level;
use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced::keyboard::{self, Modifiers, key::Named};
use iced::widget::text_editor::{Action, Edit};
use iced::{Event, event};
use iced_test::Simulator;
use iced_test::runtime::{self, task};
use shm_core::{Process, segment};
use tempfile::TempDir;

/// A window over a directory of its own for segments and files.
struct Bench {
    state: State,
    directory: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            key: Key::new("MySharedMemory").unwrap(),
            directory: Some(directory.path().to_owned()),
            verbose: false,
        };
        Bench {
            state: State::new(&settings),
            directory,
        }
    }

    fn options(&self) -> Options {
        Options::new().directory(self.directory.path())
    }

    /// Lets a message happen, and everything that follows from it.
    fn send(&mut self, message: Message) {
        let task = self.state.update(message);
        self.settle(task);
    }

    fn settle(&mut self, task: Task<Message>) {
        let Some(mut actions) = task::into_stream(task) else {
            return;
        };
        while let Some(action) = block_on(actions.next()) {
            if let runtime::Action::Output(message) = action {
                self.send(message);
            }
        }
    }

    /// Does something to what is drawn, and lets happen what comes of it.
    fn act(&mut self, action: impl FnOnce(&mut Simulator<'_, Message>)) {
        let messages: Vec<Message> = {
            let size = Size::new(480.0, 420.0);
            let mut ui = Simulator::with_size(iced::Settings::default(), size, self.state.view());
            action(&mut ui);
            ui.into_messages().collect()
        };
        for message in messages {
            self.send(message);
        }
    }

    /// Lets the watch of the key see something.
    fn see(&mut self, observation: Observation) {
        let watch = self.state.watch.as_ref().expect("a key is watched");
        let news = watch.news(observation);
        self.send(Message::Seen(news));
    }

    fn see_content(&mut self, snapshot: Snapshot) {
        self.see(Observation::Content(Box::new(Fresh::new(
            snapshot,
            Arc::default(),
        ))));
    }

    fn click(&mut self, label: &str) {
        self.act(|ui| {
            ui.click(label)
                .unwrap_or_else(|_| panic!("\"{label}\" is drawn"));
        });
    }

    fn shows(&self, words: &str) -> bool {
        let mut ui = Simulator::<Message>::new(self.state.view());
        ui.find(words).is_ok()
    }

    fn write(&mut self, text: &str) {
        let paste = Action::Edit(Edit::Paste(text.to_owned().into()));
        self.send(Message::Dialog(text_dialog::Message::Edit(paste)));
    }

    fn load_text(&mut self, text: &str) {
        self.click("Load");
        self.write(text);
        self.click("OK");
    }

    fn load_path(&mut self, path: &Path) {
        self.send(Message::PathEdited(path.display().to_string()));
        self.send(Message::PathSubmitted);
    }

    fn in_memory(&self, key: &str) -> Option<Content> {
        snapshot::read(&Key::new(key).unwrap(), &self.options())
            .ok()
            .map(|snapshot| snapshot.content)
    }

    fn text_in_memory(&self, key: &str) -> Option<String> {
        match self.in_memory(key)? {
            Content::Text(text) => Some(text.shown),
            _ => None,
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn level(&self) -> Level {
        self.state.status().level()
    }
}

#[test]
fn the_words_of_the_original_are_there() {
    let bench = Bench::new();
    for words in ["Load", "Load Image From File...", "Key", "Clear", "Release"] {
        assert!(bench.shows(words), "{words}");
    }
    assert!(bench.shows("not attached"));
}

#[test]
fn a_text_goes_through_the_dialog_into_shared_memory() {
    let mut bench = Bench::new();
    let text = "Hello, 世界 😀\nمرحبا\r\n\tend";
    bench.load_text(text);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some(text)
    );
    let sentence = format!(
        "Loaded text, {} bytes, into MySharedMemory (generation 1).",
        text.len()
    );
    assert_eq!(bench.state.status().text(), sentence);
    assert_eq!(bench.level(), Level::Success);
    assert!(bench.shows("attached"));
    assert!(!bench.shows("Text to load"), "the dialog is closed");
}

#[test]
fn a_dialog_can_be_left_without_loading() {
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(bench.shows("Text to load"));
    bench.write("not to be loaded");
    bench.click("Cancel");
    assert!(!bench.shows("Text to load"));
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn an_empty_text_is_asked_for_again() {
    let mut bench = Bench::new();
    bench.click("Load");
    bench.click("OK");
    assert!(bench.shows("Enter a text first"));
    bench.write("now");
    assert!(!bench.shows("Enter a text first"));
    bench.click("OK");
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("now")
    );
}

#[test]
fn keys_end_the_dialog() {
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(bench.shows("Text to load"));
    bench.write("by keyboard");
    bench.send(message_of(Named::Enter.into(), Modifiers::CTRL).unwrap());
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("by keyboard")
    );
    bench.send(message_of(character("l"), Modifiers::CTRL).unwrap());
    assert!(bench.shows("Text to load"));
    bench.send(message_of(Named::Escape.into(), Modifiers::NONE).unwrap());
    assert!(!bench.shows("Text to load"));
    bench.send(message_of(character("r"), Modifiers::CTRL).unwrap());
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn keys_that_a_field_takes_are_left_to_it() {
    let tab = key_pressed(Named::Tab.into(), Modifiers::NONE);
    let captured = shortcut::message_of(tab, event::Status::Captured, window::Id::unique());
    assert!(captured.is_none());
    assert!(message_of(character("l"), Modifiers::NONE).is_none());
    assert!(message_of(character("l"), Modifiers::CTRL | Modifiers::SHIFT).is_none());
    assert!(matches!(
        message_of(Named::Tab.into(), Modifiers::SHIFT),
        Some(Message::FocusPrevious)
    ));
}

#[test]
fn a_text_that_cannot_be_loaded_stays_in_the_dialog() {
    let mut bench = Bench::new();
    // Where there is no directory nothing can be created.
    let elsewhere = bench.directory.path().join("gone");
    bench.state.session = SessionThread::start(Options::new().directory(elsewhere));
    bench.load_text("the only copy");
    assert_eq!(
        bench.state.status().text(),
        "Unable to create shared memory segment."
    );
    assert!(bench.state.status().remedy().is_some());
    assert!(bench.shows("Text to load"), "the dialog stays open");
    bench.state.session = SessionThread::start(bench.options());
    bench.click("OK");
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("the only copy")
    );
}

#[test]
fn a_picture_is_loaded_by_its_path() {
    let mut bench = Bench::new();
    let path = bench.directory.path().join("red.png");
    image::RgbImage::from_pixel(3, 2, image::Rgb([255, 0, 0]))
        .save(&path)
        .unwrap();
    bench.load_path(&path);
    assert_eq!(
        bench.state.status().text(),
        "Loaded image, 18 bytes, into MySharedMemory (generation 1)."
    );
    match bench.in_memory("MySharedMemory") {
        Some(Content::Picture(picture)) => {
            assert_eq!((picture.width, picture.height), (3, 2));
            assert_eq!(picture.source.as_deref(), Some("red.png"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_picture_costs_nothing_that_is_loaded() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let no_picture = bench.file("notes.txt", b"plain words");
    bench.send(Message::FileChosen(Some(no_picture)));
    assert_eq!(
        bench.state.status().text(),
        "Selected file is not an image, please select another."
    );
    bench.load_path(Path::new("/nonexistent/cat.png"));
    assert!(bench.state.status().text().contains("cannot be read"));
    let absurd = bench.file("huge.pgm", b"P5\n60000 60000\n255\n");
    bench.send(Message::FileDropped(absurd));
    assert_eq!(bench.state.status().text(), "The image is too large.");
    assert_eq!(bench.level(), Level::Error);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("kept")
    );
}

#[test]
fn no_path_is_said_to_be_none() {
    let mut bench = Bench::new();
    bench.send(Message::PathSubmitted);
    assert_eq!(
        bench.state.status().text(),
        "There is no path in the field."
    );
}

#[test]
fn no_file_is_told_gently() {
    let mut bench = Bench::new();
    bench.send(Message::FileChosen(None));
    assert_eq!(
        bench.state.status().to_string(),
        "No file was chosen. If no dialog appeared, type the path in the field beside the button."
    );
    assert_eq!(bench.level(), Level::Neutral);
}

#[test]
fn a_file_dialog_that_never_ends_does_not_block_the_button() {
    let mut bench = Bench::new();
    // The tasks are dropped: no dialog opens here, and none ever ends.
    drop(bench.state.update(Message::LoadImagePressed));
    drop(bench.state.update(Message::LoadImagePressed));
    assert!(bench.shows("A file dialog is open already."));
    drop(bench.state.update(Message::LoadImagePressed));
    assert_eq!(bench.state.file_dialog, FileDialog::Open);
}

#[test]
fn clear_blanks_and_release_leaves() {
    let mut bench = Bench::new();
    bench.load_text("a secret");
    bench.click("Clear");
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Content::Empty)
    ));
    assert!(
        bench
            .state
            .status()
            .text()
            .starts_with("Cleared MySharedMemory")
    );
    bench.click("Release");
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert!(bench.shows("not attached"));
    assert_eq!(
        bench.state.status().text(),
        "Released MySharedMemory: what was loaded is gone."
    );
}

#[test]
fn another_key_releases_the_first_only_when_something_is_loaded_under_it() {
    let mut bench = Bench::new();
    bench.load_text("first");
    bench.send(Message::KeyEdited("Other".to_owned()));
    assert!(bench.shows("attached to MySharedMemory"));
    assert!(bench.state.status().text().contains("stays there for now"));
    assert!(bench.in_memory("MySharedMemory").is_some());
    bench.load_text("second");
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert_eq!(bench.text_in_memory("Other").as_deref(), Some("second"));
    assert_eq!(
        bench.state.status().remedy(),
        Some("Released MySharedMemory: what was loaded is gone.")
    );
}

#[test]
fn a_failure_under_another_key_keeps_the_first() {
    let mut bench = Bench::new();
    bench.load_text("first");
    bench.send(Message::KeyEdited("Other".to_owned()));
    let no_picture = bench.file("notes.txt", b"plain words");
    bench.load_path(&no_picture);
    assert_eq!(bench.level(), Level::Error);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("first")
    );
    assert!(
        bench.in_memory("Other").is_none(),
        "nothing is left of the attempt"
    );
}

#[test]
fn nothing_is_loaded_under_what_is_no_key() {
    let mut bench = Bench::new();
    bench.send(Message::KeyEdited("a/b".to_owned()));
    bench.click("Load");
    assert!(!bench.shows("Text to load"));
    assert_eq!(bench.level(), Level::Error);
    bench.send(Message::KeyEdited(String::new()));
    bench.send(Message::LoadImagePressed);
    assert_eq!(bench.level(), Level::Error);
    assert_eq!(bench.state.file_dialog, FileDialog::Closed);
}

#[test]
fn what_somebody_else_removed_is_said_to_be_gone() {
    let mut bench = Bench::new();
    bench.load_text("removed by force");
    let key = Key::new("MySharedMemory").unwrap();
    // What is seen may be older than what is loaded: that alone is no loss.
    bench.see(Observation::Nothing);
    assert!(bench.shows("attached"));
    segment::remove(&key, &bench.options(), true).unwrap();
    bench.see(Observation::Nothing);
    assert!(bench.shows("not attached"));
    assert!(
        bench
            .state
            .status()
            .text()
            .contains("removed by another program")
    );
    bench.load_text("again");
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("again")
    );
}

#[test]
fn what_is_seen_is_shown() {
    let mut bench = Bench::new();
    bench.see(Observation::Nothing);
    assert!(bench.shows("Nothing"));
    bench.load_text("read back");
    let key = Key::new("MySharedMemory").unwrap();
    let seen = snapshot::read(&key, &bench.options()).unwrap();
    bench.see_content(seen);
    assert!(bench.shows("text · 9 bytes · generation 1 · just now"));
    let error = SnapshotError::Text { key };
    let sentence = error.to_string();
    bench.see(Observation::Unreadable(Arc::new(error)));
    assert!(bench.shows(&sentence));
}

#[test]
fn somebody_else_s_content_is_announced() {
    let mut bench = Bench::new();
    bench.load_text("ours");
    let key = Key::new("MySharedMemory").unwrap();
    let ours = snapshot::read(&key, &bench.options()).unwrap();
    let mut theirs = ours.clone();
    let origin = theirs.origin.as_mut().expect("a text was loaded");
    origin.writer = Process::with_pid(4711);
    origin.writer_program = Some("painter".to_owned());
    bench.see_content(ours);
    assert_eq!(bench.level(), Level::Success);
    bench.see_content(theirs);
    assert_eq!(
        bench.state.status().text(),
        "painter (pid 4711) has replaced what this window had loaded into MySharedMemory."
    );
}

#[test]
fn a_closed_window_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.load_text("gone with the window");
    let Bench { state, directory } = bench;
    drop(state);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

fn character(latin: &str) -> keyboard::Key {
    keyboard::Key::Character(latin.into())
}

fn key_pressed(key: keyboard::Key, modifiers: Modifiers) -> Event {
    Event::Keyboard(keyboard::Event::KeyPressed {
        modified_key: key.clone(),
        key,
        physical_key: keyboard::key::Physical::Unidentified(
            keyboard::key::NativeCode::Unidentified,
        ),
        location: keyboard::Location::Standard,
        modifiers,
        text: None,
        repeat: false,
    })
}

fn message_of(key: keyboard::Key, modifiers: Modifiers) -> Option<Message> {
    let event = key_pressed(key, modifiers);
    shortcut::message_of(event, event::Status::Ignored, window::Id::unique())
}
