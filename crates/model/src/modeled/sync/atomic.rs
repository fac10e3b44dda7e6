//! `std::sync::atomic`.

use crate::modeled::run;
use crate::record::{note, What};
pub use shuttle::sync::atomic::{compiler_fence, fence, Ordering};
use std::ops::{Deref, DerefMut};

/// As its namesake in `std::sync::atomic`. What is not told of to a recorder is reached
/// through `Deref`.
macro_rules! atomic {
    ($name:ident, $value:ty, $($change:ident)*) => {
        #[derive(Debug, Default)]
        pub struct $name(shuttle::sync::atomic::$name, run::Once);

        impl $name {
            #[track_caller]
            pub const fn new(value: $value) -> $name {
                $name(shuttle::sync::atomic::$name::new(value), run::Once::new())
            }

            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.1.used();
                let value = self.0.load(order);
                note(|| What::Reads(value.to_string()));
                value
            }

            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.1.used();
                self.0.store(value, order);
                note(|| What::Writes(value.to_string()));
            }

            $(
                #[track_caller]
                pub fn $change(&self, value: $value, order: Ordering) -> $value {
                    self.1.used();
                    let old = self.0.$change(value, order);
                    note(|| What::Changes(stringify!($change), old.to_string()));
                    old
                }
            )*

            pub fn into_inner(self) -> $value {
                self.0.into_inner()
            }
        }

        impl From<$value> for $name {
            fn from(value: $value) -> $name {
                $name::new(value)
            }
        }

        impl Deref for $name {
            type Target = shuttle::sync::atomic::$name;
            #[track_caller]
            fn deref(&self) -> &Self::Target {
                self.1.used();
                &self.0
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }
    };
}

/// As `std::sync::atomic::AtomicPtr`. Nothing of it is told to a recorder: where something lies says
/// nothing to a reader.
#[derive(Debug, Default)]
pub struct AtomicPtr<T>(shuttle::sync::atomic::AtomicPtr<T>, run::Once);

impl<T> AtomicPtr<T> {
    #[track_caller]
    pub const fn new(value: *mut T) -> AtomicPtr<T> {
        AtomicPtr(
            shuttle::sync::atomic::AtomicPtr::new(value),
            run::Once::new(),
        )
    }

    pub fn into_inner(self) -> *mut T {
        self.0.into_inner()
    }
}

impl<T> From<*mut T> for AtomicPtr<T> {
    fn from(value: *mut T) -> AtomicPtr<T> {
        AtomicPtr::new(value)
    }
}

impl<T> Deref for AtomicPtr<T> {
    type Target = shuttle::sync::atomic::AtomicPtr<T>;
    #[track_caller]
    fn deref(&self) -> &Self::Target {
        self.1.used();
        &self.0
    }
}

impl<T> DerefMut for AtomicPtr<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

macro_rules! integers {
    ($($name:ident $value:ty,)*) => {
        $(atomic!($name, $value, swap fetch_add fetch_sub fetch_and fetch_or fetch_xor fetch_max fetch_min);)*
    };
}

atomic!(AtomicBool, bool, swap fetch_and fetch_or fetch_xor);
integers! {
    AtomicI8 i8,
    AtomicI16 i16,
    AtomicI32 i32,
    AtomicI64 i64,
    AtomicIsize isize,
    AtomicU8 u8,
    AtomicU16 u16,
    AtomicU32 u32,
    AtomicU64 u64,
    AtomicUsize usize,
}
