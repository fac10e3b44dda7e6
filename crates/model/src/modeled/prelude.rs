//! `std::prelude`, from which newer compilers take the macros.

macro_rules! preludes {
    ($($edition:ident)*) => {
        $(pub mod $edition {
            pub use std::prelude::$edition::*;
            // In their place: explicit names come before those of the glob.
            pub use crate::{dbg, eprint, eprintln, print, println, thread_local};
        })*
    };
}

preludes!(v1 rust_2015 rust_2018 rust_2021 rust_2024);
