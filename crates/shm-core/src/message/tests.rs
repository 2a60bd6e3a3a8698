use std::time::{Duration, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NONE: &Annotations = &Annotations::new();

/// Returns `true` if docs/LAYOUT.md contains these bytes.
fn is_in_document(bytes: &[u8]) -> bool {
    let document = include_str!("../../../../docs/LAYOUT.md");
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (_, examples) = document
        .split_once("(nothing), or 00")
        .expect("text comes first");
    examples.contains(&hex.join(" "))
}

fn assert_golden(metadata: &Metadata, annotations: &Annotations, bytes: u64, golden: &[u8]) {
    // With annotations the example takes more than one line.
    let (first, rest) = golden.split_at(if golden.len() > 20 { 8 } else { 0 });
    let (second, third) = rest.split_at(if golden.len() > 20 { 24 } else { 0 });
    for line in [first, second, third] {
        assert!(is_in_document(line), "{line:02x?}");
    }
    let encoded = metadata.to_bytes(annotations, bytes).unwrap();
    assert_eq!(encoded, golden, "{metadata:?} {annotations:?}");
    let decoded = Metadata::from_bytes(golden, bytes).unwrap();
    assert_eq!(decoded, (metadata.clone(), annotations.clone()));
}

fn origin() -> Origin {
    Origin {
        host: "hostA".to_owned(),
        program: "cam".to_owned(),
        sequence: 7.into(),
        published: UNIX_EPOCH + Duration::from_nanos(0x1122),
        last_heard: UNIX_EPOCH + Duration::from_nanos(0x3344),
        is_stale: true,
    }
}

/// The bytes in docs/LAYOUT.md. A change of them changes the format.
#[test]
fn the_encoding_matches_the_documented_examples() {
    assert_golden(&Metadata::Text, NONE, 5, &[]);
    let image = ImageMetadata::packed(PixelFormat::Rgba8, 640, 2)
        .unwrap()
        .with_file_name("a.png");
    let golden = [
        &[1, 2, 0x80, 2, 0, 0, 2, 0, 0, 0, 0, 0x0a, 0, 0, 5][..],
        b"a.png",
    ];
    assert_golden(&image.into(), NONE, 640 * 4 * 2, &golden.concat());
    let deep = ImageMetadata::packed(PixelFormat::Gray16, 3, 1).unwrap();
    let deep = deep.with_stride(8).unwrap();
    let golden = [1, 5, 3, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0];
    assert_golden(&deep.into(), NONE, 8, &golden);
    assert_golden(&Metadata::bytes("a/b"), NONE, 9, b"\x02\x03a/b\x00");
    assert_golden(
        &Metadata::bytes(BytesMetadata::OCTET_STREAM),
        NONE,
        64,
        &[2, 0, 0],
    );
    let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).unwrap();
    let golden = b"\x03f4\x02\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0";
    assert_golden(&array.into(), NONE, 48, golden);
}

#[test]
fn annotations_precede_the_kind() {
    let user = Annotations::new().with_user(&[0xaa, 0xbb]);
    assert_golden(&Metadata::Text, &user, 5, &[128, 2, 0, 0xaa, 0xbb, 0]);
    let both = user.with_origin(origin());
    let golden = [
        &[128, 2, 0, 0xaa, 0xbb, 129, 35, 0][..],
        &[7, 0, 0, 0, 0, 0, 0, 0],
        &[0x22, 0x11, 0, 0, 0, 0, 0, 0],
        &[0x44, 0x33, 0, 0, 0, 0, 0, 0],
        &[1],
        b"\x05hostA\x03cam",
        &[2, 0, 0],
    ];
    assert_golden(&Metadata::bytes(""), &both, 0, &golden.concat());
}

/// With at most 16 bytes of metadata, a sample of 64 bytes takes two lines of the ring.
#[test]
fn common_metadata_takes_at_most_16_bytes() {
    let frame_number = Annotations::new().with_user(&[0; 8]);
    let vector = ArrayMetadata::new(ElementType::Float64, [8]).unwrap();
    let picture = ImageMetadata::packed(PixelFormat::Gray8, 8, 8).unwrap();
    for (metadata, annotations) in [
        (Metadata::bytes("application/octet-stream"), NONE),
        (Metadata::bytes(""), &frame_number),
        (Metadata::Text, &frame_number),
        (vector.into(), NONE),
        (picture.into(), NONE),
    ] {
        let encoded = metadata.to_bytes(annotations, 64).unwrap();
        assert!(encoded.len() <= 16, "{metadata:?}");
    }
}

