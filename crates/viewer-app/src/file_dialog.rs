//! The system's dialog to choose where a file goes. It asks itself before it names a file that is
//! there already.

use std::env;

use gui_common::desktop::file_dialog::{Answer, answer};
use gui_common::tr;
use iced::{Task, window};
use rfd::AsyncFileDialog;

/// Asks where to save a file that shall be called `name`.
pub(crate) fn save_as(name: String) -> Task<Answer> {
    window::oldest()
        .then(move |window| {
            let dialog = dialog(&name);
            match window {
                // Belonging to the window, the dialog stands over it.
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
