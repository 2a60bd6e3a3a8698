//! The system's dialog to choose where a file goes. It asks itself before it names a file that is
//! there already.
//!
//! Its answer cannot be relied on: no file means that none was chosen, or that no dialog could be
//! shown, and a desktop service that dies leaves the question open for ever. So the window never
//! waits for it, and has a path field beside the button.

use std::env;
use std::path::PathBuf;

use iced::{Task, window};
use rfd::AsyncFileDialog;

/// Asks where to save a file that shall be called `name`. The task may never end.
pub(crate) fn save_as(name: String) -> Task<Option<PathBuf>> {
    window::oldest()
        .then(move |window| {
            let dialog = dialog(&name);
            match window {
                // Belonging to the window, the dialog stands over it.
                Some(id) => window::run(id, |window| dialog.set_parent(window)),
                None => Task::done(dialog),
            }
        })
        .then(|dialog| Task::future(dialog.save_file()))
        .map(|file| file.map(|file| file.path().to_owned()))
}

fn dialog(name: &str) -> AsyncFileDialog {
    let dialog = AsyncFileDialog::new()
        .set_title("Save as")
        .set_file_name(name);
    match env::home_dir() {
        Some(home) => dialog.set_directory(home),
        None => dialog,
    }
}
