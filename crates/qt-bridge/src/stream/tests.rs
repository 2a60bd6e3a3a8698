use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use proptest::prelude::*;
use shm_core::PixelFormat;

use super::*;

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

fn bytes(bytes: &[u8]) -> Message {
    Message::bytes(UNKNOWN, None, bytes.into())
}

fn written(message: &Message, form: Form) -> Vec<u8> {
    let stream = Stream::new(message, form).expect("it fits");
    let bytes = stream.to_vec();
    assert_eq!(bytes.len(), stream.size());
    bytes
}

fn picture(format: PixelFormat, width: u32, height: u32) -> Message {
    let metadata = ImageMetadata::packed(format, width, height).unwrap();
    let bytes = metadata.payload_bytes();
    let pixels = (0..bytes)
        .map(|at| u8::try_from(at * 7 % 251).unwrap())
        .collect();
    Message::Image { metadata, pixels }
}

#[test]
fn streams_are_byte_for_byte_those_of_qt() {
    let hello = [
        0, 0, 0, 0x10, 0, 0x68, 0, 0xe9, 0, 0x6c, 0, 0x6c, 0, 0x6f, 0, 0x20, 0x4e, 0x16, 0x75, 0x4c,
    ];
    assert_eq!(written(&text("héllo 世界"), Form::QString), hello);
    assert_eq!(written(&text("a"), Form::QByteArray), [0, 0, 0, 1, b'a']);
    assert_eq!(written(&text("a"), Form::CString), [0, 0, 0, 2, b'a', 0]);
    assert_eq!(written(&text("a"), Form::Raw), [b'a', 0]);
    assert_eq!(written(&bytes(b"\0a"), Form::Raw), *b"\0a");
    assert_eq!(written(&text(""), Form::QString), [0; 4]);
    assert_eq!(Stream::null(Form::QString).to_vec(), [0xff; 4]);
    assert_eq!(Stream::null(Form::CString).to_vec(), [0; 4]);
    assert_eq!(Stream::null(Form::QImage).to_vec(), [0; 4]);
    let image = written(&picture(PixelFormat::Rgb8, 3, 2), Form::QImage);
    assert_eq!(image[..12], *b"\0\0\0\x01\x89PNG\r\n\x1a\n");
}

#[test]
fn null_and_empty_differ_where_qt_distinguishes_them() {
    let null = [0xff; 4];
    let empty = [0; 4];
    assert_eq!(Form::QString.read(&null).unwrap(), Value::Text(None));
    assert_eq!(
        Form::QString.read(&empty).unwrap(),
        Value::Text(Some(String::new()))
    );
    assert_eq!(Form::QByteArray.read(&null).unwrap(), Value::Bytes(None));
    assert_eq!(
        Form::QByteArray.read(&empty).unwrap(),
        Value::Bytes(Some(vec![]))
    );
    assert_eq!(Form::CString.read(&empty).unwrap(), Value::Bytes(None));
    assert_eq!(Form::QImage.read(&empty).unwrap(), Value::Picture(None));
}

#[test]
fn long_texts_of_all_kinds_survive_a_round_trip() {
    let ascii = "plain text ".repeat(5000);
    let mixed = "é世🙂 and then forty characters of plain ASCII ".repeat(2000);
    // The surrogate pairs of the emoji straddle the end of every chunk.
    let shifted = format!("x{}", "🙂".repeat(20_000));
    for sent in ["", "x", "世", "🙂", &ascii, &mixed, &shifted] {
        let stream = written(&text(sent), Form::QString);
        let expected: Vec<u8> = sent.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(stream[4..] == expected, "{} bytes", sent.len());
        let read = Form::QString.read(&stream).unwrap();
        assert!(
            read == Value::Text(Some(sent.into())),
            "{} bytes",
            sent.len()
        );
    }
}

/// Reads units as a streamed `QString`.
fn read_units(units: &[u16]) -> String {
    let length = u32::try_from(2 * units.len()).unwrap();
    let body = units.iter().flat_map(|unit| unit.to_be_bytes());
    let stream: Vec<u8> = length.to_be_bytes().into_iter().chain(body).collect();
    match Form::QString.read(&stream).unwrap() {
        Value::Text(Some(text)) => text,
        other => panic!("it is a text: {other:?}"),
    }
}

