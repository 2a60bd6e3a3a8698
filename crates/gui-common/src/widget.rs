//! The parts of a window: what is drawn, what has the focus, which keys do what.
//!
//! A widget knows nothing of segments; it takes what it shows as values and returns messages.

pub mod content_pane;
pub mod drop_target;
pub mod focus;
pub mod form_choice;
pub mod help;
pub mod icon;
pub mod ignore_shortcuts;
pub mod key_field;
pub mod main_window;
pub(crate) mod redraw_at;
pub mod shortcut;
pub mod status;
pub mod theme;
