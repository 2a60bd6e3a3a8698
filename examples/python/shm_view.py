#!/usr/bin/env python3
"""Shows what sits in named shared memory: texts, pictures and other bytes.

A reader for segments of shm-core that needs nothing but Python 3.9 and Linux. It was written from
docs/LAYOUT.md alone; numbers in parentheses, such as (7), are that document's sections.

    with Subscriber.attach(Place(), "MySharedMemory") as subscriber:
        with subscriber.latest() as sample:
            print(sample.facts())

A subscriber opens the segment read-only: nothing that it does can change a byte of it.

Words that others change (the flags, `latest`, the entries of regions) are loaded from a read-only
mapping; a load of an aligned integer is one instruction, as ctypes does it. Python has no fences:
what an entry says is believed only after a system call and a second look at all of it. What is
longer is copied with `pread` and never touched in place: a peer that makes the file shorter causes
an error there, and no SIGBUS (9, I9).
"""

from __future__ import annotations

import argparse
import codecs
import collections
import contextlib
import ctypes
import dataclasses
import errno
import fcntl
import itertools
import os
import platform
import pwd
import re
import signal
import stat
import struct
import sys
import time
import unicodedata
import zlib
from pathlib import Path
from typing import BinaryIO, Callable, Counter, Iterator, NamedTuple, Optional, Union

DEFAULT_KEY = "MySharedMemory"

# (1) The invisible characters that no key has: first and last of each range.
INVISIBLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0D), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)

# (2) The map of the file.
CONTROL_BYTES = 0x7000
SLOTS = 0x1000
ENTRIES = 0x3000
RECORD_BYTES = 64
LAST_REGION = 255
REGION_STEP = 2**36
METADATA_ROOM = 1024

# (3) The header.
HEADER = struct.Struct("<8sIIII16sQQ")
MAGIC = b"SHM-CORE"
VERSION = 1
SLOT_COUNT = 128
MOST_SLOTS = 65_536
FLAGS = 0x10
PERSISTENT, REMOVED = 1, 2
BLOCK, SAMPLES = 1, 2
LATEST = 0x100
GENERATIONS = 2**48

# (4) The lock bytes.
LIFECYCLE = 2**60
SLOT = LIFECYCLE + 0x10000
REGION = LIFECYCLE + 0x20000
READER = LIFECYCLE + 2**32
READERS = 2**22
MOST_READERS = 1024
"""How many are looked for: whoever may read can pretend to be millions."""

# (7) A payload of at most so many bytes is copied without a lock; a longer one is pinned.
SMALL = 4096

CHUNK = 1 << 20
PATIENCE = 2.0
"""How long to try again, in seconds, what another process is in the way of for a moment."""


class ViewError(Exception):
    """What went wrong, and what to do about it, in sentences for people."""


class Ended(ViewError):
    """The last one who wrote to the segment has left, or somebody removed it."""


# -- Where segments are (1) ------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Place:
    """Whose segments, and in which directory."""

    owner: int = dataclasses.field(default_factory=os.geteuid)
    directory: Path = dataclasses.field(
        default_factory=lambda: Path(os.environ.get("SHM_CORE_DIR") or "/dev/shm")
    )

    def path(self, key: str) -> Path:
        """Names the file of the segment `key`."""
        check_key(key)
        return self.directory / f"shm-core.{self.owner}.{key}"

    def keys(self) -> list[str]:
        """Finds the keys of all files that are named like a segment of this owner."""
        try:
            names = os.listdir(self.directory)
        except OSError as error:
            raise ViewError(
                f"{self.directory} cannot be listed: {error.strerror}."
                " Does SHM_CORE_DIR name the right directory?"
            ) from error
        prefix = f"shm-core.{self.owner}."
        keys = (name[len(prefix) :] for name in names if name.startswith(prefix))
        return sorted(key for key in keys if is_key(key))

    def owner_name(self) -> str:
        """Names the owner as people do."""
        try:
            return pwd.getpwuid(self.owner).pw_name
        except KeyError:
            return f"user {self.owner}"


