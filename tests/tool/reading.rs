//! Files of every kind, and grids that differ.

use super::image_files::{KINDS, Kind, Nifti, gzip, npy};
use super::{folder, json, near, number, refuses, run, says, small_pair, succeeds, write};
use std::fs;

/// One pair in every element type, byte order and packing, scaled or not.
#[test]
fn files_of_every_type_say_the_same() {
    let folder = folder("types");
    let (prediction, reference) = small_pair();
    let reference_file = write(&folder, "reference.nii", reference.bytes());
    let classes = |name: &str, bytes: Vec<u8>, more: &[&str]| {
        let file = write(&folder, name, bytes);
        let results = json(&folder, &[&[&file, reference_file.as_str()], more].concat());
        results["cases"][0]["classes"].clone()
    };
    let expected = classes("plain.nii", prediction.bytes(), &[]);
    assert_eq!(expected.as_array().unwrap().len(), 2);
    for kind in KINDS {
        for big in [false, true] {
            let file = Nifti { kind, big, ..prediction.clone() };
            assert_eq!(classes("other.nii", file.bytes(), &[]), expected, "{kind:?} {big}");
            assert_eq!(classes("other.nii.gz", gzip(&file.bytes()), &[]), expected, "{kind:?}");
        }
    }
    // What is packed is known by its first bytes, not by its name.
    assert_eq!(classes("packed.nii", gzip(&prediction.bytes()), &[]), expected);
    // 255 is stored for label 2, as tools do that scale to the whole range.
    let values = prediction.values.iter().map(|value| (value * 127.5).round());
    let values: Vec<f64> = values.map(|value| if value == 128.0 { 127.0 } else { value }).collect();
    let slope = 1.0 / 127.5;
    let off = Nifti { values: values.clone(), slope, ..prediction.clone() };
    says(&refuses(&[&write(&folder, "off.nii", off.bytes()), &reference_file]), &["is no label"]);
    let values = prediction.values.iter().map(|value| value * 50.0 + 10.0).collect();
    let scaled = Nifti { values, slope: 0.02, intercept: -0.2, ..prediction.clone() };
    assert_eq!(classes("scaled.nii", scaled.bytes(), &[]), expected);
    // Metres and micrometres.
    for (units, factor) in [(1, 1e-3), (3, 1e3), (0, 1.0)] {
        let pixdim = prediction.pixdim.map(|step| step * factor);
        let file = Nifti { units, pixdim, ..prediction.clone() };
        let found = classes("units.nii", file.bytes(), &[]);
        near(number(&found[0], "hd_mm"), number(&expected[0], "hd_mm"), 1e-6);
    }
    let spaced = classes("plain.nii", prediction.bytes(), &["--spacing", "6,1.5,1"]);
    assert_eq!(number(&spaced[0], "hd_mm"), 2.0 * number(&expected[0], "hd_mm"));
}

/// NumPy's files in both orders, against the NIfTI file of the same labels.
#[test]
fn npy_files_agree_with_nifti() {
    let folder = folder("npy");
    let (prediction, reference) = small_pair();
    let nifti =
        [write(&folder, "p.nii", prediction.bytes()), write(&folder, "r.nii", reference.bytes())];
    let expected = &json(&folder, &[&nifti[0], &nifti[1]])["cases"][0]["classes"];
    let shape = [4, 5, 6];
    let fortran = |values: &[f64]| -> Vec<f64> {
        let places = (0..120).map(|place| {
            let (z, y, x) = (place % 4, place / 4 % 5, place / 20);
            values[(z * 5 + y) * 6 + x]
        });
        places.collect()
    };
    for kind in KINDS {
        for big in [false, true] {
            let first = npy(&shape, false, kind, big, &prediction.values);
            let second = npy(&shape, true, kind, big, &fortran(&reference.values));
            let files = [write(&folder, "p.npy", first), write(&folder, "r.npy", second)];
            let found = json(&folder, &[&files[0], &files[1], "--spacing", "3,0.75,0.5"]);
            assert_eq!(&found["cases"][0]["classes"], expected, "{kind:?} {big}");
        }
    }
    let file = write(&folder, "p.npy", npy(&shape, false, Kind::I16, false, &prediction.values));
    says(&refuses(&[&file, &file]), &["--spacing"]);
    says(&refuses(&[&file, &file, "--spacing", "1,2"]), &["2 spacings for 3 axes"]);
    let bytes = fs::read(&file).unwrap();
    for length in [0, 5, 9, 40, 100, bytes.len() - 1] {
        let file = write(&folder, "cut.npy", &bytes[..length]);
        says(&refuses(&[&file, &file, "--spacing", "1,1,1"]), &["cut.npy"]);
    }
    let huge = npy(&[usize::MAX, 4], false, Kind::U8, false, &[0.0]);
    let file = write(&folder, "huge.npy", huge);
    refuses(&[&file, &file, "--spacing", "1,1"]);
    let complex = String::from_utf8_lossy(&bytes[..64]).into_owned();
    assert!(complex.contains("i2"));
    let text = bytes.iter().map(|&byte| if byte == b'i' { b'c' } else { byte });
    let file = write(&folder, "complex.npy", text.collect::<Vec<_>>());
    refuses(&[&file, &file, "--spacing", "1,1,1"]);
}

/// Pairs that do not lie on one grid, with both values.
#[test]
fn differing_grids_are_refused() {
    let folder = folder("grids");
    let (prediction, reference) = small_pair();
    let reference_file = write(&folder, "reference.nii", reference.bytes());
    let against =
        |file: &Nifti| refuses(&[&write(&folder, "prediction.nii", file.bytes()), &reference_file]);
    let shape = Nifti { dim: vec![5, 6, 4], ..prediction.clone() };
    says(&against(&shape), &["shapes differ", "4x6x5", "4x5x6"]);
    let spacing = Nifti { pixdim: [0.5, 0.75, 3.01], ..prediction.clone() };
    says(&against(&spacing), &["spacings differ", "3.01", "3x0.75x0.5"]);
    let near = Nifti { pixdim: [0.5, 0.75, 3.0 + 1e-4], ..prediction.clone() };
    let near = write(&folder, "near.nii", near.bytes());
    succeeds(&[&near, &reference_file]);
    let moved = Nifti { qform: Some([0.0, 0.0, 0.0, 0.0, 0.01, 0.0]), ..prediction.clone() };
    says(&against(&moved), &["affines differ in row 1, column 3", "0.01"]);
    let mirrored = Nifti { qfac: -1.0, ..prediction.clone() };
    says(&against(&mirrored), &["affines differ in row 2, column 2"]);
    // The same orientation as sform and as qform: half a turn about z.
    let turned =
        |file: &Nifti| Nifti { qform: Some([0.0, 0.0, 1.0, 7.0, 8.0, 9.0]), ..file.clone() };
    let sform = [[-0.5, 0.0, 0.0, 7.0], [0.0, -0.75, 0.0, 8.0], [0.0, 0.0, 3.0, 9.0]];
    let as_sform = Nifti { sform: Some(sform), qform: None, ..reference.clone() };
    succeeds(&[
        &write(&folder, "qform.nii", turned(&prediction).bytes()),
        &write(&folder, "sform.nii", as_sform.bytes()),
    ]);
    let blank = Nifti { qform: None, ..prediction.clone() };
    let blank = run(&[&write(&folder, "blank.nii", blank.bytes()), &reference_file]);
    assert!(blank.status.success());
    says(&String::from_utf8_lossy(&blank.stderr), &["warning", "no orientation"]);
}
