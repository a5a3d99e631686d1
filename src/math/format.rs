//! Binary formats of the two types that functions are computed in.
#![forbid(unsafe_code)]

/// Parts of a number's bits, as numbers.
pub(crate) trait Format: Copy {
    /// Bits of the mantissa, and with them those of the exponent.
    const MANTISSA: Self;
    const MAGNITUDE: Self;
    /// Bits of 1 less those of sqrt(1/2).
    const ONE_LESS_SQRT_HALF: Self;
    const SQRT_HALF: Self;
    const SMALLEST_NORMAL: Self;
    /// The smallest number in which an exponent fits as an integer, and that with the bias.
    const INTEGER: Self;
    const INTEGER_BIAS: Self;
    /// One and a half times that, and the bias: adding it leaves the nearest integer, biased, in
    /// the low bits of the sum.
    const ROUND: Self;

    /// Adds numbers as integers.
    fn add_bits(self, other: Self) -> Self;
    fn and_bits(self, other: Self) -> Self;
    /// Moves the low bits to where the exponent is, and back.
    fn shift_to_exponent(self) -> Self;
    fn shift_from_exponent(self) -> Self;
}

macro_rules! format {
    ($real:ident, mantissa $mantissa:literal, bias $bias:literal, sqrt_half $sqrt_half:literal) => {
        impl Format for $real {
            const MANTISSA: Self = Self::from_bits((1 << $mantissa) - 1);
            const MAGNITUDE: Self = Self::from_bits(!0 >> 1);
            const ONE_LESS_SQRT_HALF: Self = Self::from_bits(Self::to_bits(1.0) - $sqrt_half);
            const SQRT_HALF: Self = Self::from_bits($sqrt_half);
            const SMALLEST_NORMAL: Self = Self::MIN_POSITIVE;
            const INTEGER: Self = (1u64 << $mantissa) as Self;
            const INTEGER_BIAS: Self = Self::INTEGER + $bias;
            const ROUND: Self = 1.5 * Self::INTEGER + $bias;

            #[inline(always)]
            fn add_bits(self, other: Self) -> Self {
                Self::from_bits(self.to_bits().wrapping_add(other.to_bits()))
            }
            #[inline(always)]
            fn and_bits(self, other: Self) -> Self {
                Self::from_bits(self.to_bits() & other.to_bits())
            }
            #[inline(always)]
            fn shift_to_exponent(self) -> Self {
                Self::from_bits(self.to_bits() << $mantissa)
            }
            #[inline(always)]
            fn shift_from_exponent(self) -> Self {
                Self::from_bits(self.to_bits() >> $mantissa)
            }
        }
    };
}

format!(f32, mantissa 23, bias 127.0, sqrt_half 0x3f35_04f3);
format!(f64, mantissa 52, bias 1023.0, sqrt_half 0x3fe6_a09e_667f_3bcd);
