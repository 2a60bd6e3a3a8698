//! What became of a system's file dialog: a choice, a cancellation, or no dialog at all.
//!
//! The dialog itself says too little. Its answer "no file" means that none was chosen, or that
//! no dialog could be shown; and when the desktop's service dies, it never answers. So while one
//! is open its error log is read along, and the desktop's message bus is asked who dies.

mod errors;
mod services;

use std::path::PathBuf;

use iced::futures::FutureExt;
use iced::futures::future::{self, Either};
use rfd::FileHandle;

use errors::Errors;
use services::Services;

/// How a file dialog ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A file was chosen.
    Chosen(PathBuf),
    /// The dialog was closed without a choice.
    Cancelled,
    /// No dialog could be shown.
    NotShown,
    /// The desktop's service that showed it has ended.
    Died,
}

/// Waits for the end of a dialog, or of what shows it.
///
/// Without a message bus nobody tells when the service dies; then there is no service either, and
/// the dialog is a program of its own, or none.
pub async fn answer(dialog: impl Future<Output = Option<FileHandle>>) -> Answer {
    let errors = Errors::so_far();
    let Ok(mut services) = Services::watch().await else {
        return errors.judge(dialog.await);
    };
    let dialog = Box::pin(dialog.fuse());
    let chosen = match future::select(dialog, Box::pin(services.death())).await {
        Either::Left((chosen, _)) => chosen,
        Either::Right(((), dialog)) => match dialog.now_or_never().flatten() {
            // Chosen before it died.
            Some(file) => Some(file),
            None => return Answer::Died,
        },
    };
    match errors.judge(chosen) {
        // Who shows the dialog may die, and who passed the question on answers for it.
        Answer::Cancelled if services.have_died().await => Answer::Died,
        answer => answer,
    }
}
