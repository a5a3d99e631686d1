//! What is refused, and how.

use super::image_files::{DATA_OFFSET, Kind, Nifti, gzip};
use super::{folder, json, number, refuses, run, says, small_pair, succeeds, text, write};

#[test]
fn bad_files_and_options_are_refused() {
    let folder = folder("refusals");
    let (prediction, _) = small_pair();
    let good = write(&folder, "good.nii", prediction.bytes());
    says(&refuses(&[&good]), &["REFERENCE"]);
    says(&refuses(&[&good, &good, "--speed", "9"]), &["--speed"]);
    says(&refuses(&[&good, &good, "--like", "itk"]), &["itk", "metrics-reloaded"]);
    says(&refuses(&[&good, &good, "--percentiles", "95,101"]), &["101", "0 to 100"]);
    says(&refuses(&[&good, &good, "--tolerances", "-1"]), &["-1"]);
    says(&refuses(&[&good, &good, "--tolerances", "nan"]), &["nan"]);
    says(&refuses(&[&good, &good, "--spacing", "1,0,1"]), &["\"0\""]);
    says(&refuses(&[&good, &good, "--threads", "0"]), &["0"]);
    says(&refuses(&[&good, "nowhere.nii"]), &["nowhere.nii: no such file"]);
    says(&refuses(&[&good, &text(&folder)]), &["folder"]);
    says(&refuses(&[&good, &write(&folder, "a.txt", "x")]), &["a.txt", "not a .nii"]);
    says(&refuses(&[&good, &good, "--json", "/nowhere/x.json"]), &["/nowhere/x.json"]);
    says(&refuses(&[&good, &good, "--csv", "/nowhere/x.csv"]), &["/nowhere/x.csv"]);
    says(&refuses(&[&good, &good, "--picture", "/nowhere/x.svg"]), &["/nowhere/x.svg"]);

    let bad = |name: &str, bytes: Vec<u8>, words: &[&str]| {
        let file = write(&folder, name, bytes);
        let message = refuses(&[&file, &good]);
        says(&message, words);
        says(&message, &[name]);
    };
    let bytes = prediction.bytes();
    bad("garbage.nii", b"no image at all".repeat(99), &["not a NIfTI file"]);
    bad("empty.nii", Vec::new(), &["shorter than a NIfTI header"]);
    bad("cut.nii", bytes[..bytes.len() - 1].to_vec(), &["cut off"]);
    let packed = gzip(&bytes);
    bad("cut.nii.gz", packed[..packed.len() / 2].to_vec(), &["cut.nii.gz"]);
    let mut flipped = packed.clone();
    let checksum = flipped.len() - 6;
    flipped[checksum] ^= 1;
    bad("flipped.nii.gz", flipped, &["damaged"]);

    let patched = |offset: usize, bytes: &[u8]| {
        let mut file = prediction.bytes();
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        file
    };
    bad("second.nii", patched(0, &540i32.to_le_bytes()), &["NIfTI-2"]);
    bad("pair.nii", patched(344, b"ni1\0"), &["another file"]);
    bad("bits.nii", patched(72, &16i16.to_le_bytes()), &["bitpix is 16"]);
    bad("colour.nii", [patched(70, &128i16.to_le_bytes())].concat(), &["bitpix"]);
    bad("unit.nii", patched(123, &[7]), &["xyzt_units"]);
    bad("flat.nii", patched(80, &0f32.to_le_bytes()), &["pixdim[1]", "--spacing"]);
    bad("nan.nii", patched(84, &f32::NAN.to_le_bytes()), &["pixdim[2]"]);
    bad("offset.nii", patched(108, &(-1f32).to_le_bytes()), &["vox_offset"]);
    bad("far.nii", patched(108, &1e9f32.to_le_bytes()), &["cut off"]);
    let time = Nifti { dim: vec![6, 5, 2, 2], ..prediction.clone() };
    bad("time.nii", time.bytes(), &["4 axes"]);
    let long = [patched(42, &30000i16.to_le_bytes())].concat();
    bad("long.nii", long, &["cut off"]);

    let float = |value: f64| {
        let mut file = Nifti { kind: Kind::F32, ..prediction.clone() };
        file.values[6 * 5 * 2 + 6 * 3 + 4] = value;
        file.bytes()
    };
    bad("half.nii", float(0.5), &["0.5 is no label", "[2, 3, 4]"]);
    bad("none.nii", float(f64::NAN), &["NaN", "[2, 3, 4]"]);
    bad("large.nii", float(1e10), &["too large"]);
    let many = Nifti {
        kind: Kind::I32,
        ..Nifti::new(&[100, 100], &(0..10000).map(f64::from).collect::<Vec<_>>())
    };
    let file = write(&folder, "image.nii", many.bytes());
    says(&refuses(&[&file, &file]), &["4096 labels"]);
}

