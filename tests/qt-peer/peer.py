"""A Qt program that runs one QSharedMemory or QSystemSemaphore command per line: main.cpp in PySide6."""

import sys

from PySide6.QtCore import (
    QBuffer, QByteArray, QCoreApplication, QDataStream, QIODevice, QNativeIpcKey, QSharedMemory,
    QSystemSemaphore,
)
from PySide6.QtGui import QImage


def native(key, semaphore=False):
    """Return the native key of qt:NAME, qt-posix:NAME, systemv:/path or posix:/name."""
    scheme, rest = key.split(":", 1)
    of = QSystemSemaphore if semaphore else QSharedMemory
    if scheme == "qt":
        return of.legacyNativeKey(rest, QNativeIpcKey.Type.SystemV)
    if scheme == "qt-posix":
        return of.legacyNativeKey(rest, QNativeIpcKey.Type.PosixRealtime)
    return QNativeIpcKey.fromString(key)


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def save(path, content):
    with open(path, "wb") as file:
        file.write(content)


def stream_of(form, path):
    """Return the bytes of a stream; for the file "null", those of a null value."""
    if form == "raw":
        return content_of(path) + b"\0"
    array = QByteArray()
    out = QDataStream(array, QIODevice.OpenModeFlag.WriteOnly)
    is_null = path == "null"
    if form == "qstring":
        if is_null:
            out.writeUInt32(0xFFFFFFFF)  # None has no type here
        else:
            out.writeQString(content_of(path).decode())
    elif form == "qbytearray":
        out << (QByteArray() if is_null else QByteArray(content_of(path)))
    elif form == "cstring":
        text = b"" if is_null else content_of(path) + b"\0"
        out.writeUInt32(len(text))
        out.writeRawData(text)
    elif form == "qimage":
        out << (QImage() if is_null else QImage(path))
    return bytes(array.data())


class Peer:
    def __init__(self):
        self.memory = None
        self.semaphore = None

    def told(self, is_done):
        return "ok" if is_done else "error " + self.memory.error().name

    def key(self, key):
        self.memory = QSharedMemory(native(key))
        return "ok"

    def create(self, size):
        return self.told(self.memory.create(int(size)))

    def attach(self, mode):
        modes = QSharedMemory.AccessMode
        return self.told(self.memory.attach(modes.ReadOnly if mode == "ro" else modes.ReadWrite))

    def detach(self):
        return self.told(self.memory.detach())

    def lock(self):
        return self.told(self.memory.lock())

    def unlock(self):
        return self.told(self.memory.unlock())

    def size(self):
        return f"ok {self.memory.size()}"

    def load(self, form, path):
        stream = stream_of(form, path)
        if self.memory.isAttached() and not self.memory.detach():
            return self.told(False)
        if not self.memory.create(len(stream)):
            return self.told(False)
        return self.write(stream)

    def rewrite(self, form, path):
        return self.write(stream_of(form, path))

    def write(self, stream):
        if not self.memory.lock():
            return self.told(False)
        count = min(len(stream), self.memory.size())
        self.memory.data()[:count] = stream[:count]
        return self.told(self.memory.unlock())

    def read(self, form, path):
        if not self.memory.lock():
            return self.told(False)
        content = bytes(self.memory.constData()[: self.memory.size()])
        self.memory.unlock()
        if form == "raw":
            save(path, content.split(b"\0", 1)[0])
            return "ok"
        stream = QDataStream(QByteArray(content))
        is_null = False
        if form == "qstring":
            is_null = content[:4] == b"\xff\xff\xff\xff"
            save(path, stream.readQString().encode())
        elif form == "qbytearray":
            array = QByteArray()
            stream >> array
            is_null = array.isNull()
            save(path, bytes(array.data()))
        elif form == "cstring":
            length = stream.readUInt32()
            is_null = length == 0
            save(path, content[4 : 4 + max(length - 1, 0)])
        else:
            image = QImage()
            stream >> image
            is_null = image.isNull()
            image.save(path, "png")
        if stream.status() != QDataStream.Status.Ok:
            return "error Stream"
        return "ok null" if is_null else "ok"

    def add(self, count):
        number = self.memory.data()[:8].cast("Q")
        for _ in range(int(count)):
            if not self.memory.lock():
                return self.told(False)
            number[0] += 1
            if not self.memory.unlock():
                return self.told(False)
        return "ok"

    def forget(self):
        self.memory = None
        return "ok"

    def use_semaphore(self, key, initial, mode):
        modes = QSystemSemaphore.AccessMode
        chosen = modes.Create if mode == "create" else modes.Open
        self.semaphore = QSystemSemaphore(native(key, semaphore=True), int(initial), chosen)
        is_open = self.semaphore.error() == QSystemSemaphore.SystemSemaphoreError.NoError
        return "ok" if is_open else "error LockError"

    def acquire(self):
        return "ok" if self.semaphore.acquire() else "error LockError"

    def release(self, count):
        return "ok" if self.semaphore.release(int(count)) else "error LockError"


def main():
    application = QCoreApplication(sys.argv)
    peer = Peer()
    for line in sys.stdin:
        command, *arguments = line.rstrip("\n").split("\t")
        if command == "semaphore":
            command = "use_semaphore"
        print(">", getattr(peer, command)(*arguments), flush=True)
    del peer, application


main()
