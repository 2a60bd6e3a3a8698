//! Aeron's IPC, polled: an exclusive publication on each side, and an image of the other side's.
//!
//! `scripts/bench.sh` builds a library of Aeron's C sources and `aeron/link.c`. It is loaded at run
//! time, because the benchmark also runs if it could not be built. The media driver runs in the
//! process of the side that asks.
#![expect(unsafe_code, reason = "functions of a library in C")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::transmute;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{Link, Side};
use crate::Outcome;

/// The name of the library in the directory of a contest.
pub(crate) const LIBRARY: &str = "aeron.so";

type Handle = *mut c_void;
/// The callback of `bench_receive`: its context, the bytes and a header.
type Look = unsafe extern "C" fn(Handle, *const u8, usize, Handle);

type Open = unsafe extern "C" fn(*const c_char, i32, i32, bool) -> Handle;
type Send = unsafe extern "C" fn(Handle, *const u8, usize) -> bool;
type Receive = unsafe extern "C" fn(Handle, Look, Handle) -> bool;
type Close = unsafe extern "C" fn(Handle);
type Failure = unsafe extern "C" fn() -> *const c_char;

/// The functions of `aeron/link.c`.
struct Functions {
    open: Open,
    send: Send,
    receive: Receive,
    close: Close,
    failure: Failure,
}

impl Functions {
    /// Loads the library, which is never unloaded.
    fn find(library: &Path) -> Outcome<Self> {
        let name = CString::new(library.as_os_str().as_bytes())?;
        // Global, because Aeron looks up its own functions by name.
        let flags = libc::RTLD_NOW | libc::RTLD_GLOBAL;
        // SAFETY: the initialisers of the library are Aeron's, and have no preconditions.
        let library = unsafe { libc::dlopen(name.as_ptr(), flags) };
        if library.is_null() {
            return Err("Aeron's library cannot be opened".into());
        }
        let find = |name: &CStr| {
            // SAFETY: the library is loaded, and is never unloaded.
            let function = unsafe { libc::dlsym(library, name.as_ptr()) };
            if function.is_null() {
                Err(format!("Aeron's library has no {name:?}"))
            } else {
                Ok(function)
            }
        };
        let [open, send, receive, close, failure] = [
            find(c"bench_open")?,
            find(c"bench_send")?,
            find(c"bench_receive")?,
            find(c"bench_close")?,
            find(c"bench_failure")?,
        ];
        Ok(Self {
            // SAFETY: `aeron/link.c` defines the function with this type, as each of the others.
            open: unsafe { transmute::<Handle, Open>(open) },
            // SAFETY: as above.
            send: unsafe { transmute::<Handle, Send>(send) },
            // SAFETY: as above.
            receive: unsafe { transmute::<Handle, Receive>(receive) },
            // SAFETY: as above.
            close: unsafe { transmute::<Handle, Close>(close) },
            // SAFETY: as above.
            failure: unsafe { transmute::<Handle, Failure>(failure) },
        })
    }

    /// Returns the last error of Aeron.
    fn what_failed(&self) -> Box<dyn std::error::Error> {
        // SAFETY: it has no preconditions.
        let message = unsafe { (self.failure)() };
        // SAFETY: it is a C string that is valid until the next call of this thread.
        let message = unsafe { CStr::from_ptr(message) };
        format!("Aeron: {}", message.to_string_lossy()).into()
    }
}

pub(crate) struct Aeron {
    functions: Functions,
    link: Handle,
}

impl Aeron {
    pub(crate) fn open(side: Side, place: &Path) -> Outcome<Self> {
        let functions = Functions::find(&place.join(LIBRARY))?;
        let folder = CString::new(place.join("media").as_os_str().as_bytes())?;
        let (there, back) = match side {
            Side::Asking => (1, 2),
            Side::Answering => (2, 1),
        };
        let has_driver = side == Side::Asking;
        // SAFETY: the name of the directory is a C string that lives until the call returns.
        let link = unsafe { (functions.open)(folder.as_ptr(), there, back, has_driver) };
        if link.is_null() {
            return Err(functions.what_failed());
        }
        Ok(Self { functions, link })
    }
}

impl Drop for Aeron {
    fn drop(&mut self) {
        // SAFETY: the link is open, and not used again.
        unsafe { (self.functions.close)(self.link) };
    }
}

/// The function that reads a message, and its result.
struct Looking<'a> {
    look: &'a mut dyn FnMut(&[u8]) -> Outcome,
    looked: Outcome,
}

unsafe extern "C" fn lend(context: Handle, bytes: *const u8, length: usize, _header: Handle) {
    // SAFETY: the context is the one that `receive` passed, which borrows it until it returns.
    let looking = unsafe { &mut *context.cast::<Looking>() };
    // SAFETY: Aeron keeps these bytes valid during the call.
    let message = unsafe { std::slice::from_raw_parts(bytes, length) };
    looking.looked = (looking.look)(message);
}

impl Link for Aeron {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        // SAFETY: the link is open, and the bytes are only read during the call.
        let is_sent = unsafe { (self.functions.send)(self.link, payload.as_ptr(), payload.len()) };
        if is_sent {
            Ok(())
        } else {
            Err(self.functions.what_failed())
        }
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        let mut looking = Looking {
            look,
            looked: Err("no message arrived".into()),
        };
        let context = (&raw mut looking).cast();
        // SAFETY: the link is open, and `lend` expects this context.
        let is_seen = unsafe { (self.functions.receive)(self.link, lend, context) };
        if is_seen {
            looking.looked
        } else {
            Err("Aeron: the other side has gone".into())
        }
    }
}
