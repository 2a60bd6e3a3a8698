//! Pictures between their file or segment and the screen: pixels, decoders, zoom, statistics.

pub(crate) mod camera;
pub mod decoder_panic;
pub mod draw_latency;
pub mod drawable;
pub mod limit;
pub(crate) mod picture_view;
pub mod pixels;
pub mod stream_stats;
