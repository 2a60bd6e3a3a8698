//! Local sockets, beyond what `interprocess` offers: the user of the peer, and writes without a
//! signal.
#![expect(
    unsafe_code,
    reason = "rustix holds that a peer has a process id, which is 0 for one in another pid namespace"
)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd};

use rustix::net::{SendFlags, Shutdown};

/// Returns the user id of the process that created the other end of a connection, from the kernel.
pub(crate) fn peer_user(socket: &impl AsFd) -> io::Result<u32> {
    let mut credentials = MaybeUninit::<libc::ucred>::zeroed();
    let mut length = libc::socklen_t::try_from(mem::size_of::<libc::ucred>())
        .map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open while it is borrowed, and both pointers lead to as many
    // writable bytes as the call is given.
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
    // SAFETY: zeroed, then written by the kernel; any bytes are a valid ucred.
    Ok(unsafe { credentials.assume_init() }.uid)
}

/// Writes without blocking; returns an error, not a signal, if no process reads any more.
pub(crate) fn send(socket: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    Ok(rustix::io::retry_on_intr(|| {
        rustix::net::send(socket, bytes, flags)
    })?)
}

/// Shuts down a connection, or a listener, in every process that has a copy of it.
pub(crate) fn hang_up(socket: &impl AsFd) {
    // Fails if the peer has done so already.
    let _over = rustix::net::shutdown(socket, Shutdown::Both);
}
