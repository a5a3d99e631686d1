//! Every operation of every level against arrays, on all kinds of numbers.

use super::level::present;
use super::{Kernel, LEVELS, Level, ShortLanes, ShortVector, Simd, Vector, dispatch_f32};
use crate::element::{LANES, Lanes, Real};
use std::vec::Vec;

#[test]
fn levels_are_those_that_the_processor_has() {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("f16c");
        let avx512 = avx2
            && std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512dq")
            && std::is_x86_feature_detected!("avx512vl");
        assert_eq!(present(Level::Avx2) == Level::Avx2, avx2);
        assert_eq!(present(Level::Avx512) == Level::Avx512, avx512);
    }
    let highest = LEVELS.into_iter().rev().find(|&level| present(level) == level);
    assert_eq!(Some(present(Level::Best)), highest);
}

/// All operations on two vectors.
struct Operations<'a, R>(&'a Lanes<R>, &'a Lanes<R>);

/// Results that are numbers, and masks and bits of sums.
type Results<R> = (Vec<Lanes<R>>, Vec<u16>);

impl<R: Real> Kernel<R> for Operations<'_, R> {
    type Output = Results<R>;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> Results<R> {
        let (a, b) = (simd.load(self.0), simd.load(self.1));
        let (less, equal) = (a.less(b), a.equal(b));
        let vectors = [
            a + b,
            a - b,
            a * b,
            a / b,
            -a,
            a.larger(b),
            a.smaller(b),
            a.absolute(),
            a.square_root(),
            S::Vector::select(less, a, b),
            S::Vector::select(equal, a, b),
            a.add_bits(b),
            a.and_bits(b),
            a.shift_to_exponent(),
            a.shift_from_exponent(),
        ];
        let mut numbers = Vec::new();
        for vector in vectors {
            let mut lanes = [R::ZERO; LANES];
            vector.store(&mut lanes);
            numbers.push(lanes);
        }
        let finite = simd.splat(R::from_f32(1e30));
        let comparable = finite.smaller(a);
        numbers.push([comparable.largest(); LANES]);
        numbers.push([comparable.smallest(); LANES]);
        let mut masks = Vec::from([less, equal].map(S::Vector::bits));
        masks.extend([less, equal].map(|mask| u16::from(S::Vector::any(mask))));
        // All bits of a sum, which has more of them than a lane.
        let sum = comparable.larger(-finite).sum().to_bits();
        masks.extend([0, 16, 32, 48].map(|shift| (sum >> shift) as u16));
        (numbers, masks)
    }
}

