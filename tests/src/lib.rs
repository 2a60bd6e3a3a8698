//! The harness of the end-to-end tests.
//!
//! A [`Fixture`] is a private directory for segments and a unique key. The real programs run in it,
//! each as a [`Program`] whose output is collected and that ends on drop. A [`Desktop`] is a
//! private display with a window manager; a [`Window`] simulates the user's mouse and keyboard; a
//! [`Screen`] is what the user sees, pixel by pixel.
//!
//! Tests do not wait for time to pass: they wait for printed lines, windows and pixels. The timeout
//! of each wait only turns a hang into a failure.

#![allow(
    clippy::missing_panics_doc,
    reason = "a step of a test that goes wrong is a panic: the harness is made to do that"
)]

mod binaries;
mod bus;
pub mod corruption;
mod demo_image;
mod desktop;
mod drag;
mod fixture;
mod frame_probe;
mod launch;
pub mod layout;
mod loader_window;
mod other_user;
mod output;
mod picture;
mod private_dir;
mod program;
mod qt_example;
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
pub use demo_image::demo_image;
pub use desktop::Desktop;
pub use drag::Drag;
pub use fixture::Fixture;
pub use frame_probe::FrameProbe;
pub use launch::Launch;
pub use loader_window::LoaderWindow;
pub use other_user::OtherUser;
pub use picture::{Picture, PictureFile};
pub use private_dir::PrivateDir;
pub use program::{Outcome, Program, Signal};
pub use qt_example::QtExample;
pub use schema::Schema;
pub use screen::{Area, Screen};
pub use skip::skip;
pub use small_disk::SmallDisk;
pub use tracer::{Step, Stores, Tracer};
pub use viewer_window::ViewerWindow;
pub use window::Window;

use std::time::Duration;

/// The timeout after which a test reports a hang.
///
/// Generous, because a loaded machine with two cores is slow and still correct.
pub const TIMEOUT: Duration = Duration::from_secs(60);
