//! The window SharedMemoryLoad, driven as a user drives it.

use std::path::Path;

use image::Rgb;
use qt_bridge::Form;

use crate::window::row_of;
use crate::{Area, Desktop, Fixture, Program, Window};

/// Positions, from the upper left corner of a window of the default size.
const LOAD: (u32, u32) = (320, 103);
const LOAD_IMAGE: (u32, u32) = (110, 155);
const PATH: (u32, u32) = (460, 155);
/// "Stream...", and in its place "Stop".
const STREAM: (u32, u32) = (466, 197);
/// On the card that "Stream..." opens.
const TEST_PATTERN: (u32, u32) = (173, 252);
const FOLDER: (u32, u32) = (466, 252);
const CLEAR: (u32, u32) = (522, 197);
const RELEASE: (u32, u32) = (589, 197);
const KEY: (u32, u32) = (250, 34);
/// The drop-down beside a Qt key.
const FORM: (u32, u32) = (412, 34);
/// The left edges of fields, where the focus ring is visible.
const KEY_EDGE: (u32, u32) = (53, 34);
const TEXT_EDGE: (u32, u32) = (65, 270);
const STREAM_PATH_EDGE: (u32, u32) = (104, 308);
/// A blank position: it is dark while the input dialog is open.
const BLANK: (u32, u32) = (4, 4);

/// The colours of the focus ring: light and dark.
const RINGS: [Rgb<u8>; 2] = [Rgb([0x3A, 0x5F, 0xE0]), Rgb([0x4A, 0x6C, 0xF0])];
/// The colour of the display before anything is drawn.
const NOT_DRAWN: Rgb<u8> = Rgb([0, 0, 0]);

/// The loader with its window open.
#[derive(Debug)]
pub struct LoaderWindow<'d> {
    /// The program, which prints each status line.
    pub program: Program,
    /// Its window.
    pub window: Window<'d>,
    desktop: &'d Desktop,
    /// The colour of the window while no dialog is open.
    bright: Rgb<u8>,
}

impl<'d> LoaderWindow<'d> {
    /// The title of the window.
    pub const TITLE: &'static str = "SharedMemoryLoad";
    /// A position where a click has no effect.
    pub const NOWHERE: (u32, u32) = (320, 478);