/// Headers with one wrong byte, and files of every length, are measured or refused.
#[test]
fn damaged_headers_never_crash() {
    let folder = folder("damaged");
    let (prediction, reference) = small_pair();
    let reference = write(&folder, "reference.nii", reference.bytes());
    let bytes = prediction.bytes();
    let survives = |bytes: &[u8], what: &str| {
        let output = run(&[&write(&folder, "damaged.nii", bytes), &reference]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{what}: {errors}");
        assert_eq!(output.status.code() == Some(1), errors.contains("error:"), "{what}: {errors}");
    };
    for offset in 0..DATA_OFFSET {
        // Fields that hold text alone.
        if (4..40).contains(&offset) || (148..252).contains(&offset) {
            continue;
        }
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[offset] = value;
            survives(&damaged, &format!("byte {offset} = {value}"));
        }
    }
    for length in (0..bytes.len()).step_by(23) {
        survives(&bytes[..length], &format!("{length} bytes"));
    }
}

#[test]
fn trees_are_checked() {
    let folder = folder("trees");
    let (prediction, reference) = small_pair();
    let files =
        [write(&folder, "p.nii", prediction.bytes()), write(&folder, "r.nii", reference.bytes())];
    let with = |lines: &str| {
        let tree =
            write(&folder, "tree.csv", format!("node_id,parent_id,name,leaf_label\n{lines}"));
        [files[0].clone(), files[1].clone(), "--tree".to_string(), tree]
    };
    let refused = |lines: &str, words: &[&str]| {
        let arguments = with(lines);
        says(&refuses(&arguments.each_ref().map(String::as_str)), words);
    };
    refused("0,-1,root,\n1,0,background,0\n2,0,one,1\n", &["label 2 has no leaf", "prediction"]);
    refused("0,-1,root,\n1,0,background,0\n2,0,one,1\n3,0,two,\n", &["leaf", "two"]);
    refused("0,-1,root,\n1,0,background,0\n1,0,one,1\n", &["node 1", "twice"]);
    refused("0,-1,root,\n1,7,background,0\n", &["parent 7"]);
    refused("0,-1,root,\n1,0,a,0\n2,0,b,0\n", &["two leaves have label 0"]);
    refused("0,-1,root,\n1,0,a,zero\n", &["line 3", "\"zero\""]);
    refused("0,-1,root,\n1,2,a,\n2,1,b,\n3,0,c,0\n", &["ancestor"]);
    refused("", &["root"]);
    refused("0,-1\n", &["line: 2"]);

    let good = with(
        "10,-1,root,\n11,10,background,0\n12,10,\"both, together\",\n13,12,one,1\n14,12,two,2\n",
    );
    let good = good.each_ref().map(String::as_str);
    let results = json(&folder, &good);
    let case = &results["cases"][0];
    assert_eq!(case["nodes"][0]["name"], "both, together");
    assert_eq!(case["classes"][1]["name"], "two");
    assert!(number(&case["nodes"][0], "hd_mm") > 0.0);
    assert!(number(case, "mean_tree_distance") > 0.0);
    let printed = succeeds(&good);
    says(&printed, &["both, together", "  one", "  two", "mean tree distance"]);
}
