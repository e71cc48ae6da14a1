//! Tells cargo that what is embedded (migrations, assets, templates) belongs to the build:
//! the embedding macros do not notice new files by themselves.

fn main() {
    for folder in ["migrations", "assets", "templates"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
