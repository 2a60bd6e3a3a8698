//! The window ShowSharedMem, driven as a user drives it.

use std::path::Path;

use image::Rgb;
use qt_bridge::Form;

use crate::window::row_of;
use crate::{Area, Desktop, Fixture, Program, Window};

/// Positions, from the upper left corner of a window of the default size.
const SHOW: (u32, u32) = (320, 103);
const CONTENT: (u32, u32) = (320, 300);
const LIVE: (u32, u32) = (606, 34);
/// The drop-down beside a Qt key.
const FORM: (u32, u32) = (332, 34);
const COPY: (u32, u32) = (388, 152);
/// The first row of the list of segments, and its content.
const ROW: Area = Area {
    x: 30,
    y: 221,
    width: 590,
    height: 52,
};
/// The left edge of the filter above, where the focus ring is visible.
const FILTER_EDGE: Area = Area {
    x: 14,
    y: 188,
    width: 6,
    height: 4,
};
const RING: Rgb<u8> = Rgb([0x3A, 0x5F, 0xE0]);
const ROW_KEY: (u32, u32) = (60, 234);
/// The right end of a row: "Remove", or the safe answer to its question.
const ROW_REMOVE: (u32, u32) = (584, 247);
/// Left of it, the destructive answer.
const ROW_CONFIRM: (u32, u32) = (510, 247);
/// How many rows are counted; a window of the default size has room for four.
const ROWS: u32 = 4;
const BROWSE: (u32, u32) = (534, 268);
/// Where the card "Save as..." shows questions and errors.
const CARD_LINE: Area = Area {
    x: 60,
    y: 292,
    width: 520,
    height: 36,
};
/// A blank position: it is dark while a card is open.
const BLANK: (u32, u32) = (4, 4);
/// The colour of questions and errors.
const ALARM: Rgb<u8> = Rgb([0xB3, 0x26, 0x1E]);
/// Above the first letter of a shown text, and the colour of this position while the text is
/// selected.
const ABOVE_TEXT: Area = Area {
    x: 30,
    y: 186,
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
    pub fn open(fixture: &Fixture, desktop: &'d Desktop) -> ViewerWindow<'d> {
        let program = fixture.viewer(["--verbose"]).on(desktop).start();
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

    /// Presses the main button, and returns the next status line that contains `words`.
    pub fn show(&self, words: &str) -> String {
        self.window.activate();
        self.press_show();
        self.program.wait_for_status(words)
    }

    /// Presses the main button, with the window active already.
    pub fn press_show(&self) {
        self.window.click_active(SHOW);
    }

    /// Toggles the switch "Live".
    pub fn toggle_live(&self) {
        self.window.click(LIVE);
    }

    /// Chooses the form in which the content of a Qt key is read.
    pub fn choose_form(&self, form: Form) {
        self.window.choose(FORM, row_of(form));
    }

    /// Returns the shown text, copied through the clipboard.
    #[must_use]
    pub fn shown_text(&self) -> String {
        self.desktop.copied_by(|| {
            self.window.click(CONTENT);
            self.wait_for_selection(false);
            self.window.press(&["ctrl+a"]);
            // Keys that arrive together are dispatched before any of them takes effect: nothing
            // would be copied.
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

    /// Presses "Copy".
    pub fn press_copy(&self) {
        self.window.click(COPY);
    }

    /// Opens "Save as...", types a path and presses Enter.
    pub fn save_as(&self, path: &Path) {
        self.open_save_dialog();
        self.window.press(&["ctrl+a"]);
        self.window
            .type_text(path.to_str().expect("the path is text"));
        self.window.press(&["Return"]);
    }

    /// Opens "Save as...".
    pub fn open_save_dialog(&self) {
        self.wait_for_card(false);
        self.window.press(&["ctrl+s"]);
        self.wait_for_card(true);
    }

    /// Presses "Browse..." in it.
    pub fn press_browse(&self) {
        self.window.click(BROWSE);
    }

    fn wait_for_card(&self, is_open: bool) {
        self.desktop.wait_for("the card to open or close", || {
            let blank = self.window.screen().pixel(BLANK.0, BLANK.1);
            let is_dim = blank.0.iter().all(|part| *part < 200);
            (is_dim == is_open).then_some(())
        });
    }

    /// Returns `true` if the card "Save as..." shows a question or an error.
    #[must_use]
    pub fn card_has_message(&self) -> bool {
        let line = self.window.screen().crop(CARD_LINE);
        line.extent_of(ALARM).is_some()
    }

    /// Opens the list of segments with a filter: Qt segments are not private to the directory.
    pub fn open_list(&self, filter: &str) {
        self.window.press(&["ctrl+l"]);
        self.desktop.wait_for("the filter with the focus", || {
            let edge = self.window.screen().crop(FILTER_EDGE);
            edge.extent_of(RING).map(drop)
        });
        self.window.type_text(filter);
        assert_eq!(self.window.copy_field(), filter);
    }

    /// Returns `true` if the first row of the list asks to remove.
    #[must_use]
    pub fn row_has_question(&self) -> bool {
        let row = self.window.screen().crop(ROW);
        row.extent_of(ALARM).is_some()
    }

    /// Returns how many rows the list shows.
    #[must_use]
    pub fn listed_rows(&self) -> usize {
        let screen = self.window.screen();
        let is_dark = |pixel: &Rgb<u8>| pixel.0.iter().all(|part| *part < 90);
        let has_row = |number: &u32| {
            let key = Area {
                y: ROW.y + number * ROW.height,
                width: 60,
                ..ROW
            };
            screen.crop(key).pixels().pixels().any(is_dark)
        };
        (0..ROWS).filter(has_row).count()
    }

    /// Presses "Remove" in the first row, or the safe answer to its question.
    pub fn press_remove(&self) {
        self.window.click(ROW_REMOVE);
    }

    /// Presses the destructive answer to the question in the first row.
    pub fn confirm_removal(&self) {
        self.window.click(ROW_CONFIRM);
    }

    /// Presses the first row.
    pub fn press_first_row(&self) {
        self.window.click(ROW_KEY);
    }
}
