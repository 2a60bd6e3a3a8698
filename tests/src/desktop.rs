//! A display of a test's own.

use std::{
    ffi::OsStr,
    io::ErrorKind,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{Glimpse, Launch, Outcome, PATIENCE, PrivateDir, Program, Screen, Window, skip};

/// How often the screen is looked at, while something on it is waited for.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);

/// A virtual display with a window manager. Both end when it is dropped.
#[derive(Debug)]
pub struct Desktop {
    display: String,
    manager: Option<Program>,
    server: Program,
    frame_buffer: PrivateDir,
}

impl Desktop {
    /// Starts one; where the programs for it are missing, says that the test is skipped and returns nothing.
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

    /// Starts one without a window manager, and without a pointer to be seen: nothing is on it but
    /// what programs draw.
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

    /// The value of `DISPLAY`.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Waits for a window with exactly this title.
    #[must_use]
    pub fn window(&self, title: &str) -> Window<'_> {
        Window::titled(self, title)
    }

    /// Waits for the window of a program, where more than one may have the same title.
    #[must_use]
    pub fn window_of(&self, program: &Program, title: &str) -> Window<'_> {
        Window::of_program(self, program.pid(), title)
    }

    /// Whether a window with exactly this title is to be seen now.
    #[must_use]
    pub fn shows(&self, title: &str) -> bool {
        Window::is_there(self, title)
    }

    /// What is on it now.
    #[must_use]
    pub fn screen(&self) -> Screen {
        Screen::read(&self.frame_buffer())
    }

    /// For looking at it often.
    #[must_use]
    pub fn glimpse(&self) -> Glimpse {
        Glimpse::of(&self.frame_buffer())
    }

    /// A hand that does at once what it is told by a line, in the words of xdotool.
    #[must_use]
    pub fn hand(&self) -> Program {
        self.tool("xdotool", ["-"]).input_kept_open().start()
    }

    /// Looks at it until `see` finds what it looks for.
    pub fn wait_to_see<T>(&self, what: &str, mut see: impl FnMut(&Screen) -> Option<T>) -> T {
        self.wait_for(what, || see(&self.screen()))
    }

    /// Tries until `attempt` succeeds; where it never does, leaves a picture of the screen.
    pub fn wait_for<T>(&self, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(done) = attempt() {
                return done;
            }
            if Instant::now() >= deadline {
                let path = std::env::temp_dir().join(format!("e2e-screen{}.png", self.display));
                self.screen().save(&path);
                panic!(
                    "{what} was waited for in vain; the screen is in {}",
                    path.display()
                );
            }
            thread::sleep(GLANCE);
        }
    }

    /// Puts `text` where Ctrl+V takes it from.
    pub fn copy(&self, text: &str) {
        // xclip stays behind to serve the text, until somebody else copies or the display ends.
        self.tool(
            "sh",
            ["-c", "exec xclip -selection clipboard -in >/dev/null 2>&1"],
        )
        .input(text)
        .run()
        .done();
        // It is what stays behind that takes the clipboard, maybe after the first process has ended.
        self.wait_for("the text in the clipboard", || {
            (self.clipboard().stdout == text.as_bytes()).then_some(())
        });
    }

    /// What Ctrl+C put there.
    #[must_use]
    pub fn copied(&self) -> String {
        self.clipboard().done().text().to_owned()
    }

    /// What a person has copied by what `copy` does.
    pub fn copied_by(&self, copy: impl FnOnce()) -> String {
        const NOTHING_YET: &str = "nothing was copied yet";
        self.copy(NOTHING_YET);
        copy();
        self.wait_for("the copied text", || {
            Some(self.copied()).filter(|copied| copied != NOTHING_YET)
        })
    }

    /// Asks for what is in the clipboard; fails while nothing is.
    fn clipboard(&self) -> Outcome {
        self.tool("xclip", ["-selection", "clipboard", "-out"])
            .run()
    }

    /// Puts a picture, in the bytes of a PNG file, where Ctrl+V takes it from.
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

    /// The picture that was copied, in the bytes of a PNG file.
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

    /// A tool that works on this display.
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
        // Killed, it would leave its lock file and its socket behind.
        self.server.dismiss();
    }
}

fn is_installed(program: &str) -> bool {
    let asked = Command::new(program).arg("-version").output();
    !asked.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}
