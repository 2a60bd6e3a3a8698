//! The dialogs that open over the window. A dialog knows neither the window nor the session: it
//! returns an action.

pub(crate) mod stream_card;
pub(crate) mod text_dialog;
