//! Pictures between their file or segment and the screen: pixels, zoom, latency, limits.
//!
//! A module belongs here if it converts, scales, shows or measures pictures, or bounds the memory
//! that they take. Reading and writing picture files belongs in the programs; only what both of
//! their decoders need, such as the memory limit and the handling of panics, is here.

pub(crate) mod camera;
pub mod decoder_panic;
pub mod draw_latency;
pub mod drawable;
pub mod limit;
pub(crate) mod picture_view;
pub mod pixels;
pub mod stream_stats;
