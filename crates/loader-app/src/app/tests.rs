//! The window without a display: simulated clicks, keys and replies; checks of texts and segments.

mod chinese;
mod form;
mod streaming;

use super::*;

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use gui_common::desktop::clipboard::{ClipboardError, Pasted, Pixels};
use gui_common::desktop::file_dialog::Answer;
use gui_common::session::monitor::{Observation, Update};
use gui_common::session::snapshot::{Preview, Snapshot, SnapshotError};
use gui_common::settings;
use gui_common::widget::drop_target;
use gui_common::widget::shortcut::{Chord, press};
use gui_common::widget::status::Level;
use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced::keyboard::{Modifiers, key::Named};
use iced::widget::text_editor::{Action, Edit};
use iced::{Event, Size, window};
use iced_test::Simulator;
use iced_test::runtime::{self, task};
use shm_core::{Key, Process, segment};
use shm_io::Source;
use tempfile::TempDir;

use crate::picture_file::PictureError;
use crate::progress::ProgressReader;
use crate::session::{LoadError, Loaded, StreamEvent};

const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");

/// A window with its own directory for segments and files.
struct Bench {
    state: State,
    directory: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let settings = LaunchSettings {
            key: None,
            form: None,
            directory: Some(directory.path().to_owned()),
            verbose: false,
            saved: LoadedSettings::default(),
        };
        Bench {
            state: State::new(&settings),
            directory,
        }
    }

    fn options(&self) -> Options {
        Options::new().directory(self.directory.path())
    }

    /// Sends a message, and runs the tasks that follow from it.
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

    /// Simulates user input, and sends the messages that it causes.
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

    /// Sends an observation of the monitor.
    fn see(&mut self, observation: Observation) {
        let monitor = self.state.monitor.as_ref().expect("a key is monitored");
        let notification = monitor.news(observation);
        self.send(Message::Observed(notification));
    }

    fn see_content(&mut self, snapshot: Snapshot) {
        self.see(Observation::Content(Box::new(Update::new(
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

    /// Asserts that the window matches the stored snapshots, light and dark.
    fn assert_snapshot(&self, name: &str) {
        for (mode, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
            let settings = iced::Settings::default();
            let mut ui = Simulator::with_size(settings, (640.0, 560.0), self.state.view());
            let snapshot = ui.snapshot(&theme).unwrap();
            let path = Path::new(SNAPSHOTS).join(format!("{name}-{mode}"));
            let is_alike = snapshot.matches_image(path).unwrap();
            assert!(is_alike, "{name} in {mode} differs");
        }
    }

    fn shows(&self, words: &str) -> bool {
        let mut ui = Simulator::<Message>::new(self.state.view());
        ui.find(words).is_ok()
    }

    /// Presses a key while no field has the focus.
    fn press(&mut self, chord: Chord) {
        self.send(message_of(chord).expect("it is in the table"));
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

    /// Drags files over the window and drops them.
    fn drop_files(&mut self, paths: &[&Path]) {
        for path in paths {
            self.send(Message::Window(main_window::Message::Dragged(
                drop_target::Event::Hovered((*path).to_owned()),
            )));
        }
        for path in paths {
            self.send(Message::Window(main_window::Message::Dragged(
                drop_target::Event::Dropped((*path).to_owned()),
            )));
        }
    }

    fn in_memory(&self, key: &str) -> Option<Preview> {
        Snapshot::read(&Source::new(Key::new(key).unwrap()).options(self.options()))
            .ok()
            .map(|snapshot| snapshot.content)
    }

    fn text_in_memory(&self, key: &str) -> Option<String> {
        match self.in_memory(key)? {
            Preview::Text(text) => Some(text.shown),
            _ => None,
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn level(&self) -> Level {
        self.state.window.status.current().level()
    }
}

#[test]
fn the_main_labels_are_shown() {
    let bench = Bench::new();
    for words in ["Load", "Load Image From File...", "Key", "Clear", "Release"] {
        assert!(bench.shows(words), "{words}");
    }
    assert!(bench.shows("not attached"));
}

#[test]
fn a_text_is_loaded_from_the_dialog() {
    let mut bench = Bench::new();
    let text = "Hello, 世界 😀\nمرحبا\r\n\tend";
    bench.load_text(text);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some(text)
    );
    let sentence = format!(
        "Loaded text, {} bytes, into MySharedMemory (sequence 1).",
        text.len()
    );
    assert_eq!(bench.state.window.status.current().text(), sentence);
    assert_eq!(bench.level(), Level::Success);
    assert!(bench.shows("attached"));
    assert!(!bench.shows("Text to load"), "the dialog is closed");
}

#[test]
fn cancel_closes_the_dialog_without_loading() {
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(bench.shows("Text to load"));
    bench.write("not to be loaded");
    bench.click("Cancel");
    assert!(!bench.shows("Text to load"));
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn an_empty_text_is_not_loaded() {
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
fn ctrl_enter_and_escape_close_the_dialog() {
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(bench.shows("Text to load"));
    bench.write("by keyboard");
    bench.press(Chord::named(Named::Enter).with(Modifiers::CTRL));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("by keyboard")
    );
    bench.press(Chord::ctrl('l'));
    assert!(bench.shows("Text to load"));
    bench.press(Chord::ctrl('r'));
    bench.press(Chord::ctrl('q'));
    assert!(bench.shows("Text to load"), "other shortcuts do nothing");
    assert!(bench.in_memory("MySharedMemory").is_some());
    bench.press(Chord::named(Named::Escape));
    assert!(!bench.shows("Text to load"));
    bench.press(Chord::ctrl('r'));
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn every_shortcut_of_the_help_sends_its_message() {
    for (label, message) in [
        ("Enter a text to load", "LoadPressed"),
        ("Load the entered text", "Dialog(Accept)"),
        ("Load an image from a file", "LoadImagePressed"),
        ("Go to the image path", "FocusPath"),
        ("Go to the key", "Window(FocusKey)"),
        ("Clear the content", "ClearPressed"),
        ("Release the content", "ReleasePressed"),
        ("Go to the next field", "Window(Focus(Forward))"),
        ("Go to the previous field", "Window(Focus(Backward))"),
        ("Open or close this help", "Window(ToggleHelp)"),
        ("Close or cancel", "CancelPressed"),
        ("Close the window", "Window(Quit)"),
    ] {
        let shortcut = shortcut::TABLE
            .iter()
            .find(|shortcut| shortcut.label() == label);
        let shortcut = shortcut.unwrap_or_else(|| panic!("no shortcut {label}"));
        for chord in shortcut.chords {
            match message_of(*chord) {
                // An earlier row with the same keys would win.
                Some(Message::Shortcut(action)) => assert_eq!(format!("{:?}", action()), message),
                other => panic!("{chord} is not a shortcut: {other:?}"),
            }
        }
    }
}

#[test]
fn closing_the_help_returns_to_the_dialog() {
    let mut bench = Bench::new();
    bench.click("Load");
    bench.write("half a sen");
    bench.press(Chord::named(Named::F1));
    assert!(bench.shows("Close the window"));
    bench.press(Chord::named(Named::Escape));
    assert!(!bench.state.window.is_help_open());
    assert!(bench.shows("Text to load"), "only the help is closed");
    bench.press(Chord::named(Named::Enter).with(Modifiers::CTRL));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("half a sen")
    );
    bench.click("?");
    bench.press(Chord::ctrl('e'));
    assert!(
        !bench.state.window.is_help_open(),
        "a shortcut closes the help"
    );
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Empty)
    ));
}

#[test]
fn size_and_key_are_saved_and_the_command_line_takes_precedence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("loader-app.json");
    let saved = || settings::load::<NoSwitches>(Some(path.clone()));
    let open = |key: Option<Address>| {
        State::new(&LaunchSettings {
            key,
            form: None,
            directory: Some(directory.path().to_owned()),
            verbose: false,
            saved: saved(),
        })
    };
    let mut state = open(None);
    drop(
        state.update(Message::Window(main_window::Message::Resized(Size::new(
            700.0, 500.0,
        )))),
    );
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "Mine".to_owned(),
        ))),
    );
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "no/key".to_owned(),
        ))),
    );
    drop(state);
    assert_eq!(saved().settings.size, Size::new(700.0, 500.0));

    let state = open("Theirs".parse().ok());
    assert_eq!(state.window.key.text(), "Theirs");
    drop(state);
    assert_eq!(open(None).window.key.text(), "Mine");
}

