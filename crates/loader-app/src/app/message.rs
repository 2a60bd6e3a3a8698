//! What can happen to the window.

use std::time::Instant;

use gui_common::desktop::clipboard::{ClipboardError, Pasted};
use gui_common::desktop::file_dialog::Answer;
use gui_common::session::monitor;
use gui_common::session::worker::WorkerError;
use gui_common::widget::content_pane;
use gui_common::widget::main_window;
use shm_io::{Address, Released, Viewers};

use crate::screen::{stream_card, text_dialog};
use crate::session::{LoadError, Loaded, News, Reply};

/// What can happen.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// An event that every main window handles.
    Window(main_window::Message),
    /// The path was edited.
    PathEdited(String),
    /// The path is complete.
    PathSubmitted,
    /// The button "Load", or its shortcut.
    LoadPressed,
    /// The button "Load Image From File...", or its shortcut.
    LoadImagePressed,
    /// The button "Clear".
    ClearPressed,
    /// The button "Release", or its shortcut.
    ReleasePressed,
    /// The button "Stream...", or "Stop" while a stream plays, or their shortcut.
    StreamPressed,
    /// Something happened on the card that starts a stream.
    StreamCard(stream_card::Message),
    /// The file dialog for a stream ended, with or without a choice.
    StreamSourceChosen(Answer),
    /// Something happened to the stream of that number.
    StreamNews(u64, News),
    /// Something happened in the input dialog.
    Dialog(text_dialog::Message),
    /// The file dialog ended, one way or another.
    FileDialogEnded(Answer),
    /// The file of that number was loaded, the first of some more, or not.
    FileLoaded {
        /// Tells it from one that was given up before.
        number: u64,
        /// How many more files there were.
        others: usize,
        /// What came of it.
        reply: Reply<Loaded, LoadError>,
    },
    /// What was pasted was loaded, or not.
    PastedLoaded(Reply<Loaded, LoadError>),
    /// The shortcut to load what is in the clipboard.
    PastePressed,
    /// The clipboard was asked.
    Pasted(Result<Pasted, ClipboardError>),
    /// A text was loaded, or not.
    TextLoaded(Reply<Loaded, LoadError>),
    /// The picture of that number was loaded, or not.
    PictureLoaded(u64, Reply<Loaded, LoadError>),
    /// It is time to look how far the picture is.
    Glance(Instant),
    /// The button "Cancel", or Escape: the dialog, or else the picture on its way, is not wanted.
    CancelPressed,
    /// What was loaded was blanked, or not.
    Cleared(Reply<Option<Address>, LoadError>),
    /// What was loaded was let go of.
    Released(Result<Option<Released>, WorkerError>),
    /// It was looked whether what is loaded was removed by somebody else.
    LossChecked(Result<Option<Address>, WorkerError>),
    /// The button "Load again", or its shortcut.
    LoadAgainPressed,
    /// What was lost was loaded again, or not; `None` where it was not there any more.
    LoadedAgain(Reply<Option<Loaded>, LoadError>),
    /// Something was seen under the key of what is loaded, which is not in the key field.
    Guarded(monitor::Notification),
    /// Something was seen in shared memory.
    Seen(monitor::Notification),
    /// Somebody came to watch what is loaded, has shown it, or has left.
    Watched(Viewers),
    /// It was asked for the list of those who watch, or enough of it.
    WatchersToggled,
    /// Something happened in the content pane.
    Pane(content_pane::Message),
    /// A key was pressed that does something wherever the focus is.
    Shortcut(fn() -> Message),
    /// The path field should have the focus.
    FocusPath,
}
