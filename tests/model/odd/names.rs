//! Crates that call std, and what is of it, by other names. A type that is not the model's would not
//! be the same type as the model's.

use super::{manifest, odd, Odd, Pool, Said::Good};

pub fn all(pool: &Pool) -> Vec<Odd> {
    let Pool {
        whole,
        pool: half,
        worker,
    } = pool;
    vec![
        odd(
            "other names for std",
            &manifest("2021", ""),
            format!(
                "extern crate alloc;\nextern crate core as kern;\nextern crate std as mystd;\nuse core as c;\n\
                 use std as s;\nmod k {{ pub use core::*; }}\nuse ::core::{{sync::atomic::AtomicBool, time::Duration}};\n\
                 use alloc::{{sync::Arc, boxed::Box}};\nuse mystd::sync::mpsc;\nuse s::sync::Mutex;\nuse ::std::thread;\n\
                 pub fn same(a: [AtomicBool; 5]) -> [::std::sync::atomic::AtomicBool; 5] {{\n    \
                 let [v, w, x, y, z] = a;\n    let v: c::sync::atomic::AtomicBool = v;\n    \
                 let w: kern::sync::atomic::AtomicBool = w;\n    let x: k::sync::atomic::AtomicBool = x;\n    \
                 let y: core::\n        sync::atomic::AtomicBool = y;\n    s::hint::spin_loop();\n    \
                 core::hint::spin_loop();\n    [v, w, x, y, z]\n}}\n\
                 pub const D: Duration = c::time::Duration::ZERO;\n\
                 macro_rules! locked {{ ($e:expr) => {{ ::std::sync::Mutex::new($e) }} }}\n\
                 pub fn m() -> Mutex<u8> {{ locked!(1) }}\n{half}{worker}"
            ),
            Good,
        ),
        odd(
            "edition 2015",
            "[package]\nname = \"std\"\nversion = \"0.1.0\"\n[workspace]\n",
            format!("extern crate core;\nextern crate std as s;\n{whole}\npub fn same(a: s::sync::Once) -> ::std::sync::Once {{ a }}\n"),
            Good,
        ),
        odd(
            "no prelude",
            &manifest("2021", ""),
            format!(
                "#![no_implicit_prelude]\nuse ::std::prelude::v1::*;\n{}",
                whole.replace("use std", "use ::std")
            ),
            Good,
        ),
        odd(
            "no std",
            &manifest("2018", ""),
            format!("#![no_std]\nextern crate std;\nuse std::{{prelude::v1::*, println}};\n{whole}"),
            Good,
        ),
    ]
}