#[test]
fn kinds_of_a_later_version_are_decoded_as_bytes() {
    let annotated = Metadata::Text.to_bytes(&Annotations::new().with_user(b"42"), 0);
    let annotated = annotated.unwrap();
    let (_text, before) = annotated.split_last().unwrap();
    for later in [
        &[9, 1, 2, 3][..],
        &[127],
        &[1, 6, 0xff],
        &[1, 255],
        b"\x03c8\x01",
        b"\x03\xff\xff",
    ] {
        let encoded = [before, later].concat();
        let (metadata, annotations) = Metadata::from_bytes(&encoded, 5).unwrap();
        assert_eq!(metadata, Metadata::bytes(""), "{later:?}");
        assert_eq!(annotations.user, b"42", "{later:?}");
    }
    let unknown = [&[200, 3, 0, 1, 2, 3], before, &[0]].concat();
    let (metadata, annotations) = Metadata::from_bytes(&unknown, 5).unwrap();
    assert_eq!(
        (metadata, annotations.user),
        (Metadata::Text, b"42".to_vec())
    );
}

#[test]
fn invalid_encodings_are_rejected() {
    use MetadataError::{BytesBehind, Dimensions, EndsEarly, NotUtf8, Repeated, TooLong};
    let long_user = [&[128, 0, 1][..], &[0; 256], &[0]].concat();
    let short_origin = [&[129, 25, 0][..], &[0; 25], &[0]].concat();
    let long_origin = [&[129, 28, 0][..], &[0; 28], &[0]].concat();
    let no_dimension = b"\x03f4\x00";
    let many_dimensions = [&b"\x03f4\x09"[..], &[0; 72]].concat();
    for (encoded, error) in [
        (&[0, 0][..], BytesBehind),
        (&[128, 1, 0, 1], EndsEarly),
        (&[128, 255, 255, 0], EndsEarly),
        (&[128, 0, 0, 128, 0, 0, 0], Repeated),
        (
            &long_user,
            TooLong {
                field: MetadataField::UserData,
                bytes: 256,
            },
        ),
        (&short_origin, EndsEarly),
        (&long_origin, BytesBehind),
        (&[2, 1, 0xff, 0], NotUtf8),
        (&[2, 9, b'a', 0], EndsEarly),
        (no_dimension, Dimensions { count: 0 }),
        (&many_dimensions, Dimensions { count: 9 }),
    ] {
        assert_eq!(Metadata::from_bytes(encoded, 0), Err(error), "{encoded:?}");
    }
}

#[test]
fn truncated_metadata_and_wrong_payload_lengths_are_rejected() {
    let image = ImageMetadata::packed(PixelFormat::Rgb8, 3, 2).unwrap();
    let annotations = Annotations::new().with_user(b"42").with_origin(origin());
    let encoded = Metadata::Image(image).to_bytes(&annotations, 18).unwrap();
    for cut in 1..encoded.len() {
        assert!(
            Metadata::from_bytes(&encoded[..cut], 18).is_err(),
            "cut at {cut}"
        );
    }
    assert!(Metadata::from_bytes(&encoded, 17).is_err());
    let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).unwrap();
    let encoded = Metadata::Array(array).to_bytes(NONE, 48).unwrap();
    assert!(Metadata::from_bytes(&encoded, 49).is_err());
}

#[test]
fn names_that_are_too_long_are_rejected() {
    let mut bytes = BytesMetadata::new("");
    bytes.media_type = "x".repeat(256);
    assert!(Metadata::Bytes(bytes).to_bytes(NONE, 0).is_err());
    let user = Annotations::new().with_user(&[0; 256]);
    assert!(Metadata::Text.to_bytes(&user, 0).is_err());
    let mut origin = origin();
    origin.host = "x".repeat(256);
    let annotations = Annotations::new().with_origin(origin);
    assert!(Metadata::Text.to_bytes(&annotations, 0).is_err());
}

