//! Local sockets, as far as `interprocess` leaves off: who is at the other end, and writing
//! without a signal.
#![expect(
    unsafe_code,
    reason = "rustix holds that a peer has a process id, which is 0 for one in another pid namespace"
)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd};

use rustix::net::{SendFlags, Shutdown};

/// The user id of whoever made the other end of a connection, as the kernel knows it.
pub(crate) fn peer_user(socket: &impl AsFd) -> io::Result<u32> {
    let mut credentials = MaybeUninit::<libc::ucred>::zeroed();
    let mut length = libc::socklen_t::try_from(mem::size_of::<libc::ucred>())
        .map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open while it is borrowed, and both pointers lead to as many
    // writable bytes as is said.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            credentials.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was zeroed and then written by the kernel; any bytes are a valid ucred.
    Ok(unsafe { credentials.assume_init() }.uid)
}

/// Writes without waiting; an error, not a signal, where nobody reads any more.
pub(crate) fn send(socket: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    Ok(rustix::io::retry_on_intr(|| {
        rustix::net::send(socket, bytes, flags)
    })?)
}

/// Ends a connection, or a listener, for every process that has a copy of it.
pub(crate) fn hang_up(socket: &impl AsFd) {
    // Whoever is at the other end may have done so already.
    let _over = rustix::net::shutdown(socket, Shutdown::Both);
}
