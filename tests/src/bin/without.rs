//! Runs a program on a system without unnamed files: `without O_TMPFILE PROGRAM [ARGUMENT …]`.
//!
//! A seccomp filter answers like a file system that does not support them. It applies to the
//! program and its children, and needs no privileges.

use std::{
    env, io,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(lack), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: without O_TMPFILE PROGRAM [ARGUMENT …]");
        return ExitCode::from(2);
    };
    if lack != "O_TMPFILE" {
        eprintln!("without: {} is not known", lack.display());
        return ExitCode::from(2);
    }
    let error = match deny_unnamed_files() {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => error,
    };
    eprintln!("without: {error}");
    ExitCode::from(3)
}

/// Makes every way to open a file fail with `EOPNOTSUPP` if it requests `O_TMPFILE`.
#[expect(unsafe_code, reason = "a seccomp filter has no safe wrapper")]
fn deny_unnamed_files() -> io::Result<()> {
    let mut program = refusal(libc::SYS_openat, 2)?.to_vec();
    #[cfg(target_arch = "x86_64")]
    program.extend(refusal(libc::SYS_open, 1)?);
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: this option takes no pointer. An unprivileged process has to set it first.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the filter and its program are alive for the call, which copies them.
    if unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filter) } != 0 {
        return Err(io::Error::last_os_error());
    }
    check()
}

/// Requests an unnamed file the way the library does, and expects a refusal.
fn check() -> io::Result<()> {
    match rustix::fs::open("/dev/shm", OFlags::TMPFILE | OFlags::RDWR, Mode::RWXU) {
        Err(Errno::OPNOTSUPP) => Ok(()),
        other => Err(io::Error::other(format!("no such refusal: {other:?}"))),
    }
}

/// Refuses the system call of this number if its argument of this index requests `O_TMPFILE`, and
/// lets the filter continue otherwise.
fn refusal(number: libc::c_long, argument: u32) -> io::Result<[libc::sock_filter; 5]> {
    /// Where `struct seccomp_data` has the call's number, and its arguments of eight bytes.
    const NUMBER: u32 = 0;
    const ARGUMENTS: u32 = 16;
    let number = u32::try_from(number).map_err(io::Error::other)?;
    let unnamed = (libc::O_TMPFILE & !libc::O_DIRECTORY).unsigned_abs();
    Ok([
        load(NUMBER),
        jump(libc::BPF_JEQ, number, 0, 3),
        load(ARGUMENTS + 8 * argument),
        jump(libc::BPF_JSET, unnamed, 0, 1),
        answer(libc::SECCOMP_RET_ERRNO | libc::EOPNOTSUPP.unsigned_abs()),
    ])
}

fn load(offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn jump(test: u32, operand: u32, if_so: u8, if_not: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | test | libc::BPF_K, operand, if_so, if_not)
}

fn answer(value: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, value, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    // All codes are below 256.
    let code = u16::try_from(code).unwrap_or_default();
    libc::sock_filter { code, jt, jf, k }
}
