//! A tracer that stops a program after each step that another process can observe.
//!
//! A step is a system call, or a store into the control area of a segment or the beginning of its
//! ring. The program is not aware of it: it is the production code, run instruction by instruction
//! if necessary. After a crash, other processes can only find the state after one of these steps.
#![expect(unsafe_code, reason = "no safe API traces a program")]

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    fs::{self, File},
    io,
    mem::MaybeUninit,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    ptr,
};

use crate::{Program, layout};

/// The observed part of a segment: its header, its slots, its table of regions, and the first
/// records of its ring.
const CONTROL_BYTES: usize = layout::RING + 0x400;
/// The instruction of a system call.
const CALL_INSTRUCTION: [u8; 2] = [0x0f, 0x05];
/// The breakpoint instruction.
const BREAKPOINT: u8 = 0xcc;
/// Offsets of registers in `struct user_regs_struct`.
const CALL_NUMBER: usize = 15 * 8;
const CALL_RESULT: usize = 10 * 8;
const INSTRUCTION_POINTER: usize = 16 * 8;
/// The older of the calls that open a file.
#[cfg(target_arch = "x86_64")]
const OPEN: libc::c_long = libc::SYS_open;
#[cfg(not(target_arch = "x86_64"))]
const OPEN: libc::c_long = libc::SYS_openat;
/// Values of `op` in the kernel's description of a stop.
const AT_ENTRY: u8 = 1;
const AT_EXIT: u8 = 2;
/// Marks a stop caused by a system call (`PTRACE_O_TRACESYSGOOD`).
const CALL_STOP: i32 = libc::SIGTRAP | 0x80;

/// A step that another process can observe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A system call, by its number.
    Call(u64),
    /// A byte of the control area or the ring changed, and perhaps more bytes beside it.
    Store(usize),
}

/// The instructions of a program that store there, as offsets from its load address. With them
/// known, single-stepping is not needed.
pub type Stores = BTreeSet<u64>;

/// Stops a program and continues it step by step.
#[derive(Debug)]
pub struct Tracer {
    tracee: Tracee,
    memory: File,
    segments: PathBuf,
    control: Option<File>,
    seen: Vec<u8>,
    fresh: Vec<u8>,
    /// Addresses, and whether each holds a system call.
    calls: HashMap<u64, bool>,
    /// The load address of the program.
    base: u64,
    stores: Stores,
    /// Breakpoints with the bytes that they replaced; `None` while single-stepping.
    breakpoints: Option<HashMap<u64, u8>>,
    refuse_unnamed: bool,
}

/// A process that is stopped most of the time.
#[derive(Debug)]
struct Tracee {
    pid: libc::pid_t,
    /// A signal sent to it, delivered when it continues.
    signal: i32,
}

/// The kernel's description of a stop.
struct Stop {
    op: u8,
    address: u64,
    call: u64,
    arguments: [u64; 6],
    result: i64,
}

