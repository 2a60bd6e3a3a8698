//! Saves changed settings off the window's thread.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use std::{io, thread};

use iced::Task;
use iced::futures::channel::mpsc as stream_mpsc;

use super::{LoadedSettings, Settings, Switches, file};
use crate::tr;
use crate::widget::status::Status;

/// The time without changes before the settings are written: resizing a window changes them many
/// times a second.
const QUIET_PERIOD: Duration = Duration::from_millis(500);

/// The maximum time that the end of the program waits for the last write.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Holds a window's [`Settings`], and writes them after they have changed, with a short delay and
/// when it is dropped.
#[derive(Debug)]
pub struct SettingsWriter<S> {
    settings: Settings<S>,
    path: Option<PathBuf>,
    is_damaged: bool,
    /// Started by the first change.
    writer: Option<WriterHandle<S>>,
}

impl<S: Switches> SettingsWriter<S> {
    /// Creates a writer from the loaded settings.
    pub fn new(loaded: LoadedSettings<S>) -> SettingsWriter<S> {
        SettingsWriter {
            settings: loaded.settings,
            path: loaded.path,
            is_damaged: loaded.is_damaged,
            writer: None,
        }
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings<S> {
        &self.settings
    }

    /// Changes the settings. The task reports failed writes, including later ones; it ends with the
    /// writer.
    pub fn change(&mut self, change: impl FnOnce(&mut Settings<S>)) -> Task<Status> {
        let before = self.settings.clone();
        change(&mut self.settings);
        let Some(path) = self.path.as_ref().filter(|_| self.settings != before) else {
            return Task::none();
        };
        if let Some(writer) = &self.writer {
            writer.write(self.settings.clone());
            return Task::none();
        }
        let (failures, failures_received) = stream_mpsc::unbounded();
        match WriterHandle::start(path.clone(), self.is_damaged, failures) {
            Ok(writer) => {
                writer.write(self.settings.clone());
                self.writer = Some(writer);
                Task::stream(failures_received)
            }
            // The next change tries again.
            Err(status) => Task::done(status),
        }
    }
}

/// The window's side of the writer thread.
#[derive(Debug)]
struct WriterHandle<S> {
    /// Set to `None` on drop, which ends the thread.
    changes: Option<Sender<Settings<S>>>,
    /// Disconnected when everything is written.
    end: Receiver<()>,
}

impl<S: Switches> WriterHandle<S> {
    fn start(
        path: PathBuf,
        is_damaged: bool,
        failures: stream_mpsc::UnboundedSender<Status>,
    ) -> Result<WriterHandle<S>, Status> {
        let (changes, changed) = mpsc::channel();
        let (at_end, end) = mpsc::channel();
        let mut writer = WriterThread {
            path: path.clone(),
            is_damaged,
            failures,
            has_reported_failure: false,
        };
        let thread = thread::Builder::new().name("settings".to_owned());
        let spawned = thread.spawn(move || {
            writer.work(&changed);
            drop(at_end);
        });
        match spawned {
            Ok(_) => Ok(WriterHandle {
                changes: Some(changes),
                end,
            }),
            Err(error) => Err(write_failure(&path, &error.to_string())),
        }
    }
}

impl<S> WriterHandle<S> {
    fn write(&self, settings: Settings<S>) {
        if let Some(changes) = &self.changes {
            // The thread receives until the channel is closed.
            changes.send(settings).ok();
        }
    }
}

impl<S> Drop for WriterHandle<S> {
    fn drop(&mut self) {
        self.changes = None;
        // Waits for the disconnect, with a timeout: a disk that does not respond must not keep the
        // program from ending.
        self.end.recv_timeout(EXIT_TIMEOUT).ok();
    }
}

/// The state of the writer thread.
struct WriterThread {
    path: PathBuf,
    is_damaged: bool,
    failures: stream_mpsc::UnboundedSender<Status>,
    has_reported_failure: bool,
}

impl WriterThread {
    fn work<S: Switches>(&mut self, changed: &Receiver<Settings<S>>) {
        while let Ok(mut latest) = changed.recv() {
            // Waits until the settings no longer change; at the end of the program, writes at once.
            while let Ok(newer) = changed.recv_timeout(QUIET_PERIOD) {
                latest = newer;
            }
            self.write(&latest);
        }
    }

    fn write<S: Switches>(&mut self, settings: &Settings<S>) {
        // An invalid file that cannot be renamed is not overwritten.
        let written = self
            .set_aside()
            .map_err(|error| error.to_string())
            .and_then(|()| file::write(&self.path, settings).map_err(|error| error.reason()));
        match written {
            Ok(()) => self.has_reported_failure = false,
            // Reports only the first of consecutive failures.
            Err(_) if self.has_reported_failure => {}
            Err(reason) => {
                self.has_reported_failure = true;
                // At the end of the program the receiver is gone.
                self.failures
                    .unbounded_send(write_failure(&self.path, &reason))
                    .ok();
            }
        }
    }

    fn set_aside(&mut self) -> io::Result<()> {
        if self.is_damaged {
            file::set_aside(&self.path)?;
            self.is_damaged = false;
        }
        Ok(())
    }
}

fn write_failure(path: &Path, reason: &str) -> Status {
    Status::warning(tr!("settings-unwritable")).with_remedy(tr!(
        "settings-unwritable-remedy",
        path = path.display(),
        reason = reason
    ))
}
