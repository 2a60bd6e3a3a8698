// A Qt program that runs one QSharedMemory or QSystemSemaphore command per input line.
//
// tests/qt/peer.rs sends the commands, and reads one answer per line: "> ok ..." or "> error NAME".
// peer.py has the same commands, with another version of Qt, and so has our own side
// (tests/src/bin/qt_actor.rs).

#include <QBuffer>
#include <QByteArray>
#include <QCoreApplication>
#include <QDataStream>
#include <QFile>
#include <QImage>
#include <QSharedMemory>
#include <QSystemSemaphore>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>

namespace {

const char *name_of(QSharedMemory::SharedMemoryError error)
{
    switch (error) {
    case QSharedMemory::NoError: return "NoError";
    case QSharedMemory::PermissionDenied: return "PermissionDenied";
    case QSharedMemory::InvalidSize: return "InvalidSize";
    case QSharedMemory::KeyError: return "KeyError";
    case QSharedMemory::AlreadyExists: return "AlreadyExists";
    case QSharedMemory::NotFound: return "NotFound";
    case QSharedMemory::LockError: return "LockError";
    case QSharedMemory::OutOfResources: return "OutOfResources";
    case QSharedMemory::UnknownError: break;
    }
    return "UnknownError";
}

QByteArray content_of(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void save(const QString &path, const QByteArray &bytes)
{
    QFile file(path);
    if (file.open(QIODevice::WriteOnly))
        file.write(bytes);
}

class Peer
{
public:
    QByteArray obey(const QStringList &words)
    {
        const QString command = words.value(0);
        const QString first = words.value(1);
        const QString second = words.value(2);
        if (command == "key")
            return use_key(first);
        if (command == "create")
            return told(memory->create(first.toLongLong()));
        if (command == "attach")
            return told(memory->attach(first == "ro" ? QSharedMemory::ReadOnly
                                                     : QSharedMemory::ReadWrite));
        if (command == "detach")
            return told(memory->detach());
        if (command == "lock")
            return told(memory->lock());
        if (command == "unlock")
            return told(memory->unlock());
        if (command == "size")
            return "ok " + QByteArray::number(qlonglong(memory->size()));
        if (command == "load")
            return load(stream_of(first, second));
        if (command == "rewrite")
            return rewrite(stream_of(first, second));
        if (command == "read")
            return read(first, second);
        if (command == "add")
            return add(first.toInt());
        if (command == "forget") {
            memory.reset();
            return "ok";
        }
        if (command == "semaphore")
            return use_semaphore(words);
        if (command == "acquire")
            return semaphore->acquire() ? "ok" : "error LockError";
        if (command == "release")
            return semaphore->release(first.toInt()) ? "ok" : "error LockError";
        return "error Unknown";
    }

private:
    QByteArray told(bool is_done) const
    {
        return is_done ? QByteArray("ok") : QByteArray("error ") + name_of(memory->error());
    }

    QByteArray use_key(const QString &key)
    {
        memory.reset(new QSharedMemory);
        if (key.startsWith("qt:"))
            memory->setKey(key.mid(3));
        return "ok";
    }

    QByteArray use_semaphore(const QStringList &words)
    {
        const auto mode = words.value(3) == "create" ? QSystemSemaphore::Create
                                                     : QSystemSemaphore::Open;
        semaphore.reset(new QSystemSemaphore(words.value(1).mid(3), words.value(2).toInt(), mode));
        return semaphore->error() == QSystemSemaphore::NoError ? "ok" : "error LockError";
    }

    // Returns the bytes of a stream; for the file "null", those of a null value.
    QByteArray stream_of(const QString &form, const QString &path)
    {
        QByteArray bytes;
        QDataStream out(&bytes, QIODevice::WriteOnly);
        const bool is_null = path == "null";
        if (form == "qstring")
            out << (is_null ? QString() : QString::fromUtf8(content_of(path)));
        else if (form == "qbytearray")
            out << (is_null ? QByteArray() : content_of(path));
        else if (form == "cstring")
            out << (is_null ? static_cast<const char *>(nullptr) : content_of(path).constData());
        else if (form == "qimage")
            out << (is_null ? QImage() : QImage(path));
        else // raw
            bytes = content_of(path).append('\0');
        return bytes;
    }

    // As in Qt's shared memory example.
    QByteArray load(const QByteArray &bytes)
    {
        if (memory->isAttached() && !memory->detach())
            return told(false);
        if (!memory->create(bytes.size()))
            return told(false);
        return rewrite(bytes);
    }

    QByteArray rewrite(const QByteArray &bytes)
    {
        if (!memory->lock())
            return told(false);
        std::memcpy(memory->data(), bytes.constData(), std::min<qsizetype>(bytes.size(), memory->size()));
        return told(memory->unlock());
    }

    QByteArray read(const QString &form, const QString &path)
    {
        if (!memory->lock())
            return told(false);
        QByteArray bytes(static_cast<const char *>(memory->constData()), memory->size());
        memory->unlock();
        QDataStream in(bytes);
        bool is_null = false;
        if (form == "qstring") {
            QString text;
            in >> text;
            is_null = text.isNull();
            save(path, text.toUtf8());
        } else if (form == "qbytearray") {
            QByteArray array;
            in >> array;
            is_null = array.isNull();
            save(path, array);
        } else if (form == "cstring") {
            char *text = nullptr;
            in >> text;
            is_null = text == nullptr;
            save(path, QByteArray(text));
            delete[] text;
        } else if (form == "qimage") {
            QImage image;
            in >> image;
            is_null = image.isNull();
            image.save(path, "png");
        } else {
            save(path, QByteArray(bytes.constData()));
        }
        if (in.status() != QDataStream::Ok)
            return "error Stream";
        return is_null ? "ok null" : "ok";
    }

    QByteArray add(int count)
    {
        auto *number = static_cast<volatile quint64 *>(memory->data());
        for (int i = 0; i < count; ++i) {
            if (!memory->lock())
                return told(false);
            *number = *number + 1;
            if (!memory->unlock())
                return told(false);
        }
        return "ok";
    }

    std::unique_ptr<QSharedMemory> memory;
    std::unique_ptr<QSystemSemaphore> semaphore;
};

} // namespace

int main(int count, char **arguments)
{
    QCoreApplication application(count, arguments);
    Peer peer;
    std::string line;
    while (std::getline(std::cin, line)) {
        const QStringList words = QString::fromStdString(line).split(QLatin1Char('\t'));
        std::cout << "> " << peer.obey(words).toStdString() << std::endl;
    }
    return 0;
}
