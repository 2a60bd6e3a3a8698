//! Screens and dialogs. A screen does not know the window: it returns an action for the window to
//! execute.

pub(crate) mod history;
mod rows;
pub(crate) mod save_dialog;
pub(crate) mod segment_list;