def check_key(key: str) -> None:
    """Raises ViewError unless `key` can name a segment."""
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise ViewError("The key is not UTF-8.") from None
    if not 1 <= length <= 128:
        raise ViewError(f"A key has 1 to 128 bytes; this one has {length}.")
    if "/" in key or any(map(is_hidden, key)):
        raise ViewError(
            f"The key {printable(key)} contains a slash, or a control or invisible character."
        )
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", key):
        raise ViewError(
            f"The key {key} begins like an address, which is reserved. Leave out the colon."
        )


def is_key(text: str) -> bool:
    """Tells whether `text` can name a segment."""
    try:
        check_key(text)
    except ViewError:
        return False
    return True


# -- System calls ----------------------------------------------------------------------------------

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.syscall.restype = ctypes.c_long

_FUTEX_NUMBER: Optional[int] = {"x86_64": 202, "aarch64": 98, "riscv64": 98}.get(platform.machine())
_FUTEX_WAIT = 0  # and not FUTEX_WAIT_PRIVATE: the one who wakes is another process


class Timespec(ctypes.Structure):
    """The time-out of a futex: how long, not until when."""

    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class Mapping:
    """The first bytes of a file, mapped shared and read-only.

    Not `mmap.mmap`, because that does not give away the address of a read-only mapping, and a futex
    is an address.
    """

    PROT_READ, MAP_SHARED = 1, 1

    def __init__(self, descriptor: int, length: int) -> None:
        address = _libc.mmap(None, length, self.PROT_READ, self.MAP_SHARED, descriptor, 0)
        if address == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), "it cannot be mapped")
        self._address: Optional[int] = address
        self._length = length

    def close(self) -> None:
        """Unmaps it; closing twice does no harm."""
        if self._address is not None:
            _libc.munmap(self._address, self._length)
            self._address = None

    def u32(self, offset: int) -> int:
        """Loads the word of 32 bits at `offset`."""
        return ctypes.c_uint32.from_address(self._at(offset)).value

    def u64(self, offset: int) -> int:
        """Loads the word of 64 bits at `offset`."""
        return ctypes.c_uint64.from_address(self._at(offset)).value

    def sleep_while(self, offset: int, value: int, seconds: float) -> None:
        """Sleeps while the 32 bits at `offset` are `value` and nobody wakes us, or less."""
        if _FUTEX_NUMBER is None:
            time.sleep(min(seconds, 0.05))
            return
        whole = int(seconds)
        timeout = Timespec(whole, int((seconds - whole) * 1e9))
        # EAGAIN, EINTR and ETIMEDOUT all mean: look again. So does success.
        _libc.syscall(
            ctypes.c_long(_FUTEX_NUMBER),
            ctypes.c_void_p(self._at(offset)),
            ctypes.c_int(_FUTEX_WAIT),
            ctypes.c_uint32(value),
            ctypes.byref(timeout),
            ctypes.c_void_p(None),
            ctypes.c_uint32(0),
        )

    def _at(self, offset: int) -> int:
        if self._address is None:
            raise ValueError("the segment is closed")
        return self._address + offset


class ByteLocks:
    """Locks of an open file description on single bytes of the file (4).

    They belong to the open file and not to the process: closing another descriptor of the same file
    drops those of `fcntl.lockf`, but not these.
    """

    F_OFD_GETLK, F_OFD_SETLK = 36, 37
    # struct flock: type, whence, start, length, pid (0 for these commands), padding.
    FLOCK = struct.Struct("@hhqqi4x")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def try_share(self, byte: int) -> bool:
        """Locks one byte for reading, unless somebody has locked it for writing."""
        try:
            self._fcntl(self.F_OFD_SETLK, fcntl.F_RDLCK, byte, 1)
        except (BlockingIOError, PermissionError):  # EAGAIN, EACCES
            return False
        return True

    def share(self, byte: int, deadline: float) -> bool:
        """Locks one byte for reading, trying again until the deadline."""
        while not self.try_share(byte):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def release(self, byte: int) -> None:
        """Unlocks one byte."""
        self._fcntl(self.F_OFD_SETLK, fcntl.F_UNLCK, byte, 1)

    def held(self, first: int, count: int, wanted: int) -> Iterator[range]:
        """Yields which of `count` bytes others hold, by their distance from the first, in no order.

        Asks whether a lock of the type `wanted` would be refused: F_RDLCK by locks for writing,
        F_WRLCK by any lock of another open file. Bytes that one lock holds come together.
        """
        gaps = [(first, first + count)]
        while gaps:
            start, end = gaps.pop()
            if start >= end:
                continue
            answer = self._fcntl(self.F_OFD_GETLK, wanted, start, end - start)
            kind, _, found, length, _ = self.FLOCK.unpack(answer)
            if kind == fcntl.F_UNLCK:
                continue
            last = min(end, found + length) if length else end
            found = max(start, found)
            yield range(found - first, last - first)
            gaps += [(start, found), (last, end)]

    def _fcntl(self, command: int, kind: int, start: int, length: int) -> bytes:
        return fcntl.fcntl(
            self._descriptor, command, self.FLOCK.pack(kind, os.SEEK_SET, start, length, 0)
        )


