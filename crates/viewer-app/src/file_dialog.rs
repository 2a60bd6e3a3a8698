//! The file dialog of the desktop for saving. It asks before it returns the path of an existing
//! file.

use std::env;

use gui_common::desktop::file_dialog::{Answer, answer};
use gui_common::tr;
use iced::{Task, window};
use rfd::AsyncFileDialog;

/// Asks for the path of a file to save, with the suggested `name`.
pub(crate) fn save_as(name: String) -> Task<Answer> {
    window::oldest()
        .then(move |window| {
            let dialog = dialog(&name);
            match window {
                // With a parent, the dialog stays above the window.
                Some(id) => window::run(id, |window| dialog.set_parent(window)),
                None => Task::done(dialog),
            }
        })
        .then(|dialog| Task::future(answer(dialog.save_file())))
}

fn dialog(name: &str) -> AsyncFileDialog {
    let dialog = AsyncFileDialog::new()
        .set_title(tr!("save-dialog"))
        .set_file_name(name);
    match env::home_dir() {
        Some(home) => dialog.set_directory(home),
        None => dialog,
    }
}