#[test]
fn unpaired_surrogates_are_replaced() {
    for (units, expected) in [
        (&[0xd83d][..], "\u{fffd}"),
        (&[0xde42], "\u{fffd}"),
        (&[0xd83d, 0x61], "\u{fffd}a"),
        (&[0xd83d, 0xd83d, 0xde42], "\u{fffd}🙂"),
        (&[0xde42, 0xd83d], "\u{fffd}\u{fffd}"),
    ] {
        assert_eq!(read_units(units), expected);
        assert_eq!(String::from_utf16_lossy(units), expected);
    }
}

#[test]
fn pictures_of_all_formats_survive_a_round_trip() {
    for format in [PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let sent = picture(format, 37, 11);
        let read = Form::QImage.read(&written(&sent, Form::QImage)).unwrap();
        assert_eq!(read.into_message(), Some(sent));
    }
    let Some(Message::Image { metadata, pixels }) = Form::QImage
        .read(&written(&picture(PixelFormat::Bgra8, 5, 1), Form::QImage))
        .unwrap()
        .into_message()
    else {
        panic!("it is a picture");
    };
    assert_eq!(metadata.format, PixelFormat::Rgba8);
    assert_eq!(pixels[..4], [14, 7, 0, 21], "red and blue are swapped");
}

#[test]
fn bgr_and_16_bit_gray_are_streamed_as_pictures() {
    let stream = written(&picture(PixelFormat::Bgr8, 5, 1), Form::QImage);
    let Some(Message::Image { metadata, pixels }) =
        Form::QImage.read(&stream).unwrap().into_message()
    else {
        panic!("it is a picture");
    };
    assert_eq!(metadata.format, PixelFormat::Rgb8);
    assert_eq!(pixels[..3], [14, 7, 0], "red and blue are swapped");
    let stream = written(&picture(PixelFormat::Gray16, 5, 1), Form::QImage);
    let png = image::load_from_memory(&stream[4..]).unwrap();
    assert_eq!(
        png.to_luma16().get_pixel(1, 0).0,
        [0x150e],
        "low byte first"
    );
}

#[test]
fn an_array_is_streamed_as_its_bytes() {
    let array = shm_core::ArrayMetadata::new(shm_core::ElementType::Uint16, [2]).unwrap();
    let message = Message::Array {
        metadata: array,
        data: vec![1, 0, 2, 0],
    };
    assert_eq!(Form::of(&message), Form::QByteArray);
    assert_eq!(
        written(&message, Form::QByteArray),
        [0, 0, 0, 4, 1, 0, 2, 0]
    );
    assert_eq!(written(&message, Form::Raw), [1, 0, 2, 0]);
}

#[test]
fn no_stream_is_longer_than_longest_picture() {
    // Incompressible noise: the high bits of a linear congruential generator.
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    for format in [PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        for (width, height) in [(1, 1), (1, 5000), (5000, 1), (640, 480)] {
            let metadata = ImageMetadata::packed(format, width, height).unwrap();
            let pixels: Vec<u8> = (0..metadata.payload_bytes()).map(|_| noise()).collect();
            let stream = Stream::picture(&metadata, &pixels).unwrap();
            let longest = Stream::longest_picture(&metadata);
            assert!(stream.size() <= longest, "{} of {longest}", stream.size());
        }
    }
}

#[test]
fn row_padding_is_not_written() {
    let packed = ImageMetadata::packed(PixelFormat::Gray8, 2, 2).unwrap();
    let metadata = packed.with_stride(3).unwrap();
    let pixels = vec![1, 2, 99, 3, 4, 99];
    let stream = written(&Message::Image { metadata, pixels }, Form::QImage);
    let Some(Message::Image { pixels, .. }) = Form::QImage.read(&stream).unwrap().into_message()
    else {
        panic!("it is a picture");
    };
    assert_eq!(pixels, [1, 2, 3, 4]);
}

#[test]
fn untrusted_lengths_are_checked_against_the_segment() {
    for form in [Form::QString, Form::QByteArray, Form::CString] {
        for stream in [
            &b""[..],
            b"\0\0\0",
            b"\0\0\0\x05abc",
            b"\xff\xff\xff\xfeabc",
            b"\x7f\xff\xff\xff",
        ] {
            let error = form.read(stream_of(stream)).expect_err("it is too short");
            assert!(
                matches!(
                    error,
                    StreamError::NotThis {
                        reason: NotThisReason::TooShort { .. } | NotThisReason::Length { .. },
                        ..
                    }
                ),
                "{error}"
            );
        }
    }
    assert!(
        Form::QString.read(stream_of(b"\0\0\0\x01a")).is_err(),
        "half a unit"
    );
    assert!(
        Form::CString.read(stream_of(b"\0\0\0\x01a")).is_err(),
        "no NUL"
    );
    assert!(
        Form::QImage.read(stream_of(b"\0\0\0\x02a")).is_err(),
        "no mark"
    );
    assert!(
        Form::QImage.read(stream_of(b"\0\0\0\x01GIF89a")).is_err(),
        "no PNG"
    );
}