impl Tracer {
    /// Stops a program where it waits for a line; `segments` is the directory of its segments.
    ///
    /// # Errors
    ///
    /// Tracing is not permitted on this machine, or its processor is not supported.
    pub fn seize(program: &Program, segments: &Path) -> io::Result<Tracer> {
        if !cfg!(target_arch = "x86_64") {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let pid = libc::pid_t::try_from(program.pid()).expect("a process id");
        let options = usize::try_from(libc::PTRACE_O_TRACESYSGOOD).expect("a small number");
        request(libc::PTRACE_SEIZE, pid, 0, options)?;
        request(libc::PTRACE_INTERRUPT, pid, 0, 0)?;
        let mut tracee = Tracee { pid, signal: 0 };
        tracee.wait_for_stop();
        // It may still be on its way there, or even before its exec.
        while !tracee.next_call().takes_input() {}
        Ok(Tracer {
            memory: File::options()
                .read(true)
                .write(true)
                .open(format!("/proc/{pid}/mem"))?,
            base: base(pid)?,
            tracee,
            segments: segments.to_owned(),
            control: None,
            seen: vec![0; CONTROL_BYTES],
            fresh: vec![0; CONTROL_BYTES],
            calls: HashMap::new(),
            stores: Stores::new(),
            breakpoints: None,
            refuse_unnamed: false,
        })
    }

    /// Stops at these instructions, found in an earlier run, instead of single-stepping.
    #[must_use]
    pub fn stopping_at(mut self, stores: Stores) -> Tracer {
        let addresses = stores.iter().map(|distance| self.base + distance);
        let breakpoints = addresses.map(|address| {
            let mut byte = [0];
            let read = self.memory.read_exact_at(&mut byte, address);
            read.expect("the program is the same");
            self.poke(address, BREAKPOINT);
            (address, byte[0])
        });
        self.breakpoints = Some(breakpoints.collect());
        self.stores = stores;
        self
    }

    /// Answers like a file system that does not support unnamed files.
    #[must_use]
    pub fn refusing_unnamed_files(mut self) -> Tracer {
        self.refuse_unnamed = true;
        self
    }

    /// Continues the program until it has read a line, which must have been written to it.
    pub fn take_line(&mut self) {
        while self.tracee.finish_call().result <= 0 {
            while !self.tracee.next_call().takes_input() {}
        }
        self.look_for_control();
    }

    /// Continues the program until it has created a file, with or without a name. Returns `true` if
    /// it did before its end.
    pub fn run_to_creation(&mut self) -> bool {
        loop {
            let entry = self.tracee.next_call();
            if entry.ends() {
                return false;
            }
            let creates = entry.open_flags().is_some_and(is_creating);
            if !self.refuse_unnamed || !entry.open_flags().is_some_and(is_unnamed) {
                self.tracee.finish_call();
            } else {
                self.tracee.refuse_call(libc::EOPNOTSUPP);
                continue;
            }
            if creates {
                return true;
            }
        }
    }

    /// Runs the next step of the program; `None` if it is about to answer or to end.
    pub fn step(&mut self) -> Option<Step> {
        let entry = match self.breakpoints {
            None => self.walk(),
            Some(_) => self.run(),
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(store) => return Some(store),
        };
        if entry.gives_output() || entry.ends() {
            return None;
        }
        if self.refuse_unnamed && entry.open_flags().is_some_and(is_unnamed) {
            self.tracee.refuse_call(libc::EOPNOTSUPP);
        } else {
            self.tracee.finish_call();
        }
        if entry.open_flags().is_some() {
            self.look_for_control();
        }
        // A call can write to the control area too; that belongs to the same step.
        self.change();
        Some(Step::Call(entry.call))
    }

    /// Single-steps to the next store (`Err`) or the entry of the next call.
    fn walk(&mut self) -> Result<Stop, Step> {
        loop {
            let address = self.tracee.stop().address;
            if self.is_call(address) {
                return Ok(self.tracee.next_call());
            }
            self.tracee.resume(libc::PTRACE_SINGLESTEP);
            if let Some(offset) = self.change() {
                self.stores.insert(address - self.base);
                return Err(Step::Store(offset));
            }
        }
    }

    /// Runs from breakpoint to breakpoint to the next store (`Err`) or the entry of the next call.
    fn run(&mut self) -> Result<Stop, Step> {
        loop {
            if self.tracee.resume(libc::PTRACE_SYSCALL) == CALL_STOP {
                return Ok(self.tracee.stop());
            }
            // The instruction pointer is behind the breakpoint.
            let address = self.tracee.stop().address - 1;
            let known = self.breakpoints.as_ref();
            let Some(&byte) = known.and_then(|breakpoints| breakpoints.get(&address)) else {
                continue;
            };
            self.poke(address, byte);
            let place = usize::try_from(address).expect("an address");
            self.tracee.set_register(INSTRUCTION_POINTER, place);
            self.tracee.resume(libc::PTRACE_SINGLESTEP);
            self.poke(address, BREAKPOINT);
            if let Some(offset) = self.change() {
                return Err(Step::Store(offset));
            }
        }
    }

    /// Returns the instructions that have stored so far.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Detaches, so that the program runs on its own.
    pub fn detach(self) {
        request(libc::PTRACE_DETACH, self.tracee.pid, 0, 0).expect("it is stopped");
    }

    /// Returns `true` if the instruction at an address is a system call.
    fn is_call(&mut self, address: u64) -> bool {
        *self.calls.entry(address).or_insert_with(|| {
            let mut instruction = [0; CALL_INSTRUCTION.len()];
            let read = self.memory.read_exact_at(&mut instruction, address);
            read.is_ok() && instruction == CALL_INSTRUCTION
        })
    }

    fn poke(&self, address: u64, byte: u8) {
        let written = self.memory.write_all_at(&[byte], address);
        written.expect("a tracer may write there");
    }

    /// Returns the offset at which the control area differs from the last snapshot, if it does.
    fn change(&mut self) -> Option<usize> {
        self.look();
        if self.fresh == self.seen {
            return None;
        }
        let offset = (0..CONTROL_BYTES).find(|&at| self.fresh[at] != self.seen[at]);
        std::mem::swap(&mut self.fresh, &mut self.seen);
        offset
    }

    fn look(&mut self) {
        let Some(control) = &self.control else {
            return;
        };
        // A semaphore's file ends with the control area; a file that is being created is shorter.
        let read = control.read_at(&mut self.fresh, 0).unwrap_or(0);
        self.fresh[read..].fill(0);
    }

    /// Opens the segment that the program opened last.
    fn look_for_control(&mut self) {
        let directory = format!("/proc/{}/fd", self.tracee.pid);
        let opened = fs::read_dir(directory).expect("it is running");
        let segment = opened
            .filter_map(|entry| {
                let path = entry.expect("a readable entry").path();
                let target = fs::read_link(&path).ok()?;
                let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
                let inside = target.parent() == Some(self.segments.as_path());
                inside.then_some((number, path))
            })
            .max();
        if let Some((_, path)) = segment {
            self.control = File::open(path).ok();
            self.look();
            std::mem::swap(&mut self.fresh, &mut self.seen);
        }
    }
}

impl Tracee {
    /// Continues to the entry of the next system call.
    fn next_call(&mut self) -> Stop {
        loop {
            if self.resume(libc::PTRACE_SYSCALL) == CALL_STOP {
                let stop = self.stop();
                if stop.op == AT_ENTRY {
                    return stop;
                }
            }
        }
    }