#[test]
fn a_text_that_cannot_be_loaded_stays_in_the_dialog() {
    let mut bench = Bench::new();
    // Without the directory no segment can be created.
    let elsewhere = bench.directory.path().join("gone");
    bench.state.session = SessionThread::start(Options::new().directory(elsewhere));
    bench.load_text("the only copy");
    assert_eq!(
        bench.state.window.status.current().text(),
        "Unable to create shared memory segment."
    );
    assert!(bench.state.window.status.current().remedy().is_some());
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
        bench.state.window.status.current().text(),
        "Loaded image, 18 bytes, into MySharedMemory (sequence 1)."
    );
    match bench.in_memory("MySharedMemory") {
        Some(Preview::Picture(picture)) => {
            assert_eq!((picture.width, picture.height), (3, 2));
            assert_eq!(picture.file_name.as_deref(), Some("red.png"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_picture_leaves_the_previous_content() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let no_picture = bench.file("notes.txt", b"plain words");
    bench.send(Message::FileDialogEnded(Answer::Chosen(no_picture)));
    assert_eq!(
        bench.state.window.status.current().text(),
        "Selected file is not an image, please select another."
    );
    bench.load_path(Path::new("/nonexistent/cat.png"));
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .contains("cannot be read")
    );
    let absurd = bench.file("huge.pgm", b"P5\n60000 60000\n255\n");
    bench.drop_files(&[&absurd]);
    assert_eq!(
        bench.state.window.status.current().text(),
        "The image is too large."
    );
    assert_eq!(bench.level(), Level::Error);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("kept")
    );
}

#[test]
fn a_slow_load_shows_its_progress_and_can_be_cancelled() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let path = bench.directory.path().join("large.png");
    image::RgbImage::new(300, 300).save(&path).unwrap();
    // The task has not run yet, so the load is pending.
    let task = bench.state.update(dropped(path));
    let begun = Instant::now();
    bench.send(Message::Tick(begun));
    assert!(!bench.shows("Cancel"), "no progress before the delay");
    bench.send(Message::Tick(begun + Duration::from_millis(400)));
    assert!(bench.shows("Loading large.png into MySharedMemory …"));
    bench.click("Cancel");
    assert_eq!(bench.state.window.status.current().text(), "Cancelling …");
    bench.settle(task);
    assert!(!bench.shows("Cancel"));
}

