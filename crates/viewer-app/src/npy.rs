//! The head of a file that `NumPy` loads (.npy, version 1.0).

use std::path::Path;

use shm_core::ArrayMetadata;

/// What the data begins at a multiple of.
const ALIGNMENT: usize = 64;

/// Returns `true` if a file's name asks for this format.
pub(crate) fn is_name(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
}

/// Returns what stands before the elements.
pub(crate) fn header(array: &ArrayMetadata) -> Vec<u8> {
    let order = if array.element().bytes() == 1 {
        '|'
    } else {
        '<'
    };
    let element = array.element().name();
    let shape: Vec<String> = array.shape().iter().map(u64::to_string).collect();
    let shape = match shape.as_slice() {
        // The comma makes a tuple of it.
        [length] => format!("({length},)"),
        shape => format!("({})", shape.join(", ")),
    };
    let text =
        format!("{{'descr': '{order}{element}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    // The length stands behind, in two bytes, and a line end last.
    let end = (header.len() + 2 + text.len() + 1).next_multiple_of(ALIGNMENT);
    let length = end - header.len() - 2;
    let length = u16::try_from(length).expect("eight dimensions are short");
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
    fn one_dimension_is_a_tuple_too() {
        let array = ArrayMetadata::new(ElementType::Uint8, [3]).expect("it is a shape");
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
        assert_eq!(header(&array)[10..10 + text.len()], *text.as_bytes());
    }

    #[test]
    fn the_longest_header_fits_too() {
        let array = ArrayMetadata::new(ElementType::Bool, [u64::MAX, 0, 1, 1, 1, 1, 1, u64::MAX]);
        let header = header(&array.expect("it is a shape"));
        assert_eq!(header.len() % ALIGNMENT, 0);
        assert!(header.windows(5).any(|word| word == b"'|b1'"));
    }

    #[test]
    fn the_ending_asks_for_it() {
        assert!(is_name(Path::new("a/b.npy")) && is_name(Path::new("B.NPY")));
        assert!(!is_name(Path::new("npy")) && !is_name(Path::new("a.npy.bin")));
    }
}
