//! The window SharedMemoryLoad, as a person uses it.

use std::path::Path;

use crate::{Desktop, Program, Scene, Window};

/// Where things are, counted from the upper left corner of a window of its first size.
const LOAD: (u32, u32) = (160, 120);
const LOAD_IMAGE: (u32, u32) = (480, 95);
const PATH: (u32, u32) = (480, 150);
/// A place with nothing on it: it darkens while the input dialog is open.
const BLANK: (u32, u32) = (4, 4);

/// The loader with its window open.
#[derive(Debug)]
pub struct LoaderWindow<'d> {
    /// The program, which prints each status line.
    pub program: Program,
    /// Its window.
    pub window: Window<'d>,
    desktop: &'d Desktop,
}

impl<'d> LoaderWindow<'d> {
    /// The title of the window.
    pub const TITLE: &'static str = "SharedMemoryLoad";

    /// Opens it in the left half of the desktop.
    #[must_use]
    pub fn open(scene: &Scene, desktop: &'d Desktop) -> LoaderWindow<'d> {
        let program = scene.loader(["--verbose"]).on(desktop).start();
        LoaderWindow::of(program, desktop)
    }

    /// Takes over a program whose window is about to open.
    #[must_use]
    pub fn of(program: Program, desktop: &'d Desktop) -> LoaderWindow<'d> {
        let window = desktop.window_of(&program, Self::TITLE);
        window.move_to(20, 40);
        LoaderWindow {
            program,
            window,
            desktop,
        }
    }

    /// Presses the big button "Load", and waits until the input dialog is open.
    pub fn open_dialog(&self) {
        let look = || self.window.screen().pixel(BLANK.0, BLANK.1);
        let bright = look();
        self.window.click(LOAD);
        self.desktop
            .wait_to_see("the input dialog", |_| (look() != bright).then_some(()));
    }

    /// Loads a text through the input dialog, and waits until the window says so.
    pub fn load_text(&self, text: &str) -> String {
        self.open_dialog();
        self.window.paste(text);
        self.window.press(&["ctrl+Return"]);
        self.program.wait_for_status("Loaded")
    }

    /// Writes a path into the path field and presses Enter.
    pub fn enter_path(&self, path: &Path) {
        self.window.click(PATH);
        self.window.press(&["ctrl+a"]);
        self.window
            .type_text(path.to_str().expect("the path is text"));
        self.window.press(&["Return"]);
    }

    /// Presses the button that opens the system's file dialog.
    pub fn open_file_dialog(&self) {
        self.window.click(LOAD_IMAGE);
    }
}
