//! The data that lies beside a checkout, where it is there.
#![allow(unreachable_pub)]

use std::path::{Path, PathBuf};

/// A folder of the shared data, or `None` with a word on standard error.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: {folder}: no such data beside the checkout");
    None
}
