//! Takes pictures of both windows in all their states, light and dark: `shots FOLDER [STATE …]`.
//!
//! Each of [`STATES`] is played on a real window and saved as `STATE-light.png` and
//! `STATE-dark.png`. Look at them before you commit them.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use e2e_tests::{
    Bus, Desktop, Launch, LoaderWindow, Program, Scene, ViewerWindow, Window, evening,
};
use qt_bridge::Form;

const KEY: &str = "MySharedMemory";
const TEXT: &str = "Hello from SharedMemoryLoad!\n\nThis text was written in one window and is read in another:\n\
    你好，世界 · こんにちは · Привет · שלום · 🦀\n\nNothing was sent. Both look at the same memory.";

/// The smallest size of both windows.
const SMALLEST: (u32, u32) = (480, 480);

/// The name of a state, and how a person gets there.
type State = (&'static str, fn(&Stage<'_>));

const STATES: &[State] = &[
    ("loader-empty", |stage| stage.take(&stage.loader().window)),
    ("loader-text", |stage| {
        let loader = stage.loader();
        loader.load_text(TEXT);
        stage.take(&loader.window);
    }),
    ("loader-picture", |stage| {
        let loader = stage.loader();
        loader.load_picture(&stage.picture());
        stage.take(&loader.window);
    }),
    ("loader-dialog", |stage| {
        let loader = stage.loader();
        loader.open_dialog();
        loader.window.paste(TEXT);
        stage.take(&loader.window);
    }),
    ("loader-error", |stage| {
        let loader = stage.loader();
        loader.enter_path(&stage.scene.file("notes.txt", b"plain words"));
        loader.program.wait_for_status("not an image");
        stage.take(&loader.window);
    }),
    ("loader-help", |stage| {
        let loader = stage.loader();
        stage.press_and_see(&loader.window, "F1");
        stage.take(&loader.window);
    }),
    ("loader-narrow", |stage| {
        let loader = stage.loader();
        loader.window.resize(SMALLEST.0, SMALLEST.1);
        loader.load_picture(&stage.picture());
        loader.window.press(&["ctrl+k"]);
        loader.window.type_text("/no/key");
        stage.take(&loader.window);
    }),
    ("loader-drop", |stage| {
        let loader = stage.loader();
        let drag = loader.window.drag_over(&[&stage.picture()]);
        loader.wait_until_dim(true);
        stage.take(&loader.window);
        drag.leave();
    }),
    ("loader-stream-card", |stage| {
        let loader = stage.loader();
        loader.open_stream_card();
        stage.take(&loader.window);
    }),
    ("loader-stream", |stage| {
        let loader = stage.loader();
        loader.stream_test_pattern();
        loader.window.point_away();
        let viewer = stage.scene.viewer(["follow", "--count", "30"]);
        viewer.run().done();
        stage.take_moving(&loader.window);
    }),
    ("loader-watched", |stage| {
        let loader = stage.loader();
        loader.load_picture(&stage.picture());
        let viewer = stage.live_viewer();
        viewer.program.wait_for_status("Showing the picture");
        loader.program.wait_for_complaint(": sequence 1 after");
        stage.take(&loader.window);
    }),
    ("loader-zh", |stage| {
        let chinese = stage.scene.loader(["--verbose", "--lang", "zh-CN"]);
        let loader = stage.open_loader(chinese);
        loader.open_dialog();
        loader.window.paste(TEXT);
        loader.window.press(&["ctrl+Return"]);
        loader.program.wait_for_status("加载到");
        stage.take(&loader.window);
    }),
    ("viewer-zh", |stage| {
        let _loaded = stage.load(["image".into(), stage.picture().into()]);
        let chinese = stage.scene.viewer(["--verbose", "--lang", "zh-CN"]);
        let viewer = stage.open_viewer(chinese);
        viewer.show("正在显示");
        stage.take(&viewer.window);
    }),
    ("viewer-empty", |stage| stage.take(&stage.viewer().window)),
    ("viewer-text", |stage| {
        let _loaded = stage.load(["text".into(), TEXT.into()]);
        let viewer = stage.viewer();
        viewer.show("Showing the text");
        stage.take(&viewer.window);
    }),
    ("viewer-picture", |stage| {
        let _loaded = stage.load(["image".into(), stage.picture().into()]);
        let viewer = stage.viewer();
        viewer.show("Showing the picture");
        stage.take(&viewer.window);
    }),
    ("viewer-live", |stage| {
        let viewer = stage.live_viewer();
        let pattern = ["frames", "--test-pattern", "--size", "1280x720"];
        let program = stage.scene.loader(pattern).start();
        viewer.window.point_away();
        // Told twice a second.
        for _ in 0..4 {
            viewer.program.wait_for_complaint("live: ");
        }
        stage.take_moving(&viewer.window);
        program.terminate().done();
    }),
    ("viewer-last-copy", |stage| {
        let viewer = stage.live_viewer();
        let loaded = stage.load(["text".into(), TEXT.into()]);
        viewer.program.wait_for_status("Showing the text");
        loaded.terminate().done();
        viewer.program.wait_for_status("The loader has left");
        stage.take(&viewer.window);
    }),
    ("viewer-error", |stage| {
        let viewer = stage.viewer();
        viewer.show("Unable to attach");
        stage.take(&viewer.window);
    }),
    ("loader-qt", |stage| {
        let folder = stage.scene.path("");
        let launch = stage.scene.bare_loader(["--verbose", "--key", "qt:Notes"]);
        let loader = stage.open_loader(launch.env("TMPDIR", &folder));
        loader.load_text(TEXT);
        stage.take(&loader.window);
        // Killed, it would leave Qt's segment behind.
        loader.program.terminate().done();
    }),
    ("loader-qt-forms", |stage| {
        let folder = stage.scene.path("");
        let launch = stage.scene.bare_loader(["--verbose", "--key", "qt:Notes"]);
        let loader = stage.open_loader(launch.env("TMPDIR", &folder));
        loader.choose_form(Form::QByteArray);
        loader.load_text(TEXT);
        loader.open_forms();
        stage.take(&loader.window);
        loader.program.terminate().done();
    }),
    ("viewer-qt", |stage| {
        let folder = stage.scene.path("");
        let program = stage
            .scene
            .bare_loader(["text", "--key", "qt:Notes", TEXT])
            .env("TMPDIR", &folder)
            .start();
        program.wait_for("Loaded");
        let launch = stage.scene.bare_viewer(["--verbose", "--key", "qt:Notes"]);
        let viewer = stage.open_viewer(launch.env("TMPDIR", &folder));
        viewer.throw_live();
        viewer.program.wait_for_status("Showing the text");
        stage.take(&viewer.window);
        viewer.program.terminate().done();
        program.terminate().done();
    }),
    ("viewer-narrow", |stage| {
        let key = "k".repeat(128);
        let program = stage
            .scene
            .bare_loader(["text", "--key", &key, TEXT])
            .start();
        program.wait_for("Loaded");
        let launch = stage.scene.bare_viewer(["--verbose", "--key", &key]);
        let viewer = stage.open_viewer(launch);
        viewer.window.resize(SMALLEST.0, SMALLEST.1);
        viewer.window.press(&["F5"]);
        viewer.program.wait_for_status("Showing");
        stage.take(&viewer.window);
    }),
    ("viewer-list", |stage| {
        let _shown = stage.load(["image".into(), stage.picture().into()]);
        for (key, text) in [("Notes", "for later"), ("Übersicht 概览", TEXT)] {
            let arguments = ["text", "--persist", "--key", key, text];
            stage.scene.bare_loader(arguments).run().done();
        }
        let folder = stage.scene.path("");
        let for_qt = stage
            .scene
            .bare_loader(["text", "--key", "qt:Sketch", TEXT])
            .env("TMPDIR", &folder)
            .start();
        for_qt.wait_for("Loaded");
        let launch = stage.scene.bare_viewer(["--verbose"]);
        let viewer = stage.open_viewer(launch.env("TMPDIR", &folder));
        viewer.show("Showing the picture");
        stage.press_and_see(&viewer.window, "ctrl+l");
        stage.press_and_see(&viewer.window, "Down");
        stage.take(&viewer.window);
        for_qt.terminate().done();
    }),
    ("viewer-history", |stage| {
        let viewer = stage.viewer();
        let commands: [[OsString; 2]; 3] = [
            [
                "text".into(),
                "The first line of many\nand the second".into(),
            ],
            ["image".into(), stage.picture().into()],
            ["text".into(), TEXT.into()],
        ];
        for command in commands {
            let _loaded = stage.load(command);
            viewer.show("Showing");
        }
        stage.press_and_see(&viewer.window, "ctrl+h");
        stage.take(&viewer.window);
    }),
    ("viewer-save", |stage| {
        let _loaded = stage.load(["image".into(), stage.picture().into()]);
        let viewer = stage.viewer();
        viewer.show("Showing the picture");
        stage.press_and_see(&viewer.window, "ctrl+s");
        stage.take(&viewer.window);
    }),
    ("viewer-help", |stage| {
        let viewer = stage.viewer();
        stage.press_and_see(&viewer.window, "F1");
        stage.take(&viewer.window);
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
            play(&Stage {
                scene: Scene::new().with_key(KEY),
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

/// What one state is played on, and where its picture goes.
struct Stage<'a> {
    scene: Scene,
    desktop: &'a Desktop,
    bus: &'a Bus,
    is_dark: bool,
    path: &'a Path,
}

impl Stage<'_> {
    /// Opens SharedMemoryLoad.
    fn loader(&self) -> LoaderWindow<'_> {
        self.open_loader(self.scene.loader(["--verbose"]))
    }

    /// Opens SharedMemoryLoad with arguments of its own.
    fn open_loader(&self, launch: Launch) -> LoaderWindow<'_> {
        let loader = LoaderWindow::of(launch.on(self.desktop).with(self.bus).start(), self.desktop);
        self.wait_for_look(&loader.window);
        loader
    }

    /// Opens ShowSharedMem.
    fn viewer(&self) -> ViewerWindow<'_> {
        self.open_viewer(self.scene.viewer(["--verbose"]))
    }

    /// Opens ShowSharedMem with arguments of its own.
    fn open_viewer(&self, launch: Launch) -> ViewerWindow<'_> {
        let viewer = ViewerWindow::of(launch.on(self.desktop).with(self.bus).start(), self.desktop);
        self.wait_for_look(&viewer.window);
        viewer
    }

    /// Opens ShowSharedMem with its switch "Live" thrown.
    fn live_viewer(&self) -> ViewerWindow<'_> {
        let viewer = self.viewer();
        viewer.throw_live();
        viewer.program.wait_for_status("Live: what is loaded");
        viewer
    }

    /// Loads something without a window.
    fn load(&self, command: [OsString; 2]) -> Program {
        let program = self.scene.loader(command).start();
        program.wait_for("Loaded");
        program
    }

    /// Makes the file of a picture.
    fn picture(&self) -> PathBuf {
        let path = self.scene.path("evening.png");
        let picture = evening(960, 540);
        picture.save(&path).expect("there is room for a picture");
        path
    }

    /// Waits until the window has heard of light or dark: the desktop tells a moment after the start.
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

    /// Saves what the window shows once it holds still.
    fn take(&self, window: &Window<'_>) {
        window.point_away();
        window.wait_until_still().save(self.path);
    }

    /// Saves what a window shows that never holds still, and has no pointer over it.
    fn take_moving(&self, window: &Window<'_>) {
        window.screen().save(self.path);
    }
}