# -- A segment (3, 5) ------------------------------------------------------------------------------


class Slot(NamedTuple):
    """Somebody who is attached for writing, as they describe themselves."""

    pid: int
    program: str


class Entry(NamedTuple):
    """What is in a region (7)."""

    generation: int
    payload_bytes: int
    metadata_bytes: int
    writer_pid: int
    published: int

    def check(self) -> None:
        """Raises ViewError unless the lengths are possible."""
        if self.payload_bytes > REGION_STEP - METADATA_ROOM or self.metadata_bytes > METADATA_ROOM:
            raise ViewError(
                "The segment is damaged: a length in it is impossible. Load something new into it."
            )


class Segment:
    """An open segment, seen from outside: it changes nothing and shows nobody that it looks."""

    def __init__(self, place: Place, key: str) -> None:
        self.place, self.key = place, key
        self.path = place.path(key)
        self.descriptor = self._open()
        self._mapping: Optional[Mapping] = None
        try:
            self._check_head()
        except BaseException:
            self.close()
            raise
        self.locks = ByteLocks(self.descriptor)

    def __enter__(self) -> Segment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of it, and with it of every lock."""
        if self._mapping is not None:
            self._mapping.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _open(self) -> int:
        who, key = self.place.owner_name(), self.key
        try:
            descriptor = os.open(
                self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            )
        except FileNotFoundError:
            raise self.absent() from None
        except PermissionError:
            raise ViewError(
                f"{key} belongs to {who}, who does not share it with you. After `viewer-app remove`"
                f" and `loader-app text --mode 644` by {who} everybody can read it."
            ) from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise ViewError(
                    f"{self.path} is a link and no segment. Who put it there?"
                ) from None
            raise ViewError(f"{self.path} cannot be opened: {error.strerror}.") from error
        facts = os.fstat(descriptor)
        if stat.S_ISREG(facts.st_mode) and facts.st_uid == self.place.owner:
            return descriptor
        os.close(descriptor)
        raise ViewError(
            f"{self.path} is no regular file of {who}, and so no segment. Who put it there?"
        )

    def absent(self) -> ViewError:
        """Says that there is no such segment."""
        return ViewError(
            f"There is no shared memory {self.key} of {self.place.owner_name()}"
            f" in {self.place.directory}."
            f" Load something first: loader-app text --key {self.key} Hello"
        )

    def _check_head(self) -> None:
        head = os.pread(self.descriptor, HEADER.size, 0)
        if len(head) < HEADER.size or not head.startswith(MAGIC):
            raise ViewError(f"{self.path} is not a segment of shm-core. Choose another key.")
        _, self.version, self.slot_count, self._flags, self.kind, _, _, self.block_bytes = (
            HEADER.unpack(head)
        )
        known = self.version == VERSION
        if self.slot_count > MOST_SLOTS or (known and self.slot_count != SLOT_COUNT):
            raise ViewError(f"{self.path} is damaged: it says that it has {self.slot_count} slots.")
        if known and self.kind not in (BLOCK, SAMPLES):
            raise ViewError(f"{self.path} is damaged: there is no kind {self.kind} of segment.")
        if known:
            if os.fstat(self.descriptor).st_size < CONTROL_BYTES:
                raise ViewError(
                    f"{self.path} was cut short, and so is no segment any more. Remove it with rm."
                )
            self._mapping = Mapping(self.descriptor, CONTROL_BYTES)

    @property
    def words(self) -> Mapping:
        """The control area; raises ViewError for a version of which only the head is known."""
        if self._mapping is None:
            raise ViewError(
                f"{self.key} has layout version {self.version}; this program knows version"
                f" {VERSION}. Use programs of one release."
            )
        return self._mapping

    def check_samples(self) -> None:
        """Raises ViewError unless samples are published in it, in a layout that is known."""
        if self.words and self.kind != SAMPLES:
            raise ViewError(
                f"{self.key} is a block of bytes under a lock; this program shows samples only."
            )

    def has_flag(self, flag: int) -> bool:
        """Tells whether a flag is set now. Works for every version."""
        flags = self._flags if self._mapping is None else self._mapping.u32(FLAGS)
        return bool(flags & flag)

    def is_stale(self) -> bool:
        """Tells whether it is removed, or nobody keeps it alive (5). Works for every version."""
        if self.has_flag(REMOVED):
            return True
        if self.has_flag(PERSISTENT):
            return False
        return not self._held_slots()

    def _held_slots(self) -> list[int]:
        """Tells which slots are held: by locks for writing, so that readers cannot pretend."""
        held = self.locks.held(SLOT, self.slot_count, fcntl.F_RDLCK)
        return sorted(slot for slots in held for slot in slots)

    def has_name(self) -> bool:
        """Tells whether the name still leads to the file that is open here."""
        try:
            named = os.stat(self.path, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return os.path.samestat(named, os.fstat(self.descriptor))

    def slots(self) -> list[Slot]:
        """Tells who is attached for writing, or to a block."""
        records = []
        for index in self._held_slots():
            record = self.read(SLOTS + index * RECORD_BYTES, RECORD_BYTES)
            _, pid, _, _, _, program = struct.unpack("<IIQII40s", record)
            records.append(Slot(pid, program.rstrip(b"\0").decode(errors="replace")))
        return records

    def readers(self) -> list[int]:
        """Tells the process ids, modulo 2^22, of those who are attached for reading, but us.

        As they say themselves. Who locks more than one byte is no subscriber.
        """
        held = self.locks.held(READER, READERS, fcntl.F_WRLCK)
        found = (bytes[0] for bytes in held if len(bytes) == 1)
        return sorted(itertools.islice(found, MOST_READERS))

    def latest(self) -> tuple[int, int]:
        """Loads `latest`: the region, 0 for none, and the generation (7)."""
        return divmod(self.words.u64(LATEST), GENERATIONS)

    def entry(self, region: int) -> Entry:
        """Loads the entry of a region."""
        at = ENTRIES + region * RECORD_BYTES
        u32, u64 = self.words.u32, self.words.u64
        return Entry(u64(at), u64(at + 8), u32(at + 16), u32(at + 20), u64(at + 24))

    def read(self, offset: int, length: int) -> bytes:
        """Copies bytes of the file."""
        parts = []
        while length > 0:
            part = os.pread(self.descriptor, min(length, CHUNK), offset)
            if not part:
                raise ViewError(
                    f"{self.path} was cut short while it was read. Load something new into it."
                )
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)


# -- A subscriber (5, 7) ---------------------------------------------------------------------------


class Subscriber:
    """One who reads: gets the latest sample, and waits for the next one."""

    def __init__(self, segment: Segment) -> None:
        """Reads a segment unseen. Who stays longer than a moment uses `Subscriber.attach`."""
        segment.check_samples()
        self.segment = segment
        # Locks of one open file do not add up: several samples may pin one region.
        self._pins: Counter[int] = collections.Counter()

    @classmethod
    def attach(cls, place: Place, key: str) -> Subscriber:
        """Attaches to what is published under `key`; raises ViewError if that cannot be."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.ExitStack() as stack:
                segment = stack.enter_context(Segment(place, key))
                if segment.locks.share(LIFECYCLE, deadline) and segment.has_name():
                    cls._admit(segment)
                    segment.locks.release(LIFECYCLE)
                    stack.pop_all()
                    return cls(segment)
            # Somebody removed it between open and lock: there may be a new one under its name.
        raise ViewError(
            f"Somebody keeps {key} busy: attaching was not possible for {PATIENCE:g} s. Try again."
        )

    @staticmethod
    def _admit(segment: Segment) -> None:
        """Makes oneself seen, if there is something to be attached to. LIFECYCLE is locked."""
        if segment.is_stale():
            # Left over from a crash. Removing it takes the right to write: others may do it.
            raise segment.absent()
        segment.check_samples()
        segment.locks.try_share(READER + os.getpid() % READERS)  # if not, we are just not seen

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Detaches. Samples that are still open cannot be read any more, unless they are small."""
        self.segment.close()

    def latest(self) -> Optional[Sample]:
        """Gets the latest sample, if there is one: copies a small one, pins a large one."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            region, generation = self.segment.latest()
            if region == 0:
                return None
            if region > LAST_REGION or generation == 0:
                raise ViewError(f"{self.segment.key} is damaged: region {region} holds no sample.")
            entry = self.segment.entry(region)
            if entry.generation == generation:
                entry.check()
                small = entry.payload_bytes <= SMALL
                sample = self._copy(region, entry) if small else self._pin(region, entry)
                if sample is not None:
                    return sample
        raise ViewError(
            f"{self.segment.key} changes faster than it can be read, or it is damaged. Try again."
        )

    def _copy(self, region: int, entry: Entry) -> Optional[Sample]:
        """Copies a small sample, unless it changes meanwhile."""
        length = METADATA_ROOM + entry.payload_bytes
        data = self.segment.read(region * REGION_STEP, length)
        if self.segment.entry(region) != entry:
            return None
        payload = data[METADATA_ROOM:]
        return Sample(entry, data[: entry.metadata_bytes], lambda at, size: payload[at : at + size])

    def _pin(self, region: int, entry: Entry) -> Optional[Sample]:
        """Pins a large sample, unless it changes before that."""
        if not self.segment.locks.try_share(REGION + region):
            return None
        self._pins[region] += 1
        try:
            if self.segment.entry(region) == entry:
                begin = region * REGION_STEP
                return Sample(
                    entry,
                    self.segment.read(begin, entry.metadata_bytes),
                    lambda at, length: self.segment.read(begin + METADATA_ROOM + at, length),
                    lambda: self._unpin(region),
                )
        except BaseException:
            self._unpin(region)
            raise
        self._unpin(region)
        return None

    def _unpin(self, region: int) -> None:
        self._pins[region] -= 1
        if self._pins[region] == 0 and self.segment.descriptor >= 0:
            self.segment.locks.release(REGION + region)

    def wait(self, seen: int, timeout: Optional[float] = None) -> bool:
        """Sleeps until the generation is not `seen` any more. False: not within `timeout` seconds.

        Raises Ended where nothing can come any more. Looks again at least once a second: whoever
        should have woken us may have died before.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while self.generation() == seen:
            if self.segment.is_stale() or not self.segment.has_name():
                if self.generation() != seen:
                    break  # published, and then left
                raise Ended(f"Nobody is left who could load something into {self.segment.key}.")
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # The low half of the word lies first, and is the low half of the generation.
            self.segment.words.sleep_while(LATEST, seen % 2**32, min(left, 1.0))
        return True

    def generation(self) -> int:
        """Tells how many publications and clearings there were."""
        return self.segment.latest()[1]


# -- What is published (7, 8) ----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Text:
    """UTF-8."""

    def __str__(self) -> str:
        return "text"


@dataclasses.dataclass(frozen=True)
class Image:
    """Rows of pixels, from the top."""

    FORMATS = (("gray", 1), ("rgb", 3), ("rgba", 4), ("bgra", 4))

    format: str
    pixel_bytes: int
    width: int
    height: int
    stride: int
    source: Optional[str]

    def __str__(self) -> str:
        return f"image · {self.width} × {self.height} · {self.format}{_origin(self.source)}"


@dataclasses.dataclass(frozen=True)
class Bytes:
    """Anything else."""

    media_type: str
    source: Optional[str]

    def __str__(self) -> str:
        return f"bytes · {printable(self.media_type)}{_origin(self.source)}"


Metadata = Union[Text, Image, Bytes]


def _origin(source: Optional[str]) -> str:
    return f" · {printable(source)}" if source else ""


class Decoder:
    """Reads the metadata of a sample, one value after the other (8)."""

    WIDE = {251: 2, 252: 4, 253: 8}

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def metadata(self) -> Metadata:
        """Reads all of it; raises ViewError if it is none."""
        try:
            metadata = self._variant()
            if self._at != len(self._data):
                raise ValueError("something follows it")
        except ValueError as error:
            raise ViewError(
                f"What is loaded cannot be understood: its description is wrong ({error})."
            ) from error
        return metadata

    def _variant(self) -> Metadata:
        variant = self._integer()
        if variant == 0:
            return Text()
        if variant == 1:
            number = self._integer()
            if number >= len(Image.FORMATS):
                raise ValueError(f"no pixel format has number {number}")
            width, height, stride = self._integer(), self._integer(), self._integer()
            return Image(*Image.FORMATS[number], width, height, stride, self._option())
        if variant == 2:
            return Bytes(self._string(), self._option())
        raise ValueError(f"no kind of content has number {variant}")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("it ends too early")
        self._at += count
        return taken

    def _integer(self) -> int:
        first = self._take(1)[0]
        if first < 251:
            return first
        if first not in self.WIDE:
            raise ValueError(f"no integer begins with {first}")
        return int.from_bytes(self._take(self.WIDE[first]), "little")

    def _string(self) -> str:
        length = self._integer()
        if length > 255:
            raise ValueError(f"a string has {length} bytes")
        return self._take(length).decode()  # UnicodeDecodeError is a ValueError

    def _option(self) -> Optional[str]:
        some = self._take(1)[0]
        if some > 1:
            raise ValueError(f"no option begins with {some}")
        return self._string() if some else None


class Sample:
    """One publication. It stays as it is until it is closed, whatever is published meanwhile."""

    def __init__(
        self,
        entry: Entry,
        metadata: bytes,
        read: Callable[[int, int], bytes],
        unpin: Callable[[], None] = lambda: None,
    ) -> None:
        """Use `Subscriber.latest`."""
        self.entry = entry
        self._read, self._unpin = read, unpin
        self.metadata = Decoder(metadata).metadata()
        self._check_image()

    def __enter__(self) -> Sample:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """The length of the payload, in bytes."""
        return self.entry.payload_bytes

    def close(self) -> None:
        """Lets its memory be used again; closing twice does no harm."""
        unpin, self._unpin = self._unpin, lambda: None
        unpin()

    def _check_image(self) -> None:
        image = self.metadata
        if not isinstance(image, Image):
            return
        if not (1 <= image.width <= 65_535 and 1 <= image.height <= 65_535):
            raise ViewError(
                f"A picture of {image.width} × {image.height} pixels is impossible. Load another."
            )
        row_bytes = image.width * image.pixel_bytes
        if image.stride < row_bytes or image.stride * image.height != self.size:
            raise ViewError("The picture is not as long as its description says. Load it again.")

    def read(self, offset: int, length: int) -> bytes:
        """Copies bytes of the payload, less at its end."""
        return self._read(offset, max(0, min(length, self.size - offset)))

    def chunks(self) -> Iterator[bytes]:
        """Copies the payload, a piece at a time."""
        for offset in range(0, self.size, CHUNK):
            yield self.read(offset, CHUNK)

    def text(self) -> Iterator[str]:
        """Decodes the payload as a text, a piece at a time."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for chunk in self.chunks():
                yield decoder.decode(chunk)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise ViewError("What is loaded says that it is a text, but it is not UTF-8.") from None

    def rows(self) -> Iterator[bytes]:
        """Copies a picture row by row; its colours in the order red, green, blue, alpha."""
        image = self.metadata
        assert isinstance(image, Image), "only pictures have rows"
        for y in range(image.height):
            row = bytearray(self.read(y * image.stride, image.width * image.pixel_bytes))
            if image.format == "bgra":
                row[0::4], row[2::4] = row[2::4], row[0::4]
            yield bytes(row)

    def facts(self) -> str:
        """Tells in one line what it is."""
        age = max(0.0, time.time() - self.entry.published / 1e9)
        return (
            f"{self.metadata} · {self.size:,} bytes · generation {self.entry.generation}"
            f" · by process {self.entry.writer_pid}, {age:,.0f} s ago"
        )


