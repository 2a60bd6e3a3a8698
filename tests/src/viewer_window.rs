//! The window ShowSharedMem, as a person uses it.

use crate::{Desktop, Program, Scene, Window};

/// Where things are, counted from the upper left corner of a window of its first size.
const SHOW: (u32, u32) = (320, 90);
const CONTENT: (u32, u32) = (320, 300);
const LIVE: (u32, u32) = (606, 34);

/// The viewer with its window open.
#[derive(Debug)]
pub struct ViewerWindow<'d> {
    /// The program, which prints each status line.
    pub program: Program,
    /// Its window.
    pub window: Window<'d>,
}

impl<'d> ViewerWindow<'d> {
    /// The title of the window.
    pub const TITLE: &'static str = "ShowSharedMem";

    /// Opens it in the right half of the desktop.
    #[must_use]
    pub fn open(scene: &Scene, desktop: &'d Desktop) -> ViewerWindow<'d> {
        let program = scene.viewer(["--verbose"]).on(desktop).start();
        let window = desktop.window_of(&program, Self::TITLE);
        window.move_to(690, 40);
        ViewerWindow { program, window }
    }

    /// Presses the big button, and returns what the status line then says with `words` in it.
    pub fn show(&self, words: &str) -> String {
        self.window.activate();
        self.press_show();
        self.program.wait_for_status(words)
    }

    /// Presses the big button, with the window active already.
    pub fn press_show(&self) {
        self.window.click_active(SHOW);
    }

    /// Throws the switch "Live".
    pub fn throw_live(&self) {
        self.window.click(LIVE);
    }

    /// The shown text, taken out through the clipboard.
    #[must_use]
    pub fn shown_text(&self) -> String {
        self.window.click(CONTENT);
        self.window.copy_all()
    }
}