    /// Continues from the entry of a system call to its end.
    fn finish_call(&mut self) -> Stop {
        while self.resume(libc::PTRACE_SYSCALL) != CALL_STOP {}
        let stop = self.stop();
        assert_eq!(stop.op, AT_EXIT, "a call that was entered ends");
        stop
    }

    /// Skips a system call, and answers it with an error.
    fn refuse_call(&mut self, error: i32) {
        self.set_register(CALL_NUMBER, usize::MAX);
        self.finish_call();
        let result = -isize::try_from(error).expect("a small number");
        self.set_register(CALL_RESULT, result.cast_unsigned());
    }

    /// Continues the program, waits for its next stop and returns the signal of the stop.
    fn resume(&mut self, how: libc::c_uint) -> i32 {
        let signal = usize::try_from(std::mem::take(&mut self.signal)).expect("a signal");
        request(how, self.pid, 0, signal).expect("it is stopped");
        self.wait_for_stop()
    }

    fn wait_for_stop(&mut self) -> i32 {
        let mut status = 0;
        // SAFETY: `status` is writable; the process is our child and no other thread waits for it
        // now.
        let waited = unsafe { libc::waitpid(self.pid, &raw mut status, libc::__WALL) };
        assert_eq!(waited, self.pid, "{}", io::Error::last_os_error());
        assert!(libc::WIFSTOPPED(status), "it ended: {status:#x}");
        let signal = libc::WSTOPSIG(status);
        let event = status >> 16 != 0;
        if !event && signal != CALL_STOP && signal != libc::SIGTRAP {
            self.signal = signal; // sent by another process: delivered when it continues
        }
        signal
    }

