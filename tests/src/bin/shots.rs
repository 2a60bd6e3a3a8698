//! Takes screenshots of both windows in all their states, light and dark: `shots FOLDER [STATE …]`.
//!
//! Each of [`STATES`] is reached in a real window and saved as `STATE-light.png` and
//! `STATE-dark.png`. Look at them before you commit them.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use e2e_tests::{
    Bus, Desktop, Fixture, Launch, LoaderWindow, Program, ViewerWindow, Window, demo_image,
};
use qt_bridge::Form;

const KEY: &str = "MySharedMemory";
const TEXT: &str = "Hello from SharedMemoryLoad!\n\nThis text was written in one window and is read in another:\n\
    你好，世界 · こんにちは · Привет · שלום · 🦀\n\nNothing was sent. Both look at the same memory.";

/// The smallest size of both windows.
const SMALLEST: (u32, u32) = (480, 480);

/// The name of a state, and the user actions that lead to it.
type State = (&'static str, fn(&ShotContext<'_>));

const STATES: &[State] = &[
    ("loader-empty", |context| {
        context.take(&context.loader().window)
    }),
    ("loader-text", |context| {
        let loader = context.loader();
        loader.load_text(TEXT);
        context.take(&loader.window);
    }),
    ("loader-picture", |context| {
        let loader = context.loader();
        loader.load_picture(&context.picture());
        context.take(&loader.window);
    }),
    ("loader-dialog", |context| {
        let loader = context.loader();
        loader.open_dialog();
        loader.window.paste(TEXT);
        context.take(&loader.window);
    }),
    ("loader-error", |context| {
        let loader = context.loader();
        loader.enter_path(&context.fixture.file("notes.txt", b"plain words"));
        loader.program.wait_for_status("not an image");
        context.take(&loader.window);
    }),
    ("loader-help", |context| {
        let loader = context.loader();
        context.press_and_see(&loader.window, "F1");
        context.take(&loader.window);
    }),
    ("loader-narrow", |context| {
        let loader = context.loader();
        loader.window.resize(SMALLEST.0, SMALLEST.1);
        loader.load_picture(&context.picture());
        loader.window.press(&["ctrl+k"]);
        loader.window.type_text("/no/key");
        context.take(&loader.window);
    }),
    ("loader-drop", |context| {
        let loader = context.loader();
        let drag = loader.window.drag_over(&[&context.picture()]);
        loader.wait_until_dim(true);
        context.take(&loader.window);
        drag.leave();
    }),
    ("loader-stream-card", |context| {
        let loader = context.loader();
        loader.open_stream_card();
        context.take(&loader.window);
    }),
    ("loader-stream", |context| {
        let loader = context.loader();
        loader.stream_test_pattern();
        loader.window.point_away();
        let viewer = context.fixture.viewer(["follow", "--count", "30"]);
        viewer.run().done();
        context.take_moving(&loader.window);
    }),
    ("loader-watched", |context| {
        let loader = context.loader();
        loader.load_picture(&context.picture());
        let viewer = context.live_viewer();
        viewer.program.wait_for_status("Showing the picture");
        loader.program.wait_for_stderr(": sequence 1 after");
        context.take(&loader.window);
    }),
    ("loader-zh", |context| {
        let chinese = context.fixture.loader(["--verbose", "--lang", "zh-CN"]);
        let loader = context.open_loader(chinese);
        loader.open_dialog();
        loader.window.paste(TEXT);
        loader.window.press(&["ctrl+Return"]);
        loader.program.wait_for_status("加载到");
        context.take(&loader.window);
    }),
    ("viewer-zh", |context| {
        let _loaded = context.load(["image".into(), context.picture().into()]);
        let chinese = context.fixture.viewer(["--verbose", "--lang", "zh-CN"]);
        let viewer = context.open_viewer(chinese);
        viewer.show("正在显示");
        context.take(&viewer.window);
    }),
    ("viewer-empty", |context| {
        context.take(&context.viewer().window)
    }),
    ("viewer-text", |context| {
        let _loaded = context.load(["text".into(), TEXT.into()]);
        let viewer = context.viewer();
        viewer.show("Showing the text");
        context.take(&viewer.window);
    }),
    ("viewer-picture", |context| {
        let _loaded = context.load(["image".into(), context.picture().into()]);
        let viewer = context.viewer();
        viewer.show("Showing the picture");
        context.take(&viewer.window);
    }),
    ("viewer-live", |context| {
        let viewer = context.live_viewer();
        let pattern = ["frames", "--test-pattern", "--size", "1280x720"];
        let program = context.fixture.loader(pattern).start();
        viewer.window.point_away();
        // The window updates this twice a second.
        for _ in 0..4 {
            viewer.program.wait_for_stderr("live: ");
        }
        context.take_moving(&viewer.window);
        program.terminate().done();
    }),
    ("viewer-last-copy", |context| {
        let viewer = context.live_viewer();
        let loaded = context.load(["text".into(), TEXT.into()]);
        viewer.program.wait_for_status("Showing the text");
        loaded.terminate().done();
        viewer.program.wait_for_status("The loader has left");
        context.take(&viewer.window);
    }),
    ("viewer-error", |context| {
        let viewer = context.viewer();
        viewer.show("Unable to attach");
        context.take(&viewer.window);
    }),
    ("loader-qt", |context| {
        let folder = context.fixture.path("");
        let launch = context
            .fixture
            .bare_loader(["--verbose", "--key", "qt:Notes"]);
        let loader = context.open_loader(launch.env("TMPDIR", &folder));
        loader.load_text(TEXT);
        context.take(&loader.window);
        // After SIGKILL, Qt's segment would remain.
        loader.program.terminate().done();
    }),
    ("loader-qt-forms", |context| {
        let folder = context.fixture.path("");
        let launch = context
            .fixture
            .bare_loader(["--verbose", "--key", "qt:Notes"]);
        let loader = context.open_loader(launch.env("TMPDIR", &folder));
        loader.choose_form(Form::QByteArray);
        loader.load_text(TEXT);
        loader.open_forms();
        context.take(&loader.window);
        loader.program.terminate().done();
    }),
    ("viewer-qt", |context| {
        let folder = context.fixture.path("");
        let program = context
            .fixture
            .bare_loader(["text", "--key", "qt:Notes", TEXT])
            .env("TMPDIR", &folder)
            .start();
        program.wait_for("Loaded");
        let launch = context
            .fixture
            .bare_viewer(["--verbose", "--key", "qt:Notes"]);
        let viewer = context.open_viewer(launch.env("TMPDIR", &folder));
        viewer.toggle_live();
        viewer.program.wait_for_status("Showing the text");
        context.take(&viewer.window);
        viewer.program.terminate().done();
        program.terminate().done();
    }),
    ("viewer-narrow", |context| {
        let key = "k".repeat(128);
        let program = context
            .fixture
            .bare_loader(["text", "--key", &key, TEXT])
            .start();
        program.wait_for("Loaded");
        let launch = context.fixture.bare_viewer(["--verbose", "--key", &key]);
        let viewer = context.open_viewer(launch);
        viewer.window.resize(SMALLEST.0, SMALLEST.1);
        viewer.window.press(&["F5"]);
        viewer.program.wait_for_status("Showing");
        context.take(&viewer.window);
    }),
    ("viewer-list", |context| {
        let _shown = context.load(["image".into(), context.picture().into()]);
        for (key, text) in [("Notes", "for later"), ("Übersicht 概览", TEXT)] {
            let arguments = ["text", "--persist", "--key", key, text];
            context.fixture.bare_loader(arguments).run().done();
        }
        let folder = context.fixture.path("");
        let for_qt = context
            .fixture
            .bare_loader(["text", "--key", "qt:Sketch", TEXT])
            .env("TMPDIR", &folder)
            .start();
        for_qt.wait_for("Loaded");
        let launch = context.fixture.bare_viewer(["--verbose"]);
        let viewer = context.open_viewer(launch.env("TMPDIR", &folder));
        viewer.show("Showing the picture");
        context.press_and_see(&viewer.window, "ctrl+l");
        context.press_and_see(&viewer.window, "Down");
        context.take(&viewer.window);
        for_qt.terminate().done();
    }),
    ("viewer-history", |context| {
        let viewer = context.viewer();
        let commands: [[OsString; 2]; 3] = [
            [
                "text".into(),
                "The first line of many\nand the second".into(),
            ],
            ["image".into(), context.picture().into()],
            ["text".into(), TEXT.into()],
        ];
        for command in commands {
            let _loaded = context.load(command);
            viewer.show("Showing");
        }
        context.press_and_see(&viewer.window, "ctrl+h");
        context.take(&viewer.window);
    }),
    ("viewer-save", |context| {
        let _loaded = context.load(["image".into(), context.picture().into()]);
        let viewer = context.viewer();
        viewer.show("Showing the picture");
        context.press_and_see(&viewer.window, "ctrl+s");
        context.take(&viewer.window);
    }),
    ("viewer-help", |context| {
        let viewer = context.viewer();
        context.press_and_see(&viewer.window, "F1");
        context.take(&viewer.window);
    }),
];

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: shots FOLDER [STATE …]");
        return ExitCode::from(2);
    };
    let wanted: Vec<OsString> = arguments.collect();
    for (look, is_dark) in [("light", false), ("dark", true)] {
        let Some(desktop) = Desktop::open() else {
            return ExitCode::FAILURE;
        };
        let Some(bus) = Bus::open(&desktop) else {
            return ExitCode::FAILURE;
        };
        bus.set_dark(is_dark);
        for (name, play) in STATES {
            if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
                continue;
            }
            let path = folder.join(format!("{name}-{look}.png"));
            play(&ShotContext {
                fixture: Fixture::new().with_key(KEY),
                desktop: &desktop,
                bus: &bus,
                is_dark,
                path: &path,
            });
            println!("{}", path.display());
        }
    }
    ExitCode::SUCCESS
}

