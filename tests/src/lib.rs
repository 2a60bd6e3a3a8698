//! What the end-to-end tests are made of.
//!
//! A [`Scene`] is a private directory for segments and a key that nobody else uses. Into it go the real
//! programs, each a [`Program`] that is followed by what it prints and ends when it is dropped. A
//! [`Desktop`] is a display of a test's own with a window manager on it, and a [`Window`] what a person
//! does with mouse and keyboard; a [`Screen`] is what they would see, pixel by pixel.
//!
//! Nothing here waits for time to pass: tests wait for printed lines, for windows, for pixels. The
//! time-out behind each wait only turns a hang into a failure.

#![allow(
    clippy::missing_panics_doc,
    reason = "a step of a test that goes wrong is a panic: the harness is made to do that"
)]

mod binaries;
mod bus;
mod desktop;
mod drag;
mod evening;
pub mod forgery;
mod glimpse;
mod launch;
pub mod layout;
mod loader_window;
mod other_user;
mod output;
mod picture;
mod private_dir;
mod program;
mod qt_example;
mod scene;
mod schema;
mod screen;
mod skip;
mod small_disk;
mod terminal;
mod tracer;
mod viewer_window;
mod window;

pub use binaries::binaries_folder;
pub use bus::Bus;
pub use desktop::Desktop;
pub use drag::Drag;
pub use evening::evening;
pub use glimpse::Glimpse;
pub use launch::Launch;
pub use loader_window::LoaderWindow;
pub use other_user::OtherUser;
pub use picture::{Picture, PictureFile};
pub use private_dir::PrivateDir;
pub use program::{Outcome, Program, Signal};
pub use qt_example::QtExample;
pub use scene::Scene;
pub use schema::Schema;
pub use screen::{Area, Screen};
pub use skip::skip;
pub use small_disk::SmallDisk;
pub use tracer::{Step, Stores, Tracer};
pub use viewer_window::ViewerWindow;
pub use window::Window;

use std::time::Duration;

/// How long anything may take before the test calls it a hang.
///
/// Generous, because a loaded machine with two cores is slow and still right.
pub const PATIENCE: Duration = Duration::from_secs(60);