#[test]
fn the_longest_metadata_fits_the_smallest_ring() {
    let name = "x".repeat(300);
    let longest = BytesMetadata::new(&name).with_file_name(&name);
    let annotations = Annotations::new()
        .with_user(&[0; 255])
        .with_origin(Origin::new(&name, &name, u64::MAX, UNIX_EPOCH));
    let encoded = Metadata::Bytes(longest).to_bytes(&annotations, 0).unwrap();
    assert!(encoded.len() <= (1 << 14) / 8 - 128, "{}", encoded.len());
}

#[test]
fn names_are_truncated_at_a_character() {
    assert_eq!(truncate_name(&"é".repeat(200)).len(), 254);
    assert_eq!(truncate_name("short"), "short");
}

fn name() -> impl Strategy<Value = String> {
    "[^\\x00]{0,60}"
}

fn an_origin() -> impl Strategy<Value = Origin> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>());
    (name(), name(), numbers).prop_map(|(host, program, numbers)| Origin {
        host,
        program,
        sequence: (numbers.0).into(),
        published: UNIX_EPOCH + Duration::from_nanos(numbers.1),
        last_heard: UNIX_EPOCH + Duration::from_nanos(numbers.2),
        is_stale: numbers.3,
    })
}

fn annotations() -> impl Strategy<Value = Annotations> {
    let user = vec(any::<u8>(), 0..=255);
    (user, proptest::option::of(an_origin())).prop_map(|(user, origin)| Annotations {
        user,
        origin: origin.map(Box::new),
    })
}

/// Metadata, and a matching payload length.
fn metadata() -> impl Strategy<Value = (Metadata, u64)> {
    let formats = proptest::sample::select(PixelFormat::ALL);
    let image = (formats, 1..=65_535_u32, 1..=65_535_u32, 0..99_u32, name());
    let image = image.prop_map(|(format, width, height, gap, name)| {
        let image = ImageMetadata::packed(format, width, height).unwrap();
        let stride = image.stride + gap;
        let mut image = image.with_stride(stride).unwrap();
        image.file_name = (!name.is_empty()).then_some(name);
        let bytes = image.payload_bytes() as u64;
        (Metadata::Image(image), bytes)
    });
    let elements = proptest::sample::select(ElementType::ALL);
    let array = (elements, vec(0..100_u64, 1..=8)).prop_map(|(element, shape)| {
        let array = ArrayMetadata::new(element, shape).unwrap();
        let bytes = array.payload_bytes();
        (Metadata::Array(array), bytes)
    });
    let bytes = (name(), name(), any::<u64>()).prop_map(|(media_type, name, length)| {
        let mut bytes = BytesMetadata::new(&media_type);
        bytes.file_name = (!name.is_empty()).then_some(name);
        (Metadata::Bytes(bytes), length)
    });
    let text = any::<u64>().prop_map(|length| (Metadata::Text, length));
    prop_oneof![text, image, array, bytes]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn encoded_metadata_decodes_to_the_same_value((metadata, bytes) in metadata(), annotations in annotations()) {
        let encoded = metadata.to_bytes(&annotations, bytes).unwrap();
        let decoded = Metadata::from_bytes(&encoded, bytes).unwrap();
        prop_assert_eq!(decoded, (metadata, annotations));
    }

    #[test]
    fn whatever_decodes_can_be_encoded(encoded in vec(any::<u8>(), 0..600), bytes: u64) {
        if let Ok((metadata, annotations)) = Metadata::from_bytes(&encoded, bytes) {
            let again = metadata.to_bytes(&annotations, bytes).unwrap();
            prop_assert_eq!(Metadata::from_bytes(&again, bytes).unwrap(), (metadata, annotations));
        }
    }

    #[test]
    fn a_changed_byte_never_panics(
        (metadata, bytes) in metadata(), annotations in annotations(), at: prop::sample::Index, byte: u8,
    ) {
        let mut encoded = metadata.to_bytes(&annotations, bytes).unwrap();
        if !encoded.is_empty() {
            let at = at.index(encoded.len());
            encoded[at] = byte;
        }
        if let Ok((metadata, annotations)) = Metadata::from_bytes(&encoded, bytes) {
            prop_assert!(metadata.to_bytes(&annotations, bytes).is_ok());
        }
    }
}
