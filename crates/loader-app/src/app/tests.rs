//! The window without a display: simulated clicks, keys and replies; checks of texts and segments.

mod chinese;
mod clipboard_and_drop;
mod dialog;
mod file;
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

    /// Returns the text of the status line.
    fn status(&self) -> &str {
        self.state.window.status.current().text()
    }

    fn edit_key(&mut self, key: &str) {
        let edited = main_window::Message::KeyEdited(key.to_owned());
        self.send(Message::Window(edited));
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
fn clear_empties_the_segment_and_release_detaches() {
    let mut bench = Bench::new();
    bench.load_text("a secret");
    bench.click("Clear");
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Empty)
    ));
    assert!(bench.status().starts_with("Cleared MySharedMemory"));
    bench.click("Release");
    assert!(bench.in_memory("MySharedMemory").is_none());
    assert!(bench.shows("not attached"));
    assert_eq!(
        bench.status(),
        "Released MySharedMemory: what was loaded is gone."
    );
}

#[test]
fn loading_under_another_key_releases_the_first() {
    let mut bench = Bench::new();
    bench.load_text("first");
    bench.edit_key("Other");
    assert!(bench.shows("attached elsewhere"));
    assert!(bench.status().contains("stays in shared memory for now"));
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
    bench.edit_key("Other");
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
    bench.edit_key("a/b");
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
    assert!(bench.status().contains("can no longer be found"));
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
    bench.edit_key("Other");
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
    assert!(bench.status().contains("nothing to load again"));
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
        bench.status(),
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

fn message_of(chord: Chord) -> Option<Message> {
    let event = Event::Keyboard(press(chord));
    shortcut::message_of(event, event::Status::Ignored, window::Id::unique())
}
