//! The window ShowSharedMem, as a person uses it.

use image::Rgb;

use crate::{Area, Desktop, Program, Scene, Window};

/// Where things are, counted from the upper left corner of a window of its first size.
const SHOW: (u32, u32) = (320, 103);
const CONTENT: (u32, u32) = (320, 300);
/// Above the first letter of a shown text, and the colour of this place while the text is selected.
const ABOVE_TEXT: Area = Area {
    x: 30,
    y: 139,
    width: 4,
    height: 2,
};
const SELECTED: Rgb<u8> = Rgb([0xC9, 0xD5, 0xFF]);

/// The viewer with its window open.
#[derive(Debug)]
pub struct ViewerWindow<'d> {
    /// The program, which prints each status line.
    pub program: Program,
    /// Its window.
    pub window: Window<'d>,
    desktop: &'d Desktop,
}

impl<'d> ViewerWindow<'d> {
    /// The title of the window.
    pub const TITLE: &'static str = "ShowSharedMem";

    /// Opens it in the right half of the desktop.
    #[must_use]
    pub fn open(scene: &Scene, desktop: &'d Desktop) -> ViewerWindow<'d> {
        let program = scene.viewer(["--verbose"]).on(desktop).start();
        ViewerWindow::of(program, desktop)
    }

    /// Takes over a program whose window is about to open.
    #[must_use]
    pub fn of(program: Program, desktop: &'d Desktop) -> ViewerWindow<'d> {
        let window = desktop.window_of(&program, Self::TITLE);
        window.move_to(690, 40);
        ViewerWindow {
            program,
            window,
            desktop,
        }
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

    /// The shown text, taken out through the clipboard.
    #[must_use]
    pub fn shown_text(&self) -> String {
        self.desktop.copied_by(|| {
            self.window.click(CONTENT);
            self.wait_for_selection(false);
            self.window.press(&["ctrl+a"]);
            // Keys that come at once are asked what to do before any of it is done: nothing would be copied.
            self.wait_for_selection(true);
            self.window.press(&["ctrl+c"]);
        })
    }

    fn wait_for_selection(&self, selected: bool) {
        let what = format!("the text, selected: {selected}");
        self.desktop.wait_for(&what, || {
            let place = self.window.screen().crop(ABOVE_TEXT);
            (place.extent_of(SELECTED).is_some() == selected).then_some(())
        });
    }
}
