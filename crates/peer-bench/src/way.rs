//! The ways on which bytes go from one process to another, all with the same two steps.

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

/// A way of moving bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A shared word that both spin on, the payload beside it: the limit of all that polls.
    Spin,
    /// The same, and the receiver copies the payload out.
    SpinCopied,
    /// The same as the first, slept on by futex: the limit of all that sleeps.
    Futex,
    /// This project; polled.
    OursPolled,
    /// This project; asleep until there is something.
    OursBlocking,
    /// This project; asleep in poll, on a notifier's descriptor.
    OursDescriptor,
    /// This project; asleep on twenty keys at once, of which one has something.
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
    /// A Unix socket that keeps the bounds of messages.
    SeqPacket,
    /// The local socket of the crate `interprocess`.
    LocalSocket,
}

/// Which end: one side asks, the other answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Asking,
    Answering,
}

impl Side {
    /// What the direction away from this side is called, and the one towards it.
    fn lanes(self) -> [&'static str; 2] {
        match self {
            Self::Asking => ["there", "back"],
            Self::Answering => ["back", "there"],
        }
    }
}

/// An open way, seen from one side.
pub(crate) trait Link {
    /// Brings bytes to the other side, as a program would that has them lying somewhere.
    fn send(&mut self, payload: &[u8]) -> Outcome;
    /// Waits for what the other side sends, and lends it where it lies.
    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome;
}

impl Way {
    /// Those that bring the newest message; what came before it may be gone.
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

    /// Those that bring every message, in order.
    pub(crate) const EVERY: [Self; 3] = [Self::SeqPacket, Self::OursInOrder, Self::IceoryxBlocking];

    /// Those that wait, one after the other, for more than one message's word.
    pub(crate) const WAITING: [Self; 4] = [
        Self::Futex,
        Self::OursBlocking,
        Self::OursDescriptor,
        Self::OursSet,
    ];

    /// As tables call it.
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

    /// Whether the waiting side burns its core.
    pub(crate) fn is_polled(self) -> bool {
        use Way::{AeronPolled, IceoryxPolled, OursPolled, Spin, SpinCopied};
        matches!(
            self,
            Spin | SpinCopied | OursPolled | IceoryxPolled | AeronPolled
        )
    }

    /// Opens one side for messages of so many bytes. Both sides open at the same time.
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
            .ok_or_else(|| format!("no way is called {name}"))
    }
}
