//! The shape and the element type of an array.

use std::fmt;

use bytemuck::NoUninit;

use super::MetadataError;

/// The element type and the shape of an array, as in `NumPy`: little-endian elements in C order
/// (the last dimension varies fastest).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArrayMetadata {
    element: ElementType,
    shape: Vec<u64>,
    payload_bytes: u64,
}

/// The type of an array's elements; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// `u1`: 8 bits, unsigned.
    Uint8,
    /// `i1`: 8 bits, signed.
    Int8,
    /// `u2`: 16 bits, unsigned.
    Uint16,
    /// `i2`: 16 bits, signed.
    Int16,
    /// `u4`: 32 bits, unsigned.
    Uint32,
    /// `i4`: 32 bits, signed.
    Int32,
    /// `u8`: 64 bits, unsigned.
    Uint64,
    /// `i8`: 64 bits, signed.
    Int64,
    /// `f2`: IEEE 754 half precision.
    Float16,
    /// `f4`: IEEE 754 single precision.
    Float32,
    /// `f8`: IEEE 754 double precision.
    Float64,
    /// `b1`: one byte, 0 or 1.
    Bool,
}

/// A Rust type that is an element type of arrays.
pub trait Element: NoUninit + sealed::Sealed {
    /// The element type in metadata.
    const TYPE: ElementType;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($rust:ty => $element:ident),* $(,)?) => {$(
        impl sealed::Sealed for $rust {}

        impl Element for $rust {
            const TYPE: ElementType = ElementType::$element;
        }
    )*};
}

elements! {
    u8 => Uint8, i8 => Int8, u16 => Uint16, i16 => Int16, u32 => Uint32, i32 => Int32,
    u64 => Uint64, i64 => Int64, f32 => Float32, f64 => Float64, bool => Bool,
}

impl ArrayMetadata {
    /// The maximum number of dimensions of an array.
    pub const MAX_DIMENSIONS: usize = 8;

    /// Returns an array of this shape. If a dimension is 0, the array has no elements.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] if there is no dimension, or more than
    /// [`MAX_DIMENSIONS`](Self::MAX_DIMENSIONS), or the elements take 2^64 bytes or more.
    pub fn new(element: ElementType, shape: impl Into<Vec<u64>>) -> Result<Self, MetadataError> {
        let shape = shape.into();
        Ok(Self {
            payload_bytes: payload_bytes(element, &shape)?,
            element,
            shape,
        })
    }

    /// Returns the element type.
    #[must_use]
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// Returns the dimensions, of which the last varies fastest.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Returns the payload's length, bytes: the product of the dimensions and the size of an
    /// element.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    pub(super) fn check(&self, payload_bytes: u64) -> Result<(), MetadataError> {
        let needed = self.payload_bytes;
        if needed != payload_bytes {
            return Err(MetadataError::ArrayLength {
                needed,
                found: payload_bytes,
            });
        }
        Ok(())
    }
}

fn payload_bytes(element: ElementType, shape: &[u64]) -> Result<u64, MetadataError> {
    let count = shape.len();
    if !(1..=ArrayMetadata::MAX_DIMENSIONS).contains(&count) {
        return Err(MetadataError::Dimensions { count });
    }
    // With a dimension of 0 the array is empty, even if the product of the others overflows.
    if shape.contains(&0) {
        return Ok(0);
    }
    let size = element.bytes() as u64;
    let bytes = shape
        .iter()
        .try_fold(size, |product, &dimension| product.checked_mul(dimension));
    bytes.ok_or(MetadataError::ArrayTooLarge)
}

/// Formats the array such as `f4 · 3 × 4`.
impl fmt::Display for ArrayMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · ", self.element.name())?;
        for (at, dimension) in self.shape.iter().enumerate() {
            let between = if at == 0 { "" } else { " × " };
            write!(f, "{between}{dimension}")?;
        }
        Ok(())
    }
}

impl ElementType {
    /// All element types.
    pub const ALL: &[Self] = &[
        Self::Uint8,
        Self::Int8,
        Self::Uint16,
        Self::Int16,
        Self::Uint32,
        Self::Int32,
        Self::Uint64,
        Self::Int64,
        Self::Float16,
        Self::Float32,
        Self::Float64,
        Self::Bool,
    ];

    /// Returns its name in `NumPy`: "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4",
    /// "f8" or "b1".
    ///
    /// The digit is its size in bytes: "u8" is Rust's `u64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint8 => "u1",
            Self::Int8 => "i1",
            Self::Uint16 => "u2",
            Self::Int16 => "i2",
            Self::Uint32 => "u4",
            Self::Int32 => "i4",
            Self::Uint64 => "u8",
            Self::Int64 => "i8",
            Self::Float16 => "f2",
            Self::Float32 => "f4",
            Self::Float64 => "f8",
            Self::Bool => "b1",
        }
    }

    /// Returns the element type with this name; `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|element| element.name() == name)
    }

    /// Returns the size of an element, bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Uint8 | Self::Int8 | Self::Bool => 1,
            Self::Uint16 | Self::Int16 | Self::Float16 => 2,
            Self::Uint32 | Self::Int32 | Self::Float32 => 4,
            Self::Uint64 | Self::Int64 | Self::Float64 => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digit_in_a_name_is_the_size_of_an_element() {
        for element in ElementType::ALL {
            assert_eq!(element.name()[1..], element.bytes().to_string());
            assert_eq!(ElementType::from_name(element.name()), Some(*element));
        }
        assert_eq!(ElementType::from_name("c8"), None);
    }

    #[test]
    fn rust_types_have_the_size_of_their_element_type() {
        fn assert_size<T: Element>() {
            assert_eq!(size_of::<T>(), T::TYPE.bytes(), "{:?}", T::TYPE);
        }
        assert_size::<u8>();
        assert_size::<i8>();
        assert_size::<u16>();
        assert_size::<i16>();
        assert_size::<u32>();
        assert_size::<i32>();
        assert_size::<u64>();
        assert_size::<i64>();
        assert_size::<f32>();
        assert_size::<f64>();
        assert_size::<bool>();
    }

    #[test]
    fn an_array_needs_a_payload_of_exactly_its_size() {
        let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).unwrap();
        assert_eq!(array.payload_bytes(), 48);
        assert!(array.check(48).is_ok());
        assert!(array.check(47).is_err());
        assert_eq!(array.to_string(), "f4 · 3 × 4");
    }

    #[test]
    fn impossible_shapes_are_rejected() {
        let new = |shape: &[u64]| ArrayMetadata::new(ElementType::Uint16, shape);
        assert_eq!(new(&[]), Err(MetadataError::Dimensions { count: 0 }));
        assert_eq!(new(&[1; 9]), Err(MetadataError::Dimensions { count: 9 }));
        assert_eq!(new(&[1 << 63]), Err(MetadataError::ArrayTooLarge));
        assert_eq!(new(&[1 << 32, 1 << 32]), Err(MetadataError::ArrayTooLarge));
        // 2^64 wraps to 0, which an empty payload would match.
        assert_eq!(new(&[1 << 33, 1 << 30]), Err(MetadataError::ArrayTooLarge));
        let most = new(&[(1 << 63) - 1]).unwrap();
        assert_eq!(most.payload_bytes(), u64::MAX - 1);
    }

    #[test]
    fn a_dimension_of_zero_makes_an_array_empty() {
        let empty = ArrayMetadata::new(ElementType::Float64, [u64::MAX, 0, u64::MAX]).unwrap();
        assert_eq!(empty.payload_bytes(), 0);
        assert!(empty.check(0).is_ok());
        assert!(empty.check(8).is_err());
    }
}