def write_png(sample: Sample, file: BinaryIO) -> None:
    """Writes a picture as PNG."""
    image = sample.metadata
    assert isinstance(image, Image), "only pictures become PNG"

    def chunk(name: bytes, data: bytes) -> None:
        file.write(struct.pack(">I", len(data)) + name + data)
        file.write(struct.pack(">I", zlib.crc32(name + data)))

    colour = {1: 0, 3: 2, 4: 6}[image.pixel_bytes]  # gray, colours, colours and alpha
    file.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, 8, colour, 0, 0, 0))
    packer = zlib.compressobj(level=1)
    for row in sample.rows():
        if packed := packer.compress(b"\0" + row):  # each row begins with its filter: none
            chunk(b"IDAT", packed)
    chunk(b"IDAT", packer.flush())
    chunk(b"IEND", b"")


# -- The command line ------------------------------------------------------------------------------

EXAMPLES = """\
examples:
  shm_view.py list                        what is there, and who holds it
  shm_view.py show                        print the text in MySharedMemory
  shm_view.py show --key Photo --output photo.png
  shm_view.py show --next --timeout 30    sleep until something new is loaded
  shm_view.py follow                      show all that is loaded, as it comes
  shm_view.py show --owner anna           what user anna shares (loader-app --mode)

Facts about what is shown go to stderr, the content to standard output. The environment variable
SHM_CORE_DIR names another directory than /dev/shm.
"""


