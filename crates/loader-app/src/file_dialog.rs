//! The system's dialog to choose an image file.
//!
//! Its answer cannot be relied on: no file means that none was chosen, or that no dialog could
//! be shown, and a desktop service that dies leaves the question open for ever. So the window
//! never waits for it, and has a path field beside the button.

use std::path::PathBuf;

use iced::{Task, window};
use rfd::AsyncFileDialog;

use crate::picture_file;

/// Asks for a file. The task may never end.
pub fn pick() -> Task<Option<PathBuf>> {
    window::oldest()
        .then(|window| match window {
            // Belonging to the window, the dialog stands over it.
            Some(id) => window::run(id, |window| dialog().set_parent(window)),
            None => Task::done(dialog()),
        })
        .then(|dialog| Task::future(dialog.pick_file()))
        .map(|file| file.map(|file| file.path().to_owned()))
}

fn dialog() -> AsyncFileDialog {
    AsyncFileDialog::new()
        .set_title("Select an image file")
        .add_filter("Images", &endings_in_both_cases())
        .add_filter("All files", &["*"])
}

/// The filters of some dialogs take upper and lower case for different endings; cameras write
/// `.JPG`.
fn endings_in_both_cases() -> Vec<String> {
    let lower = picture_file::ENDINGS.iter().map(ToString::to_string);
    let upper = picture_file::ENDINGS
        .iter()
        .map(|ending| ending.to_ascii_uppercase());
    lower.chain(upper).collect()
}