    /// Opens it in the left half of the desktop.
    #[must_use]
    pub fn open(fixture: &Fixture, desktop: &'d Desktop) -> LoaderWindow<'d> {
        let program = fixture.loader(["--verbose"]).on(desktop).start();
        LoaderWindow::of(program, desktop)
    }

    /// Takes over a program whose window is about to open.
    #[must_use]
    pub fn of(program: Program, desktop: &'d Desktop) -> LoaderWindow<'d> {
        let window = desktop.window_of(&program, Self::TITLE);
        window.move_to(20, 40);
        let bright = desktop.wait_for("the loader's window", || {
            Some(window.screen().pixel(BLANK.0, BLANK.1)).filter(|colour| *colour != NOT_DRAWN)
        });
        LoaderWindow {
            program,
            window,
            desktop,
            bright,
        }
    }

    /// Presses the button "Load", and waits until the input dialog is open.
    pub fn open_dialog(&self) {
        self.press_load();
        self.wait_for_dialog();
    }

    /// Presses the button "Load", once no dialog covers it.
    pub fn press_load(&self) {
        self.wait_until_dim(false);
        self.window.click(LOAD);
    }

    /// Waits until the input dialog is open and accepts keys: it gets the focus after it opens.
    pub fn wait_for_dialog(&self) {
        self.wait_for_focus("the input dialog", TEXT_EDGE);
    }

    fn wait_for_focus(&self, what: &str, (x, y): (u32, u32)) {
        let edge = Area {
            x: x - 6,
            y,
            width: 12,
            height: 4,
        };
        self.desktop.wait_for(what, || {
            let edge = self.window.screen().crop(edge);
            RINGS
                .into_iter()
                .find_map(|ring| edge.extent_of(ring))
                .map(drop)
        });
    }

    /// Waits until the window is dimmed, for example by a dialog, or no longer dimmed.
    pub fn wait_until_dim(&self, is_dim: bool) {
        self.desktop.wait_for("the window to be dim, or not", || {
            let is_bright = self.window.screen().pixel(BLANK.0, BLANK.1) == self.bright;
            (is_bright != is_dim).then_some(())
        });
    }

    /// Loads a text through the input dialog, and waits until the window reports it.
    pub fn load_text(&self, text: &str) -> String {
        self.open_dialog();
        self.window.paste(text);
        self.window.press(&["ctrl+Return"]);
        self.program.wait_for_status("Loaded")
    }

    /// Types a path into the path field and presses Enter.
    pub fn enter_path(&self, path: &Path) {
        self.window.click(PATH);
        self.window.press(&["ctrl+a"]);
        self.window
            .type_text(path.to_str().expect("the path is text"));
        self.window.press(&["Return"]);
    }

    /// Loads a picture by its path, and waits until the window reports it.
    pub fn load_picture(&self, path: &Path) -> String {
        self.enter_path(path);
        self.program.wait_for_status("Loaded")
    }

    /// Opens the card that starts a stream, and waits for it.
    pub fn open_stream_card(&self) {
        self.window.click(STREAM);
        self.wait_for_stream_card();
    }

    fn wait_for_stream_card(&self) {
        self.wait_for_focus("the card that starts a stream", STREAM_PATH_EDGE);
    }

    /// Streams the test pattern, and waits until the window reports it.
    pub fn stream_test_pattern(&self) -> String {
        self.open_stream_card();
        self.window.click(TEST_PATTERN);
        self.program.wait_for_status("Streaming")
    }

    /// Presses the button on that card that opens the system's dialog for folders.
    pub fn choose_folder(&self) {
        self.window.click(FOLDER);
    }

    /// Opens that card, types a path, and presses Enter: all without the mouse.
    pub fn enter_stream_path(&self, path: &Path) {
        self.window.press(&["ctrl+t"]);
        self.wait_for_stream_card();
        self.window
            .type_text(path.to_str().expect("the path is text"));
        self.window.press(&["Return"]);
    }

    /// Streams a GIF or a folder by its path, and waits until the window reports it.
    pub fn stream(&self, path: &Path) -> String {
        self.enter_stream_path(path);
        self.program.wait_for_status("Streaming")
    }

    /// Stops the stream, and returns the window's status.
    pub fn stop_stream(&self) -> String {
        self.window.click(STREAM);
        self.program.wait_for_status("Streamed")
    }

    /// Replaces the content of the key field.
    pub fn enter_key(&self, key: &str) {
        self.window.click(KEY);
        // A busy window applies each click at the pointer's current position, so the pointer stays
        // until this.
        self.wait_for_focus("the key field", KEY_EDGE);
        self.window.press(&["ctrl+a"]);
        self.window.paste(key);
    }

    /// Opens the drop-down beside a Qt key.
    pub fn open_forms(&self) {
        self.window.open_drop_down(FORM);
    }

    /// Chooses the form of the next content, and waits until the window reports it.
    pub fn choose_form(&self, form: Form) {
        self.window.choose(FORM, row_of(form));
        self.program.wait_for_status("The next content of");
    }

    /// Presses the button that opens the system's file dialog.
    pub fn open_file_dialog(&self) {
        self.window.click(LOAD_IMAGE);
    }

    /// Presses "Clear", and returns the window's status.
    pub fn clear(&self) -> String {
        self.window.click(CLEAR);
        self.program.wait_for_status("Clear")
    }

    /// Presses "Release", and returns the window's status.
    pub fn release(&self) -> String {
        self.window.click(RELEASE);
        self.program.wait_for_status("Release")
    }
}
