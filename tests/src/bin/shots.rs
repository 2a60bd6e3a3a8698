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
        loader.window.press(&["F1"]);
        loader.wait_for_dialog();
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
    ("viewer-error", |stage| {
        let viewer = stage.viewer();
        viewer.show("Unable to attach");
        stage.take(&viewer.window);
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
    ("viewer-help", |stage| {
        let viewer = stage.viewer();
        let before = viewer.window.screen();
        viewer.window.press(&["F1"]);
        stage.desktop.wait_for("the help", || {
            (viewer.window.screen().pixel(4, 4) != before.pixel(4, 4)).then_some(())
        });
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
        let launch = self.scene.loader(["--verbose"]);
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

    /// Saves what the window shows once it holds still.
    fn take(&self, window: &Window<'_>) {
        window.point_away();
        window.wait_until_still().save(self.path);
    }
}