fn levels_agree<R: Real>(special: &[R]) {
    let count = special.len();
    for shift in 0..count {
        for first in (0..count).step_by(LANES) {
            let a: Lanes<R> = core::array::from_fn(|i| special[(first + i) % count]);
            let b: Lanes<R> = core::array::from_fn(|i| special[(first + i + shift) % count]);
            let (expected, masks) = R::dispatch(Level::Plain, Operations(&a, &b));
            for level in LEVELS {
                let (found, found_masks) = R::dispatch(level, Operations(&a, &b));
                assert_eq!(found_masks, masks, "{level:?}");
                for (operation, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    for (lane, (x, y)) in found.iter().zip(expected).enumerate() {
                        let nan = x.to_f64().is_nan() && y.to_f64().is_nan();
                        let at = (a[lane].to_f64(), b[lane].to_f64());
                        assert!(x == y || nan, "operation {operation} at {level:?} of {at:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn operations_on_single_precision() {
    let mut special: Vec<f32> = [0.0, 1.0, 1.5, 3.0e38, 1e-45, 1e-38, 2e-38, 7.3, 0.1, 1e20]
        .into_iter()
        .chain([f32::INFINITY, f32::NAN, f32::MIN_POSITIVE, 16_777_217.0, 88.5])
        .flat_map(|x: f32| [x, -x])
        .collect();
    special.extend((0..64).map(|i| (i as f32 - 31.7) * 1.37));
    levels_agree(&special);
}

#[test]
fn operations_on_double_precision() {
    let mut special: Vec<f64> = [0.0, 1.0, 1.5, 1e308, 5e-324, 1e-308, 3e-308, 7.3, 0.1, 1e200]
        .into_iter()
        .chain([f64::INFINITY, f64::NAN, f64::MIN_POSITIVE, 1e16, 709.5])
        .flat_map(|x: f64| [x, -x])
        .collect();
    special.extend((0..64).map(|i| (f64::from(i) - 31.7) * 1.37));
    levels_agree(&special);
}

/// All operations on two vectors of integers.
struct ShortOperations<'a>(&'a ShortLanes, &'a ShortLanes);

impl Kernel<f32> for ShortOperations<'_> {
    type Output = (Vec<ShortLanes>, [bool; 2]);

    #[inline(always)]
    fn run<S: Simd<Real = f32>>(self, simd: S) -> Self::Output {
        let (a, b) = (simd.load_shorts(self.0), simd.load_shorts(self.1));
        let (less, more) = (a.less(b), b.less(a));
        let vectors = [
            a + b,
            a.larger(b),
            a.smaller(b),
            S::Shorts::select(less, a, b),
            S::Shorts::select(more, a + b, simd.splat_shorts(7)),
        ];
        let mut numbers = Vec::new();
        for vector in vectors {
            let mut lanes = [0; 2 * LANES];
            vector.store(&mut lanes);
            numbers.push(lanes);
        }
        (numbers, [S::Shorts::any(less), S::Shorts::any(more)])
    }
}

#[test]
fn operations_on_shorts() {
    let special = [0u16, 1, 2, 255, 256, 0x7ffe, 0x7fff, 0x8000, 0x8001, 49_151, 49_152, 0xfffe];
    let special: Vec<u16> = special.into_iter().chain([0xffff; 3]).collect();
    let count = special.len();
    for shift in 0..count {
        for same in [2 * LANES, 31, 1, 0] {
            let a: ShortLanes = core::array::from_fn(|i| special[i % count]);
            // Few lanes differ: one alone must be seen.
            let b: ShortLanes =
                core::array::from_fn(|i| special[(i + if i < same { 0 } else { shift }) % count]);
            let zip = |f: fn(u16, u16) -> u16| core::array::from_fn(|i| f(a[i], b[i]));
            let expected: [ShortLanes; 5] = [
                zip(u16::wrapping_add),
                zip(u16::max),
                zip(u16::min),
                zip(|a, b| if a < b { a } else { b }),
                zip(|a, b| if b < a { a.wrapping_add(b) } else { 7 }),
            ];
            let any = [a.iter().zip(&b).any(|(a, b)| a < b), a.iter().zip(&b).any(|(a, b)| b < a)];
            for level in LEVELS {
                let (found, found_any) = dispatch_f32(level, ShortOperations(&a, &b));
                assert_eq!((&found[..], found_any), (&expected[..], any), "{level:?}");
            }
        }
    }
}

/// Four columns of rows.
struct Columns<'a, R>(&'a [R], usize);

impl<R: Real> Kernel<R> for Columns<'_, R> {
    type Output = Option<[Lanes<R>; 4]>;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> Self::Output {
        let columns = simd.load_columns(self.0, self.1)?;
        let mut lanes = [[R::ZERO; LANES]; 4];
        for (column, lanes) in columns.into_iter().zip(&mut lanes) {
            column.store(lanes);
        }
        Some(lanes)
    }
}

fn columns_of<R: Real>() {
    let from: Vec<R> = (0..700u16).map(|i| R::from_f32(f32::from(i) + 1.0)).collect();
    for level in LEVELS {
        for stride in [16, 4, 3, 43, 1, 0] {
            let needed = 15 * stride + 4;
            let short = [(needed - 1, stride), (700, usize::MAX / 2), (700, usize::MAX / 15)];
            for (length, stride) in short {
                let kernel = Columns(&from[..length], stride);
                assert!(R::dispatch(level, kernel).is_none(), "{level:?}");
            }
            let columns = R::dispatch(level, Columns(&from[..needed], stride));
            assert!(columns.is_some(), "{level:?}, {stride}");
            for (column, lanes) in columns.iter().flatten().enumerate() {
                let right = |row: usize| lanes[row] == from[row * stride + column];
                assert!((0..LANES).all(right), "{level:?}, {stride}, column {column}");
            }
        }
    }
}

#[test]
fn columns() {
    columns_of::<f32>();
    columns_of::<f64>();
}

/// Kinds by turns to kinds apart, and these by turns again.
struct Kinds<'a, R, const KINDS: usize, const ODD: usize> {
    by_turns: &'a mut [Lanes<R>; KINDS],
    apart: &'a mut [Lanes<R>],
    stride: usize,
}

impl<R: Real, const KINDS: usize, const ODD: usize> Kernel<R> for Kinds<'_, R, KINDS, ODD> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        simd.apart::<KINDS, ODD>(self.by_turns, self.apart, self.stride);
        *self.by_turns = [[R::ZERO; LANES]; KINDS];
        simd.by_turns::<KINDS, ODD>(self.apart, self.stride, self.by_turns);
    }
}