def is_hidden(character: str) -> bool:
    """Tells whether a character controls a terminal or is invisible (section 1)."""
    code = ord(character)
    return unicodedata.category(character) == "Cc" or any(
        first <= code <= last for first, last in INVISIBLE
    )


def printable(text: str) -> str:
    """Makes visible what would steer the terminal or deceive its reader: for others' names."""
    return "".join(
        f"\\u{{{ord(character):x}}}" if is_hidden(character) else character for character in text
    )


def tell(line: str) -> None:
    """Says something beside the content."""
    print(line, file=sys.stderr, flush=True)


def list_segments(arguments: argparse.Namespace) -> None:
    """Prints a line about each segment."""
    place = Place(arguments.owner)
    keys = place.keys()
    if not keys:
        tell(f"There is no shared memory of {place.owner_name()} in {place.directory} now.")
    for key in keys:
        try:
            with Segment(place, key) as segment:
                print(f"{key}: {describe(segment)}")
        except ViewError as error:
            print(f"{key}: {error}")


def describe(segment: Segment) -> str:
    """Tells in one line what is in a segment and who holds it."""
    if segment.is_stale():
        return "left over from a crash; viewer-app list removes it"
    if segment.words and segment.kind == BLOCK:
        content = f"block of {segment.block_bytes:,} bytes"
    else:
        content = describe_latest(Subscriber(segment))
    holders = [f"{printable(slot.program)} (process {slot.pid})" for slot in segment.slots()]
    readers = segment.readers()
    if readers:
        holders.append(f"{len(readers)} reading ({', '.join(map(str, readers[:8]))})")
    if segment.has_flag(PERSISTENT):
        holders.append("persistent")
    return f"{content}; {', '.join(holders)}"


