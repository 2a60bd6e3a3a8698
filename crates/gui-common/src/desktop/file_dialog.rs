//! What became of a system's file dialog: a choice, a cancellation, or no dialog at all.
//!
//! The dialog itself says too little. Its answer "no file" means that none was chosen, or that
//! no dialog could be shown; and when the desktop's service dies, it never answers. So the desktop's
//! message bus is asked beforehand for what can show one, and meanwhile for what dies.

mod services;

use std::env;
use std::path::PathBuf;

use iced::futures::FutureExt;
use iced::futures::future::{self, Either};
use rfd::FileHandle;

use self::services::Services;

/// The program that shows the dialog where there is no portal.
const PROGRAM: &str = "zenity";

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

/// Shows a dialog, and waits for its end or for that of what shows it.
///
/// Without a message bus nothing tells when the service dies; then there is no service either, and
/// the dialog is a program of its own, or none.
pub async fn answer(dialog: impl Future<Output = Option<FileHandle>>) -> Answer {
    let services = Services::watch().await;
    let mut services = match services {
        Ok(services) if services.can_show_dialogs().await => services,
        _ if has_program() => return ended(dialog.await),
        _ => return Answer::NotShown,
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
    match ended(chosen) {
        // What shows the dialog may die, and what passed the question on answers for it.
        Answer::Cancelled if services.have_died().await => Answer::Died,
        answer => answer,
    }
}

fn ended(chosen: Option<FileHandle>) -> Answer {
    chosen.map_or(Answer::Cancelled, |file| {
        Answer::Chosen(file.path().to_owned())
    })
}

fn has_program() -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(PROGRAM).is_file()))
}