fn kinds_of<R: Real, const KINDS: usize, const ODD: usize>() {
    let mut values = [[R::ZERO; LANES]; KINDS];
    for (place, value) in values.as_flattened_mut().iter_mut().enumerate() {
        *value = R::from_f32(place as f32 + 1.0);
    }
    for level in LEVELS {
        for stride in [1, 3] {
            let needed = (KINDS - 1) * stride + 1;
            let mut expected = std::vec![[R::ZERO; LANES]; needed];
            for (place, &value) in values.as_flattened().iter().enumerate() {
                expected[place % KINDS * stride][place / KINDS] = value;
            }
            let (mut by_turns, mut apart) = (values, std::vec![[R::ZERO; LANES]; needed]);
            let kernel =
                Kinds::<R, KINDS, ODD> { by_turns: &mut by_turns, apart: &mut apart, stride };
            R::dispatch(level, kernel);
            assert!(apart == expected, "{level:?}, {KINDS} kinds, {stride}");
            assert!(by_turns == values, "{level:?}, {KINDS} kinds");
            let huge = [usize::MAX / 2, usize::MAX / 2 + 1];
            for (room, stride) in [(needed - 1, stride), (needed, 0)]
                .into_iter()
                .chain(huge.map(|stride| (needed, stride)))
            {
                let (mut by_turns, mut apart) = (values, std::vec![[R::ONE; LANES]; room]);
                let kernel =
                    Kinds::<R, KINDS, ODD> { by_turns: &mut by_turns, apart: &mut apart, stride };
                R::dispatch(level, kernel);
                let one_kind_has_room = KINDS == 1 && huge.contains(&stride);
                let untouched = apart.iter().all(|lanes| *lanes == [R::ONE; LANES])
                    && by_turns == [[R::ZERO; LANES]; KINDS];
                assert!(untouched != one_kind_has_room, "{level:?}, {KINDS} kinds, {stride}");
            }
        }
    }
}

#[test]
fn kinds() {
    fn of<R: Real>() {
        kinds_of::<R, 1, 1>();
        kinds_of::<R, 2, 1>();
        kinds_of::<R, 3, 3>();
        kinds_of::<R, 4, 1>();
        kinds_of::<R, 5, 5>();
        kinds_of::<R, 6, 3>();
        kinds_of::<R, 7, 7>();
        kinds_of::<R, 8, 1>();
        kinds_of::<R, 9, 9>();
        kinds_of::<R, 10, 5>();
        kinds_of::<R, 11, 11>();
        kinds_of::<R, 12, 3>();
        kinds_of::<R, 13, 13>();
        kinds_of::<R, 14, 7>();
        kinds_of::<R, 15, 15>();
    }
    of::<f32>();
    of::<f64>();
}