#[test]
fn progress_does_not_change_the_layout() {
    let mut bench = Bench::new();
    let path = bench.directory.path().join("photo.png");
    drop(bench.state.update(dropped(path)));
    let (loading, progress) = Loading::start(2);
    bench.state.loading = Some(loading);
    let mut file = ProgressReader::new(io::repeat(0), 100, progress);
    file.read_exact(&mut [0; 42]).unwrap();
    bench.assert_snapshot("loading-short");
    let later = Instant::now() + Duration::from_secs(1);
    bench.send(Message::Tick(later));
    assert!(bench.shows("42 % read"));
    bench.assert_snapshot("loading");
    file.read_exact(&mut [0; 58]).unwrap();
    bench.send(Message::Tick(later));
    assert!(bench.shows("all read, decoding"));
}

#[test]
fn a_cancelled_picture_leaves_the_previous_content() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let (number, error) = begin_and_fail(&mut bench);
    bench.press(Chord::named(Named::Escape));
    bench.send(Message::PictureLoaded(number, Ok(Err(error))));
    assert_eq!(
        bench.state.window.status.current().to_string(),
        "Cancelled: a.png was not loaded. The previous content stays."
    );
    assert_eq!(bench.level(), Level::Neutral);
    assert!(bench.state.loading.is_none());
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("kept")
    );
}

#[test]
fn the_cancellation_by_a_later_load_is_not_reported() {
    let mut bench = Bench::new();
    let (first, error) = begin_and_fail(&mut bench);
    let (second, _) = begin_and_fail(&mut bench);
    bench.send(Message::PictureLoaded(first, Ok(Err(error))));
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .starts_with("Loading")
    );
    assert_eq!(
        bench.state.loading.as_ref().map(|loading| loading.number),
        Some(second)
    );
}

/// Returns the message for a file that is dropped on the window.
fn dropped(path: PathBuf) -> Message {
    Message::Window(main_window::Message::Dragged(drop_target::Event::Dropped(
        path,
    )))
}

/// Starts a load without running it; returns its number and a failed result for later.
fn begin_and_fail(bench: &mut Bench) -> (u64, Arc<LoadError>) {
    drop(bench.state.update(dropped("a.png".into())));
    let loading = bench.state.loading.as_ref().expect("a load is pending");
    let path = "a.png".into();
    let error = LoadError::Picture(PictureError::Cancelled { path });
    (loading.number, Arc::new(error))
}