fn stream_of(bytes: &[u8]) -> &Vec<u8> {
    Box::leak(Box::new(bytes.to_vec()))
}

/// A small file that claims 65,535 pixels a side would take 17 GB.
#[test]
fn a_picture_that_claims_to_be_huge_is_not_allocated() {
    let mut stream = written(&picture(PixelFormat::Rgba8, 1, 1), Form::QImage);
    // Width and height in the first chunk, and the checksum after it.
    stream[20..28].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let checksum = crc32(&stream[16..33]);
    stream[33..37].copy_from_slice(&checksum.to_be_bytes());
    let error = Form::QImage.read(&stream).expect_err("it is too large");
    assert!(error.to_string().contains("imit"), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| (0..8).fold(sum, |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)));
    !bytes
        .iter()
        .fold(!0, |sum, byte| step(sum ^ u32::from(*byte)))
}

#[test]
fn values_that_a_form_cannot_represent_are_refused() {
    let image = picture(PixelFormat::Gray8, 1, 1);
    for form in [Form::QString, Form::QByteArray, Form::CString, Form::Raw] {
        assert!(matches!(
            Stream::new(&image, form),
            Err(StreamError::Unfit { .. })
        ));
    }
    assert!(Stream::new(&text("a"), Form::QImage).is_err());
    assert!(Stream::new(&text("a\0b"), Form::CString).is_err());
    assert!(Stream::new(&text("a\0b"), Form::Raw).is_err());
    assert!(Stream::new(&bytes(b"\xff"), Form::QString).is_err());
    assert!(Stream::new(&bytes(b"ok"), Form::QString).is_ok());
}

#[test]
fn the_form_of_written_streams_is_detected() {
    let long = "世界 and so on ".repeat(3000);
    for (message, form) in [
        (text("Hello"), Form::QString),
        (text("héllo 世界"), Form::QString),
        (text("🙂"), Form::QString),
        (text(&long), Form::QString),
        (text(""), Form::QString),
        (text("hello!"), Form::QByteArray),
        (bytes(b"\x01\x02\x03"), Form::QByteArray),
        (text("hello!"), Form::CString),
        (text("hello!"), Form::Raw),
        (picture(PixelFormat::Rgb8, 2, 2), Form::QImage),
    ] {
        let stream = written(&message, form);
        assert_eq!(Form::recognise(&stream).unwrap(), form, "{message:?}");
        // Many programs create a larger segment.
        let mut longer = stream;
        longer.resize(longer.len() + 100, 0);
        if !matches!(message, Message::Bytes { .. }) {
            assert_eq!(
                Form::recognise(&longer).unwrap(),
                form,
                "{message:?} in more room"
            );
        }
        assert_eq!(
            form.read(&longer)
                .unwrap()
                .into_message()
                .map(|it| it.payload().to_vec()),
            Some(message.payload().to_vec())
        );
    }
    assert_eq!(
        Form::recognise(&Stream::null(Form::QString).to_vec()).unwrap(),
        Form::QString
    );
    assert_eq!(Form::recognise(&Vec::new()).unwrap(), Form::Raw);
}

#[test]
fn bytes_that_are_utf8_become_a_text() {
    let shown = |bytes: &[u8]| Value::Bytes(Some(bytes.to_vec())).into_message();
    assert_eq!(shown("é\n".as_bytes()), Some(text("é\n")));
    assert_eq!(shown(b"a\0b"), Some(bytes(b"a\0b")));
    assert_eq!(shown(b"\xff"), Some(bytes(b"\xff")));
    assert_eq!(Value::Text(None).into_message(), None);
}

