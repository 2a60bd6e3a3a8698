//! The messages of the window.

use std::time::Instant;

use gui_common::desktop::clipboard::{ClipboardError, Pasted};
use gui_common::desktop::file_dialog::Answer;
use gui_common::session::monitor;
use gui_common::session::worker::WorkerError;
use gui_common::widget::content_pane;
use gui_common::widget::main_window;
use shm_io::{Address, Released, Viewers};

use crate::screen::{stream_card, text_dialog};
use crate::session::{LoadError, Loaded, Reply, StreamEvent};

/// A message of the window.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// An event that every main window handles.
    Window(main_window::Message),
    /// The user edited the path.
    PathEdited(String),
    /// The user submitted the path.
    PathSubmitted,
    /// The button "Load", or its shortcut.
    LoadPressed,
    /// The button "Load Image From File...", or its shortcut.
    LoadImagePressed,
    /// The button "Clear".
    ClearPressed,
    /// The button "Release", or its shortcut.
    ReleasePressed,
    /// The button "Stream...", or "Stop" while a stream runs, or their shortcut.
    StreamPressed,
    /// A message of the stream card.
    StreamCard(stream_card::Message),
    /// The file dialog for a stream closed.
    StreamSourceChosen(Answer),
    /// An event of the stream with this number.
    StreamEvent(u64, StreamEvent),
    /// A message of the text dialog.
    Dialog(text_dialog::Message),
    /// The file dialog closed.
    FileDialogEnded(Answer),
    /// The load of a dropped or pasted file ended.
    FileLoaded {
        /// The number of the load.
        number: u64,
        /// The number of further files, which are not loaded.
        others: usize,
        /// The result.
        reply: Reply<Loaded, LoadError>,
    },
    /// The load of a pasted text or picture ended.
    PastedLoaded(Reply<Loaded, LoadError>),
    /// The shortcut that loads the clipboard.
    PastePressed,
    /// The clipboard was read.
    Pasted(Result<Pasted, ClipboardError>),
    /// The load of a text ended.
    TextLoaded(Reply<Loaded, LoadError>),
    /// The load of the picture with this number ended.
    PictureLoaded(u64, Reply<Loaded, LoadError>),
    /// The progress is due for an update.
    Tick(Instant),
    /// The button "Cancel", or Escape: closes the dialog, or else cancels the load.
    CancelPressed,
    /// The call that clears the content ended.
    Cleared(Reply<Option<Address>, LoadError>),
    /// The call that releases the segment ended.
    Released(Result<Option<Released>, WorkerError>),
    /// The check for a lost segment ended.
    LossChecked(Result<Option<Address>, WorkerError>),
    /// The button "Load again", or its shortcut.
    LoadAgainPressed,
    /// The call that restores lost content ended; `None` if there was nothing to restore.
    LoadedAgain(Reply<Option<Loaded>, LoadError>),
    /// A notification of the monitor for the key of the loaded content.
    GuardObserved(monitor::Notification),
    /// A notification of the monitor for the key in the key field.
    Observed(monitor::Notification),
    /// A viewer of the segment arrived, showed a sample, or left.
    ViewersChanged(Viewers),
    /// The button that opens or closes the list of viewers.
    ViewerListToggled,
    /// A message of the content pane.
    Pane(content_pane::Message),
    /// A shortcut, for any focus.
    Shortcut(fn() -> Message),
    /// The shortcut that focuses the path field.
    FocusPath,
}