def describe_latest(subscriber: Subscriber) -> str:
    """Tells in one line what is published."""
    sample = subscriber.latest()
    if sample is None:
        return "nothing loaded yet, or cleared"
    with sample:
        return sample.facts()


def show(arguments: argparse.Namespace) -> None:
    """Shows what is there, or what comes next."""
    with Subscriber.attach(Place(arguments.owner), arguments.key) as subscriber:
        if arguments.next:
            wait_for_next(subscriber, subscriber.generation(), arguments.timeout)
        sample = subscriber.latest()
        if sample is None:
            raise ViewError(
                f"Nothing is loaded into {arguments.key} yet. Wait for it: shm_view.py show --next"
            )
        with sample:
            deliver(sample, arguments)


def follow(arguments: argparse.Namespace) -> None:
    """Shows what is there, and then all that comes, until nobody is left to load something."""
    with Subscriber.attach(Place(arguments.owner), arguments.key) as subscriber:
        seen = 0
        try:
            while True:
                wait_for_next(subscriber, seen, arguments.timeout)
                seen = subscriber.generation()
                sample = subscriber.latest()
                if sample is None:
                    continue  # cleared
                with sample:
                    deliver(sample, arguments)
                    seen = sample.entry.generation
        except Ended as ended:
            tell(str(ended))


