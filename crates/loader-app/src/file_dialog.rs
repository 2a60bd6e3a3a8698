//! The system's dialog to choose an image file.

use app_kit::file_dialog::{Answer, answer};
use iced::{Task, window};
use rfd::AsyncFileDialog;

use crate::picture_file;

/// Asks for a file.
pub fn pick() -> Task<Answer> {
    window::oldest()
        .then(|window| match window {
            // Belonging to the window, the dialog stands over it.
            Some(id) => window::run(id, |window| dialog().set_parent(window)),
            None => Task::done(dialog()),
        })
        .then(|dialog| Task::future(answer(dialog.pick_file())))
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