/// The display and programs of one state, and the folder of its screenshot.
struct ShotContext<'a> {
    fixture: Fixture,
    desktop: &'a Desktop,
    bus: &'a Bus,
    is_dark: bool,
    path: &'a Path,
}

impl ShotContext<'_> {
    /// Opens SharedMemoryLoad.
    fn loader(&self) -> LoaderWindow<'_> {
        self.open_loader(self.fixture.loader(["--verbose"]))
    }

    /// Opens SharedMemoryLoad with additional arguments.
    fn open_loader(&self, launch: Launch) -> LoaderWindow<'_> {
        let loader = LoaderWindow::of(launch.on(self.desktop).with(self.bus).start(), self.desktop);
        self.wait_for_look(&loader.window);
        loader
    }

    /// Opens ShowSharedMem.
    fn viewer(&self) -> ViewerWindow<'_> {
        self.open_viewer(self.fixture.viewer(["--verbose"]))
    }

    /// Opens ShowSharedMem with additional arguments.
    fn open_viewer(&self, launch: Launch) -> ViewerWindow<'_> {
        let viewer = ViewerWindow::of(launch.on(self.desktop).with(self.bus).start(), self.desktop);
        self.wait_for_look(&viewer.window);
        viewer
    }

    /// Opens ShowSharedMem with the switch "Live" on.
    fn live_viewer(&self) -> ViewerWindow<'_> {
        let viewer = self.viewer();
        viewer.toggle_live();
        viewer.program.wait_for_status("Live: what is loaded");
        viewer
    }

    /// Loads content without a window.
    fn load(&self, command: [OsString; 2]) -> Program {
        let program = self.fixture.loader(command).start();
        program.wait_for("Loaded");
        program
    }

    /// Writes a picture file.
    fn picture(&self) -> PathBuf {
        let path = self.fixture.path("demo_image.png");
        let picture = demo_image(960, 540);
        picture.save(&path).expect("there is space for a picture");
        path
    }

    /// Waits until the window has applied light or dark: the desktop reports it shortly after the
    /// start.
    fn wait_for_look(&self, window: &Window<'_>) {
        self.desktop.wait_for("the window in light or dark", || {
            let [red, green, blue] = window.screen().pixel(4, 4).0;
            let brightness = u32::from(red) + u32::from(green) + u32::from(blue);
            let is_drawn = brightness > 0;
            (is_drawn && (brightness < 384) == self.is_dark).then_some(())
        });
    }

    /// Presses a key, and waits until the window looks different.
    fn press_and_see(&self, window: &Window<'_>, chord: &str) {
        let before = window.wait_until_still();
        window.press(&[chord]);
        self.desktop.wait_for("another look", || {
            (window.screen().pixels() != before.pixels()).then_some(())
        });
    }

    /// Saves the window once it no longer changes.
    fn take(&self, window: &Window<'_>) {
        window.point_away();
        window.wait_until_still().save(self.path);
    }

    /// Saves a window that keeps changing, without the pointer over it.
    fn take_moving(&self, window: &Window<'_>) {
        window.screen().save(self.path);
    }
}
