//! `std::sync::atomic`.

use crate::modeled::run;
use crate::record::{note, What};
use crate::reduced::{self, Identity, Object, Operation};
pub use shuttle::sync::atomic::{compiler_fence, fence, Ordering};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// As its namesake in `std::sync::atomic`. What is not told of to a recorder is reached
/// through `Deref`.
macro_rules! atomic {
    ($name:ident, $value:ty, $($change:ident)*) => {
        #[derive(Default)]
        pub struct $name(shuttle::sync::atomic::$name, run::Once, Identity);

        impl $name {
            #[track_caller]
            pub const fn new(value: $value) -> $name {
                let atomic = shuttle::sync::atomic::$name::new(value);
                $name(atomic, run::Once::new(), Identity::new())
            }

            fn object(&self) -> usize {
                self.2.get(|| Object::Plain)
            }

            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.1.used();
                let load = || Operation::Load(self.object());
                let value = reduced::operate(load, || self.0.load(order));
                note(|| What::Reads(value.to_string()));
                value
            }

            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.1.used();
                let store = || Operation::Store(self.object());
                reduced::operate(store, || self.0.store(value, order));
                note(|| What::Writes(value.to_string()));
            }

            $(
                #[track_caller]
                pub fn $change(&self, value: $value, order: Ordering) -> $value {
                    self.1.used();
                    let change = || Operation::Store(self.object());
                    let old = reduced::operate(change, || self.0.$change(value, order));
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

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                self.0.fmt(f)
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

/// As `std::sync::atomic::AtomicPtr`. A recorder is not told what is done with it.
pub struct AtomicPtr<T>(shuttle::sync::atomic::AtomicPtr<T>, run::Once);

impl<T> AtomicPtr<T> {
    #[track_caller]
    pub const fn new(pointer: *mut T) -> AtomicPtr<T> {
        let pointer = shuttle::sync::atomic::AtomicPtr::new(pointer);
        AtomicPtr(pointer, run::Once::new())
    }

    pub fn into_inner(self) -> *mut T {
        self.0.into_inner()
    }
}

impl<T> Default for AtomicPtr<T> {
    fn default() -> AtomicPtr<T> {
        AtomicPtr::new(std::ptr::null_mut())
    }
}

impl<T> From<*mut T> for AtomicPtr<T> {
    fn from(pointer: *mut T) -> AtomicPtr<T> {
        AtomicPtr::new(pointer)
    }
}

impl<T> fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
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