#[test]
fn raw_bytes_end_at_their_first_nul_only_if_they_are_a_text() {
    let read = |bytes: &[u8]| Form::Raw.read(stream_of(bytes)).unwrap();
    assert_eq!(read(b"ab\0cd"), Value::Bytes(Some(b"ab".to_vec())));
    assert_eq!(read(b"\xff\0cd"), Value::Bytes(Some(b"\xff\0cd".to_vec())));
    assert_eq!(read(b"ab"), Value::Bytes(Some(b"ab".to_vec())));
    let far = [vec![b'x'; 3 * CHUNK], vec![0; 10]].concat();
    assert_eq!(read(&far), Value::Bytes(Some(vec![b'x'; 3 * CHUNK])));
}

/// Returns what a reader copies out of a segment: the extent of the form, and zeros after it.
fn cut_to_its_extent(bytes: &[u8], form: Form) -> Vec<u8> {
    let extent = form.extent(&bytes.to_vec(), DEFAULT_LIMIT).unwrap();
    let mut copy = bytes[..extent].to_vec();
    copy.resize(bytes.len(), 0);
    copy
}

#[test]
fn bytes_after_a_stream_are_not_copied() {
    let picture = written(&picture(PixelFormat::Rgb8, 9, 9), Form::QImage);
    let streams = [
        (Form::QString, written(&text("héllo"), Form::QString)),
        (
            Form::QByteArray,
            written(&bytes(b"\0\xff"), Form::QByteArray),
        ),
        (Form::CString, written(&text("hello"), Form::CString)),
        (Form::Raw, b"hello".to_vec()),
        (Form::QImage, picture),
    ];
    for (form, stream) in streams {
        let behind = [&stream[..], b"\0", &[b'x'; 5000]].concat();
        assert_eq!(
            form.extent(&behind, DEFAULT_LIMIT).unwrap(),
            stream.len(),
            "{form}"
        );
        let copy = cut_to_its_extent(&behind, form);
        assert_eq!(form.read(&copy).unwrap(), form.read(&behind).unwrap());
    }
}

proptest! {
    #[test]
    fn any_text_survives_a_round_trip(sent in ".*") {
        let message = Message::Text(sent);
        for form in [Form::QString, Form::QByteArray] {
            let Value::Text(Some(read)) = Form::QString.read(&written(&message, Form::QString)).unwrap() else {
                panic!("it is a text: {form}");
            };
            prop_assert_eq!(read.as_bytes(), message.payload());
        }
    }

    #[test]
    fn any_units_decode_as_in_the_standard_library(
        runs in proptest::collection::vec(
            (
                prop_oneof![
                    0u16..0x80, 0x80u16..0x800, 0x800u16..0xd800, 0xd800u16..0xdc00,
                    0xdc00u16..0xe000, 0xe000u16..=0xffff,
                ],
                // Shorter than a block, several blocks, and about as long as a chunk.
                prop_oneof![1usize..5, 30usize..70, CHUNK / 2 - 2..CHUNK / 2 + 3],
            ),
            0..6,
        )
    ) {
        let runs = runs.iter().map(|(unit, count)| vec![*unit; *count]);
        let units: Vec<u16> = runs.flatten().collect();
        prop_assert!(read_units(&units) == String::from_utf16_lossy(&units));
    }

    #[test]
    fn no_bytes_cause_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), head in 0u32..400) {
        for _ in 0..2 {
            let recognised = Form::recognise(&bytes).unwrap();
            recognised.read(&bytes).ok();
            for (_, form) in Form::NAMES {
                let copy = cut_to_its_extent(&bytes, form);
                if let Ok(value) = form.read(&bytes) {
                    prop_assert_eq!(&form.read(&copy).unwrap(), &value);
                    drop(value.into_message());
                } else {
                    prop_assert!(form.read(&copy).is_err());
                }
            }
            // A length that may be valid.
            bytes.splice(0..0, head.to_be_bytes());
        }
    }
}

