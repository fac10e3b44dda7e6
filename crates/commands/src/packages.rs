//! What the listings depend on, unpacked once for all copies of them, and compiled in one way. A scenario has a
//! home of its own, and to cargo, a package from another home is another package.

use anyhow::{ensure, Context, Result};
use book::step;
use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// For a folder's `.cargo/config.toml`: below it, packages come from one that is beside. And they are the same
/// where a listing is built as its readers build it, as a terminal shows, and where it is built for a test,
/// with nothing for a debugger.
const CONFIG: &str = r#"[source.crates-io]
replace-with = "unpacked"

[source.unpacked]
directory = "packages"

[profile.dev.package."*"]
debug = false
"#;

/// Whose turn it is.
static UNPACKING: Mutex<()> = Mutex::new(());

/// Has all cargos in folders under `scratch` take packages from a folder there, in which is what the
/// listings of the book at `root` have locked. What is there already is left as it is.
///
/// # Errors
///
/// When a package cannot be had, and when a file cannot be read or written.
pub fn unpack(root: &Path, scratch: &Path) -> Result<()> {
    let _turn = UNPACKING.lock().unwrap_or_else(PoisonError::into_inner);
    let (packages, said) = (scratch.join("packages"), scratch.join("packages.lock"));
    let mut locked = CONFIG.to_owned();
    let mut manifests = Vec::new();
    for name in step::names(root)? {
        let folder = root.join("listings").join(name);
        let lock = folder.join("Cargo.lock");
        let lock = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
        if lock.contains("\nsource = ") {
            locked += &lock;
            manifests.push(folder.join("Cargo.toml"));
        }
    }
    if fs::read_to_string(&said).is_ok_and(|unpacked| unpacked == locked) {
        return Ok(());
    }

    let mut vendor = crate::cargo();
    vendor.args(["vendor", "--quiet", "--locked", "--versioned-dirs"]);
    for (number, manifest) in manifests.iter().enumerate() {
        let option = ["--manifest-path", "--sync"][number.min(1)];
        vendor.arg(option).arg(manifest);
    }
    fs::create_dir_all(scratch.join(".cargo"))?;
    let output = vendor.arg(&packages).current_dir(root).output();
    let output = output.context("cannot run `cargo vendor`")?;
    ensure!(
        output.status.success(),
        "what the listings depend on cannot be unpacked: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(scratch.join(".cargo/config.toml"), CONFIG)?;
    Ok(fs::write(said, locked)?)
}
