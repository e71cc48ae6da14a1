//! The executable.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A second call would be the only way to fail, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    dewline::cli::run()
}
