//! Ways to send bytes from one process to another, all with the same two operations.

mod aeron;
mod futex;
mod iceoryx;
mod ours;
mod spin;
mod stream;

use std::path::Path;

pub(crate) use aeron::LIBRARY as AERON_LIBRARY;
pub(crate) use ours::octets;

use crate::Outcome;

/// A way to send bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A shared word that both processes spin on, and the payload next to it: the lower bound of
    /// polling.
    Spin,
    /// The same, and the receiver copies the payload out.
    SpinCopied,
    /// The same as the first with a futex: the lower bound of sleeping.
    Futex,
    /// This project; polled.
    OursPolled,
    /// This project; asleep until a sample is published.
    OursBlocking,
    /// This project; asleep in poll, on a notifier's descriptor.
    OursDescriptor,
    /// This project; asleep on twenty keys at once, one of which gets samples.
    OursSet,
    /// This project; every sample in order, each with a wake.
    OursInOrder,
    /// iceoryx2; polled.
    IceoryxPolled,
    /// iceoryx2; asleep in its listener.
    IceoryxEvent,
    /// iceoryx2 with an event, and publishers that wait for subscribers.
    IceoryxBlocking,
    /// Aeron's IPC; polled.
    AeronPolled,
    Pipe,
    UnixSocket,
    /// A Unix socket that preserves message boundaries.
    SeqPacket,
    /// The local socket of the crate `interprocess`.
    LocalSocket,
}

/// The side of a process: one asks, the other answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Asking,
    Answering,
}

impl Side {
    /// Returns the names of the outgoing and of the incoming direction.
    fn lanes(self) -> [&'static str; 2] {
        match self {
            Self::Asking => ["there", "back"],
            Self::Answering => ["back", "there"],
        }
    }
}

/// An open way, seen from one side.
pub(crate) trait Link {
    /// Sends bytes that are in private memory to the other side.
    fn send(&mut self, payload: &[u8]) -> Outcome;
    /// Waits for the next message, and passes it to a function without a copy, if the way allows
    /// that.
    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome;
}

impl Way {
    /// The ways that deliver the newest message, and may drop older ones.
    pub(crate) const NEWEST: [Self; 11] = [
        Self::Spin,
        Self::SpinCopied,
        Self::Futex,
        Self::OursPolled,
        Self::OursBlocking,
        Self::IceoryxPolled,
        Self::AeronPolled,
        Self::IceoryxEvent,
        Self::Pipe,
        Self::UnixSocket,
        Self::LocalSocket,
    ];

    /// The ways that deliver every message in order.
    pub(crate) const EVERY: [Self; 3] = [Self::SeqPacket, Self::OursInOrder, Self::IceoryxBlocking];

    /// The ways that are compared for waiting by a descriptor or for many keys.
    pub(crate) const WAITING: [Self; 4] = [
        Self::Futex,
        Self::OursBlocking,
        Self::OursDescriptor,
        Self::OursSet,
    ];

    /// Returns the name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spin => "raw spin on a shared word",
            Self::SpinCopied => "raw spin that copies as much",
            Self::Futex => "raw futex wait/wake",
            Self::OursPolled => "ours, polled",
            Self::OursBlocking => "ours, asleep",
            Self::OursDescriptor => "ours, by descriptor",
            Self::OursSet => "ours, among twenty keys",
            Self::OursInOrder => "ours, in order",
            Self::IceoryxPolled => "iceoryx2, polled",
            Self::IceoryxEvent => "iceoryx2 with event",
            Self::IceoryxBlocking => "iceoryx2, blocking publishers",
            Self::AeronPolled => "Aeron, polled",
            Self::Pipe => "pipe",
            Self::UnixSocket => "Unix socket",
            Self::SeqPacket => "Unix socket, SOCK_SEQPACKET",
            Self::LocalSocket => "interprocess local socket",
        }
    }

    /// Returns `true` if the waiting side polls.
    pub(crate) fn is_polled(self) -> bool {
        use Way::{AeronPolled, IceoryxPolled, OursPolled, Spin, SpinCopied};
        matches!(
            self,
            Spin | SpinCopied | OursPolled | IceoryxPolled | AeronPolled
        )
    }

    /// Opens one side for messages of `length` bytes. Both sides open at the same time.
    pub(crate) fn open(self, side: Side, place: &Path, bytes: usize) -> Outcome<Box<dyn Link>> {
        Ok(match self {
            Self::Spin => Box::new(spin::Spin::open(side, place, bytes)?),
            Self::SpinCopied => Box::new(spin::Spin::open(side, place, bytes)?.copying()),
            Self::Futex => Box::new(futex::Futex::open(side, place, bytes)?),
            Self::OursPolled => Box::new(ours::Ours::open(side, place, true)?),
            Self::OursBlocking => Box::new(ours::Ours::open(side, place, false)?),
            Self::OursDescriptor => Box::new(ours::Descriptor::open(side, place)?),
            Self::OursSet => Box::new(ours::Set::open(side, place)?),
            Self::OursInOrder => Box::new(ours::InOrder::open(side, place)?),
            Self::IceoryxPolled | Self::IceoryxEvent | Self::IceoryxBlocking => {
                Box::new(iceoryx::Iceoryx::open(self, side, place, bytes)?)
            }
            Self::AeronPolled => Box::new(aeron::Aeron::open(side, place)?),
            Self::Pipe => stream::pipe(side, place, bytes)?,
            Self::UnixSocket => stream::unix_socket(side, place, bytes)?,
            Self::SeqPacket => stream::seqpacket(side, place, bytes)?,
            Self::LocalSocket => stream::local_socket(side, place, bytes)?,
        })
    }
}

impl std::str::FromStr for Way {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let ways = Self::NEWEST.into_iter().chain(Self::EVERY);
        let mut ways = ways.chain(Self::WAITING);
        ways.find(|way| way.name() == name)
            .ok_or_else(|| format!("unknown way {name}"))
    }
}
