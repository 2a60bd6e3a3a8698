//! What opens in the window or over it. A screen knows neither the window nor the session: it says
//! what is to be done by an action.

pub(crate) mod history;
mod rows;
pub(crate) mod save_dialog;
pub(crate) mod segment_list;
