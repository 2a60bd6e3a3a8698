//! A window, driven as a user drives it.

use std::path::Path;

use image::RgbImage;
use qt_bridge::Form;

use x11rb::{
    CURRENT_TIME,
    connection::Connection,
    protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask},
};

use crate::{Area, Desktop, Drag, Outcome, Screen};

/// A window on a [`Desktop`].
#[derive(Debug)]
pub struct Window<'d> {
    desktop: &'d Desktop,
    id: String,
}

impl<'d> Window<'d> {
    pub(crate) fn titled(desktop: &'d Desktop, title: &str) -> Window<'d> {
        Window::found(desktop, &["--name", &exactly(title)])
    }

    pub(crate) fn of_program(desktop: &'d Desktop, pid: u32, title: &str) -> Window<'d> {
        let pid = pid.to_string();
        Window::found(
            desktop,
            &["--all", "--pid", &pid, "--name", &exactly(title)],
        )
    }

    fn found(desktop: &'d Desktop, criteria: &[&str]) -> Window<'d> {
        let id = desktop.wait_for(&format!("a window {criteria:?}"), || {
            let search = Window::search(desktop, criteria);
            Some(search.text().lines().next()?.to_owned())
        });
        Window { desktop, id }
    }

    pub(crate) fn is_there(desktop: &Desktop, title: &str) -> bool {
        Window::search(desktop, &["--name", &exactly(title)]).code == Some(0)
    }

    fn search(desktop: &Desktop, criteria: &[&str]) -> Outcome {
        let search = desktop.tool("xdotool", ["search", "--onlyvisible"]);
        search.args(criteria).run()
    }

    /// Raises it and gives it the keyboard focus.
    pub fn activate(&self) {
        self.xdotool(&["windowactivate", "--sync", &self.id]);
    }

    /// Returns the area of its content on the screen.
    #[must_use]
    pub fn area(&self) -> Area {
        // Not xdotool: it counts the window manager's frame twice.
        let printed = self
            .desktop
            .tool("xwininfo", ["-id", &self.id])
            .run()
            .done();
        let number = |name: &str| {
            let mut lines = printed.text().lines().map(str::trim);
            let number = lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            number.unwrap_or_else(|| panic!("no {name}: {printed:?}"))
        };
        Area {
            x: number("Absolute upper-left X:"),
            y: number("Absolute upper-left Y:"),
            width: number("Width:"),
            height: number("Height:"),
        }
    }

    /// Clicks the left button at a position from its upper left corner.
    pub fn click(&self, place: (u32, u32)) {
        self.activate();
        self.click_active(place);
    }

    /// Does the same in a window that is active already, without checking that first.
    ///
    /// In an inactive window, the window manager handles a click before it passes it on, and a
    /// click with a pointer that does not move may get lost.
    pub fn click_active(&self, (x, y): (u32, u32)) {
        let (x, y) = (x.to_string(), y.to_string());
        // No --sync: that waits for the pointer to move, and it may be there already.
        self.xdotool(&["mousemove", "--window", &self.id, &x, &y, "click", "1"]);
    }

    /// Opens the drop-down whose centre is at a position, and waits until its list is drawn.
    pub fn open_drop_down(&self, place: (u32, u32)) {
        let row = |screen: &Screen| screen.pixel(place.0, row_of_list(place, 0).1 - ROW / 2 + 1);
        let before = row(&self.screen());
        self.click(place);
        self.desktop.wait_for("the list of a drop-down", || {
            (row(&self.screen()) != before).then_some(())
        });
    }

    /// Chooses a row of a drop-down's list, counted from 0.
    pub fn choose(&self, place: (u32, u32), row: u32) {
        self.open_drop_down(place);
        self.click_active(row_of_list(place, row));
    }

    /// Moves the pointer away from it, to the lower right corner of the screen.
    pub fn point_away(&self) {
        self.xdotool(&["mousemove", "10000", "10000"]);
    }

    /// Moves the pointer to a position from its upper left corner.
    pub fn point_at(&self, (x, y): (u32, u32)) {
        let (x, y) = (x.to_string(), y.to_string());
        self.xdotool(&["mousemove", "--window", &self.id, &x, &y]);
    }

    /// Turns the wheel by two steps at the pointer's position: away from the user, or towards the
    /// user.
    pub fn turn_wheel(&self, away: bool) {
        // The window library takes the release of a virtual wheel's button for another step.
        self.xdotool(&["click", if away { "4" } else { "5" }]);
    }

    /// Drags from one position to another.
    pub fn drag(&self, from: (u32, u32), to: (u32, u32)) {
        self.point_at(from);
        self.xdotool(&["mousedown", "1"]);
        self.point_at(to);
        self.xdotool(&["mouseup", "1"]);
    }

    /// Presses keys, one chord after the other: `ctrl+l`, `Return`.
    pub fn press(&self, chords: &[&str]) {
        self.activate();
        let mut command = vec!["key", "--clearmodifiers"];
        command.extend_from_slice(chords);
        self.xdotool(&command);
    }

    /// Types a text that the keyboard has keys for.
    pub fn type_text(&self, text: &str) {
        self.activate();
        self.xdotool(&["type", "--clearmodifiers", "--delay", "1", text]);
    }

    /// Enters any text through the clipboard.
    pub fn paste(&self, text: &str) {
        self.desktop.copy(text);
        self.press(&["ctrl+v"]);
    }

    /// Drags files over it, as a file manager does.
    #[must_use]
    pub fn drag_over(&self, paths: &[&Path]) -> Drag {
        let id = self.id.parse().expect("a window's number");
        Drag::over(self.desktop.display(), id, paths)
    }

    /// Copies the whole line that has the focus, and returns it.
    #[must_use]
    pub fn copy_field(&self) -> String {
        self.desktop.copied_by(|| self.press(&["ctrl+a", "ctrl+c"]))
    }

    /// Moves its upper left corner, including the frame, to a position on the screen.
    pub fn move_to(&self, x: u32, y: u32) {
        const FRAME: u32 = 40;
        self.xdotool(&["windowmove", &self.id, &x.to_string(), &y.to_string()]);
        self.desktop.wait_for("the window at its place", || {
            let area = self.area();
            let is_there = (x..x + FRAME).contains(&area.x) && (y..y + FRAME).contains(&area.y);
            is_there.then_some(())
        });
    }

    /// Waits until it shows `picture`, pixel for pixel, and returns its area in the window.
    pub fn wait_for_picture(&self, picture: &RgbImage) -> Area {
        self.desktop.wait_to_see("the picture", |screen| {
            screen.crop(self.area()).find(picture)
        })
    }

    /// Changes the size of its content.
    pub fn resize(&self, width: u32, height: u32) {
        let (wide, high) = (width.to_string(), height.to_string());
        self.xdotool(&["windowsize", &self.id, &wide, &high]);
        self.desktop.wait_for("the window in its new size", || {
            let area = self.area();
            ((area.width, area.height) == (width, height)).then_some(())
        });
    }

    /// Waits until it has shown the same a few times, and returns that. A cursor may blink.
    ///
    /// For screenshots: a test waits for specific content.
    #[must_use]
    pub fn wait_until_still(&self) -> Screen {
        const TIMES: usize = 3;
        let mut seen: Vec<Screen> = Vec::new();
        self.desktop
            .wait_for("a window that no longer changes", || {
                let screen = self.screen();
                seen.push(screen.clone());
                let times = seen.iter().filter(|earlier| **earlier == screen).count();
                (times == TIMES).then_some(screen)
            })
    }

    /// Returns a property of the window, as xprop prints it.
    #[must_use]
    pub fn property(&self, name: &str) -> String {
        let printed = self
            .desktop
            .tool("xprop", ["-id", &self.id, "-len", "1000000", name])
            .run()
            .done();
        printed.text().to_owned()
    }

    /// Asks it to close, as the window manager's button does.
    pub fn close(&self) {
        const SOURCE_PAGER: u32 = 2;
        // A user who closes it has seen its content: the window is active and has been drawn.
        self.activate();
        let _seen = self.wait_until_still();
        let (connection, screen) =
            x11rb::connect(Some(self.desktop.display())).expect("the display answers");
        let close = connection
            .intern_atom(false, b"_NET_CLOSE_WINDOW")
            .expect("the display answers");
        let close = close.reply().expect("the display knows the atom").atom;
        let id = self.id.parse().expect("a window's number");
        // Not by its keys: the window manager may be about to send them to another window.
        let message = ClientMessageEvent::new(32, id, close, [CURRENT_TIME, SOURCE_PAGER, 0, 0, 0]);
        let sent = connection.send_event(
            false,
            connection.setup().roots[screen].root,
            EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY,
            message,
        );
        let sent = sent.expect("the display answers");
        sent.check().expect("the window manager can be asked");
    }

    /// Returns its current content.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.desktop.screen().crop(self.area())
    }

    fn xdotool(&self, arguments: &[&str]) -> Outcome {
        self.desktop
            .tool("xdotool", arguments.iter().copied())
            .run()
            .done()
    }
}

/// The height of a row in the list of a drop-down.
const ROW: u32 = 33;

/// Returns the position of a row of the list below a drop-down.
fn row_of_list((x, y): (u32, u32), row: u32) -> (u32, u32) {
    const HALF_OF_FIELD: u32 = 18;
    (x, y + HALF_OF_FIELD + row * ROW + ROW / 2)
}

/// Returns the row of a form in the list of forms; the first row stands for automatic detection.
pub(crate) fn row_of(form: Form) -> u32 {
    let above = Form::NAMES.iter().take_while(|(_, other)| *other != form);
    1 + u32::try_from(above.count()).expect("there are few")
}

/// Returns a pattern that matches exactly this title.
fn exactly(title: &str) -> String {
    format!("^{title}$")
}