def wait_for_next(subscriber: Subscriber, seen: int, timeout: Optional[float]) -> None:
    """Waits until there is another generation than `seen`."""
    if _FUTEX_NUMBER is None:
        tell(
            "The futex call of this processor is not known here: looking 20 times a second instead."
        )
    tell(f"Waiting for what comes after generation {seen}.")
    if not subscriber.wait(seen, timeout):
        raise ViewError(
            f"Nothing new was loaded into {subscriber.segment.key} within {timeout:g} s."
        )


def deliver(sample: Sample, arguments: argparse.Namespace) -> None:
    """Tells what a sample is, and writes it where it shall go."""
    tell(sample.facts())
    if arguments.hold:
        tell("Held until the end of standard input, or Ctrl-D.")
        sys.stdin.buffer.read()
    to_stdout = arguments.output in (None, "-")
    if isinstance(sample.metadata, Image) and arguments.output is None:
        tell("A picture goes to a file: --output FILE.png")
        return
    if not isinstance(sample.metadata, Text) and to_stdout and sys.stdout.isatty():
        raise ViewError(
            "These bytes would garble the terminal. Write them to a file: --output FILE"
        )
    if to_stdout:
        write_content(sample, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with open(arguments.output, "wb") as file:
            write_content(sample, file)
    except OSError as error:
        raise ViewError(f"{arguments.output} cannot be written: {error.strerror}.") from error


def write_content(sample: Sample, file: BinaryIO) -> None:
    """Writes a text as UTF-8, a picture as PNG, anything else as it is."""
    if isinstance(sample.metadata, Image):
        write_png(sample, file)
    elif isinstance(sample.metadata, Text):
        for piece in sample.text():
            file.write(piece.encode())
    else:
        for chunk in sample.chunks():
            file.write(chunk)


def user(text: str) -> int:
    """Reads a user's name or number."""
    if text.isdecimal():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        raise argparse.ArgumentTypeError(
            f"there is no user {text}; a number does as well"
        ) from None


def seconds(text: str) -> float:
    """Reads how long to wait."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return number


def command_line() -> argparse.ArgumentParser:
    """Describes the command line."""
    parser = argparse.ArgumentParser(
        description="Shows what sits in named shared memory: texts, pictures and other bytes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    owner = argparse.ArgumentParser(add_help=False)
    owner.add_argument(
        "--owner", type=user, default=os.geteuid(), metavar="USER", help="whose shared memory"
    )
    common = argparse.ArgumentParser(add_help=False, parents=[owner])
    common.add_argument(
        "--key", default=DEFAULT_KEY, help="the name of the shared memory (%(default)s)"
    )
    common.add_argument(
        "--output", metavar="FILE", help="write it to FILE, a picture as PNG; - is standard output"
    )
    common.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help="wait no longer than this"
    )
    common.add_argument(
        "--hold", action="store_true", help="hold it until standard input ends, then write it"
    )

    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", parents=[owner], help="tell of all segments").set_defaults(
        run=list_segments
    )
    one = commands.add_parser("show", parents=[common], help="show what is there")
    one.add_argument("--next", action="store_true", help="wait for the next one instead")
    one.set_defaults(run=show)
    commands.add_parser("follow", parents=[common], help="show all that comes").set_defaults(
        run=follow
    )
    return parser


def main() -> int:
    """Runs the command line; returns the exit code."""
    # As other filters do: end quietly behind `| head`.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    arguments = command_line().parse_args()
    try:
        arguments.run(arguments)
    except ViewError as error:
        tell(f"shm_view.py: {error}")
        return 1
    except OSError as error:
        tell(f"shm_view.py: The system does not go along: {error}.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
