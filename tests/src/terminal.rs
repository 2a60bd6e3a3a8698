//! A pseudo-terminal that a program writes to.
#![expect(unsafe_code, reason = "no safe API here opens a pseudo-terminal")]

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
};

/// Opens a pseudo-terminal: the side that the user sees, and the side that a program writes to. The
/// kernel passes all bytes unchanged.
pub(crate) fn open() -> (File, OwnedFd) {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).custom_flags(libc::O_NOCTTY);
    let seen = options.open("/dev/ptmx").expect("there are terminals");
    let locked: libc::c_int = 0;
    // SAFETY: the descriptor is open, and the request reads one number that is there.
    let unlocked = unsafe { libc::ioctl(seen.as_raw_fd(), libc::TIOCSPTLCK, &raw const locked) };
    assert_eq!(unlocked, 0, "{}", io::Error::last_os_error());
    // Not by its name, and closed in children that other tests start meanwhile: it ends with the
    // last process that has it open.
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the descriptor is open, and the request takes a number.
    let written = unsafe { libc::ioctl(seen.as_raw_fd(), libc::TIOCGPTPEER, flags) };
    assert!(written >= 0, "{}", io::Error::last_os_error());
    // SAFETY: the kernel has just opened it for this process alone.
    let written = unsafe { OwnedFd::from_raw_fd(written) };
    leave_output_alone(&written);
    (seen, written)
}

/// Keeps the kernel from inserting a carriage return before a line feed.
fn leave_output_alone(terminal: &OwnedFd) {
    // SAFETY: zeros are valid for all of its fields.
    let mut modes: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open, and `modes` is writable.
    let told = unsafe { libc::tcgetattr(terminal.as_raw_fd(), &raw mut modes) };
    assert_eq!(told, 0, "{}", io::Error::last_os_error());
    modes.c_oflag &= !libc::OPOST;
    // SAFETY: the descriptor is open, and `modes` is the kernel's own value with one bit changed.
    let set = unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &raw const modes) };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
}