#[test]
fn escape_closes_the_dialog_before_it_cancels_a_load() {
    let mut bench = Bench::new();
    begin_and_fail(&mut bench);
    bench.click("Load");
    bench.press(Chord::named(Named::Escape));
    assert!(!bench.shows("Text to load"));
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .starts_with("Loading")
    );
    bench.press(Chord::named(Named::Escape));
    assert_eq!(bench.state.window.status.current().text(), "Cancelling …");
}

#[test]
fn an_empty_path_is_reported() {
    let mut bench = Bench::new();
    bench.send(Message::PathSubmitted);
    assert_eq!(
        bench.state.window.status.current().text(),
        "The path field is empty."
    );
}

#[test]
fn a_cancelled_file_dialog_is_not_an_error() {
    let mut bench = Bench::new();
    bench.send(Message::FileDialogEnded(Answer::Cancelled));
    assert_eq!(
        bench.state.window.status.current().to_string(),
        "No file was chosen."
    );
    assert_eq!(bench.level(), Level::Neutral);
}

#[test]
fn a_failed_file_dialog_is_reported_with_a_remedy() {
    let mut bench = Bench::new();
    for answer in [Answer::NotShown, Answer::Died] {
        bench.send(Message::FileDialogEnded(answer));
        let said = bench.state.window.status.current().to_string();
        assert!(
            said.contains("Type the path in the field beside the button"),
            "{said}"
        );
        assert_eq!(bench.level(), Level::Error);
        assert_eq!(bench.state.file_dialog, FileDialog::Closed);
    }
}

#[test]
fn a_file_dialog_that_never_ends_does_not_block_the_button() {
    let mut bench = Bench::new();
    // The tasks are dropped, so no dialog opens and none closes.
    drop(bench.state.update(Message::LoadImagePressed));
    drop(bench.state.update(Message::LoadImagePressed));
    assert!(bench.shows("A file dialog is already open."));
    drop(bench.state.update(Message::LoadImagePressed));
    assert_eq!(bench.state.file_dialog, FileDialog::Open);
}

#[test]
fn clear_empties_the_segment_and_release_detaches() {
    let mut bench = Bench::new();
    bench.load_text("a secret");
    bench.click("Clear");
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Empty)
    ));
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .starts_with("Cleared MySharedMemory")
    );
    bench.click("Release");
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert!(bench.shows("not attached"));
    assert_eq!(
        bench.state.window.status.current().text(),
        "Released MySharedMemory: what was loaded is gone."
    );
}

#[test]
fn loading_under_another_key_releases_the_first() {
    let mut bench = Bench::new();
    bench.load_text("first");
    bench.send(Message::Window(main_window::Message::KeyEdited(
        "Other".to_owned(),
    )));
    assert!(bench.shows("attached elsewhere"));
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .contains("stays in shared memory for now")
    );
    assert!(bench.in_memory("MySharedMemory").is_some());
    bench.load_text("second");
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert_eq!(bench.text_in_memory("Other").as_deref(), Some("second"));
    assert_eq!(
        bench.state.window.status.current().remedy(),
        Some("Released MySharedMemory: what was loaded is gone.")
    );
}

#[test]
fn a_failed_load_under_another_key_keeps_the_first() {
    let mut bench = Bench::new();
    bench.load_text("first");
    bench.send(Message::Window(main_window::Message::KeyEdited(
        "Other".to_owned(),
    )));
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
fn an_invalid_key_prevents_loading() {
    let mut bench = Bench::new();
    bench.send(Message::Window(main_window::Message::KeyEdited(
        "a/b".to_owned(),
    )));
    bench.click("Load");
    assert!(!bench.shows("Text to load"));
    assert_eq!(bench.level(), Level::Error);
    bench.send(Message::Window(main_window::Message::KeyEdited(
        String::new(),
    )));
    bench.send(Message::LoadImagePressed);
    assert_eq!(bench.level(), Level::Error);
    assert_eq!(bench.state.file_dialog, FileDialog::Closed);
}

#[test]
fn a_segment_removed_by_another_process_is_reported_and_restored() {
    let mut bench = Bench::new();
    bench.load_text("removed by force");
    let key = Key::new("MySharedMemory").unwrap();
    // An observation may be older than the load, so it is not proof of a loss.
    bench.see(Observation::Nothing);
    assert!(bench.shows("attached"));
    segment::remove(&key, &bench.options(), segment::Removal::Forced).unwrap();
    bench.see(Observation::Nothing);
    assert!(bench.shows("not attached"));
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .contains("can no longer be found")
    );
    bench.click("Load again");
    assert_eq!(bench.level(), Level::Success);
    assert!(!bench.shows("Load again"));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("removed by force")
    );
}

