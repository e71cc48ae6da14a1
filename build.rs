//! Tells cargo that what is embedded (migrations, assets, templates) belongs to the build:
//! the embedding macros do not notice new files by themselves. Also names the assets by their content,
//! so that a browser may keep them for ever.

use std::path::{Path, PathBuf};

fn main() {
    for folder in [
        "migrations",
        "assets",
        "templates",
        "src/http/openapi/examples",
    ] {
        println!("cargo:rerun-if-changed={folder}");
    }
    println!(
        "cargo:rustc-env=ASSETS_FOLDER={:016x}",
        hash_of(Path::new("assets"))
    );
}

/// FNV-1a over the paths and the content of all files, in the order of their paths.
fn hash_of(folder: &Path) -> u64 {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    files.iter().fold(0xcbf2_9ce4_8422_2325, |hash, file| {
        let path = file.to_string_lossy().into_owned().into_bytes();
        let content = std::fs::read(file).unwrap_or_default();
        path.iter().chain(&content).fold(hash, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
