//! Shows the replies of the session in the status line.

use gui_common::session::worker::WorkerError;
use gui_common::text::language;
use gui_common::tr;
use gui_common::widget::status::Status;
use shm_io::{Address, Released};

use super::State;
use crate::session::{LoadError, Loaded, Reply, describe_released};

impl State {
    pub(super) fn take_reply(&mut self, reply: Reply<Loaded, LoadError>, note: Option<String>) {
        match reply {
            Ok(Ok(loaded)) => self.take_loaded(loaded, note),
            Ok(Err(error)) => self.window.status.set(failure(&error)),
            Err(error) => self.window.status.set(Status::error(error.to_string())),
        }
    }

    /// Shows and records what was loaded; `note` is an additional text.
    pub(super) fn take_loaded(&mut self, loaded: Loaded, note: Option<String>) {
        self.show_loaded(loaded.to_string(), &loaded, note);
        self.attach(loaded);
    }

    /// Shows what was loaded, with its warnings and `note`.
    pub(super) fn show_loaded(&mut self, text: String, loaded: &Loaded, note: Option<String>) {
        let warning = loaded.warning();
        let exposure = loaded.exposure();
        let has_warning = warning.is_some() || exposure.is_some();
        let status = if has_warning || note.is_some() {
            Status::warning(text)
        } else {
            Status::success(text)
        };
        let released = loaded.released.as_ref().map(describe_released);
        let remedies: Vec<String> = [warning, exposure, released, note]
            .into_iter()
            .flatten()
            .collect();
        self.window.status.set(match remedies.is_empty() {
            true => status,
            false => status.with_remedy(language::sentences(remedies)),
        });
    }

    pub(super) fn take_cleared(&mut self, reply: Reply<Option<Address>, LoadError>) {
        self.window.status.set(match reply {
            Ok(Ok(Some(key))) => Status::success(tr!("cleared", key = key)),
            Ok(Ok(None)) => Status::neutral(tr!("clear-nothing")),
            Ok(Err(error)) => Status::error(tr!("clear-failed")).with_remedy(error.remedy()),
            Err(error) => Status::error(error.to_string()),
        });
    }

    pub(super) fn take_released(&mut self, reply: Result<Option<Released>, WorkerError>) {
        if reply.is_ok() {
            self.detach();
        }
        self.window.status.set(match reply {
            Ok(Some(released)) => Status::success(describe_released(&released)),
            Ok(None) => Status::neutral(tr!("release-nothing")),
            Err(error) => Status::error(error.to_string()),
        });
    }
}

pub(super) fn failure(error: &LoadError) -> Status {
    Status::error(error.headline()).with_remedy(error.remedy())
}