#[test]
fn the_loss_of_content_under_another_key_is_reported_and_restored() {
    let mut bench = Bench::new();
    bench.load_text("guarded");
    bench.send(Message::Window(main_window::Message::KeyEdited(
        "Other".to_owned(),
    )));
    let guard = bench.state.guard.as_ref().expect("its key is monitored");
    assert_eq!(guard.key().as_str(), "MySharedMemory");
    let is_there = guard.news(Observation::Nothing);
    bench.send(Message::GuardObserved(is_there.clone()));
    assert!(bench.shows("attached elsewhere"), "it can be found");
    for entry in fs::read_dir(bench.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with("MySharedMemory") {
            fs::rename(&path, path.with_extension("away")).unwrap();
        }
    }
    bench.send(Message::GuardObserved(is_there));
    assert_eq!(bench.level(), Level::Error);
    assert!(bench.state.guard.is_none(), "nothing is left to guard");
    bench.press(Chord::ctrl('y'));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("guarded")
    );
    assert_eq!(bench.text_in_memory("Other"), None);
    bench.press(Chord::ctrl('y'));
    assert!(
        bench
            .state
            .window
            .status
            .current()
            .text()
            .contains("nothing to load again")
    );
}

#[test]
fn a_segment_that_other_users_may_read_causes_a_warning() {
    let mut bench = Bench::new();
    let key = Key::new("MySharedMemory").unwrap();
    let shared = bench.options().mode(0o644);
    let _theirs = shm_core::Publisher::open(&key, &shared).unwrap();
    bench.load_text("seen by all");
    assert_eq!(bench.level(), Level::Warning);
    let remedy = bench
        .state
        .window
        .status
        .current()
        .remedy()
        .unwrap_or_default()
        .to_owned();
    assert!(
        remedy.contains("other users may read it (mode 644)"),
        "{remedy}"
    );
}

#[test]
fn observations_are_shown() {
    let mut bench = Bench::new();
    bench.see(Observation::Nothing);
    assert!(bench.shows("Nothing is there yet"));
    bench.load_text("read back");
    let key = Key::new("MySharedMemory").unwrap();
    let seen = Snapshot::read(&Source::new(&key).options(bench.options())).unwrap();
    bench.see_content(seen);
    assert!(bench.shows("text · 9 bytes · sequence 1 · just now"));
    let error = SnapshotError::Text { key: key.into() };
    let sentence = error.to_string();
    bench.see(Observation::Unreadable(Arc::new(error)));
    assert!(bench.shows(&sentence));
}

#[test]
fn a_replacement_by_another_process_is_reported() {
    let mut bench = Bench::new();
    bench.load_text("ours");
    let key = Key::new("MySharedMemory").unwrap();
    let ours = Snapshot::read(&Source::new(&key).options(bench.options())).unwrap();
    let mut theirs = ours.clone();
    let origin = theirs.origin.as_mut().expect("a text was loaded");
    origin.writer = Process::with_pid(4711);
    origin.writer_program = Some("painter".to_owned());
    bench.see_content(ours);
    assert_eq!(bench.level(), Level::Success);
    bench.see_content(theirs);
    assert_eq!(
        bench.state.window.status.current().text(),
        "painter (pid 4711) has replaced what this window had loaded into MySharedMemory."
    );
}

