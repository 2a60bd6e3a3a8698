//! The parts of a window: what is drawn, what has the focus, and what keys do.
//!
//! A module belongs here if both programs draw it, or if it defines how their windows look and
//! react: the theme, fields, the status line, the help, shortcuts, and [`main_window`], the state
//! that every main window has. A widget takes values and returns messages; it opens no segment,
//! file or clipboard and never blocks. What only one program shows belongs in its `screen` folder.

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
