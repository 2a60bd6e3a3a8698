// The Qt contestant of the benchmark: reads orders line by line, and answers with nanoseconds.
//
//   lock PAIRS FIGURES     nanoseconds for a lock + unlock, one figure after the other
//   picture WIDTH HEIGHT   nanoseconds from a QImage to another, through QSharedMemory
//   write CHARACTERS WORDS nanoseconds from UTF-8 (the words, repeated) to the stream of a QString
//   read CHARACTERS WORDS  nanoseconds from that stream to UTF-8

#include <QBuffer>
#include <QCoreApplication>
#include <QDataStream>
#include <QElapsedTimer>
#include <QImage>
#include <QSharedMemory>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>

namespace {

[[noreturn]] void fail(const QString &why)
{
    std::cerr << "Qt: " << why.toStdString() << std::endl;
    std::exit(1);
}

QString unique_key(const char *what)
{
    return QStringLiteral("peer-bench.%1.%2").arg(what).arg(QCoreApplication::applicationPid());
}

void lock(std::istream &order)
{
    long pairs = 0, figures = 0;
    order >> pairs >> figures;
    QSharedMemory memory(unique_key("lock"));
    if (!memory.create(64))
        fail(memory.errorString());
    for (long figure = 0; figure < figures; ++figure) {
        QElapsedTimer timer;
        timer.start();
        for (long pair = 0; pair < pairs; ++pair) {
            if (!memory.lock() || !memory.unlock())
                fail(memory.errorString());
        }
        std::cout << (figure ? " " : "") << double(timer.nsecsElapsed()) / double(pairs);
    }
    std::cout << std::endl;
}

// Gradients with a little noise: the same as in src/contest/picture.rs.
QImage draw(int width, int height)
{
    QImage image(width, height, QImage::Format_RGBA8888);
    std::uint32_t noise = 1;
    for (int y = 0; y < height; ++y) {
        uchar *row = image.scanLine(y);
        for (int x = 0; x < width; ++x) {
            noise = noise * 1664525u + 1013904223u;
            const int grain = int(noise >> 29);
            *row++ = uchar(x / 16 + grain);
            *row++ = uchar(y / 9 + grain);
            *row++ = uchar((x + y) / 24 + grain);
            *row++ = 255;
        }
    }
    return image;
}

// As Qt's example: loadFromFile, starting at the loaded image, then loadFromMemory.
void picture(std::istream &order)
{
    int width = 0, height = 0;
    order >> width >> height;
    const QImage image = draw(width, height);
    QSharedMemory writer(unique_key("picture")), reader(unique_key("picture"));
    QElapsedTimer timer;
    timer.start();

    QBuffer buffer;
    buffer.open(QBuffer::ReadWrite);
    QDataStream out(&buffer);
    out << image;
    if (!writer.create(int(buffer.size())))
        fail(writer.errorString());
    writer.lock();
    std::memcpy(writer.data(), buffer.data().data(), std::size_t(buffer.size()));
    writer.unlock();

    if (!reader.attach(QSharedMemory::ReadOnly))
        fail(reader.errorString());
    QBuffer copy;
    QDataStream in(&copy);
    QImage shown;
    reader.lock();
    copy.setData(static_cast<const char *>(reader.constData()), int(reader.size()));
    copy.open(QBuffer::ReadOnly);
    in >> shown;
    reader.unlock();
    reader.detach();

    const qint64 elapsed = timer.nsecsElapsed();
    if (shown.convertToFormat(QImage::Format_RGBA8888) != image)
        fail(QStringLiteral("another picture came"));
    std::cout << elapsed << std::endl;
}

// A text as UTF-8, and its stream. Kept, so that neither is created again for each order.
struct Text
{
    std::string words;
    QByteArray utf8, stream;
};

Text &text_of(std::istream &order)
{
    static Text text;
    int characters = 0;
    std::string words;
    order >> characters >> words;
    if (words != text.words) {
        const QByteArray once = QByteArray::fromStdString(words);
        text = {words, once.repeated(characters / int(QString::fromUtf8(once).size())), {}};
        QDataStream out(&text.stream, QIODevice::WriteOnly);
        out << QString::fromUtf8(text.utf8);
    }
    return text;
}

void write(std::istream &order)
{
    Text &text = text_of(order);
    QBuffer buffer(&text.stream);
    buffer.open(QBuffer::ReadWrite);
    QDataStream out(&buffer);
    QElapsedTimer timer;
    timer.start();
    out << QString::fromUtf8(text.utf8);
    std::cout << timer.nsecsElapsed() << std::endl;
}

void read(std::istream &order)
{
    const Text &text = text_of(order);
    QElapsedTimer timer;
    timer.start();
    QString shown;
    QDataStream in(text.stream);
    in >> shown;
    const QByteArray utf8 = shown.toUtf8();
    const qint64 elapsed = timer.nsecsElapsed();
    if (utf8 != text.utf8)
        fail(QStringLiteral("another text came"));
    std::cout << elapsed << std::endl;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream order(line);
        std::string what;
        order >> what;
        if (what == "lock")
            lock(order);
        else if (what == "picture")
            picture(order);
        else if (what == "write")
            write(order);
        else if (what == "read")
            read(order);
        else
            fail(QStringLiteral("an unknown order"));
    }
}