#[test]
fn closing_the_window_removes_its_segment() {
    let mut bench = Bench::new();
    bench.load_text("gone with the window");
    let Bench { state, directory } = bench;
    drop(state);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_dropped_file_is_loaded_by_its_content() {
    let mut bench = Bench::new();
    let text = bench.file("notes.md", "# 日本\n".as_bytes());
    bench.drop_files(&[&text]);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("# 日本\n")
    );
    let picture = bench.file("picture", b"P6\n1 1\n255\nabc");
    bench.drop_files(&[&picture]);
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Picture(picture)) if (picture.width, picture.height) == (1, 1)
    ));
    let archive = bench.file("archive.zip", b"PK\x03\x04\0\xff");
    bench.drop_files(&[&archive]);
    match bench.in_memory("MySharedMemory") {
        Some(Preview::Bytes(bytes)) => {
            assert_eq!(bytes.media_type.as_deref(), Some("application/zip"));
            assert_eq!(bytes.file_name.as_deref(), Some("archive.zip"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.level(), Level::Success);
}

#[test]
fn only_the_first_of_several_files_is_loaded_with_a_warning() {
    let mut bench = Bench::new();
    let (one, two) = (bench.file("1.txt", b"one"), bench.file("2.txt", b"two"));
    bench.send(Message::Window(main_window::Message::Dragged(
        drop_target::Event::Hovered(one.clone()),
    )));
    assert!(bench.shows("1.txt"));
    assert!(bench.shows("Drop it to load it into MySharedMemory."));
    bench.send(Message::Window(main_window::Message::Dragged(
        drop_target::Event::Left,
    )));
    assert!(!bench.shows("1.txt"));

    bench.drop_files(&[&one, &two]);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("one")
    );
    assert_eq!(bench.level(), Level::Warning);
    assert_eq!(
        bench.state.window.status.current().remedy(),
        Some("Only the first of the two files was loaded: one fits at a time.")
    );
}

#[test]
fn a_dropped_folder_is_refused_with_a_remedy() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let folder = bench.directory.path().to_owned();
    bench.drop_files(&[&folder]);
    assert_eq!(bench.level(), Level::Error);
    let remedy = bench.state.window.status.current().remedy();
    assert_eq!(remedy, Some("It is a folder: choose a file in it."));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("kept")
    );
    bench.send(Message::Window(main_window::Message::KeyEdited(
        "a/b".to_owned(),
    )));
    bench.send(Message::Window(main_window::Message::Dragged(
        drop_target::Event::Hovered(folder),
    )));
    assert!(bench.shows("Cannot load it: choose another key first."));
}

#[test]
fn the_clipboard_is_loaded_at_once() {
    let mut bench = Bench::new();
    let text = "copied elsewhere\r\n";
    bench.send(Message::Pasted(Ok(Pasted::Text(text.to_owned()))));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some(text)
    );
    let picture = Pixels {
        width: 2,
        height: 1,
        rgba: vec![1, 2, 3, 255, 4, 5, 6, 0],
    };
    bench.send(Message::Pasted(Ok(Pasted::Picture(picture.clone()))));
    match bench.in_memory("MySharedMemory") {
        Some(Preview::Picture(found)) => assert_eq!((found.width, found.height), (2, 1)),
        other => panic!("{other:?}"),
    }
    let file = bench.file("copied.txt", b"from a file manager");
    bench.send(Message::Pasted(Ok(Pasted::Files(vec![file]))));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("from a file manager")
    );
    let damaged = Pixels {
        width: 3,
        ..picture
    };
    bench.send(Message::Pasted(Ok(Pasted::Picture(damaged))));
    assert_eq!(
        bench.state.window.status.current().text(),
        "The clipboard does not hold a picture."
    );
}

#[test]
fn an_empty_clipboard_is_not_an_error() {
    let mut bench = Bench::new();
    for pasted in [Pasted::Nothing, Pasted::Text(String::new())] {
        bench.send(Message::Pasted(Ok(pasted)));
        assert_eq!(
            bench.state.window.status.current().text(),
            "There is nothing to paste."
        );
        assert_eq!(bench.level(), Level::Neutral);
    }
    bench.send(Message::Pasted(Err(ClipboardError::Closed)));
    assert_eq!(bench.level(), Level::Error);
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn paste_in_a_field_or_the_dialog_does_not_load() {
    let paste = Event::Keyboard(press(Chord::ctrl('v')));
    let captured = shortcut::message_of(paste, event::Status::Captured, window::Id::unique());
    assert!(captured.is_none());
    let ignored = message_of(Chord::ctrl('v'));
    assert!(matches!(
        ignored,
        Some(Message::Shortcut(action)) if matches!(action(), Message::PastePressed)
    ));
    // While the dialog is open, the clipboard is not read.
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(task::into_stream(bench.state.update(Message::PastePressed)).is_none());
}

fn message_of(chord: Chord) -> Option<Message> {
    let event = Event::Keyboard(press(chord));
    shortcut::message_of(event, event::Status::Ignored, window::Id::unique())
}
