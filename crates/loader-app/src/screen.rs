//! What opens over the window. A screen knows neither the window nor the session: it says what
//! is to be done by an action.

pub(crate) mod stream_card;
pub(crate) mod text_dialog;
