//! The outcome of a system's file dialog: a choice, a cancellation, or no dialog at all.
//!
//! The dialog itself reports too little: its answer "no file" means that none was chosen or that no
//! dialog could be shown, and it never answers if the desktop's service crashes. So the message bus
//! is queried beforehand for a service that can show one, and monitored for services that end.

mod services;

use std::env;
use std::path::PathBuf;

use iced::futures::FutureExt;
use iced::futures::future::{self, Either};
use rfd::FileHandle;

use self::services::Services;

/// The program that shows the dialog if there is no portal.
const PROGRAM: &str = "zenity";

/// The outcome of a file dialog.
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

/// Shows a dialog, and waits until it closes or its service ends.
///
/// Without a message bus the end of a service cannot be detected, but then there is no service: the
/// dialog is a separate program, or none.
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
            // Chosen before the service ended.
            Some(file) => Some(file),
            None => return Answer::Died,
        },
    };
    match ended(chosen) {
        // If the backend ends, the portal answers for it.
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
