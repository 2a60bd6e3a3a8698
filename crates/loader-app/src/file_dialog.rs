//! The system's dialogs to choose an image file, an animated GIF, or a folder.

use gui_common::desktop::file_dialog::{Answer, answer};
use gui_common::tr;
use iced::{Task, window};
use rfd::{AsyncFileDialog, FileHandle};

use crate::picture_file;

/// Asks for an image file.
pub(crate) fn pick() -> Task<Answer> {
    show(
        || {
            AsyncFileDialog::new()
                .set_title(tr!("file-dialog-image"))
                .add_filter(tr!("file-dialog-images"), &endings_in_both_cases())
                .add_filter(tr!("file-dialog-all"), &["*"])
        },
        AsyncFileDialog::pick_file,
    )
}

/// Asks for an animated GIF.
pub(crate) fn pick_gif() -> Task<Answer> {
    show(
        || {
            AsyncFileDialog::new()
                .set_title(tr!("file-dialog-gif"))
                .add_filter("GIF", &["gif", "GIF"])
                .add_filter(tr!("file-dialog-all"), &["*"])
        },
        AsyncFileDialog::pick_file,
    )
}

/// Asks for a folder.
pub(crate) fn pick_folder() -> Task<Answer> {
    show(
        || AsyncFileDialog::new().set_title(tr!("file-dialog-folder")),
        AsyncFileDialog::pick_folder,
    )
}

fn show<F>(
    dialog: fn() -> AsyncFileDialog,
    pick: impl Fn(AsyncFileDialog) -> F + Send + 'static,
) -> Task<Answer>
where
    F: Future<Output = Option<FileHandle>> + Send + 'static,
{
    window::oldest()
        .then(move |window| match window {
            // Belonging to the window, the dialog stands over it.
            Some(id) => window::run(id, move |window| dialog().set_parent(window)),
            None => Task::done(dialog()),
        })
        .then(move |dialog| Task::future(answer(pick(dialog))))
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
