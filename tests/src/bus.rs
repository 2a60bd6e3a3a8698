//! The message bus of a desktop session.

use std::path::Path;

use crate::{Desktop, Launch, PrivateDir, Program, skip};

/// What tells the desktop's services that GTK's file dialog is there.
const FILE_DIALOG: &str = "/usr/share/xdg-desktop-portal/portals/gtk.portal";

/// A session bus of a test's own; the services of the desktop start on it when they are asked for,
/// and end with it.
#[derive(Debug)]
pub struct Bus {
    address: String,
    _daemon: Program,
    runtime_dir: PrivateDir,
}

impl Bus {
    /// Starts one whose services open their windows on `desktop`; where there are none, says that the
    /// test is skipped and returns nothing.
    #[must_use]
    pub fn open(desktop: &Desktop) -> Option<Bus> {
        if !Path::new(FILE_DIALOG).exists() {
            skip("xdg-desktop-portal-gtk is not installed");
            return None;
        }
        let runtime_dir = PrivateDir::on_disk();
        let daemon = Launch::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .args([format!(
                "--address=unix:dir={}",
                runtime_dir.path().display()
            )])
            .env("DISPLAY", desktop.display())
            .env("XDG_RUNTIME_DIR", runtime_dir.path())
            .start();
        Some(Bus {
            address: daemon.wait_for("unix:"),
            _daemon: daemon,
            runtime_dir,
        })
    }

    /// The value of `DBUS_SESSION_BUS_ADDRESS`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The value of `XDG_RUNTIME_DIR`.
    #[must_use]
    pub fn runtime_dir(&self) -> &Path {
        self.runtime_dir.path()
    }
}
