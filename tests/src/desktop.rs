//! A display for one test.

use std::{
    ffi::OsStr,
    io::ErrorKind,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{FrameProbe, Launch, Outcome, PrivateDir, Program, Screen, TIMEOUT, Window, skip};

/// How often the screen is polled.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A virtual display with a window manager. Both end on drop.
#[derive(Debug)]
pub struct Desktop {
    display: String,
    manager: Option<Program>,
    server: Program,
    frame_buffer: PrivateDir,
}

impl Desktop {
    /// Starts a display. Returns `None` and reports the test as skipped if the programs for it are
    /// not installed.
    #[must_use]
    pub fn open() -> Option<Desktop> {
        let mut desktop = Desktop::serve(&[])?;
        let manager = Launch::new("openbox")
            .args(["--sm-disable", "--startup", "echo manages"])
            .env("DISPLAY", &desktop.display)
            .start();
        manager.wait_for("manages");
        desktop.manager = Some(manager);
        Some(desktop)
    }

    /// Starts a display without a window manager and without a visible pointer: it shows only what
    /// programs draw.
    #[must_use]
    pub fn bare() -> Option<Desktop> {
        Desktop::serve(&["-nocursor"])
    }

    fn serve(options: &[&str]) -> Option<Desktop> {
        for tool in ["Xvfb", "openbox", "xdotool", "xclip", "xwininfo", "xprop"] {
            if !is_installed(tool) {
                skip(&format!("{tool} is not installed"));
                return None;
            }
        }
        let frame_buffer = PrivateDir::on_disk();
        let server = Launch::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1600x1200x24",
                "-noreset",
            ])
            .args(["-nolisten", "tcp"])
            .args(options)
            .args([OsStr::new("-fbdir"), frame_buffer.path().as_os_str()])
            .start();
        let display = format!(":{}", server.wait_for("").trim());
        Some(Desktop {
            display,
            manager: None,
            server,
            frame_buffer,
        })
    }

    /// Returns the value of `DISPLAY`.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Waits for a window with exactly this title.
    #[must_use]
    pub fn window(&self, title: &str) -> Window<'_> {
        Window::titled(self, title)
    }

    /// Waits for the window of a program, for titles that several windows may have.
    #[must_use]
    pub fn window_of(&self, program: &Program, title: &str) -> Window<'_> {
        Window::of_program(self, program.pid(), title)
    }

    /// Returns `true` if a window with exactly this title is visible now.
    #[must_use]
    pub fn shows(&self, title: &str) -> bool {
        Window::is_there(self, title)
    }

    /// Returns the current content of the display.
    #[must_use]
    pub fn screen(&self) -> Screen {
        Screen::read(&self.frame_buffer())
    }

    /// Returns a probe for frequent polling.
    #[must_use]
    pub fn frame_probe(&self) -> FrameProbe {
        FrameProbe::of(&self.frame_buffer())
    }

    /// Starts a process that runs each line that it reads as an xdotool command at once.
    #[must_use]
    pub fn xdotool_session(&self) -> Program {
        self.tool("xdotool", ["-"]).input_kept_open().start()
    }

    /// Polls the screen until `see` returns a value.
    pub fn wait_to_see<T>(&self, what: &str, mut see: impl FnMut(&Screen) -> Option<T>) -> T {
        self.wait_for(what, || see(&self.screen()))
    }

    /// Polls until `attempt` succeeds. On a timeout it saves a screenshot.
    pub fn wait_for<T>(&self, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(done) = attempt() {
                return done;
            }
            if Instant::now() >= deadline {
                let path = std::env::temp_dir().join(format!("e2e-screen{}.png", self.display));
                self.screen().save(&path);
                panic!(
                    "timeout waiting for {what}; the screen is in {}",
                    path.display()
                );
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Puts `text` into the clipboard.
    pub fn copy(&self, text: &str) {
        // xclip stays in the background to serve the text until another program copies or the
        // display ends.
        self.tool(
            "sh",
            ["-c", "exec xclip -selection clipboard -in >/dev/null 2>&1"],
        )
        .input(text)
        .run()
        .done();
        // The background process takes the clipboard, perhaps after the first process has ended.
        self.wait_for("the text in the clipboard", || {
            (self.clipboard().stdout == text.as_bytes()).then_some(())
        });
    }

    /// Returns the text in the clipboard.
    #[must_use]
    pub fn copied(&self) -> String {
        self.clipboard().done().text().to_owned()
    }

    /// Returns the text that `copy` puts into the clipboard.
    pub fn copied_by(&self, copy: impl FnOnce()) -> String {
        const NOTHING_YET: &str = "nothing was copied yet";
        self.copy(NOTHING_YET);
        copy();
        self.wait_for("the copied text", || {
            Some(self.copied()).filter(|copied| copied != NOTHING_YET)
        })
    }

    /// Requests the content of the clipboard; fails while there is none.
    fn clipboard(&self) -> Outcome {
        self.tool("xclip", ["-selection", "clipboard", "-out"])
            .run()
    }

    /// Puts a picture, as the bytes of a PNG file, into the clipboard.
    pub fn copy_png(&self, png: &[u8]) {
        self.tool(
            "sh",
            [
                "-c",
                "exec xclip -selection clipboard -target image/png -in >/dev/null 2>&1",
            ],
        )
        .input(png)
        .run()
        .done();
    }

    /// Returns the picture in the clipboard, as the bytes of a PNG file.
    #[must_use]
    pub fn copied_png(&self) -> Vec<u8> {
        self.tool(
            "xclip",
            ["-selection", "clipboard", "-target", "image/png", "-out"],
        )
        .run()
        .done()
        .stdout
    }

    /// Returns the command line of a tool for this display.
    pub(crate) fn tool<'a>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Launch {
        Launch::new(name)
            .args(arguments)
            .env("DISPLAY", &self.display)
    }

    fn frame_buffer(&self) -> PathBuf {
        self.frame_buffer.path().join("Xvfb_screen0")
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.manager = None;
        // After SIGKILL, its lock file and its socket would remain.
        self.server.dismiss();
    }
}

fn is_installed(program: &str) -> bool {
    let asked = Command::new(program).arg("-version").output();
    !asked.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}
