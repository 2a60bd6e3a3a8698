//! The compiled example of Qt's documentation, driven as a user drives it.

use std::{fs, path::Path};

use crate::{Desktop, Launch, Program, Window, skip};

/// Its path in Debian's package qtbase5-examples, below `/usr/lib/ARCHITECTURE`.
const PROGRAM: &str = "qt5/examples/corelib/ipc/sharedmemory/sharedmemory";

/// Qt's "SharedMemory Example" with its window open.
#[derive(Debug)]
pub struct QtExample<'d> {
    /// The program.
    pub program: Program,
    /// Its window.
    pub window: Window<'d>,
    desktop: &'d Desktop,
}

impl<'d> QtExample<'d> {
    /// Its key, which is fixed.
    pub const KEY: &'static str = "qt:QSharedMemoryExample";

    /// Prepares to start it with its key file in `directory`, which separates it from other tests.
    /// Returns `None` and reports the test as skipped if it is not installed.
    #[must_use]
    pub fn launch(directory: &Path) -> Option<Launch> {
        let architectures = fs::read_dir("/usr/lib").ok()?.flatten();
        let found = architectures
            .map(|entry| entry.path().join(PROGRAM))
            .find(|path| path.is_file());
        let Some(program) = found else {
            skip("the example of Qt is not installed (qtbase5-examples)");
            return None;
        };
        let launch = Launch::new(program)
            .env("TMPDIR", directory)
            // Its file dialog remembers the last folder.
            .env("XDG_CONFIG_HOME", directory);
        Some(launch)
    }

    /// Opens it.
    #[must_use]
    pub fn open(directory: &Path, desktop: &'d Desktop) -> Option<QtExample<'d>> {
        let program = QtExample::launch(directory)?.on(desktop).start();
        let window = desktop.window_of(&program, "SharedMemory Example");
        window.move_to(20, 640);
        Some(QtExample {
            program,
            window,
            desktop,
        })
    }

    /// Presses "Load Image From File...", which has the focus at first, and enters the path in Qt's
    /// file dialog.
    pub fn load(&self, path: &Path) {
        self.window.press(&["space"]);
        let dialog = self.desktop.window("Open");
        dialog.paste(path.to_str().expect("the path is text"));
        dialog.press(&["Return"]);
    }

    /// Presses "Display Image From Shared Memory", the next button.
    pub fn display(&self) {
        self.window.press(&["Tab", "space"]);
    }

    /// Returns that button's distance from the window's upper edge.
    #[must_use]
    pub fn display_button(&self) -> u32 {
        self.window.area().height - 24
    }

    /// Closes it as a user does: after SIGKILL, its segment and its lock would remain.
    pub fn close(self) {
        self.window.close();
        drop(self.program.finish());
    }
}
