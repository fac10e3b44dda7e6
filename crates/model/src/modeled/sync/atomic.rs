//! `std::sync::atomic`.

use crate::record::{note, What};
pub use shuttle::sync::atomic::*;
use std::ops::Deref;

/// As its namesake in `std::sync::atomic`. What is not told of to a recorder is reached
/// through `Deref`.
macro_rules! atomic {
    ($name:ident, $value:ty, $($change:ident)*) => {
        #[derive(Debug, Default)]
        pub struct $name(shuttle::sync::atomic::$name);

        impl $name {
            #[track_caller]
            pub const fn new(value: $value) -> $name {
                $name(shuttle::sync::atomic::$name::new(value))
            }

            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                let value = self.0.load(order);
                note(|| What::Reads(value.to_string()));
                value
            }

            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, order);
                note(|| What::Writes(value.to_string()));
            }

            $(
                #[track_caller]
                pub fn $change(&self, value: $value, order: Ordering) -> $value {
                    let old = self.0.$change(value, order);
                    note(|| What::Changes(stringify!($change), old.to_string()));
                    old
                }
            )*
        }

        impl Deref for $name {
            type Target = shuttle::sync::atomic::$name;
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    };
}

atomic!(AtomicBool, bool, swap fetch_and fetch_or);
atomic!(AtomicUsize, usize, swap fetch_add fetch_sub);