/// Chinese and Japanese texts of which every byte is printable ASCII.
const WORDS: &[&str] = &[
    "你好",
    "中",
    "停止",
    "年",
    "好",
    "是",
    "你",
    "数据",
    "否",
    "昨天",
    "关",
    "男",
    "女",
    "桩",
    "不",
    "在",
    "有",
    "大",
    "学",
    "学年",
    "中学",
    "大学",
    "来",
    "天",
    "山水",
    "空",
    "不好",
    "你好你好",
    "年末",
    "天天",
    "地址",
    "数学",
    "数",
    "正常",
    "正在",
    "特别",
    "停",
    "打印",
    "打卡",
    "元",
    "全",
    "校",
    "学校",
    "昨晚",
    "女孩",
    "男孩",
    "女儿",
    "好书",
    "好听",
    "不存在",
    "不在",
    "存在",
    "中午",
    "字典",
    "制作",
    "全局",
    "数字",
    "字数",
    "条",
    "晚上",
    "上午",
    "天空",
    "海南",
    "大海",
    "卡片",
    "桥",
    "杯",
    "慢",
    "批",
    "权利",
    "水平",
    "中等",
    "却",
    "主席",
    "公共",
    "你在不在",
    "啊",
    "名字",
    "元素",
    "单元",
    "命名",
    "主机",
    "等等",
    "占用",
    "公平",
    "卡",
    "あ",
    "い",
    "うえ",
    "いいえ",
    "すし",
    "かさ",
    "そば",
    "ここ",
    "そこ",
    "どこ",
    "あなた",
    "あした",
    "くつ",
    "いえ",
    "さかな",
    "たまご",
    "ねこ",
    "いぬ",
    "はな",
    "はし",
    "ひと",
    "時",
    "東",
    "猫",
    "海",
    "山",
    "水",
    "好き",
    "大好き",
    "正",
    "春",
    "女の子",
    "男の子",
    "手",
    "昨年",
    "नाम",
];

/// Typical contents of a `QByteArray`.
const ASCII: &[&str] = &[
    "Hello!",
    "Hello, bytes",
    "OK",
    "ab",
    "ok",
    "no",
    "on",
    "by",
    "go",
    "he",
    "hi",
    "yes",
    "true",
    "false",
    "null",
    "none",
    "start",
    "stop",
    "ping",
    "pong",
    "data",
    "name",
    "value",
    "status",
    "ready",
    "error",
    "Hello",
    "Hello, world",
    "hello",
    "HELLO",
    "word",
    "test",
    "quit",
    "exit",
    "open",
    "play",
    "pause",
    "volume=7",
    "key=value",
    "a=1",
    "x=1;y=2",
    "path=/usr",
    "mode: fast",
    "{}",
    "[]",
    "{\"a\":1}",
    "{\"name\":\"Qt\",\"id\":42}",
    "[1,2,3]",
    "[1, 2, 3, 4]",
    "a,b,c",
    "1,2,3,4",
    "id;name;age",
    "<p>Hi</p>",
    "<html><body></body></html>",
    "<?xml version=\"1.0\"?>",
    "<a href=\"#\">x</a>",
    "/tmp",
    "/usr/bin/env",
    "/home/user/a.txt",
    "C:\\Users\\me",
    "file.txt",
    "readme.md",
    "550e8400-e29b-41d4-a716-446655440000",
    "deadbeef",
    "cafe",
    "0123456789abcdef",
    "DEADBEEF",
    "0xff",
    "0x1F40",
    "12",
    "42",
    "3.14",
    "2026",
    "100",
    "2026-11-21",
    "12:34:56",
    "SGVsbG8=",
    "SGVsbG8sIHdvcmxkIQ==",
    "QUJD",
    "TWFu",
    "GET / HTTP/1.1",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.1 200 OK",
    "int main() { return 0; }",
    "let x = 1;",
    "#include <QtCore>",
    "if (a) b();",
    "fn main() {}",
    "user@example.org",
    "https://www.qt.io/",
    "127.0.0.1",
    "QSharedMemory",
    "camelCase",
    "snake_case",
    "rgb(1, 2, 3)",
    "#ff8800",
    "\r\n",
    "a\tb\tc",
    "one\ntwo\n",
    "The quick brown fox",
    "It works.",
    "binary",
    "public",
    "String",
    "import",
    "kernel",
    "target",
];

