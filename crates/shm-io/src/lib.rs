//! Reads, follows and publishes named shared memory, whether it belongs to shm-core or to a Qt
//! program.
//!
//! An [`Address`] is a key of either kind. A [`Source`] reads the [`Content`] of a segment or
//! follows it, a [`Sink`] publishes, [`list`] and [`remove`] list and remove segments. The caller
//! does not have to distinguish the kinds.
#![forbid(unsafe_code)]

mod address;
mod content;
pub mod critical;
mod deadline;
mod error;
mod follower;
mod list;
mod past;
mod presence;
mod sink;
mod source;

pub use address::{Address, AddressError};
pub use content::{Content, Publication, RingSize, Stat};
pub use deadline::{Deadline, TIMEOUT};
pub use error::SourceError;
pub use follower::{Begin, Event, Follower, Wanted};
pub use list::{Entry, RemovalError, list, remove};
pub use presence::PresenceGuard;
pub use sink::{
    Attempt, Draft, Drawn, FrameSink, OnViewers, Payload, Published, Released, Sent, Sink,
    SinkError, Unfinished, Viewers,
};
pub use source::{Info, Source};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
