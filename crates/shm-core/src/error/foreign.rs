//! Why a file is no segment of the expected owner.

use thiserror::Error;

use crate::lock_holder::UserName;

/// Why a file with a segment's name is not a segment of the expected owner. The text continues a
/// sentence that begins with the file's path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ForeignReason {
    /// A regular file of another user.
    #[error("belongs to user {}, not to user {}", UserName(*found), UserName(*expected))]
    Owner {
        /// The user id of its owner.
        found: u32,
        /// The user id of the owner that a segment would have.
        expected: u32,
    },
    /// A directory.
    #[error("is a directory of user {}, not a regular file", UserName(*owner))]
    Directory {
        /// The user id of its owner.
        owner: u32,
    },
    /// A symbolic link, wherever it leads.
    #[error("is a symbolic link of user {}, not a regular file", UserName(*owner))]
    SymbolicLink {
        /// The user id of its owner.
        owner: u32,
    },
    /// A named pipe.
    #[error("is a named pipe of user {}, not a regular file", UserName(*owner))]
    NamedPipe {
        /// The user id of its owner.
        owner: u32,
    },
    /// A socket.
    #[error("is a socket of user {}, not a regular file", UserName(*owner))]
    Socket {
        /// The user id of its owner.
        owner: u32,
    },
    /// A device.
    #[error("is a device of user {}, not a regular file", UserName(*owner))]
    Device {
        /// The user id of its owner.
        owner: u32,
    },
    /// It does not begin with the magic number.
    #[error("does not begin as a segment does")]
    Magic,
    /// It is shorter than a segment's header.
    #[error("is too short to be a segment")]
    TooShort,
    /// It claims a kind of content that no version of the layout has.
    #[error("is of an unknown kind ({kind})")]
    Kind {
        /// The number of the kind.
        kind: u32,
    },
    /// It claims a number of slots that this version of the layout does not have.
    #[error("claims to have {count} slots")]
    Slots {
        /// The claimed number.
        count: u32,
    },
    /// It claims a block whose size is out of bounds.
    #[error("claims a block of {bytes} bytes")]
    Block {
        /// The claimed size in bytes.
        bytes: u64,
    },
    /// It claims a ring whose size is out of bounds.
    #[error("claims a ring of {bytes} bytes")]
    Ring {
        /// The claimed size in bytes.
        bytes: u64,
    },
    /// It is shorter than its header requires.
    #[error("is cut short: {bytes} bytes of {needed}")]
    CutShort {
        /// Its length.
        bytes: u64,
        /// The length that its header requires.
        needed: u64,
    },
    /// It has less memory than its header requires.
    #[error("claims {bytes} bytes, and has memory for {memory}")]
    Memory {
        /// The claimed number of bytes.
        bytes: u64,
        /// The number of bytes that have memory.
        memory: u64,
    },
}