fn not_taken_for(form: Form, table: &[&'static str]) -> Vec<&'static str> {
    let is_other = |word: &&str| {
        let stream = written(&text(word), form);
        let mut longer = stream.clone();
        longer.resize(longer.len() + 100, 0);
        let recognised = Form::recognise(&stream).unwrap();
        assert_eq!(recognised, Form::recognise(&longer).unwrap(), "{word:?}");
        recognised != form
    };
    table.iter().copied().filter(is_other).collect()
}

#[test]
fn common_words_of_printable_bytes_are_texts() {
    for word in WORDS {
        let stream = written(&text(word), Form::QString);
        let is_printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
        assert!(
            stream[4..].iter().all(is_printable),
            "{word} proves nothing"
        );
    }
    // As ASCII they are "hi", "he", "go", "ab", and "by".
    assert_eq!(
        not_taken_for(Form::QString, WORDS),
        ["桩", "桥", "杯", "慢", "批"]
    );
}

#[test]
fn ascii_bytes_are_not_detected_as_a_qstring() {
    assert_eq!(not_taken_for(Form::QByteArray, ASCII), [""; 0]);
    // Found in the texts of this repository: they are common Chinese too, and cannot be
    // distinguished.
    let both = [
        "keep", "blue", "wake", "Step", "was.", "key:", "way:", "0x0c", "ge", "et", "cn",
        "display:", "disclaim",
    ];
    assert_eq!(not_taken_for(Form::QByteArray, &both), both);
}

#[test]
fn the_raw_null_fits_wherever_a_byte_does() {
    let stream = Stream::null(Form::Raw);
    assert_eq!(stream.to_vec(), [0]);
    assert_eq!(stream.size(), 1);
    let read = Form::Raw.read(&stream.to_vec()).unwrap();
    assert_eq!(read, Value::Bytes(Some(vec![])));
}

/// Returns a streamed picture, with a colour profile unless that is empty.
fn png_stream(
    color: ExtendedColorType,
    pixels: &[u8],
    sides: (u32, u32),
    profile: Vec<u8>,
) -> Vec<u8> {
    let mut stream = PRESENT.to_be_bytes().to_vec();
    let mut encoder = PngEncoder::new(&mut stream);
    encoder.set_icc_profile(profile).unwrap();
    encoder
        .write_image(pixels, sides.0, sides.1, color)
        .unwrap();
    stream
}

/// A colour profile may expand a thousandfold; it is not decompressed.
#[test]
fn a_colour_profile_is_not_decompressed() {
    const UNPACKED: usize = 64 << 20;
    let stream = png_stream(ExtendedColorType::L8, &[7; 4], (2, 2), vec![0; UNPACKED]);
    assert!(stream.len() < UNPACKED / 500, "{}", stream.len());
    let value = Form::QImage.read_within(&stream, 4 << 20).unwrap();
    let Value::Picture(Some((metadata, pixels))) = value else {
        panic!("there is a picture");
    };
    assert_eq!((metadata.format, pixels), (PixelFormat::Gray8, vec![7; 4]));
}

/// The decoder's memory and the pixels count together.
#[test]
fn the_limit_bounds_a_picture_before_it_is_decoded() {
    let pixels = vec![0; 1024 * 1024 * 4];
    let sides = (1024, 1024);
    let stream = png_stream(ExtendedColorType::Rgba8, &pixels, sides, Vec::new());
    assert!(stream.len() < 64 << 10);
    let limit = 4 << 20;
    let error = Form::QImage.read_within(&stream, limit).unwrap_err();
    assert!(
        matches!(error, StreamError::Limit { bytes, .. } if bytes > limit),
        "{error}"
    );
    assert!(Form::QImage.read_within(&stream, 3 * limit).is_ok());
}

/// Every PNG format is converted to eight bits a channel.
#[test]
fn all_png_formats_are_read() {
    let both = |color, pixels: &[u8]| {
        let stream = png_stream(color, pixels, (2, 1), Vec::new());
        match Form::QImage.read(&stream).unwrap() {
            Value::Picture(Some((metadata, pixels))) => (metadata.format, pixels),
            other => panic!("{other:?}"),
        }
    };
    let sixteen = |samples: &[u16]| -> Vec<u8> {
        samples
            .iter()
            .flat_map(|sample| sample.to_ne_bytes())
            .collect()
    };
    assert_eq!(
        both(ExtendedColorType::La8, &[1, 2, 3, 4]),
        (PixelFormat::Rgba8, vec![1, 1, 1, 2, 3, 3, 3, 4])
    );
    assert_eq!(
        both(ExtendedColorType::L16, &sixteen(&[0x1234, 0xff00])),
        (PixelFormat::Gray8, vec![0x12, 0xff])
    );
    assert_eq!(
        both(
            ExtendedColorType::La16,
            &sixteen(&[0x1234, 0x5678, 0, 0xffff])
        ),
        (
            PixelFormat::Rgba8,
            vec![0x12, 0x12, 0x12, 0x56, 0, 0, 0, 0xff]
        )
    );
    assert_eq!(
        both(
            ExtendedColorType::Rgb16,
            &sixteen(&[0, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500])
        ),
        (PixelFormat::Rgb8, vec![0, 1, 2, 3, 4, 5])
    );
}
