//! The message bus of a desktop session.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Desktop, Launch, PrivateDir, Program, skip};

/// Where the system stores how the services of a desktop are started.
const SYSTEM_SERVICES: &str = "/usr/share/dbus-1/services";
/// The services that a file dialog needs, and no others: the portal, and GTK's implementation that
/// it forwards to.
const SERVICES: [&str; 2] = [
    "org.freedesktop.portal.Desktop.service",
    "org.freedesktop.impl.portal.desktop.gtk.service",
];

/// A session bus for one test. Services start on it on demand, and end with it.
#[derive(Debug)]
pub struct Bus {
    address: String,
    _daemon: Program,
    /// The socket, the services' configuration, and a private home.
    directory: PrivateDir,
}

impl Bus {
    /// Starts a bus whose services open their windows on `desktop`. Returns `None` and reports the
    /// test as skipped if the services are not installed.
    #[must_use]
    pub fn open(desktop: &Desktop) -> Option<Bus> {
        Bus::with_services(desktop, &SERVICES)
    }

    /// Starts a bus without a service for dialogs. Skipped if there is no bus at all.
    #[must_use]
    pub fn without_portal(desktop: &Desktop) -> Option<Bus> {
        Bus::with_services(desktop, &[])
    }

    fn with_services(desktop: &Desktop, services: &[&str]) -> Option<Bus> {
        let directory = PrivateDir::on_disk();
        let Ok(configuration) = configure(directory.path(), services) else {
            skip("xdg-desktop-portal-gtk is not installed");
            return None;
        };
        let daemon = Launch::new("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .args([format!("--config-file={}", configuration.display())])
            .env("DISPLAY", desktop.display())
            .env("XDG_RUNTIME_DIR", directory.path())
            .env("HOME", directory.path())
            .env("XDG_CONFIG_HOME", directory.path())
            // Newer portals need the desktop's name to choose an implementation of the dialog.
            .env("XDG_CURRENT_DESKTOP", "GNOME")
            // Settings in a file that a test can write: see `set_dark`.
            .env("GSETTINGS_BACKEND", "keyfile")
            .env("GIO_USE_VFS", "local")
            .env("NO_AT_BRIDGE", "1")
            .start();
        Some(Bus {
            address: daemon.wait_for("unix:"),
            _daemon: daemon,
            directory,
        })
    }

    /// Returns the value of `DBUS_SESSION_BUS_ADDRESS`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Switches the whole desktop to dark or light, as the user does in the settings.
    pub fn set_dark(&self, is_dark: bool) {
        let scheme = if is_dark {
            "prefer-dark"
        } else {
            "prefer-light"
        };
        let directory = self.directory.path().join("glib-2.0/settings");
        let settings = format!("[org/gnome/desktop/interface]\ncolor-scheme='{scheme}'\n");
        fs::create_dir_all(&directory)
            .and_then(|()| fs::write(directory.join("keyfile"), settings))
            .expect("the directory is ours");
    }

    /// Kills a service that was started on this bus.
    pub fn kill(&self, service: &str) {
        let answer = Launch::new("dbus-send")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .args(["--session", "--print-reply=literal"])
            .args(["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
            .args(["org.freedesktop.DBus.GetConnectionUnixProcessID"])
            .args([format!("string:{service}")])
            .run()
            .done();
        // "   uint32 4711"
        let pid = answer.text().split_whitespace().last().map(str::parse);
        let pid = pid.and_then(Result::ok).and_then(Pid::from_raw);
        kill_process(pid.expect("the service runs"), Signal::KILL).expect("the service is ours");
    }

    /// Returns the value of `XDG_RUNTIME_DIR`.
    #[must_use]
    pub fn runtime_dir(&self) -> &Path {
        self.directory.path()
    }
}

/// Writes a configuration for a bus in `directory` that can start `services`.
fn configure(directory: &Path, services: &[&str]) -> io::Result<PathBuf> {
    for service in services {
        let installed = Path::new(SYSTEM_SERVICES).join(service);
        installed.metadata()?;
        symlink(installed, directory.join(service))?;
    }
    let path = directory.join("bus.conf");
    let directory = directory.display();
    fs::write(
        &path,
        format!(
            r#"<busconfig>
  <type>session</type>
  <listen>unix:dir={directory}</listen>
  <servicedir>{directory}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#
        ),
    )?;
    Ok(path)
}
