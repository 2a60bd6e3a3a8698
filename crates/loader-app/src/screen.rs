//! What opens over the window. A screen knows neither the window nor the session: it says what
//! is to be done by an action.

pub mod stream_card;
pub mod text_dialog;
