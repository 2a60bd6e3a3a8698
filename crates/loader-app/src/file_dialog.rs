//! The desktop's dialogs that choose an image file, an animated GIF, or a folder.

use gui_common::desktop::file_dialog::{Answer, answer};
use gui_common::tr;
use iced::{Task, window};
use rfd::{AsyncFileDialog, FileHandle};

use crate::picture_file;

/// Opens a dialog that chooses an image file.
pub(crate) fn pick() -> Task<Answer> {
    show(
        || {
            AsyncFileDialog::new()
                .set_title(tr!("file-dialog-image"))
                .add_filter(tr!("file-dialog-images"), &extensions_in_both_cases())
                .add_filter(tr!("file-dialog-all"), &["*"])
        },
        AsyncFileDialog::pick_file,
    )
}

/// Opens a dialog that chooses an animated GIF.
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

/// Opens a dialog that chooses a folder.
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
            // With a parent, the dialog stays above the window.
            Some(id) => window::run(id, move |window| dialog().set_parent(window)),
            None => Task::done(dialog()),
        })
        .then(move |dialog| Task::future(answer(pick(dialog))))
}

/// Returns the extensions in lower and upper case: the filters of some dialogs are case-sensitive,
/// and cameras write `.JPG`.
fn extensions_in_both_cases() -> Vec<String> {
    let lower = picture_file::EXTENSIONS.iter().map(ToString::to_string);
    let upper = picture_file::EXTENSIONS
        .iter()
        .map(|extension| extension.to_ascii_uppercase());
    lower.chain(upper).collect()
}
