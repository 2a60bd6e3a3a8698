//! The header of `NumPy` files (.npy, version 1.0).

use std::path::Path;

use shm_core::ArrayMetadata;

/// The alignment of the data, bytes.
const ALIGNMENT: usize = 64;

/// Returns `true` if a path has the extension `npy`, in any case.
pub(crate) fn has_extension(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("npy"))
}

/// Returns the header of a file, which precedes the elements.
pub(crate) fn header(array: &ArrayMetadata) -> Vec<u8> {
    let order = if array.element().bytes() == 1 {
        '|'
    } else {
        '<'
    };
    let element = array.element().name();
    let shape: Vec<String> = array.shape().iter().map(u64::to_string).collect();
    let shape = match shape.as_slice() {
        // The comma makes it a tuple in Python.
        [length] => format!("({length},)"),
        shape => format!("({})", shape.join(", ")),
    };
    let text =
        format!("{{'descr': '{order}{element}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    // Two bytes of length follow the magic; the header ends with a newline.
    let end = (header.len() + 2 + text.len() + 1).next_multiple_of(ALIGNMENT);
    let length = end - header.len() - 2;
    let length = u16::try_from(length).expect("eight dimensions fit");
    header.extend(length.to_le_bytes());
    header.extend(text.as_bytes());
    header.resize(end - 1, b' ');
    header.push(b'\n');
    header
}

#[cfg(test)]
mod tests {
    use shm_core::ElementType;

    use super::*;

    #[test]
    fn the_header_is_the_one_that_numpy_writes() {
        let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).expect("it is a shape");
        let header = header(&array);
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
        assert_eq!(header[..10], *b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(header[10..10 + text.len()], *text.as_bytes());
        assert_eq!((header.len(), header.last()), (128, Some(&b'\n')));
    }

    #[test]
    fn one_dimension_is_written_as_a_tuple() {
        let array = ArrayMetadata::new(ElementType::Uint8, [3]).expect("it is a shape");
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
        assert_eq!(header(&array)[10..10 + text.len()], *text.as_bytes());
    }

    #[test]
    fn the_longest_header_is_aligned() {
        let array = ArrayMetadata::new(ElementType::Bool, [u64::MAX, 0, 1, 1, 1, 1, 1, u64::MAX]);
        let header = header(&array.expect("it is a shape"));
        assert_eq!(header.len() % ALIGNMENT, 0);
        assert!(header.windows(5).any(|word| word == b"'|b1'"));
    }

    #[test]
    fn the_extension_is_recognised_in_any_case() {
        assert!(has_extension(Path::new("a/b.npy")) && has_extension(Path::new("B.NPY")));
        assert!(!has_extension(Path::new("npy")) && !has_extension(Path::new("a.npy.bin")));
    }
}
