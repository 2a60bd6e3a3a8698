//! Byte streams through the kernel: copied in on one side, copied out on the other.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use interprocess::local_socket::{self, GenericFilePath, ListenerOptions, prelude::*};
use rustix::fs::{CWD, FileType, Mode};
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

use super::{Link, Side};
use crate::Outcome;

struct Stream<S> {
    ends: S,
    /// The receive buffer: reused, and touched in advance.
    room: Vec<u8>,
}

impl<S: Read + Write> Link for Stream<S> {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        Ok(self.ends.write_all(payload)?)
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        self.ends.read_exact(&mut self.room)?;
        look(&self.room)
    }
}

fn link<S: Read + Write + 'static>(ends: S, bytes: usize) -> Box<dyn Link> {
    let room = vec![1; bytes];
    Box::new(Stream { ends, room })
}

/// Two pipes as one stream.
struct Pipes {
    reader: File,
    writer: File,
}

impl Read for Pipes {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.reader.read(room)
    }
}

impl Write for Pipes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Two named pipes, one for each direction.
pub(super) fn pipe(side: Side, place: &Path, bytes: usize) -> Outcome<Box<dyn Link>> {
    let (there, back) = (place.join("there"), place.join("back"));
    for path in [&there, &back] {
        match rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let read = |path| OpenOptions::new().read(true).open(path);
    let write = |path| OpenOptions::new().write(true).open(path);
    // Opening blocks until the other side opens, so both open in the same order.
    let (reader, writer) = match side {
        Side::Asking => {
            let writer = write(there)?;
            (read(back)?, writer)
        }
        Side::Answering => (read(there)?, write(back)?),
    };
    Ok(link(Pipes { reader, writer }, bytes))
}

pub(super) fn unix_socket(side: Side, place: &Path, bytes: usize) -> Outcome<Box<dyn Link>> {
    let path = place.join("socket");
    let stream = match side {
        Side::Asking => UnixListener::bind(path)?.accept()?.0,
        Side::Answering => until_there(|| UnixStream::connect(&path))?,
    };
    Ok(link(stream, bytes))
}

/// Messages arrive whole: a read never returns parts of two.
pub(super) fn seqpacket(side: Side, place: &Path, bytes: usize) -> Outcome<Box<dyn Link>> {
    let address = SocketAddrUnix::new(place.join("socket"))?;
    let socket = || net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None);
    let connected = match side {
        Side::Asking => {
            let listener = socket()?;
            net::bind(&listener, &address)?;
            net::listen(&listener, 1)?;
            net::accept(&listener)?
        }
        Side::Answering => until_there(|| {
            let connected = socket()?;
            net::connect(&connected, &address)?;
            Ok(connected)
        })?,
    };
    Ok(link(File::from(connected), bytes))
}

pub(super) fn local_socket(side: Side, place: &Path, bytes: usize) -> Outcome<Box<dyn Link>> {
    let path = place.join("socket");
    let name = path.as_path().to_fs_name::<GenericFilePath>()?;
    let stream = match side {
        Side::Asking => ListenerOptions::new().name(name).create_sync()?.accept()?,
        Side::Answering => until_there(|| local_socket::Stream::connect(name.borrow()))?,
    };
    Ok(link(stream, bytes))
}

/// Tries again until the other side listens.
fn until_there<T>(mut connect: impl FnMut() -> io::Result<T>) -> Outcome<T> {
    let began = Instant::now();
    loop {
        match connect() {
            Ok(connected) => return Ok(connected),
            Err(error) if began.elapsed() > Duration::from_secs(10) => return Err(error.into()),
            Err(_) => std::thread::yield_now(),
        }
    }
}
