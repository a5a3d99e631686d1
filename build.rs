//! Writes the C header when the `header` feature asks for it.

fn main() {
    println!("cargo::rerun-if-changed=src/capi");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    #[cfg(feature = "header")]
    header::write();
}

#[cfg(feature = "header")]
mod header {
    use std::path::Path;

    /// In the order of the header.
    const FILES: [&str; 11] = [
        "types",
        "metric_types",
        "surface_types",
        "status",
        "defaults",
        "losses",
        "distances",
        "trees",
        "metrics",
        "surfaces",
        "confidence",
    ];

    pub fn write() {
        let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        let root = Path::new(&root);
        println!("cargo::rerun-if-changed={}", root.join("include/segloss.h").display());
        let config =
            cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(root.join(format!("src/capi/{file}.rs")));
        }
        let bindings = builder.generate().expect("the C interface parses");
        bindings.write_to_file(root.join("include/segloss.h"));
    }
}