    fn stop(&self) -> Stop {
        let mut told = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
        let length = size_of::<libc::ptrace_syscall_info>();
        let place = told.as_mut_ptr().expose_provenance();
        request(libc::PTRACE_GET_SYSCALL_INFO, self.pid, length, place).expect("it is stopped");
        // SAFETY: zeros are valid for all of its fields, and the kernel filled in the rest.
        let told = unsafe { told.assume_init() };
        let mut stop = Stop {
            op: told.op,
            address: told.instruction_pointer,
            call: u64::MAX,
            arguments: [0; 6],
            result: 0,
        };
        if told.op == AT_ENTRY {
            // SAFETY: `op` is that of an entry, for which the kernel fills in this field.
            let entry = unsafe { told.u.entry };
            (stop.call, stop.arguments) = (entry.nr, entry.args);
        } else if told.op == AT_EXIT {
            // SAFETY: `op` is that of an exit, for which the kernel fills in this field.
            stop.result = unsafe { told.u.exit }.sval;
        }
        stop
    }

    fn set_register(&self, place: usize, value: usize) {
        request(libc::PTRACE_POKEUSER, self.pid, place, value).expect("it is stopped");
    }
}

impl Stop {
    /// Returns `true` if the stop is a read of standard input.
    fn takes_input(&self) -> bool {
        self.call == number(libc::SYS_read) && self.arguments[0] == 0
    }

    /// Returns `true` if the stop is the end of the program.
    fn ends(&self) -> bool {
        self.call == number(libc::SYS_exit_group)
    }

    /// Returns `true` if the stop is a write to standard output.
    fn gives_output(&self) -> bool {
        self.call == number(libc::SYS_write) && self.arguments[0] == 1
    }

    /// Returns the flags if the stop opens a file.
    fn open_flags(&self) -> Option<u64> {
        if self.call == number(OPEN) {
            Some(self.arguments[1])
        } else if self.call == number(libc::SYS_openat) {
            Some(self.arguments[2])
        } else {
            None
        }
    }
}

/// Returns `true` if the flags open an unnamed file.
fn is_unnamed(flags: u64) -> bool {
    let unnamed = u64::from(libc::O_TMPFILE.unsigned_abs());
    flags & unnamed == unnamed
}

/// Returns `true` if the flags create a file.
fn is_creating(flags: u64) -> bool {
    is_unnamed(flags) || flags & u64::from(libc::O_EXCL.unsigned_abs()) != 0
}

fn request(what: libc::c_uint, pid: libc::pid_t, address: usize, data: usize) -> io::Result<()> {
    let address = ptr::with_exposed_provenance_mut::<libc::c_void>(address);
    let data = ptr::with_exposed_provenance_mut::<libc::c_void>(data);
    // SAFETY: the only request made here that writes to our memory is `PTRACE_GET_SYSCALL_INFO`,
    // and it gets the address and the length of a buffer made for it.
    let result = unsafe { libc::ptrace(what, pid, address, data) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Returns the load address of a program: its first mapping.
fn base(pid: libc::pid_t) -> io::Result<u64> {
    let mappings = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let start = mappings.split('-').next().unwrap_or_default();
    u64::from_str_radix(start, 16).map_err(io::Error::other)
}

fn number(call: libc::c_long) -> u64 {
    u64::try_from(call).expect("calls are numbered from 0")
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Call(number) => write!(f, "system call {number}"),
            Step::Store(offset) => write!(f, "store at {offset:#x}"),
        }
    }
}
