//! Runs a program and records its peak memory: `peak FILE PROGRAM [ARGUMENT …]`.
//!
//! The kernel attributes to a program the memory that its parent had when it started it. A test may
//! have much memory, so it starts the program through this one.

use std::{
    env, fs, io,
    mem::MaybeUninit,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(file), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: peak FILE PROGRAM [ARGUMENT …]");
        return ExitCode::from(2);
    };
    let ended = Command::new(program).args(arguments).status();
    let noted = peak_of_children().and_then(|bytes| fs::write(file, bytes.to_string()));
    match noted.and(ended) {
        Ok(status) => status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .map_or(ExitCode::from(3), ExitCode::from),
        Err(error) => {
            eprintln!("peak: {error}");
            ExitCode::from(3)
        }
    }
}

/// Returns the peak memory of the largest child that has ended, in bytes, including shared memory.
#[expect(unsafe_code, reason = "no safe API returns it")]
fn peak_of_children() -> io::Result<u64> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes a whole structure there.
    if unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, and zeros are a valid structure anyway.
    let usage = unsafe { usage.assume_init() };
    let kilobytes = u64::try_from(usage.ru_maxrss).map_err(io::Error::other)?;
    Ok(kilobytes * 1024)
}
